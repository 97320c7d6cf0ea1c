use super::types::Type;

/// The type variables of one check and what they have turned out to be.
///
/// A variable is a [`Type::Parameter`] numbered from [`FIRST_VARIABLE`] on; the parameters of signatures are letters and
/// never meet one. Assignability is that of the reference checker: `dyn` fits everything, and of two types that fit, a
/// variable takes the more general.
///
/// Types are trees, so hostile nesting could make them exponentially large or too deep to walk; the work is bounded, and
/// a check that reaches a bound says so ([`Self::is_exhausted`]) instead of finishing.
#[derive(Debug)]
pub(super) struct Unifier {
    bound: Vec<Option<Type>>,
    trail: Vec<(usize, Option<Type>)>,
    steps_left: usize,
    exhausted: bool,
}

/// A state to which a failed attempt returns.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mark {
    variables: usize,
    trail: usize,
}

impl Unifier {
    pub(super) fn new() -> Self {
        Self {
            bound: Vec::new(),
            trail: Vec::new(),
            steps_left: MAX_STEPS,
            exhausted: false,
        }
    }

    pub(super) fn fresh(&mut self) -> Type {
        let variable = u32::try_from(self.bound.len())
            .ok()
            .filter(|number| *number < MAX_VARIABLES)
            .and_then(|number| char::from_u32(FIRST_VARIABLE + number));
        match variable {
            Some(variable) => {
                self.bound.push(None);
                Type::Parameter(variable)
            }
            None => {
                self.exhausted = true;
                Type::Dyn
            }
        }
    }

    /// Whether a value of type `from` can stand where `to` is wanted; if not, nothing is learnt.
    pub(super) fn assignable(&mut self, from: &Type, to: &Type) -> bool {
        let mark = self.mark();
        let fits = self.fits(from, to, 0);
        if !fits {
            self.rollback(mark);
        }
        fits
    }

    /// The type of a literal that holds both: the more general one, or `dyn`.
    pub(super) fn join(&mut self, previous: &Type, current: &Type) -> Type {
        if self.assignable(previous, current) {
            most_general(previous, current).clone()
        } else {
            Type::Dyn
        }
    }

    /// The type with all that is known of its variables.
    pub(super) fn resolve(&mut self, of: &Type) -> Type {
        self.substitute(of, Free::Stays, 0)
    }

    /// The type with all that is known of its variables; one that is still free is `dyn`.
    pub(super) fn settle(&mut self, of: &Type) -> Type {
        self.substitute(of, Free::IsDyn, 0)
    }

    pub(super) fn mark(&self) -> Mark {
        Mark {
            variables: self.bound.len(),
            trail: self.trail.len(),
        }
    }

    pub(super) fn rollback(&mut self, mark: Mark) {
        while self.trail.len() > mark.trail {
            if let Some((variable, before)) = self.trail.pop()
                && let Some(slot) = self.bound.get_mut(variable)
            {
                *slot = before;
            }
        }
        self.bound.truncate(mark.variables);
    }

    /// Whether a bound was reached, after which no answer counts.
    pub(super) fn is_exhausted(&self) -> bool {
        self.exhausted
    }

    /// A new allowance of work, for the last walk over the tree.
    pub(super) fn refill(&mut self) {
        self.steps_left = MAX_STEPS;
    }

    /// Takes note of the size of a type that a literal builds.
    pub(super) fn admit(&mut self, built: &Type) {
        let mut left = MAX_TYPE_NODES;
        if !is_within(built, &mut left) {
            self.exhausted = true;
        }
    }

    fn fits(&mut self, from: &Type, to: &Type, depth: usize) -> bool {
        if !self.charge(1, depth) {
            return false;
        }
        if let Type::Parameter(_) = to {
            match self.substitution(from, to, depth) {
                Substitution::Valid => return true,
                Substitution::Clashes => return false,
                Substitution::Impossible => {}
            }
        }
        if let Type::Parameter(_) = from {
            return matches!(self.substitution(to, from, depth), Substitution::Valid);
        }
        match (from, to) {
            (Type::Dyn, _) | (_, Type::Dyn) => true,
            // A moment or a span of time may be null in the reference checker.
            (Type::Null, other) | (other, Type::Null) => {
                matches!(other, Type::Null | Type::Duration | Type::Timestamp)
            }
            (Type::Type(_), Type::Type(_)) => true,
            (Type::List(first), Type::List(second)) => self.fits(first, second, depth + 1),
            (Type::Map(key, value), Type::Map(other_key, other_value)) => {
                self.fits(key, other_key, depth + 1) && self.fits(value, other_value, depth + 1)
            }
            _ => from == to,
        }
    }

    /// Whether `variable` can be `candidate`; if it can, it is from now on.
    fn substitution(&mut self, candidate: &Type, variable: &Type, depth: usize) -> Substitution {
        if candidate == variable {
            return Substitution::Valid;
        }
        let Some(number) = number_of(variable) else {
            return Substitution::Clashes;
        };
        match self.known(variable) {
            Some(known) => {
                if *candidate == known {
                    return Substitution::Valid;
                }
                if !self.fits(candidate, &known, depth + 1) {
                    return Substitution::Clashes;
                }
                let general = most_general(candidate, &known).clone();
                if !self.occurs(variable, &general, depth + 1) {
                    self.bind(number, general);
                }
                Substitution::Valid
            }
            None if self.occurs(variable, candidate, depth + 1) => Substitution::Impossible,
            None => {
                self.bind(number, candidate.clone());
                Substitution::Valid
            }
        }
    }

    fn occurs(&mut self, variable: &Type, within: &Type, depth: usize) -> bool {
        if variable == within || !self.charge(1, depth) {
            return true;
        }
        match within {
            Type::Parameter(_) => match self.known(within) {
                Some(known) => self.occurs(variable, &known, depth + 1),
                None => false,
            },
            Type::List(item) | Type::Type(item) => self.occurs(variable, item, depth + 1),
            Type::Map(key, value) => {
                self.occurs(variable, key, depth + 1) || self.occurs(variable, value, depth + 1)
            }
            _ => false,
        }
    }

    fn substitute(&mut self, of: &Type, free: Free, depth: usize) -> Type {
        if !self.charge(1, depth) {
            return Type::Dyn;
        }
        match of {
            Type::Parameter(_) => match (self.known(of), free) {
                (Some(known), _) => self.substitute(&known, free, depth + 1),
                (None, Free::Stays) => of.clone(),
                (None, Free::IsDyn) => Type::Dyn,
            },
            Type::List(item) => Type::list(self.substitute(item, free, depth + 1)),
            Type::Map(key, value) => Type::map(
                self.substitute(key, free, depth + 1),
                self.substitute(value, free, depth + 1),
            ),
            Type::Type(inner) => Type::Type(Box::new(self.substitute(inner, free, depth + 1))),
            other => other.clone(),
        }
    }

    fn known(&mut self, variable: &Type) -> Option<Type> {
        let known = self.bound.get(number_of(variable)?)?.clone()?;
        self.charge(nodes(&known), 0);
        Some(known)
    }

    fn bind(&mut self, number: usize, value: Type) {
        self.admit(&value);
        if let Some(slot) = self.bound.get_mut(number) {
            let before = slot.replace(value);
            self.trail.push((number, before));
        }
    }

    fn charge(&mut self, steps: usize, depth: usize) -> bool {
        match self.steps_left.checked_sub(steps) {
            Some(left) if depth <= MAX_DEPTH && !self.exhausted => {
                self.steps_left = left;
                true
            }
            _ => {
                self.exhausted = true;
                false
            }
        }
    }
}

enum Substitution {
    Valid,
    /// What is known of the variable does not fit.
    Clashes,
    /// The variable is free but occurs within the candidate.
    Impossible,
}

#[derive(Clone, Copy)]
enum Free {
    Stays,
    IsDyn,
}

fn number_of(variable: &Type) -> Option<usize> {
    match variable {
        Type::Parameter(letter) => u32::from(*letter)
            .checked_sub(FIRST_VARIABLE)
            .and_then(|number| usize::try_from(number).ok()),
        _ => None,
    }
}

fn most_general<'a>(first: &'a Type, second: &'a Type) -> &'a Type {
    if is_as_general(first, second) {
        first
    } else {
        second
    }
}

fn is_as_general(first: &Type, second: &Type) -> bool {
    match (first, second) {
        (Type::Dyn | Type::Parameter(_), _) => true,
        (_, Type::Dyn | Type::Parameter(_)) => false,
        (Type::List(first), Type::List(second)) => is_as_general(first, second),
        (Type::Map(key, value), Type::Map(other_key, other_value)) => {
            is_as_general(key, other_key) && is_as_general(value, other_value)
        }
        (Type::Type(_), Type::Type(_)) => true,
        _ => first == second,
    }
}

fn nodes(of: &Type) -> usize {
    let mut left = usize::MAX;
    is_within(of, &mut left);
    usize::MAX - left
}

fn is_within(of: &Type, left: &mut usize) -> bool {
    match left.checked_sub(1) {
        None => return false,
        Some(less) => *left = less,
    }
    match of {
        Type::List(item) | Type::Type(item) => is_within(item, left),
        Type::Map(key, value) => is_within(key, left) && is_within(value, left),
        _ => true,
    }
}

/// The first of the private-use code points of plane 15, none of which is a letter of a signature.
const FIRST_VARIABLE: u32 = 0xF_0000;

/// The private-use code points of plane 15, less the two that are no characters.
const MAX_VARIABLES: u32 = 0xFFFD;

const MAX_TYPE_NODES: usize = 256;

const MAX_DEPTH: usize = 300;

/// Some ten times what the largest admissible source of plain comparisons takes.
const MAX_STEPS: usize = 1_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_attempt_teaches_nothing() {
        let mut types = Unifier::new();
        let a = types.fresh();
        let pair = Type::map(a.clone(), Type::Int);
        assert!(!types.assignable(&Type::map(Type::Bool, Type::String), &pair));
        assert_eq!(types.settle(&a), Type::Dyn);
        assert!(types.assignable(&Type::map(Type::Bool, Type::Int), &pair));
        assert_eq!(types.settle(&a), Type::Bool);
    }

    #[test]
    fn of_two_types_that_fit_a_variable_takes_the_more_general() {
        let mut types = Unifier::new();
        let a = types.fresh();
        assert!(types.assignable(&Type::Int, &a));
        assert!(types.assignable(&Type::Dyn, &a));
        assert_eq!(types.settle(&a), Type::Dyn);
    }

    #[test]
    fn a_variable_never_contains_itself() {
        let mut types = Unifier::new();
        let (a, b) = (types.fresh(), types.fresh());
        assert!(types.assignable(&Type::list(a.clone()), &b));
        assert!(!types.assignable(&Type::list(b), &a));
        assert!(!types.is_exhausted());
    }

    #[test]
    fn a_type_that_doubles_at_every_step_exhausts_the_check_and_nothing_else() {
        let mut types = Unifier::new();
        let mut last = types.fresh();
        for _ in 0..64 {
            let next = types.fresh();
            types.assignable(&Type::map(last.clone(), last.clone()), &next);
            last = next;
        }
        types.resolve(&last);
        assert!(types.is_exhausted());
    }

    #[test]
    fn null_stands_for_times_but_not_for_numbers() {
        let mut types = Unifier::new();
        assert!(types.assignable(&Type::Null, &Type::Timestamp));
        assert!(types.assignable(&Type::Duration, &Type::Null));
        assert!(!types.assignable(&Type::Int, &Type::Null));
        assert!(!types.assignable(&Type::Null, &Type::list(Type::Int)));
    }
}
