/// (1 + x) ln(1 + x) − x for x ≥ −1: x²/2 − x³/6 + x⁴/12 − … where the terms of the formula would cancel.
#[must_use]
pub fn relative_entropy(x: f64) -> f64 {
    if x.abs() < SERIES_BELOW {
        let mut power = x * x;
        let mut sum = 0.0;
        for k in 2_u32..=TERMS {
            sum += power / f64::from(k * (k - 1));
            power *= -x;
        }
        sum
    } else if x > -1.0 {
        (1.0 + x) * x.ln_1p() - x
    } else {
        1.0
    }
}

const SERIES_BELOW: f64 = 0.1;
/// The first one left out is below 1e-16 of the sum.
const TERMS: u32 = 17;

#[cfg(test)]
mod tests {
    use super::relative_entropy;

    #[test]
    fn series_and_logarithm_agree_with_mpmath() {
        // mpmath.mp.dps = 50; (1 + x) * log(1 + x) - x
        for (x, expected) in [
            (1e-9, 4.999_999_998_333_334e-19),
            (-0.099, 0.005_070_730_742_206_978),
            (0.101, 0.004_936_962_372_337_746),
            (-0.5, 0.153_426_409_720_027_34),
            (3.0, 2.545_177_444_479_562_5),
        ] {
            let found = relative_entropy(x);
            assert!((found / expected - 1.0).abs() <= 1e-13, "{x}: {found}");
        }
        assert_eq!((relative_entropy(0.0), relative_entropy(-1.0)), (0.0, 1.0));
    }
}
