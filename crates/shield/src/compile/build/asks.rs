//! What a rule looks at, and what it asks.

use super::{At, Build};
use crate::compile::ir::{ChainIndex, Select, Source, Target, Test};
use crate::compile::left_out::LeftOut;
use crate::compile::patterns::{Key, reason};
use crate::operator as values;
use crate::pattern::{Pattern, Phrases};
use crate::seclang::{self, Operator, Reason, Role, RuleText, Variable};

impl Build<'_> {
    pub(super) fn targets(
        &mut self,
        at: &At<'_>,
        rule: &RuleText,
        chain: ChainIndex,
        multi_match: bool,
        sifted: bool,
    ) -> Box<[Target]> {
        let mut targets = Vec::new();
        let left_out = LeftOut::of(rule);
        for target in rule.targets.iter().filter(|target| target.role != Role::Leave) {
            let mut leave = Vec::new();
            let mut gone = false;
            for left in left_out.of_target(target) {
                gone |= left.select == seclang::Select::All
                    || (left.select == target.select && target.role == Role::Look);
                leave.extend(self.select_left(at, &left.select));
            }
            if gone {
                continue;
            }
            let Some(select) = self.select(at, target.variable, &target.select) else { continue };
            let name = match &select {
                Select::Name(name) => Some(Some(name.clone())),
                Select::All => Some(None),
                _ => None,
            };
            let is_sifted = sifted && target.role == Role::Look && gathers(target.variable);
            let source = name
                .filter(|_| is_sifted)
                .and_then(|name| self.source(Source { variable: target.variable, name, chain, multi_match }));
            targets.push(Target {
                variable: target.variable,
                select,
                count: target.role == Role::Count,
                leave: leave.into(),
                source,
            });
        }
        targets.into()
    }

    fn select(&mut self, at: &At<'_>, variable: Variable, select: &seclang::Select) -> Option<Select> {
        Some(match select {
            seclang::Select::All => Select::All,
            seclang::Select::Name(name) if variable == Variable::Tx => match self.slots.place(name) {
                Some(slot) => Select::Slot(slot),
                None => return self.refuse(at, "TX", Reason::TooMany),
            },
            seclang::Select::Name(name) => Select::Name(name.clone()),
            // Names are compared without case.
            seclang::Select::Pattern(text) => {
                match Pattern::compile_without_captures(format!("(?i){text}")) {
                    Ok(pattern) => Select::Pattern(Box::new(pattern)),
                    Err(error) => {
                        self.fault(at, text, reason(error));
                        return None;
                    }
                }
            }
        })
    }

    /// What is left out is told by its name, also in `TX`.
    pub(super) fn select_left(&mut self, at: &At<'_>, select: &seclang::Select) -> Option<Select> {
        match select {
            seclang::Select::Name(name) => Some(Select::Name(name.clone())),
            other => self.select(at, Variable::Args, other),
        }
    }

    pub(super) fn test(&mut self, at: &At<'_>, operator: &Operator, captures: bool) -> Option<Test> {
        Some(match operator {
            Operator::Pattern(text) | Operator::PatternGlobal(text) if has_macro(text) => {
                return self.refuse(at, text, Reason::MacroInPattern);
            }
            Operator::Pattern(text) | Operator::PatternGlobal(text) => {
                Test::Pattern(self.want(at, Key::Pattern(text.clone(), captures)))
            }
            Operator::Phrases(text) => Test::Phrases(self.want(at, Key::Phrases(Phrases::lines_of(text)))),
            Operator::PhrasesOfFiles(names) => {
                let mut all = Vec::new();
                for name in names {
                    all.extend(Phrases::lines_of_file(&self.data(at, name)?));
                }
                Test::Phrases(self.want(at, Key::Phrases(all)))
            }
            Operator::Number(compare, text) => Test::Number(*compare, self.text(text)),
            Operator::Text(kind, text) => Test::Text(*kind, self.text(text)),
            Operator::Address(text) => Test::Address(self.addresses(at, text)?),
            Operator::AddressOfFiles(names) => {
                let mut all = Vec::new();
                for name in names {
                    let data = self.data(at, name)?;
                    let text = values::addresses_of_file(&String::from_utf8_lossy(&data));
                    all.extend(self.addresses(at, &text)?);
                }
                Test::Address(all.into())
            }
            Operator::ByteRange(text) => match values::byte_range(text) {
                Some(allowed) => Test::Bytes(allowed.complement()),
                None => return self.refuse(at, text, Reason::BadArgument),
            },
            Operator::UrlEncoding => Test::UrlEncoding,
            Operator::Utf8 => Test::Utf8,
            Operator::Checked(kind, text) => match Pattern::compile(text) {
                Ok(pattern) => Test::Checked(*kind, Box::new(pattern)),
                Err(error) => return self.refuse(at, text, reason(error)),
            },
            Operator::Sqli => Test::Sqli,
            Operator::Xss => Test::Xss,
            Operator::Always => Test::Always,
            Operator::Never => Test::Never,
        })
    }

    pub(super) fn refuse<T>(&mut self, at: &At<'_>, construct: &str, reason: Reason) -> Option<T> {
        self.fault(at, construct, reason);
        None
    }

    fn addresses(&mut self, at: &At<'_>, text: &str) -> Option<Box<[ipnet::IpNet]>> {
        match values::addresses(text) {
            Some(list) => Some(list.into()),
            None => self.refuse(at, text, Reason::BadArgument),
        }
    }

    fn data(&mut self, at: &At<'_>, name: &str) -> Option<Vec<u8>> {
        match self.files.data(&at.place.file, name) {
            Some(data) => Some(data),
            None => self.refuse(at, name, Reason::MissingFile),
        }
    }
}

/// Whether a pattern holds what would be put together anew for each request.
fn has_macro(text: &str) -> bool {
    let is_value = |piece: &seclang::Piece| matches!(piece, seclang::Piece::Value(..));
    seclang::Text::parse(text).is_ok_and(|text| text.pieces().iter().any(is_value))
}

/// Variables whose values come from request or answer and stand still while a phase runs.
fn gathers(variable: Variable) -> bool {
    !matches!(
        variable,
        Variable::Tx
            | Variable::MatchedVar
            | Variable::MatchedVarName
            | Variable::MatchedVars
            | Variable::MatchedVarsNames
            | Variable::Env
            | Variable::Rule
            | Variable::HighestSeverity
            | Variable::Duration
            | Variable::ReqbodyProcessor
            | Variable::SessionId
            | Variable::UserId
    ) && !variable.is_persistent()
}
