//! Changing which attributes the panel shows of somebody, and in which order.

use crate::panel::VisibleFields;

/// Attributes that one list may hold.
pub const FIELDS_MAX: usize = 50;

/// The longest key of an attribute, in bytes.
pub const FIELD_BYTES_MAX: usize = 200;

/// Whose attributes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    /// Users.
    User,
    /// Leads.
    Lead,
    /// Companies.
    Company,
}

impl Whose {
    /// All of them, in the order in which pages show them.
    pub const ALL: [Self; 3] = [Self::User, Self::Lead, Self::Company];

    /// The word in forms, in the REST API and in the configuration file.
    pub fn word(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Lead => "lead",
            Self::Company => "company",
        }
    }

    /// Reads the word.
    pub fn read(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|whose| whose.word() == word)
    }

    /// Their list.
    pub fn list(self, of: &VisibleFields) -> &Vec<String> {
        match self {
            Self::User => &of.user,
            Self::Lead => &of.lead,
            Self::Company => &of.company,
        }
    }

    /// Their list, to be changed.
    pub fn list_mut(self, of: &mut VisibleFields) -> &mut Vec<String> {
        match self {
            Self::User => &mut of.user,
            Self::Lead => &mut of.lead,
            Self::Company => &mut of.company,
        }
    }
}

/// One change to a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Edit {
    /// Show this attribute as well, at the end.
    Add(String),
    /// Show it no more.
    Remove(String),
    /// One place further up.
    Up(String),
    /// One place further down.
    Down(String),
    /// The same attributes in this order.
    Order(Vec<String>),
    /// What is shown unless somebody says otherwise.
    Reset,
}

/// Changes a list.
///
/// # Errors
/// What is wrong, in words; the list stays as it was.
pub fn edit(list: &mut Vec<String>, whose: Whose, edit: Edit) -> Result<(), String> {
    let at = |name: &str| list.iter().position(|known| known == name);
    let gone = |name: &str| format!("“{name}” is not in the list any more. Load the page again.");
    match edit {
        Edit::Add(name) => {
            let name = name.trim();
            if at(name).is_some() {
                return Err(format!("“{name}” is in the list already."));
            }
            let mut longer = list.clone();
            longer.push(name.to_owned());
            check(&longer)?;
            *list = longer;
        }
        Edit::Remove(name) => {
            list.remove(at(&name).ok_or_else(|| gone(&name))?);
        }
        Edit::Up(name) => {
            let at = at(&name).ok_or_else(|| gone(&name))?;
            list.swap(at, at.saturating_sub(1));
        }
        Edit::Down(name) => {
            let at = at(&name).ok_or_else(|| gone(&name))?;
            let last = list.len() - 1;
            list.swap(at, (at + 1).min(last));
        }
        Edit::Order(order) => {
            let sorted = |names: &[String]| {
                let mut names = names.to_vec();
                names.sort();
                names
            };
            if sorted(&order) != sorted(list) {
                return Err("The list holds other fields by now. Load the page again.".to_owned());
            }
            *list = order;
        }
        Edit::Reset => {
            let usual = VisibleFields::default();
            whose.list(&usual).clone_into(list);
        }
    }
    Ok(())
}

/// Is this a list that may be kept?
///
/// # Errors
/// What is wrong, in words.
pub fn check(list: &[String]) -> Result<(), String> {
    if list.len() > FIELDS_MAX {
        return Err(format!(
            "A list holds at most {FIELDS_MAX} fields; remove one first."
        ));
    }
    for (at, name) in list.iter().enumerate() {
        if name.trim().is_empty() {
            return Err("Choose a field, or write the key of one.".to_owned());
        }
        if name.len() > FIELD_BYTES_MAX || name.chars().any(char::is_control) {
            return Err(format!(
                "A key is one line of at most {FIELD_BYTES_MAX} bytes, as Intercom shows it under \
                 Settings > Data."
            ));
        }
        if list[..at].contains(name) {
            return Err(format!("“{name}” is in the list twice."));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn list(names: &str) -> Vec<String> {
        names.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn lists_are_changed_one_step_at_a_time() {
        let name = |name: &str| name.to_owned();
        for (before, change, after) in [
            ("a b", Edit::Add(name(" c ")), Ok("a b c")),
            ("a b", Edit::Add(name("b")), Err("already")),
            ("a b", Edit::Add(name("  ")), Err("Choose a field")),
            ("a b", Edit::Add("k".repeat(201)), Err("at most 200")),
            ("a b", Edit::Remove(name("a")), Ok("b")),
            ("a", Edit::Remove(name("a")), Ok("")),
            ("a b", Edit::Remove(name("c")), Err("any more")),
            ("a b c", Edit::Up(name("c")), Ok("a c b")),
            ("a b c", Edit::Up(name("a")), Ok("a b c")),
            ("a b c", Edit::Down(name("a")), Ok("b a c")),
            ("a b c", Edit::Down(name("c")), Ok("a b c")),
            ("a b c", Edit::Order(list("c a b")), Ok("c a b")),
            ("a b c", Edit::Order(list("c a")), Err("other fields")),
            ("a b", Edit::Order(list("a a")), Err("other fields")),
            ("a", Edit::Reset, Ok("size website")),
        ] {
            let mut now = list(before);
            let done = edit(&mut now, Whose::Company, change.clone());
            match after {
                Ok(after) => assert_eq!((done, now), (Ok(()), list(after)), "{change:?}"),
                Err(part) => {
                    assert!(done.unwrap_err().contains(part), "{change:?}");
                    assert_eq!(now, list(before), "{change:?}");
                }
            }
        }
    }

    #[test]
    fn a_list_has_an_end() {
        let mut full: Vec<String> = (0..FIELDS_MAX).map(|at| format!("f{at}")).collect();
        assert!(edit(&mut full, Whose::User, Edit::Add("more".to_owned())).is_err());
        assert_eq!(full.len(), FIELDS_MAX);
    }

    proptest! {
        #[test]
        fn moving_neither_adds_nor_loses(
            moves in prop::collection::vec((any::<bool>(), 0_usize..6), 0..40),
        ) {
            let before = list("a b c d e f");
            let mut now = before.clone();
            for (up, at) in moves {
                let name = before[at].clone();
                let change = if up { Edit::Up(name) } else { Edit::Down(name) };
                prop_assert!(edit(&mut now, Whose::Lead, change).is_ok());
                prop_assert!(check(&now).is_ok());
            }
            now.sort();
            prop_assert_eq!(now, before);
        }
    }
}
