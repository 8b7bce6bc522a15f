//! Attacks and exclusions as the console's pages see and change them.

use super::exclusions::{self, Unwritten};
use crate::system::{Problem, complain};
use console::{
    AttacksView, Exclusion, ExclusionError, ExclusionSource, NewExclusion, ShieldState, Signature,
};
use gateway::config::ExcludeTable;
use model::{TenantId, Timestamp};
use parking_lot::Mutex;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use watch::attacks::Attacks;

/// Longest reason in characters.
const LONGEST_REASON: usize = 300;
/// Most rules that one exclusion switches off.
const MOST_RULES: usize = 50;

/// The rules that run, as far as exclusions are concerned.
pub(crate) trait InForce: Send + Sync {
    /// The tenant whose app stands behind the gateway, once the house is open.
    fn tenant(&self) -> Option<TenantId>;

    /// How the shield is.
    fn state(&self) -> ShieldState;

    /// The names of the routes.
    fn routes(&self) -> Vec<String>;

    /// The exclusions of the configuration.
    fn configured(&self) -> Vec<ExcludeTable>;

    /// Ids of the rules that run and only decide on what others found, or keep the score for that.
    fn deciding(&self) -> BTreeSet<u64>;

    /// Ids of the rules that run and that an exclusion means.
    fn meant(&self, row: &ExcludeTable) -> Vec<u64>;

    /// Whether the rules that run can honour an exclusion.
    fn honours(&self, row: &ExcludeTable) -> Result<(), ExclusionError>;

    /// Puts these exclusions in force, beside those of the configuration.
    fn put(&self, rows: &[ExcludeTable]) -> Result<(), Problem>;
}

/// What the console may ask and do.
pub(crate) struct View {
    attacks: Arc<Attacks>,
    rules: Arc<dyn InForce>,
    data: PathBuf,
    /// Those of the file.
    rows: Mutex<Vec<ExcludeTable>>,
    sync: exclusions::FolderSync,
}

impl View {
    /// With the exclusions that lie in the data folder.
    pub(crate) fn new(
        attacks: Arc<Attacks>,
        rules: Arc<dyn InForce>,
        data: PathBuf,
        rows: Vec<ExcludeTable>,
    ) -> Self {
        Self { attacks, rules, data, rows: Mutex::new(rows), sync: exclusions::sync }
    }

    /// Reads the file anew, and keeps what it says if it can be put in force. No change comes in between.
    pub(crate) fn again(
        &self,
        put: impl FnOnce(&[ExcludeTable]) -> Result<(), Problem>,
    ) -> Result<(), Problem> {
        let mut standing = self.rows.lock();
        let rows = exclusions::read(&self.data)?;
        put(&rows)?;
        *standing = rows;
        Ok(())
    }

    /// New rows in their form, if each can be honoured and none stands already.
    fn checked(
        &self,
        new: &[NewExclusion],
        by: &Signature,
        standing: &[ExcludeTable],
    ) -> Result<Vec<ExcludeTable>, (usize, ExclusionError)> {
        let routes: BTreeSet<String> = self.rules.routes().into_iter().collect();
        let mut ids: BTreeSet<String> =
            standing.iter().chain(&self.rules.configured()).map(exclusions::id).collect();
        let deciding = self.rules.deciding();
        let mut rows = Vec::with_capacity(new.len());
        for (number, one) in new.iter().enumerate() {
            let refuse = |error| Err((number, error));
            let row = row(one, by);
            if !row.routes.iter().all(|name| routes.contains(name)) {
                return refuse(ExclusionError::UnknownRoute);
            }
            if !is_reason(&one.because) {
                return refuse(ExclusionError::Because);
            }
            self.fits(&row, &deciding).map_err(|error| (number, error))?;
            if !ids.insert(exclusions::id(&row)) {
                return refuse(ExclusionError::Standing);
            }
            if standing.len() + rows.len() >= exclusions::MOST {
                return refuse(ExclusionError::TooMany);
            }
            rows.push(row);
        }
        if exclusions::whole(&[standing, rows.as_slice()].concat()).is_none() {
            return Err((0, ExclusionError::TooMany));
        }
        Ok(rows)
    }

    /// Whether the rules that run can honour a row, and would still decide.
    fn fits(&self, row: &ExcludeTable, deciding: &BTreeSet<u64>) -> Result<(), ExclusionError> {
        let is_long = |part: &str| part.len() > exclusions::LONGEST_PART;
        if is_long(&row.rules) {
            return Err(ExclusionError::Rules);
        }
        if row.target.as_deref().is_some_and(is_long) {
            return Err(ExclusionError::Target);
        }
        self.rules.honours(row)?;
        let meant = self.rules.meant(row);
        if meant.iter().any(|id| deciding.contains(id)) {
            return Err(ExclusionError::Deciding);
        }
        if row.target.as_deref().is_none_or(selects_all) && meant.len() > MOST_RULES {
            return Err(ExclusionError::TooWide(meant.len()));
        }
        Ok(())
    }

    /// Writes rows and puts them in force; on failure both are as they were.
    fn change(
        &self,
        standing: &mut Vec<ExcludeTable>,
        rows: Vec<ExcludeTable>,
    ) -> Result<(), ExclusionError> {
        self.write(&rows, standing)?;
        if self.rules.put(&rows).is_err() {
            // The file must not say what does not run: at the next start it would.
            let back = exclusions::place(&self.data, standing).and_then(|()| (self.sync)(&self.data));
            return Err(if back.is_ok() { ExclusionError::NotLoaded } else { ExclusionError::NotWritten });
        }
        *standing = rows;
        Ok(())
    }

    /// Writes rows. Where that fails, those that stood stand in the file again.
    fn write(&self, rows: &[ExcludeTable], standing: &[ExcludeTable]) -> Result<(), ExclusionError> {
        match exclusions::write(&self.data, rows, self.sync) {
            Ok(()) => Ok(()),
            Err(Unwritten::Nothing) => Err(ExclusionError::NotWritten),
            Err(Unwritten::Unsynced) if exclusions::place(&self.data, standing).is_ok() => {
                Err(ExclusionError::NotWritten)
            }
            Err(Unwritten::Unsynced) => {
                // The new rows cannot be taken out of the file again. They would run from the next start on, so they run now.
                let file = exclusions::path(&self.data);
                let what = format!("{}: a loss of power may undo the last change", file.display());
                complain(&Problem::with_help(what, "look at the disk"));
                Ok(())
            }
        }
    }
}

/// Whether a target is all of some variable, and not one member of it.
fn selects_all(target: &str) -> bool {
    let Ok(targets) = shield::seclang::targets(target) else { return true };
    targets.iter().any(|target| target.select == shield::seclang::Select::All)
}

/// A row of the file.
fn row(new: &NewExclusion, by: &Signature) -> ExcludeTable {
    let mut routes = new.routes.clone();
    routes.sort_unstable();
    routes.dedup();
    ExcludeTable {
        routes,
        rules: new.rules.trim().to_owned(),
        target: new.target.as_deref().map(str::trim).filter(|target| !target.is_empty()).map(str::to_owned),
        because: Some(new.because.trim().to_owned()),
        since: Some(by.at.rfc3339()),
        by: Some(by.by.to_string()),
    }
}

fn is_reason(text: &str) -> bool {
    let text = text.trim();
    (1..=LONGEST_REASON).contains(&text.chars().count()) && !text.chars().any(char::is_control)
}

fn shown(row: &ExcludeTable, source: ExclusionSource, effective: bool) -> Exclusion {
    let since = row.since.as_deref().and_then(|text| OffsetDateTime::parse(text, &Rfc3339).ok());
    let ms = |at: OffsetDateTime| i64::try_from(at.unix_timestamp_nanos().div_euclid(1_000_000)).unwrap_or(0);
    Exclusion {
        id: exclusions::id(row),
        source,
        routes: row.routes.clone(),
        rules: row.rules.clone(),
        target: row.target.clone(),
        because: row.because.clone(),
        since: since.map(|at| Timestamp(ms(at))),
        by: row.by.as_deref().and_then(|text| text.parse().ok()),
        effective,
    }
}

impl AttacksView for View {
    fn is_of(&self, tenant: TenantId) -> bool {
        self.rules.tenant() == Some(tenant)
    }

    fn attacks(&self) -> &Attacks {
        &self.attacks
    }

    fn shield(&self) -> ShieldState {
        self.rules.state()
    }

    fn exclusions(&self) -> Vec<Exclusion> {
        let routes: BTreeSet<String> = self.rules.routes().into_iter().collect();
        let of = |row: &ExcludeTable, source| {
            let effective =
                row.routes.iter().all(|name| routes.contains(name)) && self.rules.honours(row).is_ok();
            shown(row, source, effective)
        };
        let configured = self.rules.configured();
        let mut all: Vec<Exclusion> =
            configured.iter().map(|row| of(row, ExclusionSource::Configuration)).collect();
        let rows = self.rows.lock().clone();
        all.extend(rows.iter().map(|row| of(row, ExclusionSource::Console)));
        all
    }

    fn routes(&self) -> Vec<String> {
        self.rules.routes()
    }

    fn preview(&self, new: &[NewExclusion], by: &Signature) -> Result<String, (usize, ExclusionError)> {
        let rows = self.checked(new, by, &self.rows.lock())?;
        exclusions::text(&rows).map_err(|_| (0, ExclusionError::NotWritten))
    }

    fn exclude(&self, new: &[NewExclusion], by: &Signature) -> Result<Vec<String>, (usize, ExclusionError)> {
        let mut standing = self.rows.lock();
        let added = self.checked(new, by, &standing)?;
        let ids = added.iter().map(exclusions::id).collect();
        let mut rows = standing.clone();
        rows.extend(added);
        self.change(&mut standing, rows).map_err(|error| (0, error))?;
        Ok(ids)
    }

    fn lift(&self, id: &str) -> Result<(), ExclusionError> {
        let mut standing = self.rows.lock();
        let rows: Vec<ExcludeTable> =
            standing.iter().filter(|row| exclusions::id(row) != id).cloned().collect();
        if rows.len() == standing.len() {
            return Err(ExclusionError::Unknown);
        }
        self.change(&mut standing, rows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::PrincipalId;
    use std::sync::atomic::{AtomicBool, Ordering};
    use testkit::TestClock;

    /// Rules that know some ids and one target.
    #[derive(Default)]
    struct Fake {
        put: Mutex<Vec<ExcludeTable>>,
        fails: AtomicBool,
    }

    impl InForce for Fake {
        fn tenant(&self) -> Option<TenantId> {
            Some(TenantId([1; 16]))
        }

        fn state(&self) -> ShieldState {
            ShieldState::default()
        }

        fn routes(&self) -> Vec<String> {
            vec!["workers".to_owned(), "roster".to_owned()]
        }

        fn configured(&self) -> Vec<ExcludeTable> {
            vec![ExcludeTable { rules: "930100".into(), ..ExcludeTable::default() }]
        }

        fn deciding(&self) -> BTreeSet<u64> {
            BTreeSet::from([949_110, 9_000_100])
        }

        fn meant(&self, row: &ExcludeTable) -> Vec<u64> {
            let number = |text: &str| text.parse::<u64>().expect("a number");
            match (row.rules.as_str(), row.rules.split_once('-')) {
                ("tag:OWASP_CRS", _) => vec![942_100, 942_190, 949_110],
                (_, Some((from, to))) => (number(from)..=number(to)).collect(),
                (one, None) => vec![number(one)],
            }
        }

        fn honours(&self, row: &ExcludeTable) -> Result<(), ExclusionError> {
            if row.rules == "1" {
                return Err(ExclusionError::Rules);
            }
            if row.target.as_deref().is_some_and(|target| !target.starts_with("ARGS")) {
                return Err(ExclusionError::Target);
            }
            Ok(())
        }

        fn put(&self, rows: &[ExcludeTable]) -> Result<(), Problem> {
            if self.fails.load(Ordering::SeqCst) {
                return Err(Problem::new("they do not fit"));
            }
            rows.clone_into(&mut self.put.lock());
            Ok(())
        }
    }

    struct House {
        folder: tempfile::TempDir,
        rules: Arc<Fake>,
        view: View,
    }

    const BY: Signature = Signature { by: PrincipalId([7; 16]), at: Timestamp(1_795_435_200_000) };

    fn house() -> House {
        let folder = tempfile::tempdir().expect("a folder");
        let rules = Arc::new(Fake::default());
        let attacks = super::super::open(folder.path(), Arc::new(TestClock::at(0))).expect("opens");
        let view = View::new(attacks, rules.clone(), folder.path().to_owned(), Vec::new());
        House { folder, rules, view }
    }

    fn new(rules: &str, target: Option<&str>) -> NewExclusion {
        NewExclusion {
            routes: vec!["workers".to_owned()],
            rules: rules.to_owned(),
            target: target.map(str::to_owned),
            because: " prose ".to_owned(),
        }
    }

    #[test]
    fn what_is_previewed_is_written_put_in_force_and_taken_back() {
        let house = house();
        let news = [new("942100", Some("ARGS:note")), new("942190", None)];
        let preview = house.view.preview(&news, &BY).expect("fits");
        assert!(!exclusions::path(house.folder.path()).exists(), "a preview writes nothing");
        let ids = house.view.exclude(&news, &BY).expect("made");
        let text = std::fs::read_to_string(exclusions::path(house.folder.path())).expect("written");
        assert!(text.ends_with(&preview) && preview.contains("because = \"prose\""), "{text}\n{preview}");
        assert_eq!(*house.rules.put.lock(), exclusions::read(house.folder.path()).expect("read"));
        let all = house.view.exclusions();
        assert_eq!((all.len(), all[0].is_liftable(), all[1].id.clone()), (3, false, ids[0].clone()));
        assert_eq!((all[1].since, all[1].by), (Some(BY.at), Some(BY.by)));
        assert_eq!(house.view.exclude(&news[..1], &BY), Err((0, ExclusionError::Standing)));
        house.view.lift(&ids[0]).expect("lifted");
        assert_eq!(house.view.lift(&ids[0]), Err(ExclusionError::Unknown));
        assert_eq!(house.view.lift(&all[0].id), Err(ExclusionError::Unknown), "the configuration's");
        assert_eq!(exclusions::read(house.folder.path()).expect("read").len(), 1);
        assert_eq!(house.rules.put.lock().len(), 1);
    }

    #[test]
    fn what_cannot_be_honoured_is_said_and_nothing_of_it_is_made() {
        let house = house();
        let elsewhere = NewExclusion { routes: vec!["nowhere".into()], ..new("942100", None) };
        let reason = |because: &str| NewExclusion { because: because.to_owned(), ..new("942100", None) };
        let everywhere = NewExclusion { routes: Vec::new(), ..new("930100", None) };
        for (wrong, error) in [
            (elsewhere, ExclusionError::UnknownRoute),
            (reason(" "), ExclusionError::Because),
            (reason("a\nb"), ExclusionError::Because),
            (reason(&"ä".repeat(301)), ExclusionError::Because),
            (new("1", None), ExclusionError::Rules),
            (new("942100", Some("TX:score")), ExclusionError::Target),
            (new("942190", None), ExclusionError::Standing),
            (everywhere, ExclusionError::Standing),
            (new("949110", None), ExclusionError::Deciding),
            (new("940000-949999", None), ExclusionError::Deciding),
            (new("tag:OWASP_CRS", None), ExclusionError::Deciding),
            (new("tag:OWASP_CRS", Some("ARGS:note")), ExclusionError::Deciding),
            (new("942100-942150", None), ExclusionError::TooWide(51)),
            (new("942100-942150", Some("ARGS:note|ARGS_NAMES")), ExclusionError::TooWide(51)),
            (new("9000000-9000200", None), ExclusionError::Deciding),
        ] {
            let both = [new("942190", None), wrong.clone()];
            assert_eq!(house.view.exclude(&both, &BY), Err((1, error)), "{wrong:?}");
            assert_eq!(house.view.preview(&both, &BY).err(), Some((1, error)));
        }
        assert!(!exclusions::path(house.folder.path()).exists() && house.rules.put.lock().is_empty());
    }

    #[test]
    fn what_the_rules_do_not_take_is_not_left_in_the_file() {
        let house = house();
        house.view.exclude(&[new("942100", None)], &BY).expect("made");
        house.rules.fails.store(true, Ordering::SeqCst);
        assert_eq!(house.view.exclude(&[new("942190", None)], &BY), Err((0, ExclusionError::NotLoaded)));
        let id = house.view.exclusions()[1].id.clone();
        assert_eq!(house.view.lift(&id), Err(ExclusionError::NotLoaded));
        let left = exclusions::read(house.folder.path()).expect("read");
        assert_eq!((left.len(), left[0].rules.as_str(), house.view.exclusions().len()), (1, "942100", 2));
        house.rules.fails.store(false, Ordering::SeqCst);
        std::fs::create_dir(house.folder.path().join(format!("{}.new", exclusions::FILE)))
            .expect("in the way");
        assert_eq!(house.view.lift(&id), Err(ExclusionError::NotWritten));
        assert_eq!(house.rules.put.lock().len(), 1, "and what is not written is not put in force");
    }

    #[test]
    fn what_is_answered_is_what_stands_in_the_file_and_in_force() {
        let mut house = house();
        house.view.exclude(&[new("942100", None)], &BY).expect("made");
        let stands = |house: &House| {
            let file = exclusions::read(house.folder.path()).expect("read");
            assert_eq!((&file, &file), (&*house.rules.put.lock(), &*house.view.rows.lock()));
            file.into_iter().map(|row| row.rules).collect::<Vec<_>>()
        };
        house.view.sync = |_| Err(std::io::Error::other("no folder can be synced"));
        let made = house.view.exclude(&[new("942190", None)], &BY);
        assert_eq!((made, stands(&house)), (Err((0, ExclusionError::NotWritten)), vec!["942100".to_owned()]));
        let id = house.view.exclusions()[1].id.clone();
        assert_eq!(house.view.lift(&id), Err(ExclusionError::NotWritten));
        assert_eq!(stands(&house), ["942100"]);
        // Where the file cannot be put back either, what it says runs.
        house.view.sync = |data| {
            std::fs::create_dir(data.join(format!("{}.new", exclusions::FILE)))?;
            Err(std::io::Error::other("no folder can be synced"))
        };
        house.view.exclude(&[new("942190", None)], &BY).expect("it stands, and runs");
        assert_eq!(stands(&house), ["942100", "942190"]);
    }

    #[test]
    fn many_rules_are_excluded_for_a_target_or_in_narrower_ranges() {
        let house = house();
        for few in [new("942100-942149", None), new("942100-942999", Some("ARGS:note"))] {
            house.view.exclude(&[few], &BY).expect("made");
        }
    }

    #[test]
    fn what_is_too_long_is_refused_before_anything_is_written() {
        let house = house();
        house.view.exclude(&[new("942100", None)], &BY).expect("made");
        let target = |length| format!("ARGS:/{}/", "x".repeat(length));
        let long = new("942190", Some(&target(exclusions::LONGEST_PART)));
        assert_eq!(house.view.preview(std::slice::from_ref(&long), &BY), Err((0, ExclusionError::Target)));
        assert_eq!(house.view.exclude(&[long], &BY), Err((0, ExclusionError::Target)));
        let zeros = new(&format!("{}942190", "0".repeat(exclusions::LONGEST_PART)), None);
        assert_eq!(house.view.exclude(&[zeros], &BY), Err((0, ExclusionError::Rules)));
        // Reasons and targets that are fine each, and too long for the file together.
        let row = |id: u64| NewExclusion {
            because: "\u{10FFFF}".repeat(LONGEST_REASON),
            ..new(&id.to_string(), Some(&target(exclusions::LONGEST_PART - 10).replace('x', "\u{1}")))
        };
        let rows: Vec<NewExclusion> = (100_000..100_900).map(row).collect();
        assert_eq!(house.view.preview(&rows, &BY), Err((0, ExclusionError::TooMany)));
        assert_eq!(house.view.exclude(&rows, &BY), Err((0, ExclusionError::TooMany)));
        assert_eq!(exclusions::read(house.folder.path()).expect("read").len(), 1, "nothing is lost");
        assert_eq!((house.view.exclusions().len(), house.rules.put.lock().len()), (2, 1));
        house.view.exclude(&rows[..10], &BY).expect("fewer of them fit");
    }

    #[test]
    fn there_is_an_end_to_exclusions() {
        let house = house();
        let rows: Vec<NewExclusion> =
            (0..exclusions::MOST as u64).map(|id| new(&(100_000 + id).to_string(), None)).collect();
        house.view.exclude(&rows, &BY).expect("made");
        assert_eq!(house.view.exclude(&[new("2", None)], &BY), Err((0, ExclusionError::TooMany)));
    }
}
