#![cfg_attr(
    not(any(feature = "local-training", feature = "ray")),
    allow(dead_code, reason = "only what runs jobs keeps their logs")
)]

use std::collections::VecDeque;

/// The last bytes of a stream.
#[derive(Clone, Debug, Default)]
pub(crate) struct LogTail {
    bytes: VecDeque<u8>,
    is_cut: bool,
}

impl LogTail {
    /// Adds to the end; what is too much leaves at the front.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        let surplus = bytes.len().saturating_sub(LOG_BYTES);
        let kept = bytes.get(surplus..).unwrap_or_default();
        let total = self.bytes.len().saturating_add(kept.len());
        let leaving = total.saturating_sub(LOG_BYTES).min(self.bytes.len());
        self.is_cut |= surplus > 0 || leaving > 0;
        self.bytes.drain(..leaving);
        self.bytes.extend(kept);
    }

    /// The text, from the first whole line where the beginning is lost; bytes that are no text are replaced.
    pub(crate) fn text(&self) -> String {
        let bytes: Vec<u8> = self.bytes.iter().copied().collect();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if !self.is_cut {
            return text;
        }
        match text.split_once('\n') {
            Some((_, whole)) if !whole.is_empty() => format!("[…]\n{whole}"),
            // One line is longer than all that is kept: its end is better than nothing.
            _ => format!("[…]{text}"),
        }
    }

    /// The last line that is not blank, in at most 200 characters.
    #[cfg_attr(
        not(feature = "local-training"),
        allow(dead_code, reason = "progress of what runs here")
    )]
    pub(crate) fn last_line(&self) -> Option<String> {
        let text = self.text();
        let line = text.lines().rev().find(|line| !line.trim().is_empty())?;
        Some(line.trim().chars().take(200).collect())
    }
}

/// How much of a log is kept.
pub(crate) const LOG_BYTES: usize = 64 << 10;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_holds_the_end_of_what_came(chunks in proptest::collection::vec(0usize..40_000, 0..8)) {
            let mut tail = LogTail::default();
            let mut all: Vec<u8> = Vec::new();
            for (index, length) in chunks.into_iter().enumerate() {
                let chunk = vec![b'a' + index as u8; length];
                tail.push(&chunk);
                all.extend(chunk);
            }
            let from = all.len().saturating_sub(LOG_BYTES);
            let kept: Vec<u8> = tail.bytes.iter().copied().collect();
            prop_assert_eq!(&kept[..], &all[from..]);
            prop_assert_eq!(tail.is_cut, from > 0);
        }
    }

    #[test]
    fn a_cut_log_says_so_and_begins_with_a_whole_line() {
        let mut tail = LogTail::default();
        for index in 0..20_000 {
            tail.push(format!("line {index}\n").as_bytes());
        }
        let text = tail.text();
        assert!(text.starts_with("[…]\nline "), "{}", &text[..40]);
        assert_eq!(tail.last_line().unwrap(), "line 19999");
        assert!(LogTail::default().last_line().is_none());
    }

    #[test]
    fn of_a_line_longer_than_what_is_kept_the_end_is_shown() {
        for end in ["", "\n"] {
            let mut tail = LogTail::default();
            tail.push(format!("{}{end}", "x".repeat(LOG_BYTES + 1)).as_bytes());
            let text = tail.text();
            assert!(
                text.starts_with("[…]xxx") && text.len() > LOG_BYTES,
                "{}",
                text.len()
            );
            assert!(text.ends_with(end));
        }
    }
}
