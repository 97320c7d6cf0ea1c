//! Who fills which place: each person at most one, whatever roles they hold.

use std::collections::BTreeMap;

use super::people::Person;

/// The places that stay empty, by role, when as many as possible are filled (maximum bipartite matching by augmenting
/// paths). Roles without an empty place are left out.
pub(super) fn missing(
    required: &BTreeMap<String, usize>,
    people: &[&Person],
) -> BTreeMap<String, usize> {
    let places: Vec<&str> = required
        .iter()
        .flat_map(|(role, count)| std::iter::repeat_n(role.as_str(), *count))
        .collect();
    let mut holders: Vec<Option<usize>> = vec![None; people.len()];
    let mut missing: BTreeMap<String, usize> = BTreeMap::new();
    for (place, role) in places.iter().enumerate() {
        let mut seen = vec![false; people.len()];
        if !fill(place, &places, people, &mut holders, &mut seen) {
            let count = missing.entry((*role).to_owned()).or_insert(0);
            *count = count.saturating_add(1);
        }
    }
    missing
}

/// Fills a place, and moves people to other places where that makes room. The recursion is at most as deep as there are
/// places, which a rule bounds.
fn fill(
    place: usize,
    places: &[&str],
    people: &[&Person],
    holders: &mut [Option<usize>],
    seen: &mut [bool],
) -> bool {
    let Some(role) = places.get(place) else {
        return false;
    };
    for (index, person) in people.iter().enumerate() {
        let Some(visited) = seen.get_mut(index) else {
            return false;
        };
        if *visited || !person.holds(role) {
            continue;
        }
        *visited = true;
        let is_free = match holders.get(index).copied().flatten() {
            None => true,
            Some(other) => fill(other, places, people, holders, seen),
        };
        if is_free {
            if let Some(holder) = holders.get_mut(index) {
                *holder = Some(place);
            }
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::approval::SigningKey;

    fn person(index: usize, roles: &[&str]) -> Person {
        let seed = u8::try_from(index).unwrap();
        let key = SigningKey::from_seed([seed; 32]).public();
        Person::new(&format!("p{index}"), roles.iter().copied(), key).unwrap()
    }

    /// Tries every way to give each person one of their roles, or none.
    fn naive(required: &[usize], people: &[Vec<usize>]) -> usize {
        match people.split_first() {
            None => required.iter().sum(),
            Some((first, rest)) => first
                .iter()
                .filter(|role| required[**role] > 0)
                .map(|role| {
                    let mut left = required.to_vec();
                    left[*role] -= 1;
                    naive(&left, rest)
                })
                .chain([naive(required, rest)])
                .min()
                .unwrap(),
        }
    }

    #[test]
    fn a_person_with_two_roles_counts_once() {
        let required = BTreeMap::from([("owner".to_owned(), 1), ("risk".to_owned(), 1)]);
        let both = person(1, &["owner", "risk"]);
        let owner = person(2, &["owner"]);
        assert_eq!(missing(&required, &[&both]).values().sum::<usize>(), 1);
        assert!(missing(&required, &[&both, &owner]).is_empty());
        assert!(missing(&required, &[&owner, &both]).is_empty());
    }

    proptest! {
        #[test]
        fn as_many_places_are_filled_as_can_be(
            required in prop::collection::vec(0_usize..3, 3),
            roles in prop::collection::vec(prop::collection::btree_set(0_usize..3, 0..=3), 0..6),
        ) {
            let names = ["a", "b", "c"];
            let people: Vec<Person> = roles
                .iter()
                .enumerate()
                .map(|(index, roles)| {
                    person(index, &roles.iter().map(|role| names[*role]).collect::<Vec<_>>())
                })
                .collect();
            let wanted: BTreeMap<String, usize> = names
                .iter()
                .zip(&required)
                .map(|(name, count)| ((*name).to_owned(), *count))
                .collect();
            let found = missing(&wanted, &people.iter().collect::<Vec<_>>());
            let roles: Vec<Vec<usize>> =
                roles.into_iter().map(|set| set.into_iter().collect()).collect();
            prop_assert_eq!(found.values().sum::<usize>(), naive(&required, &roles));
        }
    }
}
