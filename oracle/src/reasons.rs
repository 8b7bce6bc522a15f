//! Why libmodsecurity and the shield's engine may differ on a request, and the proof of it.
//!
//! A reason is never believed by the look of a request alone. Each one names what to change, either in the rules or in
//! the request, so that its cause is gone; both engines run again, and must then find the same, the one that the change
//! does not touch finding what it found before. A difference for which no reason proves itself stays unexplained.
//!
//! To add a reason: a row in [`REASONS`] and, where none fits, a change in `rewrite` or `variant`; a row in the table of
//! `docs/conformance.md`; a case in the tests.

mod rewrite;
mod table;
mod variant;

use std::collections::{BTreeMap, BTreeSet};

use shield::message::Request;

use crate::ours::Ours;
use crate::rules::RuleText;
use crate::{Oracle, values};
use variant::Variant;

pub use table::REASONS;

/// One of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// libmodsecurity.
    Oracle,
    /// The shield.
    Engine,
}

/// A cause of differences.
pub struct Reason {
    /// What reports call it.
    pub name: &'static str,
    /// The cause, in a sentence.
    pub why: &'static str,
    /// Who alone finds the rule, where that is always the same.
    alone: Option<Side>,
    /// Rules that may differ for this reason; all when there is none.
    rules: &'static [u64],
    /// Whether a request has what the reason is about.
    concerns: fn(&Request) -> bool,
    proof: Proof,
}

impl Reason {
    /// The side that the proof does not touch; `None` where neither runs again.
    fn unmoved(&self) -> Option<Side> {
        match self.proof {
            Proof::Rules(_) => Some(Side::Engine),
            Proof::Request(_, unmoved) => Some(unmoved),
            Proof::Unheld => None,
        }
    }
}

/// What was found for each reason that was tried on a request.
type Tried = BTreeMap<&'static str, Option<Found>>;

/// How a reason is put to the test.
enum Proof {
    /// Without the cause in the rules, the oracle finds what the engine finds, which finds what it found before.
    Rules(Variant),
    /// Without the cause in the request, both find the same, and the side that is named what it found before.
    Request(fn(&Request) -> Option<Request>, Side),
    /// No value in which the engine alone found the rule is one that the oracle holds in the same variable.
    Unheld,
}

/// The rules that a request matched, in the oracle and in the engine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Found {
    oracle: BTreeSet<u64>,
    engine: BTreeSet<u64>,
}

impl Found {
    fn of(&self, side: Side, rule: u64) -> bool {
        match side {
            Side::Oracle => self.oracle.contains(&rule),
            Side::Engine => self.engine.contains(&rule),
        }
    }

    fn agree(&self, rule: u64) -> bool {
        self.of(Side::Oracle, rule) == self.of(Side::Engine, rule)
    }
}

/// Both, with the same rules.
struct Pair {
    oracle: Oracle,
    engine: Ours,
}

impl Pair {
    fn load(texts: &[RuleText]) -> Result<Self, String> {
        Ok(Self { oracle: Oracle::load(texts)?, engine: Ours::load(texts)? })
    }

    fn run(&mut self, request: &Request, all: bool) -> Result<Found, String> {
        Ok(Found { oracle: self.oracle.run(request, false)?.ids(), engine: self.engine.ids(request, all) })
    }
}

/// Both with the rules as they are and as each proof needs them, loaded when first asked for.
pub struct Judge {
    texts: Vec<RuleText>,
    all: bool,
    plain: Pair,
    variants: BTreeMap<Variant, Pair>,
    values: Oracle,
}

impl Judge {
    /// A judge over these rules; with `all`, rules that say `nolog` count too.
    pub fn load(texts: &[RuleText], all: bool) -> Result<Self, String> {
        let (plain, values) = (Pair::load(texts)?, values::oracle(&[])?);
        Ok(Self { texts: texts.to_vec(), all, plain, variants: BTreeMap::new(), values })
    }

    /// The reasons of a difference, by rule; `None` when one of its rules has none.
    ///
    /// Rules that read nothing but the scores of others are explained by the others.
    pub fn reasons(
        &mut self,
        request: &Request,
        oracle: &BTreeSet<u64>,
        engine: &BTreeSet<u64>,
    ) -> Result<Option<BTreeSet<&'static str>>, String> {
        let mut names = BTreeSet::new();
        let mut tried = Tried::default();
        let sides = [(Side::Oracle, oracle), (Side::Engine, engine)];
        for (side, rule) in sides.iter().flat_map(|(side, rules)| rules.iter().map(|&rule| (*side, rule))) {
            if table::reads_scores(rule) {
                continue;
            }
            match self.reason(request, &mut tried, side, rule)? {
                Some(reason) => names.insert(reason.name),
                None => return Ok(None),
            };
        }
        Ok((!names.is_empty()).then_some(names))
    }

    /// The first reason that proves itself for one rule that one side alone found.
    fn reason(
        &mut self,
        request: &Request,
        tried: &mut Tried,
        alone: Side,
        rule: u64,
    ) -> Result<Option<&'static Reason>, String> {
        for reason in REASONS {
            let sided = reason.alone.is_none_or(|side| side == alone);
            let fits = sided && (reason.rules.is_empty() || reason.rules.contains(&rule));
            if !fits || !(reason.concerns)(request) {
                continue;
            }
            let is_proven = match reason.unmoved() {
                None => self.is_unheld(request, rule)?,
                Some(unmoved) => {
                    let after = self.after(reason, request, tried)?;
                    after.is_some_and(|after| {
                        after.agree(rule) && after.of(unmoved, rule) == (unmoved == alone)
                    })
                }
            };
            if is_proven {
                return Ok(Some(reason));
            }
        }
        Ok(None)
    }

    /// What both find without the cause; `None` when there is nothing to take away.
    fn after<'a>(
        &mut self,
        reason: &Reason,
        request: &Request,
        tried: &'a mut Tried,
    ) -> Result<Option<&'a Found>, String> {
        if !tried.contains_key(reason.name) {
            let all = self.all;
            let found = match reason.proof {
                Proof::Rules(variant) => {
                    let pair = self.variant(variant)?;
                    pair.map(|pair| pair.run(request, all)).transpose()?
                }
                Proof::Request(change, _) => {
                    change(request).map(|changed| self.plain.run(&changed, all)).transpose()?
                }
                Proof::Unheld => None,
            };
            tried.insert(reason.name, found);
        }
        Ok(tried.get(reason.name).and_then(Option::as_ref))
    }

    fn variant(&mut self, variant: Variant) -> Result<Option<&mut Pair>, String> {
        if !self.variants.contains_key(&variant) {
            let Some(texts) = variant.of(&self.texts)? else { return Ok(None) };
            let pair = Pair::load(&texts);
            variant.loaded();
            self.variants.insert(variant, pair?);
        }
        Ok(self.variants.get_mut(&variant))
    }

    fn is_unheld(&mut self, request: &Request, rule: u64) -> Result<bool, String> {
        let held = values::of(&mut self.values, request)?;
        let seen = self.plain.engine.matches(request, rule);
        let is_held = |(variable, value): &(&str, Vec<u8>)| {
            held.iter().any(|held| held.variable == *variable && held.value == *value)
        };
        Ok(!seen.is_empty() && !seen.iter().any(is_held))
    }
}

#[cfg(test)]
mod tests;
