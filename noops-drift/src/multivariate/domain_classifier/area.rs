/// An area under the curve with its variances.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Area {
    value: f64,
    variance: f64,
    null_variance: f64,
    weight: f64,
}

impl Area {
    /// The share of pairs in which the positive scores higher, ties counted half.
    ///
    /// The components of DeLong's variance are got from tied groups in one pass over the sorted scores, as Sun and Xu
    /// (IEEE Signal Processing Letters, 2014) do with mid-ranks.
    pub(super) fn new(negatives: &[f64], positives: &[f64]) -> Self {
        let n = negatives.len() as f64;
        let m = positives.len() as f64;
        if n < 1.0 || m < 1.0 {
            return Self::NOTHING;
        }
        let groups = groups(negatives, positives);
        let mut value = 0.0;
        let mut ties = 0.0;
        for group in &groups {
            value += group.positives * group.negatives_beaten() / (n * m);
            let t = group.negatives + group.positives;
            ties += t * (t * t - 1.0);
        }
        let mut of_positives = 0.0;
        let mut of_negatives = 0.0;
        for group in &groups {
            let above = group.negatives_beaten() / n - value;
            let below = 1.0 - group.positives_not_above() / m - value;
            of_positives += group.positives * above * above;
            of_negatives += group.negatives * below * below;
        }
        let least = 1.0 / n.min(m);
        let delong =
            of_positives / ((m - 1.0).max(1.0) * m) + of_negatives / ((n - 1.0).max(1.0) * n);
        let all = n + m;
        let untied = all + 1.0 - ties / (all * (all - 1.0));
        Self {
            value: value.clamp(0.0, 1.0),
            variance: delong.max(least * least),
            null_variance: if groups.len() < 2 {
                0.0
            } else {
                (untied / (12.0 * n * m)).max(0.0)
            },
            weight: n * m / all,
        }
    }

    pub(super) fn value(&self) -> f64 {
        self.value
    }

    /// DeLong's variance, at least that of one row out of place.
    pub(super) fn variance(&self) -> f64 {
        self.variance
    }

    /// The variance when both sides have one law, given the ties.
    pub(super) fn null_variance(&self) -> f64 {
        self.null_variance
    }

    const NOTHING: Self = Self {
        value: 0.5,
        variance: 0.25,
        null_variance: 0.0,
        weight: 0.0,
    };
}

/// The average of areas that are uncorrelated, by their weights.
pub(super) fn pooled(areas: &[Area]) -> Area {
    let total: f64 = areas.iter().map(|area| area.weight).sum();
    if total <= 0.0 {
        return Area::NOTHING;
    }
    let mut pooled = Area {
        value: 0.0,
        variance: 0.0,
        null_variance: 0.0,
        weight: total,
    };
    for area in areas {
        let part = area.weight / total;
        pooled.value += part * area.value;
        pooled.variance += part * part * area.variance;
        pooled.null_variance += part * part * area.null_variance;
    }
    pooled.value = pooled.value.clamp(0.0, 1.0);
    pooled
}

/// Rows of one score.
struct Group {
    negatives: f64,
    positives: f64,
    negatives_below: f64,
    positives_below: f64,
}

impl Group {
    fn negatives_beaten(&self) -> f64 {
        self.negatives_below + self.negatives / 2.0
    }

    fn positives_not_above(&self) -> f64 {
        self.positives_below + self.positives / 2.0
    }
}

fn groups(negatives: &[f64], positives: &[f64]) -> Vec<Group> {
    let mut scored: Vec<Scored> = negatives
        .iter()
        .map(|&score| Scored {
            score,
            positive: false,
        })
        .chain(positives.iter().map(|&score| Scored {
            score,
            positive: true,
        }))
        .collect();
    scored.sort_unstable_by(|a, b| a.score.total_cmp(&b.score));
    let mut groups = Vec::new();
    let mut negatives_below = 0.0;
    let mut positives_below = 0.0;
    for tied in scored.chunk_by(|a, b| a.score == b.score) {
        let of_positives = tied.iter().filter(|row| row.positive).count() as f64;
        let of_negatives = tied.len() as f64 - of_positives;
        groups.push(Group {
            negatives: of_negatives,
            positives: of_positives,
            negatives_below,
            positives_below,
        });
        negatives_below += of_negatives;
        positives_below += of_positives;
    }
    groups
}

struct Scored {
    score: f64,
    positive: bool,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    fn numbers(value: &Value) -> Vec<f64> {
        let list = value.as_array().expect("a list");
        list.iter().map(|x| x.as_f64().expect("a number")).collect()
    }

    #[test]
    fn area_and_variances_agree_with_scipy_and_delong() {
        let data: Value =
            serde_json::from_str(include_str!("../../../testdata/boosting.json")).unwrap();
        let cases = data["areas"]["cases"].as_array().unwrap();
        assert!(cases.len() >= 4);
        for case in cases {
            let area = Area::new(&numbers(&case["negatives"]), &numbers(&case["positives"]));
            let found = [area.value(), area.variance(), area.null_variance()];
            for (found, name) in found.into_iter().zip(["area", "delong", "null_variance"]) {
                let expected = case[name].as_f64().unwrap();
                assert!(
                    (found - expected).abs() <= 1e-10 * expected,
                    "{name}: {found} is not {expected}"
                );
            }
        }
    }

    #[test]
    fn sides_that_part_without_error_keep_a_variance() {
        let area = Area::new(&[1.0, 2.0, 3.0, 4.0], &[5.0, 6.0, 7.0, 8.0, 9.0]);
        assert_eq!((area.value(), area.variance()), (1.0, 1.0 / 16.0));
    }

    #[test]
    fn equal_scores_say_nothing() {
        let area = Area::new(&[1.0; 10], &[1.0; 20]);
        assert_eq!((area.value(), area.null_variance()), (0.5, 0.0));
        assert_eq!(pooled(&[]).null_variance(), 0.0);
        assert_eq!(Area::new(&[], &[1.0]).value(), 0.5);
    }

    proptest! {
        #[test]
        fn the_area_is_the_share_of_pairs(
            negatives in prop::collection::vec(0_u8..6, 1..30),
            positives in prop::collection::vec(0_u8..6, 1..30),
        ) {
            let negatives: Vec<f64> = negatives.into_iter().map(f64::from).collect();
            let positives: Vec<f64> = positives.into_iter().map(f64::from).collect();
            let mut wins = 0.0;
            for p in &positives {
                for n in &negatives {
                    wins += if p > n { 1.0 } else if p == n { 0.5 } else { 0.0 };
                }
            }
            let naive = wins / (positives.len() * negatives.len()) as f64;
            prop_assert!((Area::new(&negatives, &positives).value() - naive).abs() < 1e-12);
        }
    }
}
