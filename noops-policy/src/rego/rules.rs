use regorus::unstable::{Module, Ref, Rule, RuleHead, Span};

use super::RegoError;
use super::import::{self, Alias};
use super::reference::{Reference, Step, names};
use super::walk::{self, Mentions};
use crate::error::Position;

/// The rules of all modules, with what they mention.
#[derive(Debug)]
pub(super) struct Rules<'a> {
    scopes: Vec<Scope<'a>>,
    rules: Vec<NamedRule<'a>>,
}

/// What a module adds to the names of its rules.
#[derive(Debug)]
struct Scope<'a> {
    package: Vec<String>,
    aliases: Vec<Alias<'a>>,
}

/// A rule, or one of several that make up a value together.
#[derive(Debug)]
pub(super) struct NamedRule<'a> {
    /// The package and the name: `["promotion", "allow"]`.
    pub(super) path: Vec<String>,
    pub(super) mentions: Mentions<'a>,
    scope: usize,
}

/// What a path leads to.
#[derive(Debug)]
pub(super) enum Target {
    Input(Vec<Step>),
    Data(Vec<Step>),
    /// A name of the rule itself, or the name of a built-in function.
    Local,
}

impl<'a> Rules<'a> {
    pub(super) fn new(modules: &'a [Ref<Module>]) -> Result<Self, RegoError> {
        let mut scopes = Vec::new();
        let mut rules = Vec::new();
        for (scope, module) in modules.iter().enumerate() {
            let package = match Reference::of(&module.package.refr) {
                Some(path) => std::iter::once(path.root)
                    .chain(names(&path.steps))
                    .map(str::to_owned)
                    .collect(),
                None => Vec::new(),
            };
            for rule in &module.policy {
                rules.push(named(rule, &package, scope)?);
            }
            scopes.push(Scope {
                package,
                aliases: import::aliases(module),
            });
        }
        Ok(Self { scopes, rules })
    }

    pub(super) fn all(&self) -> &[NamedRule<'a>] {
        &self.rules
    }

    /// The paths that are imported, used or not.
    pub(super) fn imports(&self) -> impl Iterator<Item = &Reference<'a>> {
        self.scopes
            .iter()
            .flat_map(|scope| scope.aliases.iter().map(|alias| &alias.path))
    }

    /// What a path of a rule leads to. A local name that hides a rule or an import counts as what it hides.
    pub(super) fn target(&self, rule: &NamedRule<'_>, reference: &Reference<'_>) -> Target {
        let steps = || reference.steps.iter().cloned();
        let Some(scope) = self.scopes.get(rule.scope) else {
            return Target::Local;
        };
        if let Some(alias) = scope
            .aliases
            .iter()
            .find(|alias| alias.name == reference.root)
        {
            let whole = alias.path.steps.iter().cloned().chain(steps()).collect();
            return match alias.path.root {
                "input" => Target::Input(whole),
                _ => Target::Data(whole),
            };
        }
        match reference.root {
            "input" => Target::Input(steps().collect()),
            "data" => Target::Data(steps().collect()),
            root if self.is_sibling(&scope.package, root) => Target::Data(
                scope
                    .package
                    .iter()
                    .map(String::as_str)
                    .chain([root])
                    .map(|name| Step::Name(name.to_owned()))
                    .chain(steps())
                    .collect(),
            ),
            _ => Target::Local,
        }
    }

    /// The rules whose value may be at `path` or within it.
    pub(super) fn at(&self, path: &[Step]) -> Vec<usize> {
        let path = names(path);
        self.rules
            .iter()
            .enumerate()
            .filter(|(_, rule)| rule.path.iter().zip(&path).all(|(own, other)| own == other))
            .map(|(index, _)| index)
            .collect()
    }

    fn is_sibling(&self, package: &[String], name: &str) -> bool {
        self.rules.iter().any(|rule| {
            rule.path
                .strip_prefix(package)
                .and_then(|rest| rest.first())
                .is_some_and(|first| first == name)
        })
    }
}

/// The error at a span.
pub(super) fn at(span: &Span, problem: String) -> RegoError {
    let text = span.source.get_contents();
    let offset = usize::try_from(span.start).unwrap_or(usize::MAX);
    RegoError::Source {
        source: span.source.get_path().clone(),
        at: Some(Position::of(text, offset)),
        problem,
    }
}

fn named<'a>(rule: &'a Rule, package: &[String], scope: usize) -> Result<NamedRule<'a>, RegoError> {
    let name = match rule {
        Rule::Spec { head, .. } => match head {
            RuleHead::Compr { refr, .. }
            | RuleHead::Set { refr, .. }
            | RuleHead::Func { refr, .. } => refr,
        },
        Rule::Default { refr, .. } => refr,
    };
    let Some(name) = Reference::of(name) else {
        return Err(at(
            rule.span(),
            "rule has no name; begin it with one".to_owned(),
        ));
    };
    let path = package
        .iter()
        .map(String::as_str)
        .chain([name.root])
        .chain(names(&name.steps))
        .map(str::to_owned)
        .collect();
    let mentions = walk::mentions(rule);
    if let Some((span, problem)) = mentions.refused {
        return Err(at(span, problem));
    }
    Ok(NamedRule {
        path,
        mentions,
        scope,
    })
}
