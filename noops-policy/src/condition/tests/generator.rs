use noops_stats::SplitMix64;

/// Writes random well-typed conditions and parts of them.
pub(super) struct Generator {
    random: SplitMix64,
}

impl Generator {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            random: SplitMix64(seed),
        }
    }

    pub(super) fn below(&mut self, n: usize) -> usize {
        self.random.below(n)
    }

    fn one_of<'a>(&mut self, words: &[&'a str]) -> &'a str {
        let index = self.below(words.len());
        words[index]
    }

    pub(super) fn condition(&mut self, depth: usize) -> String {
        if depth == 0 || self.below(3) == 0 {
            return self.clause(depth.min(2));
        }
        let a = self.condition(depth - 1);
        match self.below(7) {
            0 | 1 => format!("({a} && {})", self.condition(depth - 1)),
            2 | 3 => format!("({a} || {})", self.condition(depth - 1)),
            4 => format!("!({a})"),
            5 => {
                let b = self.condition(depth - 1);
                format!("({a} ? {b} : {})", self.condition(depth - 1))
            }
            _ => format!(
                "({a} && {} && {})",
                self.clause(0),
                self.condition(depth - 1)
            ),
        }
    }

    fn clause(&mut self, depth: usize) -> String {
        const ORDERS: [&str; 4] = ["<", "<=", ">", ">="];
        const EQUALITIES: [&str; 2] = ["==", "!="];
        const ALL: [&str; 6] = ["<", "<=", ">", ">=", "==", "!="];
        match self.below(14) {
            0 => self.one_of(&["flag.on", "flag.off"]).to_owned(),
            1 => format!("env {} {}", self.one_of(&EQUALITIES), self.text()),
            2 => format!("env in [{}, {}]", self.text(), self.text()),
            3 => format!("{} in [2, -1, 0]", self.int(depth)),
            4 | 5 => {
                let orders = ORDERS;
                format!(
                    "{} {} {}",
                    self.double(depth),
                    self.one_of(&orders),
                    self.double(depth)
                )
            }
            6 | 7 => format!(
                "{} {} {}",
                self.int(depth),
                self.one_of(&ALL),
                self.int(depth)
            ),
            8 => format!(
                "{} {} {}",
                self.double(depth),
                self.one_of(&ORDERS),
                self.int(depth)
            ),
            9 => {
                let list = self.one_of(&["all", "exists", "exists_one"]);
                format!(
                    "scores.{list}(x, x {} {})",
                    self.one_of(&ORDERS),
                    self.double(0)
                )
            }
            10 => format!("tags.exists(t, t == {})", self.text()),
            11 => format!("env.startsWith({})", self.text()),
            12 => format!("{} in tags", self.text()),
            _ => format!("size(tags) {} {}", self.one_of(&ALL), self.below(3)),
        }
    }

    fn text(&mut self) -> String {
        self.one_of(&["'a'", "'b'", "'ab'"]).to_owned()
    }

    fn int(&mut self, depth: usize) -> String {
        if depth == 0 {
            return match self.below(4) {
                0 => "n".to_owned(),
                1 => "count.k".to_owned(),
                2 => "n".to_owned(),
                _ => (self.below(7) as i64 - 3).to_string(),
            };
        }
        let a = self.int(depth - 1);
        match self.below(7) {
            0 => format!("-({a})"),
            1 => format!("size(env + {})", self.text()),
            2 => format!("(flag.on ? {a} : {})", self.int(depth - 1)),
            _ => {
                let operator = self.one_of(&["+", "-", "*", "/", "%"]);
                format!("({a} {operator} {})", self.int(depth - 1))
            }
        }
    }

    fn double(&mut self, depth: usize) -> String {
        if depth == 0 {
            return match self.below(4) {
                0 => "psi".to_owned(),
                1 => "rho".to_owned(),
                2 => "psi".to_owned(),
                _ => format!("{}.5", self.below(7) as i64 - 3),
            };
        }
        let a = self.double(depth - 1);
        match self.below(7) {
            0 => format!("-({a})"),
            1 => format!("double({})", self.int(depth - 1)),
            2 => format!("(flag.off ? {a} : {})", self.double(depth - 1)),
            _ => {
                let operator = self.one_of(&["+", "-", "*", "/"]);
                format!("({a} {operator} {})", self.double(depth - 1))
            }
        }
    }
}
