//! Exclusions beside the rules' own: for one route, or for the whole house.

use crate::Engine;
use crate::compile::Sought;
use crate::compile::ir::{Left, RuleIndex, Select, Test};
use crate::pattern::Pattern;
use crate::seclang::{self, Reason, Role, Variable};
use std::collections::HashMap;
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
    awake: Awake,
}

/// Patterns of rules that were dead when the rules were loaded, and run because an exclusion takes out what kept them from it. No
/// scanner knows them: they are tried on each value.
#[derive(Debug, Default)]
struct Awake {
    /// All of them, one bit each.
    patterns: Vec<u64>,
    /// Those that are not compiled in the engine.
    compiled: HashMap<u32, Sought>,
}

impl Overlay {
    /// Makes exclusions ready for an engine.
    ///
    /// # Errors
    /// The number of the exclusion that cannot be honoured, and why: a target that is not understood, or rules that are not
    /// there. Where rules above the paranoia level have to run because what keeps them from it is excluded, a pattern of theirs
    /// that is too large.
    pub fn new(engine: &Engine, exclusions: &[Exclusion]) -> Result<Self, (usize, Reason)> {
        let mut overlay = Self { removed: vec![0; engine.rules.len().div_ceil(64)], ..Self::default() };
        for (number, exclusion) in exclusions.iter().enumerate() {
            let rules = chosen(engine, &exclusion.rules);
            if rules.is_empty() {
                return Err((number, Reason::NoSuchRule));
            }
            // Whether a gate that was decided at load no longer runs, or no longer sees what it asks.
            let mut undecides = exclusion.target.is_none();
            match &exclusion.target {
                None => rules
                    .iter()
                    .for_each(|&rule| super::put_in(&mut overlay.removed, rule, engine.rules.len())),
                Some(text) => {
                    let lefts = lefts(text).map_err(|reason| (number, reason))?;
                    undecides = lefts.iter().any(|left| left.variable == Variable::Tx);
                    for left in lefts {
                        overlay.targets.push((rules.clone(), left));
                    }
                }
            }
            if undecides
                && overlay.awake.patterns.is_empty()
                && rules.iter().any(|rule| engine.folded_by.binary_search(rule).is_ok())
            {
                overlay.awake = Awake::all(engine).map_err(|reason| (number, reason))?;
            }
        }
        Ok(overlay)
    }

    /// Whether a pattern is tried on each value.
    pub(super) fn is_awake(&self, pattern: u32) -> bool {
        super::is_in(&self.awake.patterns, pattern)
    }

    /// A pattern that the engine has not compiled.
    pub(super) fn sought(&self, pattern: u32) -> Option<&Sought> {
        self.awake.compiled.get(&pattern)
    }
}

impl Awake {
    fn all(engine: &Engine) -> Result<Self, Reason> {
        let mut awake = Self { patterns: vec![0; engine.words()], compiled: HashMap::new() };
        for (rule, _) in engine.rules.iter().zip(&engine.dead).filter(|(_, dead)| **dead) {
            if let Test::Pattern(pattern) | Test::Phrases(pattern) = rule.test {
                super::put_in(&mut awake.patterns, pattern, engine.sought.len());
            }
        }
        for (pattern, key) in &engine.asleep {
            awake.compiled.insert(*pattern, crate::compile::sought(key).map_err(|_| Reason::Pattern)?);
        }
        Ok(awake)
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
