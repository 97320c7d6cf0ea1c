use std::fmt;

/// Why an objective, a rule or a state was refused.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum SloError {
    /// A name that cannot be used.
    Name {
        /// The name as it was given.
        name: String,
        /// What is wrong with it and what to do.
        problem: String,
    },
    /// A target that leaves no budget, or nothing but budget.
    Target {
        /// The ratio as it was given.
        ratio: f64,
    },
    /// A threshold that is not a number.
    Threshold {
        /// The bound as it was given.
        bound: f64,
    },
    /// A duration that a window, slice or rule cannot have.
    Duration {
        /// What it is the duration of.
        what: &'static str,
        /// The duration as text.
        given: String,
        /// What is allowed.
        allowed: String,
    },
    /// A time zone that the bundled database does not hold.
    TimeZone {
        /// The name as it was given.
        name: String,
        /// The zone nearest to it, if one is near.
        suggestion: Option<String>,
    },
    /// A setting out of its range.
    Setting {
        /// The setting.
        name: &'static str,
        /// What is wrong and what to do.
        problem: String,
    },
    /// A rule that can never fire: its factor times the budget is at least one.
    Unreachable {
        /// The factor.
        factor: f64,
        /// The budget.
        budget: f64,
        /// The greatest factor that still leaves room to fire.
        reachable: f64,
    },
    /// A stored state that no sequence of events leads to.
    State {
        /// What is wrong with it.
        problem: String,
    },
    /// The fact schema does not declare what the objective publishes.
    Facts {
        /// What the fact table said.
        problem: String,
    },
}

impl fmt::Display for SloError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name { name, problem } => write!(f, "name `{name}`: {problem}"),
            Self::Target { ratio } => write!(
                f,
                "target `{ratio}` must be a ratio strictly between 0 and 1, such as `0.999`"
            ),
            Self::Threshold { bound } => {
                write!(f, "threshold `{bound}` must be a finite number")
            }
            Self::Duration {
                what,
                given,
                allowed,
            } => write!(f, "{what} of `{given}` must be {allowed}"),
            Self::TimeZone { name, suggestion } => {
                write!(f, "unknown time zone `{name}`")?;
                match suggestion {
                    Some(near) => write!(f, "; did you mean `{near}`?"),
                    None => write!(f, "; give an IANA name such as `Europe/Berlin`"),
                }
            }
            Self::Setting { name, problem } => write!(f, "`{name}`: {problem}"),
            Self::Unreachable {
                factor,
                budget,
                reachable,
            } => write!(
                f,
                "a burn rate above `{factor}` can never happen with a budget of `{budget}`; use at most `{reachable}`"
            ),
            Self::State { problem } => write!(f, "stored state: {problem}"),
            Self::Facts { problem } => write!(f, "facts of the objective: {problem}"),
        }
    }
}

impl std::error::Error for SloError {}
