use arrow_array::cast::AsArray;
use arrow_array::{AnyDictionaryArray, Array, LargeStringArray, StringArray, StringViewArray};
use arrow_schema::DataType;

/// A column of text, plain or in a dictionary.
#[derive(Clone, Copy)]
pub(crate) enum Texts<'a> {
    Utf8(&'a StringArray),
    LargeUtf8(&'a LargeStringArray),
    Utf8View(&'a StringViewArray),
    Dictionary(&'a dyn AnyDictionaryArray),
}

impl<'a> Texts<'a> {
    pub(super) fn view(array: &'a dyn Array) -> Option<Self> {
        match array.data_type() {
            DataType::Utf8 => array.as_string_opt::<i32>().map(Self::Utf8),
            DataType::LargeUtf8 => array.as_string_opt::<i64>().map(Self::LargeUtf8),
            DataType::Utf8View => array.as_string_view_opt().map(Self::Utf8View),
            DataType::Dictionary(_, values) if is_text(values) => {
                array.as_any_dictionary_opt().map(Self::Dictionary)
            }
            _ => None,
        }
    }

    /// Calls `visit` once per row, with nothing for a null.
    pub(crate) fn for_each<F: FnMut(Option<&str>)>(&self, mut visit: F) {
        match self {
            Self::Utf8(array) => array.iter().for_each(visit),
            Self::LargeUtf8(array) => array.iter().for_each(visit),
            Self::Utf8View(array) => array.iter().for_each(visit),
            Self::Dictionary(array) => {
                let keys: &dyn Array = array.keys();
                let words = words(array.values().as_ref());
                // Arrow cannot normalise the keys of a dictionary without values; all its rows are null.
                if words.is_empty() {
                    (0..keys.len()).for_each(|_| visit(None));
                    return;
                }
                for (row, key) in array.normalized_keys().into_iter().enumerate() {
                    let word = words.get(key).and_then(|word| word.as_deref());
                    visit(if keys.is_null(row) { None } else { word });
                }
            }
        }
    }

    /// Calls `visit` with every word and how often it occurs, in no order that matters; nothing stands for a null.
    ///
    /// A dictionary's words are counted by their keys, without looking at a text per row; a word may come more than once.
    pub(crate) fn for_each_count<F: FnMut(Option<&str>, u64)>(&self, mut visit: F) {
        let Self::Dictionary(array) = self else {
            self.for_each(|word| visit(word, 1));
            return;
        };
        let keys: &dyn Array = array.keys();
        let words = words(array.values().as_ref());
        if words.is_empty() {
            visit(None, keys.len() as u64);
            return;
        }
        let mut counts = vec![0_u64; words.len()];
        let mut nulls = 0_u64;
        for (row, key) in array.normalized_keys().into_iter().enumerate() {
            match counts.get_mut(key) {
                Some(count) if !keys.is_null(row) => *count += 1,
                _ => nulls += 1,
            }
        }
        visit(None, nulls);
        for (word, count) in words.iter().zip(counts) {
            visit(word.as_deref(), count);
        }
    }
}

fn is_text(data_type: &DataType) -> bool {
    matches!(
        data_type,
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View
    )
}

fn words(values: &dyn Array) -> Vec<Option<String>> {
    let mut words: Vec<Option<String>> = Vec::with_capacity(values.len());
    if let Some(texts) = Texts::view(values) {
        texts.for_each(|word| words.push(word.map(str::to_owned)));
    }
    words
}
