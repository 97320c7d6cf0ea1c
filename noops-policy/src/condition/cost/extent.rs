/// The greatest extent of a value: bytes of text, or items and what is in them.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Extent {
    size: u64,
    item: Option<Box<Extent>>,
}

impl Extent {
    /// A value that costs nothing to read.
    pub(super) fn scalar() -> Self {
        Self::default()
    }

    pub(super) fn text(bytes: u64) -> Self {
        Self {
            size: bytes,
            item: None,
        }
    }

    pub(super) fn many(items: u64, item: Self) -> Self {
        Self {
            size: items,
            item: Some(Box::new(item)),
        }
    }

    /// Bytes or items.
    pub(super) fn size(&self) -> u64 {
        self.size
    }

    /// The extent of one item.
    pub(super) fn into_item(self) -> Self {
        self.item.map_or_else(Self::scalar, |item| *item)
    }

    /// The greater of both in every way.
    pub(super) fn or(self, other: Self) -> Self {
        Self {
            size: self.size.max(other.size),
            item: match (self.item, other.item) {
                (Some(a), Some(b)) => Some(Box::new(a.or(*b))),
                (one, two) => one.or(two),
            },
        }
    }

    /// The extent of both, one behind the other.
    pub(super) fn followed_by(&self, other: &Self) -> Self {
        Self {
            size: self.size.saturating_add(other.size),
            ..self.clone().or(other.clone())
        }
    }

    /// What reading it costs: a unit for ten bytes, or for an item.
    pub(super) fn reading(&self) -> u64 {
        match self.item {
            None => self.size.div_ceil(10),
            Some(_) => self.size,
        }
    }

    /// What comparing with `other` costs at most.
    pub(super) fn comparing(&self, other: &Self) -> u64 {
        let size = self.size.min(other.size);
        match (&self.item, &other.item) {
            (Some(a), Some(b)) => size.saturating_mul(a.comparing(b).saturating_add(1)),
            _ => size.div_ceil(10),
        }
    }

    /// The bytes that it has when it is formatted, with room for what stands between items.
    pub(super) fn written(&self) -> u64 {
        match &self.item {
            None => self.size.saturating_mul(3).saturating_add(FORMATTED),
            Some(item) => self
                .size
                .saturating_mul(item.written().saturating_add(8).saturating_mul(2))
                .saturating_add(2),
        }
    }
}

/// A number takes less, in every base and with every precision that can be asked for.
const FORMATTED: u64 = 1600;
