//! What rules do when they match.

use super::{Explained, Held, LeftOut, Matched, Transaction, Verdict, put_in};
use crate::Engine;
use crate::collections::Key;
use crate::compile::ir::{Change, Decision, Effect, Member, Rule, RuleIndex};
use crate::operator::number;
use crate::seclang::{Mode, Variable};

/// How many variables of the environment one transaction may set.
const MOST_ENVIRONMENT: usize = 64;

impl Transaction {
    /// Done at each value that matches.
    pub(super) fn at_match(&mut self, engine: &Engine, rule: &Rule) {
        for effect in &rule.effects {
            match effect {
                Effect::Assign(member, change) => self.assign(engine, rule, member, change),
                // In order with the assignments, so that one action can open a collection and count in it.
                Effect::Open(collection, key) => {
                    let text = self.expand(engine, Some(rule), key);
                    self.open(*collection, &text);
                    self.text = text;
                }
                _ => {}
            }
        }
    }

    /// Done once, when the whole chain matches.
    pub(super) fn after_match(&mut self, engine: &Engine, rule: &Rule) {
        for (at, effect) in rule.effects.iter().enumerate() {
            match effect {
                Effect::Assign(..) | Effect::Open(..) => {}
                Effect::Expire(collection, name, seconds) => {
                    let name = self.expand_name(engine, name);
                    let seconds = self.expand(engine, Some(rule), seconds);
                    let ends = self.context.now.saturating_add(u64::try_from(number(&seconds)).unwrap_or(0));
                    if let Some(key) = self.key(*collection) {
                        self.collections.expire(key, &name, ends);
                    }
                    self.text = seconds;
                }
                Effect::SetEnv(name, value) => {
                    let name = self.expand(engine, Some(rule), name);
                    let value = self.expand(engine, Some(rule), value);
                    if self.environment.len() < MOST_ENVIRONMENT {
                        self.environment.push((name, value));
                    } else {
                        self.spent.overflows = true;
                    }
                }
                Effect::Engine(mode) => self.mode = *mode,
                Effect::Remove(rules) => {
                    for &removed in rules {
                        put_in(&mut self.left.removed, removed, engine.rules.len());
                    }
                }
                Effect::RemoveTarget(..) => self.leave_out(engine, rule, at),
                Effect::RequestBodyAccess(on) => self.body.access = *on,
                Effect::ResponseBodyAccess(on) => self.body.answer = *on,
                Effect::ForceRequestBody(on) => self.body.force = *on,
                Effect::Processor(processor) => {
                    self.body.processor = Some(*processor);
                    self.set_processor_name();
                }
            }
        }
    }

    fn leave_out(&mut self, engine: &Engine, rule: &Rule, effect: usize) {
        // A rule knows its own number by its place in the list.
        let found = engine.rules.iter().position(|other| std::ptr::eq(other, rule));
        if let (Some(rule), Ok(effect)) =
            (found.and_then(|at| RuleIndex::try_from(at).ok()), u32::try_from(effect))
        {
            self.left.targets.push(LeftOut { rule, effect });
        }
    }

    fn open(&mut self, collection: Variable, key: &[u8]) {
        let key = Key { kind: collection, key: key.into() };
        self.collections.open(&key, self.context.now, self.engine.settings.collection_timeout);
        self.keys.retain(|known| known.kind != collection);
        let name = match collection {
            Variable::Session => Some(Variable::SessionId),
            Variable::User => Some(Variable::UserId),
            _ => None,
        };
        if let Some(name) = name {
            let value = self.values.intern(&key.key);
            self.entries[name as usize].clear();
            self.entries[name as usize].push(super::Entry { name: super::values::EMPTY, value });
        }
        self.keys.push(key);
    }

    fn assign(&mut self, engine: &Engine, rule: &Rule, member: &Member, change: &Change) {
        let operand = match change {
            Change::Set(text) | Change::Add(text) | Change::Subtract(text) => self.held(engine, rule, text),
            Change::Unset => Held::Unset,
        };
        let constants = &engine.constants;
        let number = match change {
            Change::Add(_) | Change::Subtract(_) => operand.number(constants),
            Change::Set(_) | Change::Unset => 0,
        };
        let apply = |held: &mut Held| match change {
            Change::Set(_) | Change::Unset => *held = operand,
            Change::Add(_) => *held = Held::Number(held.number(constants).saturating_add(number)),
            Change::Subtract(_) => *held = Held::Number(held.number(constants).saturating_sub(number)),
        };
        match member {
            Member::Slot(slot) => {
                self.windows.note(engine, &self.tx, member, b"", change, number);
                if let Some(held) = self.tx.slot(*slot) {
                    // Setting a variable to one that is not set makes it empty, not unset.
                    apply(held);
                    if !held.is_set() && !matches!(change, Change::Unset) {
                        *held = Held::Text(Vec::new());
                    }
                }
            }
            Member::Named(Variable::Tx, name) => {
                let name = self.expand_name(engine, name);
                self.windows.note(engine, &self.tx, member, &name, change, number);
                if let Some(held) = self.tx.named_mut(engine, &name) {
                    apply(held);
                    if !held.is_set() && !matches!(change, Change::Unset) {
                        *held = Held::Text(Vec::new());
                    }
                }
                self.text = name;
            }
            Member::Named(collection, name) => {
                let name = self.expand_name(engine, name);
                if !self.windows.has_kept(member, change)
                    && let Some(key) = self.key(*collection)
                {
                    self.collections.change(
                        key,
                        &name,
                        self.context.now,
                        engine.settings.collection_timeout,
                        |held| {
                            apply(held);
                            *held = std::mem::take(held).owned(constants);
                        },
                    );
                }
                self.text = name;
            }
        }
    }

    /// Notes a rule that matched with its whole chain.
    pub(super) fn matched(&mut self, rule: &Rule, engine: &Engine) {
        let mut severity = rule.about.severity;
        let mut next = rule.next;
        while let (None, Some(index)) = (severity, next) {
            let part = &engine.rules[index as usize];
            severity = part.about.severity;
            next = part.next;
        }
        if let Some(severity) = severity {
            self.highest_severity = self.highest_severity.min(severity);
        }
        if self.told.explained.is_some() && rule.about.logged {
            let message = self.expand(engine, Some(rule), &rule.about.message).clone();
            let data = self.expand(engine, Some(rule), &rule.about.log_data);
            self.told.logged.push(super::Logged { rule: rule.id, message, data });
        }
        // Most rules that match say nothing to anybody: they set what others read, and jump.
        if !rule.about.logged
            && self.told.explained.is_none()
            && matches!(rule.decision, Decision::Pass | Decision::Allow(_))
        {
            return;
        }
        let first = self.hits.first();
        self.told.report.matched.push(Matched {
            rule: rule.id,
            phase: rule.phase,
            severity,
            variable: first.map(|hit| hit.variable),
            name: first.map_or_else(Vec::new, |hit| self.values.get(hit.name).to_vec()),
            logged: rule.about.logged,
            decided: false,
        });
    }

    /// Notes the hits of one part in full, where somebody asked for it.
    pub(super) fn note(&mut self, rule: &Rule, part: usize, from: usize) {
        if self.told.explained.is_none() {
            return;
        }
        let engine = self.engine.clone();
        let message = self.expand(&engine, Some(rule), &rule.about.message);
        let transformations: Vec<_> = engine.chains[usize::from(rule.chain)]
            .steps
            .iter()
            .map(|step| step.transformation.name())
            .collect();
        let mut more = Vec::new();
        for hit in &self.hits[from.min(self.hits.len())..] {
            more.push(Explained {
                rule: rule.id,
                part,
                variable: Some(hit.variable),
                name: self.values.get(hit.name).to_vec(),
                before: self.values.get(hit.before).to_vec(),
                after: self.values.get(hit.after).to_vec(),
                transformations: transformations.clone(),
                message: message.clone(),
            });
        }
        self.text = message;
        self.told.explained.get_or_insert_default().extend(more);
    }

    /// What a rule that matched decides.
    pub(super) fn decide(&mut self, rule: &Rule, phase: u8) -> Option<Verdict> {
        let verdict = match &rule.decision {
            Decision::Pass => return None,
            Decision::Allow(allow) => {
                if self.mode == Mode::On {
                    self.left.allowed = Some(*allow);
                }
                return None;
            }
            Decision::Deny(status) => Verdict::Deny(*status),
            Decision::Drop => Verdict::Drop,
            Decision::Redirect(text, status) => {
                let engine = self.engine.clone();
                let place = self.expand(&engine, Some(rule), text);
                Verdict::Redirect(*status, place)
            }
        };
        if let Some(last) = self.told.report.matched.last_mut() {
            last.decided = true;
        }
        if self.mode != Mode::On || phase == 5 {
            // What would have been decided is kept, so that a trial run can be read.
            self.told.report.by.get_or_insert(rule.id);
            return None;
        }
        self.told.report.by = Some(rule.id);
        self.told.report.verdict = Some(verdict.clone());
        Some(verdict)
    }
}
