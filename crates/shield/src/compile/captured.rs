//! Who reads what rules capture: groups are expensive, and where a match ends is too.

use super::gather::Written;
use crate::pattern::Pattern;
use crate::seclang::{self, Action, Assign, Disruptive, Operator, RuleText, Variable};

/// What of a capture is meant.
#[derive(Clone, Copy)]
pub(super) enum Of {
    /// `TX:1` to `TX:9`, texts of logs included. Where nobody reads them, only the whole match is captured, which is much quicker.
    Groups,
    /// Any of them, texts of logs apart: those are put together for explanations alone.
    Kept,
}

impl Of {
    fn is_name(self, name: &[u8]) -> bool {
        match (self, name) {
            (Self::Groups, [digit]) => (b'1'..=b'9').contains(digit),
            (Self::Kept, [digit]) => digit.is_ascii_digit(),
            _ => false,
        }
    }
}

/// Whether a rule or a part of its chain reads what was captured.
pub(super) fn reads(written: &Written, of: Of) -> bool {
    written.parts().any(|(_, rule)| looks_at(rule, of) || writes(rule, of))
}

/// Whether a rule reads what another one captured.
pub(super) fn reads_from_elsewhere(written: &Written, of: Of) -> bool {
    let mut captured = false;
    written.parts().any(|(_, rule)| {
        let before = captured;
        captured |= capture(rule);
        (looks_at(rule, of) && !before) || (writes(rule, of) && !captured)
    })
}

fn looks_at(rule: &RuleText, of: Of) -> bool {
    let in_target = |target: &seclang::Target| {
        target.variable == Variable::Tx
            && match &target.select {
                seclang::Select::Name(name) => of.is_name(name),
                seclang::Select::All => true,
                // A pattern of names that groups may have; one that cannot be compiled is a fault anyway.
                seclang::Select::Pattern(text) => Pattern::compile_without_captures(text.as_bytes())
                    .is_ok_and(|pattern| (b'0'..=b'9').any(|digit| pattern.is_match(&[digit]))),
            }
    };
    rule.targets.iter().any(in_target) || operands(&rule.operator).is_some_and(|text| in_text(text, of))
}

fn writes(rule: &RuleText, of: Of) -> bool {
    texts(rule, matches!(of, Of::Groups)).any(|text| in_text(text, of))
}

fn in_text(text: &seclang::Text, of: Of) -> bool {
    text.pieces().iter().any(|piece| match piece {
        seclang::Piece::Value(Variable::Tx, Some(name)) => of.is_name(name),
        _ => false,
    })
}

fn operands(operator: &Operator) -> Option<&seclang::Text> {
    match operator {
        Operator::Number(_, text) | Operator::Text(_, text) => Some(text),
        _ => None,
    }
}

/// All texts of a rule's actions, with those of logs or without.
fn texts(rule: &RuleText, with_logs: bool) -> impl Iterator<Item = &seclang::Text> {
    rule.actions.iter().flat_map(move |action| -> Vec<&seclang::Text> {
        match action {
            Action::Message(text) | Action::LogData(text) if with_logs => vec![text],
            Action::SetKey(_, text) | Action::InitCollection(_, text) => vec![text],
            Action::Decide(Disruptive::Redirect(text)) => vec![text],
            Action::ExpireVar(_, one, two) | Action::SetEnv(one, two) => vec![one, two],
            Action::SetVar(set) => match &set.assign {
                Assign::Set(text) | Assign::Add(text) | Assign::Subtract(text) => vec![&set.name, text],
                Assign::Unset => vec![&set.name],
            },
            _ => Vec::new(),
        }
    })
}

pub(super) fn capture(rule: &RuleText) -> bool {
    rule.actions.contains(&Action::Capture)
}
