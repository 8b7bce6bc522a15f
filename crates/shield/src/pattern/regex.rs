//! A pattern, compiled.

use std::ops::Range;

use regex_automata::meta::Regex;
use regex_automata::nfa::thompson::WhichCaptures;
use regex_automata::util::primitives::NonMaxUsize;
use regex_automata::{Anchored, Input};
use regex_syntax::hir::{Hir, Look};

use super::{Gate, PatternError, translate};

/// Largest automaton of a pattern, in bytes. The largest of the Core Rule Set takes a tenth of it.
const MAX_AUTOMATON: usize = 4 << 20;
/// Most bytes a thread keeps for each direction of a pattern's lazily built automaton.
const CACHE: usize = 1 << 20;
/// Groups that are kept: the whole match and `%{TX.1}` to `%{TX.9}`.
const GROUPS: usize = 10;

/// A pattern of `@rx`, compiled to an automaton that decides in time linear in the value.
#[derive(Debug)]
pub struct Pattern {
    regex: Regex,
    /// See [`Pattern::corrects_line_start`].
    empty_at_end: Option<bool>,
    gate: Gate,
}

/// Where the groups of a match are. One can be used for many values.
#[derive(Clone, Copy, Default, Debug)]
pub struct Captures {
    slots: [Option<NonMaxUsize>; GROUPS * 2],
}

impl Captures {
    /// Where group `index` is in the value; group 0 is the whole match. None where the group took no part in the match or
    /// the pattern has no such group.
    #[must_use]
    pub fn get(&self, index: usize) -> Option<Range<usize>> {
        let start = (*self.slots.get(index.checked_mul(2)?)?)?;
        let end = (*self.slots.get(index * 2 + 1)?)?;
        Some(start.get()..end.get())
    }
}

impl Pattern {
    /// Compiles a pattern as ModSecurity v3 reads it: see [`translate`].
    ///
    /// # Errors
    /// [`PatternError`]: why the pattern cannot be honoured.
    pub fn compile(pcre: impl AsRef<[u8]>) -> Result<Self, PatternError> {
        Self::build(pcre.as_ref(), WhichCaptures::All)
    }

    /// Compiles a pattern whose groups nobody reads: smaller and faster. [`captures`](Self::captures) knows only group 0.
    ///
    /// # Errors
    /// [`PatternError`]: why the pattern cannot be honoured.
    pub fn compile_without_captures(pcre: impl AsRef<[u8]>) -> Result<Self, PatternError> {
        Self::build(pcre.as_ref(), WhichCaptures::Implicit)
    }

    fn build(pcre: &[u8], captures: WhichCaptures) -> Result<Self, PatternError> {
        let hir = parse(&translate(pcre)?)?;
        let config = Regex::config()
            .utf8_empty(false)
            .which_captures(captures)
            .nfa_size_limit(Some(MAX_AUTOMATON))
            .hybrid_cache_capacity(CACHE);
        let regex =
            Regex::builder().configure(config).build_from_hir(&hir).map_err(|_| PatternError::TooLarge)?;
        let empty_at_end = Self::corrects_line_start(&hir, &regex);
        Ok(Self { regex, empty_at_end, gate: Gate::of_pattern(&hir) })
    }

    /// `^` does not hold for PCRE2 behind a line end that ends the value, but here it does. That matters to patterns which
    /// can match nothing: an allow list such as `!@rx ^(?:yes|no)?$` would let everything through that ends in a line end.
    /// For such a pattern, tells whether it matches nothing at the end of a value when `^` does not hold there.
    fn corrects_line_start(hir: &Hir, regex: &Regex) -> Option<bool> {
        let properties = hir.properties();
        let concerned = properties.minimum_len() == Some(0) && properties.look_set().contains(Look::StartLF);
        // A line end and this byte are alike to every other condition: neither is a word, and the place is the end.
        concerned.then(|| regex.is_match(Input::new(b"!").span(1..1).anchored(Anchored::Yes)))
    }

    /// Whether the pattern matches somewhere in `value`.
    #[must_use]
    pub fn is_match(&self, value: &[u8]) -> bool {
        match self.empty_at_end {
            Some(correct) if value.last() == Some(&b'\n') => match self.regex.search(&Input::new(value)) {
                Some(found) => correct || found.start() < value.len(),
                None => false,
            },
            _ => self.regex.is_match(value),
        }
    }

    /// Finds the first match in `value` and where its groups are. Returns whether there is one; when not, all groups are none.
    pub fn captures(&self, value: &[u8], captures: &mut Captures) -> bool {
        captures.slots = [None; GROUPS * 2];
        let found = self.regex.search_slots(&Input::new(value), &mut captures.slots).is_some();
        let spurious = self.empty_at_end == Some(false)
            && value.last() == Some(&b'\n')
            && captures.get(0).is_some_and(|group| group.start == value.len());
        if spurious {
            captures.slots = [None; GROUPS * 2];
        }
        found && !spurious
    }

    /// What a value must hold for the pattern to be able to match it.
    #[must_use]
    pub const fn gate(&self) -> &Gate {
        &self.gate
    }

    /// Where the first match lies in `value`.
    #[must_use]
    pub fn find(&self, value: &[u8]) -> Option<Range<usize>> {
        let mut captures = Captures::default();
        if self.captures(value, &mut captures) { captures.get(0) } else { None }
    }

    /// Bytes of memory the pattern takes, without what each thread that uses it builds up (at most 1 MiB, most patterns
    /// a few KiB).
    #[must_use]
    pub fn memory(&self) -> usize {
        size_of::<Self>() + self.regex.memory_usage() + self.gate.memory()
    }
}

/// Reads a translated pattern.
fn parse(text: &str) -> Result<Hir, PatternError> {
    // What `translate` writes is valid; only its nesting can be too deep.
    regex_syntax::ParserBuilder::new()
        .unicode(false)
        .utf8(false)
        .nest_limit(1000)
        .build()
        .parse(text)
        .map_err(|_| PatternError::TooLarge)
}
