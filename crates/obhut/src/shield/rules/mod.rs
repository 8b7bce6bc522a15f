//! Loads the rules of the shield: a Core Rule Set as it unpacks or as Debian lays it out, files of somebody's own, or the
//! program's baseline pack; with `[shield]` put into their language around them.
//!
//! Nothing is passed over in silence: what cannot be honoured is an error, and what is put in other words is told.
//!
//! In this order: settings of the rules, what `[shield]` says of levels and thresholds, refusal of bodies that cannot be
//! read, the profile over CRS, exclusions for applications, rules, the profile's second part, mode and limits of the
//! engine.

mod amended;
mod embedded;
mod exclusions;
mod files;
mod layout;
mod overruled;
mod settings;
#[cfg(test)]
mod tests;

use crate::system::Problem;
use amended::Amended;
pub(crate) use exclusions::{BadExclusion, exclusions, shown};
use files::Library;
pub(crate) use files::Why;
use gateway::config::ShieldTable;
use layout::Layout;
pub(crate) use layout::{CURRENT, Kind, NoRules};
pub(crate) use overruled::Overruled;
pub(crate) use settings::{BadSetting, Extra};
use shield::{Engine, Fault};
use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Most threads that compile.
const THREADS: usize = 8;

/// Rules, ready to run.
#[derive(Debug)]
pub(crate) struct Loaded {
    /// What runs them.
    pub(crate) engine: Arc<Engine>,
    /// What they are.
    pub(crate) kind: Kind,
    /// Where they come from; nowhere for the baseline pack.
    pub(crate) place: Option<PathBuf>,
    /// Files that were read, data included, texts of the program's own apart.
    pub(crate) files: usize,
    /// Rules that were put in other words or left out, since they could not be honoured as they are.
    pub(crate) amended: Vec<Amended>,
    /// What their settings say and `[shield]` says otherwise.
    pub(crate) overruled: Vec<Overruled>,
}

/// Why there are no rules to run.
#[derive(Debug)]
pub(crate) enum Unloadable {
    /// The place holds none.
    NoRules(NoRules),
    /// A setting is out of its limits.
    Setting(BadSetting),
    /// There are no exclusions for an application of this name.
    App(String),
    /// Something in them cannot be honoured: all of it, and why files were not read.
    Faults(Vec<Fault>, BTreeMap<String, Why>),
}

impl fmt::Display for Unloadable {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoRules(why) => why.fmt(out),
            Self::Setting(why) => why.fmt(out),
            Self::App(name) => write!(out, "`shield.apps`: there are no exclusions for `{name}`"),
            Self::Faults(faults, refused) => {
                let lines = faults.iter().map(|fault| line(fault, refused)).collect::<Vec<_>>();
                let (count, s) = (lines.len(), if lines.len() == 1 { "" } else { "s" });
                write!(out, "{count} thing{s} in the rules cannot be honoured:\n{}", lines.join("\n"))
            }
        }
    }
}

/// A fault in a line, with why a file was not read.
pub(crate) fn line(fault: &Fault, refused: &BTreeMap<String, Why>) -> String {
    match refused.get(&fault.construct) {
        Some(why) => format!("{fault}: {why}"),
        None => fault.to_string(),
    }
}

impl Unloadable {
    /// The way out.
    pub(crate) fn way_out(&self) -> String {
        match self {
            Self::NoRules(_) => {
                "`rules` under [shield] names a folder; without it the program's own rules protect".to_owned()
            }
            Self::Setting(_) => "docs/config.md has the limits of every key".to_owned(),
            Self::App(_) => match embedded::apps().join(", ") {
                none if none.is_empty() => "leave `apps` out".to_owned(),
                names => format!("there are: {names}"),
            },
            Self::Faults(..) => {
                "`obhut rules check` lists them; mend the rules, or take a rule out of the files".to_owned()
            }
        }
    }
}

impl From<Unloadable> for Problem {
    fn from(error: Unloadable) -> Self {
        Self::with_help(error.to_string(), error.way_out())
    }
}

/// Loads the rules that `[shield]` names, relative to the data folder `base`.
///
/// # Errors
/// Everything that cannot be honoured: there is no engine with part of the rules.
pub(crate) fn load(table: &ShieldTable, base: &Path) -> Result<Loaded, Unloadable> {
    load_with(table, base, &Extra::default())
}

/// Loads rules with more settings than `[shield]` has, for trials.
pub(crate) fn load_with(table: &ShieldTable, base: &Path, extra: &Extra) -> Result<Loaded, Unloadable> {
    load_from(table, base, extra, Path::new(layout::DEBIAN_SETTINGS))
}

fn load_from(table: &ShieldTable, base: &Path, extra: &Extra, debian: &Path) -> Result<Loaded, Unloadable> {
    settings::check(table).map_err(Unloadable::Setting)?;
    let place = table.rules.as_ref().map(|rules| base.join(rules));
    let (kind, layout) = match &place {
        Some(place) => layout::find(place, debian).map_err(Unloadable::NoRules)?,
        None => (Kind::Baseline, Layout::default()),
    };
    let mut library = Library::new(&layout.roots);
    if matches!(&kind, Kind::Core { version: Some(version), .. } if version.starts_with("3.")) {
        library.amending();
    }
    let overruled = overruled::overruled(table, &layout.settings, &library);
    let order = order(table, &kind, layout, extra, &mut library)?;
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get).min(THREADS);
    match Engine::load(&library, &order, threads) {
        Ok(engine) => {
            let (files, _) = library.counted();
            let amended = library.into_amended();
            Ok(Loaded { engine: Arc::new(engine), kind, place, files, amended, overruled })
        }
        Err(faults) => Err(Unloadable::Faults(faults, library.into_refused())),
    }
}

/// The names of all texts in their order.
fn order(
    table: &ShieldTable,
    kind: &Kind,
    layout: Layout,
    extra: &Extra,
    library: &mut Library,
) -> Result<Vec<String>, Unloadable> {
    let mut order = layout.settings;
    order.push(library.add("levels.conf", settings::levels(table, extra)));
    // The baseline pack refuses such bodies by rules of its own.
    if *kind != Kind::Baseline {
        order.push(library.add("bodies.conf", settings::bodies()));
    }
    let profile = table.profile && matches!(kind, Kind::Core { .. });
    let [before, after] = embedded::PROFILE;
    if profile {
        order.push(library.add(before.0, before.1));
    }
    for name in &table.apps {
        let (path, text) = embedded::app(name).ok_or_else(|| Unloadable::App(name.clone()))?;
        order.push(library.add(path, text));
    }
    order.extend(layout.before);
    order.extend(layout.rules);
    if *kind == Kind::Baseline {
        order.extend(embedded::BASELINE.iter().map(|(path, text)| library.add(path, *text)));
    }
    order.extend(layout.after);
    if profile {
        order.push(library.add(after.0, after.1));
    }
    order.push(library.add("engine.conf", settings::engine(table)));
    Ok(order)
}
