//! Elements of a JSON array.

/// What a tensor holds, read from one valid JSON scalar.
pub(super) trait Element: Sized {
    /// What the data should hold, in the plural.
    const WANTED: &'static str;

    /// From a number, `true`, `false` or `null`.
    fn from_word(word: &str) -> Option<Self>;

    /// From a string in its quotes.
    fn from_text(_quoted: &str) -> Option<Self> {
        None
    }
}

impl Element for bool {
    const WANTED: &'static str = "`true` or `false`";

    fn from_word(word: &str) -> Option<Self> {
        word.parse().ok()
    }
}

macro_rules! integers {
    ($($integer:ty)*) => {$(
        impl Element for $integer {
            const WANTED: &'static str = "integers in the range";

            fn from_word(word: &str) -> Option<Self> {
                word.parse().ok()
            }
        }
    )*};
}

integers!(u8 u16 u32 u64 i8 i16 i32 i64);

impl Element for f32 {
    const WANTED: &'static str = "finite numbers in the range";

    fn from_word(word: &str) -> Option<Self> {
        word.parse().ok().filter(|value: &Self| value.is_finite())
    }
}

impl Element for f64 {
    const WANTED: &'static str = "finite numbers in the range";

    fn from_word(word: &str) -> Option<Self> {
        word.parse().ok().filter(|value: &Self| value.is_finite())
    }
}

impl Element for Vec<u8> {
    const WANTED: &'static str = "strings";

    fn from_word(_word: &str) -> Option<Self> {
        None
    }

    fn from_text(quoted: &str) -> Option<Self> {
        let plain = quoted.strip_prefix('"')?.strip_suffix('"')?;
        if !plain.contains('\\') {
            return Some(plain.as_bytes().to_vec());
        }
        serde_json::from_str::<String>(quoted)
            .ok()
            .map(String::into_bytes)
    }
}
