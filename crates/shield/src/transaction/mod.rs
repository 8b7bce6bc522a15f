//! One request and its answer on their way through the phases.

mod buffers;
mod closely;
mod effects;
mod evaluate;
mod expand;
mod fill;
mod overlay;
mod report;
mod sift;
mod texts;
mod tx;
mod values;
mod windows;

use crate::body::Processor;
use crate::collections::{Collections, Key};
use crate::compile::Engine;
use crate::compile::ir::{RuleIndex, Select};
use crate::seclang::{Allow, Mode, Variable};
use buffers::Buffers;
pub(crate) use buffers::Pool;
pub(crate) use expand::held_of;
pub use overlay::{Excluded, Exclusion, Overlay};
pub use report::{Explained, Logged, Matched, Refusal, Report, Verdict};
use sift::Gathered;
use std::net::IpAddr;
use std::sync::Arc;
pub use texts::Texts;
use tx::Tx;
pub(crate) use tx::{Constants, Held};
use values::{ValueId, Values};
use windows::Windows;

/// Who is connected, and when.
#[derive(Clone, Debug)]
pub struct Context {
    /// The client.
    pub client: IpAddr,
    /// Its port.
    pub client_port: u16,
    /// The address that it reached.
    pub server: IpAddr,
    /// The port that it reached.
    pub server_port: u16,
    /// Name of the transaction, unique.
    pub id: String,
    /// Seconds since 1970, UTC.
    pub now: u64,
}

/// The head of a request.
#[derive(Clone, Copy, Debug)]
pub struct Head<'a> {
    /// `GET`
    pub method: &'a [u8],
    /// The target as it came, `/path?query`.
    pub target: &'a [u8],
    /// `HTTP/1.1`
    pub protocol: &'a [u8],
    /// Names and values in the order in which they came.
    pub headers: &'a [(&'a [u8], &'a [u8])],
}

/// One member of a variable.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Entry {
    name: ValueId,
    value: ValueId,
}

/// What matched in the chain that runs.
#[derive(Clone, Copy)]
struct Hit {
    variable: Variable,
    name: ValueId,
    before: ValueId,
    after: ValueId,
}

/// A rule whose target is left out for this transaction: the rules, and which of their lists it stands in.
#[derive(Clone, Copy)]
struct LeftOut {
    rule: RuleIndex,
    effect: u32,
}

/// What is left out of this transaction.
#[derive(Default)]
struct Exclusions {
    /// Rules that do not run, one bit each.
    removed: Vec<u64>,
    /// Targets that rules do not look at, by `ctl`.
    targets: Vec<LeftOut>,
    /// Phases that do not run, by `allow`.
    allowed: Option<Allow>,
    /// Exclusions of the route, beside those of the rules.
    overlay: Option<Arc<Overlay>>,
}

/// What its rules have taken.
#[derive(Default)]
struct Spent {
    /// Bytes that patterns were tried on.
    work: usize,
    /// Something that a rule set found no place.
    overflows: bool,
}

/// How bodies are read, and what is known of their fields.
#[derive(Default)]
struct Body {
    processor: Option<Processor>,
    /// Whether that of the request is read.
    access: bool,
    /// Whether that of the answer is.
    answer: bool,
    /// Whether `REQUEST_BODY` is filled in any case.
    force: bool,
    /// The caller has undone the request's content coding.
    decoded: bool,
    /// The request's could not be read as its type says.
    doubtful: bool,
    /// Readings are added that a request does not declare.
    closely: bool,
    texts: Option<Arc<Texts>>,
    /// The request's is in a character set in which ASCII is something else.
    foreign: bool,
}

/// What came of it so far.
#[derive(Default)]
struct Told {
    report: Report,
    explained: Option<Vec<Explained>>,
    logged: Vec<Logged>,
}

/// One request and its answer. Feed it in order: [`Transaction::request_head`], [`Transaction::request_body`],
/// [`Transaction::response_head`], [`Transaction::response_window`], [`Transaction::finish`].
pub struct Transaction {
    engine: Arc<Engine>,
    collections: Arc<Collections>,
    context: Context,
    values: Values,
    /// Members of each variable.
    entries: Vec<Vec<Entry>>,
    gathered: Gathered,
    tx: Tx,
    environment: Vec<(Vec<u8>, Vec<u8>)>,
    keys: Vec<Key>,
    /// Members that texts asked for by name in this phase.
    members: Vec<(Variable, Box<[u8]>, ValueId)>,
    hits: Vec<Hit>,
    /// Text that is put together, and a value that is transformed apart.
    text: Vec<u8>,
    left: Exclusions,
    body: Body,
    told: Told,
    mode: Mode,
    spent: Spent,
    highest_severity: u8,
    sift: bool,
    windows: Windows,
}

impl Transaction {
    /// A transaction under these rules.
    #[must_use]
    pub fn new(engine: &Arc<Engine>, collections: &Arc<Collections>, context: Context) -> Self {
        let settings = &engine.settings;
        let Buffers { values, entries, gathered, tx, hits, text } = engine.buffers.take(engine);
        Self {
            values,
            entries,
            gathered,
            tx,
            environment: Vec::new(),
            keys: Vec::new(),
            members: Vec::new(),
            hits,
            text,
            left: Exclusions { removed: vec![0; engine.rules.len().div_ceil(64)], ..Exclusions::default() },
            body: Body { access: settings.request_body, answer: settings.response_body, ..Body::default() },
            told: Told::default(),
            mode: settings.mode,
            spent: Spent::default(),
            highest_severity: 255,
            sift: true,
            windows: Windows::default(),
            engine: engine.clone(),
            collections: collections.clone(),
            context,
        }
    }

    /// With the exclusions of a route.
    #[must_use]
    pub fn with_overlay(mut self, overlay: Option<Arc<Overlay>>) -> Self {
        if let Some(overlay) = &overlay {
            for (word, more) in self.left.removed.iter_mut().zip(&overlay.removed) {
                *word |= more;
            }
        }
        self.left.overlay = overlay;
        self
    }

    /// With the fields that are known to hold text.
    #[must_use]
    pub fn with_texts(mut self, texts: Option<Arc<Texts>>) -> Self {
        self.body.texts = texts;
        self
    }

    /// In this mode instead of the one that the rules set.
    #[must_use]
    pub fn in_mode(mut self, mode: Mode) -> Self {
        self.mode = mode;
        self
    }

    /// With every match written down in full: for a request of one's own, never for others'.
    #[must_use]
    pub fn explaining(mut self) -> Self {
        self.told.explained = Some(Vec::new());
        self
    }

    /// Without sifting: each pattern is tried on each value. Slow, and the measure of whether sifting loses nothing.
    #[must_use]
    pub fn without_sifting(mut self) -> Self {
        self.sift = false;
        self
    }

    /// Phase 1: the head of the request.
    pub fn request_head(&mut self, head: &Head<'_>) -> Option<Verdict> {
        if self.mode == Mode::Off {
            return None;
        }
        self.fill_connection();
        if let Err(refusal) = self.fill_head(head) {
            return self.refuse(refusal);
        }
        self.phase(1)
    }

    /// How many bytes of the body are wanted: none where bodies are not read. What is longer is cut there by the caller,
    /// who says so with `whole = false`.
    #[must_use]
    pub fn wanted_of_body(&self) -> u64 {
        if self.body.access && self.mode != Mode::Off { self.engine.settings.request_limit } else { 0 }
    }

    /// Says that the body of the request comes without the content coding that its head names: the caller has undone it, and the
    /// app may do so too. A coded body that nobody has undone is refused.
    pub fn body_is_decoded(&mut self) {
        self.body.decoded = true;
    }

    /// Phase 2: the body, up to the limit.
    pub fn request_body(&mut self, body: &[u8], whole: bool) -> Option<Verdict> {
        if self.mode == Mode::Off {
            return None;
        }
        // Where refusals are only noted, the beginning is looked at all the same.
        if !whole
            && !self.engine.settings.request_partial
            && self.body.access
            && let Some(verdict) = self.refuse(Refusal::BodyTooLarge)
        {
            return Some(verdict);
        }
        if let Err(refusal) = self.fill_body(body, whole) {
            return self.refuse(refusal);
        }
        let verdict = self.phase(2);
        if verdict.is_none() && !matches!(self.left.allowed, Some(Allow::Everything | Allow::Request)) {
            return self.refuse_what_was_not_read();
        }
        verdict
    }

    /// What rules were shown may be something else to the app: they have had their say, and that it passed says nothing.
    fn refuse_what_was_not_read(&mut self) -> Option<Verdict> {
        if self.body.doubtful {
            return self.refuse(Refusal::Unreadable);
        }
        if self.body.foreign {
            return self.refuse(Refusal::Encoded);
        }
        None
    }

    /// Phase 3: the head of the answer.
    pub fn response_head(
        &mut self,
        status: u16,
        protocol: &[u8],
        headers: &[(&[u8], &[u8])],
    ) -> Option<Verdict> {
        if self.mode == Mode::Off {
            return None;
        }
        self.fill_answer(status, protocol, headers);
        self.phase(3)
    }

    /// Whether the body of the answer, by its media type, is looked at.
    #[must_use]
    pub fn wants_answer(&self) -> bool {
        if !self.body.answer || self.mode == Mode::Off || self.engine.heads[3].is_empty() {
            return false;
        }
        let media = self.first(Variable::ResponseContentType);
        self.engine.settings.response_types.iter().any(|wanted| wanted.as_bytes().eq_ignore_ascii_case(media))
    }

    /// Phase 4 over one window of the answer's body. A body that is longer than one window comes in several, each of which
    /// begins with the end of the one before, so that what stands across an edge is seen; a rule matches once in all of them,
    /// and what rules count is what they would have counted in the whole.
    pub fn response_window(&mut self, window: &[u8], last: bool) -> Option<Verdict> {
        if self.mode == Mode::Off || !self.body.answer {
            return None;
        }
        let engine = self.engine.clone();
        self.next_window(&engine);
        self.fill_window(window, last);
        self.phase(4)
    }

    /// Phase 5, and what came of it all.
    pub fn finish(&mut self) -> Report {
        if self.mode != Mode::Off {
            self.left.allowed = None;
            self.phase(5);
        }
        self.told.report.inbound_score = self.score(b"blocking_inbound_anomaly_score");
        self.told.report.outbound_score = self.score(b"blocking_outbound_anomaly_score");
        std::mem::take(&mut self.told.report)
    }

    /// What matched, in full.
    pub fn explained(&mut self) -> Vec<Explained> {
        self.told.explained.take().unwrap_or_default()
    }

    /// What would have been logged, where matches are explained.
    pub fn logged(&mut self) -> Vec<Logged> {
        std::mem::take(&mut self.told.logged)
    }

    /// The value of a variable of `TX` as text, for tests and explanations.
    #[must_use]
    pub fn variable(&self, name: &str) -> Option<Vec<u8>> {
        let held = self.tx.named(&self.engine, name.to_ascii_lowercase().as_bytes());
        held.is_set().then(|| {
            let mut text = Vec::new();
            held.write(&self.engine.constants, &mut text);
            text
        })
    }

    /// What has been decided and seen so far.
    #[must_use]
    pub fn report(&self) -> &Report {
        &self.told.report
    }

    /// Whether refusals hold, or are only noted.
    #[must_use]
    pub fn mode(&self) -> Mode {
        self.mode
    }

    fn score(&self, name: &[u8]) -> i64 {
        self.tx.named(&self.engine, name).number(&self.engine.constants)
    }

    fn refuse(&mut self, refusal: Refusal) -> Option<Verdict> {
        self.told.report.refusal = Some(refusal);
        if self.mode != Mode::On {
            return None;
        }
        let verdict = match refusal {
            Refusal::BodyTooLarge | Refusal::TooMuchWork | Refusal::TooLargeInside => Verdict::Deny(413),
            Refusal::Encoded => Verdict::Deny(415),
            Refusal::TooMuch | Refusal::Unreadable | Refusal::Ambiguous => Verdict::Deny(400),
        };
        self.told.report.verdict = Some(verdict.clone());
        Some(verdict)
    }

    /// Runs the rules of a phase.
    fn phase(&mut self, phase: u8) -> Option<Verdict> {
        match self.left.allowed {
            Some(Allow::Everything) if phase != 5 => return None,
            Some(Allow::Request) if phase <= 2 => return None,
            Some(Allow::Phase | Allow::Request) => self.left.allowed = None,
            _ => {}
        }
        self.gathered.forget();
        self.members.clear();
        let engine = self.engine.clone();
        let heads = &engine.heads[usize::from(phase - 1)];
        let quick = &engine.quick[usize::from(phase - 1)];
        let mut at = 0;
        while let (Some(&head), Some(&quick)) = (heads.get(at), quick.get(at)) {
            at += 1;
            if let Some(ended) = self.exceeded() {
                return ended;
            }
            if !self.may_match(&engine, quick) {
                continue;
            }
            let rule = &engine.rules[head as usize];
            if is_in(&self.left.removed, head) || (phase == 4 && is_in(&self.windows.spent, head)) {
                continue;
            }
            self.in_window(&engine, phase, head);
            if !self.rule(&engine, head) {
                continue;
            }
            if phase == 4
                && !matches!(rule.decision, crate::compile::ir::Decision::Deny(_))
                && looks_at_body(&engine, head)
            {
                put_in(&mut self.windows.spent, head, engine.rules.len());
            }
            if let crate::compile::ir::Jump::To(place) = rule.jump {
                at = place as usize;
            }
            if let Some(verdict) = self.decide(rule, phase) {
                return Some(verdict);
            }
            if self.left.allowed.is_some() && phase != 5 {
                return None;
            }
        }
        self.exceeded().flatten()
    }

    /// Whether the transaction asks for more memory or work than it may have, and what is said to that. Its rules end then, in a
    /// trial as well, which would have no bound otherwise.
    fn exceeded(&mut self) -> Option<Option<Verdict>> {
        if self.values.is_full() || self.tx.is_full() || self.spent.overflows {
            return Some(self.refuse(Refusal::TooLargeInside));
        }
        if self.spent.work > MOST_WORK {
            return Some(self.refuse(Refusal::TooMuchWork));
        }
        None
    }

    /// The first value of a variable.
    fn first(&self, variable: Variable) -> &[u8] {
        self.entries[variable as usize].first().map_or(b"", |entry| self.values.get(entry.value))
    }
}

/// Bytes that all patterns together may be tried on for one transaction. A text of 100 KB that nearly every pattern has to look
/// at takes a quarter of it.
const MOST_WORK: usize = 48 << 20;

/// Whether a rule or a part of its chain looks at the body of the answer.
fn looks_at_body(engine: &Engine, head: RuleIndex) -> bool {
    let mut next = Some(head);
    while let Some(index) = next {
        let rule = &engine.rules[index as usize];
        if rule.targets.iter().any(|target| target.variable == Variable::ResponseBody) {
            return true;
        }
        next = rule.next;
    }
    false
}

fn is_in(set: &[u64], index: u32) -> bool {
    set.get(index as usize / 64).is_some_and(|word| word >> (index % 64) & 1 == 1)
}

fn put_in(set: &mut Vec<u64>, index: u32, count: usize) {
    if set.is_empty() {
        set.resize(count.div_ceil(64), 0);
    }
    if let Some(word) = set.get_mut(index as usize / 64) {
        *word |= 1 << (index % 64);
    }
}

/// Whether a member of that name is chosen.
fn chosen(select: &Select, name: &[u8]) -> bool {
    match select {
        Select::All => true,
        Select::Name(wanted) => wanted.eq_ignore_ascii_case(name),
        Select::Pattern(pattern) => pattern.is_match(name),
        Select::Slot(_) => false,
    }
}

impl Drop for Transaction {
    fn drop(&mut self) {
        let buffers = Buffers {
            values: std::mem::take(&mut self.values),
            entries: std::mem::take(&mut self.entries),
            gathered: std::mem::take(&mut self.gathered),
            tx: std::mem::take(&mut self.tx),
            hits: std::mem::take(&mut self.hits),
            text: std::mem::take(&mut self.text),
        };
        self.engine.buffers.give_back(buffers);
    }
}

impl std::fmt::Debug for Transaction {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Values are the client's; none of them belongs in a log.
        out.debug_struct("Transaction")
            .field("id", &self.context.id)
            .field("mode", &self.mode)
            .finish_non_exhaustive()
    }
}
