use std::arch::x86_64::*;
use std::hint::black_box;

use fearless_simd::{Avx2, f32x8, kernel, prelude::*, u32x8};

use super::prefetch::prefetch;
use crate::kernel::scalar;

macro_rules! splat {
    ($value:expr) => {
        _mm256_set1_ps($value)
    };
}

macro_rules! ones {
    ($value:expr) => {
        _mm256_set1_epi32($value)
    };
}

macro_rules! zero {
    () => {
        _mm256_setzero_si256()
    };
}

macro_rules! load {
    ($token:ident, $chunk:ident) => {{
        let value: __m256 = f32x8::from_slice($token, $chunk).into();
        value
    }};
}

macro_rules! count_above {
    ($count:ident, $value:ident, $edge:ident, $one:ident) => {
        $count = _mm256_sub_epi32(
            $count,
            _mm256_castps_si256(_mm256_cmp_ps::<_CMP_GT_OQ>($value, $edge)),
        );
    };
}

macro_rules! count_ordinary {
    ($count:ident, $value:ident, $min:ident, $max:ident, $one:ident) => {
        let from_min = _mm256_cmp_ps::<_CMP_GE_OQ>($value, $min);
        let to_max = _mm256_cmp_ps::<_CMP_LE_OQ>($value, $max);
        $count = _mm256_sub_epi32($count, _mm256_castps_si256(_mm256_and_ps(from_min, to_max)));
    };
}

macro_rules! total {
    ($token:ident, $count:ident) => {{
        let lanes: u32x8<_> = $count.simd_into($token);
        lanes.as_slice().iter().copied().map(u64::from).sum::<u64>()
    }};
}

kernels_of_sixteen_registers!(Avx2, f32, 8);
