//! Fields that the host program knows to hold text that people wrote.
//!
//! A rule set can know such a field by its name alone (`message`, `comment`). What a host knows better it declares here, and the
//! name of the field then ends in `[text]` where a rule looks at `MATCHED_VARS_NAMES` or `MATCHED_VAR_NAME`, so that rules which
//! ask for text by name find it. Nothing is left out by that: rules that do not ask see the field as they see every other.

use super::Transaction;
use super::values::ValueId;
use crate::seclang::Variable;

/// What stands behind the name of a declared field.
pub(super) const MARK: &[u8] = b"[text]";

/// Where text stands in a request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Texts {
    fields: Vec<(Variable, Box<[u8]>)>,
}

impl Texts {
    /// A field of a form, also of one with files.
    pub fn form(&mut self, name: &str) {
        self.add(Variable::ArgsPost, name.as_bytes());
    }

    /// A parameter of the query.
    pub fn query(&mut self, name: &str) {
        self.add(Variable::ArgsGet, name.as_bytes());
    }

    /// A member of a JSON body, by its pointer (RFC 6901). A number in it means an element as well as a member.
    pub fn json(&mut self, pointer: &str) {
        let mut names = vec![b"json".to_vec()];
        for step in pointer.split('/').skip(1) {
            let step = step.replace("~1", "/").replace("~0", "~");
            let is_number = !step.is_empty() && step.bytes().all(|byte| byte.is_ascii_digit());
            // The names double with each number: deep ones are members alone.
            let elements = if is_number && names.len() < 16 { names.clone() } else { Vec::new() };
            for name in &mut names {
                name.push(b'.');
                name.extend_from_slice(if step.is_empty() { b"empty-key" } else { step.as_bytes() });
            }
            names.extend(elements.into_iter().map(|name| [&*name, b".array_", step.as_bytes()].concat()));
        }
        for name in names {
            self.add(Variable::ArgsPost, &name);
        }
    }

    fn add(&mut self, variable: Variable, name: &[u8]) {
        if !self.fields.iter().any(|(one, known)| *one == variable && **known == *name) {
            self.fields.push((variable, name.into()));
        }
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }
}

impl Transaction {
    /// Whether what matched is a declared field: it stands where it was declared, and its name nowhere else, since an app may
    /// read the other one.
    pub(super) fn is_text(&self, variable: Variable, name: ValueId) -> bool {
        let Some(texts) = &self.body.texts else { return false };
        if !matches!(variable, Variable::Args | Variable::ArgsGet | Variable::ArgsPost) {
            return false;
        }
        let name = self.values.get(name);
        let count = |variable: Variable| {
            self.entries[variable as usize]
                .iter()
                .filter(|entry| self.values.get(entry.name) == name)
                .take(2)
                .count()
        };
        texts
            .fields
            .iter()
            .filter(|(_, known)| **known == *name)
            .any(|(side, _)| count(*side) == 1 && count(Variable::Args) == 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(texts: &Texts) -> Vec<String> {
        texts.fields.iter().map(|(_, name)| String::from_utf8_lossy(name).into_owned()).collect()
    }

    #[test]
    fn pointers_become_the_names_of_arguments() {
        let mut texts = Texts::default();
        texts.json("/contact/phone");
        texts.json("/contact/phone");
        texts.json("/a~1b//~0c");
        texts.json("/notes/3");
        let want = ["json.contact.phone", "json.a/b.empty-key.~c", "json.notes.3", "json.notes.array_3"];
        assert_eq!(names(&texts), want);
        let mut deep = Texts::default();
        deep.json(&"/1".repeat(40));
        assert_eq!(deep.fields.len(), 16);
    }
}
