//! The README's first screen is the quickstart, word for word.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

#[test]
fn the_readme_shows_the_quickstart_that_is_compiled_and_run() {
    let readme = include_str!("../../README.md");
    let quickstart = include_str!("../quickstart.rs");
    assert!(
        readme.contains(quickstart.trim_end()),
        "copy examples/quickstart.rs into README.md"
    );
    assert!(
        quickstart.lines().count() <= 60,
        "a first screen has at most 60 lines"
    );
}
