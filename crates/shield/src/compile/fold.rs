//! Rules that cannot run under the settings that are loaded: those above the paranoia level. Their patterns are not compiled.
//!
//! A gate is a rule such as `SecRule TX:detection_paranoia_level "@lt 2" "…,skipAfter:END"`. Where the variable is known at load to
//! hold one number for the whole of every transaction, the gate is decided, and what it jumps over is dead.

use super::ir::{
    Change, Decision, Effect, Jump, Member, Operand, Piece, Quick, Rule, RuleIndex, Select, Test, Text,
};
use super::slots::Slot;
use crate::seclang::{Compare, Variable};
use std::collections::HashMap;

/// What was decided at load.
pub(super) struct Folded {
    /// For each rule whether it is dead.
    pub(super) dead: Vec<bool>,
    /// Rules on which that rests, in rising order: the gates that were decided, and what sets the variables that they ask.
    /// Where one of them does not run, nothing was decided.
    pub(super) by: Vec<RuleIndex>,
}

/// Decides gates.
pub(super) fn fold(
    rules: &[Rule],
    heads: &[Vec<RuleIndex>; 5],
    quick: &[Vec<Quick>; 5],
    name: impl Fn(Slot) -> Vec<u8>,
) -> Folded {
    let known = Known::of(rules, heads, &name);
    let mut dead = vec![false; rules.len()];
    let mut by = known.set_by(rules, &heads[0]);
    for (heads, quick) in heads.iter().zip(quick) {
        for (at, (&head, &quick)) in heads.iter().zip(quick).enumerate() {
            let rule = &rules[head as usize];
            let Jump::To(end) = rule.jump else { continue };
            if rule.next.is_none()
                && known.decides(quick) == Some(true)
                && !is_entered(rules, heads, at, end as usize)
            {
                let region = heads.get(at + 1..(end as usize).min(heads.len())).unwrap_or_default();
                if is_taken_out_alone(rules, head, region) {
                    continue;
                }
                region.iter().for_each(|&over| bury(rules, over, &mut dead));
                by.push(head);
            }
        }
    }
    by.sort_unstable();
    Folded { dead, by }
}

/// A rule with the parts of its chain.
fn bury(rules: &[Rule], head: RuleIndex, dead: &mut [bool]) {
    let mut next = Some(head);
    while let Some(index) = next {
        dead[index as usize] = true;
        next = rules[index as usize].next;
    }
}

/// Whether any rule jumps from before a region into its middle.
fn is_entered(rules: &[Rule], heads: &[RuleIndex], start: usize, end: usize) -> bool {
    heads[..start].iter().any(|&head| match rules[head as usize].jump {
        Jump::To(place) => place as usize > start && (place as usize) < end,
        Jump::Next => false,
    })
}

/// Whether some `ctl` takes the gate out, or what it asks, and leaves a rule behind it in.
fn is_taken_out_alone(rules: &[Rule], gate: RuleIndex, region: &[RuleIndex]) -> bool {
    removals(rules)
        .any(|removed| removed.contains(&gate) && region.iter().any(|rule| !removed.contains(rule)))
        || blinded(rules).any(|blinded| blinded.contains(&gate))
}

/// Rules that some `ctl` keeps from looking at a variable of `TX`.
fn blinded(rules: &[Rule]) -> impl Iterator<Item = &[RuleIndex]> {
    rules.iter().flat_map(|rule| &rule.effects).filter_map(|effect| match effect {
        Effect::RemoveTarget(blinded, lefts) if lefts.iter().any(|left| left.variable == Variable::Tx) => {
            Some(&**blinded)
        }
        _ => None,
    })
}

fn removals(rules: &[Rule]) -> impl Iterator<Item = &[RuleIndex]> {
    rules.iter().flat_map(|rule| &rule.effects).filter_map(|effect| match effect {
        Effect::Remove(removed) => Some(&**removed),
        _ => None,
    })
}

/// Variables of `TX` that hold one number in every transaction, from the rule that sets them on.
struct Known(HashMap<Slot, i64>);

impl Known {
    fn of(rules: &[Rule], heads: &[Vec<RuleIndex>; 5], name: &impl Fn(Slot) -> Vec<u8>) -> Self {
        let mut known = HashMap::new();
        // Only what stands before the first jump and the first way out runs in every transaction.
        for &head in &heads[0] {
            let rule = &rules[head as usize];
            if rule.jump != Jump::Next || rule.decision != Decision::Pass {
                break;
            }
            // What a `ctl` may take out does not run in every transaction.
            if !rule.unconditional
                || rule.next.is_some()
                || removals(rules).any(|removed| removed.contains(&head))
            {
                continue;
            }
            for effect in &rule.effects {
                if let Effect::Assign(Member::Slot(slot), Change::Set(Text { number: Some(number), .. })) =
                    effect
                {
                    known.entry(*slot).or_insert(*number);
                }
            }
        }
        let mut this = Self(known);
        this.forget_what_changes(rules, name);
        this
    }

    /// The rules of phase 1 that set what is known.
    fn set_by(&self, rules: &[Rule], heads: &[RuleIndex]) -> Vec<RuleIndex> {
        let sets = |effect: &Effect| matches!(effect, Effect::Assign(Member::Slot(slot), Change::Set(_)) if self.0.contains_key(slot));
        heads.iter().copied().filter(|&head| rules[head as usize].effects.iter().any(sets)).collect()
    }

    /// Any other assignment makes a variable unknown, unless it sets the same number or its rule asks first whether the
    /// variable is not set.
    fn forget_what_changes(&mut self, rules: &[Rule], name: &impl Fn(Slot) -> Vec<u8>) {
        for rule in rules {
            for effect in &rule.effects {
                match effect {
                    Effect::Assign(Member::Slot(slot), change) => {
                        let Some(number) = self.0.get(slot).copied() else { continue };
                        let same = matches!(change, Change::Set(text) if text.number == Some(number));
                        if !same && !asks_whether_unset(rule, *slot) {
                            self.0.remove(slot);
                        }
                    }
                    Effect::Assign(Member::Named(Variable::Tx, text), _) => {
                        self.0.retain(|slot, _| !may_be(text, &name(*slot)));
                    }
                    _ => {}
                }
            }
        }
    }

    fn decides(&self, quick: Quick) -> Option<bool> {
        let Quick::Number { slot, compare, negated, operand } = quick else { return None };
        let value = *self.0.get(&slot)?;
        let operand = match operand {
            Operand::Number(number) => number,
            Operand::Slot(slot) => *self.0.get(&slot)?,
        };
        let holds = match compare {
            Compare::Equal => value == operand,
            Compare::GreaterOrEqual => value >= operand,
            Compare::Greater => value > operand,
            Compare::LessOrEqual => value <= operand,
            Compare::Less => value < operand,
        };
        Some(holds != negated)
    }
}

/// `SecRule &TX:name "@eq 0"`
fn asks_whether_unset(rule: &Rule, slot: Slot) -> bool {
    let asks = matches!(
        &*rule.targets,
        [target] if target.count && target.variable == Variable::Tx && matches!(target.select, Select::Slot(asked) if asked == slot)
    );
    asks && !rule.negated && matches!(&rule.test, Test::Number(Compare::Equal, Text { number: Some(0), .. }))
}

/// Whether a name that is put together may be this one.
fn may_be(text: &Text, name: &[u8]) -> bool {
    match &*text.pieces {
        [Piece::Plain(start), ..] => name.starts_with(&start.to_ascii_lowercase()),
        _ => true,
    }
}
