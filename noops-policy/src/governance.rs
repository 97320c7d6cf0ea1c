//! From a control that somebody must meet to the policies that meet it and the records that show it.
//!
//! A [`ControlMapping`] says which policies serve a control of the EU AI Act, the NIST AI Risk Management Framework,
//! ISO/IEC 42001 or a house rule, and which recorded decisions are evidence of it. It is checked against the policies when
//! it is loaded; [`ControlMapping::coverage`] says what is served and [`ControlMapping::evidence`] what was recorded.
//!
//! This is bookkeeping, not legal advice: whether a system falls under an obligation, and whether a control meets it, is
//! for people to judge, and a covered control is a mapped one, not a met one. Under the amendment of the EU AI Act that
//! was adopted on 29 June 2026, the obligations for high-risk systems apply from 2 December 2027 (Annex III) and from
//! 2 August 2028 (Annex I). The other two frameworks are voluntary.

mod catalogue;
mod control;
mod coverage;
mod error;
mod evidence;
mod mapping;
mod query;

#[cfg(test)]
mod tests;

pub use catalogue::catalogue;
pub use control::{Control, Framework, Necessity};
pub use coverage::{Coverage, CoverageReport, CoverageRow};
pub use error::GovernanceError;
pub use evidence::{EvidenceReport, EvidenceRow, Gap};
pub use mapping::{ControlMapping, MappedControl};
pub use query::{DecisionKind, EvidenceQuery};
