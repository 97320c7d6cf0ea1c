//! Views of `ndarray`, whose columns lie strided in memory mostly.

use std::borrow::Cow;

use ndarray::ArrayView2;

use crate::error::DriftError;

/// The columns of a view, copied unless they are contiguous.
pub(crate) fn columns(
    rows: ArrayView2<'_, f64>,
    expected: usize,
) -> Result<Vec<Cow<'_, [f64]>>, DriftError> {
    if rows.ncols() != expected {
        return Err(DriftError::InvalidInput {
            input: "array",
            reason: format!(
                "has `{}` columns where `{expected}` are expected",
                rows.ncols()
            ),
        });
    }
    let columns = (0..rows.ncols()).map(|index| {
        let column = rows.index_axis_move(ndarray::Axis(1), index);
        match column.to_slice() {
            Some(values) => Cow::Borrowed(values),
            None => Cow::Owned(column.to_vec()),
        }
    });
    Ok(columns.collect())
}

#[cfg(test)]
mod tests {
    use ndarray::Array2;

    use super::*;
    use crate::{Counts, Matrix, Profile, ProfileBuilder, ProfileSettings};

    fn rows(many: usize) -> Array2<f64> {
        Array2::from_shape_fn((many, 2), |(row, column)| (row * (column + 1) % 17) as f64)
    }

    fn profile() -> Profile {
        let mut builder = ProfileBuilder::new(ProfileSettings::default());
        builder
            .observe_array(&["a", "b"], rows(100).view())
            .unwrap();
        builder.finish().unwrap()
    }

    #[test]
    fn rows_in_either_memory_order_are_counted_alike() {
        let profile = profile();
        let by_row = rows(50);
        let by_column = by_row.t().as_standard_layout().to_owned();
        let mut counts = [Counts::new(&profile), Counts::new(&profile)];
        counts[0].observe_array(&profile, by_row.view()).unwrap();
        counts[1].observe_array(&profile, by_column.t()).unwrap();
        assert_eq!(counts[0], counts[1]);
        assert_eq!(counts[0].rows(), 50);
        assert_eq!(
            Matrix::from_array(by_row.view()),
            Matrix::from_array(by_column.t())
        );
    }

    #[test]
    fn another_number_of_columns_is_refused_and_nothing_is_counted() {
        let profile = profile();
        let mut counts = Counts::new(&profile);
        let narrow = Array2::<f64>::zeros((3, 1));
        assert!(matches!(
            counts.observe_array(&profile, narrow.view()),
            Err(DriftError::InvalidInput { .. })
        ));
        assert_eq!(counts, Counts::new(&profile));
    }

    #[test]
    fn columns_of_other_names_are_refused() {
        let mut builder = ProfileBuilder::new(ProfileSettings::default());
        builder.observe_array(&["a", "b"], rows(10).view()).unwrap();
        let before = builder.clone();
        assert!(builder.observe_array(&["b", "a"], rows(10).view()).is_err());
        assert!(builder.observe_array(&["a", "c"], rows(10).view()).is_err());
        assert!(builder.observe_array(&["a", "a"], rows(10).view()).is_err());
        assert_eq!(builder, before);
    }
}
