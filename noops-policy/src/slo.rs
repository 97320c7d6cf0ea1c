//! Objectives, error budgets and burn-rate alerts.

mod alert;
mod budget;
mod budgeting;
mod burn;
mod coverage;
mod duration_text;
mod error;
mod evidence;
mod export;
mod facts;
mod history;
mod import;
mod indicator;
mod labels;
mod ladder;
mod objective;
mod report;
mod ring;
mod settings;
mod tally;
mod target;
mod tracker;
mod window;

pub use self::alert::{AlertReason, AlertState, Burn, SloAlert};
pub use self::budget::BudgetStatus;
pub use self::budgeting::{BudgetingMethod, Slice};
pub use self::burn::{
    BurnRateRule, BurnRateRules, FactorChange, Ladder, Severity, detection_time, exhaustion_time,
    reset_time,
};
pub use self::error::SloError;
pub use self::evidence::LowTraffic;
pub use self::export::{CounterArithmetic, ExportError, PrometheusRules};
pub use self::facts::{fact_declarations, set_facts};
pub use self::history::Recorded;
pub use self::import::{
    AlertRouting, BurnCondition, Comparison, ImportError, ImportedSlo, NotifyWhen, Queries, Route,
    import,
};
pub use self::indicator::{Direction, Indicator, Threshold};
pub use self::labels::{Accepted, LabelInterval, LabelVerdict, LabelledEvents};
pub use self::ladder::{BudgetLadder, BudgetTier, TierChange, TierReason};
pub use self::objective::{Kind, Objective};
pub use self::report::SloReport;
pub use self::settings::SloSettings;
pub use self::tally::Tally;
pub use self::target::Target;
pub use self::tracker::{Outcome, SloTracker};
pub use self::window::{CalendarUnit, CalendarWindow, RollingWindow, Span, Window};
