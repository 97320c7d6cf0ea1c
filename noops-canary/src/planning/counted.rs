use super::walk::{Steps, Walk};

/// The exact law of the first passage of a count: after each step, the probability of every count that has not arrived.
///
/// # Complexity
///
/// Steps times the width of the binomial law, some eight standard deviations to either side.
pub(super) fn counted(walk: &Walk, horizon: f64) -> Vec<(f64, f64)> {
    let (p, up) = match walk.steps() {
        Steps::Up(p) => (p, true),
        Steps::Down(p) => (p, false),
        Steps::Number(..) => return Vec::new(),
    };
    if walk.is_there() {
        return vec![(0.0, 1.0)];
    }
    let mut points = Vec::new();
    let mut boundary = Boundary::new(walk);
    // The probabilities of the counts from `first` on.
    let mut first: usize = 0;
    let mut alive = vec![1.0];
    let (mut arrived, mut steps) = (0.0_f64, 0.0);
    while steps < horizon && arrived < ALL_OF_IT && !alive.is_empty() {
        steps += 1.0;
        alive.push(0.0);
        let mut below = 0.0;
        for probability in &mut alive {
            let stays = *probability;
            *probability = stays * (1.0 - p) + below * p;
            below = stays;
        }
        let height = boundary.at(steps);
        while let Some(&end) = if up { alive.last() } else { alive.first() } {
            let count = if up { first + alive.len() - 1 } else { first } as f64;
            let sum = if up { count } else { -count };
            if sum < height {
                break;
            }
            arrived += end;
            if up {
                alive.pop();
            } else {
                alive.remove(0);
                first += 1;
            }
        }
        // What is too improbable to matter is dropped.
        let low = alive
            .iter()
            .take_while(|&&probability| probability < NEGLIGIBLE)
            .count();
        if low < alive.len() {
            alive.drain(..low);
            first += low;
        }
        while alive.len() > 1
            && alive
                .last()
                .is_some_and(|&probability| probability < NEGLIGIBLE)
        {
            alive.pop();
        }
        points.push((steps, arrived.min(1.0)));
    }
    points
}

/// The boundary, worked out at every step at first and ever more rarely later, and straight in between.
struct Boundary<'a> {
    walk: &'a Walk,
    from: f64,
    low: f64,
    to: f64,
    high: f64,
}

impl<'a> Boundary<'a> {
    fn new(walk: &'a Walk) -> Self {
        let start = walk.boundary(0.0);
        Self {
            walk,
            from: 0.0,
            low: start,
            to: 0.0,
            high: start,
        }
    }

    /// At a step that is not before the last one asked for.
    fn at(&mut self, steps: f64) -> f64 {
        while self.to < steps {
            self.from = self.to;
            self.low = self.high;
            self.to += (self.to / RESOLUTION).floor().max(1.0);
            self.high = self.walk.boundary(self.to);
        }
        let part = if self.to > self.from {
            (steps - self.from) / (self.to - self.from)
        } else {
            1.0
        };
        self.low + (self.high - self.low) * part
    }
}

const ALL_OF_IT: f64 = 0.9995;
const NEGLIGIBLE: f64 = 1e-16;
const RESOLUTION: f64 = 256.0;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::planning::walk::Term;

    fn walk(steps: Steps) -> Walk {
        // What a count of ones is paid for with; what a count of zeros earns.
        let sign = if matches!(steps, Steps::Up(_)) {
            -1.0
        } else {
            1.0
        };
        let terms = [(-1.0, 0.3, 0.16), (-0.7, 0.8, 0.4)].map(|(log_weight, slope, drift)| Term {
            log_weight,
            slope,
            drift: sign * drift,
        });
        Walk::new(terms.to_vec(), 1.5, steps).unwrap()
    }

    /// Every sequence of twelve steps, one by one.
    #[test]
    fn it_is_the_law_found_by_trying_every_sequence() {
        for steps in [Steps::Up(0.7), Steps::Down(0.2)] {
            let walk = walk(steps);
            let (p, sign) = match steps {
                Steps::Up(p) => (p, 1.0),
                Steps::Down(p) => (p, -1.0),
                Steps::Number(..) => (0.5, 1.0),
            };
            let mut arrived = 0.0;
            for sequence in 0..1u32 << 12 {
                let (mut sum, mut probability, mut found) = (0.0, 1.0, false);
                for step in 0..12 {
                    let one = sequence >> step & 1 == 1;
                    sum += if one { sign } else { 0.0 };
                    probability *= if one { p } else { 1.0 - p };
                    found |= walk.log_e(sum, f64::from(step + 1)) >= 1.5;
                }
                arrived += if found { probability } else { 0.0 };
            }
            assert!(arrived > 0.1 && arrived < 0.999);
            let points = counted(&walk, 12.0);
            let last = points.last().unwrap();
            assert!((last.1 - arrived).abs() < 1e-12, "{} {arrived}", last.1);
        }
    }
}
