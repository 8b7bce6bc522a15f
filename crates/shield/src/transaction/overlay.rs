//! Exclusions beside the rules' own: for one route, or for the whole house.

use crate::Engine;
use crate::compile::ir::{Left, RuleIndex, Select};
use crate::pattern::Pattern;
use crate::seclang::{self, Reason, Role};
use std::ops::RangeInclusive;

/// Which rules an exclusion means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Excluded {
    /// Those with an id in this range.
    Ids(RangeInclusive<u64>),
    /// Those with this tag, to the letter.
    Tag(String),
}

/// Rules that do not run, or do not look at something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exclusion {
    /// The rules.
    pub rules: Excluded,
    /// What they do not look at, as `ARGS:note`; everything when left out.
    pub target: Option<String>,
}

/// Exclusions that hold for some transactions only, such as those of one route.
#[derive(Debug, Default)]
pub struct Overlay {
    pub(super) removed: Vec<u64>,
    pub(super) targets: Vec<(Vec<RuleIndex>, Left)>,
}

impl Overlay {
    /// Makes exclusions ready for an engine.
    ///
    /// # Errors
    /// The number of the exclusion that cannot be honoured, and why: a target that is not understood, or rules that are not
    /// there.
    pub fn new(engine: &Engine, exclusions: &[Exclusion]) -> Result<Self, (usize, Reason)> {
        let mut overlay = Self { removed: vec![0; engine.rules.len().div_ceil(64)], targets: Vec::new() };
        for (number, exclusion) in exclusions.iter().enumerate() {
            let rules = chosen(engine, &exclusion.rules);
            if rules.is_empty() {
                return Err((number, Reason::NoSuchRule));
            }
            match &exclusion.target {
                None => rules
                    .iter()
                    .for_each(|&rule| super::put_in(&mut overlay.removed, rule, engine.rules.len())),
                Some(text) => {
                    for left in lefts(text).map_err(|reason| (number, reason))? {
                        overlay.targets.push((rules.clone(), left));
                    }
                }
            }
        }
        Ok(overlay)
    }
}

fn chosen(engine: &Engine, rules: &Excluded) -> Vec<RuleIndex> {
    let fits = |head: &&RuleIndex| {
        let rule = &engine.rules[**head as usize];
        match rules {
            Excluded::Ids(range) => range.contains(&rule.id),
            Excluded::Tag(tag) => rule.about.tags.iter().any(|known| **known == **tag),
        }
    };
    let mut chosen: Vec<_> = engine.heads.iter().flatten().filter(fits).copied().collect();
    chosen.sort_unstable();
    chosen
}

fn lefts(text: &str) -> Result<Vec<Left>, Reason> {
    let mut lefts = Vec::new();
    for target in seclang::targets(text).map_err(|(_, reason)| reason)? {
        if target.role == Role::Count {
            return Err(Reason::BadArgument);
        }
        let select = match target.select {
            seclang::Select::All => Select::All,
            seclang::Select::Name(name) => Select::Name(name),
            seclang::Select::Pattern(text) => {
                let pattern =
                    Pattern::compile_without_captures(format!("(?i){text}")).map_err(|_| Reason::Pattern)?;
                Select::Pattern(Box::new(pattern))
            }
        };
        lefts.push(Left { variable: target.variable, select });
    }
    Ok(lefts)
}
