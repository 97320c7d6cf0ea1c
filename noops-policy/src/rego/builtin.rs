/// Why a built-in function may not be called, if it may not.
pub(super) fn refusal(name: &str) -> Option<String> {
    if ALLOWED.binary_search(&name).is_ok() {
        return None;
    }
    Some(if AMBIENT.binary_search(&name).is_ok() {
        format!("function `{name}` reads more than the facts; declare what it would read as a fact")
    } else {
        format!(
            "function `{name}` is neither a rule of these sources nor one of the built-in functions that are allowed"
        )
    })
}

/// They depend on their arguments alone, and none makes a large value of a small number. Sorted.
const ALLOWED: [&str; 63] = [
    "abs",
    "array.concat",
    "array.reverse",
    "array.slice",
    "bits.and",
    "bits.negate",
    "bits.or",
    "bits.rsh",
    "bits.xor",
    "ceil",
    "concat",
    "contains",
    "count",
    "endswith",
    "floor",
    "format_int",
    "indexof",
    "indexof_n",
    "intersection",
    "is_array",
    "is_boolean",
    "is_null",
    "is_number",
    "is_object",
    "is_set",
    "is_string",
    "json.filter",
    "json.marshal",
    "json.remove",
    "lower",
    "max",
    "min",
    "object.filter",
    "object.get",
    "object.keys",
    "object.remove",
    "object.subset",
    "object.union",
    "object.union_n",
    "product",
    "replace",
    "round",
    "sort",
    "split",
    "startswith",
    "strings.any_prefix_match",
    "strings.any_suffix_match",
    "strings.count",
    "strings.replace_n",
    "strings.reverse",
    "substring",
    "sum",
    "trim",
    "trim_left",
    "trim_prefix",
    "trim_right",
    "trim_space",
    "trim_suffix",
    "type_name",
    "union",
    "units.parse",
    "units.parse_bytes",
    "upper",
];

/// They read a clock, the network, randomness or the host, or write. Sorted.
const AMBIENT: [&str; 8] = [
    "http.send",
    "net.lookup_ip_addr",
    "opa.runtime",
    "print",
    "rand.intn",
    "time.now_ns",
    "trace",
    "uuid.rfc4122",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lists_are_sorted_for_the_search() {
        assert!(ALLOWED.is_sorted());
        assert!(AMBIENT.is_sorted());
    }
}
