//! Text broken into lines.

/// Breaks text at blanks into lines of at most `width` characters where that is possible; the first begins with `head`, and
/// the others with `indent`.
pub(crate) fn wrapped(head: &str, text: &str, width: usize, indent: &str) -> String {
    let mut lines = head.to_owned();
    let mut length = head.chars().count();
    let mut is_begun = false;
    for word in text.split_whitespace() {
        let size = word.chars().count();
        if is_begun && length + 1 + size > width {
            lines.push('\n');
            lines.push_str(indent);
            length = indent.chars().count();
        } else if is_begun {
            lines.push(' ');
            length += 1;
        }
        lines.push_str(word);
        length += size;
        is_begun = true;
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_no_wider_than_asked_and_lose_no_word() {
        let text = "the quick brown fox jumps over the lazy dog";
        let lines = wrapped("> ", text, 12, "  ");
        assert_eq!(
            lines,
            "> the quick\n  brown fox\n  jumps over\n  the lazy\n  dog"
        );
        assert!(lines.lines().all(|line| line.chars().count() <= 12));
    }

    #[test]
    fn a_word_that_is_too_long_has_its_own_line() {
        assert_eq!(wrapped("", "a bbbbbbbbbb c", 5, ""), "a\nbbbbbbbbbb\nc");
        assert_eq!(wrapped("", "  ", 5, ""), "");
    }
}
