//! What rules become: every name is a number, every pattern is compiled.

use super::slots::Slot;
use crate::ByteSet;
use crate::body::Processor;
use crate::pattern::Pattern;
use crate::seclang::{Allow, Checked, Compare, Match, Mode, Place, Variable};
use crate::transaction::Held;
use crate::transform::Transformation;
use ipnet::IpNet;

/// Number of a rule in [`super::Engine`].
pub(crate) type RuleIndex = u32;
/// Number of a list of transformations.
pub(crate) type ChainIndex = u16;
/// Number of a pattern or list of phrases that is looked for in one pass with all others.
pub(crate) type PatternIndex = u32;
/// Number of a variable under a list of transformations.
pub(crate) type SourceIndex = u16;

/// A rule, or one part of a chain.
#[derive(Debug)]
pub(crate) struct Rule {
    pub(crate) id: u64,
    pub(crate) place: Place,
    pub(crate) phase: u8,
    pub(crate) targets: Box<[Target]>,
    /// `SecAction`: matches once, without a value.
    pub(crate) unconditional: bool,
    pub(crate) negated: bool,
    pub(crate) test: Test,
    pub(crate) chain: ChainIndex,
    pub(crate) multi_match: bool,
    pub(crate) capture: bool,
    /// Whether what it captures is read by more than texts of logs.
    pub(crate) keeps: bool,
    pub(crate) effects: Box<[Effect]>,
    /// Whether a chain, a text or a log asks what this rule matched.
    pub(crate) tells: bool,
    /// The next part of the chain.
    pub(crate) next: Option<RuleIndex>,
    pub(crate) about: About,
    pub(crate) decision: Decision,
    pub(crate) jump: Jump,
}

impl Rule {
    /// Whether somebody asks what the rule matched.
    pub(super) fn asks_for_hits(&self) -> bool {
        let mut asks = self.about.logged || self.next.is_some() || self.id == 0;
        self.for_each_text(&mut |text| {
            let of_hits = |piece: &Piece| {
                matches!(
                    piece,
                    Piece::Value(
                        Variable::MatchedVar
                            | Variable::MatchedVarName
                            | Variable::MatchedVars
                            | Variable::MatchedVarsNames,
                        _
                    )
                )
            };
            asks |= text.pieces.iter().any(of_hits);
        });
        asks
    }

    /// All texts that the rule may put together.
    pub(super) fn for_each_text(&self, take: &mut dyn FnMut(&Text)) {
        take(&self.about.message);
        take(&self.about.log_data);
        if let Test::Number(_, text) | Test::Text(_, text) = &self.test {
            take(text);
        }
        if let Decision::Redirect(text, _) = &self.decision {
            take(text);
        }
        for effect in &self.effects {
            match effect {
                Effect::Assign(member, change) => {
                    if let Member::Named(_, name) = member {
                        take(name);
                    }
                    if let Change::Set(text) | Change::Add(text) | Change::Subtract(text) = change {
                        take(text);
                    }
                }
                Effect::Expire(_, one, two) | Effect::SetEnv(one, two) => {
                    take(one);
                    take(two);
                }
                Effect::Open(_, key) => take(key),
                _ => {}
            }
        }
    }
}

/// What is said about a rule.
#[derive(Debug, Default)]
pub(crate) struct About {
    pub(crate) message: Text,
    pub(crate) log_data: Text,
    pub(crate) severity: Option<u8>,
    pub(crate) tags: Box<[Box<str>]>,
    pub(crate) logged: bool,
}

/// What a rule decides.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Decision {
    Pass,
    Deny(u16),
    Drop,
    Allow(Allow),
    Redirect(Text, u16),
}

/// Where the phase goes on after a match.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Jump {
    Next,
    /// To this place in the list of the phase.
    To(u32),
}

/// What a rule looks at.
#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) variable: Variable,
    pub(crate) select: Select,
    pub(crate) count: bool,
    /// Members that are left out.
    pub(crate) leave: Box<[Select]>,
    /// Where the values of all members under the rule's transformations are gathered, if they can be sifted.
    pub(crate) source: Option<SourceIndex>,
}

/// Which members.
#[derive(Debug)]
pub(crate) enum Select {
    All,
    /// In lower case.
    Name(Box<[u8]>),
    Pattern(Box<Pattern>),
    /// A place of `TX`.
    Slot(Slot),
}

/// A member of a variable that is left out of some rules.
#[derive(Debug)]
pub(crate) struct Left {
    pub(crate) variable: Variable,
    pub(crate) select: Select,
}

/// A variable, or one member of it, under a list of transformations: its values are transformed and sifted once for all rules
/// that look there.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Source {
    pub(crate) variable: Variable,
    /// In lower case.
    pub(crate) name: Option<Box<[u8]>>,
    pub(crate) chain: ChainIndex,
    pub(crate) multi_match: bool,
}

/// How to find out quickly that a rule does not match, as most do not.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Quick {
    /// None of these sources (a range of [`super::Engine::quick_sources`]) has a value that the pattern may match.
    Sifted { from: u32, to: u32, pattern: PatternIndex },
    /// A variable of `TX` is not set, or does not compare to a number or to another variable.
    Number { slot: Slot, compare: Compare, negated: bool, operand: Operand },
    /// There is no quick way.
    None,
}

/// What a variable is compared with.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Operand {
    Number(i64),
    Slot(Slot),
}

/// A list of transformations.
#[derive(Debug)]
pub(crate) struct Chain {
    pub(crate) steps: Box<[Step]>,
    /// A value that has none of these bytes goes through unchanged.
    pub(crate) triggers: ByteSet,
    /// Some step changes any value.
    pub(crate) always: bool,
}

/// One transformation of a list.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Step {
    pub(crate) transformation: Transformation,
    pub(crate) triggers: ByteSet,
    pub(crate) always: bool,
}

/// What is asked of a value.
#[derive(Debug)]
pub(crate) enum Test {
    /// One of the patterns that are looked for in one pass.
    Pattern(PatternIndex),
    /// One of the lists of phrases that are looked for in one pass.
    Phrases(PatternIndex),
    Number(Compare, Text),
    Text(Match, Text),
    Address(Box<[IpNet]>),
    /// True where a byte is in the set: the bytes that are not allowed.
    Bytes(ByteSet),
    UrlEncoding,
    Utf8,
    Checked(Checked, Box<Pattern>),
    Sqli,
    Xss,
    Always,
    Never,
}

/// A text that is put together when it is needed.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Text {
    pub(crate) pieces: Box<[Piece]>,
    /// The number that a constant text is.
    pub(crate) number: Option<i64>,
    /// What a variable holds that is set to a constant text.
    pub(crate) held: Option<Held>,
}

/// A piece of a text.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Piece {
    Plain(Box<[u8]>),
    Slot(Slot),
    Value(Variable, Option<Box<[u8]>>),
}

impl Text {
    pub(crate) fn constant(&self) -> Option<&[u8]> {
        match &*self.pieces {
            [] => Some(b""),
            [Piece::Plain(bytes)] => Some(bytes),
            _ => None,
        }
    }

    /// The place that the whole text is.
    pub(crate) fn slot(&self) -> Option<Slot> {
        match &*self.pieces {
            [Piece::Slot(slot)] => Some(*slot),
            _ => None,
        }
    }
}

/// The member of a collection that is changed.
#[derive(Debug)]
pub(crate) enum Member {
    Slot(Slot),
    Named(Variable, Text),
}

/// How it is changed.
#[derive(Debug)]
pub(crate) enum Change {
    Set(Text),
    Add(Text),
    Subtract(Text),
    Unset,
}

/// What a rule does when it matches. The first kind is done at each value that matches, the others once, when the whole
/// chain does.
#[derive(Debug)]
pub(crate) enum Effect {
    Assign(Member, Change),
    Expire(Variable, Text, Text),
    Open(Variable, Text),
    SetEnv(Text, Text),
    Engine(Mode),
    Remove(Box<[RuleIndex]>),
    RemoveTarget(Box<[RuleIndex]>, Box<[Left]>),
    RequestBodyAccess(bool),
    ResponseBodyAccess(bool),
    ForceRequestBody(bool),
    Processor(Processor),
}
