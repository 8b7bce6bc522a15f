//! Rules by what removals and changes name them by: so many of these may stand beside so many rules that nobody should look
//! at each pair.

use crate::seclang::{Action, RuleText, Which};
use std::collections::{BTreeMap, HashMap};

/// The places of rules in a list.
#[derive(Default)]
pub(super) struct Names {
    ids: BTreeMap<u64, Vec<usize>>,
    tags: HashMap<String, Vec<usize>>,
    messages: HashMap<String, Vec<usize>>,
}

impl Names {
    /// Rules with their places.
    pub(super) fn of<'r>(rules: impl Iterator<Item = (usize, &'r RuleText)>) -> Self {
        let mut names = Self::default();
        for (at, rule) in rules {
            if let Some(id) = rule.id() {
                names.ids.entry(id).or_default().push(at);
            }
            for action in &rule.actions {
                match action {
                    Action::Tag(tag) => names.tags.entry(tag.clone()).or_default().push(at),
                    Action::Message(text) => {
                        if let Some(text) = text.plain() {
                            names.messages.entry(text.to_owned()).or_default().push(at);
                        }
                    }
                    _ => {}
                }
            }
        }
        names
    }

    /// The rules of an id.
    pub(super) fn of_id(&self, id: u64) -> &[usize] {
        self.ids.get(&id).map_or(&[], Vec::as_slice)
    }

    /// The places of the rules that are meant, in rising order, each once. A tag or message must be the same, to the letter.
    pub(super) fn meant(&self, which: &Which) -> Vec<usize> {
        let mut places = match which {
            Which::Ids(ranges) => ranges
                .iter()
                .filter(|range| !range.is_empty())
                .flat_map(|range| {
                    self.ids.range(range.clone()).flat_map(|(_, places)| places.iter().copied())
                })
                .collect(),
            Which::Tag(tag) => self.tags.get(tag).cloned().unwrap_or_default(),
            Which::Message(text) => self.messages.get(text).cloned().unwrap_or_default(),
        };
        places.sort_unstable();
        places.dedup();
        places
    }
}
