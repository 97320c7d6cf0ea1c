use crate::error::DriftError;
use noops_stats::SortedSample;
use noops_stats::two_sample::walk;

/// The gaps between neighbouring values of two samples pooled, and how far apart the distribution functions stand over them:
/// what the area and the energy between two samples are sums of.
#[derive(Clone, Debug)]
pub(crate) struct Spans {
    /// ∫ |F − G| dx and ∫ (F − G)² dx.
    pub(crate) whole: Norms,
    /// The same over the gaps that have enough rows of both samples' mass on both sides, see [`thick_from`].
    pub(crate) thick: Norms,
    cells: Vec<Cell>,
}

/// Integrals of the distance of two distribution functions.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Norms {
    pub(crate) area: f64,
    pub(crate) square: f64,
}

/// Neighbouring gaps joined: their width and their mean levels.
#[derive(Clone, Debug, Default)]
pub(crate) struct Levels {
    pub(crate) widths: Vec<f64>,
    pub(crate) pooled: Vec<f64>,
    pub(crate) reference: Vec<f64>,
    pub(crate) current: Vec<f64>,
}

impl Spans {
    /// Walks two samples that are not empty.
    pub(crate) fn between(
        reference: &SortedSample,
        current: &SortedSample,
    ) -> Result<Self, DriftError> {
        let n = reference.len() as f64;
        let m = current.len() as f64;
        let pooled = n + m;
        let thin = thick_from(n.min(m));
        let mut boundaries = boundaries(thin).into_iter().peekable();
        let mut spans = Self {
            whole: Norms::default(),
            thick: Norms::default(),
            cells: Vec::new(),
        };
        let mut cell = Cell::default();
        let mut before: Option<f64> = None;
        let mut f = 0.0;
        let mut g = 0.0;
        let mut level = 0.0;
        walk(reference, current, |step| {
            if let Some(before) = before {
                let width = step.value - before;
                // A boundary that is passed closes the cell before it.
                while boundaries.next_if(|next| level >= *next).is_some() {
                    if cell.width > 0.0 {
                        spans.cells.push(cell);
                        cell = Cell::default();
                    }
                }
                let distance: f64 = f - g;
                let area = width * distance.abs();
                let square = width * distance * distance;
                spans.whole.area += area;
                spans.whole.square += square;
                let is_thick = level >= thin && level < 1.0 - thin;
                if is_thick {
                    spans.thick.area += area;
                    spans.thick.square += square;
                }
                cell.width += width;
                cell.pooled += width * level;
                cell.reference += width * f;
                cell.current += width * g;
                cell.is_thick = is_thick;
            }
            before = Some(step.value);
            f = step.passed_reference as f64 / n;
            g = step.passed_current as f64 / m;
            level = (step.passed_reference + step.passed_current) as f64 / pooled;
        });
        if cell.width > 0.0 {
            spans.cells.push(cell);
        }
        let total: f64 = spans.cells.iter().map(|cell| cell.width).sum();
        if total.is_finite() {
            Ok(spans)
        } else {
            Err(DriftError::InvalidInput {
                input: "reference and current",
                reason: "have no finite width; leave out infinite values or use a rank test"
                    .to_owned(),
            })
        }
    }

    /// Whether all values of both samples are the same.
    pub(crate) fn is_empty(&self) -> bool {
        self.cells.is_empty()
    }

    /// All joined spans.
    pub(crate) fn levels(&self) -> Levels {
        Levels::of(self.cells.iter())
    }

    /// The joined gaps that [`Spans::thick`] is taken over.
    pub(crate) fn thick_levels(&self) -> Levels {
        Levels::of(self.cells.iter().filter(|cell| cell.is_thick))
    }
}

impl Levels {
    fn of<'a>(cells: impl Iterator<Item = &'a Cell>) -> Self {
        let mut levels = Self::default();
        for cell in cells {
            // A width below the smallest normal number may lose its products; its level then counts as 0.
            let share = |sum: f64| (sum / cell.width).clamp(0.0, 1.0);
            levels.widths.push(cell.width);
            levels.pooled.push(share(cell.pooled));
            levels.reference.push(share(cell.reference));
            levels.current.push(share(cell.current));
        }
        levels
    }
}

#[derive(Clone, Copy, Debug, Default)]
struct Cell {
    width: f64,
    pooled: f64,
    reference: f64,
    current: f64,
    is_thick: bool,
}

/// The pooled level from which, up to its mirror image, a gap counts as thick: five rows of the smaller sample on each side,
/// or a quarter of them.
///
/// Beyond it a sum of gaps may hang on a handful of extreme rows, and no Gaussian law holds: when the smaller sample has a
/// tenth of the rows, one pooled extreme in ten is its, and then stands three deviations away.
fn thick_from(smaller: f64) -> f64 {
    (THIN_ROWS / smaller).min(0.25)
}

/// Levels at which gaps are no longer joined: equal steps of asin √u, which are fine in the tails, and the ends of what is
/// thick.
fn boundaries(thin: f64) -> Vec<f64> {
    let mut levels: Vec<f64> = (1..CELLS)
        .map(|i| {
            let angle = std::f64::consts::FRAC_PI_2 * f64::from(i) / f64::from(CELLS);
            angle.sin() * angle.sin()
        })
        .chain([thin, 1.0 - thin])
        .collect();
    levels.sort_unstable_by(f64::total_cmp);
    levels
}

const CELLS: u32 = 126;
const THIN_ROWS: f64 = 5.0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn joined_gaps_keep_their_width_and_stay_few() {
        let values: Vec<f64> = (0..5_000).map(|i| f64::from(i).sqrt()).collect();
        let sample = SortedSample::new(&values);
        let spans = Spans::between(&sample, &sample).unwrap();
        let levels = spans.levels();
        let width: f64 = levels.widths.iter().sum();
        assert!((width - 4_999_f64.sqrt()).abs() < 1e-9);
        assert!(levels.widths.len() <= 128);
        assert_eq!(spans.whole, Norms::default());
        assert!(levels.pooled.windows(2).all(|pair| pair[0] < pair[1]));
    }

    #[test]
    fn extremes_of_a_few_rows_are_not_thick() {
        let one = SortedSample::new(&(0..100).map(f64::from).collect::<Vec<_>>());
        let mut moved: Vec<f64> = (0..100).map(f64::from).collect();
        moved[99] = 1e6;
        let spans = Spans::between(&one, &SortedSample::new(&moved)).unwrap();
        assert!(spans.whole.area > 9_000.0);
        assert!(spans.thick.area < 1e-9);
    }

    #[test]
    fn infinite_values_are_refused() {
        let one = SortedSample::new(&[0.0, 1.0]);
        for odd in [f64::INFINITY, f64::NEG_INFINITY] {
            assert!(Spans::between(&one, &SortedSample::new(&[0.0, odd])).is_err());
        }
        assert!(
            Spans::between(
                &SortedSample::new(&[-1.7e308]),
                &SortedSample::new(&[1.7e308])
            )
            .is_err()
        );
    }
}
