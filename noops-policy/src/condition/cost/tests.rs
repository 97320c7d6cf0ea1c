use proptest::prelude::*;

use super::*;
use crate::condition::testing::{completions, condition, run, schema, typed};

#[track_caller]
fn costs(source: &str, units: u64) {
    assert_eq!(worst_case(&typed(source), &schema()), units, "{source}");
}

#[test]
fn nodes_cost_what_evaluation_charges_for_them() {
    costs("flag", 1);
    costs("a > 1.0", 2);
    // Two operands of `&&`, two comparisons, two facts.
    costs("a > 1.0 && n > 1", 6);
    // The dearer branch: a visit, the test, then a comparison.
    costs("flag ? a > 1.0 : on", 4);
    // At most four bytes can be compared.
    costs("env == 'prod'", 3);
    // A list, two items to look at, and four bytes of each to read.
    costs("env in ['prod', 'test']", 16);
    // At most three items, each with its step, a comparison and the local.
    costs("xs.all(x, x > 2)", 2 + 3 * 3);
    costs("size(env) > 1", 3 + 103);
}

#[test]
fn nested_loops_multiply_and_saturate() {
    let mut source = "x0 > 1".to_owned();
    for level in (0..40).rev() {
        source = format!("xs.all(x{level}, {source})");
    }
    let cost = worst_case(&typed(&source), &schema());
    assert!(cost > 3_u64.pow(39), "{cost}");
    let mut source = "env".to_owned();
    for _ in 0..5 {
        source = format!("({source}).replace('', {source})");
    }
    let cost = worst_case(&typed(&format!("{source} == env")), &schema());
    assert!(cost > COST_LIMIT, "{cost}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn no_evaluation_costs_more_than_the_worst_case(source in condition()) {
        let typed = typed(&source);
        let bound = worst_case(&typed, &schema());
        for known in completions().iter().step_by(7) {
            prop_assert!(run(&typed, known).1 <= bound, "{}", source);
        }
    }
}

#[test]
fn functions_on_text_and_lists_stay_within_the_worst_case() {
    for source in [
        "(env + 'abc').contains('b')",
        "env.matches('^p.*d$')",
        "env.replace('p', 'quite long') == 'x'",
        "env.split('').size() > 2",
        "env.split('r').join('--') == 'p--od'",
        "[env, env].join(', ').size() > 3",
        "'%s %d %f'.format([env, n, a]) == ''",
        "'%s'.format([xs]) == '[]'",
        "xs.map(x, string(x) + env).size() > 2",
        "xs.filter(x, x > 1) == [2, 3]",
        "xs.map(x, x > 1, x * 2) == [4, 6]",
        "{'a': xs, 'b': [1]}['a'] == xs",
        "{'a': env}.a == env",
        "xs.transformMap(i, x, x + i) == {0: 1}",
        "xs.transformMapEntry(i, x, {string(i): env}) == {'0': env}",
        "cel.bind(t, env + env, t + t == t)",
        "math.greatest(xs) > 2",
        "base64.encode(bytes(env)) == 'cHJvZA=='",
        "env.upperAscii().reverse().trim().substring(0) == 'DORP'",
        "strings.quote(env) == 'x'",
        "string(a) == '1'",
        "env.indexOf('o') > 1 && env.charAt(0) == 'p'",
    ] {
        let typed = typed(source);
        let bound = worst_case(&typed, &schema());
        for known in completions().iter().step_by(7) {
            let (_, spent) = run(&typed, known);
            assert!(spent <= bound, "{source}: {spent} > {bound}");
        }
    }
}
