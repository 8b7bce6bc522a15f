//! Texts with macros, put together.

use super::values::{EMPTY, ValueId};
use super::{Entry, Held, Transaction};
use crate::Engine;
use crate::compile::ir::{Piece, Rule, Text};
use crate::seclang::{Variable, severity_name};

impl Transaction {
    /// The text, in the buffer that the caller gives back.
    pub(super) fn expand(&mut self, engine: &Engine, rule: Option<&Rule>, text: &Text) -> Vec<u8> {
        let mut out = std::mem::take(&mut self.text);
        out.clear();
        for piece in &text.pieces {
            match piece {
                Piece::Plain(bytes) => out.extend_from_slice(bytes),
                Piece::Slot(slot) => self.tx.get(*slot).write(&engine.constants, &mut out),
                Piece::Value(variable, name) => {
                    self.write_value(engine, rule, *variable, name.as_deref(), &mut out)
                }
            }
        }
        out
    }

    fn write_value(
        &mut self,
        engine: &Engine,
        rule: Option<&Rule>,
        variable: Variable,
        name: Option<&[u8]>,
        out: &mut Vec<u8>,
    ) {
        match variable {
            Variable::Tx => self.tx.named(engine, name.unwrap_or_default()).write(&engine.constants, out),
            Variable::MatchedVar | Variable::MatchedVars => {
                if let Some(hit) = self.hits.last() {
                    out.extend_from_slice(self.values.get(hit.after));
                }
            }
            Variable::MatchedVarName | Variable::MatchedVarsNames => {
                if let Some(hit) = self.hits.last() {
                    out.extend_from_slice(&self.full_name(hit.variable, hit.name));
                }
            }
            Variable::Rule => self.write_rule(rule, name.unwrap_or_default(), out),
            Variable::HighestSeverity => super::tx::write_number(out, i64::from(self.highest_severity)),
            Variable::Env => {
                let found = self.environment.iter().find(|(known, _)| Some(known.as_slice()) == name);
                out.extend_from_slice(found.map_or(b"", |(_, value)| value));
            }
            Variable::Duration => out.push(b'0'),
            variable if variable.is_persistent() => {
                if let (Some(key), Some(name)) = (self.key(variable), name) {
                    self.collections.get(key, name, self.context.now).write(&engine.constants, out);
                }
            }
            variable => {
                let found = match name {
                    None => self.entries[variable as usize].first().map_or(EMPTY, |entry| entry.value),
                    Some(name) => self.member(variable, name),
                };
                out.extend_from_slice(self.values.get(found));
            }
        }
    }

    /// The first member of that name, or the empty value. It is looked for once in a phase, during which members stay as they
    /// are: a text may be put together at each of many values.
    fn member(&mut self, variable: Variable, name: &[u8]) -> ValueId {
        let known = self.members.iter().find(|(of, known, _)| *of == variable && **known == *name);
        if let Some((.., value)) = known {
            return *value;
        }
        let mut entries = self.entries[variable as usize].iter();
        let found = entries.find(|entry| self.values.get(entry.name).eq_ignore_ascii_case(name));
        let value = found.map_or(EMPTY, |entry| entry.value);
        self.members.push((variable, name.into(), value));
        value
    }

    fn write_rule(&self, rule: Option<&Rule>, name: &[u8], out: &mut Vec<u8>) {
        let Some(rule) = rule else { return };
        match name {
            b"id" => super::tx::write_number(out, i64::try_from(rule.id).unwrap_or(i64::MAX)),
            b"msg" => out.extend_from_slice(rule.about.message.constant().unwrap_or_default()),
            b"severity" => out.extend_from_slice(rule.about.severity.map_or("", severity_name).as_bytes()),
            _ => {}
        }
    }

    pub(super) fn persistent_members(&mut self, variable: Variable) -> Vec<Entry> {
        let Some(key) = self.key(variable).cloned() else { return Vec::new() };
        let all = self.collections.all(&key, self.context.now);
        let mut text = Vec::new();
        all.iter()
            .map(|(name, held)| {
                text.clear();
                held.write(&self.engine.constants, &mut text);
                Entry { name: self.values.intern(name), value: self.values.intern(&text) }
            })
            .collect()
    }

    /// Variables that change while rules run.
    pub(super) fn late_members(&mut self, engine: &Engine, variable: Variable) -> Vec<Entry> {
        if variable == Variable::Env {
            let environment = std::mem::take(&mut self.environment);
            let members = environment
                .iter()
                .map(|(name, value)| Entry {
                    name: self.values.intern(name),
                    value: self.values.intern(value),
                })
                .collect();
            self.environment = environment;
            return members;
        }
        let mut text = Vec::new();
        self.write_value(engine, None, variable, None, &mut text);
        vec![Entry { name: EMPTY, value: self.values.intern(&text) }]
    }

    pub(super) fn key(&self, variable: Variable) -> Option<&crate::collections::Key> {
        self.keys.iter().find(|key| key.kind == variable)
    }

    /// A name in lower case, as members are kept.
    pub(super) fn expand_name(&mut self, engine: &Engine, text: &Text) -> Vec<u8> {
        let mut name = self.expand(engine, None, text);
        name.make_ascii_lowercase();
        name
    }

    pub(super) fn held(&mut self, engine: &Engine, rule: &Rule, text: &Text) -> Held {
        if let Some(slot) = text.slot() {
            return self.tx.get(slot).clone();
        }
        if let Some(constant) = &text.held {
            return constant.clone();
        }
        let expanded = self.expand(engine, Some(rule), text);
        let held = held_of(&expanded);
        self.text = expanded;
        held
    }
}

/// A number where it is written as one would be.
pub(crate) fn held_of(text: &[u8]) -> Held {
    let canonical = text.len() < 19
        && text.first().is_some_and(|first| first.is_ascii_digit() && (*first != b'0' || text.len() == 1));
    match canonical.then(|| std::str::from_utf8(text).ok()?.parse().ok()).flatten() {
        Some(number) => Held::Number(number),
        None => Held::Text(text.to_vec()),
    }
}
