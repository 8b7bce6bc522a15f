//! Who reads what rules capture: groups are expensive, and where a match ends is too.

use super::gather::Written;
use crate::seclang::{self, Action, Assign, Disruptive, Operator, RuleText, Variable};

/// Whether a rule reads `TX:1` to `TX:9`. Where none does, only the whole match is captured, which is much quicker.
pub(super) fn reads_groups(written: &Written) -> bool {
    reads(written, |name| matches!(name, [b'1'..=b'9']), true)
}

/// Whether a rule reads what was captured for more than a text of a log, which is put together for explanations alone.
pub(super) fn keeps_captures(written: &Written) -> bool {
    reads(written, |name| matches!(name, [b'0'..=b'9']), false)
}

fn reads(written: &Written, is_group: fn(&[u8]) -> bool, with_logs: bool) -> bool {
    let in_text = |text: &seclang::Text| {
        let of_group = |piece: &seclang::Piece| match piece {
            seclang::Piece::Value(Variable::Tx, Some(name)) => is_group(name),
            _ => false,
        };
        text.pieces().iter().any(of_group)
    };
    let in_target = |target: &seclang::Target| {
        target.variable == Variable::Tx
            && match &target.select {
                seclang::Select::Name(name) => is_group(name),
                seclang::Select::All => true,
                // A pattern of names that groups may have.
                seclang::Select::Pattern(text) => !text.bytes().any(|byte| byte.is_ascii_alphabetic()),
            }
    };
    written.parts().any(|(_, rule)| {
        rule.targets.iter().any(in_target)
            || operands(&rule.operator).is_some_and(in_text)
            || texts(rule, with_logs).any(in_text)
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
