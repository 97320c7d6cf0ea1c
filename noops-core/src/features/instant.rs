//! Instants as whole microseconds since the epoch.

use arrow_array::cast::AsArray;
use arrow_array::types::{
    TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType,
    TimestampSecondType,
};
use arrow_array::{
    Array, ArrowPrimitiveType, PrimitiveArray, RecordBatch, TimestampMicrosecondArray,
};
use arrow_schema::{DataType, TimeUnit};
use jiff::Timestamp;

use crate::error::{Error, ErrorKind};

/// The last whole microsecond not after an instant.
pub(crate) fn micros_down(at: Timestamp) -> i64 {
    // A timestamp has at most 2.6e11 seconds, so neither step can overflow.
    at.as_second()
        .saturating_mul(MICROS_PER_SECOND)
        .saturating_add(i64::from(at.subsec_nanosecond().div_euclid(1_000)))
}

/// The first whole microsecond not before an instant.
pub(crate) fn micros_up(at: Timestamp) -> i64 {
    let partial = at.subsec_nanosecond().rem_euclid(1_000) != 0;
    micros_down(at).saturating_add(i64::from(partial))
}

/// The instant of a microsecond that [`microseconds`] let through.
pub(crate) fn instant(micros: i64, operation: &'static str) -> Result<Timestamp, Error> {
    // `Timestamp::from_microsecond` does not know the last second of time.
    let seconds = micros.div_euclid(MICROS_PER_SECOND);
    let rest = micros.rem_euclid(MICROS_PER_SECOND) as i32;
    Timestamp::new(seconds, rest * 1_000).map_err(|source| {
        let message = "an instant lies outside the years -9999 to 9999";
        Error::new(ErrorKind::Invalid, operation, message)
            .with("microseconds", micros)
            .caused_by(source)
    })
}

/// Why a column does not hold instants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoInstants {
    /// It is no timestamps.
    Type,
    /// The timestamp of a row is out of range.
    OutOfRange(usize),
}

impl NoInstants {
    pub(crate) fn message(self) -> &'static str {
        match self {
            Self::Type => "a column is not a timestamp; cast it to one",
            Self::OutOfRange(_) => "an instant lies outside the years -9999 to 9999",
        }
    }
}

/// A timestamp column of any unit and timezone as microseconds, rounded up: what is known a little later than it was can never leak.
/// Timestamps without a timezone are UTC; nulls stay.
pub(crate) fn microseconds(column: &dyn Array) -> Result<TimestampMicrosecondArray, NoInstants> {
    let DataType::Timestamp(unit, _) = column.data_type() else {
        return Err(NoInstants::Type);
    };
    let times = match unit {
        TimeUnit::Second => convert(
            column.as_primitive_opt::<TimestampSecondType>(),
            |value: i64| value.checked_mul(MICROS_PER_SECOND),
        ),
        TimeUnit::Millisecond => convert(
            column.as_primitive_opt::<TimestampMillisecondType>(),
            |value: i64| value.checked_mul(1_000),
        ),
        TimeUnit::Microsecond => {
            convert(column.as_primitive_opt::<TimestampMicrosecondType>(), Some)
        }
        TimeUnit::Nanosecond => convert(
            column.as_primitive_opt::<TimestampNanosecondType>(),
            |value: i64| {
                let partial = value.rem_euclid(1_000) != 0;
                value.div_euclid(1_000).checked_add(i64::from(partial))
            },
        ),
    };
    Ok(times?.with_timezone("UTC"))
}

/// The [`microseconds`] of a column that must not have nulls.
pub(crate) fn read_micros(
    batch: &RecordBatch,
    name: &str,
    operation: &'static str,
) -> Result<Vec<i64>, Error> {
    let refused =
        |message: &str| Error::new(ErrorKind::Invalid, operation, message).with("column", name);
    let column = batch
        .column_by_name(name)
        .ok_or_else(|| refused("a column is missing"))?;
    let times = microseconds(column.as_ref()).map_err(|no_instants| {
        let error = refused(no_instants.message());
        match no_instants {
            NoInstants::Type => error.with("type", column.data_type()),
            NoInstants::OutOfRange(row) => error.with("row", row),
        }
    })?;
    let nulls = times.nulls().filter(|nulls| nulls.null_count() > 0);
    if let Some(row) = nulls.and_then(|nulls| (0..nulls.len()).find(|row| nulls.is_null(*row))) {
        return Err(refused("a feature row has no instant; fill it in").with("row", row));
    }
    Ok(times.values().to_vec())
}

/// The converted values, or the first that does not fit.
fn convert<T: ArrowPrimitiveType<Native = i64>>(
    column: Option<&PrimitiveArray<T>>,
    to_micros: impl Fn(i64) -> Option<i64>,
) -> Result<TimestampMicrosecondArray, NoInstants> {
    let column = column.ok_or(NoInstants::Type)?;
    let possible = micros_up(Timestamp::MIN)..=micros_down(Timestamp::MAX);
    let fitting = |value: i64| to_micros(value).filter(|micros| possible.contains(micros));
    let converted: Result<TimestampMicrosecondArray, ()> =
        column.try_unary(|value: i64| fitting(value).ok_or(()));
    converted.map_err(|()| {
        let unfit = |value: Option<i64>| value.is_some_and(|value| fitting(value).is_none());
        NoInstants::OutOfRange(column.iter().position(unfit).unwrap_or_default())
    })
}

const MICROS_PER_SECOND: i64 = 1_000_000;

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::{
        ArrayRef, Int64Array, TimestampMillisecondArray, TimestampNanosecondArray,
        TimestampSecondArray,
    };
    use arrow_buffer::NullBuffer;

    use super::*;

    fn read(column: ArrayRef) -> Result<Vec<i64>, Error> {
        let batch = RecordBatch::try_from_iter([("t", column)]).unwrap();
        read_micros(&batch, "t", "test")
    }

    #[test]
    fn asked_times_round_down_and_rows_round_up() {
        for (nanosecond, down, up) in [
            (0_i128, 0, 0),
            (1, 0, 1),
            (999, 0, 1),
            (1_000, 1, 1),
            (-1, -1, 0),
            (-1_000, -1, -1),
            (-1_001, -2, -1),
            (-1_000_000_001, -1_000_001, -1_000_000),
        ] {
            let at = Timestamp::from_nanosecond(nanosecond).unwrap();
            assert_eq!((micros_down(at), micros_up(at)), (down, up), "{nanosecond}");
            let column = TimestampNanosecondArray::from(vec![nanosecond as i64]);
            assert_eq!(read(Arc::new(column)).unwrap(), [up]);
        }
    }

    #[test]
    fn every_unit_and_timezone_is_the_same_instant() {
        let columns: [ArrayRef; 5] = [
            Arc::new(TimestampSecondArray::from(vec![7])),
            Arc::new(TimestampMillisecondArray::from(vec![7_000]).with_timezone("UTC")),
            Arc::new(TimestampMicrosecondArray::from(vec![7_000_000]).with_timezone("+02:00")),
            Arc::new(TimestampMicrosecondArray::from(vec![7_000_000])),
            Arc::new(TimestampNanosecondArray::from(vec![7_000_000_000])),
        ];
        for column in columns {
            assert_eq!(read(column).unwrap(), [7_000_000]);
        }
    }

    #[test]
    fn what_is_no_instant_is_refused_by_row() {
        let columns: [ArrayRef; 5] = [
            Arc::new(TimestampSecondArray::from(vec![0, i64::MAX])),
            Arc::new(TimestampMillisecondArray::from(vec![0, i64::MIN])),
            Arc::new(TimestampMicrosecondArray::from(vec![0, i64::MIN])),
            Arc::new(TimestampMicrosecondArray::from(vec![0, i64::MAX])),
            Arc::new(TimestampMicrosecondArray::from(vec![Some(0), None])),
        ];
        for column in columns {
            let error = read(column).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Invalid);
            assert!(error.to_string().contains("row `1`"), "{error}");
        }
        let number = read(Arc::new(Int64Array::from(vec![0]))).unwrap_err();
        assert!(number.to_string().contains("column `t`"), "{number}");
    }

    #[test]
    fn nulls_stay_and_what_lies_behind_them_is_not_read() {
        let nulls = NullBuffer::from(vec![true, false]);
        let column = TimestampSecondArray::new(vec![7, i64::MAX].into(), Some(nulls));
        let times = microseconds(&column).unwrap();
        let expected = TimestampMicrosecondArray::from(vec![Some(7_000_000), None]);
        assert_eq!(times, expected.with_timezone("UTC"));
    }

    #[test]
    fn the_ends_of_time_survive_the_round_trip() {
        for at in [Timestamp::MIN, Timestamp::MAX] {
            assert!(instant(micros_down(at).max(micros_up(Timestamp::MIN)), "test").is_ok());
        }
    }
}
