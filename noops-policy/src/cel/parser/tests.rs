mod bounds;
mod literals;
mod refusals;

use super::*;
use crate::cel::ast::Quantifier;

#[test]
fn operators_bind_as_the_language_says() {
    for (source, expected) in [
        ("a || b && c", "(|| a (&& b c))"),
        ("a && b || c && d", "(|| (&& a b) (&& c d))"),
        ("a == b && c < d", "(&& (Equal a b) (Less c d))"),
        ("a + b * c - d", "(Subtract (Add a (Multiply b c)) d)"),
        ("a * b + c * d", "(Add (Multiply a b) (Multiply c d))"),
        ("a * b * c", "(Multiply (Multiply a b) c)"),
        ("a - b - c", "(Subtract (Subtract a b) c)"),
        ("(a - b) * c", "(Multiply (Subtract a b) c)"),
        ("a < b == c", "(Equal (Less a b) c)"),
        ("a + b in c", "(In (Add a b) c)"),
        ("a in b in c", "(In (In a b) c)"),
        ("!a && b", "(&& (Not a) b)"),
        ("-a.b", "(Negate (. a b))"),
        ("-a[0]", "(Negate (Index a 0))"),
        ("!!a", "(Not (Not a))"),
        ("a ? b : c ? d : e", "(? a b (? c d e))"),
        ("a ? b || c : d", "(? a (|| b c) d)"),
        ("a || b ? c : d", "(? (|| a b) c d)"),
        ("(a ? b : c) ? d : e", "(? (? a b c) d e)"),
    ] {
        assert_eq!(shape_of(source), expected, "{source}");
    }
}

#[test]
fn chains_of_and_and_or_are_flat_but_parentheses_are_kept() {
    assert_eq!(shape_of("a && b && c"), "(&& a b c)");
    assert_eq!(shape_of("a || b || c || d"), "(|| a b c d)");
    assert_eq!(shape_of("(a && b) && c"), "(&& (&& a b) c)");
    let wide = vec!["a"; 2000].join(" && ");
    assert_eq!(parse(&wide).unwrap().depth, 2);
}

#[test]
fn members_calls_and_indices_read_from_left_to_right() {
    for (source, expected) in [
        ("a.b.c", "(. (. a b) c)"),
        (".a.b", "(. .a b)"),
        (". a", ".a"),
        ("a.b(c).d[e]", "(Index (. (b@a c) d) e)"),
        ("f()", "(f)"),
        (".f(a)", "(.f a)"),
        ("f(a, b + c)", "(f a (Add b c))"),
        ("'x'.size()", "(size@\"x\")"),
        ("[1, 2][0]", "(Index [1 2] 0)"),
        ("{'a': 1}.a", "(. {\"a\":1} a)"),
        ("1.size()", "(size@1)"),
        ("-1.abs()", "(abs@-1)"),
        ("a.`b-c`", "(. a b-c)"),
        ("a.`in`.`x/y z`", "(. (. a in) x/y z)"),
        ("a.if.package", "(. (. a if) package)"),
    ] {
        assert_eq!(shape_of(source), expected, "{source}");
    }
}

#[test]
fn lists_and_maps_may_end_with_a_comma_and_calls_may_not() {
    assert_eq!(shape_of("[]"), "[]");
    assert_eq!(shape_of("[1, 2,]"), "[1 2]");
    assert_eq!(shape_of("{}"), "{}");
    assert_eq!(shape_of("{1: a, 2: b,}"), "{1:a 2:b}");
    for source in ["[,]", "{,}", "f(a,)", "f(,)", "[1 2]", "{1}", "{1: }"] {
        parse(source).expect_err(source);
    }
}

#[test]
fn comments_and_blanks_of_every_kind_are_skipped() {
    assert_eq!(shape_of("a // b\n\t\r\u{c} + c // d"), "(Add a c)");
    assert_eq!(problem("// nothing"), "condition is empty");
}

#[test]
fn macros_expand_where_their_shape_fits() {
    for (source, expected) in [
        ("has(a.b.c)", "(has (. a b) c)"),
        ("has(a)", "(has a)"),
        ("a.all(x, x > 0)", "(All a x (Greater x 0))"),
        ("a.exists(x, p)", "(Exists a x p)"),
        ("a.exists_one(x, p)", "(ExistsOne a x p)"),
        ("a.existsOne(x, p)", "(ExistsOne a x p)"),
        ("a.filter(x, p)", "(Filter a x p)"),
        ("a.map(x, t)", "(Map a x t)"),
        ("a.map(x, p, t)", "(Map a x p t)"),
        ("a.all(i, x, p)", "(All a i,x p)"),
        ("a.exists(i, x, p)", "(Exists a i,x p)"),
        ("a.existsOne(i, x, p)", "(ExistsOne a i,x p)"),
        ("a.exists_one(i, x, p)", "(ExistsOne a i,x p)"),
        ("a.transformList(i, x, t)", "(Map a i,x t)"),
        ("a.transformList(i, x, p, t)", "(Map a i,x p t)"),
        ("a.transformMap(k, v, t)", "(TransformMap a k,v t)"),
        ("a.transformMap(k, v, p, t)", "(TransformMap a k,v p t)"),
        (
            "a.transformMapEntry(k, v, {v: k})",
            "(TransformMapEntry a k,v {v:k})",
        ),
        (
            "cel.bind(x, a + b, x * x)",
            "(bind x (Add a b) (Multiply x x))",
        ),
        ("[1].map(x, x).all(y, y)", "(All (Map [1] x x) y y)"),
        // Without a target, and on another target than `cel`, these are functions like any other.
        ("all(x, p)", "(all x p)"),
        ("other.bind(x, y, z)", "(bind@other x y z)"),
        ("a.has(b.c)", "(has@a (. b c))"),
    ] {
        assert_eq!(shape_of(source), expected, "{source}");
    }
}

#[test]
fn places_are_the_bytes_of_the_source() {
    let source = "'é' == a && (b + c) < 2";
    let Kind::And(clauses) = parse(source).unwrap().kind else {
        panic!("not a conjunction");
    };
    let texts: Vec<&str> = clauses
        .iter()
        .map(|clause| &source[clause.span.start..clause.span.end])
        .collect();
    assert_eq!(texts, ["'é' == a", "(b + c) < 2"]);
}

#[test]
fn canonical_forms_differ_only_where_the_words_do() {
    let canonical_form = canonical("a.b  &&\n x<0x10 // note\n&& t == 'it\\'s'").unwrap();
    assert_eq!(canonical_form, "a . b && x < 16 && t == \"it's\"");
    assert_eq!(canonical(&canonical_form).unwrap(), canonical_form);
    assert_eq!(
        canonical("b'\\xff' + 2u").unwrap(),
        canonical("B\"\\377\"+0x2U").unwrap()
    );
    assert_ne!(canonical("a == 'b'").unwrap(), canonical("a == b").unwrap());
    assert_ne!(canonical("1 < 2").unwrap(), canonical("1.0 < 2").unwrap());
    assert_ne!(canonical("1 < 2").unwrap(), canonical("1 < 2u").unwrap());
}

fn problem(source: &str) -> String {
    parse(source).unwrap_err().problem
}

fn shape_of(source: &str) -> String {
    shape(&parse(source).unwrap_or_else(|refusal| panic!("{source}: {refusal:?}")))
}

/// The tree in prefix form, with all its parentheses.
fn shape(node: &Node) -> String {
    let all = |nodes: &[Node]| nodes.iter().map(shape).collect::<Vec<_>>().join(" ");
    match &node.kind {
        Kind::Literal(value) => match value {
            Value::Null => "null".to_owned(),
            Value::Bool(value) => value.to_string(),
            Value::Int(value) => value.to_string(),
            Value::Uint(value) => format!("{value}u"),
            Value::Double(value) => format!("{value:?}"),
            other => match other {
                Value::String(text) => format!("{text:?}"),
                Value::Bytes(bytes) => format!("b\"{}\"", bytes.escape_ascii()),
                _ => panic!("no literal is {other:?}"),
            },
        },
        Kind::Name(name) => name.clone(),
        Kind::Select(operand, field) => format!("(. {} {field})", shape(operand)),
        Kind::Has(Some(operand), field) => format!("(has {} {field})", shape(operand)),
        Kind::Has(None, name) => format!("(has {name})"),
        Kind::Unary(operator, operand) => format!("({operator:?} {})", shape(operand)),
        Kind::Binary(operator, left, right) => {
            format!("({operator:?} {} {})", shape(left), shape(right))
        }
        Kind::And(operands) => format!("(&& {})", all(operands)),
        Kind::Or(operands) => format!("(|| {})", all(operands)),
        Kind::Conditional(condition, then, otherwise) => format!(
            "(? {} {} {})",
            shape(condition),
            shape(then),
            shape(otherwise)
        ),
        Kind::List(items) => format!("[{}]", all(items)),
        Kind::Map(entries) => {
            let entries: Vec<String> = entries
                .iter()
                .map(|(key, value)| format!("{}:{}", shape(key), shape(value)))
                .collect();
            format!("{{{}}}", entries.join(" "))
        }
        Kind::Call {
            target,
            name,
            arguments,
        } => {
            let target = target.as_ref().map(|target| format!("@{}", shape(target)));
            let mut words = vec![format!("{name}{}", target.unwrap_or_default())];
            words.extend(arguments.iter().map(shape));
            format!("({})", words.join(" "))
        }
        Kind::Comprehension {
            quantifier,
            range,
            variables,
            body,
        } => {
            let quantifier: &Quantifier = quantifier;
            let variables = variables.join(",");
            format!(
                "({quantifier:?} {} {variables} {})",
                shape(range),
                all(body)
            )
        }
        Kind::Bind { name, value, body } => {
            format!("(bind {name} {} {})", shape(value), shape(body))
        }
    }
}
