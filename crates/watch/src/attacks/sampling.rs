//! How many events of a kind are kept in detail: a flood is counted whole, and kept as a few of each kind, so that it pushes
//! nothing else out and writes little.

use super::{Attack, Outcome};
use std::collections::HashMap;
use std::sync::Arc;

/// Most events of one kind in a minute.
const OF_A_KIND: u32 = 20;
/// Most events in a minute, by outcome: who was refused may ask about it, so those have most.
const IN_ALL: [u32; 3] = [150, 75, 75];
/// Most kinds that are told apart in a minute.
const KINDS: usize = 1_024;

type Kind = (Option<Arc<str>>, u64, Outcome);

/// What was kept in this minute.
#[derive(Default)]
pub(super) struct Sampling {
    minute: i64,
    in_all: [u32; 3],
    kinds: HashMap<Kind, u32>,
}

impl Sampling {
    /// Whether this event of this minute is kept.
    pub(super) fn keeps(&mut self, minute: i64, attack: &Attack) -> bool {
        if minute != self.minute {
            *self = Self { minute, ..Self::default() };
        }
        let outcome = attack.outcome();
        let all = &mut self.in_all[outcome as usize];
        // Not the one that decided: with a score, that is the same for everything.
        let found = attack.rules.iter().find(|rule| !rule.is_deciding());
        let rule = found.map(|rule| rule.id).or(attack.by).unwrap_or(0);
        let kind = (attack.route.clone(), rule, outcome);
        if *all >= IN_ALL[outcome as usize] || (self.kinds.len() >= KINDS && !self.kinds.contains_key(&kind))
        {
            return false;
        }
        let of_kind = self.kinds.entry(kind).or_default();
        if *of_kind >= OF_A_KIND {
            return false;
        }
        *of_kind += 1;
        *all += 1;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::attack;
    use super::*;

    #[test]
    fn a_flood_leaves_room_for_others() {
        let mut sampling = Sampling::default();
        let (flood, other) = (attack("A", 1), attack("B", 2));
        assert_eq!((0..10_000).filter(|_| sampling.keeps(5, &flood)).count() as u32, OF_A_KIND);
        assert!(sampling.keeps(5, &other) && sampling.keeps(6, &flood), "another kind, and the next minute");
        let mixed = (0..10_000).filter(|rule| sampling.keeps(7, &attack("C", *rule)));
        assert_eq!(mixed.count() as u32, IN_ALL[0]);
        let mut passed = attack("D", 1);
        passed.refused = false;
        assert!(sampling.keeps(7, &passed), "another outcome has room of its own");
    }
}
