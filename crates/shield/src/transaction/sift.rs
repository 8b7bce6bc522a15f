//! Sifting: which values of a rule's targets its pattern may match at all.

use super::values::{Kind, ValueId, Values};
use super::{Entry, Transaction};
use crate::compile::Engine;
use crate::compile::ir::{Operand, Quick, Rule, RuleIndex, Source, SourceIndex, Target};
use crate::seclang::Variable;

/// All values of each source, and which patterns any of them may match.
#[derive(Default)]
pub(super) struct Gathered {
    ready: Vec<bool>,
    /// For each source, one bit for each pattern.
    any: Vec<u64>,
    lists: Vec<Vec<(Entry, ValueId)>>,
}

impl Gathered {
    /// Makes room for the sources of an engine.
    pub(super) fn fit(&mut self, engine: &Engine) {
        let count = engine.sources.len();
        self.ready.clear();
        self.ready.resize(count, false);
        // What stands there from before is overwritten when a source is gathered.
        self.any.resize(count * engine.words(), 0);
        self.lists.resize_with(count, Vec::new);
    }

    /// The values have changed.
    pub(super) fn forget(&mut self) {
        self.ready.fill(false);
    }

    /// Forgets all values.
    pub(super) fn clear(&mut self) {
        for list in &mut self.lists {
            list.clear();
            list.shrink_to(1_024);
        }
    }
}

pub(super) fn has(set: &[u64], pattern: u32) -> bool {
    set.get(pattern as usize / 64).is_some_and(|word| word >> (pattern % 64) & 1 == 1)
}

pub(super) fn kind(variable: Variable) -> Kind {
    if variable == Variable::ResponseBody { Kind::Response } else { Kind::Request }
}

impl Transaction {
    /// Whether values are sifted for a pattern; not where scanners do not know it.
    pub(super) fn sifts(&self, pattern: u32) -> bool {
        self.sift && self.left.overlay.as_ref().is_none_or(|overlay| !overlay.is_awake(pattern))
    }

    /// Whether a rule may match, as far as that can be said at once.
    pub(super) fn may_match(&mut self, engine: &Engine, quick: Quick) -> bool {
        match quick {
            Quick::None => true,
            Quick::Number { slot, compare, negated, operand } => {
                let held = self.tx.get(slot);
                if !held.is_set() {
                    return false;
                }
                let operand = match operand {
                    Operand::Number(number) => number,
                    Operand::Slot(slot) => self.tx.get(slot).number(&engine.constants),
                };
                super::evaluate::compares(compare, held.number(&engine.constants), operand) != negated
            }
            Quick::Sifted { from, to, pattern } => {
                !self.sifts(pattern)
                    || engine.quick_sources[from as usize..to as usize].iter().any(|&source| {
                        self.gather(engine, source);
                        self.any_of(engine, source, pattern)
                    })
            }
        }
    }

    /// Whether any value of a source may match a pattern.
    fn any_of(&self, engine: &Engine, source: SourceIndex, pattern: u32) -> bool {
        let word = usize::from(source) * engine.words() + pattern as usize / 64;
        self.gathered.any.get(word).is_some_and(|word| word >> (pattern % 64) & 1 == 1)
    }

    /// A target whose values were gathered: most end at the first question, whether any value may match.
    pub(super) fn sifted(
        &mut self,
        engine: &Engine,
        head: RuleIndex,
        rule: &Rule,
        target: &Target,
        source: SourceIndex,
        pattern: u32,
    ) -> bool {
        self.gather(engine, source);
        if !self.any_of(engine, source, pattern) {
            return false;
        }
        let index = usize::from(source);
        let mut any = false;
        for at in 0..self.gathered.lists[index].len() {
            let (entry, after) = self.gathered.lists[index][at];
            if has(self.values.candidates(engine, after, kind(target.variable)), pattern)
                && !self.is_left_out(engine, head, target, target.variable, entry.name)
            {
                any |= self.value(engine, rule, target.variable, entry, after);
            }
        }
        any
    }

    fn gather(&mut self, engine: &Engine, index: SourceIndex) {
        let index = usize::from(index);
        if self.gathered.ready[index] {
            return;
        }
        self.gathered.ready[index] = true;
        let Source { variable, name, chain, multi_match } = &engine.sources[index];
        let words = engine.words();
        let mut list = std::mem::take(&mut self.gathered.lists[index]);
        list.clear();
        let any = &mut self.gathered.any[index * words..(index + 1) * words];
        any.fill(0);
        let chain = &engine.chains[usize::from(*chain)];
        let values = &mut self.values;
        let mut add = |values: &mut Values, entry: Entry, after: ValueId| {
            let mut some = 0;
            for (all, word) in any.iter_mut().zip(values.candidates(engine, after, kind(*variable))) {
                *all |= word;
                some |= word;
            }
            // A value that no pattern can match needs no place in the list.
            if some != 0 {
                list.push((entry, after));
            }
        };
        for &entry in &self.entries[*variable as usize] {
            if name.as_ref().is_some_and(|name| !name.eq_ignore_ascii_case(values.get(entry.name))) {
                continue;
            }
            if !multi_match {
                let after = values.transform(entry.value, chain);
                add(values, entry, after);
                continue;
            }
            let mut before = entry.value;
            add(values, entry, before);
            for step in &chain.steps {
                let after = values.step(before, step);
                if after != before {
                    add(values, entry, after);
                }
                before = after;
            }
        }
        self.gathered.lists[index] = list;
    }
}
