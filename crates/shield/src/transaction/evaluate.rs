//! Whether a rule matches.

use super::sift::{has, kind};
use super::values::ValueId;
use super::{Entry, Held, Hit, Transaction, chosen};
use crate::compile::ir::{Rule, RuleIndex, Select, Target, Test, Text};
use crate::compile::{Engine, Sought};
use crate::operator as values;
use crate::pattern::Captures;
use crate::seclang::{Checked, Compare, Match, Variable};

impl Transaction {
    /// Whether a rule with all parts of its chain matches; does what its parts do at each value.
    pub(super) fn rule(&mut self, engine: &Engine, head: RuleIndex) -> bool {
        self.hits.clear();
        let mut parts = [0_u32; 32];
        let mut count = 0;
        let mut next = Some(head);
        while let Some(index) = next {
            let rule = &engine.rules[index as usize];
            let before = self.hits.len();
            if !self.part(engine, head, rule) {
                return false;
            }
            self.note(rule, count, before);
            if let Some(slot) = parts.get_mut(count) {
                *slot = index;
            }
            count += 1;
            next = rule.next;
        }
        // What is done once is done from the last part to the first.
        for &index in parts[..count.min(parts.len())].iter().rev() {
            self.after_match(engine, &engine.rules[index as usize]);
        }
        self.matched(&engine.rules[head as usize], engine);
        true
    }

    /// One part of a chain: all its targets.
    fn part(&mut self, engine: &Engine, head: RuleIndex, rule: &Rule) -> bool {
        if rule.unconditional {
            self.at_match(engine, rule);
            return true;
        }
        let mut any = false;
        for target in &rule.targets {
            any |= match (target.source, sifted(rule)) {
                (Some(source), Some(pattern)) if self.sifts(pattern) => {
                    self.sifted(engine, head, rule, target, source, pattern)
                }
                _ if target.count => self.counted(engine, head, rule, target),
                _ => self.plain(engine, head, rule, target),
            };
        }
        any
    }

    /// How many members there are.
    fn counted(&mut self, engine: &Engine, head: RuleIndex, rule: &Rule, target: &Target) -> bool {
        let count = match &target.select {
            Select::Slot(slot) if target.variable == Variable::Tx => i64::from(self.tx.get(*slot).is_set()),
            Select::All | Select::Name(_) | Select::Pattern(_)
                if stands_still(target.variable) && !changes(target.variable) =>
            {
                let entries = &self.entries[target.variable as usize];
                let is_counted = |entry: &&Entry| {
                    chosen(&target.select, self.values.get(entry.name))
                        && !self.is_left_out(engine, head, target, target.variable, entry.name)
                };
                i64::try_from(entries.iter().filter(is_counted).count()).unwrap_or(i64::MAX)
            }
            _ => {
                let members = self.members(engine, target);
                let counted = members
                    .iter()
                    .filter(|entry| !self.is_left_out(engine, head, target, target.variable, entry.name))
                    .count();
                i64::try_from(counted).unwrap_or(i64::MAX)
            }
        };
        if let Test::Number(compare, operand) = &rule.test {
            let matches = compares(*compare, count, self.operand(engine, operand)) != rule.negated;
            if matches {
                self.hit_number(engine, rule, target.variable, count);
            }
            return matches;
        }
        self.text.clear();
        super::tx::write_number(&mut self.text, count);
        let text = std::mem::take(&mut self.text);
        let value = self.values.intern(&text);
        self.text = text;
        let entry = Entry { name: super::values::EMPTY, value };
        self.entry(engine, rule, target.variable, entry)
    }

    /// Whether anybody asks what a rule matched.
    fn wants_hits(&self, rule: &Rule) -> bool {
        rule.tells || self.told.explained.is_some()
    }

    fn hit_number(&mut self, engine: &Engine, rule: &Rule, variable: Variable, number: i64) {
        if !self.wants_hits(rule) {
            self.at_match(engine, rule);
            return;
        }
        self.text.clear();
        super::tx::write_number(&mut self.text, number);
        let text = std::mem::take(&mut self.text);
        let value = self.values.intern(&text);
        self.text = text;
        self.hits.push(Hit { variable, name: super::values::EMPTY, before: value, after: value });
        self.at_match(engine, rule);
    }

    /// A target whose values are looked at one by one.
    fn plain(&mut self, engine: &Engine, head: RuleIndex, rule: &Rule, target: &Target) -> bool {
        if let (Variable::Tx, Select::Slot(slot)) = (target.variable, &target.select) {
            if self.has_exclusions(target) {
                let name = self.values.intern(engine.slots.name(*slot));
                if self.is_left_out(engine, head, target, Variable::Tx, name) {
                    return false;
                }
            }
            return self.tx_slot(engine, rule, *slot);
        }
        let mut any = false;
        if stands_still(target.variable) && !changes(target.variable) {
            // What the client sent stays as it is while rules run, so it need not be copied out.
            for at in 0..self.entries[target.variable as usize].len() {
                let entry = self.entries[target.variable as usize][at];
                if chosen(&target.select, self.values.get(entry.name))
                    && !self.is_left_out(engine, head, target, target.variable, entry.name)
                {
                    any |= self.entry(engine, rule, target.variable, entry);
                }
            }
            return any;
        }
        for entry in self.members(engine, target) {
            if !self.is_left_out(engine, head, target, target.variable, entry.name) {
                any |= self.entry(engine, rule, target.variable, entry);
            }
        }
        any
    }

    fn tx_slot(&mut self, engine: &Engine, rule: &Rule, slot: u16) -> bool {
        if !self.tx.get(slot).is_set() {
            return false;
        }
        if let Test::Number(compare, operand) = &rule.test
            && engine.chains[usize::from(rule.chain)].steps.is_empty()
        {
            let number = self.tx.get(slot).number(&engine.constants);
            let matches = compares(*compare, number, self.operand(engine, operand)) != rule.negated;
            if matches {
                if self.wants_hits(rule) {
                    self.hit_slot(slot, engine);
                }
                self.at_match(engine, rule);
            }
            return matches;
        }
        let entry = self.slot_entry(slot, engine);
        self.entry(engine, rule, Variable::Tx, entry)
    }

    fn slot_entry(&mut self, slot: u16, engine: &Engine) -> Entry {
        self.text.clear();
        self.tx.get(slot).write(&engine.constants, &mut self.text);
        let text = std::mem::take(&mut self.text);
        let entry =
            Entry { name: self.values.intern(engine.slots.name(slot)), value: self.values.intern(&text) };
        self.text = text;
        entry
    }

    fn hit_slot(&mut self, slot: u16, engine: &Engine) {
        let Entry { name, value } = self.slot_entry(slot, engine);
        self.hits.push(Hit { variable: Variable::Tx, name, before: value, after: value });
    }

    /// The members that a target means, as they are now.
    fn members(&mut self, engine: &Engine, target: &Target) -> Vec<Entry> {
        let all = match target.variable {
            Variable::Tx => self.tx_members(engine),
            Variable::MatchedVar
            | Variable::MatchedVarName
            | Variable::MatchedVars
            | Variable::MatchedVarsNames => self.hit_members(target.variable),
            variable if variable.is_persistent() => self.persistent_members(variable),
            Variable::Env | Variable::HighestSeverity | Variable::Duration | Variable::Rule => {
                self.late_members(engine, target.variable)
            }
            variable => {
                let entries = &self.entries[variable as usize];
                return match &target.select {
                    Select::All => entries.clone(),
                    select => entries
                        .iter()
                        .copied()
                        .filter(|entry| chosen(select, self.values.get(entry.name)))
                        .collect(),
                };
            }
        };
        match &target.select {
            Select::All => all,
            select => all.into_iter().filter(|entry| chosen(select, self.values.get(entry.name))).collect(),
        }
    }

    fn tx_members(&mut self, engine: &Engine) -> Vec<Entry> {
        let (tx, values) = (&self.tx, &mut self.values);
        let mut text = Vec::new();
        tx.all(engine)
            .map(|(name, held)| {
                text.clear();
                held.write(&engine.constants, &mut text);
                Entry { name: values.intern(name), value: values.intern(&text) }
            })
            .collect()
    }

    fn hit_members(&mut self, variable: Variable) -> Vec<Entry> {
        let named = matches!(variable, Variable::MatchedVarName | Variable::MatchedVarsNames);
        let from = if matches!(variable, Variable::MatchedVar | Variable::MatchedVarName) {
            self.hits.len().saturating_sub(1)
        } else {
            0
        };
        let mut members = Vec::new();
        for at in from..self.hits.len() {
            let hit = self.hits[at];
            let mut full = self.full_name(hit.variable, hit.name);
            if self.is_text(hit.variable, hit.name) {
                full.extend_from_slice(super::texts::MARK);
            }
            let name = self.values.intern(&full);
            members.push(Entry { name, value: if named { name } else { hit.after } });
        }
        members
    }

    /// `ARGS:name`
    pub(super) fn full_name(&self, variable: Variable, name: ValueId) -> Vec<u8> {
        let mut full = variable.name().as_bytes().to_vec();
        if name != super::values::EMPTY {
            full.push(b':');
            full.extend_from_slice(self.values.get(name));
        }
        full
    }

    fn has_exclusions(&self, target: &Target) -> bool {
        !target.leave.is_empty() || !self.left.targets.is_empty() || self.left.overlay.is_some()
    }

    /// Whether a member is left out: by the rule itself, by `ctl`, or by the route.
    pub(super) fn is_left_out(
        &self,
        engine: &Engine,
        head: RuleIndex,
        target: &Target,
        variable: Variable,
        name: ValueId,
    ) -> bool {
        if !self.has_exclusions(target) {
            return false;
        }
        let name = self.values.get(name);
        if target.leave.iter().any(|select| chosen(select, name)) {
            return true;
        }
        let fits = |left: &crate::compile::ir::Left| {
            (left.variable == variable
                || (left.variable == Variable::Args
                    && matches!(variable, Variable::ArgsGet | Variable::ArgsPost)))
                && chosen(&left.select, name)
        };
        let by_control = self.left.targets.iter().any(|left| {
            match engine.rules[left.rule as usize].effects.get(left.effect as usize) {
                Some(crate::compile::ir::Effect::RemoveTarget(rules, lefts)) => {
                    rules.binary_search(&head).is_ok() && lefts.iter().any(fits)
                }
                _ => false,
            }
        });
        by_control
            || self.left.overlay.as_ref().is_some_and(|overlay| {
                overlay.targets.iter().any(|(rules, left)| rules.binary_search(&head).is_ok() && fits(left))
            })
    }

    /// One member: transformed, then asked.
    fn entry(&mut self, engine: &Engine, rule: &Rule, variable: Variable, entry: Entry) -> bool {
        let chain = &engine.chains[usize::from(rule.chain)];
        if !rule.multi_match {
            let after = self.values.transform(entry.value, chain);
            return self.value(engine, rule, variable, entry, after);
        }
        let mut after = entry.value;
        let mut any = self.value(engine, rule, variable, entry, after);
        for step in &chain.steps {
            let next = self.values.step(after, step);
            if next != after {
                any |= self.value(engine, rule, variable, entry, next);
            }
            after = next;
        }
        any
    }

    /// One value: asked, and noted if it matches.
    pub(super) fn value(
        &mut self,
        engine: &Engine,
        rule: &Rule,
        variable: Variable,
        entry: Entry,
        after: ValueId,
    ) -> bool {
        if self.test(engine, rule, variable, after) == rule.negated {
            return false;
        }
        self.hits.push(Hit { variable, name: entry.name, before: entry.value, after });
        self.at_match(engine, rule);
        true
    }

    fn test(&mut self, engine: &Engine, rule: &Rule, variable: Variable, id: ValueId) -> bool {
        match &rule.test {
            Test::Pattern(pattern) | Test::Phrases(pattern) => {
                self.sought(engine, rule, *pattern, variable, id)
            }
            Test::Number(compare, operand) => {
                compares(*compare, values::number(self.values.get(id)), self.operand(engine, operand))
            }
            Test::Text(kind, operand) => self.text_test(engine, *kind, operand, id),
            Test::Address(list) => values::in_addresses(self.values.get(id), list),
            Test::Bytes(outside) => self.values.bytes_of(id).meets(*outside),
            Test::UrlEncoding => values::has_wrong_escape(self.values.get(id)),
            Test::Utf8 => values::is_not_utf8(self.values.get(id)),
            Test::Checked(kind, pattern) => {
                let (found, work) = checked(*kind, pattern, self.values.get(id));
                self.spent.work = self.spent.work.saturating_add(work);
                found
            }
            Test::Sqli => match values::detect_sqli(self.values.get(id)) {
                Some(fingerprint) => {
                    if rule.capture {
                        self.set_group(0, fingerprint.as_bytes());
                    }
                    true
                }
                None => false,
            },
            Test::Xss => values::detect_xss(self.values.get(id)),
            Test::Always => true,
            Test::Never => false,
        }
    }

    fn sought(
        &mut self,
        engine: &Engine,
        rule: &Rule,
        pattern: u32,
        variable: Variable,
        id: ValueId,
    ) -> bool {
        // A value that stands still was sifted already, or costs one pass for all rules that ask it. One that was made by a
        // rule is asked for this pattern alone while it is short; a long one is a body or a part of one, which many rules ask.
        if self.sifts(pattern)
            && (stands_still(variable) || self.values.get(id).len() > SHORT)
            && !has(self.values.candidates(engine, id, kind(variable)), pattern)
        {
            return false;
        }
        // Where a long match ends is costly to find, and is not looked for when nobody asks.
        self.spent.work = self.spent.work.saturating_add(self.values.get(id).len());
        let captures = rule.capture && (rule.keeps || self.told.explained.is_some());
        let overlay;
        let sought = match &engine.sought[pattern as usize] {
            asleep @ Sought::Nothing => {
                overlay = self.left.overlay.clone();
                overlay.as_deref().and_then(|overlay| overlay.sought(pattern)).unwrap_or(asleep)
            }
            sought => sought,
        };
        let value = self.values.get(id);
        match sought {
            Sought::Nothing => false,
            Sought::Phrases(phrases) => match phrases.find(value) {
                Some(found) => {
                    if captures {
                        let found = value[found].to_vec();
                        self.set_group(0, &found);
                    }
                    true
                }
                None => false,
            },
            Sought::Pattern(compiled) if !captures || rule.negated => compiled.is_match(value),
            Sought::Pattern(compiled) => {
                let mut groups = Captures::default();
                if !compiled.captures(value, &mut groups) {
                    return false;
                }
                let found: Vec<(usize, Vec<u8>)> =
                    (0..10).filter_map(|group| Some((group, value[groups.get(group)?].to_vec()))).collect();
                for (group, text) in found {
                    self.set_group(group, &text);
                }
                true
            }
        }
    }

    /// `TX:0` to `TX:9`.
    fn set_group(&mut self, group: usize, text: &[u8]) {
        if let Some(held) =
            u16::try_from(group).ok().filter(|group| *group < 10).and_then(|slot| self.tx.slot(slot))
        {
            *held = Held::Text(text.to_vec());
        }
    }

    fn operand(&mut self, engine: &Engine, text: &Text) -> i64 {
        if let Some(number) = text.number {
            return number;
        }
        if let Some(number) = self.tx.number_of(engine, &text.pieces) {
            return number;
        }
        let expanded = self.expand(engine, None, text);
        let number = values::number(&expanded);
        self.text = expanded;
        number
    }

    fn text_test(&mut self, engine: &Engine, kind: Match, operand: &Text, id: ValueId) -> bool {
        let ask = |value: &[u8], operand: &[u8]| match kind {
            Match::Equal => values::equal(value, operand),
            Match::Contains => values::contains(value, operand),
            Match::ContainsWord => values::contains_word(value, operand),
            Match::BeginsWith => values::begins_with(value, operand),
            Match::EndsWith => values::ends_with(value, operand),
            Match::Within => values::within(value, operand),
        };
        if let Some(constant) = operand.constant() {
            return ask(self.values.get(id), constant);
        }
        let expanded = self.expand(engine, None, operand);
        let matches = ask(self.values.get(id), &expanded);
        self.text = expanded;
        matches
    }
}

fn sifted(rule: &Rule) -> Option<u32> {
    match rule.test {
        Test::Pattern(pattern) | Test::Phrases(pattern) if !rule.negated => Some(pattern),
        _ => None,
    }
}

/// Variables that change while rules run, beside those that rules make.
fn changes(variable: Variable) -> bool {
    matches!(
        variable,
        Variable::HighestSeverity
            | Variable::Duration
            | Variable::Rule
            | Variable::SessionId
            | Variable::UserId
    )
}

/// Values of the request and the answer, in contrast to those that rules make.
fn stands_still(variable: Variable) -> bool {
    !matches!(
        variable,
        Variable::Tx
            | Variable::MatchedVar
            | Variable::MatchedVars
            | Variable::MatchedVarName
            | Variable::MatchedVarsNames
            | Variable::Env
    ) && !variable.is_persistent()
}

pub(super) fn compares(compare: Compare, value: i64, operand: i64) -> bool {
    match compare {
        Compare::Equal => value == operand,
        Compare::GreaterOrEqual => value >= operand,
        Compare::Greater => value > operand,
        Compare::LessOrEqual => value <= operand,
        Compare::Less => value < operand,
    }
}

/// Bytes of a value made by a rule up to which it costs less to try a pattern than to sift the value for all of them.
const SHORT: usize = 256;

/// How often each byte of a value may be looked at on average for a number with a check digit. The longest numbers have 19
/// digits; patterns that take all that follows would take quadratic time.
const MOST_TRIED: usize = 64;

/// Whether a number with a check digit is somewhere in the value, and what the look cost. A transaction that runs out of tries has
/// asked for too much work.
fn checked(kind: Checked, pattern: &crate::pattern::Pattern, value: &[u8]) -> (bool, usize) {
    let most = MOST_TRIED * value.len() + 4_096;
    let (mut start, mut work) = (0, 0);
    // Each try begins one byte after the place of the one before, as version 3 does: a digit in front hides no number.
    while work <= most {
        let Some(found) = value.get(start..).and_then(|rest| pattern.find(rest)) else {
            return (false, work);
        };
        work += found.end + 1;
        let (from, to) = (start + found.start, start + found.end);
        let right = match kind {
            Checked::Card => values::is_card(&value[from..to]),
            Checked::Cpf => values::is_cpf(&value[from..to]),
            Checked::Ssn => values::is_ssn(&value[from..to]),
            Checked::Svnr => values::is_svnr(&value[from..to]),
        };
        if right {
            return (true, work);
        }
        start = from + 1;
    }
    (false, super::MOST_WORK + 1)
}
