use statrs::distribution::{ContinuousCDF, Normal, StudentsT};

/// The point that a standard normal variable exceeds with probability `tail`, in `0..1`.
pub(super) fn normal_upper(tail: f64) -> f64 {
    upper(tail, |x| Normal::standard().sf(x))
}

/// The point that a Student t variable with `freedom` degrees of freedom exceeds with probability `tail`.
pub(super) fn student_upper(freedom: f64, tail: f64) -> f64 {
    // The incomplete beta function behind the t tail loses digits for huge arguments, where t is normal anyway.
    if freedom > LARGE_FREEDOM {
        return normal_upper(tail);
    }
    match StudentsT::new(0.0, 1.0, freedom) {
        Ok(student) => upper(tail, |x| student.sf(x)),
        Err(_) => f64::INFINITY,
    }
}

/// Bisects a decreasing survival function, symmetric about zero.
fn upper(tail: f64, sf: impl Fn(f64) -> f64) -> f64 {
    if tail > 0.5 {
        return -upper_half(1.0 - tail, sf);
    }
    upper_half(tail, sf)
}

fn upper_half(tail: f64, sf: impl Fn(f64) -> f64) -> f64 {
    let mut high = 1.0;
    while sf(high) > tail && high < 1e150 {
        high *= 2.0;
    }
    let mut low = 0.0;
    for _ in 0..BISECTIONS {
        let middle = 0.5 * (low + high);
        if sf(middle) > tail {
            low = middle;
        } else {
            high = middle;
        }
    }
    0.5 * (low + high)
}

const LARGE_FREEDOM: f64 = 100_000.0;
const BISECTIONS: u32 = 80;

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(value: f64, expected: f64) {
        assert!(
            (value - expected).abs() < 1e-8 * expected.abs().max(1.0),
            "{value} {expected}"
        );
    }

    #[test]
    fn quantiles_equal_scipy() {
        // scipy.stats.norm.ppf(0.975), scipy.stats.t.ppf(1 - tail, freedom)
        check(normal_upper(0.025), 1.959_963_984_540_054);
        check(normal_upper(0.975), -1.959_963_984_540_054);
        check(student_upper(3.0, 0.05), 2.353_363_434_801_823);
        check(student_upper(1.0, 0.025), 12.706_204_736_174_694);
        check(student_upper(10.0, 0.01), 2.763_769_458_112_696);
        check(student_upper(5.0, 1e-6), 24.771_029_720_372_49);
    }

    #[test]
    fn many_degrees_of_freedom_are_normal() {
        check(student_upper(1e9, 0.025), normal_upper(0.025));
    }
}
