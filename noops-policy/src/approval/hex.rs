//! Bytes as lower-case hexadecimal text: one text for each value, so that texts can be compared.

/// The text of some bytes.
pub(super) fn encode(bytes: &[u8]) -> String {
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .filter_map(|digit| char::from_digit(u32::from(digit), 16))
        .collect()
}

/// The bytes of a text of exactly `2 N` lower-case digits.
pub(super) fn decode<const N: usize>(text: &str) -> Option<[u8; N]> {
    if text.len() != N.checked_mul(2)? {
        return None;
    }
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        let [high, low] = pair else {
            return None;
        };
        *byte = digit(*high)? << 4 | digit(*low)?;
    }
    Some(bytes)
}

fn digit(character: u8) -> Option<u8> {
    match character {
        b'0'..=b'9' => Some(character - b'0'),
        b'a'..=b'f' => Some(character - b'a' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_survives_and_has_one_text() {
        let all: [u8; 256] = std::array::from_fn(|index| index as u8);
        let text = encode(&all);
        assert_eq!(decode::<256>(&text), Some(all));
        assert_eq!(decode::<256>(&text.to_uppercase()), None);
    }

    #[test]
    fn other_lengths_and_characters_are_refused() {
        for text in ["", "0", "0g", "000", "é0"] {
            assert_eq!(decode::<1>(text), None, "{text}");
        }
        assert_eq!(decode::<1>("0f"), Some([15]));
    }
}
