use std::cmp::Ordering;
use std::ops::BitOr;

pub(super) use arithmetic::{Kind, Operation, arithmetic, negation};

mod arithmetic;

/// The numbers that a part of a condition can come to: a closed interval, and whether it can be NaN.
///
/// Every operation is sound: the result holds each number that the operation can come to on numbers of its operands.
/// Ends of doubles are rounded outwards; whole numbers are exact. There is no empty interval: where nothing is left, the
/// operation has no result and gives none.
#[derive(Clone, Copy, Debug)]
pub(super) struct Interval {
    low: Number,
    high: Number,
    grid: Grid,
    is_nan: bool,
}

/// Which numbers lie between the ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Grid {
    Whole,
    Double,
    /// Whole numbers and doubles: nothing is known about the neighbours of a number.
    Mixed,
}

/// A number that is not NaN.
#[derive(Clone, Copy, Debug)]
pub(super) enum Number {
    Whole(i128),
    Double(f64),
}

/// How two values can stand to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Orders(u8);

impl Interval {
    /// The whole numbers from `low` to `high`.
    pub(super) fn whole(low: i128, high: i128) -> Option<Self> {
        (low <= high).then_some(Self {
            low: Number::Whole(low),
            high: Number::Whole(high),
            grid: Grid::Whole,
            is_nan: false,
        })
    }

    /// The doubles from `low` to `high`.
    pub(super) fn double(low: f64, high: f64) -> Option<Self> {
        (low <= high).then_some(Self {
            low: Number::Double(low),
            high: Number::Double(high),
            grid: Grid::Double,
            is_nan: false,
        })
    }

    /// Every double there is.
    pub(super) fn any_double() -> Self {
        Self {
            low: Number::Double(f64::NEG_INFINITY),
            high: Number::Double(f64::INFINITY),
            grid: Grid::Double,
            is_nan: true,
        }
    }

    /// Exactly one double.
    pub(super) fn exactly(double: f64) -> Self {
        Self::double(double, double).unwrap_or_else(Self::any_double)
    }

    /// What a fact of this type and declared range can be.
    ///
    /// A whole number is checked against the range as a double, which rounds it: beyond two to the power 53 an end is
    /// moved out by one double.
    pub(super) fn declared(is_whole: IsWhole, min: Option<f64>, max: Option<f64>) -> Option<Self> {
        match is_whole {
            IsWhole::No => Self::double(min.unwrap_or(-f64::MAX), max.unwrap_or(f64::MAX)),
            IsWhole::Yes => {
                let least = i128::from(i64::MIN);
                let greatest = i128::from(i64::MAX);
                let low = min.map_or(least, |min| {
                    let end = if min.abs() < EXACT {
                        min
                    } else {
                        min.next_down()
                    };
                    (end.ceil() as i128).clamp(least, greatest)
                });
                let high = max.map_or(greatest, |max| {
                    let end = if max.abs() < EXACT {
                        max
                    } else {
                        max.next_up()
                    };
                    (end.floor() as i128).clamp(least, greatest)
                });
                Self::whole(low, high)
            }
        }
    }

    /// The one number it holds, if it is one.
    pub(super) fn only(&self) -> Option<Number> {
        (!self.is_nan && self.low.compare(self.high) == Ordering::Equal).then_some(self.low)
    }

    pub(super) fn can_be_nan(&self) -> bool {
        self.is_nan
    }

    pub(super) fn can_be_infinite(&self) -> bool {
        matches!(self.low, Number::Double(low) if low == f64::NEG_INFINITY)
            || matches!(self.high, Number::Double(high) if high == f64::INFINITY)
    }

    pub(super) fn can_be_finite(&self) -> bool {
        !matches!(self.low, Number::Double(low) if low == f64::INFINITY)
            && !matches!(self.high, Number::Double(high) if high == f64::NEG_INFINITY)
    }

    /// The ends, rounded outwards to doubles.
    pub(super) fn ends(&self) -> (f64, f64) {
        (self.low.double_below(), self.high.double_above())
    }

    /// How a number of this can stand to one of `other`.
    pub(super) fn orders(&self, other: &Self) -> Orders {
        let mut orders = Orders::NONE;
        if self.low.compare(other.high) == Ordering::Less {
            orders = orders | Orders::LESS;
        }
        if self.high.compare(other.low) == Ordering::Greater {
            orders = orders | Orders::GREATER;
        }
        if self.low.compare(other.high) != Ordering::Greater
            && other.low.compare(self.high) != Ordering::Greater
        {
            orders = orders | Orders::EQUAL;
        }
        if self.is_nan || other.is_nan {
            orders = orders | Orders::UNORDERED;
        }
        orders
    }

    /// What is left of this when a number of it stands to one of `other` in one of `orders`.
    pub(super) fn narrowed(&self, other: &Self, orders: Orders) -> Option<Self> {
        if orders.has(Orders::UNORDERED) && (self.is_nan || other.is_nan) {
            return Some(*self);
        }
        let mut left = *self;
        left.is_nan = self.is_nan && orders.has(Orders::UNORDERED);
        let strictly = !orders.has(Orders::EQUAL);
        if !orders.has(Orders::GREATER) {
            left.high = left.high.lower(self.grid.at_most(other.high, strictly));
        }
        if !orders.has(Orders::LESS) {
            left.low = left.low.higher(self.grid.at_least(other.low, strictly));
        }
        if !orders.has(Orders::EQUAL)
            && let Some(hole) = other.only()
        {
            if left.low.compare(hole) == Ordering::Equal {
                left.low = self.grid.at_least(hole, true);
            }
            if left.high.compare(hole) == Ordering::Equal {
                left.high = self.grid.at_most(hole, true);
            }
            if self
                .only()
                .is_some_and(|only| only.compare(hole) == Ordering::Equal)
            {
                return None;
            }
        }
        left.checked()
    }

    /// The numbers that are in both.
    pub(super) fn meet(&self, other: &Self) -> Option<Self> {
        let met = Self {
            low: self.low.higher(other.low),
            high: self.high.lower(other.high),
            grid: self.grid,
            is_nan: self.is_nan && other.is_nan,
        };
        met.checked().or(met.is_nan.then_some(*self))
    }

    /// The least interval that holds both.
    pub(super) fn hull(&self, other: &Self) -> Self {
        Self {
            low: self.low.lower(other.low),
            high: self.high.higher(other.high),
            grid: self.grid.beside(other.grid),
            is_nan: self.is_nan || other.is_nan,
        }
    }

    /// The greater of one of this and one of `other`.
    pub(super) fn greatest(&self, other: &Self) -> Self {
        if self.is_nan || other.is_nan {
            return self.hull(other);
        }
        Self {
            low: self.low.higher(other.low),
            high: self.high.higher(other.high),
            grid: self.grid.beside(other.grid),
            is_nan: false,
        }
    }

    /// The lesser of one of this and one of `other`.
    pub(super) fn least(&self, other: &Self) -> Self {
        if self.is_nan || other.is_nan {
            return self.hull(other);
        }
        Self {
            low: self.low.lower(other.low),
            high: self.high.lower(other.high),
            grid: self.grid.beside(other.grid),
            is_nan: false,
        }
    }

    /// Applies a function that never decreases and gives every whole number and every double exactly.
    pub(super) fn monotone(&self, double: impl Fn(f64) -> f64) -> Option<Self> {
        match (self.low, self.high) {
            (Number::Double(low), Number::Double(high)) if self.grid == Grid::Double => {
                let mut image = Self::double(double(low), double(high))?;
                image.is_nan = self.is_nan;
                Some(image)
            }
            _ => {
                let image = |end: Number| match end {
                    Number::Double(end) => Number::Double(double(end)),
                    Number::Whole(_) => end,
                };
                Some(Self {
                    low: image(self.low),
                    high: image(self.high),
                    ..*self
                })
            }
        }
    }

    pub(super) fn absolute(&self) -> Option<Self> {
        let zero = Number::Whole(0);
        if self.low.compare(zero) != Ordering::Less {
            return Some(*self);
        }
        let flipped = Self {
            low: self.high.negated(),
            high: self.low.negated(),
            ..*self
        };
        if self.high.compare(zero) != Ordering::Greater {
            return Some(flipped);
        }
        Some(Self {
            low: match self.grid {
                Grid::Double => Number::Double(0.0),
                Grid::Whole | Grid::Mixed => zero,
            },
            high: self.high.higher(flipped.high),
            ..*self
        })
    }

    pub(super) fn square_root(&self) -> Self {
        let (low, high) = self.ends();
        let mut root = Self::double(
            low.max(0.0).sqrt().next_down().max(0.0),
            high.max(0.0).sqrt().next_up(),
        )
        .unwrap_or_else(Self::any_double);
        root.is_nan = self.is_nan || low < 0.0;
        root
    }

    /// The same numbers as doubles.
    pub(super) fn to_double(self) -> Self {
        let nearest = |number: Number| match number {
            Number::Whole(whole) => whole as f64,
            Number::Double(double) => double,
        };
        let mut converted =
            Self::double(nearest(self.low), nearest(self.high)).unwrap_or_else(Self::any_double);
        converted.is_nan = self.is_nan;
        converted
    }

    /// The same numbers without their fractions, as far as they are between `least` and `greatest`.
    pub(super) fn to_whole(self, least: i128, greatest: i128) -> Option<Self> {
        let whole = |number: Number| match number {
            Number::Whole(whole) => whole,
            // The cast saturates far beyond every bound it can meet here.
            Number::Double(double) => double.trunc() as i128,
        };
        Self::whole(whole(self.low).max(least), whole(self.high).min(greatest))
    }

    fn checked(self) -> Option<Self> {
        (self.low.compare(self.high) != Ordering::Greater).then_some(self)
    }
}

/// Whether a fact is a whole number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum IsWhole {
    Yes,
    No,
}

impl Grid {
    fn beside(self, other: Self) -> Self {
        if self == other { self } else { Self::Mixed }
    }

    /// The least number of this grid that is at least `bound`, or above it; or something lower.
    fn at_least(self, bound: Number, strictly: bool) -> Number {
        match self {
            Self::Mixed => bound,
            Self::Whole => Number::Whole(match bound {
                Number::Whole(whole) => whole.saturating_add(i128::from(strictly)),
                Number::Double(double) => {
                    let ceiling = double.ceil();
                    (ceiling as i128).saturating_add(i128::from(strictly && ceiling == double))
                }
            }),
            Self::Double => {
                let end = bound.double_below();
                let is_exact = bound.compare(Number::Double(end)) == Ordering::Equal;
                Number::Double(if is_exact && !strictly {
                    end
                } else {
                    end.next_up()
                })
            }
        }
    }

    /// The greatest number of this grid that is at most `bound`, or below it; or something higher.
    fn at_most(self, bound: Number, strictly: bool) -> Number {
        self.at_least(bound.negated(), strictly).negated()
    }
}

impl Number {
    /// The exact order of the two numbers.
    pub(super) fn compare(self, other: Self) -> Ordering {
        match (self, other) {
            (Self::Whole(a), Self::Whole(b)) => a.cmp(&b),
            (Self::Double(a), Self::Double(b)) => a.partial_cmp(&b).unwrap_or(Ordering::Equal),
            (Self::Whole(a), Self::Double(b)) => compare_whole(a, b),
            (Self::Double(a), Self::Whole(b)) => compare_whole(b, a).reverse(),
        }
    }

    fn higher(self, other: Self) -> Self {
        if other.compare(self) == Ordering::Greater {
            other
        } else {
            self
        }
    }

    fn lower(self, other: Self) -> Self {
        if other.compare(self) == Ordering::Less {
            other
        } else {
            self
        }
    }

    fn negated(self) -> Self {
        match self {
            Self::Whole(whole) => Self::Whole(whole.saturating_neg()),
            Self::Double(double) => Self::Double(-double),
        }
    }

    /// The greatest double that is not above this.
    fn double_below(self) -> f64 {
        match self {
            Self::Double(double) => double,
            Self::Whole(whole) => {
                let nearest = whole as f64;
                if compare_whole(whole, nearest) == Ordering::Less {
                    nearest.next_down()
                } else {
                    nearest
                }
            }
        }
    }

    fn double_above(self) -> f64 {
        -self.negated().double_below()
    }
}

fn compare_whole(whole: i128, double: f64) -> Ordering {
    let floor = double.floor();
    match whole.cmp(&(floor as i128)) {
        Ordering::Equal if double > floor => Ordering::Less,
        order => order,
    }
}

impl Orders {
    pub(super) const NONE: Self = Self(0);
    pub(super) const LESS: Self = Self(1);
    pub(super) const EQUAL: Self = Self(2);
    pub(super) const GREATER: Self = Self(4);
    /// Neither equal nor ordered: NaN, and values that do not compare.
    pub(super) const UNORDERED: Self = Self(8);
    pub(super) const ALL: Self = Self(15);
    pub(super) const UNEQUAL: Self = Self(1 | 4 | 8);

    pub(super) fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    pub(super) fn both(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    pub(super) fn others(self) -> Self {
        Self(Self::ALL.0 & !self.0)
    }

    /// The same orders with the two values swapped.
    pub(super) fn swapped(self) -> Self {
        let kept = self.both(Self::EQUAL | Self::UNORDERED);
        let less = if self.has(Self::GREATER) {
            Self::LESS
        } else {
            Self::NONE
        };
        let greater = if self.has(Self::LESS) {
            Self::GREATER
        } else {
            Self::NONE
        };
        kept | less | greater
    }
}

impl BitOr for Orders {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// Up to here every whole number is a double.
const EXACT: f64 = 9_007_199_254_740_992.0;
