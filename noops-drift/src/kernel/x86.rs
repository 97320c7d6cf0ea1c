//! The comparisons, with the widest registers of the processor.
//!
//! A kernel handles as many edges as fit in registers together with their counters; more edges take more passes over a block that is in
//! the first-level cache by then. The modules differ in their instructions only, so the kernels are written once, below.

/// Writes `compare` of a module, and its kernels for up to `GROUP` edges.
///
/// The module has the instructions as macros: `splat!`, `zero!`, `load!`, `count_above!` and `count_ordinary!`.
macro_rules! kernels {
    (
        $token:ident, $float:ident, $lanes:literal,
        [$($n:literal $first:ident $next:ident [$($edge:ident $count:ident)*])*]
    ) => {
        /// Adds to `above` how many values are above each edge, and tells how many are ordinary.
        pub(crate) fn compare(
            token: $token,
            mut edges: &[$float],
            ordinary: ($float, $float),
            values: &[$float],
            mut above: &mut [u64],
        ) -> u64 {
            let (now, later) = edges.split_at(edges.len().min(GROUP));
            let many = now.len().min(above.len());
            let (counts, rest) = std::mem::take(&mut above).split_at_mut(many);
            let mut usual = match now {
                // A constant column has no edge.
                [] => scalar::compare(now, ordinary, values, &mut []),
                _ => 0,
            };
            $(if let Ok(edges) = <&[$float; $n]>::try_from(now) {
                usual = $first(token, edges, ordinary, values, counts);
            })*
            (edges, above) = (later, rest);
            while !edges.is_empty() {
                let (now, later) = edges.split_at(edges.len().min(GROUP));
                let many = now.len().min(above.len());
                let (counts, rest) = std::mem::take(&mut above).split_at_mut(many);
                $(if let Ok(edges) = <&[$float; $n]>::try_from(now) {
                    $next(token, edges, values, counts);
                })*
                (edges, above) = (later, rest);
            }
            usual
        }

        $(
        // The first pass over a block also looks for what is not ordinary, and fetches what comes after the block.
        kernel!(
            fn $first(
                token: $token,
                edges: &[$float; $n],
                ordinary: ($float, $float),
                values: &[$float],
                above: &mut [u64],
            ) -> u64 {
                // Hidden from the optimiser, which else makes two operations of a masked addition of one.
                #[allow(unused_variables, reason = "an unmasked subtraction needs no one")]
                let one = ones!(black_box(1));
                let (min, max) = (splat!(ordinary.0), splat!(ordinary.1));
                let [$($edge),*] = *edges;
                $(let (mut $count, $edge) = (zero!(), splat!($edge));)*
                let mut usual = zero!();
                let (chunks, rest) = values.as_chunks::<$lanes>();
                for chunk in chunks {
                    prefetch(chunk.as_ptr());
                    let value = load!(token, chunk);
                    $(count_above!($count, value, $edge, one);)*
                    count_ordinary!(usual, value, min, max, one);
                }
                let totals = [$(total!(token, $count)),*];
                for (above, total) in above.iter_mut().zip::<[u64; $n]>(totals) {
                    *above += total;
                }
                total!(token, usual) + scalar::compare(edges, ordinary, rest, above)
            }
        );

        kernel!(
            fn $next(token: $token, edges: &[$float; $n], values: &[$float], above: &mut [u64]) {
                #[allow(unused_variables, reason = "an unmasked subtraction needs no one")]
                let one = ones!(black_box(1));
                let [$($edge),*] = *edges;
                $(let (mut $count, $edge) = (zero!(), splat!($edge));)*
                let (chunks, rest) = values.as_chunks::<$lanes>();
                for chunk in chunks {
                    let value = load!(token, chunk);
                    $(count_above!($count, value, $edge, one);)*
                }
                let totals = [$(total!(token, $count)),*];
                for (above, total) in above.iter_mut().zip::<[u64; $n]>(totals) {
                    *above += total;
                }
                scalar::compare(edges, (0.0, 0.0), rest, above);
            }
        );
        )*
    };
}

/// [`kernels`] for up to five edges, which is what sixteen registers hold.
macro_rules! kernels_of_sixteen_registers {
    ($($types:tt)*) => {
        kernels!($($types)*, [
            1 first_1 next_1 [a i]
            2 first_2 next_2 [a i b j]
            3 first_3 next_3 [a i b j c k]
            4 first_4 next_4 [a i b j c k d l]
            5 first_5 next_5 [a i b j c k d l e m]
        ]);

        const GROUP: usize = 5;
    };
}

/// [`kernels`] for up to twelve edges, which is what thirty-two registers hold.
macro_rules! kernels_of_thirty_two_registers {
    ($($types:tt)*) => {
        kernels!($($types)*, [
            1 first_1 next_1 [a m]
            2 first_2 next_2 [a m b n]
            3 first_3 next_3 [a m b n c o]
            4 first_4 next_4 [a m b n c o d p]
            5 first_5 next_5 [a m b n c o d p e q]
            6 first_6 next_6 [a m b n c o d p e q f r]
            7 first_7 next_7 [a m b n c o d p e q f r g s]
            8 first_8 next_8 [a m b n c o d p e q f r g s h t]
            9 first_9 next_9 [a m b n c o d p e q f r g s h t i u]
            10 first_10 next_10 [a m b n c o d p e q f r g s h t i u j v]
            11 first_11 next_11 [a m b n c o d p e q f r g s h t i u j v k w]
            12 first_12 next_12 [a m b n c o d p e q f r g s h t i u j v k w l x]
        ]);

        const GROUP: usize = 12;
    };
}

pub(super) mod f32_avx2;
pub(super) mod f32_avx512;
pub(super) mod f64_avx2;
pub(super) mod f64_avx512;
mod prefetch;

/// Bytes between what is compared and what is fetched: far enough for memory's latency, near enough to stay in the cache.
const AHEAD: usize = 2_048;
