use std::arch::x86_64::*;
use std::hint::black_box;

use fearless_simd::{Avx512, f64x8, kernel, prelude::*, u64x8};

use super::prefetch::prefetch;
use crate::kernel::scalar;

macro_rules! splat {
    ($value:expr) => {
        _mm512_set1_pd($value)
    };
}

macro_rules! ones {
    ($value:expr) => {
        _mm512_set1_epi64($value)
    };
}

macro_rules! zero {
    () => {
        _mm512_setzero_si512()
    };
}

macro_rules! load {
    ($token:ident, $chunk:ident) => {{
        let value: __m512d = f64x8::from_slice($token, $chunk).into();
        value
    }};
}

macro_rules! count_above {
    ($count:ident, $value:ident, $edge:ident, $one:ident) => {
        $count = _mm512_mask_add_epi64(
            $count,
            _mm512_cmp_pd_mask::<_CMP_GT_OQ>($value, $edge),
            $count,
            $one,
        );
    };
}

macro_rules! count_ordinary {
    ($count:ident, $value:ident, $min:ident, $max:ident, $one:ident) => {
        let from_min = _mm512_cmp_pd_mask::<_CMP_GE_OQ>($value, $min);
        let within = _mm512_mask_cmp_pd_mask::<_CMP_LE_OQ>(from_min, $value, $max);
        $count = _mm512_mask_add_epi64($count, within, $count, $one);
    };
}

macro_rules! total {
    ($token:ident, $count:ident) => {{
        let lanes: u64x8<_> = $count.simd_into($token);
        lanes.as_slice().iter().copied().sum::<u64>()
    }};
}

kernels_of_thirty_two_registers!(Avx512, f64, 8);
