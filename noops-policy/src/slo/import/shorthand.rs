use std::time::Duration;

/// The part of a duration shorthand: `28d` is twenty-eight days.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shorthand {
    /// A length that is the same whenever it starts.
    Fixed(Duration),
    /// A number of calendar months: a quarter is three, a year twelve.
    Months(u64),
}

impl Shorthand {
    /// Reads OpenSLO's `[1-9][0-9]*[mhdwMQY]`; `None` where the text is none.
    pub(super) fn read(text: &str) -> Option<Self> {
        let unit = text.chars().next_back()?;
        let digits = text.get(..text.len().checked_sub(unit.len_utf8())?)?;
        if digits.starts_with('0') || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let count: u64 = digits.parse().ok()?;
        let fixed = |seconds: u64| {
            count
                .checked_mul(seconds)
                .filter(|seconds| *seconds <= MAX_SECONDS)
                .map(|seconds| Self::Fixed(Duration::from_secs(seconds)))
        };
        let months = |months: u64| {
            count
                .checked_mul(months)
                .filter(|months| *months <= MAX_MONTHS)
                .map(Self::Months)
        };
        match unit {
            'm' => fixed(60),
            'h' => fixed(3_600),
            'd' => fixed(DAY),
            'w' => fixed(7 * DAY),
            'M' => months(1),
            'Q' => months(3),
            'Y' => months(12),
            _ => None,
        }
    }

    /// The length, where it is the same whenever it starts.
    pub(super) fn fixed(self) -> Option<Duration> {
        match self {
            Self::Fixed(duration) => Some(duration),
            Self::Months(_) => None,
        }
    }
}

const DAY: u64 = 86_400;

/// Ten years: no objective looks further back.
const MAX_SECONDS: u64 = 3_660 * DAY;

const MAX_MONTHS: u64 = 120;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shorthands_are_read_as_openslo_writes_them() {
        let fixed = |seconds| Some(Shorthand::Fixed(Duration::from_secs(seconds)));
        assert_eq!(Shorthand::read("12h"), fixed(43_200));
        assert_eq!(Shorthand::read("4w"), fixed(2_419_200));
        assert_eq!(Shorthand::read("5m"), fixed(300));
        assert_eq!(Shorthand::read("1M"), Some(Shorthand::Months(1)));
        assert_eq!(Shorthand::read("1Q"), Some(Shorthand::Months(3)));
        assert_eq!(Shorthand::read("2Y"), Some(Shorthand::Months(24)));
    }

    #[test]
    fn what_is_no_shorthand_is_refused() {
        for bad in [
            "",
            "m",
            "0d",
            "01d",
            "-1d",
            "+1d",
            "1.5h",
            "5 m",
            "5s",
            "5",
            "1é",
            "m5",
            "99999999999999999999d",
            "9999999999d",
        ] {
            assert_eq!(Shorthand::read(bad), None, "{bad}");
        }
    }
}
