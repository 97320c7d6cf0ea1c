/// What is staked at a row: a mixture over the times at which a change may begin.
///
/// Three quarters of the capital are staked before the first row. The rest comes in later, row by row, so a bettor that
/// has lost nearly everything in a long quiet time bets again on a change that begins now. The row t, in the block
/// 2^b <= t < 2^(b + 1), brings ¼ / ((b + 1)(b + 2) 2^b), which adds up to ¼ over all rows. What has not come in yet is
/// part of the evidence, so the evidence starts at 1 and stays a non-negative supermartingale: the stakes are fixed in
/// advance, and each of them is multiplied by e-variables only.
///
/// A change at row t is so found with a delay that grows with ln t instead of t.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Stake {
    /// What every bettor gets at this row, before it bets.
    pub(super) fresh: f64,
    /// What is left for later rows.
    pub(super) reserve: f64,
}

impl Stake {
    /// The stake at the row with this number, from 1.
    pub(super) fn at(row: u64) -> Self {
        let row = row.max(1);
        let block = 63 - row.leading_zeros();
        let b = f64::from(block);
        let length = (1_u64 << block) as f64;
        let of_block = LATER / ((b + 1.0) * (b + 2.0));
        let passed = (row - (1_u64 << block)) as f64 + 1.0;
        Self {
            fresh: of_block / length,
            reserve: LATER / (b + 2.0) + of_block * (1.0 - passed / length),
        }
    }

    /// What is left when `rows` rows have been counted.
    pub(super) fn reserve_after(rows: u64) -> f64 {
        if rows == 0 {
            LATER
        } else {
            Self::at(rows).reserve
        }
    }
}

/// The capital of a bettor before the first row.
pub(super) const FIRST: f64 = 1.0 - LATER;
/// Beyond this a bettor's wealth stops growing, which only lowers the evidence: no sum of wealths overflows.
pub(super) const MOST_WEALTH: f64 = 1e200;

const LATER: f64 = 0.25;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stakes_and_reserve_add_up_to_the_capital_at_every_row() {
        let mut staked = FIRST;
        for row in 1..=5_000 {
            let stake = Stake::at(row);
            staked += stake.fresh;
            assert!((staked + stake.reserve - 1.0).abs() < 1e-12, "row {row}");
        }
    }

    #[test]
    fn the_last_row_that_can_be_counted_still_has_a_stake() {
        let stake = Stake::at(u64::MAX);
        assert!(stake.fresh > 0.0 && stake.fresh < 1e-20);
        assert!(stake.reserve > 0.0);
        assert_eq!(Stake::at(0), Stake::at(1));
    }
}
