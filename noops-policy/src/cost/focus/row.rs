use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::cost::{CostError, Currency, Money};
use crate::slo::Span;

/// One charge, in the columns of the FinOps Open Cost and Usage Specification (FOCUS).
///
/// The effective and the list cost are the billed cost until they are set.
///
/// # Examples
///
/// ```
/// use noops_policy::cost::{ChargeCategory, FocusRow, to_csv};
/// use noops_policy::slo::{CalendarUnit, CalendarWindow};
///
/// let at = "2026-03-10T12:00:00Z".parse()?;
/// let day = CalendarWindow::new(CalendarUnit::Day, "UTC")?.span(at);
/// let month = CalendarWindow::new(CalendarUnit::Month, "UTC")?.span(at);
/// let row = FocusRow::new("12.50".parse()?, "EUR".parse()?, day, month, ChargeCategory::Usage)
///     .with_consumed("3.25".parse()?, "Hours")?
///     .with_resource("gpu-7", "machine")
///     .with_tag("team", "risk");
/// let csv = to_csv(&[row]);
/// assert!(csv.starts_with("BilledCost,EffectiveCost,ListCost,BillingCurrency,"));
/// assert!(csv.contains("12.50,12.50,12.50,EUR,2026-03-10T00:00:00Z,2026-03-11T00:00:00Z,"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FocusRow {
    pub(super) billed: Money,
    pub(super) effective: Money,
    pub(super) list: Money,
    pub(super) currency: Currency,
    pub(super) charge: Span,
    pub(super) billing: Span,
    pub(super) category: ChargeCategory,
    pub(super) class: Option<ChargeClass>,
    pub(super) consumed: Option<Consumed>,
    pub(super) resource: Option<Resource>,
    pub(super) service: Option<String>,
    pub(super) sku: Option<String>,
    pub(super) sub_account: Option<String>,
    pub(super) tags: BTreeMap<String, String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Consumed {
    pub(super) quantity: Money,
    pub(super) unit: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Resource {
    pub(super) id: String,
    pub(super) kind: String,
}

impl FocusRow {
    /// A charge of `billed` that was incurred in the period `charge` and is invoiced in the period `billing`.
    pub fn new(
        billed: Money,
        currency: Currency,
        charge: Span,
        billing: Span,
        category: ChargeCategory,
    ) -> Self {
        Self {
            billed,
            effective: billed,
            list: billed,
            currency,
            charge,
            billing,
            category,
            class: None,
            consumed: None,
            resource: None,
            service: None,
            sku: None,
            sub_account: None,
            tags: BTreeMap::new(),
        }
    }

    /// Sets the cost after discounts and with prepayments spread over what they paid for.
    #[must_use]
    pub fn with_effective(mut self, effective: Money) -> Self {
        self.effective = effective;
        self
    }

    /// Sets the cost at list prices.
    #[must_use]
    pub fn with_list(mut self, list: Money) -> Self {
        self.list = list;
        self
    }

    /// Says that it corrects an earlier invoice.
    #[must_use]
    pub fn with_class(mut self, class: ChargeClass) -> Self {
        self.class = Some(class);
        self
    }

    /// Sets what was used, as an exact decimal, and its unit.
    ///
    /// # Errors
    ///
    /// [`CostError::Setting`] unless the category is usage: the specification has nothing consumed elsewhere.
    pub fn with_consumed(
        mut self,
        quantity: Money,
        unit: impl Into<String>,
    ) -> Result<Self, CostError> {
        if self.category != ChargeCategory::Usage {
            return Err(CostError::Setting {
                name: "consumed",
                problem: format!(
                    "a charge of category `{}` consumes nothing; leave it out",
                    self.category.name()
                ),
            });
        }
        self.consumed = Some(Consumed {
            quantity,
            unit: unit.into(),
        });
        Ok(self)
    }

    /// Sets the resource and its type.
    #[must_use]
    pub fn with_resource(mut self, id: impl Into<String>, kind: impl Into<String>) -> Self {
        self.resource = Some(Resource {
            id: id.into(),
            kind: kind.into(),
        });
        self
    }

    /// Sets the service.
    #[must_use]
    pub fn with_service(mut self, service: impl Into<String>) -> Self {
        self.service = Some(service.into());
        self
    }

    /// Sets the stock keeping unit.
    #[must_use]
    pub fn with_sku(mut self, sku: impl Into<String>) -> Self {
        self.sku = Some(sku.into());
        self
    }

    /// Sets the sub-account.
    #[must_use]
    pub fn with_sub_account(mut self, sub_account: impl Into<String>) -> Self {
        self.sub_account = Some(sub_account.into());
        self
    }

    /// Sets a tag.
    #[must_use]
    pub fn with_tag(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.tags.insert(key.into(), value.into());
        self
    }

    /// The billed cost.
    pub fn billed(&self) -> Money {
        self.billed
    }

    /// The category.
    pub fn category(&self) -> ChargeCategory {
        self.category
    }

    /// Whether it corrects an earlier invoice.
    pub fn class(&self) -> Option<ChargeClass> {
        self.class
    }
}

/// What a charge is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ChargeCategory {
    /// The use of a resource.
    Usage,
    /// The acquisition of something, such as a commitment.
    Purchase,
    /// A tax.
    Tax,
    /// Something given back.
    Credit,
    /// A change after the fact.
    Adjustment,
}

impl ChargeCategory {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Usage => "Usage",
            Self::Purchase => "Purchase",
            Self::Tax => "Tax",
            Self::Credit => "Credit",
            Self::Adjustment => "Adjustment",
        }
    }
}

/// Whether a charge corrects one that was invoiced before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ChargeClass {
    /// It corrects a billing period that was invoiced before.
    Correction,
}
