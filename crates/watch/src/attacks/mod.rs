//! What the shield saw: counts over time, and the last events in detail.
//!
//! Whoever tells of an attack never waits: [`Attacks::note`] puts it into a queue of fixed length, from which one thread takes
//! it. Three bounds keep a flood from filling memory or disk, each with a count of what fell to it, so that no number on a
//! page is silently too small:
//!
//! * the **queue**: what does not fit is counted by whether it was refused, and not by route and rule ([`Tally::untold`]);
//! * **detail**: of each kind of event (route, first rule, outcome) so many are kept a minute (`sampling`); all are counted;
//! * **files**: 10,000 events and 8 MiB of detail, the oldest go first (`log`); counts by minute for three hours and by hour
//!   for thirty days (`counts`), with a largest number of lines each.
//!
//! Files are lines of JSON, each behind the CRC-32 of what follows (`lines`): a line that a crash tore is cut off when the
//! file is opened again, one that the disk damaged is passed over, and all others can be read with everyday tools.

mod counts;
mod lines;
mod log;
mod plain;
mod sampling;
mod tally;
#[cfg(test)]
mod tests;
mod worker;

pub use tally::{Counted, Span, Step, Tally};

use log::Log;
use model::{Clock, Timestamp};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, SyncSender};
use std::thread::JoinHandle;
use tally::Tallies;
use worker::{Command, Worker};

/// Events that may wait for the thread that counts them. With 24 rules each that is about 8 MiB.
const QUEUE: usize = 2_048;
/// Most rules of one event that are kept; the one that decided is among them.
const MOST_RULES: usize = 24;
/// Most events that one question about details walks over, newest first.
pub const MOST_WALKED: usize = 2_000;

/// Whether what the rules refuse is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// It is.
    Block,
    /// It is only reported.
    Detect,
}

/// Which way something went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// From the client to the app.
    Request,
    /// From the app to the client.
    Answer,
}

/// What became of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// It was refused.
    Refused,
    /// It would have been refused, but the shield only detects there.
    WouldRefuse,
    /// Rules matched, and it passed.
    Passed,
}

/// A rule that matched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// Its id.
    pub id: u64,
    /// From 0 (emergency) to 7 (debug).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity: Option<u8>,
    /// What it says, without anything of the request.
    #[serde(default)]
    pub message: Arc<str>,
    /// Its tags.
    #[serde(default)]
    pub tags: Arc<[Box<str>]>,
    /// What it looked at: a variable, or a variable and a plain name, such as `ARGS:note`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<Box<str>>,
}

impl Rule {
    /// Whether the rule only decides on what others found, as the evaluation of an anomaly score does, or keeps that score.
    #[must_use]
    pub fn is_deciding(&self) -> bool {
        is_deciding(self.id, &self.tags)
    }
}

/// The tag of rules that decide.
const DECIDING: &str = "anomaly-evaluation";
/// The tag of the program's own rules, whose ids are among those that anybody may use.
const BASELINE: &str = "obhut-baseline";

/// Whether a rule decides, or keeps the score on which others decide: without it nothing would be refused at all.
///
/// CRS and the baseline pack tag those that decide; CRS 3 tells them by their numbers alone. CRS, rules by number: 901 sets the
/// scores and levels, 949 and 959 sum and evaluate, 980 sums up. Of the baseline pack those up to 10099 set scores, levels and how
/// bodies are read, and those from 16900 on sum; 16910 is none, since it finds something by itself.
#[must_use]
pub fn is_deciding(id: u64, tags: &[Box<str>]) -> bool {
    let has = |wanted: &str| tags.iter().any(|tag| **tag == *wanted);
    let sums = matches!(id, 10_000..=10_099 | 16_900..=16_909 | 16_911..=16_999);
    has(DECIDING) || matches!(id / 1_000, 901 | 949 | 959 | 980) || (sums && has(BASELINE))
}

/// One event of the shield.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attack {
    /// What stands on the page of who was refused, too.
    pub reference: Box<str>,
    /// When, ms since 1970.
    pub at: Timestamp,
    /// The route; none where no route fits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub route: Option<Arc<str>>,
    /// The method.
    pub method: Box<str>,
    /// Whether the shield refuses there.
    pub mode: Mode,
    /// Whether it was refused, or with [`Mode::Detect`] would have been.
    pub refused: bool,
    /// The status that the client got, or would have got; 0 for none.
    pub status: u16,
    /// Where it was found.
    pub side: Side,
    /// The rules, in the order in which they matched.
    pub rules: Vec<Rule>,
    /// The rule that decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<u64>,
    /// Anomaly score, where the rules keep one.
    pub score: i64,
    /// Why the shield refused by itself, a code; none where a rule did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refusal: Option<Box<str>>,
}

impl Attack {
    /// What became of it.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        outcome(self.mode, self.refused)
    }
}

fn outcome(mode: Mode, refused: bool) -> Outcome {
    match (mode, refused) {
        (Mode::Block, true) => Outcome::Refused,
        (Mode::Detect, true) => Outcome::WouldRefuse,
        (_, false) => Outcome::Passed,
    }
}

/// Where something happened.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// Where no route fits.
    Nowhere,
    /// On the route of this name.
    Route(Arc<str>),
    /// On one of the routes beyond those that are told apart.
    Others,
}

/// Which events are asked for. What is left out does not narrow.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// Those since then.
    pub since: Option<Timestamp>,
    /// Those of this place.
    pub place: Option<Place>,
    /// Those in which this rule matched.
    pub rule: Option<u64>,
    /// Those of this mode.
    pub mode: Option<Mode>,
    /// Those with this outcome.
    pub outcome: Option<Outcome>,
}

/// Events in detail, newest first.
#[derive(Clone, Debug, Default)]
pub struct Listed {
    /// The events with their numbers.
    pub attacks: Vec<(u64, Attack)>,
    /// Where the next page begins, if there is one.
    pub next: Option<u64>,
}

/// What fell to one of the bounds since the start, and how much is kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Kept {
    /// Events kept in detail.
    pub events: usize,
    /// Since when details are kept.
    pub since: Option<Timestamp>,
    /// Events for which the queue had no place: counted, but not by route and rule.
    pub untold: u64,
    /// Events that were counted by route and rule, and are not kept in detail, since there were many of their kind.
    pub sampled: u64,
    /// Lines that the disk did not take.
    pub unwritten: u64,
    /// Lines that were damaged when the files were read.
    pub damaged: u64,
}

/// A rule that would have refused on a route, for the report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WouldRefuse {
    /// Where.
    pub place: Place,
    /// The rule.
    pub rule: u64,
    /// What it says.
    pub message: Arc<str>,
    /// Its severity.
    pub severity: Option<u8>,
    /// Its tags.
    pub tags: Arc<[Box<str>]>,
    /// What it looked at.
    pub target: Option<Box<str>>,
    /// How often, among the events that are kept in detail.
    pub count: u64,
    /// The last time.
    pub last: Timestamp,
    /// An event of it.
    pub reference: Box<str>,
}

/// What is shared with the thread that counts.
#[derive(Default)]
struct Shared {
    tallies: Mutex<Tallies>,
    log: Mutex<Log>,
    lost: Lost,
}

#[derive(Default)]
struct Lost {
    /// By outcome, in the order of [`Outcome`].
    queue: [AtomicU64; 3],
    /// All that ever fell to the queue.
    untold: AtomicU64,
    sampled: AtomicU64,
    unwritten: AtomicU64,
    damaged: AtomicU64,
}

/// The store. Cheap to ask; [`Attacks::close`] writes what is left.
pub struct Attacks {
    shared: Arc<Shared>,
    queue: SyncSender<Command>,
    worker: Mutex<Option<JoinHandle<()>>>,
}

impl Attacks {
    /// Opens the folder, reads what earlier runs kept, and starts the thread.
    ///
    /// # Errors
    /// When the folder cannot be made or read, or no thread can be started.
    pub fn open(folder: &Path, clock: Arc<dyn Clock>) -> io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let worker = Worker::open(folder, clock, shared.clone())?;
        let (queue, commands) = mpsc::sync_channel(QUEUE);
        let thread = std::thread::Builder::new().name("attacks".to_owned());
        let worker = thread.spawn(move || worker.run(&commands))?;
        Ok(Self { shared, queue, worker: Mutex::new(Some(worker)) })
    }

    /// Takes an event, or counts it where there is no place. Never waits.
    pub fn note(&self, mut attack: Attack) {
        shorten(&mut attack);
        let outcome = attack.outcome();
        if self.queue.try_send(Command::Seen(Box::new(attack))).is_err() {
            self.shared.lost.queue[outcome as usize].fetch_add(1, Ordering::Relaxed);
            self.shared.lost.untold.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Waits until everything that was noted before is counted and written.
    pub fn flush(&self) {
        let (done, waits) = mpsc::sync_channel(1);
        if self.queue.send(Command::Flush(done)).is_ok() {
            // The thread ends only when it is told to; then there is nothing to wait for.
            let _ = waits.recv();
        }
    }

    /// Writes what is left and ends the thread.
    pub fn close(&self) {
        if let Some(worker) = self.worker.lock().take() {
            let _ = self.queue.send(Command::Stop);
            let _ = worker.join();
        }
    }

    /// Counts over a span.
    #[must_use]
    pub fn tally(&self, span: &Span, wanted: &Wanted) -> Tally {
        self.shared.tallies.lock().tally(span, wanted)
    }

    /// The routes and rules that were seen within thirty days, for choosing among them.
    #[must_use]
    pub fn seen(&self) -> (Vec<Place>, Vec<u64>) {
        self.shared.tallies.lock().seen()
    }

    /// What a rule says, as far as it was seen.
    #[must_use]
    pub fn message(&self, rule: u64) -> Option<Arc<str>> {
        self.shared.tallies.lock().message(rule)
    }

    /// Events in detail before the one with the number `before`, newest first. Reads from the disk.
    #[must_use]
    pub fn list(&self, wanted: &Wanted, before: Option<u64>, most: usize) -> Listed {
        let (places, next) = self.shared.log.lock().find(wanted, before, most.clamp(1, MOST_WALKED));
        let folder = self.shared.log.lock().folder();
        let attacks =
            places.into_iter().filter_map(|place| Some((place.number(), log::read(&folder, place)?)));
        Listed { attacks: attacks.collect(), next }
    }

    /// How many events that are wanted are kept in detail.
    #[must_use]
    pub fn count(&self, wanted: &Wanted) -> usize {
        self.shared.log.lock().count(wanted)
    }

    /// The event with this reference, however it is written: without regard to case, spaces and hyphens. Reads from the
    /// disk.
    #[must_use]
    pub fn one(&self, reference: &str) -> Option<Attack> {
        let (place, folder) = {
            let log = self.shared.log.lock();
            (log.named(&plain::reference(reference))?, log.folder())
        };
        log::read(&folder, place)
    }

    /// What would have been refused where the shield only detects: by place, rule and target, most frequent first, from the
    /// last [`MOST_WALKED`] of those events that are kept. Reads from the disk.
    #[must_use]
    pub fn would_refuse(&self, wanted: &Wanted) -> Vec<WouldRefuse> {
        let wanted = Wanted { outcome: Some(Outcome::WouldRefuse), ..wanted.clone() };
        let mut found: BTreeMap<(Place, u64, Option<Box<str>>), WouldRefuse> = BTreeMap::new();
        for (_, attack) in self.list(&wanted, None, MOST_WALKED).attacks {
            let place = attack.route.clone().map_or(Place::Nowhere, Place::Route);
            for rule in attack.rules.into_iter().filter(|rule| !rule.is_deciding()) {
                let key = (place.clone(), rule.id, rule.target.clone());
                let line = found.entry(key).or_insert_with(|| WouldRefuse {
                    place: place.clone(),
                    rule: rule.id,
                    message: rule.message,
                    severity: rule.severity,
                    tags: rule.tags,
                    target: rule.target,
                    count: 0,
                    last: attack.at,
                    reference: attack.reference.clone(),
                });
                line.count += 1;
            }
        }
        let mut found: Vec<WouldRefuse> = found.into_values().collect();
        found.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| b.last.cmp(&a.last)));
        found
    }

    /// How much is kept, and what fell to the bounds.
    #[must_use]
    pub fn kept(&self) -> Kept {
        let of = |number: &AtomicU64| number.load(Ordering::Relaxed);
        let lost = &self.shared.lost;
        let (events, since) = self.shared.log.lock().extent();
        Kept {
            events,
            since,
            untold: of(&lost.untold),
            sampled: of(&lost.sampled),
            unwritten: of(&lost.unwritten),
            damaged: of(&lost.damaged),
        }
    }
}

impl Drop for Attacks {
    fn drop(&mut self) {
        self.close();
    }
}

/// Keeps an event that waits small: at most [`MOST_RULES`] rules, the one that decided among them.
fn shorten(attack: &mut Attack) {
    if attack.rules.len() <= MOST_RULES {
        return;
    }
    let decides = |rule: &Rule| Some(rule.id) == attack.by;
    if let Some(place) = attack.rules.iter().skip(MOST_RULES).position(decides) {
        attack.rules.swap(MOST_RULES - 1, MOST_RULES + place);
    }
    attack.rules.truncate(MOST_RULES);
    attack.rules.shrink_to_fit();
}
