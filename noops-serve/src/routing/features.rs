//! The rows of a request, as rules and guards read them.

use noops_core::{Batch, Contract, Error, ErrorKind, FeatureKind, Remedy};

use crate::runtime::Request;

/// Reads rows by a contract without refusing or repairing a value.
#[derive(Clone, Debug)]
pub(super) struct FeatureReader {
    contract: Contract,
    number_width: usize,
    code_width: usize,
}

impl FeatureReader {
    pub(super) fn new(contract: &Contract) -> Result<Self, Error> {
        let rules = contract.rules().iter().cloned();
        let lenient =
            rules.map(|rule| rule.with_missing(Remedy::Allow).with_outside(Remedy::Allow));
        let contract = Contract::new(lenient, *contract.output())?;
        let rules = contract.rules().iter();
        let numbers = rules.filter(|rule| is_number(rule.feature().kind()));
        let number_width = numbers.count();
        Ok(Self {
            number_width,
            code_width: contract.rules().len() - number_width,
            contract,
        })
    }

    pub(super) fn contract(&self) -> &Contract {
        &self.contract
    }

    /// All rows of a request.
    pub(super) fn read(&self, request: &Request) -> Result<Batch, Error> {
        let batch = request.input().encode(&self.contract)?.into_batch();
        if batch.rows() == request.ids().len() {
            return Ok(batch);
        }
        Err(Error::new(
            ErrorKind::Corrupt,
            "read rows to route them",
            "the contract left rows out",
        ))
    }

    pub(super) fn row<'a>(&'a self, batch: &'a Batch, row: usize) -> RowFeatures<'a> {
        RowFeatures {
            contract: &self.contract,
            numbers: run_of(batch.numbers(), row, self.number_width),
            codes: run_of(batch.codes(), row, self.code_width),
        }
    }
}

/// The features of one row, as they came.
#[derive(Clone, Copy, Debug)]
pub struct RowFeatures<'a> {
    contract: &'a Contract,
    pub(super) numbers: &'a [f32],
    pub(super) codes: &'a [u32],
}

impl<'a> RowFeatures<'a> {
    /// A number; `None` where it is missing, and where no numeric feature has this name.
    ///
    /// # Complexity
    ///
    /// Linear in the number of features.
    #[must_use]
    pub fn number(&self, feature: &str) -> Option<f32> {
        let rules = self.contract.rules().iter().map(|rule| rule.feature());
        let mut numbers = rules.filter(|rule| is_number(rule.kind()));
        let place = numbers.position(|rule| rule.name() == feature)?;
        let number = self.numbers.get(place).copied();
        number.filter(|number| !number.is_nan())
    }

    /// A category; `None` where it is missing or unknown to the contract, and where no such feature has this name.
    ///
    /// # Complexity
    ///
    /// Linear in the number of features.
    #[must_use]
    pub fn category(&self, feature: &str) -> Option<&'a str> {
        let rules = self.contract.rules().iter().map(|rule| rule.feature());
        let mut named = rules.filter(|rule| !is_number(rule.kind())).enumerate();
        let (place, rule) = named.find(|(_, rule)| rule.name() == feature)?;
        let FeatureKind::Category { categories } = rule.kind() else {
            return None;
        };
        let code = usize::try_from(*self.codes.get(place)?).ok()?;
        categories.get(code.checked_sub(1)?).map(String::as_str)
    }
}

fn is_number(kind: &FeatureKind) -> bool {
    matches!(kind, FeatureKind::Number { .. })
}

fn run_of<T>(values: &[T], row: usize, width: usize) -> &[T] {
    let start = row.saturating_mul(width);
    values
        .get(start..start.saturating_add(width))
        .unwrap_or_default()
}
