use noops_policy::{Action, FactSchema, FactType};
use noops_stats::SplitMix64;

use crate::expressions::{Expression, Kind, Token, expressions, lines, tokens};

/// A document with one slip in it.
pub(crate) struct Mutant {
    pub(crate) kind: &'static str,
    pub(crate) slip: String,
    pub(crate) document: String,
}

/// Every mutant of a document. Typos are made at a place drawn by `noise`: each of four kinds in each word of a condition, and
/// one kind in each other word.
pub(crate) fn mutants(document: &str, schema: &FactSchema, noise: &mut SplitMix64) -> Vec<Mutant> {
    let mut maker = Maker {
        document,
        schema,
        made: Vec::new(),
    };
    for expression in expressions(document) {
        let tokens = tokens(document, expression);
        for token in &tokens {
            maker.typos(token, noise);
        }
        // What a parameter comes to is no part of what the tests of a document can expect.
        if expression.is_parameter {
            continue;
        }
        for (index, token) in tokens.iter().enumerate() {
            maker.facts(token);
            maker.literals(token);
            maker.operators(token);
            maker.operands(&tokens, index);
        }
        maker.clauses(expression, &tokens);
    }
    maker.words(noise);
    maker.test_values();
    maker.rules();
    maker.made
}

struct Maker<'a> {
    document: &'a str,
    schema: &'a FactSchema,
    made: Vec<Mutant>,
}

impl Maker<'_> {
    fn replace(&mut self, kind: &'static str, start: usize, end: usize, by: &str) {
        let old = &self.document[start..end];
        if old == by {
            return;
        }
        let line = self.document[..start].matches('\n').count() + 1;
        self.made.push(Mutant {
            kind,
            slip: format!("line {line}: `{old}` became `{by}`"),
            document: format!("{}{by}{}", &self.document[..start], &self.document[end..]),
        });
    }

    fn text(&self, token: &Token) -> String {
        self.document[token.start..token.end].to_owned()
    }

    fn typos(&mut self, token: &Token, noise: &mut SplitMix64) {
        if token.kind == Kind::Name {
            self.typo(token.start, token.end, noise);
        }
    }

    /// A character left out, one typed twice, two swapped, and a wrong one.
    fn typo(&mut self, start: usize, end: usize, noise: &mut SplitMix64) {
        for edit in 0..4 {
            self.edit(edit, start, end, noise);
        }
    }

    /// One of those four.
    fn any_typo(&mut self, start: usize, end: usize, noise: &mut SplitMix64) {
        let edit = noise.below(4);
        self.edit(edit, start, end, noise);
    }

    fn edit(&mut self, edit: usize, start: usize, end: usize, noise: &mut SplitMix64) {
        let mut word: Vec<char> = self.document[start..end].chars().collect();
        let place = noise.below(word.len());
        match edit {
            0 => {
                word.remove(place);
            }
            1 => word.insert(place, word[place]),
            2 => {
                let next = (place + 1) % word.len();
                word.swap(place, next);
            }
            _ => word[place] = char::from(b"abcdefghijklmnopqrstuvwxyz"[noise.below(26)]),
        }
        let by: String = word.into_iter().collect();
        if !by.is_empty() {
            self.replace("typo", start, end, &by);
        }
    }

    /// Another fact in the place of one.
    fn facts(&mut self, token: &Token) {
        let Some(fact) = self.schema.fact(&self.text(token)) else {
            return;
        };
        if token.kind != Kind::Name {
            return;
        }
        let (fact_type, unit) = (fact.fact_type(), fact.unit().map(str::to_owned));
        let others: Vec<(&'static str, String)> = self
            .schema
            .facts()
            .iter()
            .map(|other| {
                let kind = if other.fact_type() != fact_type {
                    "fact of another type"
                } else if other.unit() != unit.as_deref() {
                    "fact of another unit"
                } else {
                    "another fact"
                };
                (kind, other.name().to_owned())
            })
            .collect();
        for (kind, name) in others {
            self.replace(kind, token.start, token.end, &name);
        }
        if fact_type == FactType::Bool {
            self.replace("negation", token.start, token.start, "!");
        }
    }

    fn literals(&mut self, token: &Token) {
        let text = self.text(token);
        let mut put = |kind, by: &str| self.replace(kind, token.start, token.end, by);
        match token.kind {
            Kind::Number if text.contains('.') => {
                let number: f64 = text.parse().unwrap();
                for moved in [1.1, 0.9, 2.0, 0.5, 10.0, 0.1, 0.0] {
                    put("threshold", &format!("{:?}", number * moved));
                }
                for moved in [1.0, -1.0] {
                    put("threshold", &format!("({:?})", number + moved));
                }
                put("type of a literal", &format!("{}", number as i64));
                put("type of a literal", &format!("\"{text}\""));
            }
            Kind::Number => {
                let number: i64 = text.parse().unwrap();
                for moved in [
                    number + 1,
                    number - 1,
                    number * 2,
                    number / 2,
                    number * 10,
                    0,
                ] {
                    put("threshold", &format!("({moved})"));
                }
                put("type of a literal", &format!("{number}.0"));
                put("type of a literal", &format!("\"{number}\""));
            }
            Kind::Text => {
                put("text", &text.replacen('"', "\"x", 1));
                put("text", "\"\"");
                put("type of a literal", "1");
                put("type of a literal", "true");
            }
            _ => {}
        }
    }

    fn operators(&mut self, token: &Token) {
        let text = self.text(token);
        let swaps: &[&str] = match text.as_str() {
            "<" | "<=" | ">" | ">=" | "==" | "!=" => &["<", "<=", ">", ">=", "==", "!="],
            "+" | "-" | "*" | "/" => &["+", "-", "*", "/"],
            "&&" | "||" => &["&&", "||"],
            "!" => &[""],
            _ => return,
        };
        for by in swaps {
            let kind = match text.as_str() {
                "&&" | "||" => "connective",
                "!" => "negation",
                _ => "operator",
            };
            self.replace(kind, token.start, token.end, by);
        }
    }

    /// The two sides of an operator between single tokens change places.
    fn operands(&mut self, tokens: &[Token], index: usize) {
        let (Some(left), Some(right)) = (index.checked_sub(1), tokens.get(index + 1)) else {
            return;
        };
        let (left, operator) = (&tokens[left], &tokens[index]);
        let is_operand =
            |token: &Token| matches!(token.kind, Kind::Name | Kind::Number | Kind::Text);
        if operator.kind != Kind::Operator || !is_operand(left) || !is_operand(right) {
            return;
        }
        let by = format!(
            "{} {} {}",
            self.text(right),
            self.text(operator),
            self.text(left)
        );
        self.replace("order of operands", left.start, right.end, &by);
    }

    /// Each term of the outermost connective is dropped; the terms change places.
    fn clauses(&mut self, expression: Expression, tokens: &[Token]) {
        let mut depth = 0;
        let mut cuts: Vec<&Token> = Vec::new();
        for token in tokens {
            match self.text(token).as_str() {
                "(" | "[" => depth += 1,
                ")" | "]" => depth -= 1,
                "&&" | "||" if depth == 0 => cuts.push(token),
                _ => {}
            }
        }
        let Some(first) = cuts.first() else {
            return;
        };
        let connective = format!(" {} ", self.text(first));
        let mut terms: Vec<String> = Vec::new();
        let mut start = expression.start;
        for cut in &cuts {
            terms.push(self.document[start..cut.start].trim().to_owned());
            start = cut.end;
        }
        terms.push(self.document[start..expression.end].trim().to_owned());
        for index in 0..terms.len() {
            let mut fewer = terms.clone();
            fewer.remove(index);
            let by = fewer.join(&connective);
            self.replace("clause dropped", expression.start, expression.end, &by);
        }
        terms.reverse();
        let by = terms.join(&connective);
        self.replace("order of clauses", expression.start, expression.end, &by);
    }

    /// Typos in keys, actions, effects and the names of facts in tests. The names of rules, tests and parameters are free.
    fn words(&mut self, noise: &mut SplitMix64) {
        let mut is_parameters = false;
        for (start, line) in lines(self.document) {
            let indent = line.len() - line.trim_start().trim_start_matches("- ").len();
            let (key, value) = line[indent..].split_once(':').unwrap();
            let is_free = is_parameters && line.starts_with("      ");
            is_parameters = is_free || key == "with";
            if is_free {
                continue;
            }
            let place = start + indent;
            self.any_typo(place, place + key.len(), noise);
            let value_start = place + key.len() + 1 + (value.len() - value.trim_start().len());
            match key {
                "effect" | "action" | "unknown" | "enforcement" => {
                    self.typo(value_start, value_start + value.trim().len(), noise);
                }
                "facts" | "ages" | "expect" => {
                    self.flow_words(value_start, value.trim(), key, noise)
                }
                _ => {}
            }
        }
    }

    /// The keys of `{ key: value, … }`, and what `expect` expects.
    fn flow_words(&mut self, start: usize, flow: &str, key: &str, noise: &mut SplitMix64) {
        for (at, _) in flow.match_indices(": ") {
            let from = flow[..at].rfind(' ').unwrap() + 1;
            self.any_typo(start + from, start + at, noise);
            if key == "expect" {
                let end = at + 2 + flow[at + 2..].find([',', ' ']).unwrap();
                self.any_typo(start + at + 2, start + end, noise);
            }
        }
    }

    /// Quotation marks around the numbers and truth values of tests.
    fn test_values(&mut self) {
        for (start, line) in lines(self.document) {
            let Some(flow) = line.trim_start().strip_prefix("facts: ") else {
                continue;
            };
            let start = start + line.len() - flow.len();
            for (at, _) in flow.match_indices(": ") {
                let from = at + 2;
                let end = from + flow[from..].find([',', ' ']).unwrap();
                let value = &flow[from..end];
                if value.parse::<f64>().is_ok() || value == "true" || value == "false" {
                    self.replace(
                        "quoted value in a test",
                        start + from,
                        start + end,
                        &format!("\"{value}\""),
                    );
                }
            }
        }
    }

    fn rules(&mut self) {
        let head = self.document.find("rules:\n").unwrap() + "rules:\n".len();
        let tail = self.document.find("tests:\n").unwrap();
        let block = &self.document[head..tail];
        let mut starts: Vec<usize> = block.match_indices("  - name:").map(|(at, _)| at).collect();
        starts.push(block.len());
        let rules: Vec<&str> = starts
            .windows(2)
            .map(|pair| &block[pair[0]..pair[1]])
            .collect();
        let mut orders: Vec<(&'static str, Vec<&str>)> = Vec::new();
        for index in 0..rules.len() {
            let mut fewer = rules.clone();
            let rule = fewer.remove(index);
            orders.push(("rule dropped", fewer.clone()));
            fewer.push(rule);
            orders.push(("order of rules", fewer));
        }
        orders.push(("order of rules", rules.iter().rev().copied().collect()));
        for (kind, rules) in orders {
            self.replace(kind, head, tail, &rules.concat());
        }
        self.rule_words();
    }

    fn rule_words(&mut self) {
        for (start, line) in lines(self.document) {
            let Some((key, value)) = line.trim_start().split_once(": ") else {
                continue;
            };
            let from = start + line.len() - value.len();
            let end = start + line.len();
            match key {
                "effect" => {
                    for by in ["trigger", "permit", "forbid"] {
                        self.replace("effect", from, end, by);
                    }
                }
                "action" => {
                    for by in Action::ALL {
                        self.replace("action", from, end, by.name());
                    }
                }
                "unknown" => {
                    for by in ["skip", "deny"] {
                        self.replace("what unknown means", from, end, by);
                    }
                    self.replace("what unknown means", start, end + 1, "");
                }
                // Between the two mandatory levels the effect is the same, and a test can expect nothing else.
                "enforcement" => self.replace("enforcement", from, end, "advisory"),
                "match" => self.replace("guard dropped", start, end + 1, ""),
                _ => {}
            }
        }
    }
}
