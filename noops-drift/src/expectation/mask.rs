use arrow_array::BooleanArray;
use arrow_buffer::{BooleanBuffer, Buffer, NullBuffer};

/// One bit per row, set where the row fails.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Mask {
    words: Vec<u64>,
    len: usize,
}

impl Mask {
    pub(super) fn empty(len: usize) -> Self {
        Self {
            words: vec![0; len.div_ceil(WORD)],
            len,
        }
    }

    /// Sets the rows whose value fails.
    pub(super) fn of_values<T: Copy>(values: &[T], fails: impl Fn(T) -> bool) -> Self {
        let words = values
            .chunks(WORD)
            .map(|chunk| {
                chunk.iter().enumerate().fold(0_u64, |word, (bit, value)| {
                    word | (u64::from(fails(*value)) << bit)
                })
            })
            .collect();
        Self {
            words,
            len: values.len(),
        }
    }

    /// Sets the rows that are null.
    pub(super) fn of_nulls(nulls: Option<&NullBuffer>, len: usize) -> Self {
        let mut mask = Self::full(len);
        match nulls {
            Some(nulls) => {
                for (word, valid) in mask.words.iter_mut().zip(words_of(nulls)) {
                    *word &= !valid;
                }
                mask
            }
            None => Self::empty(len),
        }
    }

    fn full(len: usize) -> Self {
        let mut mask = Self {
            words: vec![u64::MAX; len.div_ceil(WORD)],
            len,
        };
        let used = len % WORD;
        if used > 0
            && let Some(last) = mask.words.last_mut()
        {
            *last = (1_u64 << used) - 1;
        }
        mask
    }

    /// Clears the rows that are null.
    pub(super) fn without_nulls(mut self, nulls: Option<&NullBuffer>) -> Self {
        if let Some(nulls) = nulls {
            for (word, valid) in self.words.iter_mut().zip(words_of(nulls)) {
                *word &= valid;
            }
        }
        self
    }

    /// Sets one row; a row beyond the end is ignored.
    pub(super) fn set(&mut self, row: usize) {
        if row < self.len
            && let Some(word) = self.words.get_mut(row / WORD)
        {
            *word |= 1 << (row % WORD);
        }
    }

    pub(super) fn is_set(&self, row: usize) -> bool {
        self.words
            .get(row / WORD)
            .is_some_and(|word| (word >> (row % WORD)) & 1 == 1)
    }

    /// Sets the rows that the other sets.
    pub(super) fn join(&mut self, other: &Self) {
        for (word, more) in self.words.iter_mut().zip(&other.words) {
            *word |= more;
        }
    }

    /// Clears the rows that the other sets.
    pub(super) fn without(mut self, other: &Self) -> Self {
        for (word, less) in self.words.iter_mut().zip(&other.words) {
            *word &= !less;
        }
        self
    }

    pub(super) fn count(&self) -> u64 {
        self.words
            .iter()
            .map(|word| u64::from(word.count_ones()))
            .sum()
    }

    /// The first rows that are set.
    pub(super) fn first(&self, limit: usize) -> Vec<usize> {
        let mut rows = Vec::new();
        for (place, word) in self.words.iter().enumerate() {
            let mut left = *word;
            while left != 0 {
                if rows.len() >= limit {
                    return rows;
                }
                rows.push(place * WORD + left.trailing_zeros() as usize);
                left &= left - 1;
            }
        }
        rows
    }

    pub(super) fn into_array(self) -> BooleanArray {
        // Arrow's bits are little-endian; the words hold at least `len` bits by construction.
        let words: Vec<u64> = self.words.into_iter().map(u64::to_le).collect();
        BooleanArray::new(
            BooleanBuffer::new(Buffer::from_vec(words), 0, self.len),
            None,
        )
    }
}

fn words_of(nulls: &NullBuffer) -> Vec<u64> {
    nulls.inner().bit_chunks().iter_padded().collect()
}

const WORD: usize = 64;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_mask_agrees_with_a_list_of_flags(
            flags in prop::collection::vec((any::<bool>(), any::<bool>()), 0..200),
            skip in 0_usize..70,
        ) {
            // A slice of a null buffer starts at any bit.
            let all = NullBuffer::from(
                std::iter::repeat_n(true, skip)
                    .chain(flags.iter().map(|(_, valid)| *valid))
                    .collect::<Vec<bool>>(),
            );
            let nulls = all.slice(skip, flags.len());
            let values: Vec<bool> = flags.iter().map(|(fails, _)| *fails).collect();
            let mask = Mask::of_values(&values, |fails| fails).without_nulls(Some(&nulls));
            let expected: Vec<usize> = (0..flags.len())
                .filter(|row| flags[*row].0 && flags[*row].1)
                .collect();
            prop_assert_eq!(mask.count(), expected.len() as u64);
            prop_assert_eq!(mask.first(5), expected.iter().copied().take(5).collect::<Vec<_>>());
            prop_assert_eq!(mask.first(usize::MAX), expected);
            let null_rows = (0..flags.len()).filter(|row| !flags[*row].1).count();
            prop_assert_eq!(Mask::of_nulls(Some(&nulls), flags.len()).count(), null_rows as u64);
            let bits: Vec<bool> = mask.clone().into_array().values().iter().collect();
            let direct: Vec<bool> = (0..flags.len()).map(|row| mask.is_set(row)).collect();
            prop_assert_eq!(bits, direct);
        }
    }

    #[test]
    fn the_last_bits_of_a_word_stay_clear() {
        assert_eq!(Mask::full(65).count(), 65);
        assert_eq!(Mask::full(64).count(), 64);
        assert_eq!(Mask::full(0).count(), 0);
        let mut mask = Mask::empty(3);
        mask.set(3);
        assert_eq!(mask.count(), 0);
    }
}
