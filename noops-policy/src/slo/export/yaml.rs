use std::collections::BTreeMap;

/// Prometheus's file of rule groups.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct File {
    pub(super) groups: Vec<Group>,
}

/// Rules that are evaluated one after the other.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Group {
    pub(super) name: String,
    pub(super) rules: Vec<Rule>,
}

/// A recording or an alerting rule.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Rule {
    pub(super) name: RuleName,
    pub(super) expression: String,
    pub(super) labels: BTreeMap<String, String>,
    pub(super) annotations: BTreeMap<String, String>,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum RuleName {
    Record(String),
    Alert(String),
}

impl File {
    /// The file as YAML. The same rules give the same bytes.
    pub(super) fn to_yaml(&self) -> String {
        if self.groups.is_empty() {
            return "groups: []\n".to_owned();
        }
        let mut text = String::from("groups:\n");
        for group in &self.groups {
            text.push_str(&format!("  - name: {}\n    rules:\n", quoted(&group.name)));
            for rule in &group.rules {
                rule.write(&mut text);
            }
        }
        text
    }
}

impl Rule {
    fn write(&self, text: &mut String) {
        let (key, name) = match &self.name {
            RuleName::Record(name) => ("record", name),
            RuleName::Alert(name) => ("alert", name),
        };
        text.push_str(&format!("      - {key}: {}\n", quoted(name)));
        text.push_str(&format!("        expr: {}\n", block(&self.expression)));
        for (key, values) in [("labels", &self.labels), ("annotations", &self.annotations)] {
            if values.is_empty() {
                continue;
            }
            text.push_str(&format!("        {key}:\n"));
            for (name, value) in values {
                text.push_str(&format!("          {}: {}\n", quoted(name), quoted(value)));
            }
        }
    }
}

/// A literal block where the text allows it, so that a query can be read; a quoted scalar otherwise.
fn block(text: &str) -> String {
    let plain = |character: char| matches!(character, ' '..='~' | '\n');
    let edges = text.starts_with([' ', '\n']) || text.ends_with([' ', '\n']);
    if text.is_empty() || edges || !text.chars().all(plain) || !text.contains('\n') {
        return quoted(text);
    }
    let mut block = String::from("|-");
    for line in text.split('\n') {
        block.push('\n');
        if !line.is_empty() {
            block.push_str("          ");
            block.push_str(line);
        }
    }
    block
}

/// A double-quoted scalar; what is neither ASCII nor a letter or digit is escaped, so that nothing invisible is left.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for character in text.chars() {
        match character {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            ' '..='~' => quoted.push(character),
            letter if letter.is_alphanumeric() => quoted.push(letter),
            other => quoted.push_str(&format!("\\U{:08x}", u32::from(other))),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde::Deserialize;

    use super::*;

    #[derive(Deserialize)]
    struct Read {
        groups: Vec<ReadGroup>,
    }

    #[derive(Deserialize)]
    struct ReadGroup {
        name: String,
        rules: Vec<BTreeMap<String, serde_json::Value>>,
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]

        #[test]
        fn a_yaml_reader_gets_back_what_was_written(
            name in "(?s).{0,20}",
            expression in "(?s)[ -~\n]{0,60}|.{0,40}",
            value in "(?s).{0,20}",
        ) {
            let file = File {
                groups: vec![Group {
                    name: name.clone(),
                    rules: vec![Rule {
                        name: RuleName::Record("a".to_owned()),
                        expression: expression.clone(),
                        labels: BTreeMap::from([("l".to_owned(), value.clone())]),
                        annotations: BTreeMap::new(),
                    }],
                }],
            };
            let read: Read = serde_saphyr::from_str(&file.to_yaml()).unwrap();
            prop_assert_eq!(&read.groups[0].name, &name);
            let rule = &read.groups[0].rules[0];
            prop_assert_eq!(&rule["expr"], &serde_json::json!(expression));
            prop_assert_eq!(&rule["labels"]["l"], &serde_json::json!(value));
        }
    }
}
