//! What is known, from a file.

use std::path::Path;

use noops_core::Timestamp;
use noops_policy::{FactSchema, FactValue, Facts};

use crate::node::{Entry, Node};
use crate::problem::Problem;
use crate::source::Source;

/// Reads facts; a value without a time is taken as true at `at`. Everything that is wrong with the file is told.
pub(crate) fn read(path: &Path, schema: &FactSchema, at: Timestamp) -> Result<Facts, Vec<Problem>> {
    let source = Source::read(path).map_err(|problem| vec![problem])?;
    parse(&source, schema, at)
}

fn parse(source: &Source, schema: &FactSchema, at: Timestamp) -> Result<Facts, Vec<Problem>> {
    let mut reader = Reader {
        file: &source.name,
        at,
        facts: Facts::new(schema),
        problems: Vec::new(),
    };
    match tree(source) {
        Ok(Node::Map(entries)) => reader.take("", &entries),
        // An empty file says that nothing is known.
        Ok(Node::Value(FactValue::Double(number))) if number.is_nan() => {}
        Ok(Node::Value(_)) => reader.problems.push(Problem::of_file(
            source.name.as_str(),
            "it holds a value without a name; write facts by name",
        )),
        Err(problem) => reader.problems.push(problem),
    }
    if reader.problems.is_empty() {
        Ok(reader.facts)
    } else {
        Err(reader.problems)
    }
}

/// JSON is YAML too, which knows the places; but what is called JSON has to be it.
fn tree(source: &Source) -> Result<Node, Problem> {
    if source.name.to_ascii_lowercase().ends_with(".json")
        && let Err(error) = serde_json::from_str::<serde::de::IgnoredAny>(&source.text)
    {
        let text = error.to_string();
        let problem = text.rsplit_once(" at line ").map_or(&*text, |(it, _)| it);
        let place = (error.line() as u64, error.column().max(1) as u64);
        return Err(Problem::at(&source.name, Some(place), problem));
    }
    if source.text.trim().is_empty() {
        return Ok(Node::Map(Vec::new()));
    }
    serde_saphyr::from_str(&source.text).map_err(|error| Problem::unreadable(&source.name, &error))
}

struct Reader<'a> {
    file: &'a str,
    at: Timestamp,
    facts: Facts,
    problems: Vec<Problem>,
}

impl Reader<'_> {
    fn take(&mut self, prefix: &str, entries: &[Entry]) {
        for entry in entries {
            let name = match prefix {
                "" => entry.name.clone(),
                prefix => format!("{prefix}.{}", entry.name),
            };
            let is_declared = self.facts.schema().fact(&name).is_some();
            match &entry.node {
                Node::Value(value) => self.set(&name, entry, value, self.at),
                Node::Map(members) if is_declared || is_record(members) => {
                    self.record(&name, entry, members);
                }
                Node::Map(members) => self.take(&name, members),
            }
        }
    }

    fn record(&mut self, name: &str, entry: &Entry, members: &[Entry]) {
        let mut value = None;
        let mut at = Ok(self.at);
        for member in members {
            match (member.name.as_str(), &member.node) {
                ("value", Node::Value(given)) => value = Some(given),
                ("at", Node::Value(FactValue::Text(text))) => {
                    at = text.parse::<Timestamp>().map_err(|_| member);
                }
                ("at", _) => at = Err(member),
                (other, _) => {
                    let problem = format!(
                        "fact `{name}`: unknown key `{other}`; a record has `value` and `at`"
                    );
                    return self.refuse(member, problem);
                }
            }
        }
        match (value, at) {
            (Some(value), Ok(at)) => self.set(name, entry, value, at),
            (None, _) => self.refuse(
                entry,
                format!("fact `{name}`: the record has no value; write `value`"),
            ),
            (_, Err(member)) => self.refuse(
                member,
                format!("fact `{name}`: `at` is not a moment; write it as `2026-03-01T12:00:00Z`"),
            ),
        }
    }

    fn set(&mut self, name: &str, entry: &Entry, value: &FactValue, at: Timestamp) {
        let is_twice = self.facts.entry(name).is_some();
        match self.facts.set(name, value.clone(), at) {
            Ok(()) if is_twice => self.refuse(
                entry,
                format!("fact `{name}` is there twice; remove one of them"),
            ),
            Ok(()) => {}
            Err(error) => self.refuse(entry, error.to_string()),
        }
    }

    fn refuse(&mut self, entry: &Entry, problem: String) {
        let place = Some(entry.place).filter(|(line, _)| *line > 0);
        self.problems.push(Problem::at(self.file, place, problem));
    }
}

fn is_record(members: &[Entry]) -> bool {
    let has = |name: &str| members.iter().any(|member| member.name == name);
    has("value")
        && members
            .iter()
            .all(|member| ["value", "at"].contains(&&*member.name))
}

#[cfg(test)]
mod tests {
    use noops_policy::FactDecl;

    use super::*;

    fn schema() -> FactSchema {
        FactSchema::new(vec![
            FactDecl::double("harm.max_e"),
            FactDecl::int("harm.blocks"),
            FactDecl::text("env"),
            FactDecl::new("models", noops_policy::FactType::Texts),
        ])
        .unwrap()
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn source(name: &str, text: &str) -> Source {
        Source {
            name: name.to_owned(),
            text: text.to_owned(),
        }
    }

    fn refused(name: &str, text: &str) -> Vec<String> {
        let problems = parse(&source(name, text), &schema(), at(0)).unwrap_err();
        problems.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn dotted_nested_and_recorded_facts_are_the_same() {
        let forms = [
            (
                "a.yaml",
                "harm.max_e: 12.5\nharm.blocks: 9\nmodels: [a, b]\n",
            ),
            (
                "a.yaml",
                "harm: { max_e: 12.5, blocks: { value: 9 } }\nmodels:\n  - a\n  - b\n",
            ),
            (
                "a.json",
                "{\"harm\": {\"max_e\": {\"value\": 12.5, \"at\": \"1970-01-01T00:00:07Z\"}, \"blocks\": 9}, \"models\": [\"a\", \"b\"]}",
            ),
        ];
        let read = forms.map(|(name, text)| parse(&source(name, text), &schema(), at(7)).unwrap());
        assert_eq!(read[0].entry("harm.blocks").unwrap().at(), at(7));
        assert_eq!(read[0], read[1]);
        assert_eq!(read[1], read[2]);
    }

    #[test]
    fn every_slip_is_told_with_its_line() {
        assert_eq!(
            refused("f.yaml", "harm:\n  max_e: 1.5\n  block: 3\nenv: 4\n"),
            [
                "`f.yaml`:3:3: unknown fact `harm.block`; did you mean `harm.blocks`?",
                "`f.yaml`:4:1: fact `env` is declared as text and was given a int value",
            ]
        );
        assert_eq!(
            refused("f.yaml", "env: { value: a, att: b }"),
            ["`f.yaml`:1:18: fact `env`: unknown key `att`; a record has `value` and `at`"]
        );
        assert!(refused("f.yaml", "env: { value: a, at: noon }")[0].contains("not a moment"));
        assert!(refused("f.yaml", "harm.blocks: 1\nharm: { blocks: 2 }")[0].contains("twice"));
        assert!(refused("f.yaml", "- 1\n- 2\n")[0].contains("without a name"));
    }

    #[test]
    fn what_is_called_json_has_to_be_it() {
        let told = refused("f.json", "{\"env\": \"a\",}");
        assert!(told[0].starts_with("`f.json`:1:13: "), "{told:?}");
    }

    #[test]
    fn an_empty_file_knows_nothing() {
        let facts = parse(&source("f.yaml", "# later\n"), &schema(), at(0)).unwrap();
        assert!(facts.to_record().is_empty());
    }
}
