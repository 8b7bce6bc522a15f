//! Counts by minute and by hour. A line of a count is a place, a rule (none for the event itself), a mode and whether it was
//! refused. Each minute and hour has a largest number of lines, beyond which rules are counted together; events stay exact.

use super::{Attack, Mode, Outcome, Place, Wanted, outcome};
use model::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

pub(super) const MINUTE_MS: i64 = 60_000;
pub(super) const HOUR_MS: i64 = 60 * MINUTE_MS;
const DAY_MS: i64 = 24 * HOUR_MS;
/// So many minutes are kept one by one.
pub(super) const MINUTES: i64 = 180;
/// So many hours.
pub(super) const HOURS: i64 = 30 * 24;
/// Most lines of rules in one minute or hour.
const LINES: usize = 256;
/// Most routes that are told apart.
const ROUTES: usize = 200;
/// Most rules whose message is known.
const MESSAGES: usize = 2_000;

/// Numbers of places.
const NOWHERE: u16 = 0;
const OTHERS: u16 = 1;
/// The rule of lines that count events, and of those that count rules together. SecLang has no rule 0.
const EVENT: u64 = 0;
const OTHER_RULES: u64 = u64::MAX;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    place: u16,
    mode: Mode,
    refused: bool,
    rule: u64,
}

/// The counts of one minute or hour.
#[derive(Clone, Debug, Default)]
struct Bucket {
    /// Ordered by key.
    lines: Vec<(Key, u64)>,
    /// By outcome, what the queue had no place for.
    untold: [u64; 3],
}

impl Bucket {
    fn add(&mut self, key: Key, count: u64) {
        let find = |lines: &[(Key, u64)], key: Key| lines.binary_search_by_key(&key, |line| line.0);
        let (key, place) = match find(&self.lines, key) {
            Err(_) if key.rule != EVENT && self.lines.len() >= LINES => {
                let together = Key { place: OTHERS, rule: OTHER_RULES, ..key };
                (together, find(&self.lines, together))
            }
            place => (key, place),
        };
        match place {
            Ok(place) => self.lines[place].1 = self.lines[place].1.saturating_add(count),
            Err(place) => self.lines.insert(place, (key, count)),
        }
    }

    fn is_empty(&self) -> bool {
        self.lines.is_empty() && self.untold == [0; 3]
    }
}

/// A bucket as it is written: names instead of numbers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Written {
    /// The number of the minute or hour since 1970.
    pub(super) n: i64,
    /// Route (empty for none, `*` for others), rule (0 for the event itself), mode, refused, count.
    #[serde(default)]
    pub(super) lines: Vec<(String, u64, Mode, bool, u64)>,
    #[serde(default)]
    pub(super) untold: [u64; 3],
}

/// How long a column of a chart is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// A minute.
    Minute,
    /// So many hours.
    Hours(u32),
}

/// A span of time in columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// The beginning of the first column.
    pub from: Timestamp,
    /// How long each is.
    pub step: Step,
    /// How many there are.
    pub columns: usize,
}

impl Span {
    /// The span that ends with the column in which `now` lies.
    #[must_use]
    pub fn ending(now: Timestamp, step: Step, columns: usize) -> Self {
        let long = length(step);
        let last = now.0.div_euclid(long) * long;
        let before = i64::try_from(columns).unwrap_or(0).max(1) - 1;
        Self { from: Timestamp(last.saturating_sub(before.saturating_mul(long))), step, columns }
    }

    /// When each column begins.
    pub fn begins(&self) -> impl Iterator<Item = Timestamp> {
        let (from, long) = (self.from, length(self.step));
        (0..self.columns as i64).map(move |column| from.plus_ms(column * long))
    }

    fn column(&self, at: i64) -> Option<usize> {
        let column = at.checked_sub(self.from.0)?.div_euclid(length(self.step));
        usize::try_from(column).ok().filter(|column| *column < self.columns)
    }
}

fn length(step: Step) -> i64 {
    match step {
        Step::Minute => MINUTE_MS,
        Step::Hours(hours) => i64::from(hours.max(1)) * HOUR_MS,
    }
}

/// Events by outcome.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counted {
    /// Refused.
    pub refused: u64,
    /// Would have been refused.
    pub would: u64,
    /// Passed.
    pub passed: u64,
}

impl Counted {
    fn add(&mut self, outcome: Outcome, count: u64) {
        let sum = match outcome {
            Outcome::Refused => &mut self.refused,
            Outcome::WouldRefuse => &mut self.would,
            Outcome::Passed => &mut self.passed,
        };
        *sum = sum.saturating_add(count);
    }

    /// All of them.
    #[must_use]
    pub fn all(&self) -> u64 {
        self.refused.saturating_add(self.would).saturating_add(self.passed)
    }
}

/// Counts over a span.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Events by column.
    pub columns: Vec<Counted>,
    /// Events, or with a rule asked for its matches, of all columns.
    pub all: Counted,
    /// Matches by rule, most first; none for rules beyond those that are told apart.
    pub rules: Vec<(Option<u64>, Counted)>,
    /// Events by place, most first.
    pub places: Vec<(Place, Counted)>,
    /// Events of which only the outcome is known; they are in `columns` and `all` where nothing but time, mode and outcome
    /// is asked for.
    pub untold: u64,
}

/// All counts.
#[derive(Default)]
pub(super) struct Tallies {
    routes: Vec<Arc<str>>,
    numbers: HashMap<Arc<str>, u16>,
    minutes: BTreeMap<i64, Bucket>,
    hours: BTreeMap<i64, Bucket>,
    messages: HashMap<u64, Arc<str>>,
}

impl Tallies {
    fn number(&mut self, route: Option<&Arc<str>>) -> u16 {
        let Some(route) = route else { return NOWHERE };
        if let Some(number) = self.numbers.get(route) {
            return *number;
        }
        if self.routes.len() >= ROUTES {
            return OTHERS;
        }
        // Below the bound.
        let number = OTHERS + 1 + self.routes.len() as u16;
        self.routes.push(route.clone());
        self.numbers.insert(route.clone(), number);
        number
    }

    fn place(&self, number: u16) -> Place {
        match number {
            NOWHERE => Place::Nowhere,
            OTHERS => Place::Others,
            number => {
                let route = self.routes.get(usize::from(number - OTHERS - 1));
                route.map_or(Place::Others, |route| Place::Route(route.clone()))
            }
        }
    }

    /// Counts an event in its minute and hour, and in what is still to be written.
    pub(super) fn count(&mut self, minute: i64, attack: &Attack, pending: &mut Pending) {
        let place = self.number(attack.route.as_ref());
        let key = |rule| Key { place, mode: attack.mode, refused: attack.refused, rule };
        let mut rules: Vec<u64> = attack.rules.iter().map(|rule| rule.id).filter(|id| *id != EVENT).collect();
        rules.sort_unstable();
        rules.dedup();
        let buckets = [
            self.minutes.entry(minute).or_default(),
            self.hours.entry(minute.div_euclid(60)).or_default(),
            &mut pending.0,
        ];
        for bucket in buckets {
            bucket.add(key(EVENT), 1);
            for rule in &rules {
                bucket.add(key(*rule), 1);
            }
        }
        self.remember(attack);
    }

    /// Counts what the queue had no place for.
    pub(super) fn count_untold(&mut self, minute: i64, untold: [u64; 3], pending: &mut Pending) {
        let buckets = [
            self.minutes.entry(minute).or_default(),
            self.hours.entry(minute.div_euclid(60)).or_default(),
            &mut pending.0,
        ];
        for bucket in buckets {
            bucket.untold.iter_mut().zip(untold).for_each(|(sum, more)| *sum = sum.saturating_add(more));
        }
    }

    /// Remembers what rules say.
    pub(super) fn remember(&mut self, attack: &Attack) {
        for rule in &attack.rules {
            if self.messages.len() < MESSAGES && !self.messages.contains_key(&rule.id) {
                self.messages.insert(rule.id, rule.message.clone());
            }
        }
    }

    pub(super) fn message(&self, rule: u64) -> Option<Arc<str>> {
        self.messages.get(&rule).cloned()
    }

    /// What is pending, as it is written.
    pub(super) fn written(&self, minute: i64, pending: &Pending) -> Option<Written> {
        (!pending.0.is_empty()).then(|| self.write(minute, &pending.0))
    }

    /// A whole hour, as it is written.
    pub(super) fn hour(&self, hour: i64) -> Option<Written> {
        self.hours.get(&hour).map(|bucket| self.write(hour, bucket))
    }

    fn write(&self, number: i64, bucket: &Bucket) -> Written {
        let name = |place| match self.place(place) {
            Place::Nowhere => String::new(),
            Place::Others => "*".to_owned(),
            Place::Route(name) => name.as_ref().to_owned(),
        };
        let line = |(key, count): &(Key, u64)| (name(key.place), key.rule, key.mode, key.refused, *count);
        Written { n: number, lines: bucket.lines.iter().map(line).collect(), untold: bucket.untold }
    }

    /// Takes in counts of an earlier run: of a minute where they are recent, of its hour where that was not written whole.
    pub(super) fn restore_minute(&mut self, written: &Written, with_hour: bool) {
        let minute = written.n;
        self.restore(written, |tallies| tallies.minutes.entry(minute).or_default());
        if with_hour {
            self.restore(written, |tallies| tallies.hours.entry(minute.div_euclid(60)).or_default());
        }
    }

    /// Takes in an hour of an earlier run.
    pub(super) fn restore_hour(&mut self, written: &Written) {
        self.hours.remove(&written.n);
        self.restore(written, |tallies| tallies.hours.entry(written.n).or_default());
    }

    fn restore(&mut self, written: &Written, bucket: impl Fn(&mut Self) -> &mut Bucket) {
        for (name, rule, mode, refused, count) in &written.lines {
            let place = match name.as_str() {
                "" => NOWHERE,
                "*" => OTHERS,
                name => self.number(Some(&Arc::from(name))),
            };
            let key = Key { place, mode: *mode, refused: *refused, rule: *rule };
            bucket(self).add(key, *count);
        }
        let bucket = bucket(self);
        bucket.untold.iter_mut().zip(written.untold).for_each(|(sum, more)| *sum = sum.saturating_add(more));
    }

    /// Hours before this one that hold something.
    pub(super) fn hours_before(&self, hour: i64) -> Vec<i64> {
        self.hours.range(..hour).map(|(hour, _)| *hour).collect()
    }

    /// Forgets what is older than it is kept.
    pub(super) fn forget(&mut self, minute: i64) {
        self.minutes = self.minutes.split_off(&(minute - MINUTES + 1));
        self.hours = self.hours.split_off(&(minute.div_euclid(60) - HOURS + 1));
    }

    /// Bytes of all counts, roughly.
    #[cfg(test)]
    pub(super) fn size(&self) -> usize {
        let lines: usize =
            self.minutes.values().chain(self.hours.values()).map(|bucket| bucket.lines.capacity()).sum();
        lines * size_of::<(Key, u64)>()
    }

    /// Places and rules that were seen.
    pub(super) fn seen(&self) -> (Vec<Place>, Vec<u64>) {
        let (mut places, mut rules) = (BTreeSet::new(), BTreeSet::new());
        for (key, _) in self.hours.values().flat_map(|bucket| &bucket.lines) {
            if key.rule == EVENT {
                places.insert(self.place(key.place));
            } else if key.rule != OTHER_RULES {
                rules.insert(key.rule);
            }
        }
        (places.into_iter().collect(), rules.into_iter().collect())
    }

    /// Counts over a span. `wanted.since` is not looked at: the span says it.
    pub(super) fn tally(&self, span: &Span, wanted: &Wanted) -> Tally {
        let mut sum = Sum { columns: vec![Counted::default(); span.columns], ..Sum::default() };
        let (buckets, long) = match span.step {
            Step::Minute => (&self.minutes, MINUTE_MS),
            Step::Hours(_) => (&self.hours, HOUR_MS),
        };
        let first = span.from.0.div_euclid(long);
        for (number, bucket) in buckets.range(first..) {
            if let Some(column) = span.column(number.saturating_mul(long)) {
                self.sum(bucket, column, wanted, &mut sum);
            }
        }
        let mut tally = Tally { columns: sum.columns, untold: sum.untold, ..Tally::default() };
        for column in &tally.columns {
            for (outcome, count) in [
                (Outcome::Refused, column.refused),
                (Outcome::WouldRefuse, column.would),
                (Outcome::Passed, column.passed),
            ] {
                tally.all.add(outcome, count);
            }
        }
        let most =
            |a: &Counted, b: &Counted| (b.refused, b.would, b.passed).cmp(&(a.refused, a.would, a.passed));
        tally.rules = sum.rules.into_iter().collect();
        tally.rules.sort_by(|a, b| most(&a.1, &b.1).then_with(|| a.0.cmp(&b.0)));
        tally.places = sum.places.into_iter().collect();
        tally.places.sort_by(|a, b| most(&a.1, &b.1).then_with(|| a.0.cmp(&b.0)));
        tally
    }

    fn sum(&self, bucket: &Bucket, column: usize, wanted: &Wanted, sum: &mut Sum) {
        for (key, count) in &bucket.lines {
            let outcome = outcome(key.mode, key.refused);
            let place = self.place(key.place);
            let fits = wanted.mode.is_none_or(|mode| mode == key.mode)
                && wanted.outcome.is_none_or(|one| one == outcome)
                && wanted.place.as_ref().is_none_or(|one| *one == place);
            if !fits {
                continue;
            }
            // With a rule asked for, its matches stand for the events: one event counts a rule once.
            if key.rule == wanted.rule.unwrap_or(EVENT) {
                sum.columns[column].add(outcome, *count);
                sum.places.entry(place).or_default().add(outcome, *count);
            }
            if key.rule != EVENT && wanted.rule.is_none_or(|rule| rule == key.rule) {
                let rule = Some(key.rule).filter(|rule| *rule != OTHER_RULES);
                sum.rules.entry(rule).or_default().add(outcome, *count);
            }
        }
        if wanted.place.is_none() && wanted.rule.is_none() {
            for (outcome, count) in OUTCOMES.into_iter().zip(bucket.untold) {
                // Of what passed nobody knows in which mode.
                let of = [Some(Mode::Block), Some(Mode::Detect), None][outcome as usize];
                let mode_fits = wanted.mode.is_none() || wanted.mode == of;
                if mode_fits && wanted.outcome.is_none_or(|one| one == outcome) {
                    sum.columns[column].add(outcome, count);
                    sum.untold = sum.untold.saturating_add(count);
                }
            }
        }
    }
}

/// In the order of their numbers.
const OUTCOMES: [Outcome; 3] = [Outcome::Refused, Outcome::WouldRefuse, Outcome::Passed];

#[derive(Default)]
struct Sum {
    columns: Vec<Counted>,
    rules: BTreeMap<Option<u64>, Counted>,
    places: BTreeMap<Place, Counted>,
    untold: u64,
}

/// Counts that are not written yet.
#[derive(Default)]
pub(super) struct Pending(Bucket);

/// The UTC day of an hour.
pub(super) fn day_of(hour: i64) -> i64 {
    hour.saturating_mul(HOUR_MS).div_euclid(DAY_MS)
}
