/// The values that one field of a schedule allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Field {
    /// Bit `v` is set when `v` is allowed.
    values: u64,
    is_restricted: bool,
}

/// What may stand in a field.
#[derive(Clone, Copy)]
struct Kind {
    name: &'static str,
    first: u8,
    last: u8,
    /// Names of the values from `first` on.
    names: &'static [&'static str],
}

impl Field {
    pub(super) fn minutes(text: &str) -> Result<Self, String> {
        Self::parse(text, MINUTE)
    }

    pub(super) fn hours(text: &str) -> Result<Self, String> {
        Self::parse(text, HOUR)
    }

    pub(super) fn days(text: &str) -> Result<Self, String> {
        Self::parse(text, DAY)
    }

    pub(super) fn months(text: &str) -> Result<Self, String> {
        Self::parse(text, MONTH)
    }

    pub(super) fn weekdays(text: &str) -> Result<Self, String> {
        let field = Self::parse(text, WEEKDAY)?;
        // 7 is Sunday, as 0 is.
        let sunday = (field.values >> 7) & 1;
        Ok(Self {
            values: (field.values & 0x7f) | sunday,
            ..field
        })
    }

    /// Whether a value is allowed.
    pub(super) fn holds(self, value: i8) -> bool {
        u32::try_from(value)
            .ok()
            .and_then(|value| self.values.checked_shr(value))
            .is_some_and(|bits| bits & 1 == 1)
    }

    /// Whether the field begins with anything but `*`.
    pub(super) fn is_restricted(self) -> bool {
        self.is_restricted
    }

    fn parse(text: &str, kind: Kind) -> Result<Self, String> {
        let mut values: u64 = 0;
        for part in text.split(',') {
            values |= kind.part(part)?;
        }
        Ok(Self {
            values,
            is_restricted: !text.starts_with('*'),
        })
    }
}

impl Kind {
    /// The values of one part of a list.
    fn part(self, part: &str) -> Result<u64, String> {
        let (span, step) = match part.split_once('/') {
            Some((span, step)) => (span, Some(self.step(step)?)),
            None => (part, None),
        };
        let (first, last) = match span.split_once('-') {
            _ if span == "*" => (self.first, self.last),
            Some((first, last)) => {
                let first = self.value(first)?;
                (first, self.range_end(first, last)?)
            }
            None if step.is_some() => {
                return Err(format!(
                    "has a step in its {} that needs `*` or a range before the slash",
                    self.name
                ));
            }
            None => {
                let value = self.value(span)?;
                (value, value)
            }
        };
        if first > last {
            return Err(format!(
                "has a range in its {} that ends before it begins",
                self.name
            ));
        }
        let step = usize::from(step.unwrap_or(1));
        let bits = (first..=last).step_by(step.max(1));
        Ok(bits.fold(0u64, |values, value| values | (1u64 << (value & 63))))
    }

    fn step(self, digits: &str) -> Result<u8, String> {
        number(digits).filter(|step| *step >= 1).ok_or_else(|| {
            format!(
                "has a step in its {} that is not a number from 1 on",
                self.name
            )
        })
    }

    /// The end of a range, where Sunday after another day is the end of the week.
    fn range_end(self, first: u8, text: &str) -> Result<u8, String> {
        match self.value(text)? {
            0 if first > 0 && self.last == WEEKDAY.last => Ok(self.last),
            value => Ok(value),
        }
    }

    fn value(self, text: &str) -> Result<u8, String> {
        let named = (self.first..=self.last)
            .zip(self.names)
            .find(|(_, name)| name.eq_ignore_ascii_case(text))
            .map(|(value, _)| value);
        named
            .or_else(|| number(text))
            .filter(|value| (self.first..=self.last).contains(value))
            .ok_or_else(|| {
                format!(
                    "has a value in its {} that is not one of {} to {}",
                    self.name, self.first, self.last
                )
            })
    }
}

/// A number of plain digits; `parse` alone would take a plus sign.
fn number(digits: &str) -> Option<u8> {
    let is_plain = digits.chars().all(|c| c.is_ascii_digit());
    digits.parse().ok().filter(|_| is_plain)
}

const MINUTE: Kind = Kind {
    name: "minute",
    first: 0,
    last: 59,
    names: &[],
};
const HOUR: Kind = Kind {
    name: "hour",
    first: 0,
    last: 23,
    names: &[],
};
const DAY: Kind = Kind {
    name: "day of the month",
    first: 1,
    last: 31,
    names: &[],
};
const MONTH: Kind = Kind {
    name: "month",
    first: 1,
    last: 12,
    names: &[
        "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
    ],
};
const WEEKDAY: Kind = Kind {
    name: "day of the week",
    first: 0,
    last: 7,
    names: &["sun", "mon", "tue", "wed", "thu", "fri", "sat"],
};
