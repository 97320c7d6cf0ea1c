/// At most `most` characters of a text on one line; a text that is cut ends with `…`.
pub(super) fn line(text: &str, most: usize) -> String {
    cut(
        text.chars().map(|character| {
            if character.is_control() {
                ' '
            } else {
                character
            }
        }),
        most,
    )
}

/// At most `most` characters of a text; one that is cut ends with `…`.
pub(super) fn short(text: &str, most: usize) -> String {
    cut(text.chars(), most)
}

fn cut(mut characters: impl Iterator<Item = char>, most: usize) -> String {
    let mut cut: String = characters.by_ref().take(most).collect();
    if characters.next().is_some() {
        cut.pop();
        cut.push('…');
    }
    cut
}

/// The text, if it may be passed on as a link.
///
/// A link that a person clicks must lead to a web page: no `javascript:`, no characters that end a link in some markup
/// and so begin something else.
pub(super) fn link(text: &str) -> Option<&str> {
    let (scheme, rest) = text.split_once("://")?;
    let web = scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https");
    let host = rest
        .chars()
        .next()
        .is_some_and(|first| first.is_alphanumeric() || first == '[');
    let plain = text.len() <= LONGEST_LINK
        && !text.chars().any(|character| {
            character.is_control()
                || character.is_whitespace()
                || INVISIBLE.contains(&character)
                || ENDS_A_LINK.contains(&character)
        });
    (web && host && plain).then_some(text)
}

const LONGEST_LINK: usize = 2048;

const ENDS_A_LINK: [char; 6] = ['<', '>', '"', '|', '`', '\\'];

/// Characters that change the direction of text or take no room, and so hide where a link leads.
const INVISIBLE: [char; 14] = [
    '\u{200b}', '\u{200e}', '\u{200f}', '\u{202a}', '\u{202b}', '\u{202c}', '\u{202d}', '\u{202e}',
    '\u{2060}', '\u{2066}', '\u{2067}', '\u{2068}', '\u{2069}', '\u{feff}',
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_cut_on_characters_and_says_so() {
        assert_eq!(short("añb", 3), "añb");
        assert_eq!(short("añbc", 3), "añ…");
        assert_eq!(line("a\nb", 9), "a b");
        assert_eq!(short("", 0), "");
    }

    #[test]
    fn only_plain_web_links_are_links() {
        assert!(link("https://example.test/a?b=c&d=e#f").is_some());
        assert!(link("HTTP://[::1]/x").is_some());
        for text in [
            "javascript:alert(1)",
            "javascript://example.test/%0aalert(1)",
            "data:text/html,x",
            "https://",
            "https:///example.test",
            "https://example.test/\u{0}",
            "https://example.test/\n",
            "https://example.test/ x",
            "https://example.test/|x>",
            "https://example.test/\u{202e}gpj",
            " https://example.test",
            "",
        ] {
            assert_eq!(link(text), None, "{text:?}");
        }
        let long = format!("https://example.test/{}", "a".repeat(2048));
        assert_eq!(link(&long), None);
    }
}
