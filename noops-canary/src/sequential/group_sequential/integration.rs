use noops_stats::special::{falling_root, normal_sf};

use super::normal::density;

use super::sides::Sides;

/// Brownian motion with drift that is looked at now and then, and ends where a look finds it outside a region.
///
/// The recursion of Armitage, McPherson and Rowe (1969): the sub-density of the paths that are still going is carried from look to
/// look on Gauss–Legendre panels, each three standard deviations of the narrowest step it takes part in wide, so that sixteen points a
/// panel integrate to rounding error. Time is the information fraction and z the motion over the square root of time.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Walk {
    drift: f64,
    /// The paths that were going after the last look but one, ordered by place.
    nodes: Vec<Node>,
    /// When those paths were at the nodes.
    from: f64,
    /// When the present look is.
    now: f64,
    /// What keeps a path going at the present look.
    region: Option<Region>,
}

impl Walk {
    /// At time 0 all paths are at 0.
    pub(super) fn new(drift: f64) -> Self {
        Self {
            drift,
            nodes: vec![Node {
                place: 0.0,
                mass: 1.0,
            }],
            from: 0.0,
            now: 0.0,
            region: None,
        }
    }

    /// Goes on to the look at `time`, which is later than the present one.
    pub(super) fn arrive(&mut self, time: f64) {
        if let Some(region) = self.region.take() {
            self.nodes = self.kept(region, time - self.now);
            self.from = self.now;
        }
        self.now = time;
    }

    /// Lets the paths whose z is from `lower` to `upper` go on.
    pub(super) fn stay(&mut self, lower: f64, upper: f64) {
        self.region = Some(Region { lower, upper });
    }

    /// P(no look before stopped the path, and z is at least this one now).
    pub(super) fn above(&self, z: f64) -> f64 {
        let (spread, limit) = self.reach_to(z);
        self.nodes
            .iter()
            .map(|node| node.mass * normal_sf((limit - node.place) / spread))
            .sum()
    }

    /// P(no look before stopped the path, and z is at most this one now).
    pub(super) fn below(&self, z: f64) -> f64 {
        let (spread, limit) = self.reach_to(z);
        self.nodes
            .iter()
            .map(|node| node.mass * normal_sf((node.place - limit) / spread))
            .sum()
    }

    /// P(no look before stopped the path, and z is as far out as `z` now).
    pub(super) fn beyond(&self, sides: Sides, z: f64) -> f64 {
        match sides {
            Sides::One => self.above(z),
            Sides::Two => self.above(z.abs()) + self.below(-z.abs()),
        }
    }

    /// The critical value beyond which a part `spend` of all paths ends now.
    pub(super) fn critical(&self, sides: Sides, spend: f64) -> f64 {
        if spend <= 0.0 {
            return MOST_CRITICAL;
        }
        let low = match sides {
            Sides::One => -MOST_CRITICAL,
            Sides::Two => 0.0,
        };
        falling_root(low, MOST_CRITICAL, spend, |z| self.beyond(sides, z))
    }

    /// The standard deviation of the step to the present look, and where a path would have to be for its mean to be `z`.
    fn reach_to(&self, z: f64) -> (f64, f64) {
        let since = self.now - self.from;
        (since.sqrt(), z * self.now.sqrt() - self.drift * since)
    }

    /// The paths in `region` at the present look, ready for a step of length `ahead`.
    fn kept(&self, region: Region, ahead: f64) -> Vec<Node> {
        let since = self.now - self.from;
        let scale = self.now.sqrt();
        let centre = self.drift * scale;
        let lower = region.lower.max(centre - REACH);
        let upper = region.upper.min(centre + REACH);
        if upper.is_nan() || lower.is_nan() || upper <= lower {
            return Vec::new();
        }
        let narrowest = (since.min(ahead) / self.now).sqrt().min(1.0);
        let panels = ((upper - lower) / (PANEL * narrowest)).ceil();
        let panels = panels.clamp(1.0, MOST_PANELS) as usize;
        let half = 0.5 * (upper - lower) / panels as f64;
        let mut nodes = Vec::with_capacity(panels * GAUSS_LEGENDRE.len());
        for panel in 0..panels {
            let middle = lower + (2 * panel + 1) as f64 * half;
            for (point, weight) in GAUSS_LEGENDRE {
                let place = (middle + half * point) * scale;
                nodes.push(Node {
                    place,
                    mass: weight * half * scale * self.density(place, since),
                });
            }
        }
        nodes
    }

    /// The sub-density of the motion at the present look.
    fn density(&self, place: f64, since: f64) -> f64 {
        let spread = since.sqrt();
        let mean = place - self.drift * since;
        // Farther away the density is below 1e-19 of its peak.
        let first = self
            .nodes
            .partition_point(|node| node.place < mean - FAR * spread);
        let sum: f64 = self
            .nodes
            .iter()
            .skip(first)
            .take_while(|node| node.place <= mean + FAR * spread)
            .map(|node| node.mass * density((mean - node.place) / spread))
            .sum();
        sum / spread
    }
}

/// Paths of total probability `mass` at `place`.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Node {
    place: f64,
    mass: f64,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Region {
    lower: f64,
    upper: f64,
}

/// No look has a critical value above it: a normal variable is beyond it with probability 1e-350.
pub(super) const MOST_CRITICAL: f64 = 40.0;

/// The paths farther than this from the mean, in standard deviations, are left out: 1e-23 of them.
const REACH: f64 = 10.0;
const PANEL: f64 = 3.0;
const FAR: f64 = 9.5;
/// More than a step of a thousandth of the time takes.
const MOST_PANELS: f64 = 1_000.0;

/// The points and weights of order sixteen on \[-1, 1\], `numpy.polynomial.legendre.leggauss(16)`.
const GAUSS_LEGENDRE: [(f64, f64); 16] = [
    (-0.989_400_934_991_649_9, 0.027_152_459_411_754_176),
    (-0.944_575_023_073_232_6, 0.062_253_523_938_647_456),
    (-0.865_631_202_387_831_8, 0.095_158_511_682_492_6),
    (-0.755_404_408_355_003, 0.124_628_971_255_534_07),
    (-0.617_876_244_402_643_8, 0.149_595_988_816_576_7),
    (-0.458_016_777_657_227_37, 0.169_156_519_395_002_65),
    (-0.281_603_550_779_258_9, 0.182_603_415_044_923_64),
    (-0.095_012_509_837_637_44, 0.189_450_610_455_068_64),
    (0.095_012_509_837_637_44, 0.189_450_610_455_068_64),
    (0.281_603_550_779_258_9, 0.182_603_415_044_923_64),
    (0.458_016_777_657_227_37, 0.169_156_519_395_002_65),
    (0.617_876_244_402_643_8, 0.149_595_988_816_576_7),
    (0.755_404_408_355_003, 0.124_628_971_255_534_07),
    (0.865_631_202_387_831_8, 0.095_158_511_682_492_6),
    (0.944_575_023_073_232_6, 0.062_253_523_938_647_456),
    (0.989_400_934_991_649_9, 0.027_152_459_411_754_176),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_walk_that_nothing_stops_is_normal_at_any_time() {
        for drift in [-1.0, 0.0, 3.0] {
            let mut walk = Walk::new(drift);
            for time in [0.001, 0.002, 0.5, 0.501, 1.0, 4.0] {
                walk.arrive(time);
                let expected = normal_sf(1.5 - drift * f64::sqrt(time));
                let found = walk.above(1.5);
                assert!(
                    (found / expected - 1.0).abs() < 1e-11,
                    "{time}: {found} {expected}"
                );
                assert!((walk.below(1.5) + found - 1.0).abs() < 1e-11);
                walk.stay(f64::NEG_INFINITY, f64::INFINITY);
            }
        }
    }

    #[test]
    fn every_path_either_left_or_goes_on() {
        let mut walk = Walk::new(0.7);
        let mut left = 0.0;
        for time in [0.1, 0.103, 0.4, 0.8, 1.0] {
            walk.arrive(time);
            left += walk.above(1.3) + walk.below(-0.4);
            let going = walk.above(-0.4) - walk.above(1.3);
            assert!((left + going - 1.0).abs() < 1e-11);
            walk.stay(-0.4, 1.3);
        }
    }

    #[test]
    fn an_empty_region_stops_everything() {
        let mut walk = Walk::new(0.0);
        walk.arrive(0.5);
        walk.stay(1.0, -1.0);
        walk.arrive(1.0);
        assert_eq!(walk.above(-40.0), 0.0);
    }
}
