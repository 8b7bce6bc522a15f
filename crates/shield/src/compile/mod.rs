//! From text to an [`Engine`]: rules numbered, patterns compiled, jumps resolved, names interned.

mod build;
mod captured;
mod fold;
mod gather;
pub(crate) mod ir;
mod left_out;
mod names;
mod patterns;
mod slots;

use crate::pattern::{PatternId, Scanner};
use crate::seclang::{Config, Fault, Mode, Place, Variable};
use crate::transaction::{Constants, Pool};
use build::Build;
pub use gather::Disabled;
use gather::Gathered;
use ir::{Chain, Rule, RuleIndex, Source};
pub(crate) use patterns::{Key, Sought, sought};
use slots::Slots;

/// Where text of rules and data of operators come from. The engine itself opens no file.
pub trait Files {
    /// The bytes of a file of rules.
    fn read(&self, name: &str) -> Option<Vec<u8>>;
    /// The bytes of a file of data that a rule in the file `from` names.
    fn data(&self, from: &str, name: &str) -> Option<Vec<u8>>;
    /// Names of the files that `pattern` of an `Include` in the file `from` means, in order of their names.
    fn matching(&self, from: &str, pattern: &str) -> Vec<String>;
}

/// Settings that the rules make for the engine.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// Whether rules decide.
    pub mode: Mode,
    /// Whether bodies of requests are read.
    pub request_body: bool,
    /// Whether bodies of answers are read.
    pub response_body: bool,
    /// Largest body of a request, bytes.
    pub request_limit: u64,
    /// Whether a larger one is inspected up to the limit; else it is refused.
    pub request_partial: bool,
    /// How much of an answer is inspected, bytes.
    pub response_limit: u64,
    /// Media types of answers that are inspected, in lower case.
    pub response_types: Vec<String>,
    /// Limits of what is parsed out of a request.
    pub limits: crate::body::Limits,
    /// Seconds for which a member of a persistent collection lives unless it is touched.
    pub collection_timeout: u32,
}

/// A set of rules, ready to run. Shared by all transactions.
#[derive(Debug)]
pub struct Engine {
    pub(crate) rules: Vec<Rule>,
    pub(crate) heads: [Vec<RuleIndex>; 5],
    /// For each head, how to find out quickly that it does not match.
    pub(crate) quick: [Vec<ir::Quick>; 5],
    pub(crate) quick_sources: Vec<ir::SourceIndex>,
    pub(crate) chains: Vec<Chain>,
    pub(crate) sources: Vec<Source>,
    pub(crate) slots: Slots,
    pub(crate) constants: Constants,
    pub(crate) sought: Vec<Sought>,
    /// Patterns of dead rules alone.
    pub(crate) asleep: Vec<(u32, Key)>,
    /// Rules that cannot run under the settings that are loaded, and rules on which that rests.
    pub(crate) dead: Vec<bool>,
    pub(crate) folded_by: Vec<RuleIndex>,
    pub(crate) request_scanner: Scanner,
    pub(crate) response_scanner: Scanner,
    pub(crate) settings: Settings,
    /// Which variables some rule looks at, so that others are not filled.
    pub(crate) used: Vec<bool>,
    pub(crate) buffers: Pool,
    summary: Summary,
}

/// What was loaded, for people.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Summary {
    /// Rules of each phase, 1 to 5, chains counted once.
    pub phases: [usize; 5],
    /// Rules by the number of their tag `paranoia-level/N`; index 0: without such a tag.
    pub paranoia: [usize; 5],
    /// Of all these, rules above the paranoia level that is set: they are read and checked, and do not run.
    pub above_level: usize,
    /// Rules that will not run, and why.
    pub disabled: Vec<Disabled>,
    /// Directives that ask nothing of this engine, with the reason.
    pub without: Vec<(Place, String, &'static str)>,
    /// Distinct patterns and lists of phrases.
    pub patterns: usize,
    /// Bytes of all patterns and scanners as compiled; their caches grow to twice that or less.
    pub memory: usize,
}

/// What a rule says about itself, for people who read what matched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Described<'a> {
    /// Its id.
    pub id: u64,
    /// Phase, 1 to 5.
    pub phase: u8,
    /// Severity, 0 (emergency) to 7 (debug).
    pub severity: Option<u8>,
    /// Where it stands.
    pub place: &'a Place,
    /// Its tags.
    pub tags: &'a [Box<str>],
    /// Its `msg`, with `…` for what a request would put in: no value of anybody.
    pub message: String,
}

impl Engine {
    /// All rules, chains once, in the order of phases.
    pub fn described(&self) -> impl Iterator<Item = Described<'_>> {
        self.heads.iter().flatten().filter_map(|head| {
            let rule = self.rules.get(*head as usize)?;
            let about = &rule.about;
            let message = about.message.pieces.iter().map(|piece| match piece {
                ir::Piece::Plain(bytes) => String::from_utf8_lossy(bytes),
                ir::Piece::Slot(_) | ir::Piece::Value(..) => "…".into(),
            });
            Some(Described {
                id: rule.id,
                phase: rule.phase,
                severity: about.severity,
                place: &rule.place,
                tags: &about.tags,
                message: message.collect(),
            })
        })
    }

    /// Loads files of rules in this order and compiles them on `threads` threads.
    ///
    /// # Errors
    /// Everything that cannot be honoured. There is no engine with part of the rules.
    pub fn load(files: &dyn Files, roots: &[String], threads: usize) -> Result<Self, Vec<Fault>> {
        let mut gathered = Gathered::read(files, roots);
        let mut build = Build::new(files);
        build.rules(&gathered);
        let (quick, quick_sources) = build.quick();
        let fold::Folded { dead, by: folded_by } =
            fold::fold(&build.rules, &build.heads, &quick, |slot| build.slots.name(slot).to_vec());
        let (sought, asleep) = build.compile(&dead, threads);
        let mut faults = std::mem::take(&mut gathered.faults);
        faults.append(&mut build.faults);
        if !faults.is_empty() {
            return Err(faults);
        }
        let settings = settings(&gathered);
        let [request, response] = [false, true].map(|response| {
            let wanted = wanted(&build.rules, &dead, response, sought.len());
            Scanner::new(sought.iter().zip(0_u32..).filter(|(_, index)| wanted[*index as usize]).filter_map(
                |(sought, index)| {
                    let gate = match sought {
                        Sought::Pattern(pattern) => pattern.gate(),
                        Sought::Phrases(phrases) => phrases.gate(),
                        Sought::Nothing => return None,
                    };
                    Some((PatternId(index), gate))
                },
            ))
        });
        let mut used = vec![false; Variable::COUNT];
        for rule in &build.rules {
            rule.targets.iter().for_each(|target| used[target.variable as usize] = true);
            rule.for_each_text(&mut |text| {
                for piece in &text.pieces {
                    if let ir::Piece::Value(variable, _) = piece {
                        used[*variable as usize] = true;
                    }
                }
            });
        }
        let memory = sought
            .iter()
            .map(|sought| match sought {
                Sought::Pattern(pattern) => pattern.memory(),
                Sought::Phrases(phrases) => phrases.memory(),
                Sought::Nothing => 0,
            })
            .sum::<usize>()
            + request.memory()
            + response.memory();
        let summary = summary(&build, &dead, gathered, sought.len(), memory);
        Ok(Self {
            rules: build.rules,
            heads: build.heads,
            quick,
            quick_sources,
            chains: build.chains,
            sources: build.sources,
            slots: build.slots,
            constants: build.constants,
            sought,
            asleep,
            dead,
            folded_by,
            request_scanner: request,
            response_scanner: response,
            settings,
            used,
            buffers: Pool::default(),
            summary,
        })
    }

    /// What was loaded.
    #[must_use]
    pub fn summary(&self) -> &Summary {
        &self.summary
    }

    /// Words of a set of patterns.
    pub(crate) fn words(&self) -> usize {
        self.sought.len().div_ceil(64)
    }

    /// What the rules set for the engine.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }
}

/// Which patterns are looked for in bodies of answers, or in everything else.
fn wanted(rules: &[Rule], dead: &[bool], response: bool, count: usize) -> Vec<bool> {
    let mut wanted = vec![false; count];
    for (rule, _) in rules.iter().zip(dead).filter(|(_, dead)| !**dead) {
        if let ir::Test::Pattern(index) | ir::Test::Phrases(index) = rule.test
            && rule.targets.iter().any(|target| (target.variable == Variable::ResponseBody) == response)
        {
            wanted[index as usize] = true;
        }
    }
    wanted
}

fn summary(build: &Build<'_>, dead: &[bool], gathered: Gathered, patterns: usize, memory: usize) -> Summary {
    let mut summary = Summary { patterns, memory, ..Summary::default() };
    for (count, heads) in summary.phases.iter_mut().zip(&build.heads) {
        *count = heads.len();
    }
    for &head in build.heads.iter().flatten() {
        summary.above_level += usize::from(dead[head as usize]);
        let tags = &build.rules[head as usize].about.tags;
        let level = tags.iter().find_map(|tag| tag.strip_prefix("paranoia-level/")?.parse::<usize>().ok());
        summary.paranoia[level.filter(|level| *level < 5).unwrap_or(0)] += 1;
    }
    summary.disabled = gathered.disabled;
    summary.without = gathered.without;
    summary
}

fn settings(gathered: &Gathered) -> Settings {
    let mut settings = Settings {
        mode: Mode::On,
        request_body: true,
        response_body: true,
        request_limit: 128 * 1024,
        request_partial: false,
        response_limit: 512 * 1024,
        response_types: ["text/plain", "text/html", "text/xml"].map(str::to_owned).to_vec(),
        limits: crate::body::Limits::default(),
        collection_timeout: 3_600,
    };
    for config in &gathered.configs {
        match *config {
            Config::Engine(mode) => settings.mode = mode,
            Config::RequestBodyAccess(on) => settings.request_body = on,
            Config::ResponseBodyAccess(on) => settings.response_body = on,
            Config::Arguments(count) => settings.limits.arguments = count as usize,
            Config::JsonDepth(depth) => settings.limits.depth = (depth as usize).min(settings.limits.depth),
            Config::RequestBodyLimit(bytes) => settings.request_limit = bytes,
            Config::ResponseBodyLimit(bytes) => settings.response_limit = bytes,
            Config::RequestBodyPartial(partial) => settings.request_partial = partial,
            Config::ResponseBodyPartial(_) => {}
            Config::CollectionTimeout(seconds) => settings.collection_timeout = seconds,
        }
    }
    if let Some(types) = &gathered.response_types {
        settings.response_types = types.iter().map(|media| media.to_ascii_lowercase()).collect();
    }
    settings
}
