//! Where the servers are that our tests talk to.

/// The address of a server, as one of our scripts announces it. Without one the test is skipped and says so; in continuous integration
/// nothing is skipped.
pub(crate) fn url(variable: &str) -> Option<String> {
    let url = std::env::var(variable).ok();
    if url.is_none() {
        assert!(
            std::env::var_os("CI").is_none(),
            "`{variable}` is not set: run the tests under `scripts/with-servers`"
        );
        #[expect(clippy::print_stderr, reason = "a skipped test says so")]
        {
            eprintln!(
                "skipped: `{variable}` is not set; run `scripts/with-servers cargo test` to run this"
            );
        }
    }
    url
}
