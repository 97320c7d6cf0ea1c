use std::arch::x86_64::*;
use std::hint::black_box;

use fearless_simd::{Avx2, f64x4, kernel, prelude::*, u64x4};

use super::prefetch::prefetch;
use crate::kernel::scalar;

macro_rules! splat {
    ($value:expr) => {
        _mm256_set1_pd($value)
    };
}

macro_rules! ones {
    ($value:expr) => {
        _mm256_set1_epi64x($value)
    };
}

macro_rules! zero {
    () => {
        _mm256_setzero_si256()
    };
}

macro_rules! load {
    ($token:ident, $chunk:ident) => {{
        let value: __m256d = f64x4::from_slice($token, $chunk).into();
        value
    }};
}

macro_rules! count_above {
    ($count:ident, $value:ident, $edge:ident, $one:ident) => {
        $count = _mm256_sub_epi64(
            $count,
            _mm256_castpd_si256(_mm256_cmp_pd::<_CMP_GT_OQ>($value, $edge)),
        );
    };
}

macro_rules! count_ordinary {
    ($count:ident, $value:ident, $min:ident, $max:ident, $one:ident) => {
        let from_min = _mm256_cmp_pd::<_CMP_GE_OQ>($value, $min);
        let to_max = _mm256_cmp_pd::<_CMP_LE_OQ>($value, $max);
        $count = _mm256_sub_epi64($count, _mm256_castpd_si256(_mm256_and_pd(from_min, to_max)));
    };
}

macro_rules! total {
    ($token:ident, $count:ident) => {{
        let lanes: u64x4<_> = $count.simd_into($token);
        lanes.as_slice().iter().copied().sum::<u64>()
    }};
}

kernels_of_sixteen_registers!(Avx2, f64, 4);
