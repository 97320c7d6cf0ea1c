use arrow_schema::{DataType, TimeUnit};

/// What one stands for in a column of dates, times or durations; nothing for plain numbers and for texts.
pub(crate) fn unit(data_type: &DataType) -> Option<&'static str> {
    match data_type {
        DataType::Date32 => Some("date in days"),
        DataType::Date64 => Some("date in milliseconds"),
        DataType::Time32(unit) | DataType::Time64(unit) => Some(match unit {
            TimeUnit::Second => "time in seconds",
            TimeUnit::Millisecond => "time in milliseconds",
            TimeUnit::Microsecond => "time in microseconds",
            TimeUnit::Nanosecond => "time in nanoseconds",
        }),
        DataType::Timestamp(unit, _) => Some(match unit {
            TimeUnit::Second => "timestamp in seconds",
            TimeUnit::Millisecond => "timestamp in milliseconds",
            TimeUnit::Microsecond => "timestamp in microseconds",
            TimeUnit::Nanosecond => "timestamp in nanoseconds",
        }),
        DataType::Duration(unit) => Some(match unit {
            TimeUnit::Second => "duration in seconds",
            TimeUnit::Millisecond => "duration in milliseconds",
            TimeUnit::Microsecond => "duration in microseconds",
            TimeUnit::Nanosecond => "duration in nanoseconds",
        }),
        _ => None,
    }
}

/// The unit of types by their names; all that a profile has been learned from have one at most.
pub(crate) fn unit_of_names<'a>(
    names: impl IntoIterator<Item = &'a String>,
) -> Option<&'static str> {
    names
        .into_iter()
        .find_map(|name| unit(&name.parse::<DataType>().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unit_is_known_by_the_name_of_its_type_too() {
        let zone = Some("Europe/Vienna".into());
        for data_type in [
            DataType::Date32,
            DataType::Date64,
            DataType::Time32(TimeUnit::Second),
            DataType::Time64(TimeUnit::Nanosecond),
            DataType::Timestamp(TimeUnit::Microsecond, None),
            DataType::Timestamp(TimeUnit::Millisecond, zone),
            DataType::Duration(TimeUnit::Second),
        ] {
            let name = data_type.to_string();
            assert!(unit(&data_type).is_some(), "{name}");
            assert_eq!(unit_of_names([&name]), unit(&data_type), "{name}");
        }
        assert_eq!(
            unit_of_names([&"Int64".to_owned(), &"no type".to_owned()]),
            None
        );
    }
}
