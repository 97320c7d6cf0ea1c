/// The candidate nearest to `name` by edit distance, if it is near enough to be a slip of the hand:
/// at most a third of the name's length, and at least one edit is always forgiven.
pub(crate) fn nearest<'a>(
    name: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let length = name.chars().count();
    if length > MAX_NAME {
        return None;
    }
    let allowed = (length / 3).max(1);
    candidates
        .into_iter()
        .filter(|candidate| candidate.chars().count() <= MAX_NAME)
        .map(|candidate| (edit_distance(name, candidate), candidate))
        .filter(|(distance, _)| *distance <= allowed)
        .min()
        .map(|(_, candidate)| candidate)
}

/// Levenshtein distance in characters, one row at a time.
fn edit_distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (i, a) in left.chars().enumerate() {
        let mut next: Vec<usize> = Vec::with_capacity(row.len());
        let mut beside = i + 1;
        next.push(beside);
        for ((b, diagonal), above) in right.iter().zip(row.iter()).zip(row.iter().skip(1)) {
            let replaced = diagonal + usize::from(a != *b);
            beside = replaced.min(above + 1).min(beside + 1);
            next.push(beside);
        }
        row = next;
    }
    row.last().copied().unwrap_or(0)
}

/// Longer names are not compared, so that a hostile document cannot buy quadratic work.
const MAX_NAME: usize = 128;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edit_distance_matches_textbook_values() {
        // Wagner and Fischer's classic pairs.
        assert_eq!(edit_distance("kitten", "sitting"), 3);
        assert_eq!(edit_distance("saturday", "sunday"), 3);
        assert_eq!(edit_distance("", "abc"), 3);
        assert_eq!(edit_distance("abc", ""), 3);
        assert_eq!(edit_distance("same", "same"), 0);
    }

    #[test]
    fn only_near_names_are_suggested() {
        let names = ["drift.psi", "harm.max_e"];
        assert_eq!(nearest("drift.pssi", names), Some("drift.psi"));
        assert_eq!(nearest("canary.share", names), None);
    }
}
