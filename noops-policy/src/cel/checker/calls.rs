use super::{Checker, Mode};
use crate::cel::ast::{Kind, Node};
use crate::cel::error::CelError;
use crate::cel::function::Function;
use crate::cel::signatures::{self, Overload, Style};
use crate::cel::typed::{Typed, TypedKind};
use crate::cel::types::Type;
use crate::suggest;

impl Checker<'_> {
    #[inline(never)]
    pub(super) fn operator(
        &mut self,
        node: &Node,
        function: Function,
        operands: &[&Node],
    ) -> Result<Typed, CelError> {
        let typed = self.all(operands)?;
        match self.overload(function, Style::Plain, &typed) {
            Some(value_type) => Ok(self.typed(node, TypedKind::Call(function, typed), value_type)),
            None => Err(self.operands_differ(node, function, operands, &typed)),
        }
    }

    #[inline(never)]
    pub(super) fn call(
        &mut self,
        node: &Node,
        target: Option<&Node>,
        name: &str,
        arguments: &[Node],
    ) -> Result<Typed, CelError> {
        let arguments: Vec<&Node> = arguments.iter().collect();
        let Some(target) = target else {
            return match self.function(name) {
                Some(function) => self.invoke(node, function, Style::Plain, &arguments),
                None => self.unknown_function(node, name),
            };
        };
        if let Some(prefix) = self.free_chain(target) {
            let qualified = format!("{prefix}.{name}");
            if let Some(function) = self.function(&qualified) {
                return self.invoke(node, function, Style::Plain, &arguments);
            }
            if is_namespace(&prefix) {
                return self.unknown_function(node, &qualified);
            }
        }
        match self.function(name) {
            Some(function) => {
                let all: Vec<&Node> = std::iter::once(target).chain(arguments).collect();
                self.invoke(node, function, Style::Method, &all)
            }
            None => self.unknown_function(node, name),
        }
    }

    fn invoke(
        &mut self,
        node: &Node,
        function: Function,
        style: Style,
        arguments: &[&Node],
    ) -> Result<Typed, CelError> {
        let typed = self.all(arguments)?;
        let value_type = match function {
            _ if self.mode == Mode::Dynamic => Type::Dyn,
            Function::Greatest | Function::Least => {
                self.extreme(node, function, arguments, &typed)?
            }
            _ => match self.overload(function, style, &typed) {
                Some(value_type) => value_type,
                None => return Err(self.call_differs(node, function, style, arguments, &typed)),
            },
        };
        if function == Function::Format {
            self.check_format(arguments, &typed)?;
        }
        Ok(self.typed(node, TypedKind::Call(function, typed), value_type))
    }

    fn all(&mut self, nodes: &[&Node]) -> Result<Vec<Typed>, CelError> {
        let mut typed = Vec::with_capacity(nodes.len());
        for node in nodes {
            typed.push(self.node(node)?);
        }
        Ok(typed)
    }

    fn function(&self, name: &str) -> Option<Function> {
        self.environment
            .candidates(name)
            .iter()
            .find_map(|candidate| signatures::named(candidate))
    }

    /// The type that the call gives: that of the overload that takes these arguments, or `dyn` if several do and differ.
    fn overload(&mut self, function: Function, style: Style, arguments: &[Typed]) -> Option<Type> {
        if self.mode == Mode::Dynamic {
            return Some(Type::Dyn);
        }
        let mut given: Option<Type> = None;
        for overload in signatures::overloads(function) {
            let Some(gives) = self.attempt(overload, style, arguments) else {
                continue;
            };
            given = Some(match given {
                None => gives,
                Some(before) if before == gives => before,
                Some(_) => Type::Dyn,
            });
        }
        given
    }

    /// What the overload gives for these arguments; if it does not take them, nothing is learnt.
    fn attempt(&mut self, overload: &Overload, style: Style, arguments: &[Typed]) -> Option<Type> {
        if overload.style != style || overload.takes.len() != arguments.len() {
            return None;
        }
        let mark = self.types.mark();
        let (a, b) = if overload.is_generic() {
            (self.types.fresh(), self.types.fresh())
        } else {
            (Type::Dyn, Type::Dyn)
        };
        for (form, argument) in overload.takes.iter().zip(arguments) {
            if !self
                .types
                .assignable(&argument.value_type, &form.with(&a, &b))
            {
                self.types.rollback(mark);
                return None;
            }
        }
        Some(self.types.resolve(&overload.gives.with(&a, &b)))
    }

    /// `math.greatest` and `math.least`: numbers, or one list of them.
    fn extreme(
        &mut self,
        node: &Node,
        function: Function,
        arguments: &[&Node],
        typed: &[Typed],
    ) -> Result<Type, CelError> {
        let name = signatures::name_of(function);
        let mut joined: Option<Type> = None;
        for (argument, typed) in arguments.iter().zip(typed) {
            let resolved = self.types.resolve(&typed.value_type);
            let found = match resolved {
                Type::List(item) if arguments.len() == 1 => *item,
                other => other,
            };
            let number = match found {
                free @ Type::Parameter(_) => {
                    self.types.assignable(&Type::Dyn, &free);
                    Type::Dyn
                }
                number @ (Type::Int | Type::Uint | Type::Double | Type::Dyn) => number,
                _ => {
                    return Err(self.wanted(
                        argument,
                        typed,
                        &format!("`{name}`"),
                        "numbers or one list of numbers",
                    ));
                }
            };
            joined = Some(match joined {
                None => number,
                Some(before) if before == number => before,
                Some(_) => Type::Dyn,
            });
        }
        let is_empty_list = matches!(
            arguments.first().map(|first| &first.kind),
            Some(Kind::List(items)) if items.is_empty()
        );
        match joined {
            Some(value_type) if !is_empty_list => Ok(value_type),
            _ => Err(CelError::new(
                node.span.start,
                format!("`{name}` needs at least one number"),
            )),
        }
    }

    fn unknown_function(&mut self, node: &Node, name: &str) -> Result<Typed, CelError> {
        if self.mode == Mode::Dynamic {
            return self.undeclared(node, &format!("{name}()"));
        }
        let shown = name.strip_prefix('.').unwrap_or(name);
        // A method's name may lack its namespace: `quote` for `strings.quote`.
        let namespaced = signatures::names().find(|known| {
            known
                .rsplit_once('.')
                .is_some_and(|(_, method)| method == shown)
        });
        let near = namespaced
            .or_else(|| suggest::nearest(shown, signatures::names().chain(MACROS.iter().copied())));
        Err(CelError::new(
            node.span.start,
            match near {
                Some(near) if near == shown => {
                    format!("`{shown}` is called on a list or a map: `range.{shown}(x, …)`")
                }
                Some(near) => format!("unknown function `{shown}`; did you mean `{near}`?"),
                None => format!(
                    "unknown function `{shown}`; use one of the standard library or its extensions"
                ),
            },
        ))
    }
}

fn is_namespace(prefix: &str) -> bool {
    matches!(
        prefix.strip_prefix('.').unwrap_or(prefix),
        "math" | "strings" | "base64"
    )
}

const MACROS: [&str; 11] = [
    "has",
    "all",
    "exists",
    "exists_one",
    "existsOne",
    "map",
    "filter",
    "transformList",
    "transformMap",
    "transformMapEntry",
    "cel.bind",
];
