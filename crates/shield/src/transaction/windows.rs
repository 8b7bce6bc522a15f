//! The windows of an answer. A rule that looks at the body sees it piece by piece and matches once in all of them; all other
//! rules of phase 4 run again in each window, as if the answer up to there were the whole, and what they counted counts once.

use super::{Held, Transaction, Tx};
use crate::Engine;
use crate::compile::ir::{Change, Member, RuleIndex};
use crate::seclang::Variable;

/// A variable of `TX`.
#[derive(PartialEq)]
enum Counted {
    Slot(u16),
    Named(Vec<u8>),
}

/// What a window added to a variable.
struct Sum {
    to: Counted,
    by: i64,
    /// Whether the variable was there before.
    known: bool,
}

/// What is known of the windows so far.
#[derive(Default)]
pub(super) struct Windows {
    /// Rules that looked at the body and matched, one bit each.
    pub(super) spent: Vec<u64>,
    /// Whether the rule that runs will run again in the next window.
    again: bool,
    /// How many windows there were.
    count: u32,
    /// What such rules added in this window: taken off again before the next.
    sums: Vec<Sum>,
    /// Where such rules counted in a collection, which keeps what it was told, and in which window.
    kept: Vec<(usize, u32)>,
}

impl Transaction {
    /// Takes off what the rules that run again added in the window before.
    pub(super) fn next_window(&mut self, engine: &Engine) {
        self.windows.count = self.windows.count.saturating_add(1);
        for Sum { to, by, known } in self.windows.sums.drain(..).rev() {
            let held = match to {
                Counted::Slot(slot) => self.tx.slot(slot),
                Counted::Named(name) => self.tx.named_mut(engine, &name),
            };
            if let Some(held) = held {
                let number = held.number(&engine.constants).saturating_sub(by);
                *held = if known || number != 0 { Held::Number(number) } else { Held::Unset };
            }
        }
    }

    /// Says which rule runs now.
    pub(super) fn in_window(&mut self, engine: &Engine, phase: u8, head: RuleIndex) {
        self.windows.again = phase == 4 && !super::looks_at_body(engine, head);
    }
}

impl Windows {
    /// Notes a change of a variable of `TX` before it is made.
    pub(super) fn note(
        &mut self,
        engine: &Engine,
        tx: &Tx,
        to: &Member,
        name: &[u8],
        change: &Change,
        operand: i64,
    ) {
        if !self.again && self.sums.is_empty() {
            return;
        }
        let to = match to {
            Member::Slot(slot) => Counted::Slot(*slot),
            Member::Named(..) => {
                engine.slots.find(name).map_or_else(|| Counted::Named(name.to_vec()), Counted::Slot)
            }
        };
        let by = match change {
            Change::Add(_) => operand,
            Change::Subtract(_) => operand.saturating_neg(),
            // What is set is set again in the next window, and nothing is left of what was added before.
            Change::Set(_) | Change::Unset => return self.sums.retain(|sum| sum.to != to),
        };
        if self.again {
            let known = match &to {
                Counted::Slot(slot) => tx.get(*slot).is_set(),
                Counted::Named(name) => tx.named(engine, name).is_set(),
            };
            self.sums.push(Sum { to, by, known });
        }
    }

    /// Whether a change of a collection was made in a window before, so that it is not made again.
    pub(super) fn has_kept(&mut self, member: &Member, change: &Change) -> bool {
        if !self.again || !matches!(change, Change::Add(_) | Change::Subtract(_)) {
            return false;
        }
        debug_assert!(
            !matches!(member, Member::Slot(_) | Member::Named(Variable::Tx, _)),
            "TX is counted apart"
        );
        // Rules stay where they are as long as the transaction holds its engine.
        let place = std::ptr::from_ref(member).addr();
        let known = self.kept.iter().find(|(kept, _)| *kept == place).map(|(_, window)| *window);
        if known.is_none() {
            self.kept.push((place, self.count));
        }
        known.is_some_and(|window| window != self.count)
    }
}
