use regorus::unstable::{Expr, Literal, Query, Rule, RuleAssign, RuleHead, Span};

use super::reference::Reference;

/// What a rule mentions.
#[derive(Debug, Default)]
pub(super) struct Mentions<'a> {
    pub(super) references: Vec<Reference<'a>>,
    pub(super) calls: Vec<Reference<'a>>,
    /// The first thing that is refused whatever it is about.
    pub(super) refused: Option<(&'a Span, String)>,
}

/// Walks a rule without recursion.
pub(super) fn mentions(rule: &Rule) -> Mentions<'_> {
    let mut walk = Walk::default();
    walk.rule(rule);
    while let Some((node, depth)) = walk.pending.pop() {
        walk.depth = depth.saturating_add(1);
        match node {
            Node::Expression(expression) if depth > MAX_DEPTH => {
                walk.refuse(
                    expression.span(),
                    format!("expression is nested more than `{MAX_DEPTH}` levels deep; split it"),
                );
            }
            Node::Expression(expression) => walk.expression(expression),
            Node::Query(query) => walk.query(query),
        }
    }
    walk.mentions
}

enum Node<'a> {
    Expression(&'a Expr),
    Query(&'a Query),
}

#[derive(Default)]
struct Walk<'a> {
    mentions: Mentions<'a>,
    pending: Vec<(Node<'a>, usize)>,
    depth: usize,
}

impl<'a> Walk<'a> {
    fn rule(&mut self, rule: &'a Rule) {
        match rule {
            Rule::Spec { head, bodies, .. } => {
                self.head(head);
                for body in bodies {
                    self.assign(body.assign.as_ref());
                    self.later_query(&body.query);
                }
            }
            Rule::Default {
                refr, args, value, ..
            } => {
                self.later(refr);
                self.all(args.iter().map(AsRef::as_ref));
                self.later(value);
            }
        }
    }

    fn head(&mut self, head: &'a RuleHead) {
        match head {
            RuleHead::Compr { refr, assign, .. } => {
                self.later(refr);
                self.assign(assign.as_ref());
            }
            RuleHead::Set { refr, key, .. } => {
                self.later(refr);
                self.all(key.iter().map(AsRef::as_ref));
            }
            RuleHead::Func {
                refr, args, assign, ..
            } => {
                self.later(refr);
                self.all(args.iter().map(AsRef::as_ref));
                self.assign(assign.as_ref());
            }
        }
    }

    fn assign(&mut self, assign: Option<&'a RuleAssign>) {
        if let Some(assign) = assign {
            self.later(&assign.value);
        }
    }

    fn query(&mut self, query: &'a Query) {
        for statement in &query.stmts {
            if let Some(modifier) = statement.with_mods.first() {
                self.refuse(
                    &modifier.span,
                    "`with` replaces facts; write the rule without it".to_owned(),
                );
            }
            match &statement.literal {
                Literal::SomeVars { .. } => {}
                Literal::SomeIn {
                    key,
                    value,
                    collection,
                    ..
                } => {
                    self.all(key.iter().map(AsRef::as_ref));
                    self.later(value);
                    self.later(collection);
                }
                Literal::Expr { expr, .. } | Literal::NotExpr { expr, .. } => self.later(expr),
                Literal::Every { domain, query, .. } => {
                    self.later(domain);
                    self.later_query(query);
                }
            }
        }
    }

    fn expression(&mut self, expression: &'a Expr) {
        match expression {
            Expr::String { .. }
            | Expr::RawString { .. }
            | Expr::Number { .. }
            | Expr::Bool { .. }
            | Expr::Null { .. } => {}
            Expr::Var { .. } | Expr::RefDot { .. } | Expr::RefBrack { .. } => {
                self.path(expression);
            }
            Expr::Array { items, .. } | Expr::Set { items, .. } => {
                self.all(items.iter().map(AsRef::as_ref));
            }
            Expr::Object { fields, .. } => {
                for (_, key, value) in fields {
                    self.later(key);
                    self.later(value);
                }
            }
            Expr::ArrayCompr { term, query, .. } | Expr::SetCompr { term, query, .. } => {
                self.later(term);
                self.later_query(query);
            }
            Expr::ObjectCompr {
                key, value, query, ..
            } => {
                self.later(key);
                self.later(value);
                self.later_query(query);
            }
            Expr::Call { fcn, params, .. } => {
                match Reference::of(fcn) {
                    Some(call) => self.mentions.calls.push(call),
                    None => self.refuse(
                        fcn.span(),
                        "call is not of a named function; name it".to_owned(),
                    ),
                }
                self.all(params.iter().map(AsRef::as_ref));
            }
            Expr::UnaryExpr { expr, .. } => self.later(expr),
            Expr::BinExpr { lhs, rhs, .. }
            | Expr::BoolExpr { lhs, rhs, .. }
            | Expr::ArithExpr { lhs, rhs, .. }
            | Expr::AssignExpr { lhs, rhs, .. } => {
                self.later(lhs);
                self.later(rhs);
            }
            Expr::Membership {
                key,
                value,
                collection,
                ..
            } => {
                self.all(key.iter().map(AsRef::as_ref));
                self.later(value);
                self.later(collection);
            }
        }
    }

    /// A path, what its brackets hold, and what it starts at where that is not a name.
    fn path(&mut self, expression: &'a Expr) {
        self.mentions.references.extend(Reference::of(expression));
        let mut at = expression;
        let mut steps: usize = 0;
        loop {
            match at {
                Expr::RefDot { refr, .. } => at = refr,
                Expr::RefBrack { refr, index, .. } => {
                    self.later(index);
                    at = refr;
                }
                Expr::Var { .. } => return,
                other => return self.later(other),
            }
            steps = steps.saturating_add(1);
            if steps > MAX_DEPTH {
                return self.refuse(
                    expression.span(),
                    format!("path has more than `{MAX_DEPTH}` steps; shorten it"),
                );
            }
        }
    }

    fn all(&mut self, expressions: impl Iterator<Item = &'a Expr>) {
        for expression in expressions {
            self.later(expression);
        }
    }

    fn later(&mut self, expression: &'a Expr) {
        self.pending
            .push((Node::Expression(expression), self.depth));
    }

    fn later_query(&mut self, query: &'a Query) {
        self.pending.push((Node::Query(query), self.depth));
    }

    fn refuse(&mut self, span: &'a Span, problem: String) {
        if self.mentions.refused.is_none() {
            self.mentions.refused = Some((span, problem));
        }
    }
}

const MAX_DEPTH: usize = 64;
