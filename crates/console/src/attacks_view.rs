//! What the binary tells the console of the shield: plain data, since the console knows no gateway.

use model::{PrincipalId, TenantId, Timestamp};
use watch::attacks::Attacks;

/// Who knows what the shield saw, and can exclude its rules.
pub trait AttacksView: Send + Sync {
    /// Whether the app behind the gateway is this tenant's. Others are told that there is no shield.
    fn is_of(&self, tenant: TenantId) -> bool;

    /// What the shield saw.
    fn attacks(&self) -> &Attacks;

    /// How the shield is. Called for a page, so it may take a lock and must not wait.
    fn shield(&self) -> ShieldState;

    /// The exclusions in force, those of the configuration first, each in the order of its file.
    fn exclusions(&self) -> Vec<Exclusion>;

    /// The names of the routes, in the order of the configuration.
    fn routes(&self) -> Vec<String>;

    /// What would be written for these exclusions, and whether the rules that run can honour all of them. Changes nothing.
    ///
    /// # Errors
    /// The first that cannot be honoured, with its number.
    fn preview(&self, new: &[NewExclusion], by: &Signature) -> Result<String, (usize, ExclusionError)>;

    /// Writes exclusions, all or none, and puts them in force. Blocks on the disk and on the rules.
    ///
    /// # Errors
    /// The first that cannot be honoured, or why nothing was written.
    fn exclude(&self, new: &[NewExclusion], by: &Signature) -> Result<Vec<String>, (usize, ExclusionError)>;

    /// Takes an exclusion back that the console wrote. Blocks on the disk and on the rules.
    ///
    /// # Errors
    /// When there is none of this id, or nothing could be written.
    fn lift(&self, id: &str) -> Result<(), ExclusionError>;
}

/// Who changes the shield, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signature {
    /// The principal.
    pub by: PrincipalId,
    /// The moment.
    pub at: Timestamp,
}

/// What the shield does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ShieldDoes {
    /// What the rules refuse is refused.
    Block,
    /// It is only reported.
    Detect,
    /// Nothing is inspected.
    #[default]
    Off,
}

/// How the shield is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ShieldState {
    /// What it does where a route says nothing else.
    pub does: ShieldDoes,
    /// Routes with what it does there, where they say something else.
    pub routes: Vec<(String, ShieldDoes)>,
    /// The name and version of the rules that run; none for the program's own.
    pub rules: Option<String>,
    /// How many rules there are.
    pub count: usize,
    /// When they were loaded.
    pub loaded: Option<Timestamp>,
    /// When a later reload failed: then older rules run than those that lie on the disk.
    pub stale: Option<Timestamp>,
}

/// Where an exclusion comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExclusionSource {
    /// `[[shield.exclude]]` in the configuration; it is taken back there.
    Configuration,
    /// The console wrote it.
    Console,
}

/// A rule, or several, that do not run somewhere, or do not look at something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exclusion {
    /// By which it is taken back.
    pub id: String,
    /// Where it comes from.
    pub source: ExclusionSource,
    /// Names of routes; none is everywhere.
    pub routes: Vec<String>,
    /// An id, a range of ids, or `tag:` and a tag.
    pub rules: String,
    /// What they do not look at; none where they do not run.
    pub target: Option<String>,
    /// Why.
    pub because: Option<String>,
    /// Since when, where it is known.
    pub since: Option<Timestamp>,
    /// By whom, where it is known.
    pub by: Option<PrincipalId>,
    /// Whether the routes and rules that it names are there.
    pub effective: bool,
}

impl Exclusion {
    /// Whether it can be taken back here.
    #[must_use]
    pub fn is_liftable(&self) -> bool {
        self.source == ExclusionSource::Console
    }
}

/// An exclusion to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewExclusion {
    /// Names of routes; none is everywhere.
    pub routes: Vec<String>,
    /// An id, a range of ids, or `tag:` and a tag.
    pub rules: String,
    /// What they do not look at; none where they shall not run.
    pub target: Option<String>,
    /// Why: 1 to 300 characters.
    pub because: String,
}

/// Why an exclusion was not made or taken back. Nothing was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ExclusionError {
    /// There is no route of this name.
    UnknownRoute,
    /// Neither id, range nor tag, or no such rule runs.
    Rules,
    /// Not a target, or none that these rules have.
    Target,
    /// No reason, too long a one, or one with control characters.
    Because,
    /// The very same is in force already.
    Standing,
    /// There are too many.
    TooMany,
    /// There is none of this id that the console wrote.
    Unknown,
    /// Rules that decide on what the others found, or keep the score, are among them: nothing would be refused any more.
    Deciding,
    /// It names no target and would switch this many rules off.
    TooWide(usize),
    /// The file cannot be written.
    NotWritten,
    /// The rules did not take it.
    NotLoaded,
}
