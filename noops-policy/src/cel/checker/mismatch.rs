use super::Checker;
use crate::cel::ast::{Kind, Node};
use crate::cel::error::CelError;
use crate::cel::function::Function;
use crate::cel::signatures::{self, Overload, Style};
use crate::cel::typed::Typed;
use crate::cel::types::Type;
use crate::cel::value::Value;

/// What is said of operands that do not fit.
impl Checker<'_> {
    pub(super) fn wanted(
        &mut self,
        node: &Node,
        typed: &Typed,
        holder: &str,
        wanted: &str,
    ) -> CelError {
        let found = self.found(typed);
        CelError::new(
            node.span.start,
            format!(
                "{holder} takes {wanted} but `{}` is {found}",
                self.excerpt(node)
            ),
        )
    }

    pub(super) fn branches_differ(&mut self, nodes: [&Node; 2], typed: [&Typed; 2]) -> CelError {
        let [first_type, second_type] = typed.map(|typed| self.types.settle(&typed.value_type));
        let [first, second] = nodes;
        let hint = self
            .repair([first, second], [&first_type, &second_type])
            .unwrap_or_else(|| "make them one type".to_owned());
        CelError::new(
            second.span.start,
            format!(
                "the two results of `?` differ in type: {first_type} and {second_type}; {hint}"
            ),
        )
    }

    pub(super) fn operands_differ(
        &mut self,
        node: &Node,
        function: Function,
        operands: &[&Node],
        typed: &[Typed],
    ) -> CelError {
        let symbol = signatures::name_of(function);
        let types: Vec<Type> = typed
            .iter()
            .map(|typed| self.types.settle(&typed.value_type))
            .collect();
        match (operands, types.as_slice()) {
            ([operand], [found]) => CelError::new(
                operand.span.start,
                format!(
                    "`{symbol}` takes int or double but `{}` is {found}",
                    self.excerpt(operand)
                ),
            ),
            ([left, right], [first, second]) => {
                self.pair_differs(function, symbol, [left, right], [first, second])
            }
            _ => CelError::new(node.span.start, format!("`{symbol}` does not take these")),
        }
    }

    pub(super) fn call_differs(
        &mut self,
        node: &Node,
        function: Function,
        style: Style,
        arguments: &[&Node],
        typed: &[Typed],
    ) -> CelError {
        let name = signatures::name_of(function);
        let overloads: Vec<&Overload> = signatures::overloads(function)
            .iter()
            .filter(|overload| overload.style == style)
            .collect();
        if overloads.is_empty() {
            return CelError::new(node.span.start, self.other_style(name, style, arguments));
        }
        let fitting: Vec<&Overload> = overloads
            .iter()
            .filter(|overload| overload.takes.len() == arguments.len())
            .copied()
            .collect();
        let target = usize::from(style == Style::Method);
        if let Some(error) = self.misfit(name, target, &overloads, arguments, typed, 0..target) {
            return error;
        }
        if fitting.is_empty() {
            let mut counts: Vec<usize> = overloads
                .iter()
                .map(|overload| overload.takes.len().saturating_sub(target))
                .collect();
            counts.sort_unstable();
            counts.dedup();
            let plural = if counts == [1] { "" } else { "s" };
            let counts = one_of(counts);
            return CelError::new(
                node.span.start,
                format!(
                    "`{name}` takes {counts} argument{plural} but {} given",
                    match arguments.len().saturating_sub(target) {
                        1 => "1 is".to_owned(),
                        given => format!("{given} are"),
                    }
                ),
            );
        }
        let all = 0..arguments.len();
        self.misfit(name, target, &fitting, arguments, typed, all)
            .unwrap_or_else(|| {
                let types: Vec<String> = typed.iter().map(|typed| self.found(typed)).collect();
                CelError::new(
                    node.span.start,
                    format!("`{name}` does not take {} together", types.join(" and ")),
                )
            })
    }

    /// The first argument that no overload takes in its place.
    fn misfit(
        &mut self,
        name: &str,
        target: usize,
        overloads: &[&Overload],
        arguments: &[&Node],
        typed: &[Typed],
        places: std::ops::Range<usize>,
    ) -> Option<CelError> {
        let mut possible: Vec<&Overload> = overloads.to_vec();
        for place in places {
            let (node, argument) = (arguments.get(place)?, typed.get(place)?);
            let mut wanted: Vec<String> = Vec::new();
            let mut next = Vec::new();
            for overload in possible {
                let Some(form) = overload.takes.get(place) else {
                    continue;
                };
                if self.would_take(*form, argument) {
                    next.push(overload);
                }
                let shown = form.to_string();
                if !wanted.contains(&shown) {
                    wanted.push(shown);
                }
            }
            if next.is_empty() {
                let wanted = one_of(wanted);
                let found = self.found(argument);
                let excerpt = self.excerpt(node);
                let message = if place < target {
                    format!("`{name}` is called on {wanted} but `{excerpt}` is {found}")
                } else if typed.len() == target + 1 {
                    format!("`{name}` takes {wanted} but `{excerpt}` is {found}")
                } else {
                    let number = place - target + 1;
                    format!(
                        "argument {number} of `{name}` takes {wanted} but `{excerpt}` is {found}"
                    )
                };
                return Some(CelError::new(node.span.start, message));
            }
            possible = next;
        }
        None
    }

    fn would_take(&mut self, form: signatures::Form, argument: &Typed) -> bool {
        let mark = self.types.mark();
        let (a, b) = (self.types.fresh(), self.types.fresh());
        let fits = self
            .types
            .assignable(&argument.value_type, &form.with(&a, &b));
        self.types.rollback(mark);
        fits
    }

    fn other_style(&self, name: &str, style: Style, arguments: &[&Node]) -> String {
        let shown: Vec<String> = arguments.iter().map(|node| self.excerpt(node)).collect();
        match (style, shown.split_first()) {
            (Style::Plain, Some((first, rest))) => format!(
                "`{name}` is called on a value; write `{first}.{name}({})`",
                rest.join(", ")
            ),
            (Style::Plain, None) => format!("`{name}` is called on a value: `value.{name}(…)`"),
            (Style::Method, _) => format!(
                "`{name}` is not called on a value; write `{name}({})`",
                shown.join(", ")
            ),
        }
    }

    fn pair_differs(
        &self,
        function: Function,
        symbol: &str,
        nodes: [&Node; 2],
        types: [&Type; 2],
    ) -> CelError {
        let [left, right] = nodes;
        let [first, second] = types;
        let (left_text, right_text) = (self.excerpt(left), self.excerpt(right));
        let told = format!("`{left_text}` is {first} and `{right_text}` is {second}");
        let message = match (function, second) {
            (Function::In, Type::List(_) | Type::Map(..) | Type::Dyn) => {
                format!(
                    "`in` looks for a value of the type of its {}; {told}",
                    container_part(second)
                )
            }
            (Function::In, _) => {
                format!("`in` looks in a list or a map but `{right_text}` is {second}")
            }
            (Function::Index, _) => match first {
                Type::List(_) => {
                    format!("the place in a list is an int but `{right_text}` is {second}")
                }
                Type::Map(key, _) => {
                    format!("the keys of `{left_text}` are {key} but `{right_text}` is {second}")
                }
                _ => format!("`[…]` takes a list or a map but `{left_text}` is {first}"),
            },
            (Function::Equal | Function::NotEqual, _) => {
                format!("`{symbol}` compares values of one type but {told}")
            }
            (
                Function::Less
                | Function::LessOrEqual
                | Function::Greater
                | Function::GreaterOrEqual,
                _,
            ) => {
                if first == second {
                    format!("`{symbol}` does not order {first}; {told}")
                } else {
                    format!("`{symbol}` orders numbers, or two values of one type, but {told}")
                }
            }
            _ if first == second => format!("`{symbol}` does not work on {first}; {told}"),
            _ => format!("`{symbol}` takes values of one type but {told}"),
        };
        let at = match function {
            Function::Index if !matches!(first, Type::List(_) | Type::Map(..)) => left,
            _ => right,
        };
        match self.repair(nodes, types) {
            Some(repair) if !matches!(function, Function::In | Function::Index) => {
                CelError::new(at.span.start, format!("{message}; {repair}"))
            }
            _ => CelError::new(at.span.start, message),
        }
    }

    /// What to write instead, where it is plain.
    fn repair(&self, nodes: [&Node; 2], types: [&Type; 2]) -> Option<String> {
        let [left, right] = nodes;
        let [first, second] = types;
        self.repair_one(right, second, first)
            .or_else(|| self.repair_one(left, first, second))
    }

    /// How `node`, whose type is `found`, becomes what stands on the other side.
    fn repair_one(&self, node: &Node, found: &Type, other: &Type) -> Option<String> {
        let text = self.excerpt(node);
        match (found, other, &node.kind) {
            (Type::Int, Type::Double, Kind::Literal(Value::Int(value))) => {
                Some(format!("write `{value}.0`"))
            }
            (Type::Int, Type::Uint, Kind::Literal(Value::Int(value))) if *value >= 0 => {
                Some(format!("write `{value}u`"))
            }
            (Type::Int, Type::String, Kind::Literal(Value::Int(value))) => {
                Some(format!("write `'{value}'`"))
            }
            (Type::Int | Type::Uint, Type::Double, _) => Some(format!("write `double({text})`")),
            (Type::Uint, Type::Int, _) => Some(format!("write `int({text})`")),
            (Type::String, Type::Duration, Kind::Literal(_)) => {
                Some(format!("write `duration({text})`"))
            }
            (Type::String, Type::Timestamp, Kind::Literal(_)) => {
                Some(format!("write `timestamp({text})`"))
            }
            (Type::Int | Type::Double, Type::Duration, Kind::Literal(_)) => {
                Some("a span of time is written as `duration('90s')`".to_owned())
            }
            _ => None,
        }
    }

    fn found(&mut self, typed: &Typed) -> String {
        self.types.settle(&typed.value_type).to_string()
    }

    /// The node as it is written, on one line and cut short if it is long.
    pub(super) fn excerpt(&self, node: &Node) -> String {
        let words: Vec<&str> = self
            .source
            .get(node.span.start..node.span.end)
            .unwrap_or_default()
            .split_whitespace()
            .collect();
        let line = words.join(" ");
        if line.chars().count() <= MAX_EXCERPT {
            return line;
        }
        let mut cut: String = line.chars().take(MAX_EXCERPT - 1).collect();
        cut.push('…');
        cut
    }
}

fn container_part(of: &Type) -> &'static str {
    match of {
        Type::Map(..) => "keys",
        _ => "items",
    }
}

fn one_of(choices: Vec<impl ToString>) -> String {
    let choices: Vec<String> = choices.iter().map(ToString::to_string).collect();
    match choices.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        Some((last, _)) => last.clone(),
        None => "nothing".to_owned(),
    }
}

const MAX_EXCERPT: usize = 80;
