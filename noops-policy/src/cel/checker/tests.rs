use super::*;
use crate::cel::parser::parse;
use crate::fact::{FactDecl, FactSchema};

mod soundness;

fn facts() -> Environment {
    let schema = FactSchema::new(vec![
        FactDecl::double("drift.psi"),
        FactDecl::double("drift.js"),
        FactDecl::int("n"),
        FactDecl::text("env"),
        FactDecl::bool("frozen"),
    ])
    .unwrap();
    Environment::from_schema(&schema)
}

fn checked(source: &str, environment: &Environment) -> Result<Typed, CelError> {
    check(&parse(source).unwrap(), source, environment, Mode::Strict)
}

#[track_caller]
fn has_type(source: &str, expected: &str) {
    let typed = checked(source, &facts()).unwrap();
    assert_eq!(typed.value_type.to_string(), expected, "{source}");
}

#[track_caller]
fn is_refused(source: &str, at: usize, problem: &str) {
    let error = checked(source, &facts()).unwrap_err();
    assert_eq!(
        (error.at, error.problem.as_str()),
        (at, problem),
        "{source}"
    );
}

#[test]
fn types_are_those_of_the_reference_checker() {
    // The field `type` of vectors of the conformance suite, which cel-go deduced.
    for (source, expected) in [
        ("[]", "list(dyn)"),
        ("{}", "map(dyn, dyn)"),
        ("[1, 2u] + []", "list(dyn)"),
        ("[] + [1,2,3,] + [4]", "list(int)"),
        ("{0:1,2:2,5:true}[5]", "dyn"),
        ("{0u:[1]}[0u]", "list(int)"),
        (
            "[[], [[]], [[[]]], [[[[]]]]]",
            "list(list(list(list(list(dyn)))))",
        ),
        ("[].filter(k, k % 2 == 0)", "list(int)"),
        ("[].map(k, k / 2)", "list(int)"),
        ("([].map(x,x))[0].foo", "dyn"),
        ("[1].map(x, [x, x]).map(x, [x, x])", "list(list(list(int)))"),
        ("[{}.map(c,c,c)]+[{}.map(c,c,c)]", "list(list(bool))"),
        ("{}.map(c,[c,type(c)])", "list(list(dyn))"),
        (
            "([[[1]], [[2]], [[3]]][0][0] + [2, 3, {'four': {'five': 'six'}}])[3]",
            "dyn",
        ),
        ("math.greatest(5u, -7)", "dyn"),
        ("math.bitXor(dyn([]), dyn([1]))", "dyn"),
        ("type([1, 2, 3])", "type(list(int))"),
        (
            "timestamp('0001-01-01T00:00:00Z') + duration('-1s')",
            "timestamp",
        ),
    ] {
        has_type(source, expected);
    }
}

#[test]
fn numbers_of_any_kind_are_ordered() {
    for left in ["1", "1u", "1.0"] {
        for right in ["2", "2u", "2.0"] {
            for symbol in ["<", "<=", ">", ">="] {
                has_type(&format!("{left} {symbol} {right}"), "bool");
            }
        }
    }
}

#[test]
fn what_the_checker_of_cel_core_lets_pass_is_refused() {
    for source in [
        "env == 1",
        "1.0 == 1",
        "2u != 2",
        "['one'] == [2, 3]",
        "[1] == [1.0]",
        "true ? 'cows' : 17",
        "1.0 in [1, 2]",
    ] {
        assert!(checked(source, &facts()).is_err(), "{source}");
    }
}

#[test]
fn unknown_names_are_answered_with_the_nearest() {
    is_refused(
        "drift.pssi < 0.2",
        0,
        "unknown fact `drift.pssi`; did you mean `drift.psi`?",
    );
    is_refused(
        "frozen || colour",
        10,
        "unknown fact `colour`; declare it in the fact schema",
    );
    is_refused(
        "has(drift.psy)",
        0,
        "unknown fact `drift.psy`; did you mean `drift.psi`?",
    );
    is_refused(
        "drift > 0.2",
        0,
        "`drift` is a group of facts, not a fact; name a member such as `drift.js` or `drift.psi`",
    );
    is_refused(
        "sise(env) > 2",
        0,
        "unknown function `sise`; did you mean `size`?",
    );
    is_refused(
        "env.startWith('p')",
        0,
        "unknown function `startWith`; did you mean `startsWith`?",
    );
    is_refused(
        "math.greatst(n, 2)",
        0,
        "unknown function `math.greatst`; did you mean `math.greatest`?",
    );
    is_refused(
        "env.quote()",
        0,
        "unknown function `quote`; did you mean `strings.quote`?",
    );
    is_refused(
        "exists(n, true)",
        0,
        "`exists` is called on a list or a map: `range.exists(x, …)`",
    );
    is_refused(
        "size > 2",
        0,
        "`size` is a function; call it with its arguments in parentheses",
    );
}

#[test]
fn mismatches_are_placed_at_the_operand_and_say_what_to_write() {
    is_refused(
        "drift.psi + 2 > 0.5",
        12,
        "`+` takes values of one type but `drift.psi` is double and `2` is int; write `2.0`",
    );
    is_refused(
        "drift.psi * n > 0.5",
        12,
        "`*` takes values of one type but `drift.psi` is double and `n` is int; write `double(n)`",
    );
    is_refused(
        "n * drift.psi > 0.5",
        4,
        "`*` takes values of one type but `n` is int and `drift.psi` is double; write `double(n)`",
    );
    is_refused(
        "env == 1",
        7,
        "`==` compares values of one type but `env` is string and `1` is int; write `'1'`",
    );
    is_refused(
        "env <  n",
        7,
        "`<` orders numbers, or two values of one type, but `env` is string and `n` is int",
    );
    is_refused(
        "frozen ? 1.5 : 2",
        15,
        "the two results of `?` differ in type: double and int; write `2.0`",
    );
    is_refused("!n", 1, "`!` takes bool but `n` is int");
    is_refused("frozen && env", 10, "`&&` takes bool but `env` is string");
    is_refused("-env", 1, "`-` takes int or double but `env` is string");
    is_refused(
        "duration('1h') > '30m'",
        17,
        "`>` orders numbers, or two values of one type, but `duration('1h')` is duration and `'30m'` is string; write `duration('30m')`",
    );
    is_refused(
        "[1, 2]['a']",
        7,
        "the place in a list is an int but `'a'` is string",
    );
    is_refused("n[0]", 0, "`[…]` takes a list or a map but `n` is int");
    is_refused(
        "env in n",
        7,
        "`in` looks in a list or a map but `n` is int",
    );
    is_refused(
        "env in [1, 2]",
        7,
        "`in` looks for a value of the type of its items; `env` is string and `[1, 2]` is list(int)",
    );
    is_refused(
        "n.all(x, x > 1)",
        0,
        "`all` takes a list or a map but `n` is int",
    );
    is_refused("[1].all(x, x)", 11, "`all` takes bool but `x` is int");
}

#[test]
fn calls_that_do_not_fit_say_how_they_would() {
    is_refused(
        "size(n)",
        5,
        "`size` takes bytes, list, map or string but `n` is int",
    );
    is_refused("size()", 0, "`size` takes 1 argument but 0 are given");
    is_refused(
        "env.substring(1, 2, 3)",
        0,
        "`substring` takes 1 or 2 arguments but 3 are given",
    );
    is_refused(
        "env.replace('a', 1)",
        17,
        "argument 2 of `replace` takes string but `1` is int",
    );
    is_refused("n.trim()", 0, "`trim` is called on string but `n` is int");
    is_refused(
        "startsWith(env, 'p')",
        0,
        "`startsWith` is called on a value; write `env.startsWith('p')`",
    );
    is_refused(
        "n.double()",
        0,
        "`double` is not called on a value; write `double(n)`",
    );
    is_refused("math.least()", 0, "`math.least` needs at least one number");
    is_refused(
        "math.least([])",
        0,
        "`math.least` needs at least one number",
    );
    is_refused(
        "math.least(n, env)",
        14,
        "`math.least` takes numbers or one list of numbers but `env` is string",
    );
    is_refused(
        "env.trim",
        3,
        "`env` is string and has no field `trim`; call it: `.trim(…)`",
    );
    is_refused(
        "[].length",
        2,
        "`[]` is list(dyn) and has no field `length`; `size(…)` gives its length",
    );
    is_refused(
        "'%d'.format([env])",
        13,
        "`%d` formats numbers but `env` is string",
    );
}

#[test]
fn the_longest_declared_name_wins_and_locals_shadow() {
    let environment = Environment::new()
        .with_container("x")
        .with_variable("a.b", Type::map(Type::String, Type::Int))
        .with_variable("a.b.c", Type::String)
        .with_variable("x.y", Type::Bool)
        .with_variable("y", Type::Double);
    for (source, expected) in [
        ("a.b.c", "string"),
        ("a.b.d", "int"),
        ("y", "bool"),
        (".y", "double"),
        ("[1].map(y, y)", "list(int)"),
        ("[{'b': {'c': 1u}}].map(a, a.b.c)", "list(uint)"),
        ("cel.bind(y, 'text', y)", "string"),
        ("google.protobuf.Duration", "type(duration)"),
    ] {
        let typed = checked(source, &environment).unwrap();
        assert_eq!(typed.value_type.to_string(), expected, "{source}");
    }
}

#[test]
fn a_dotted_fact_is_asked_for_as_one_and_a_key_of_a_map_as_a_field() {
    let environment = facts().with_variable("labels", Type::map(Type::String, Type::String));
    let fact = checked("has(drift.psi)", &environment).unwrap();
    assert_eq!(
        fact.kind,
        TypedKind::HasVariable(environment.place("drift.psi").unwrap())
    );
    let field = checked("has(labels.team)", &environment).unwrap();
    assert!(matches!(field.kind, TypedKind::HasField(_, key) if key == "team"));
    assert!(checked("has(env.team)", &environment).is_err());
}

#[test]
fn without_the_check_unknown_names_wait_for_the_evaluation() {
    let source = "nobody(1) || other.thing || true";
    let outcome = check_names(&parse(source).unwrap(), source, &facts(), Mode::Dynamic).unwrap();
    assert_eq!(outcome.undeclared, ["nobody()", "other.thing"]);
    assert_eq!(outcome.typed.variables(), [5, 6]);
    assert_eq!(outcome.typed.value_type, Type::Dyn);
}

#[test]
fn literals_that_mean_nothing_are_refused_where_they_stand() {
    for (source, at) in [
        ("duration('soon') > duration('1s')", 9),
        (
            "timestamp('yesterday') < timestamp('2026-01-01T00:00:00Z')",
            10,
        ),
        ("env.matches('prod(')", 12),
        (
            "timestamp('2026-01-01T00:00:00Z').getHours('Nowhere/Else') > 3",
            43,
        ),
    ] {
        let typed = checked(source, &facts()).unwrap();
        assert_eq!(check_literals(&typed).unwrap_err().at, at, "{source}");
    }
    for source in [
        "duration('1h30m') > duration('1s')",
        "env.matches('^prod-[0-9]+$')",
        "timestamp('2026-01-01T00:00:00Z').getHours('America/New_York') > 3",
    ] {
        let typed = checked(source, &facts()).unwrap();
        assert_eq!(check_literals(&typed), Ok(()), "{source}");
    }
}

#[test]
fn a_type_that_grows_with_every_binding_is_refused_before_it_is_too_deep_to_walk() {
    let mut source = String::new();
    for depth in 0..20 {
        let (open, close) = ("[".repeat(15), "]".repeat(15));
        source += &format!("cel.bind(x{}, {open}x{depth}{close}, ", depth + 1);
    }
    let source = format!("cel.bind(x0, 1, {source}true{}", ")".repeat(21));
    let error = checked(&source, &facts()).unwrap_err();
    assert_eq!(
        error.problem,
        "the types of this expression are too intricate to check; split it into parts"
    );
}

#[test]
fn the_largest_sources_that_parse_stay_within_the_bounds() {
    let repeated = |part: &str, joint: &str, count| vec![part; count].join(joint);
    for source in [
        repeated("n < 5 * n", " && ", 600),
        repeated("[] == []", " && ", 600),
        format!("[{}]", repeated("[]", ", ", 1_300)),
        format!("{{{}}}", repeated("'k': {}", ", ", 700)),
        repeated("[].all(x, x < 1)", " && ", 300),
        repeated("size([]) in []", " || ", 400),
    ] {
        assert!(checked(&source, &facts()).is_ok(), "{source:.40}");
    }
}

#[test]
fn the_deepest_tree_that_parses_is_checked_on_a_small_stack() {
    let run = || {
        let chain = format!("labels{}", ".a".repeat(200));
        for source in [
            format!("n{} > 0", " + n".repeat(200)),
            format!("{}n{} > 0", "(1 + ".repeat(30), ")".repeat(30)),
            format!("{}true{}", "frozen ? false : (".repeat(30), ")".repeat(30)),
            format!("size({}1{}) > 0", "[".repeat(30), "]".repeat(30)),
            format!("{}true{}", "[1].all(x, ".repeat(30), ")".repeat(30)),
            format!("{}frozen", "!".repeat(60)),
            chain,
        ] {
            let environment = facts().with_variable("labels", Type::Dyn);
            let node = parse(&source).unwrap();
            check(&node, &source, &environment, Mode::Strict).unwrap();
            check(&node, &source, &environment, Mode::Dynamic).unwrap();
        }
    };
    let small = std::thread::Builder::new().stack_size(2 << 20).spawn(run);
    small.unwrap().join().unwrap();
}
