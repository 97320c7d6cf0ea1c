use std::collections::{BTreeMap, BTreeSet};

use noops_core::Digest;
use serde::{Deserialize, Serialize};

use super::error::{ApprovalError, check_name};
use super::key::PublicKey;
use crate::suggest;

/// Somebody who may vote: an id, roles and a public key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "RawPerson")]
pub struct Person {
    id: String,
    roles: BTreeSet<String>,
    key: PublicKey,
}

impl Person {
    /// Checks the id and the roles.
    ///
    /// # Errors
    ///
    /// [`ApprovalError::Text`] for an id or a role that is empty, padded, longer than 256 bytes or holds control
    /// characters.
    pub fn new<R: Into<String>>(
        id: &str,
        roles: impl IntoIterator<Item = R>,
        key: PublicKey,
    ) -> Result<Self, ApprovalError> {
        let roles: BTreeSet<String> = roles.into_iter().map(Into::into).collect();
        check_name("id of a person", id)?;
        for role in &roles {
            check_name("role of a person", role)?;
        }
        Ok(Self {
            id: id.to_owned(),
            roles,
            key,
        })
    }

    /// The id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The roles, sorted.
    pub fn roles(&self) -> impl Iterator<Item = &str> {
        self.roles.iter().map(String::as_str)
    }

    /// Whether they hold a role.
    #[must_use]
    pub fn holds(&self, role: &str) -> bool {
        self.roles.contains(role)
    }

    /// The public key.
    #[must_use]
    pub fn key(&self) -> &PublicKey {
        &self.key
    }
}

/// The directory of those who may vote: no id and no key is there twice.
///
/// It is the root of trust: whoever can write it can approve anything, so keep it under review beside the policies, and
/// keep its old editions for as long as the records that they verify.
///
/// # Examples
///
/// ```
/// use noops_policy::approval::{People, Person, SigningKey};
///
/// let key = SigningKey::from_seed([1; 32]);
/// let people = People::new([Person::new("ada", ["ml-owner"], key.public())?])?;
/// assert!(people.person("ada").is_some_and(|ada| ada.holds("ml-owner")));
/// # Ok::<(), noops_policy::approval::ApprovalError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<Person>", into = "Vec<Person>")]
pub struct People {
    by_id: BTreeMap<String, Person>,
}

impl People {
    /// Checks that nobody is there twice.
    ///
    /// # Errors
    ///
    /// [`ApprovalError::DuplicatePerson`] and [`ApprovalError::DuplicateKey`].
    pub fn new(people: impl IntoIterator<Item = Person>) -> Result<Self, ApprovalError> {
        let mut by_id: BTreeMap<String, Person> = BTreeMap::new();
        let mut keys: BTreeMap<PublicKey, String> = BTreeMap::new();
        for person in people {
            if by_id.contains_key(&person.id) {
                return Err(ApprovalError::DuplicatePerson { id: person.id });
            }
            if let Some(first) = keys.insert(person.key, person.id.clone()) {
                return Err(ApprovalError::DuplicateKey {
                    first,
                    second: person.id,
                });
            }
            by_id.insert(person.id.clone(), person);
        }
        Ok(Self { by_id })
    }

    /// A person, by id.
    #[must_use]
    pub fn person(&self, id: &str) -> Option<&Person> {
        self.by_id.get(id)
    }

    /// Everybody, by id.
    pub fn iter(&self) -> impl Iterator<Item = &Person> {
        self.by_id.values()
    }

    /// The digest of the directory, to find the edition that a record was made with.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of_json(self)
    }

    /// A person, or the refusal that names who was perhaps meant.
    pub(super) fn known(&self, id: &str) -> Result<&Person, ApprovalError> {
        self.person(id).ok_or_else(|| ApprovalError::UnknownPerson {
            id: id.to_owned(),
            suggestion: suggest::nearest(id, self.by_id.keys().map(String::as_str))
                .map(str::to_owned),
        })
    }
}

impl TryFrom<Vec<Person>> for People {
    type Error = ApprovalError;

    fn try_from(people: Vec<Person>) -> Result<Self, ApprovalError> {
        Self::new(people)
    }
}

impl From<People> for Vec<Person> {
    fn from(people: People) -> Self {
        people.by_id.into_values().collect()
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPerson {
    id: String,
    roles: BTreeSet<String>,
    key: PublicKey,
}

impl TryFrom<RawPerson> for Person {
    type Error = ApprovalError;

    fn try_from(raw: RawPerson) -> Result<Self, ApprovalError> {
        Self::new(&raw.id, raw.roles, raw.key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::approval::SigningKey;

    fn person(id: &str, seed: u8) -> Person {
        Person::new(id, ["owner"], SigningKey::from_seed([seed; 32]).public()).unwrap()
    }

    #[test]
    fn nobody_is_there_twice() {
        let error = People::new([person("ada", 1), person("ada", 2)]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "person `ada` is there twice; remove one of them"
        );
        let error = People::new([person("ada", 1), person("bob", 1)]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "`ada` and `bob` have one key; give each person an own key"
        );
    }

    #[test]
    fn a_directory_is_checked_when_it_is_read() {
        let people = People::new([person("ada", 1), person("bob", 2)]).unwrap();
        let json = serde_json::to_string(&people).unwrap();
        assert_eq!(serde_json::from_str::<People>(&json).unwrap(), people);
        for hostile in [
            json.replace("bob", "ada"),
            json.replace("\"bob\"", "\"bob \""),
            json.replace("\"roles\"", "\"admin\":1,\"roles\""),
        ] {
            assert!(
                serde_json::from_str::<People>(&hostile).is_err(),
                "{hostile}"
            );
        }
    }

    #[test]
    fn a_slip_in_an_id_gets_a_suggestion() {
        let people = People::new([person("charlotte", 1)]).unwrap();
        let error = people.known("charlote").unwrap_err();
        assert_eq!(
            error.to_string(),
            "unknown person `charlote`; did you mean `charlotte`?"
        );
    }
}
