/// A PromQL string literal.
pub(super) fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for character in text.chars() {
        match character {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            control if control.is_control() => {
                quoted.push_str(&format!("\\u{:04x}", u32::from(control)));
            }
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}

/// What keeps a query from standing inside parentheses: a string or a bracket that it does not close, or one
/// that it closes and did not open. The rest of its grammar is Prometheus's to check.
pub(super) fn unbalanced(query: &str) -> Option<&'static str> {
    let mut open: Vec<char> = Vec::new();
    let mut characters = query.chars();
    while let Some(character) = characters.next() {
        match character {
            '(' => open.push(')'),
            '[' => open.push(']'),
            '{' => open.push('}'),
            ')' | ']' | '}' if open.pop() != Some(character) => {
                return Some("closes a bracket that it did not open");
            }
            '#' => {
                characters.by_ref().find(|skipped| *skipped == '\n');
            }
            '"' | '\'' | '`' => {
                let mut closed = false;
                while let Some(inside) = characters.next() {
                    if inside == character {
                        closed = true;
                        break;
                    }
                    if inside == '\\' && character != '`' {
                        characters.next();
                    }
                }
                if !closed {
                    return Some("does not close a string");
                }
            }
            _ => {}
        }
    }
    (!open.is_empty()).then_some("does not close a bracket")
}

/// Whether a label may have this name; Prometheus keeps names that begin with two underscores for itself.
pub(super) fn is_label(name: &str) -> bool {
    let mut characters = name.chars();
    characters
        .next()
        .is_some_and(|first| first.is_ascii_alphabetic() || first == '_')
        && characters.all(|rest| rest.is_ascii_alphanumeric() || rest == '_')
        && !name.starts_with("__")
}

/// The first `{{…}}` of a text that these rules do not vouch for, if there is one.
///
/// Prometheus refuses the whole file for one broken template. The value and the labels of the alert, and their
/// readable forms, are what a page needs.
pub(super) fn foreign_template(text: &str) -> Option<&str> {
    let mut rest = text;
    while let Some(open) = rest.find("{{") {
        let template = rest.get(open..)?;
        let Some(close) = template.find("}}") else {
            return Some(template);
        };
        let inside = template.get(2..close)?;
        let mut parts = inside.split('|').map(str::trim);
        let known =
            parts.next().is_some_and(is_variable) && parts.all(|part| FORMS.contains(&part));
        if !known {
            return template.get(..close.saturating_add(2));
        }
        rest = template.get(close.saturating_add(2)..)?;
    }
    None
}

fn is_variable(text: &str) -> bool {
    let label = text
        .strip_prefix("$labels.")
        .or_else(|| text.strip_prefix("$externalLabels."));
    text == "$value" || label.is_some_and(|label| is_label(label) && !label.starts_with("sloth_"))
}

const FORMS: [&str; 3] = ["humanize", "humanizePercentage", "humanizeDuration"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brackets_and_strings_must_close() {
        for good in [
            "up",
            "sum(rate(a{b=\"(\"}[5m]))",
            "a{b='\\'('}",
            "a{b=`\\`}",
            "a # )\n",
            "a # (",
            "",
        ] {
            assert_eq!(unbalanced(good), None, "{good}");
        }
        for bad in [
            "a)",
            "(a",
            "a) or (b",
            "a{b=\"}",
            "(a]",
            "a{b='\\'}",
            "(a # )",
        ] {
            assert!(unbalanced(bad).is_some(), "{bad}");
        }
    }

    #[test]
    fn a_literal_holds_whatever_the_text_is() {
        assert_eq!(quoted("a\"b\\c\nd\u{7}é"), "\"a\\\"b\\\\c\\nd\\u0007é\"");
    }

    #[test]
    fn only_templates_that_prometheus_can_fill_are_let_through() {
        for good in [
            "",
            "no template",
            "{{ $labels.job }} at {{$value | humanizePercentage}}",
        ] {
            assert_eq!(foreign_template(good), None, "{good}");
        }
        for bad in [
            "{{",
            "{{ $labels.job",
            "{{ nofunc 1 }}",
            "{{ $labels.sloth_slo }}",
            "{{ if $value }}",
            "{{ $value | nofunc }}",
            "{{}}",
        ] {
            assert!(foreign_template(bad).is_some(), "{bad}");
        }
    }
}
