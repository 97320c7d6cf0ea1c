use std::thread;

use super::{problem, shape};
use crate::cel::parser::{canonical, parse};

#[test]
fn size_and_tokens_are_bounded_before_parsing() {
    let long = format!("{} true", " ".repeat(16 * 1024));
    assert_eq!(
        problem(&long),
        "condition is longer than 16384 bytes; split it into rules"
    );
    let many = vec!["1"; 2049].join("+");
    assert_eq!(
        problem(&many),
        "condition has more than 4096 tokens; split it into rules"
    );
    parse(&format!("true{}", " ".repeat(16 * 1024 - 4))).expect("16 KiB are allowed");
}

/// Within the bounds on nesting, and one level more.
#[test]
fn nesting_is_bounded_level_by_level() {
    let nested = |levels: usize| format!("{}a{}", "(".repeat(levels), ")".repeat(levels));
    parse(&nested(64)).expect("64 levels are allowed");
    assert_eq!(
        problem(&nested(65)),
        "condition nests more than 64 levels deep; split it into rules"
    );
    let sum = |terms: usize| vec!["1"; terms].join(" + ");
    assert_eq!(parse(&sum(250)).unwrap().depth, 250);
    assert_eq!(
        problem(&sum(251)),
        "condition nests more than 250 levels deep; split it into rules"
    );
}

#[test]
fn depth_bombs_of_every_kind_end_in_a_refusal_on_a_small_stack() {
    small_stack(|| {
        for (open, close) in [
            ("(", ")"),
            ("[", "]"),
            ("{1:", "}"),
            ("!", ""),
            ("-", ""),
            ("!-", ""),
            ("f(", ")"),
            ("a.f(", ")"),
            ("a[", "]"),
            ("a ? a : ", ""),
            ("a ? ", " : a"),
            ("a.all(x, ", ")"),
            ("a.transformMap(k, v, {1: ", "})"),
            ("cel.bind(x, 1, ", ")"),
            ("has(", ")"),
            ("1 + (", ")"),
            ("1 < 2 * (", ")"),
            ("a || b && c == d + e * f(", ")"),
            ("a && (b || (", "))"),
        ] {
            for levels in [63, 64, 65, 300, 2000] {
                let bomb = format!("{}a{}", open.repeat(levels), close.repeat(levels));
                let parsed = parse(&bomb);
                assert!(parsed.is_err() || levels <= 64, "{open}…{close} × {levels}");
            }
            assert!(parse(&open.repeat(1000)).is_err(), "{open}…");
        }
        for (first, link) in [
            ("a", ".b"),
            ("a", "[0]"),
            ("a", ".f()"),
            ("a", " + a"),
            ("a", " * a"),
            ("a", " < a"),
            ("a", " in a"),
            ("a", ".map(x, x)"),
        ] {
            for links in [249, 250, 1000] {
                let bomb = format!("{first}{}", link.repeat(links));
                assert_eq!(
                    parse(&bomb).is_ok(),
                    links == 249,
                    "{first}{link}… × {links}"
                );
            }
        }
        // Levels of `&&` and `||` between parentheses alternate, chains without them are flat.
        let alternation = "a || b && ".repeat(400) + "c";
        assert_eq!(parse(&alternation).map(|node| node.depth), Ok(3));
    });
}

/// The deepest tree that passes may be walked, cloned, compared and dropped.
#[test]
fn the_deepest_tree_is_walked_on_a_small_stack() {
    small_stack(|| {
        let deepest = format!("a{}", ".b".repeat(249));
        let node = parse(&deepest).unwrap();
        assert_eq!(node.depth, 250);
        assert_eq!(node.clone(), node);
        // The debug text, indented by level, walks with the largest frames.
        assert!(!format!("{node:#?}").is_empty());
    });
}

#[test]
fn random_words_are_parsed_or_refused_within_the_source() {
    let words = [
        "a", "1", "2u", ".5", "'t'", "b'\\xff'", "(", ")", "[", "]", "{", "}", ".", ",", "?", ":",
        "!", "-", "+", "*", "<", "==", "&&", "||", "in", "has", "all", "map", "cel", "bind",
        "true", "not", "if", "`q`", "//\n", "\"", "'''", "\\", "é", "\0",
    ];
    let mut random = noops_stats::SplitMix64(7);
    for _ in 0..20_000 {
        let count = random.next() % 12 + 1;
        let source: String = (0..count)
            .map(|_| words[(random.next() % words.len() as u64) as usize])
            .collect::<Vec<_>>()
            .join(if random.below(2) == 0 { " " } else { "" });
        match parse(&source) {
            Ok(node) => {
                assert!(source.get(node.span.start..node.span.end).is_some());
                let layout_free = canonical(&source).unwrap();
                assert_eq!(
                    shape(&parse(&layout_free).unwrap()),
                    shape(&node),
                    "{source}"
                );
            }
            Err(refusal) => assert!(source.is_char_boundary(refusal.at), "{source}"),
        }
    }
}

fn small_stack(test: fn()) {
    let finished = thread::Builder::new()
        .stack_size(2 * 1024 * 1024)
        .spawn(test)
        .unwrap()
        .join();
    assert!(finished.is_ok());
}
