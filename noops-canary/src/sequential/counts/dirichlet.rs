use libm::log;
use noops_stats::special::{deviance_term, gamma_remainder};

/// A Dirichlet prior with its mean at the null hypothesis, ready to be weighed against counts.
///
/// # Formula
///
/// ln of B(k p + x) / B(k p) / Π p_i^x_i, the marginal likelihood of the counts x over their likelihood under p. With Stirling's
/// formula taken apart, what remains is a deviance and differences of small terms, so that the result keeps its digits
/// where ln B is a billion times larger than it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Dirichlet {
    concentration: f64,
    constant: f64,
}

impl Dirichlet {
    /// `null` holds the probabilities of the cells, all above zero and one in sum.
    pub(crate) fn new(concentration: f64, null: impl Iterator<Item = f64>) -> Self {
        let cells: f64 = null
            .map(|p| {
                let shape = concentration * p;
                0.5 * log(shape) - gamma_remainder(shape)
            })
            .sum();
        Self {
            concentration,
            constant: cells - 0.5 * log(concentration) + gamma_remainder(concentration),
        }
    }

    pub(crate) fn concentration(self) -> f64 {
        self.concentration
    }

    /// The log e-value of counts; each cell is its count and its probability under the null hypothesis.
    pub(crate) fn log_e(self, cells: impl Iterator<Item = Cell> + Clone) -> f64 {
        let n: f64 = cells.clone().map(|cell| cell.count).sum();
        if n <= 0.0 {
            return 0.0;
        }
        let total = n + self.concentration;
        let sum: f64 = cells
            .map(|cell| {
                let shape = self.concentration * cell.null + cell.count;
                deviance_term(shape, total * cell.null, cell.count - n * cell.null)
                    + (gamma_remainder(shape) - 0.5 * log(shape))
            })
            .sum();
        sum + (0.5 * log(total) - gamma_remainder(total)) + self.constant
    }
}

/// A count and its probability under the null hypothesis.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cell {
    pub(crate) count: f64,
    pub(crate) null: f64,
}
