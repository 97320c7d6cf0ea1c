use super::{problem, shape_of};
use crate::cel::error::CelError;
use crate::cel::parser::parse;
use crate::cel::parser::tokens::{KEYWORDS, RESERVED};

#[test]
fn a_macro_of_the_wrong_shape_says_how_it_is_written() {
    for (source, at, expected) in [
        ("a.all(x)", 2, "`all` is written `range.all(x, x > 0)`"),
        (
            "a.map(x, y, z, w)",
            2,
            "`map` is written `range.map(x, x * 2)`",
        ),
        (
            "a.all(b.c, p)",
            6,
            "a variable is a simple name, such as `x`",
        ),
        (
            "a.all(.x, p)",
            6,
            "a variable is a simple name, such as `x`",
        ),
        ("1.all(2, 3)", 6, "a variable is a simple name, such as `x`"),
        (
            "cel.bind(1, 2, 3)",
            9,
            "a variable is a simple name, such as `x`",
        ),
        (
            "a.all(x, x, p)",
            9,
            "`x` names both variables; give them different names",
        ),
        (
            "has(a[0])",
            4,
            "`has` asks whether one fact or field is there: `has(name)` or `has(value.field)`",
        ),
        (
            "has()",
            0,
            "`has` asks whether one fact or field is there: `has(name)` or `has(value.field)`",
        ),
        (
            "cel.bind(x, 1)",
            4,
            "`cel.bind` takes a name, its value and an expression: `cel.bind(x, value, x + x)`",
        ),
    ] {
        assert_eq!(
            parse(source).unwrap_err(),
            CelError::new(at, expected),
            "{source}"
        );
    }
}

#[test]
fn reserved_words_are_fields_but_no_names() {
    for word in RESERVED {
        parse(word).expect_err(word);
        parse(&format!("{word}(a)")).expect_err(word);
        parse(&format!("a.all({word}, true)")).expect_err(word);
        parse(&format!("a.{word}")).expect(word);
    }
    for keyword in KEYWORDS {
        parse(&format!("a.{keyword}")).expect_err(keyword);
        parse(&format!("a.`{keyword}`")).expect(keyword);
    }
    assert_eq!(
        problem("if"),
        "`if` is a reserved word; choose with `condition ? this : that`"
    );
}

#[test]
fn slips_of_other_languages_are_named_with_the_operator_meant() {
    for (source, at, expected) in [
        ("a = 1", 2, "`=` is not an operator; use `==` to compare"),
        ("a === 1", 2, "`===` is not an operator; use `==`"),
        ("a <> 1", 2, "`<>` is not an operator; use `!=`"),
        ("a => 1", 2, "`=>` is not an operator; use `>=`"),
        ("a & b", 2, "`&` is not an operator; use `&&`"),
        ("a | b", 2, "`|` is not an operator; use `||`"),
        ("a and b", 2, "`and` is not an operator; use `&&`"),
        ("(a OR b)", 3, "`OR` is not an operator; use `||`"),
        ("a && not b", 5, "`not` is not an operator; use `!`"),
        ("f(not b)", 2, "`not` is not an operator; use `!`"),
        ("not(a)", 0, "`not` is not an operator; use `!`"),
        (
            "a contains b",
            2,
            "`contains` is not an operator; use `text.contains(part)`",
        ),
        ("a == “b”", 5, "`“` is a typographic quote; use `'` or `\"`"),
        ("a # b", 2, "`#` does not start a comment; use `//`"),
    ] {
        assert_eq!(
            parse(source).unwrap_err(),
            CelError::new(at, expected),
            "{source}"
        );
    }
}

#[test]
fn syntax_outside_the_subset_is_named() {
    for (source, at, syntax) in [
        ("1 == T{a: 1}", 5, "a message `T{…}`"),
        ("a.b.T{}", 0, "a message `T{…}`"),
        ("a.?b", 2, "`.?`"),
        ("a[?0]", 2, "`[?`"),
        ("[?a]", 1, "`[?`"),
        ("{?'a': b}", 1, "`{?`"),
        ("a?.b", 1, "`?.`"),
    ] {
        assert_eq!(
            parse(source).unwrap_err(),
            CelError::new(at, format!("{syntax} is not part of this subset of CEL")),
            "{source}"
        );
    }
    assert_eq!(shape_of("a?.b:c"), "(? a .b c)");
}

#[test]
fn refusals_name_what_was_wanted_and_what_was_found() {
    for (source, at, expected) in [
        ("", 0, "condition is empty"),
        (
            "1 +",
            3,
            "expected a value, a name or `(` but the condition ends",
        ),
        ("1 + +", 4, "expected a value, a name or `(` but found `+`"),
        (
            "--",
            2,
            "expected a value, a name or `(` but the condition ends",
        ),
        ("(a", 2, "expected `)` but the condition ends"),
        ("a ? b", 5, "expected `:` but the condition ends"),
        (
            "a b",
            2,
            "expected an operator or the end of the condition but found `b`",
        ),
        (
            "1 2",
            2,
            "expected an operator or the end of the condition but found `2`",
        ),
        ("f(a b)", 4, "expected `,` or `)` but found `b`"),
        ("[a b]", 3, "expected `,` or `]` but found `b`"),
        (
            "a.1",
            1,
            "expected an operator or the end of the condition but found `0.1`",
        ),
        ("a.'b'", 2, "expected the name of a field but found `\"b\"`"),
        ("a.true", 2, "expected the name of a field but found `true`"),
        ("a $ b", 2, "unexpected character `$`"),
        ("é", 0, "unexpected character `é`"),
        (
            ".1.2.f(",
            2,
            "expected an operator or the end of the condition but found `0.2`",
        ),
    ] {
        assert_eq!(
            parse(source).unwrap_err(),
            CelError::new(at, expected),
            "{source}"
        );
    }
}

#[test]
fn a_refusal_repeats_the_beginning_of_a_long_word_only() {
    for source in [
        "9".repeat(5000),
        format!("a {}", "b".repeat(5000)),
        format!("a '{}'", "é".repeat(5000)),
    ] {
        assert!(
            problem(&source).chars().count() < 150,
            "{}",
            problem(&source)
        );
    }
}
