/// The j-th share of the error budget of LOND and LORD, j from 1: shares fall slowly and add up to at most 1.
///
/// C ln(max(j, 2)) / (j exp(√ln j)) (Javanmard and Montanari, 2018, equation 31).
pub(super) fn slow(j: u64) -> f64 {
    let j = j.max(1) as f64;
    SLOW_SCALE * j.max(2.0).ln() / (j * j.ln().sqrt().exp())
}

/// The j-th share of the error budget of SAFFRON and ADDIS, j from 1: j^-1.6 / ζ(1.6).
pub(super) fn steep(j: u64) -> f64 {
    STEEP_SCALE / (j.max(1) as f64).powf(1.6)
}

const SLOW_SCALE: f64 = 0.077_208_38;
// 1 / ζ(1.6), cut off below its last digit: with the ten digits that are usually printed the shares add up to more than 1.
const STEEP_SCALE: f64 = 0.437_490_165_774_4;
