/// How a file writes real numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Element {
    Half,
    BrainFloat,
    Single,
    Double,
}

impl Element {
    /// Bytes of one number.
    pub(super) fn size(self) -> usize {
        match self {
            Self::Half | Self::BrainFloat => 2,
            Self::Single => 4,
            Self::Double => 8,
        }
    }

    /// Reads little-endian numbers; what does not fill one at the end is left out. A double too large for a single becomes infinite.
    pub(super) fn decode(self, bytes: &[u8]) -> Vec<f32> {
        match self {
            Self::Half => each(bytes, |bytes| half(u16::from_le_bytes(bytes))),
            Self::BrainFloat => each(bytes, |bytes| {
                f32::from_bits(u32::from(u16::from_le_bytes(bytes)) << 16)
            }),
            Self::Single => each(bytes, f32::from_le_bytes),
            Self::Double => each(bytes, |bytes| f64::from_le_bytes(bytes) as f32),
        }
    }
}

fn each<const N: usize>(bytes: &[u8], number: impl Fn([u8; N]) -> f32) -> Vec<f32> {
    let (chunks, _) = bytes.as_chunks::<N>();
    chunks.iter().map(|chunk| number(*chunk)).collect()
}

/// A number of IEEE 754 in half precision.
fn half(bits: u16) -> f32 {
    let sign = u32::from(bits & 0x8000) << 16;
    let exponent = u32::from(bits >> 10) & 0x1f;
    let mantissa = u32::from(bits) & 0x3ff;
    let size = match exponent {
        // Subnormal: the mantissa counts steps of 2⁻²⁴.
        0 => (mantissa as f32 * 2.0_f32.powi(-24)).to_bits(),
        0x1f => 0x7f80_0000 | mantissa << 13,
        exponent => (exponent + 112) << 23 | mantissa << 13,
    };
    f32::from_bits(sign | size)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_every_precision_are_read() {
        // numpy: np.array([1.5, -2, 65504, 6e-8, inf], dtype=np.float16).view(np.uint16)
        let halves: Vec<u8> = [0x3e00_u16, 0xc000, 0x7bff, 0x0001, 0x7c00]
            .into_iter()
            .flat_map(u16::to_le_bytes)
            .collect();
        let expected = [1.5, -2.0, 65_504.0, 2.0_f32.powi(-24), f32::INFINITY];
        assert_eq!(Element::Half.decode(&halves), expected);
        assert!(half(0x7e00).is_nan());
        assert_eq!(Element::BrainFloat.decode(&[0xc0, 0x3f, 0x80]), [1.5]);
        assert_eq!(Element::Single.decode(&1.5_f32.to_le_bytes()), [1.5]);
        assert_eq!(Element::Double.decode(&1.5_f64.to_le_bytes()), [1.5]);
        assert_eq!(
            Element::Double.decode(&1e300_f64.to_le_bytes()),
            [f32::INFINITY]
        );
    }
}
