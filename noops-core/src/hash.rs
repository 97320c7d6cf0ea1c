/// Sixty-four bits of a unit under a salt: the published hash behind every assignment and every sample.
///
/// # Formula
///
/// FNV-1a 64 over the salt, one zero byte and the unit (all UTF-8), then the MurmurHash3 64-bit finaliser `fmix64`. The finaliser is
/// needed: the high bits of FNV-1a alone hardly change with the last bytes. The function is part of the contract and will not
/// change, so that another program, in any language, can reproduce what follows from it.
///
/// # Complexity
///
/// Linear in the length of the salt and the unit; nothing is allocated.
///
/// # Examples
///
/// ```
/// use noops_core::unit_hash;
///
/// assert_eq!(unit_hash("checkout-42", "user-1"), 13_671_170_679_888_469_694);
/// ```
#[must_use]
pub fn unit_hash(salt: &str, unit: &str) -> u64 {
    let bytes = salt.bytes().chain([0]).chain(unit.bytes());
    fmix64(bytes.fold(FNV_OFFSET, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(FNV_PRIME)
    }))
}

fn fmix64(mut hash: u64) -> u64 {
    hash ^= hash >> 33;
    hash = hash.wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash ^= hash >> 33;
    hash = hash.wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    hash ^ (hash >> 33)
}

const FNV_OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
const FNV_PRIME: u64 = 0x0000_0100_0000_01b3;
