use super::cells::Cells;
use super::delta::DeltaLaw;
use super::null_law::NullLaw;
use super::reading::{Over, Reading};
use crate::statistic::comparison::{Comparison, Measured};
use crate::statistic::settings::TestSettings;

/// A distance of two rows of shares that is a sum over cells, zero for equal shares and smooth around them.
///
/// Any such distance D is (p − q)²/p times a constant near equality, so [`curvature`](Self::curvature) · n̂ · D with
/// n̂ = nm/(n + m) is chi-square while nothing has drifted, and one engine calibrates them all.
pub(super) trait Divergence {
    /// What one cell adds; never negative. Shares are not negative, and positive where there is smoothing.
    fn cell(&self, p: f64, q: f64) -> f64;

    /// The derivative of the distance by a reference share. Both shares are positive.
    fn by_reference(&self, p: f64, q: f64) -> f64;

    /// The derivative of the distance by a current share. Both shares are positive.
    fn by_current(&self, p: f64, q: f64) -> f64;

    /// What turns the distance, times n̂, into a chi-square statistic.
    fn curvature(&self) -> f64;

    /// The distance of rows that share no cell.
    fn largest(&self) -> f64 {
        f64::INFINITY
    }

    /// Rows added to every cell of both sides.
    fn smoothing(&self) -> f64 {
        0.0
    }

    /// The law without drift.
    fn null_law(&self, cells: &Cells) -> NullLaw
    where
        Self: Sized,
    {
        NullLaw::matched(cells, self)
    }

    /// The distance of these pairs of shares.
    fn total(&self, shares: &[(f64, f64)]) -> f64 {
        shares.iter().map(|(p, q)| self.cell(*p, *q)).sum()
    }
}

/// Tests whether the distance of two rows of counts exceeds the tolerance of the settings.
///
/// The verdict is about the cells with thin ones joined. With a tolerance the p-value is the larger of the tail of the
/// non-central law and that of the delta method, and the critical value is the larger of both.
pub(super) fn compare(
    cells: &Cells,
    divergence: &impl Divergence,
    reading: &Reading,
    settings: &TestSettings,
) -> Comparison {
    let size = cells.effective_size();
    if size <= 0.0 {
        return Comparison::blind(reading.method, cells.n_reference, cells.n_current);
    }
    let tested = divergence.total(&cells.tested_shares(divergence.smoothing()));
    let reported = match reading.over {
        Over::Given => divergence.total(&cells.given_shares()),
        Over::Tested => tested,
    };
    let statistic = reading
        .scale
        .statistic(reported.max(0.0).min(divergence.largest()));
    if !cells.testable() {
        return Comparison::untested(
            reading.method,
            cells.n_reference,
            cells.n_current,
            statistic,
        );
    }
    let alpha = settings.alpha().get();
    let rate = divergence.curvature() * size;
    let tolerance = reading.scale.divergence(settings.tolerance());
    let law = divergence.null_law(cells);
    let mut p_value = law.sf(tested * rate, tolerance * rate);
    let mut critical = law.upper_quantile(alpha, tolerance * rate) / rate;
    if tolerance > 0.0 {
        let delta = DeltaLaw::new(divergence, cells, law.mean() / rate);
        p_value = p_value.max(delta.p_value(tested, tolerance));
        critical = critical.max(delta.critical(alpha, tolerance));
    }
    let visible = law.noncentrality_for_power(critical * rate) / rate;
    let measured = Measured {
        statistic,
        p_value,
        critical: Some(reading.scale.statistic(critical)),
        visible_from: Some(visible)
            .filter(|visible| *visible <= divergence.largest())
            .map(|visible| reading.scale.statistic(visible)),
    };
    let relevant = reading
        .scale
        .statistic(RELEVANT_STABILITY_INDEX / divergence.curvature());
    Comparison::judge(
        reading.method,
        cells.n_reference,
        cells.n_current,
        measured,
        settings.alpha(),
        settings.relevant_or(relevant),
    )
    .with_degrees_of_freedom(cells.degrees_of_freedom())
}

/// What "no drift" must rule out unless a setting says otherwise: a PSI of 0.25, and for the other distances whatever a
/// small shift of that PSI is for them.
const RELEVANT_STABILITY_INDEX: f64 = 0.25;
