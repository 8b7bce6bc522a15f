//! What the child said before it died, line by line, and how that is compared with what is there afterwards.

use model::{PersonId, TenantId};
use std::collections::BTreeMap;
use std::io::Write;

/// What every line of the child begins with, since the test harness speaks on the same pipe.
const MARK: &str = "@ ";

/// Says one line; the child's side.
pub(crate) fn tell(line: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{MARK}{line}").and_then(|()| out.flush()).expect("the parent listens");
}

/// Which value of which thing: `("r3-17", "name")`.
pub(crate) type Register = (String, String);

/// The values that were tried on one register, in order, each with whether it was acknowledged.
#[derive(Clone, Debug, Default)]
pub(crate) struct Attempts(pub(crate) Vec<(String, bool)>);

impl Attempts {
    /// What may stand there now: the last acknowledged value, or one that was tried after it.
    pub(crate) fn possible<'a>(&'a self, before: &'a str) -> Vec<&'a str> {
        let last = self.0.iter().rposition(|one| one.1);
        let rest = self.0[last.unwrap_or(0)..].iter().map(|one| one.0.as_str());
        last.is_none().then_some(before).into_iter().chain(rest).collect()
    }

    /// Whether something was tried that was not acknowledged.
    pub(crate) fn open(&self) -> bool {
        self.0.iter().any(|one| !one.1)
    }
}

/// All that the children of one round said.
#[derive(Clone, Debug, Default)]
pub(crate) struct Told {
    pub(crate) tenant: Option<TenantId>,
    pub(crate) registers: BTreeMap<Register, Attempts>,
    pub(crate) persons: BTreeMap<String, PersonId>,
    /// API keys by the thing that they belong to.
    pub(crate) secrets: BTreeMap<String, String>,
    /// Ledger entries of reads that were answered, with whom they were about.
    pub(crate) reads: Vec<(String, u64)>,
    pub(crate) weeks: i64,
    /// Whether the child came to where it was to die.
    pub(crate) reached: bool,
    pub(crate) acknowledged: usize,
}

impl Told {
    /// Takes in one line of the child's output.
    pub(crate) fn hear(&mut self, line: &str) {
        let Some((_, line)) = line.split_once(MARK) else { return };
        let words: Vec<&str> = line.split(' ').collect();
        match words[..] {
            ["tenant", tenant] => self.tenant = tenant.parse().ok(),
            ["week", number] => self.weeks = number.parse().unwrap_or(self.weeks),
            ["reached"] => self.reached = true,
            ["try", thing, register, value] => {
                let attempts = self.registers.entry((thing.to_owned(), register.to_owned())).or_default();
                attempts.0.push((value.to_owned(), false));
            }
            ["ack", thing, "read", entry] => {
                self.acknowledged += 1;
                self.reads.extend(entry.parse::<u64>().ok().map(|entry| (thing.to_owned(), entry)));
            }
            ["ack", thing, register, value] => self.acknowledge(thing, register, value),
            ["person", thing, person] => {
                self.persons.extend(person.parse::<PersonId>().ok().map(|id| (thing.to_owned(), id)));
            }
            ["secret", thing, secret] => {
                self.secrets.insert(thing.to_owned(), secret.to_owned());
            }
            _ => {}
        }
    }

    /// Records an acknowledgement of the value that was tried last.
    pub(crate) fn acknowledge(&mut self, thing: &str, register: &str, value: &str) {
        let attempts = self.registers.entry((thing.to_owned(), register.to_owned())).or_default();
        match attempts.0.last_mut().filter(|last| last.0 == value) {
            Some(last) => last.1 = true,
            None => attempts.0.push((value.to_owned(), true)),
        }
        self.acknowledged += 1;
    }

    pub(crate) fn attempts(&self, thing: &str, register: &str) -> Option<&Attempts> {
        self.registers.get(&(thing.to_owned(), register.to_owned()))
    }
}

/// What stood in a register before anything was tried.
pub(crate) fn initial(register: &str) -> &'static str {
    match register {
        "life" => "live",
        "limit" => "off",
        "notices" => "1",
        _ => "absent",
    }
}

/// What of the acknowledged is not there, or is there without having been tried.
pub(crate) fn compare(told: &Told, found: &BTreeMap<Register, String>) -> Vec<String> {
    let mut complaints = Vec::new();
    for (register, attempts) in &told.registers {
        let (thing, what) = register;
        let before = initial(what);
        let mut possible = attempts.possible(before);
        // An erasure takes everything else with it.
        let erased = found.get(&(thing.clone(), "life".to_owned())).is_some_and(|life| life == "erased");
        if what != "life" && erased {
            possible = vec![initial(what)];
        }
        let is = found.get(register).map_or(before, String::as_str);
        if !possible.contains(&is) {
            complaints.push(format!("{what} of {thing} is {is}, not {possible:?}"));
        }
    }
    complaints
}
