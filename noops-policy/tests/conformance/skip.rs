use super::vector::Vector;

/// Why a vector is outside the declared subset; none for those that count.
pub(crate) fn reason(vector: &Vector) -> Option<&'static str> {
    let by_suite = SUITES
        .iter()
        .find(|(suite, _)| *suite == vector.suite())
        .map(|(_, reason)| *reason);
    by_suite.or_else(|| {
        let text = searched(vector);
        find(&WORDS, |word| text.contains(word))
    })
}

/// Why a vector of the subset is known to come out otherwise here, in this respect. It counts as a miss all the same.
pub(crate) fn deviation(respect: &str, vector: &Vector) -> Option<&'static str> {
    DEVIATIONS
        .iter()
        .find(|(name, path, _)| *name == respect && *path == vector.path)
        .map(|(_, _, reason)| *reason)
}

/// Why a vector that the reference refuses is rightly accepted here; none where it has to be refused.
pub(crate) fn reason_to_accept(vector: &Vector) -> Option<&'static str> {
    let refusal = vector.refusal.as_deref().unwrap_or_default();
    find(&ACCEPTED_SUITES, |suite| vector.suite() == suite)
        .or_else(|| find(&ACCEPTED_REFUSALS, |part| refusal.contains(part)))
}

fn find(
    table: &[(&'static str, &'static str)],
    matches: impl Fn(&'static str) -> bool,
) -> Option<&'static str> {
    table
        .iter()
        .find(|(key, _)| matches(key))
        .map(|(_, reason)| *reason)
}

/// Everything of a vector that may name what the subset lacks.
fn searched(vector: &Vector) -> String {
    let mut text = format!("{} {}", vector.expression, vector.container);
    for declaration in &vector.declarations {
        text.push_str(&declaration.to_string());
    }
    for value in vector.bindings.values() {
        text.push_str(&value.to_string());
    }
    text
}

const MESSAGES: &str = "protocol buffer messages are no facts";
const OPTIONALS: &str = "optional values: what is missing is an unknown fact, asked for with `has`";
const BLOCKS: &str = "`cel.block` is the output of an optimiser and not written by hand";
const FUNCTIONS: &str = "an environment declares variables; functions are those of the library";

const SUITES: [(&str, &str); 8] = [
    ("block_ext", BLOCKS),
    (
        "dynamic",
        "wrappers of protocol buffers, which convert on assignment to a message",
    ),
    ("enums", "enumerations of protocol buffers"),
    ("optionals", OPTIONALS),
    ("proto2", MESSAGES),
    ("proto2_ext", MESSAGES),
    ("proto3", MESSAGES),
    (
        "wrappers",
        "wrappers of protocol buffers, which convert on assignment to a message",
    ),
];

/// Words that only vectors outside the subset have.
const WORDS: [(&str, &str); 19] = [
    ("TestAllTypes", MESSAGES),
    ("Proto2Message", MESSAGES),
    ("Message{", MESSAGES),
    ("Msg{", MESSAGES),
    ("foo{", MESSAGES),
    ("int{", MESSAGES),
    ("Value{", MESSAGES),
    ("google.protobuf.Any", MESSAGES),
    ("google.protobuf.Struct", MESSAGES),
    ("google.protobuf.Value", MESSAGES),
    ("google.protobuf.ListValue", MESSAGES),
    ("google.protobuf.Int32Value", MESSAGES),
    ("wrapper\"", MESSAGES),
    ("optional", OPTIONALS),
    ("\"function\"", FUNCTIONS),
    ("fg_s()", FUNCTIONS),
    ("fi_s_s()", FUNCTIONS),
    ("\"abstractType\"", FUNCTIONS),
    ("\"typeParam\"", FUNCTIONS),
];

const EXACT: &str =
    "a whole number and a double are compared exactly, not after a conversion that loses digits";
const TYPE_OF_TYPE: &str = "the type of a type is written with what it is a type of";

const DEVIATIONS: [(&str, &str, &str); 8] = [
    (
        "evaluation",
        "conformance/comparisons/lt_literal/not_lt_dyn_int_big_lossy_double",
        EXACT,
    ),
    (
        "evaluation",
        "conformance/comparisons/gt_literal/not_gt_dyn_big_double_int",
        EXACT,
    ),
    (
        "evaluation",
        "conformance/comparisons/lte_literal/lte_dyn_big_double_int",
        EXACT,
    ),
    (
        "evaluation",
        "conformance/comparisons/gte_literal/gte_dyn_int_big_lossy_double",
        EXACT,
    ),
    (
        "evaluation",
        "conformance/timestamps/timestamp_conversions/toString_timestamp_nanos",
        "moments end two days before the year 10000, so that every time zone can show them",
    ),
    (
        "types",
        "conformance/conversions/type/type_denotation",
        TYPE_OF_TYPE,
    ),
    (
        "types",
        "conformance/conversions/type/type_type",
        TYPE_OF_TYPE,
    ),
    (
        "parsing",
        "parsing/has(m)",
        "a fact without a dot is asked for with `has` too",
    ),
];

const ACCEPTED_SUITES: [(&str, &str); 1] = [(
    "macros2",
    "comprehensions over two variables are here, and were not in the reference environment",
)];

const LIMITS: &str = "the bounds on nesting and depth are wider here";
const NUMBERS: &str =
    "numbers of different types are ordered here, as they are when types are dynamic";

/// Parts of refusals.
const ACCEPTED_REFUSALS: [(&str, &str); 8] = [
    (
        "unsupported syntax: '`'",
        "quoted names of fields are here, and were not in the reference environment",
    ),
    ("recursion limit exceeded", LIMITS),
    ("max recursion depth exceeded", LIMITS),
    (
        "iteration variable overwrites accumulator variable",
        "a comprehension has no hidden variable here",
    ),
    (
        "no matching overload for '_<_' applied to '(int, double)'",
        NUMBERS,
    ),
    (
        "no matching overload for '_<=_' applied to '(int, double)'",
        NUMBERS,
    ),
    (
        "no matching overload for '_>_' applied to '(int, double)'",
        NUMBERS,
    ),
    (
        "no matching overload for '_>=_' applied to '(int, double)'",
        NUMBERS,
    ),
];
