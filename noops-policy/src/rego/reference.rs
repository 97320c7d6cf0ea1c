use regorus::unstable::{Expr, Span};

/// A path as it is written: `input.drift.psi` or `data.lib.limits[env]`.
#[derive(Clone, Debug)]
pub(super) struct Reference<'a> {
    pub(super) root: &'a str,
    pub(super) steps: Vec<Step>,
    pub(super) span: &'a Span,
}

/// One step of a path.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Step {
    Name(String),
    /// Anything but a literal text: known at run time, or the index of a list.
    Dynamic,
}

impl<'a> Reference<'a> {
    /// The path that an expression is, if it starts at a name.
    pub(super) fn of(expression: &'a Expr) -> Option<Self> {
        let mut steps = Vec::new();
        let mut at = expression;
        loop {
            match at {
                Expr::Var { span, .. } => {
                    steps.reverse();
                    return Some(Self {
                        root: span.text(),
                        steps,
                        span: expression.span(),
                    });
                }
                Expr::RefDot { refr, field, .. } => {
                    steps.push(Step::Name(field.0.text().to_owned()));
                    at = refr;
                }
                Expr::RefBrack { refr, index, .. } => {
                    steps.push(literal(index));
                    at = refr;
                }
                _ => return None,
            }
        }
    }

    /// The path with dots, up to the first step that is only known at run time.
    pub(super) fn dotted(&self) -> String {
        let mut path = self.root.to_owned();
        for name in names(&self.steps) {
            path.push('.');
            path.push_str(name);
        }
        path
    }
}

/// The names before the first dynamic step.
pub(super) fn names(steps: &[Step]) -> Vec<&str> {
    steps
        .iter()
        .map_while(|step| match step {
            Step::Name(name) => Some(name.as_str()),
            Step::Dynamic => None,
        })
        .collect()
}

fn literal(index: &Expr) -> Step {
    match index {
        Expr::String { value, .. } | Expr::RawString { value, .. } => value
            .as_string()
            .map_or(Step::Dynamic, |text| Step::Name(text.as_ref().to_owned())),
        _ => Step::Dynamic,
    }
}
