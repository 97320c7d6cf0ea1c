/// The last values of a stream, in order of arrival and in order of size, in arrays that are made once.
#[derive(Clone, Debug)]
pub(super) struct Window {
    /// A ring; the oldest value of a full window lies at `next`.
    values: Vec<f64>,
    next: usize,
    filled: usize,
    recent: usize,
    /// Of a full window only, ascending.
    sorted: Vec<Place>,
}

impl Window {
    pub(super) fn new(size: usize, recent: usize) -> Self {
        let none = Place {
            value: 0.0,
            slot: 0,
        };
        Self {
            values: vec![0.0; size],
            next: 0,
            filled: 0,
            recent,
            sorted: vec![none; size],
        }
    }

    pub(super) fn clear(&mut self) {
        self.next = 0;
        self.filled = 0;
    }

    /// The values, oldest first.
    pub(super) fn values(&self) -> impl Iterator<Item = f64> {
        let size = self.values.len().max(1);
        let first = self.next + size - self.filled;
        (0..self.filled).filter_map(move |i| self.values.get((first + i) % size).copied())
    }

    pub(super) fn push(&mut self, value: f64) {
        let size = self.values.len();
        let slot = self.next;
        let Some(place) = self.values.get_mut(slot) else {
            return;
        };
        let gone = std::mem::replace(place, value);
        self.next = if slot + 1 < size { slot + 1 } else { 0 };
        if self.filled == size {
            self.replace(gone, Place { value, slot });
            return;
        }
        self.filled += 1;
        if self.filled == size {
            for (slot, (place, &value)) in self.sorted.iter_mut().zip(&self.values).enumerate() {
                *place = Place { value, slot };
            }
            self.sorted
                .sort_unstable_by(|a, b| a.value.total_cmp(&b.value).then(a.slot.cmp(&b.slot)));
        }
    }

    /// Forgets all but the recent values.
    pub(super) fn keep_recent(&mut self) {
        self.filled = self.filled.min(self.recent);
    }

    /// The largest distance between the distributions of recent and older values, in units of 1 / (recent · older);
    /// nothing until the window is full.
    pub(super) fn gap(&self) -> Option<u64> {
        let size = self.values.len();
        if self.filled < size || size <= self.recent {
            return None;
        }
        let (up, down) = ((size - self.recent) as i64, self.recent as i64);
        let (mut level, mut largest) = (0_i64, 0_u64);
        let mut before = f64::NAN;
        for place in &self.sorted {
            // Between equal values the distributions have no point at which they could be compared.
            if place.value != before {
                largest = largest.max(level.unsigned_abs());
                before = place.value;
            }
            // Slots behind `next` are one turn younger.
            let age = if place.slot < self.next {
                self.next - 1 - place.slot
            } else {
                self.next + size - 1 - place.slot
            };
            level += if age < self.recent { up } else { -down };
        }
        Some(largest)
    }

    /// Takes the place of the oldest value, whose slot the new one has.
    fn replace(&mut self, gone: f64, new: Place) {
        let first = self
            .sorted
            .partition_point(|place| place.value.total_cmp(&gone).is_lt());
        let Some(offset) = self
            .sorted
            .iter()
            .skip(first)
            .position(|place| place.slot == new.slot)
        else {
            return;
        };
        let from = first + offset;
        let to = self
            .sorted
            .partition_point(|place| place.value.total_cmp(&new.value).is_lt());
        if to > from {
            // The place at `from` goes, so the one before `to` is free after moving the rest down.
            if let Some(moved) = self.sorted.get_mut(from..to) {
                moved.rotate_left(1);
                if let Some(last) = moved.last_mut() {
                    *last = new;
                }
            }
        } else if let Some(moved) = self.sorted.get_mut(to..=from) {
            moved.rotate_right(1);
            if let Some(first) = moved.first_mut() {
                *first = new;
            }
        }
    }
}

impl PartialEq for Window {
    /// Two windows are equal when they hold the same values, wherever their rings begin.
    fn eq(&self, other: &Self) -> bool {
        self.values.len() == other.values.len()
            && self.recent == other.recent
            && self.values().eq(other.values())
    }
}

#[derive(Clone, Copy, Debug)]
struct Place {
    value: f64,
    slot: usize,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The gap by comparing both distributions at every value.
    fn naive(values: &[f64], recent: usize) -> u64 {
        let (older, newer) = values.split_at(values.len() - recent);
        let at_most = |side: &[f64], x: f64| side.iter().filter(|&&y| y <= x).count() as i64;
        values
            .iter()
            .map(|&x| {
                let gap =
                    at_most(newer, x) * older.len() as i64 - at_most(older, x) * newer.len() as i64;
                gap.unsigned_abs()
            })
            .max()
            .unwrap()
    }

    proptest! {
        #[test]
        fn the_gap_is_that_of_both_distributions(
            stream in prop::collection::vec(-4_i32..5, 12..80),
            recent in 1_usize..11,
        ) {
            let mut window = Window::new(12, recent);
            let mut seen = Vec::new();
            for value in stream {
                // Negative zero and zero are one value.
                let value = f64::from(value) * -0.5;
                window.push(value);
                seen.push(value);
                let expected = (seen.len() >= 12).then(|| naive(&seen[seen.len() - 12..], recent));
                prop_assert_eq!(window.gap(), expected);
                prop_assert!(window.values().eq(seen.iter().rev().take(12).rev().copied()));
            }
        }
    }
}
