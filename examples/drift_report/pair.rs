//! Two columns of one name: whether they mean the same, and the types in which they can be compared.

use arrow_schema::{DataType, TimeUnit};

use crate::frame::{Meaning, readable};

/// The types that a column of two files is handed on as; nothing when its values do not mean the same.
///
/// Instants, times and durations of different units are brought to one, since they are compared as counts of it.
pub(crate) fn readable_pair(reference: &DataType, current: &DataType) -> Option<[DataType; 2]> {
    let (meant, means) = (Meaning::of(reference)?, Meaning::of(current)?);
    let [first, second] = [readable(reference)?, readable(current)?];
    if meant == Meaning::Nothing {
        return Some([second.clone(), second]);
    }
    if means == Meaning::Nothing {
        return Some([first.clone(), first]);
    }
    if meant != means {
        return None;
    }
    let one_unit = |unit: DataType| {
        if first == second {
            Some([first.clone(), second.clone()])
        } else {
            Some([unit.clone(), unit])
        }
    };
    match meant {
        Meaning::Instant => one_unit(DataType::Timestamp(
            TimeUnit::Microsecond,
            Some("+00:00".into()),
        )),
        Meaning::TimeOfDay => one_unit(DataType::Time64(TimeUnit::Nanosecond)),
        Meaning::Duration => one_unit(DataType::Duration(TimeUnit::Microsecond)),
        Meaning::Number | Meaning::Text | Meaning::Nothing => Some([first, second]),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::cast::AsArray;
    use arrow_array::types::TimestampMicrosecondType;
    use arrow_array::{Array, ArrayRef, Date32Array, TimestampMillisecondArray};
    use arrow_cast::cast;

    use super::*;

    #[test]
    fn instants_of_two_units_get_one() {
        let day: ArrayRef = Arc::new(Date32Array::from(vec![Some(1), None]));
        let stamp: ArrayRef = Arc::new(TimestampMillisecondArray::from(vec![86_400_000]));
        let zoned: ArrayRef =
            Arc::new(TimestampMillisecondArray::from(vec![86_400_000]).with_timezone("+02:00"));
        for other in [stamp, zoned] {
            let [one, two] = readable_pair(day.data_type(), other.data_type()).unwrap();
            for array in [cast(&day, &one).unwrap(), cast(&other, &two).unwrap()] {
                let micros = array.as_primitive::<TimestampMicrosecondType>();
                assert_eq!(micros.value(0), 86_400_000_000);
            }
        }
    }

    #[test]
    fn a_column_of_nulls_fits_any_other() {
        assert_eq!(
            readable_pair(&DataType::Null, &DataType::Utf8),
            Some([DataType::Utf8, DataType::Utf8])
        );
        assert_eq!(
            readable_pair(&DataType::Null, &DataType::Null),
            Some([DataType::Float64, DataType::Float64])
        );
    }

    #[test]
    fn numbers_and_texts_are_not_compared() {
        assert_eq!(readable_pair(&DataType::Int64, &DataType::Utf8), None);
        assert_eq!(readable_pair(&DataType::Date32, &DataType::Int64), None);
        let list = DataType::new_list(DataType::Int64, true);
        assert_eq!(readable_pair(&list, &list), None);
        assert!(readable_pair(&DataType::Int8, &DataType::Decimal128(9, 2)).is_some());
    }
}
