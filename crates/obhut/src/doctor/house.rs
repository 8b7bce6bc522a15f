//! The house: store, clock and ledger, as far as they can be seen without a secret.

use super::{Line, fail, ok, warn};
use crate::config::Config;
use crate::system::Problem;
use crate::wiring::SIGNING_KEYS;
use ledger::verify::{Checkpoint, KeyKind, OfflineError, OfflineLog, VerifierKey, open_checkpoint};
use model::{Clock, Timestamp};
use seal::PublicKeys;
use std::path::Path;
use std::sync::Arc;
use store::{OpenError, Snapshot, Store, StoreError};
use vault::{GuardedClock, StartCheck};

pub(super) fn look(config: &Config, trust: Option<&Path>, now: Timestamp) -> Result<Vec<Line>, Problem> {
    let key = trust.map(|path| trusted(config, path)).transpose()?;
    let (mut lines, head) = ledger(config, key.as_ref());
    lines.extend(store(config, head.as_ref(), now));
    Ok(lines)
}

fn trusted(config: &Config, path: &Path) -> Result<VerifierKey, Problem> {
    let unreadable = || Problem::new(format!("{} is not a readable key document", path.display()));
    let json = std::fs::read(path).map_err(|_| unreadable())?;
    let keys = PublicKeys::from_json(&json).map_err(|_| unreadable())?;
    Ok(VerifierKey { name: config.origin.clone(), kind: KeyKind::Ed25519, public: keys.ed25519 })
}

/// The last checkpoint: that the stored hashes lead to its root, and who signed it.
fn ledger(config: &Config, key: Option<&VerifierKey>) -> (Vec<Line>, Option<Checkpoint>) {
    let look_closer =
        "`obhut ledger verify` says where; the server will set the ledger aside and release nothing";
    let log = match OfflineLog::open(&config.ledger_folder(), None) {
        Ok(log) => log,
        Err(OfflineError::Checkpoint) => {
            return (vec![warn("the ledger has no readable checkpoint", look_closer)], None);
        }
        Err(error) => {
            let what = format!("ledger folder {}: {error}", config.ledger_folder().display());
            return (vec![fail(what, "`obhut init` makes it; or is its device not mounted?")], None);
        }
    };
    let head = log.checkpoint().clone();
    let mut lines = vec![match log.root() {
        Ok(root) if root == head.root => {
            ok(format!("the ledger leads to its last checkpoint ({} entries, {})", head.size, head.origin))
        }
        Ok(_) => fail("the ledger does not lead to its last checkpoint", look_closer),
        Err(error) => fail(format!("the ledger cannot be read: {error}"), look_closer),
    }];
    if let Some(key) = key {
        lines.push(match open_checkpoint(log.note(), std::slice::from_ref(key)) {
            Ok(_) => ok("the last checkpoint is signed by the key that you trust"),
            Err(error) => fail(format!("the last checkpoint: {error}"), look_closer),
        });
    }
    (lines, Some(head))
}

fn store(config: &Config, head: Option<&Checkpoint>, now: Timestamp) -> Vec<Line> {
    let folder = config.store_folder();
    if !folder.join("keys.db").exists() {
        let what = format!("there is no key store in {}", folder.display());
        return vec![fail(what, "`obhut init` makes it; or is its device not mounted?")];
    }
    let store = match Store::open(&folder, &store::Options::default()) {
        Ok(store) => store,
        Err(OpenError::Locked) => {
            return vec![ok(
                "the store is in use by the running server, so store and clock were not looked at",
            )];
        }
        Err(error) => return vec![fail(format!("the store: {error}"), "restore the folder from its backup")],
    };
    let lines = open_store(&store, head, now);
    store.close();
    lines.unwrap_or_else(|error| {
        vec![fail(format!("the store: {error}"), "restore the folder from its backup")]
    })
}

fn open_store(store: &Store, head: Option<&Checkpoint>, now: Timestamp) -> Result<Vec<Line>, StoreError> {
    let sound = store.integrity()?;
    let mut lines = Vec::new();
    for (name, sound) in [("keys.db", sound.keys), ("data.db", sound.data)] {
        lines.push(if sound {
            ok(format!("{name} is sound"))
        } else {
            fail(format!("{name} is damaged"), "stop, copy the folder away, and restore it from its backup")
        });
    }
    let snapshot = store.snapshot()?;
    if snapshot.house(SIGNING_KEYS)?.is_none() {
        lines.push(fail("there are no signing keys", "`obhut init` was not finished: make a new folder"));
    }
    lines.push(clock(snapshot.clock_mark()?, now));
    if let Some(head) = head {
        lines.extend(signed(&snapshot, head)?);
    }
    Ok(lines)
}

/// The present moment against the latest one on record.
fn clock(mark: Option<Timestamp>, now: Timestamp) -> Line {
    struct Fixed(Timestamp);
    impl Clock for Fixed {
        fn now(&self) -> Timestamp {
            self.0
        }
    }
    match GuardedClock::new(Arc::new(Fixed(now)), mark).check_start() {
        StartCheck::Behind(ms) => fail(
            format!("the clock stands {} s before the last run", ms / 1_000),
            "set the clock; until then nothing that depends on time works",
        ),
        StartCheck::Jumped(ms) => warn(
            format!("the clock stands {} hours after the last run", ms / 3_600_000),
            "if it is right, start with `obhut serve --confirm-clock`: terms end and epoch keys may go",
        ),
        _ => ok("the clock goes on from the last run"),
    }
}

/// The ledger's files must not be behind what the store says was signed.
fn signed(snapshot: &Snapshot, head: &Checkpoint) -> Result<Option<Line>, StoreError> {
    let Some(last) = snapshot.signed_head(&head.origin)? else { return Ok(None) };
    let behind = last.size > head.size;
    let forked = last.size == head.size && last.root != head.root;
    Ok((behind || forked).then(|| {
        let what = if behind {
            "the ledger is older than its last signed head"
        } else {
            "the ledger is not the signed one"
        };
        fail(what, "an old copy of the ledger was put back: restore the newest one, otherwise reveals stop")
    }))
}

#[cfg(test)]
mod tests {
    use super::super::Level;
    use super::*;

    #[test]
    fn the_clock_is_held_against_the_mark() {
        let mark = Some(Timestamp(1_000_000_000_000));
        let at = |ms: i64| clock(mark, Timestamp(1_000_000_000_000 + ms)).level;
        assert_eq!(at(60_000), Level::Ok);
        assert_eq!(at(-3_600_000), Level::Fail);
        assert_eq!(at(10 * 24 * 3_600_000), Level::Warn);
        assert_eq!(clock(None, Timestamp(0)).level, Level::Ok);
    }

    #[test]
    fn an_empty_folder_has_neither_store_nor_ledger() {
        let dir = tempfile::tempdir().expect("folder");
        let config = Config::of_folder(dir.path()).expect("valid");
        let lines = look(&config, None, Timestamp(0)).expect("looked");
        assert_eq!(lines.iter().map(|line| line.level).collect::<Vec<_>>(), [Level::Fail, Level::Fail]);
        assert!(!config.store_folder().exists(), "looking makes nothing");
    }
}
