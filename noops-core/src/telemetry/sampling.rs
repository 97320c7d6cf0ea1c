use crate::hash::unit_hash;

/// The place of a request in `0..1_000_000`, which decides whether it is sampled.
///
/// A request is sampled when its place is below the share in parts per million. The prediction and the label of a request have
/// the same place, on every machine and in every process, so that both are kept or neither; a larger share keeps all that a
/// smaller one keeps.
///
/// # Formula
///
/// [`unit_hash`] of the salt `telemetry` and the request id, then `(hash * 1_000_000) >> 64` in 128 bits. The function is part of the contract and will not change, so that a pipeline in
/// any language can leave out the same requests. The word before the id keeps the sample independent of who is assigned to
/// a challenger by the same hash.
///
/// # Examples
///
/// ```
/// use noops_core::sampling_bucket;
///
/// assert_eq!(sampling_bucket("request-1"), 654_691);
/// ```
///
/// # Complexity
///
/// Linear in the length of the id; nothing is allocated.
#[must_use]
pub fn sampling_bucket(request: &str) -> u32 {
    ((u128::from(unit_hash(SALT, request)) * BUCKETS) >> 64) as u32
}

const SALT: &str = "telemetry";
const BUCKETS: u128 = 1_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_those_of_an_independent_implementation() {
        // Python: fold FNV-1a 64 over b"telemetry\0" + id.encode(), fmix64, `h * 1_000_000 >> 64`.
        for (request, place) in [
            ("", 388_209),
            ("request-1", 654_691),
            ("request-2", 502_911),
            ("føø", 704_891),
        ] {
            assert_eq!(sampling_bucket(request), place, "{request}");
        }
        let sampled = (0..100_000)
            .filter(|number| sampling_bucket(&format!("request-{number}")) < 100_000)
            .count();
        assert_eq!(sampled, 9_897, "a tenth, within two standard deviations");
    }
}
