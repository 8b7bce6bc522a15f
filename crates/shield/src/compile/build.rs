//! From written rules to numbers, slots and tests.

mod asks;

use super::Files;
use super::captured::{Of, capture, reads, reads_from_elsewhere};
use super::gather::{Gathered, Item, Written, phase};
use super::ir::{
    About, Chain, ChainIndex, Change, Decision, Effect, Jump, Left, Member, Operand, PatternIndex, Piece,
    Quick, Rule, RuleIndex, Select, Source, SourceIndex, Step, Target, Test, Text,
};
use super::names::Names;
use super::patterns::Key;
use super::slots::Slots;
use crate::ByteSet;
use crate::operator as values;
use crate::seclang::{
    self, Action, Assign, Control, Disruptive, Fault, Place, Reason, RuleText, Variable, Which,
};
use crate::transaction::{Constants, Held, held_of};
use crate::transform::Transformation;
use std::collections::HashMap;

/// Everything while it is put together.
pub(super) struct Build<'a> {
    files: &'a dyn Files,
    pub(super) rules: Vec<Rule>,
    pub(super) heads: [Vec<RuleIndex>; 5],
    pub(super) chains: Vec<Chain>,
    pub(super) sources: Vec<Source>,
    pub(super) slots: Slots,
    pub(super) faults: Vec<Fault>,
    pub(super) constants: Constants,
    /// Some rule reads groups that another chain captured.
    groups_travel: bool,
    /// The same of the whole match, `TX:0`, texts of logs apart.
    whole_travels: bool,
    pub(super) wanted: Vec<(Key, Place, Option<u64>)>,
    known: HashMap<Key, PatternIndex>,
    chain_of: HashMap<Vec<Transformation>, ChainIndex>,
    source_of: HashMap<Source, SourceIndex>,
    /// For each phase, markers and where in its list they stand.
    markers: [HashMap<String, Vec<u32>>; 5],
    /// `skipAfter` and `skip` of each head, until the markers are known.
    jumps: Vec<(RuleIndex, u8, u32, Wanted)>,
    /// For `ctl` that names rules: all heads by id, tags and message.
    directory: Vec<(RuleIndex, RuleText)>,
    removals: Vec<(RuleIndex, usize, Which)>,
}

enum Wanted {
    Marker(String, Place),
    Skip(u32),
}

/// Where the parts of a rule come from, for messages.
pub(super) struct At<'a> {
    pub(super) place: &'a Place,
    pub(super) id: Option<u64>,
}

impl<'a> Build<'a> {
    pub(super) fn new(files: &'a dyn Files) -> Self {
        let mut build = Self {
            files,
            rules: Vec::new(),
            heads: Default::default(),
            chains: Vec::new(),
            sources: Vec::new(),
            slots: Slots::new(),
            faults: Vec::new(),
            constants: Constants::default(),
            groups_travel: false,
            whole_travels: false,
            wanted: Vec::new(),
            known: HashMap::new(),
            chain_of: HashMap::new(),
            source_of: HashMap::new(),
            markers: Default::default(),
            jumps: Vec::new(),
            directory: Vec::new(),
            removals: Vec::new(),
        };
        build.chain(Vec::new());
        build
    }

    /// Takes all rules in.
    pub(super) fn rules(&mut self, gathered: &Gathered) {
        let travels = |of| {
            gathered.items.iter().any(|item| match item {
                Item::Rule(written) => reads_from_elsewhere(written, of),
                Item::Marker(_) => false,
            })
        };
        self.groups_travel = travels(Of::Groups);
        self.whole_travels = travels(Of::Kept);
        for item in &gathered.items {
            match item {
                Item::Rule(written) => self.written(written),
                Item::Marker(name) => {
                    for (markers, heads) in self.markers.iter_mut().zip(&self.heads) {
                        let place = u32::try_from(heads.len()).unwrap_or(u32::MAX);
                        markers.entry(name.clone()).or_default().push(place);
                    }
                }
            }
        }
        self.resolve_jumps();
        self.resolve_removals();
        self.check_numbers();
        for rule in &mut self.rules {
            rule.tells = rule.asks_for_hits();
        }
    }

    /// Numbers of rules, lists and sources have so many bits; beyond them nothing would mean what it says.
    fn check_numbers(&mut self) {
        let too_many = self.chains.len() > usize::from(ChainIndex::MAX)
            || self.sources.len() >= usize::from(SourceIndex::MAX)
            || u32::try_from(self.rules.len()).is_err();
        if too_many {
            let place = Place { file: "".into(), line: 0 };
            self.fault(&At { place: &place, id: None }, "rules", Reason::TooMany);
        }
    }

    fn written(&mut self, written: &Written) {
        let phase = phase(&written.rule);
        let id = written.rule.id();
        let groups = self.groups_travel || reads(written, Of::Groups);
        let keeps = self.groups_travel || self.whole_travels || reads(written, Of::Kept);
        let mut indexes = Vec::new();
        for (place, rule) in written.parts() {
            let first = indexes.is_empty();
            if !first
                && rule.actions.iter().any(|action| matches!(action, Action::Phase(other) if *other != phase))
            {
                self.fault(&At { place, id }, "phase", Reason::ChainPhase);
            }
            if indexes.len() >= MOST_PARTS {
                self.fault(&At { place, id }, "chain", Reason::TooMany);
            }
            if !first && let Some(word) = rule.actions.iter().find_map(of_head_alone) {
                self.fault(&At { place, id }, word, Reason::OfHeadAlone);
            }
            let at = At { place, id };
            if let Some(rule) = self.part(&at, rule, written, phase, (first, groups, keeps)) {
                let index = RuleIndex::try_from(self.rules.len()).unwrap_or(RuleIndex::MAX);
                self.rules.push(rule);
                indexes.push(index);
            } else {
                return;
            }
        }
        for pair in indexes.windows(2) {
            self.rules[pair[0] as usize].next = Some(pair[1]);
        }
        let Some(&head) = indexes.first() else { return };
        // Effects that name rules were noted with the place of the part that has them.
        let list = &mut self.heads[usize::from(phase - 1)];
        let position = u32::try_from(list.len()).unwrap_or(u32::MAX);
        list.push(head);
        for action in &written.rule.actions {
            match action {
                Action::SkipAfter(marker) => {
                    self.jumps.push((
                        head,
                        phase,
                        position,
                        Wanted::Marker(marker.clone(), written.place.clone()),
                    ));
                }
                Action::Skip(count) => self.jumps.push((head, phase, position, Wanted::Skip(*count))),
                _ => {}
            }
        }
        self.directory.push((head, written.rule.clone()));
    }

    fn part(
        &mut self,
        at: &At<'_>,
        rule: &RuleText,
        written: &Written,
        phase: u8,
        (head, groups, keeps): (bool, bool, bool),
    ) -> Option<Rule> {
        let before = self.faults.len();
        let (test, negated) = (self.test(at, &rule.operator, capture(rule) && groups)?, rule.negated);
        let multi_match = rule.actions.contains(&Action::MultiMatch);
        let chain = self.chain(transformations(rule));
        let sifted = matches!(test, Test::Pattern(_) | Test::Phrases(_)) && !negated;
        let targets = self.targets(at, rule, chain, multi_match, sifted);
        let effects = self.effects(at, rule);
        let about = self.about(rule);
        let decision = if head { self.decision(at, rule, written) } else { Decision::Pass };
        (self.faults.len() == before).then_some(Rule {
            id: at.id.unwrap_or(0),
            place: at.place.clone(),
            phase,
            targets,
            unconditional: rule.targets.is_empty(),
            negated,
            test,
            chain,
            multi_match,
            capture: capture(rule),
            keeps,
            effects,
            tells: true,
            next: None,
            about,
            decision,
            jump: Jump::Next,
        })
    }

    pub(super) fn fault(&mut self, at: &At<'_>, construct: &str, reason: Reason) {
        self.faults.push(Fault {
            place: at.place.clone(),
            rule: at.id,
            construct: construct.to_owned(),
            reason,
        });
    }

    fn chain(&mut self, list: Vec<Transformation>) -> ChainIndex {
        if let Some(&chain) = self.chain_of.get(&list) {
            return chain;
        }
        let steps: Box<[Step]> = list
            .iter()
            .map(|&transformation| {
                let triggers = transformation.triggers();
                Step { transformation, triggers, always: triggers == ByteSet::ALL }
            })
            .collect();
        let triggers = steps.iter().fold(ByteSet::EMPTY, |all, step| all.union(step.triggers));
        let always = steps.iter().any(|step| step.always);
        let index = ChainIndex::try_from(self.chains.len()).unwrap_or(ChainIndex::MAX);
        self.chains.push(Chain { steps, triggers, always });
        self.chain_of.insert(list, index);
        index
    }

    fn source(&mut self, source: Source) -> Option<SourceIndex> {
        if let Some(&index) = self.source_of.get(&source) {
            return Some(index);
        }
        let index = SourceIndex::try_from(self.sources.len()).ok()?;
        self.sources.push(source.clone());
        self.source_of.insert(source, index);
        Some(index)
    }

    fn want(&mut self, at: &At<'_>, key: Key) -> PatternIndex {
        if let Some(&index) = self.known.get(&key) {
            return index;
        }
        let index = PatternIndex::try_from(self.wanted.len()).unwrap_or(PatternIndex::MAX);
        self.wanted.push((key.clone(), at.place.clone(), at.id));
        self.known.insert(key, index);
        index
    }

    fn text(&mut self, text: &seclang::Text) -> Text {
        let pieces: Box<[Piece]> = text
            .pieces()
            .iter()
            .map(|piece| match piece {
                seclang::Piece::Plain(bytes) => Piece::Plain(bytes.clone()),
                seclang::Piece::Value(Variable::Tx, Some(name)) => match self.slots.place(name) {
                    Some(slot) => Piece::Slot(slot),
                    None => Piece::Value(Variable::Tx, Some(name.clone())),
                },
                seclang::Piece::Value(variable, key) => Piece::Value(*variable, key.clone()),
            })
            .collect();
        let mut text = Text { pieces, number: None, held: None };
        text.number = text.constant().map(values::number);
        text.held = text.constant().map(|constant| match held_of(constant) {
            Held::Text(long) => self.constants.add(&long).map_or(Held::Text(long), Held::Constant),
            other => other,
        });
        text
    }

    fn effects(&mut self, at: &At<'_>, rule: &RuleText) -> Box<[Effect]> {
        let mut effects = Vec::new();
        let index = RuleIndex::try_from(self.rules.len()).unwrap_or(RuleIndex::MAX);
        for action in &rule.actions {
            let effect = match action {
                Action::SetVar(set) => self.assign(set),
                Action::ExpireVar(collection, name, seconds) => {
                    Effect::Expire(*collection, self.text(name), self.text(seconds))
                }
                Action::InitCollection(collection, key) | Action::SetKey(collection, key) => {
                    Effect::Open(*collection, self.text(key))
                }
                Action::SetEnv(name, value) => Effect::SetEnv(self.text(name), self.text(value)),
                Action::Control(control) => match self.control(at, control, index, effects.len()) {
                    Some(effect) => effect,
                    None => continue,
                },
                _ => continue,
            };
            effects.push(effect);
        }
        effects.into()
    }

    fn assign(&mut self, set: &seclang::SetVar) -> Effect {
        let name = self.text(&set.name);
        let member = match name
            .constant()
            .filter(|_| set.collection == Variable::Tx)
            .and_then(|name| self.slots.place(name))
        {
            Some(slot) => Member::Slot(slot),
            None => Member::Named(set.collection, name),
        };
        let change = match &set.assign {
            Assign::Set(text) => Change::Set(self.text(text)),
            Assign::Add(text) => Change::Add(self.text(text)),
            Assign::Subtract(text) => Change::Subtract(self.text(text)),
            Assign::Unset => Change::Unset,
        };
        Effect::Assign(member, change)
    }

    fn control(&mut self, at: &At<'_>, control: &Control, rule: RuleIndex, effect: usize) -> Option<Effect> {
        Some(match control {
            Control::Engine(mode) => Effect::Engine(*mode),
            Control::Remove(which) => {
                self.removals.push((rule, effect, which.clone()));
                Effect::Remove(Box::default())
            }
            Control::RemoveTarget(which, targets) => {
                let mut left = Vec::new();
                for target in targets {
                    let select = self.select_left(at, &target.select)?;
                    left.push(Left { variable: target.variable, select });
                }
                self.removals.push((rule, effect, which.clone()));
                Effect::RemoveTarget(Box::default(), left.into())
            }
            Control::RequestBodyAccess(on) => Effect::RequestBodyAccess(*on),
            Control::ResponseBodyAccess(on) => Effect::ResponseBodyAccess(*on),
            Control::ForceRequestBody(on) => Effect::ForceRequestBody(*on),
            Control::Processor(processor) => Effect::Processor(*processor),
            Control::Log => return None,
        })
    }

    fn about(&mut self, rule: &RuleText) -> About {
        let mut about = About { logged: true, ..About::default() };
        let mut tags = Vec::new();
        for action in &rule.actions {
            match action {
                Action::Message(text) => about.message = self.text(text),
                Action::LogData(text) => about.log_data = self.text(text),
                Action::Severity(severity) => about.severity = Some(*severity),
                Action::Tag(tag) => tags.push(tag.as_str().into()),
                Action::Log(logged) => about.logged = *logged,
                _ => {}
            }
        }
        about.tags = tags.into();
        about
    }

    fn decision(&mut self, at: &At<'_>, rule: &RuleText, written: &Written) -> Decision {
        let own_status = rule.actions.iter().rev().find_map(|action| match action {
            Action::Status(status) => Some(*status),
            _ => None,
        });
        let own = rule.actions.iter().rev().find_map(|action| match action {
            Action::Decide(decision) => Some(decision.clone()),
            _ => None,
        });
        let (decision, status) = match own {
            Some(Disruptive::Block) | None => (written.default.0.clone(), own_status.or(written.default.1)),
            Some(other) => (other, own_status),
        };
        match decision {
            Disruptive::Block | Disruptive::Pass => Decision::Pass,
            Disruptive::Deny => Decision::Deny(status.unwrap_or(403)),
            Disruptive::Drop => Decision::Drop,
            Disruptive::Allow(allow) => Decision::Allow(allow),
            Disruptive::Redirect(text) => {
                let status = status.filter(|status| (300..400).contains(status)).unwrap_or(302);
                if text.pieces().is_empty() {
                    self.fault(at, "redirect", Reason::BadArgument);
                }
                Decision::Redirect(self.text(&text), status)
            }
        }
    }

    /// The quick way for each head, in the order of the phases' lists, and the sources that they speak of.
    pub(super) fn quick(&self) -> ([Vec<Quick>; 5], Vec<SourceIndex>) {
        let mut sources = Vec::new();
        let lists = self.heads.each_ref().map(|heads| {
            heads.iter().map(|&head| quick(&self.rules[head as usize], &self.chains, &mut sources)).collect()
        });
        (lists, sources)
    }

    fn resolve_jumps(&mut self) {
        for (head, phase, position, wanted) in std::mem::take(&mut self.jumps) {
            let target = match wanted {
                Wanted::Skip(count) => position.saturating_add(count).saturating_add(1),
                Wanted::Marker(name, place) => {
                    let places =
                        self.markers[usize::from(phase - 1)].get(&name).map_or(&[][..], Vec::as_slice);
                    match places.get(places.partition_point(|at| *at <= position)) {
                        Some(&at) => at,
                        None => {
                            let id = Some(self.rules[head as usize].id);
                            self.fault(
                                &At { place: &place, id },
                                &format!("skipAfter:{name}"),
                                Reason::NoMarker,
                            );
                            continue;
                        }
                    }
                }
            };
            self.rules[head as usize].jump = Jump::To(target);
        }
    }

    fn resolve_removals(&mut self) {
        let names = Names::of(self.directory.iter().map(|(_, text)| text).enumerate());
        for (rule, effect, which) in std::mem::take(&mut self.removals) {
            let chosen: Box<[RuleIndex]> =
                names.meant(&which).into_iter().map(|at| self.directory[at].0).collect();
            // A part that was refused left a number behind that another rule has now, or none.
            if let Some(Effect::Remove(rules) | Effect::RemoveTarget(rules, _)) =
                self.rules.get_mut(rule as usize).and_then(|rule| rule.effects.get_mut(effect))
            {
                *rules = chosen
            }
        }
    }
}

fn quick(rule: &Rule, chains: &[Chain], sources: &mut Vec<SourceIndex>) -> Quick {
    match (&rule.test, &*rule.targets) {
        (Test::Pattern(pattern) | Test::Phrases(pattern), targets)
            if !rule.negated && !targets.is_empty() =>
        {
            let Some(list) = targets.iter().map(|target| target.source).collect::<Option<Vec<_>>>() else {
                return Quick::None;
            };
            let from = u32::try_from(sources.len()).unwrap_or(u32::MAX);
            sources.extend(list);
            Quick::Sifted { from, to: u32::try_from(sources.len()).unwrap_or(u32::MAX), pattern: *pattern }
        }
        (
            Test::Number(compare, text),
            [Target { variable: Variable::Tx, select: Select::Slot(slot), count: false, .. }],
        ) if chains[usize::from(rule.chain)].steps.is_empty() => {
            let operand = match (text.number, text.slot()) {
                (Some(number), _) => Operand::Number(number),
                (None, Some(slot)) => Operand::Slot(slot),
                (None, None) => return Quick::None,
            };
            Quick::Number { slot: *slot, compare: *compare, negated: rule.negated, operand }
        }
        _ => Quick::None,
    }
}

/// Parts of one chain.
const MOST_PARTS: usize = 32;

/// What only the first part of a chain may say, since the chain decides as a whole.
fn of_head_alone(action: &Action) -> Option<&'static str> {
    match action {
        Action::Decide(Disruptive::Deny) => Some("deny"),
        Action::Decide(Disruptive::Drop) => Some("drop"),
        Action::Decide(Disruptive::Redirect(_)) => Some("redirect"),
        Action::Decide(Disruptive::Allow(_)) => Some("allow"),
        Action::Skip(_) => Some("skip"),
        Action::SkipAfter(_) => Some("skipAfter"),
        _ => None,
    }
}

/// `t:none` forgets what stands before it.
fn transformations(rule: &RuleText) -> Vec<Transformation> {
    let mut list = Vec::new();
    for action in &rule.actions {
        match action {
            Action::NoTransformations => list.clear(),
            Action::Transform(transformation) => list.push(*transformation),
            _ => {}
        }
    }
    list
}
