//! From files to rules in their order: includes followed, defaults noted, chains tied, removals and changes of targets applied.

use super::Files;
use super::names::Names;
use crate::seclang::{
    Action, Config, Directive, Disruptive, Fault, Place, Reason, RuleText, Statement, Target, Which, parse,
};
use std::collections::{HashMap, HashSet};

/// How many files are read at most, includes counted.
const MOST_FILES: usize = 2_000;

/// A rule with the parts of its chain, or a marker.
pub(super) enum Item {
    Rule(Written),
    Marker(String),
}

/// A rule as it is written, with the parts of its chain.
pub(super) struct Written {
    pub(super) place: Place,
    pub(super) rule: RuleText,
    pub(super) chain: Vec<(Place, RuleText)>,
    /// What decides where a rule says `block`.
    pub(super) default: (Disruptive, Option<u16>),
}

impl Written {
    /// The rule and the parts of its chain.
    pub(super) fn parts(&self) -> impl Iterator<Item = (&Place, &RuleText)> {
        std::iter::once((&self.place, &self.rule)).chain(self.chain.iter().map(|(place, rule)| (place, rule)))
    }
}

/// A rule that will not run, and why.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Disabled {
    /// Its id.
    pub rule: u64,
    /// Where it stands.
    pub place: Place,
    /// The directive that takes it out.
    pub by: String,
}

/// All that the files say.
#[derive(Default)]
pub(super) struct Gathered {
    pub(super) items: Vec<Item>,
    pub(super) configs: Vec<Config>,
    pub(super) response_types: Option<Vec<String>>,
    pub(super) disabled: Vec<Disabled>,
    /// Directives that are understood and ask nothing of this engine.
    pub(super) without: Vec<(Place, String, &'static str)>,
    pub(super) faults: Vec<Fault>,
    removals: Vec<(Statement, Which)>,
    updates: Vec<(Statement, Which, Vec<Target>)>,
    actions: Vec<(Statement, u64, Vec<Action>)>,
    defaults: HashMap<u8, (Disruptive, Option<u16>)>,
    open: Option<Written>,
    read: usize,
}

impl Gathered {
    /// Reads `roots` and what they include.
    pub(super) fn read(files: &dyn Files, roots: &[String]) -> Self {
        let mut gathered = Self::default();
        for root in roots {
            gathered.file(files, root, &mut Vec::new());
        }
        gathered.close_chain();
        gathered.apply();
        gathered
    }

    fn file(&mut self, files: &dyn Files, name: &str, above: &mut Vec<String>) {
        let place = Place { file: name.into(), line: 1 };
        self.read += 1;
        if self.read > MOST_FILES || above.len() > 16 || above.iter().any(|file| file == name) {
            self.fault(&place, None, name, Reason::TooManyIncludes);
            return;
        }
        let Some(text) = files.read(name).and_then(|bytes| String::from_utf8(bytes).ok()) else {
            self.fault(&place, None, name, Reason::MissingFile);
            return;
        };
        let (statements, faults) = parse(name, &text);
        self.faults.extend(faults);
        above.push(name.to_owned());
        for statement in statements {
            self.statement(files, statement, above);
        }
        above.pop();
    }

    fn statement(&mut self, files: &dyn Files, statement: Statement, above: &mut Vec<String>) {
        let Statement { place, name, directive } = statement.clone();
        match directive {
            Directive::Rule(rule) => self.rule(place, rule),
            Directive::Include(pattern, optional) => {
                let found = files.matching(&place.file, &pattern);
                if found.is_empty() && !optional {
                    self.fault(&place, None, &pattern, Reason::MissingFile);
                }
                for file in found {
                    self.file(files, &file, above);
                }
            }
            Directive::Marker(marker) => {
                self.close_chain();
                self.items.push(Item::Marker(marker));
            }
            Directive::Default(phase, decision, status) => {
                self.defaults.insert(phase, (decision, status));
            }
            Directive::Remove(which) => self.removals.push((statement, which)),
            Directive::UpdateTarget(which, targets) => self.updates.push((statement, which, targets)),
            Directive::UpdateAction(id, actions) => self.actions.push((statement, id, actions)),
            Directive::ResponseTypes(types) => self.response_types.get_or_insert_default().extend(types),
            Directive::Config(config) => self.configs.push(config),
            Directive::Without(why) => self.without.push((place, name, why)),
        }
    }

    fn rule(&mut self, place: Place, rule: RuleText) {
        let chains = rule.actions.contains(&Action::Chain);
        match &mut self.open {
            Some(open) => open.chain.push((place, rule)),
            None => {
                let phase = phase(&rule);
                let default = self.defaults.get(&phase).cloned().unwrap_or((Disruptive::Pass, None));
                self.open = Some(Written { place, rule, chain: Vec::new(), default });
            }
        }
        if !chains && let Some(done) = self.open.take() {
            self.items.push(Item::Rule(done));
        }
    }

    /// A chain that the end of the files or a marker cuts off.
    fn close_chain(&mut self) {
        if let Some(open) = self.open.take() {
            self.fault(&open.place, open.rule.id(), "chain", Reason::OpenChain);
        }
    }

    fn fault(&mut self, place: &Place, rule: Option<u64>, construct: &str, reason: Reason) {
        self.faults.push(Fault { place: place.clone(), rule, construct: construct.to_owned(), reason });
    }

    /// Changes and removals hold for rules before and after them, as in version 3 of ModSecurity.
    fn apply(&mut self) {
        self.check_ids();
        let (actions, updates, removals) = (
            std::mem::take(&mut self.actions),
            std::mem::take(&mut self.updates),
            std::mem::take(&mut self.removals),
        );
        let names = self.names();
        for (statement, id, list) in actions {
            let found = names.of_id(id);
            self.change(found, |rule| rule.actions.extend(list.iter().cloned()));
            self.expect(!found.is_empty(), &statement, &id.to_string());
        }
        // The new actions may name rules anew.
        let names = self.names();
        for (statement, which, targets) in updates {
            let found = names.meant(&which);
            self.change(&found, |rule| rule.targets.extend(targets.iter().cloned()));
            // A tag that no rule has, or a rule of a plugin that is not there, is an exclusion without an object.
            if found.is_empty() && matches!(which, Which::Ids(_)) {
                self.without.push((statement.place, statement.name, "no such rule is loaded"));
            }
        }
        self.remove(&names, removals);
    }

    fn remove(&mut self, names: &Names, removals: Vec<(Statement, Which)>) {
        let mut removed = vec![false; self.items.len()];
        for (statement, which) in removals {
            let by = format!("{} at {}", statement.name, statement.place);
            for at in names.meant(&which) {
                if let Some(Item::Rule(written)) = self.items.get(at)
                    && !std::mem::replace(&mut removed[at], true)
                {
                    let rule = written.rule.id().unwrap_or(0);
                    self.disabled.push(Disabled { rule, place: written.place.clone(), by: by.clone() });
                }
            }
        }
        let mut removed = removed.into_iter();
        self.items.retain(|_| removed.next() != Some(true));
    }

    /// The rules by their names, with their places among the items.
    fn names(&self) -> Names {
        Names::of(self.items.iter().enumerate().filter_map(|(at, item)| match item {
            Item::Rule(written) => Some((at, &written.rule)),
            Item::Marker(_) => None,
        }))
    }

    fn check_ids(&mut self) {
        let mut seen = HashSet::new();
        let mut wrong = Vec::new();
        for item in &self.items {
            let Item::Rule(written) = item else { continue };
            match written.rule.id() {
                None => wrong.push((written.place.clone(), None, Reason::NoId)),
                Some(id) if !seen.insert(id) => {
                    wrong.push((written.place.clone(), Some(id), Reason::DuplicateId))
                }
                Some(_) => {}
            }
        }
        for (place, id, reason) in wrong {
            self.fault(&place, id, "id", reason);
        }
    }

    fn change(&mut self, chosen: &[usize], change: impl Fn(&mut RuleText)) {
        for &at in chosen {
            if let Some(Item::Rule(written)) = self.items.get_mut(at) {
                change(&mut written.rule);
            }
        }
    }

    fn expect(&mut self, found: bool, statement: &Statement, construct: &str) {
        if !found {
            self.fault(&statement.place, None, construct, Reason::NoSuchRule);
        }
    }
}

/// The phase of a rule; 2 where it says none.
pub(super) fn phase(rule: &RuleText) -> u8 {
    rule.actions
        .iter()
        .rev()
        .find_map(|action| if let Action::Phase(phase) = action { Some(*phase) } else { None })
        .unwrap_or(2)
}
