/// The rows of the inverse of a square matrix given by its columns, by Gauss–Jordan elimination with row pivots; nothing when a pivot vanishes.
pub(super) fn inverse(columns: &[Vec<f64>]) -> Option<Vec<Vec<f64>>> {
    let size = columns.len();
    let mut rows: Vec<Vec<f64>> = Vec::with_capacity(size);
    for row in 0..size {
        let mut augmented = Vec::with_capacity(2 * size);
        for column in columns {
            augmented.push(*column.get(row)?);
        }
        augmented.extend((0..size).map(|at| if at == row { 1.0 } else { 0.0 }));
        rows.push(augmented);
    }
    for column in 0..size {
        let (pivot, _) = rows
            .iter()
            .enumerate()
            .skip(column)
            .filter_map(|(at, row)| Some((at, row.get(column)?.abs())))
            .max_by(|a, b| a.1.total_cmp(&b.1))?;
        rows.swap(column, pivot);
        let mut lead = rows.get(column)?.clone();
        let scale = *lead.get(column)?;
        if scale.is_nan() || scale.abs() < VANISHED {
            return None;
        }
        lead.iter_mut().for_each(|entry| *entry /= scale);
        for (at, row) in rows.iter_mut().enumerate() {
            if at == column {
                row.clone_from(&lead);
                continue;
            }
            let factor = *row.get(column)?;
            for (entry, lead) in row.iter_mut().zip(&lead) {
                *entry -= factor * lead;
            }
        }
    }
    Some(
        rows.into_iter()
            .map(|row| row.into_iter().skip(size).collect())
            .collect(),
    )
}

/// Entries are shares, so anything this small is rounding.
const VANISHED: f64 = 1e-13;
