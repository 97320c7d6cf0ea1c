/// The density of the standard normal law.
pub(super) fn density(z: f64) -> f64 {
    ONE_OVER_ROOT_TAU * libm::exp(-0.5 * z * z)
}

const ONE_OVER_ROOT_TAU: f64 = 0.398_942_280_401_432_7;
