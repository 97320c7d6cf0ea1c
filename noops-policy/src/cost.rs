//! Money: budgets that are asked before it is spent, forecasts, and what a unit of work costs.

mod account;
mod budget;
mod currency;
mod error;
mod event;
mod facts;
mod focus;
mod forecast;
mod governor;
mod ladder;
mod money;
mod outcome;
mod path;
mod purpose;
mod refusal;
mod request;
mod shared;
mod status;
mod unit_cost;
mod worth;

pub use self::budget::CostBudget;
pub use self::currency::Currency;
pub use self::error::CostError;
pub use self::event::{CostEvent, CostEventKind};
pub use self::facts::{fact_declarations, set_facts};
pub use self::focus::{ChargeCategory, ChargeClass, FocusRow, to_csv, to_json};
pub use self::forecast::{Forecast, ForecastSettings};
pub use self::governor::CostGovernor;
pub use self::ladder::{
    InterruptionRate, LadderJob, PriceList, Rung, RungVerdict, Tier, TierDecision, TierLadder,
};
pub use self::money::Money;
pub use self::outcome::{
    OverCap, PeriodState, Reservation, RestatedPeriod, Restatement, Settlement, SoftCapWarning,
    Timeliness,
};
pub use self::path::{BudgetLevel, BudgetPath};
pub use self::purpose::Purpose;
pub use self::refusal::{CostRefusal, CostRefusalReason};
pub use self::request::{Adjustment, SpendRequest};
pub use self::shared::SharedCostGovernor;
pub use self::status::CostStatus;
pub use self::unit_cost::UnitCost;
pub use self::worth::{Estimate, RetrainCase, WorthReport, WorthVerdict};
