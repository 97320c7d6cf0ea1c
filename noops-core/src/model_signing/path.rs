//! Which names a manifest may have.

use std::path::{Component, Path};

/// Checks that a name is a plain relative path with `/` between its components, on every operating system.
///
/// # Errors
///
/// What is wrong with it.
pub(super) fn check(name: &str) -> Result<(), &'static str> {
    if name.is_empty() {
        return Err("is empty");
    }
    if name.len() > LONGEST {
        return Err("is too long");
    }
    if name.contains('\0') {
        return Err("has a NUL");
    }
    if name.contains('\\') {
        return Err("has a backslash");
    }
    if name.starts_with('/') {
        return Err("is absolute");
    }
    let mut first = name.chars();
    if first
        .next()
        .is_some_and(|letter| letter.is_ascii_alphabetic())
        && first.next() == Some(':')
    {
        return Err("has a drive");
    }
    for component in name.split('/') {
        match component {
            "" => return Err("has an empty component"),
            "." => return Err("has a component `.`"),
            ".." => return Err("has a component `..`"),
            _ => {}
        }
    }
    Ok(())
}

/// A path below a directory as the name a manifest gives it; `None` when it is not UTF-8 or not plain.
pub(super) fn name_of(relative: &Path) -> Option<String> {
    let mut name = String::new();
    for component in relative.components() {
        let Component::Normal(component) = component else {
            return None;
        };
        if !name.is_empty() {
            name.push('/');
        }
        name.push_str(component.to_str()?);
    }
    check(&name).is_ok().then_some(name)
}

/// The longest path that common systems can open.
const LONGEST: usize = 4096;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn paths_that_could_leave_the_directory_are_refused() {
        for (name, why) in [
            ("", "is empty"),
            ("/etc/passwd", "is absolute"),
            ("..", "has a component `..`"),
            ("a/../../b", "has a component `..`"),
            ("a/..", "has a component `..`"),
            (".", "has a component `.`"),
            ("./a", "has a component `.`"),
            ("a//b", "has an empty component"),
            ("a/", "has an empty component"),
            ("C:/windows", "has a drive"),
            ("c:evil", "has a drive"),
            ("a\\b", "has a backslash"),
            ("\\\\host\\share", "has a backslash"),
            ("a\0b", "has a NUL"),
        ] {
            assert_eq!(check(name), Err(why), "{name:?}");
        }
        assert_eq!(check(&"a".repeat(LONGEST + 1)), Err("is too long"));
    }

    #[test]
    fn ordinary_names_are_accepted() {
        for name in [
            "a",
            "a/b.c",
            "..a",
            "a..",
            ".hidden",
            "sub/ünï.txt",
            "a b",
            "10:30",
        ] {
            assert_eq!(check(name), Ok(()), "{name:?}");
        }
    }

    proptest! {
        #[test]
        fn an_accepted_name_joined_to_a_root_stays_below_it(name in "[a-cA-C./\\\\:\0ü ]{0,12}") {
            if check(&name).is_ok() {
                let path = Path::new(&name);
                prop_assert!(path.components().all(|part| matches!(part, Component::Normal(_))));
                prop_assert_eq!(name_of(path), Some(name.clone()));
                prop_assert!(!name.contains("//") && !name.contains('\\'));
            }
        }
    }
}
