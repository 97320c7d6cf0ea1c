use super::CelError;
use super::ast::{Arithmetic, Comparison, Kind, Literal, Node};
use super::program::{ClauseInfo, ClauseShape, Op, Program};
use super::{eval, lint};
use crate::fact::{FactSchema, FactType, Facts};

/// Type-checks a condition against the schema and lowers it in the same walk.
///
/// The walk recurses, and the parser bounds the depth of the tree.
pub(super) fn check(source: &str, root: &Node, schema: &FactSchema) -> Result<Program, CelError> {
    let mut checker = Checker {
        source,
        schema,
        program: Program::default(),
    };
    checker.condition(root, Some(true), "a condition")?;
    if checker.reads_nothing_since(0) {
        return Err(checker.constant(root));
    }
    Ok(checker.program)
}

struct Checker<'a> {
    source: &'a str,
    schema: &'a FactSchema,
    program: Program,
}

impl Checker<'_> {
    /// Lowers an expression that stands where a condition must: there, each leaf is a clause of the explanation.
    ///
    /// `needed` is the value without which the root cannot hold, if this node has one.
    fn condition(
        &mut self,
        node: &Node,
        needed: Option<bool>,
        holder: &str,
    ) -> Result<(), CelError> {
        match &node.kind {
            Kind::And(operands) => {
                let needed = needed.filter(|needed| *needed);
                for operand in operands {
                    self.condition(operand, needed, "`&&`")?;
                }
                self.program.ops.push(Op::All(operands.len()));
                Ok(())
            }
            Kind::Or(operands) => {
                let needed = needed.filter(|needed| !*needed);
                for operand in operands {
                    self.condition(operand, needed, "`||`")?;
                }
                self.program.ops.push(Op::Any(operands.len()));
                Ok(())
            }
            Kind::Not(operand) => {
                self.condition(operand, needed.map(|needed| !needed), "`!`")?;
                self.program.ops.push(Op::Not);
                Ok(())
            }
            Kind::Literal(Literal::Bool(_)) => Err(self.constant(node)),
            Kind::Compare(comparison, left, right) => {
                self.compare(node, *comparison, left, right, needed)
            }
            _ => {
                let found = self.value(node)?;
                if found != FactType::Bool {
                    return Err(self.mismatch(node, holder, "bool", found));
                }
                let clause = self.clause(node, needed, None);
                self.program.ops.push(Op::Record(clause));
                Ok(())
            }
        }
    }

    /// Lowers any expression and returns its type.
    fn value(&mut self, node: &Node) -> Result<FactType, CelError> {
        match &node.kind {
            Kind::Literal(literal) => Ok(self.literal(literal)),
            Kind::Fact(name) => {
                let slot = self.slot(node, name)?;
                self.program.ops.push(Op::Load(slot));
                Ok(self
                    .schema
                    .facts()
                    .get(slot)
                    .map_or(FactType::Bool, |decl| decl.fact_type()))
            }
            Kind::Has(name) => {
                let slot = self.slot(node, name)?;
                self.program.ops.push(Op::Has(slot));
                Ok(FactType::Bool)
            }
            Kind::And(_) | Kind::Or(_) | Kind::Not(_) => {
                self.condition(node, None, "a condition")?;
                Ok(FactType::Bool)
            }
            Kind::Compare(comparison, left, right) => {
                self.compare(node, *comparison, left, right, None)?;
                Ok(FactType::Bool)
            }
            Kind::Negate(operand) => self.negate(operand),
            Kind::Arithmetic(operator, left, right) => self.arithmetic(*operator, left, right),
            Kind::In(item, list) => self.membership(node, item, list),
            Kind::Select(condition, then, otherwise) => {
                self.condition(condition, None, "`?`")?;
                let first = self.value(then)?;
                let second = self.value(otherwise)?;
                if first != second {
                    return Err(CelError::new(
                        otherwise.start,
                        format!(
                            "the two results of `?` differ in type: {first} and {second}; make them one type"
                        ),
                    ));
                }
                self.program.ops.push(Op::Select);
                Ok(first)
            }
        }
    }

    fn literal(&mut self, literal: &Literal) -> FactType {
        let (op, fact_type) = match literal {
            Literal::Bool(value) => (Op::Bool(*value), FactType::Bool),
            Literal::Int(value) => (Op::Int(*value), FactType::Int),
            Literal::Double(value) => (Op::Double(*value), FactType::Double),
            Literal::Text(text) => {
                self.program.texts.push(text.clone());
                (Op::Text(self.program.texts.len() - 1), FactType::Text)
            }
        };
        self.program.ops.push(op);
        fact_type
    }

    fn negate(&mut self, operand: &Node) -> Result<FactType, CelError> {
        let from = self.program.ops.len();
        let found = self.value(operand)?;
        if !is_number(found) {
            return Err(self.mismatch(operand, "`-`", "numbers", found));
        }
        self.program.ops.push(Op::Negate { from });
        self.defined_since(from, operand)?;
        Ok(found)
    }

    fn arithmetic(
        &mut self,
        operator: Arithmetic,
        left: &Node,
        right: &Node,
    ) -> Result<FactType, CelError> {
        let symbol = format!("`{}`", operator.symbol());
        let from = self.program.ops.len();
        let first = self.value(left)?;
        if !is_number(first) {
            return Err(self.mismatch(left, &symbol, "numbers", first));
        }
        let second = self.value(right)?;
        if !is_number(second) {
            return Err(self.mismatch(right, &symbol, "numbers", second));
        }
        let both_int = first == FactType::Int && second == FactType::Int;
        if operator == Arithmetic::Remainder && !both_int {
            let (operand, found) = if first == FactType::Int {
                (right, second)
            } else {
                (left, first)
            };
            return Err(self.mismatch(operand, &symbol, "ints", found));
        }
        let divides = matches!(operator, Arithmetic::Divide | Arithmetic::Remainder);
        let is_zero = match &right.kind {
            Kind::Literal(Literal::Int(value)) => *value == 0,
            Kind::Literal(Literal::Double(value)) => *value == 0.0,
            _ => false,
        };
        if divides && is_zero {
            return Err(CelError::new(
                right.start,
                "division by a literal zero is never a number",
            ));
        }
        self.program.ops.push(Op::Arithmetic { operator, from });
        self.defined_since(from, left)?;
        Ok(if both_int {
            FactType::Int
        } else {
            FactType::Double
        })
    }

    fn compare(
        &mut self,
        node: &Node,
        comparison: Comparison,
        left: &Node,
        right: &Node,
        needed: Option<bool>,
    ) -> Result<(), CelError> {
        let symbol = format!("`{}`", comparison.symbol());
        let from = self.program.ops.len();
        let first = self.value(left)?;
        let second = self.value(right)?;
        if matches!(comparison, Comparison::Equal | Comparison::NotEqual) {
            if first != second {
                return Err(CelError::new(
                    node.start,
                    format!(
                        "{symbol} compares values of one type but `{}` is {first} and `{}` is {second}",
                        self.text(left),
                        self.text(right)
                    ),
                ));
            }
            if first == FactType::Double {
                return Err(CelError::new(
                    node.start,
                    format!(
                        "{symbol} on doubles depends on rounding; compare `{}` with `<=` or `>=`",
                        self.text(left)
                    ),
                ));
            }
        } else {
            for (operand, found) in [(left, first), (right, second)] {
                if !is_number(found) {
                    return Err(self.mismatch(operand, &symbol, "numbers", found));
                }
            }
        }
        if self.reads_nothing_since(from) {
            return Err(self.constant(node));
        }
        if let Some(problem) = lint::dead_comparison(comparison, left, right, self.schema) {
            return Err(self.dead(node, &problem));
        }
        let shape = is_number(first).then(|| ClauseShape {
            comparison,
            left: self.bare(left),
            right: self.bare(right),
        });
        let clause = self.clause(node, needed, shape);
        self.program.ops.push(Op::Compare { comparison, clause });
        Ok(())
    }

    fn membership(
        &mut self,
        node: &Node,
        item: &Node,
        list: &[(Literal, usize)],
    ) -> Result<FactType, CelError> {
        let from = self.program.ops.len();
        let found = self.value(item)?;
        if self.reads_nothing_since(from) {
            return Err(self.constant(node));
        }
        if list.is_empty() {
            return Err(self.dead(node, "can never be true: the list is empty"));
        }
        let mut ints: Vec<i64> = Vec::new();
        let mut texts: Vec<String> = Vec::new();
        for (literal, at) in list {
            match (found, literal) {
                (FactType::Int, Literal::Int(value)) => ints.push(*value),
                (FactType::Text, Literal::Text(text)) => texts.push(text.clone()),
                (FactType::Int | FactType::Text, _) => {
                    return Err(CelError::new(
                        *at,
                        format!(
                            "`in` looks for {found} but an item of the list is {}",
                            literal_type(literal)
                        ),
                    ));
                }
                _ => return Err(self.mismatch(item, "`in`", "int or text", found)),
            }
        }
        if found == FactType::Int {
            if let Some(problem) = lint::dead_membership(item, &ints, self.schema) {
                return Err(self.dead(node, &problem));
            }
            ints.sort_unstable();
            self.program.int_lists.push(ints);
            let list = self.program.int_lists.len() - 1;
            self.program.ops.push(Op::InInts(list));
        } else {
            texts.sort_unstable();
            self.program.text_lists.push(texts);
            let list = self.program.text_lists.len() - 1;
            self.program.ops.push(Op::InTexts(list));
        }
        Ok(FactType::Bool)
    }

    fn slot(&self, node: &Node, name: &str) -> Result<usize, CelError> {
        self.schema
            .slot(name)
            .ok_or_else(|| CelError::new(node.start, self.schema.unknown(name).to_string()))
    }

    /// The slot of a node that is nothing but a fact.
    fn bare(&self, node: &Node) -> Option<usize> {
        match &node.kind {
            Kind::Fact(name) => self.schema.slot(name),
            _ => None,
        }
    }

    fn clause(&mut self, node: &Node, needed: Option<bool>, shape: Option<ClauseShape>) -> usize {
        let text = self.text(node);
        self.program.clauses.push(ClauseInfo {
            text,
            needed,
            shape,
        });
        self.program.clauses.len() - 1
    }

    fn text(&self, node: &Node) -> String {
        let words: Vec<&str> = self
            .source
            .get(node.start..node.end)
            .unwrap_or_default()
            .split_whitespace()
            .collect();
        words.join(" ")
    }

    fn reads_nothing_since(&self, from: usize) -> bool {
        self.program
            .slots(from, self.program.ops.len())
            .next()
            .is_none()
    }

    /// Refuses arithmetic on constants alone that has no result, such as `1 / (2 - 2)`.
    fn defined_since(&self, from: usize, node: &Node) -> Result<(), CelError> {
        if !self.reads_nothing_since(from) {
            return Ok(());
        }
        let part = Program {
            ops: self.program.ops.iter().skip(from).cloned().collect(),
            ..Program::default()
        };
        if eval::is_undefined(&part, &Facts::new(self.schema)) {
            return Err(CelError::new(
                node.start,
                "arithmetic on constants has no result; it overflows or divides by zero",
            ));
        }
        Ok(())
    }

    fn constant(&self, node: &Node) -> CelError {
        CelError::new(
            node.start,
            format!(
                "`{}` reads no fact and never changes; remove it",
                self.text(node)
            ),
        )
    }

    fn dead(&self, node: &Node, problem: &str) -> CelError {
        CelError::new(node.start, format!("`{}` {problem}", self.text(node)))
    }

    fn mismatch(&self, node: &Node, holder: &str, wanted: &str, found: FactType) -> CelError {
        CelError::new(
            node.start,
            format!(
                "{holder} takes {wanted} but `{}` is {found}",
                self.text(node)
            ),
        )
    }
}

fn is_number(fact_type: FactType) -> bool {
    matches!(fact_type, FactType::Int | FactType::Double)
}

fn literal_type(literal: &Literal) -> FactType {
    match literal {
        Literal::Bool(_) => FactType::Bool,
        Literal::Int(_) => FactType::Int,
        Literal::Double(_) => FactType::Double,
        Literal::Text(_) => FactType::Text,
    }
}
