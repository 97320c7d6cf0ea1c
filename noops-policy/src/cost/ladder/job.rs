use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::cost::{CostError, Money};

/// A job that can run in several places.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LadderJob {
    work: Duration,
    deadline: Timestamp,
    checkpoint: Duration,
    restart: Duration,
}

impl LadderJob {
    /// A job that takes `work` without interruptions and starts over after each.
    pub fn new(work: Duration, deadline: Timestamp) -> Self {
        Self {
            work,
            deadline,
            checkpoint: work,
            restart: Duration::ZERO,
        }
    }

    /// Sets the most work that an interruption destroys: the time between two checkpoints.
    #[must_use]
    pub fn with_checkpoint(mut self, checkpoint: Duration) -> Self {
        self.checkpoint = checkpoint;
        self
    }

    /// Sets how long it takes to go on after an interruption.
    #[must_use]
    pub fn with_restart(mut self, restart: Duration) -> Self {
        self.restart = restart;
        self
    }

    /// The time it takes without interruptions.
    pub fn work(&self) -> Duration {
        self.work
    }

    /// When it has to be done.
    pub fn deadline(&self) -> Timestamp {
        self.deadline
    }

    /// The most work that an interruption destroys.
    pub fn checkpoint(&self) -> Duration {
        self.checkpoint
    }

    /// How long it takes to go on after an interruption.
    pub fn restart(&self) -> Duration {
        self.restart
    }
}

/// What an hour costs, by where it runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "RawPrices", into = "RawPrices")]
pub struct PriceList {
    on_demand: Money,
    spot: Option<Money>,
    smaller: Option<Smaller>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Smaller {
    price: Money,
    time_percent: u32,
}

impl PriceList {
    /// The price of an hour on demand; neither spot nor a smaller model is offered.
    ///
    /// # Errors
    ///
    /// [`CostError::Amount`] for a price below zero.
    pub fn new(on_demand: Money) -> Result<Self, CostError> {
        Ok(Self {
            on_demand: price(on_demand)?,
            spot: None,
            smaller: None,
        })
    }

    /// Sets the price of an hour on spot.
    ///
    /// # Errors
    ///
    /// [`CostError::Amount`] for a price below zero.
    pub fn with_spot(mut self, spot: Money) -> Result<Self, CostError> {
        self.spot = Some(price(spot)?);
        Ok(self)
    }

    /// Sets the price of an hour with a smaller model, which takes `time_percent` of the time of the usual one.
    ///
    /// # Errors
    ///
    /// [`CostError::Amount`] for a price below zero, [`CostError::Setting`] for a time of nothing.
    pub fn with_smaller(mut self, smaller: Money, time_percent: u32) -> Result<Self, CostError> {
        if time_percent == 0 {
            return Err(CostError::Setting {
                name: "time_percent",
                problem: "`0` must be above zero; no model takes no time".to_owned(),
            });
        }
        self.smaller = Some(Smaller {
            price: price(smaller)?,
            time_percent,
        });
        Ok(self)
    }

    /// The price of an hour on demand.
    pub fn on_demand(&self) -> Money {
        self.on_demand
    }

    /// The price of an hour on spot, if it is offered.
    pub fn spot(&self) -> Option<Money> {
        self.spot
    }

    pub(super) fn smaller(&self) -> Option<(Money, u32)> {
        self.smaller.map(|one| (one.price, one.time_percent))
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPrices {
    on_demand: Money,
    spot: Option<Money>,
    smaller: Option<Smaller>,
}

impl TryFrom<RawPrices> for PriceList {
    type Error = CostError;

    fn try_from(raw: RawPrices) -> Result<Self, CostError> {
        let mut prices = Self::new(raw.on_demand)?;
        if let Some(spot) = raw.spot {
            prices = prices.with_spot(spot)?;
        }
        if let Some(smaller) = raw.smaller {
            prices = prices.with_smaller(smaller.price, smaller.time_percent)?;
        }
        Ok(prices)
    }
}

impl From<PriceList> for RawPrices {
    fn from(prices: PriceList) -> Self {
        Self {
            on_demand: prices.on_demand,
            spot: prices.spot,
            smaller: prices.smaller,
        }
    }
}

fn price(price: Money) -> Result<Money, CostError> {
    if price.is_negative() {
        Err(CostError::amount(
            price,
            "must not be below zero for a price",
        ))
    } else {
        Ok(price)
    }
}
