//! What the list of targets of a rule leaves out again, found by its name: with lists of a thousand names, nobody should look
//! at each pair.

use crate::seclang::{Role, RuleText, Select, Target, Variable};
use std::collections::HashMap;

/// What the targets of a rule leave out: members by their names, and all else, which any target may be meant by.
pub(super) struct LeftOut<'r> {
    all: Vec<&'r Target>,
    named: HashMap<&'r [u8], Vec<&'r Target>>,
    others: Vec<&'r Target>,
}

impl<'r> LeftOut<'r> {
    pub(super) fn of(rule: &'r RuleText) -> Self {
        let all: Vec<_> = rule.targets.iter().filter(|target| target.role == Role::Leave).collect();
        let mut named: HashMap<_, Vec<_>> = HashMap::new();
        let mut others = Vec::new();
        for &left in &all {
            match &left.select {
                Select::Name(name) => named.entry(&**name).or_default().push(left),
                _ => others.push(left),
            }
        }
        Self { all, named, others }
    }

    /// What may be left out of a target: of one member, nothing that has another name.
    pub(super) fn of_target(&self, target: &Target) -> impl Iterator<Item = &'r Target> {
        let (one, two) = match &target.select {
            Select::Name(name) => {
                (self.others.as_slice(), self.named.get(&**name).map_or(&[][..], Vec::as_slice))
            }
            _ => (self.all.as_slice(), &[][..]),
        };
        let variable = target.variable;
        let both: Vec<_> =
            one.iter().chain(two).copied().filter(|left| covers(left.variable, variable)).collect();
        both.into_iter()
    }
}

/// Whether what is left out of one variable is left out of the other: `!ARGS:x` holds for the arguments of query and body too.
fn covers(left: Variable, target: Variable) -> bool {
    left == target || (left == Variable::Args && matches!(target, Variable::ArgsGet | Variable::ArgsPost))
}
