//! What is measured about a candidate, and the gate in Rust.

/// The facts of the gate.
#[derive(Clone, Copy)]
pub(crate) struct Measured {
    pub(crate) cand_auc: f64,
    pub(crate) champ_auc: f64,
    pub(crate) psi: f64,
    pub(crate) n: i64,
    pub(crate) burn_1h: f64,
    pub(crate) burn_5m: f64,
    pub(crate) mtd: f64,
    pub(crate) budget: f64,
    pub(crate) env: &'static str,
}

impl Measured {
    /// Facts that open the gate after every clause and every part of one was looked at.
    pub(crate) fn good() -> Self {
        Self {
            cand_auc: 0.741,
            champ_auc: 0.738,
            psi: 0.04,
            n: 25_000,
            burn_1h: 20.0,
            burn_5m: 0.7,
            mtd: 4_200.0,
            budget: 10_000.0,
            env: "staging",
        }
    }

    /// Facts that close it.
    pub(crate) fn drifted() -> Self {
        Self {
            psi: 0.31,
            ..Self::good()
        }
    }

    pub(crate) fn is_allowed(&self) -> bool {
        self.cand_auc >= self.champ_auc - 0.005
            && self.psi < 0.2
            && self.n >= 1000
            && !(self.burn_1h > 14.4 && self.burn_5m > 14.4)
            && self.mtd < self.budget * 0.9
            && ["prod", "staging"].contains(&self.env)
    }

    /// The floating point numbers by name.
    pub(crate) fn doubles(&self) -> [(&'static str, f64); 7] {
        [
            ("cand_auc", self.cand_auc),
            ("champ_auc", self.champ_auc),
            ("psi", self.psi),
            ("burn_1h", self.burn_1h),
            ("burn_5m", self.burn_5m),
            ("mtd", self.mtd),
            ("budget", self.budget),
        ]
    }
}

/// The gate in CEL, which three of the engines read.
pub(crate) const CONDITION: &str = "cand_auc >= champ_auc - 0.005 && psi < 0.2 && n >= 1000 && !(burn_1h > 14.4 && burn_5m > 14.4) && mtd < budget * 0.9 && env in [\"prod\", \"staging\"]";
pub(crate) const CLAUSES: usize = 6;
