//! Patterns and lists of phrases, compiled on several threads.

use super::build::{At, Build};
use super::ir::Test;
use crate::pattern::{Pattern, PatternError, Phrases, translate};
use crate::seclang::{Fault, Place, Reason};
use std::sync::Arc;

/// What is looked for in one pass over a value.
#[derive(Debug)]
pub(crate) enum Sought {
    Pattern(Pattern),
    Phrases(Phrases),
    /// No rule that can run asks for it, unless an exclusion wakes it.
    Nothing,
}

/// What a pattern or list of phrases is known by, so that each is compiled once.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Key {
    Pattern(String, bool),
    Phrases(Vec<u8>),
}

impl Build<'_> {
    /// Compiles all patterns, on as many threads as are given.
    ///
    /// Those of dead rules are checked for what cannot be honoured, and not compiled; they are the second list.
    pub(super) fn compile(&mut self, dead: &[bool], threads: usize) -> (Vec<Sought>, Vec<(u32, Key)>) {
        let wanted = std::mem::take(&mut self.wanted);
        let mut alive = vec![false; wanted.len()];
        for (rule, _) in self.rules.iter().zip(dead).filter(|(_, dead)| !**dead) {
            if let Test::Pattern(index) | Test::Phrases(index) = rule.test {
                alive[index as usize] = true;
            }
        }
        let next = std::sync::atomic::AtomicUsize::new(0);
        let work = || {
            let mut mine = Vec::new();
            loop {
                let index = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                let Some((key, ..)) = wanted.get(index) else { return mine };
                mine.push((index, if alive[index] { sought(key) } else { checked(key) }));
            }
        };
        // The thread that asks works, too.
        let done: Vec<_> = std::thread::scope(|scope| {
            let workers: Vec<_> = (1..threads.clamp(1, 16)).map(|_| scope.spawn(work)).collect();
            let mut done = work();
            done.extend(workers.into_iter().flat_map(|worker| worker.join().unwrap_or_default()));
            done
        });
        let mut list: Vec<Option<Sought>> = (0..wanted.len()).map(|_| None).collect();
        for (index, result) in done {
            let (key, place, id) = &wanted[index];
            match result {
                Ok(sought) => list[index] = Some(sought),
                Err(error) => {
                    let text = if let Key::Pattern(text, _) = key { text.as_str() } else { "" };
                    self.fault(&At { place, id: *id }, text, reason(error));
                }
            }
        }
        if list.iter().any(Option::is_none) && self.faults.is_empty() {
            self.faults.push(Fault {
                place: Place { file: Arc::from(""), line: 0 },
                rule: None,
                construct: "patterns".to_owned(),
                reason: Reason::Pattern,
            });
        }
        let asleep = (0_u32..).zip(wanted).filter(|(index, _)| !alive[*index as usize]);
        let asleep = asleep.map(|(index, (key, ..))| (index, key)).collect();
        (list.into_iter().flatten().collect(), asleep)
    }
}

/// Compiles one pattern or list of phrases.
pub(crate) fn sought(key: &Key) -> Result<Sought, PatternError> {
    match key {
        Key::Pattern(text, true) => Pattern::compile(text).map(Sought::Pattern),
        Key::Pattern(text, false) => Pattern::compile_without_captures(text).map(Sought::Pattern),
        Key::Phrases(lines) => Phrases::new(lines.split(|&byte| byte == b'\n')).map(Sought::Phrases),
    }
}

/// What can be said about a pattern without compiling it.
fn checked(key: &Key) -> Result<Sought, PatternError> {
    if let Key::Pattern(text, _) = key {
        translate(text)?;
    }
    Ok(Sought::Nothing)
}

pub(super) fn reason(error: PatternError) -> Reason {
    match error {
        PatternError::LookAround { .. } => Reason::LookAround,
        PatternError::BackReference { .. } => Reason::BackReference,
        _ => Reason::Pattern,
    }
}
