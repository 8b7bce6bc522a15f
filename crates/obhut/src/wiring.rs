//! Opens a house: root, store, ledger, vault, in this order, and the adapters between them.

use crate::config::Config;
use crate::system::{Problem, complain};
use ledger::{CheckpointSigner, Ledger, Options, SignedHead};
use model::{Clock, Entropy, Timestamp};
use seal::{Passphrase, Root, RootKind, SigningKeys};
use std::path::Path;
use std::sync::Arc;
use store::{KeyOp, SignedHeadRow, Store};
use vault::{GuardedClock, Parts, ShredPlaces, StartCheck, Vault};

/// The name under which the sealed signing keys lie in the key store.
pub(crate) const SIGNING_KEYS: &str = "signing_keys";

/// An open house.
pub(crate) struct Opened {
    pub(crate) vault: Vault,
    pub(crate) store: Store,
    pub(crate) clock: Arc<GuardedClock>,
    pub(crate) signing: Arc<SigningKeys>,
    /// Entries that an earlier run had left in the outbox.
    pub(crate) shipped_late: usize,
}

/// Makes a folder that only its owner can enter.
pub(crate) fn private_folder(path: &Path) -> Result<(), Problem> {
    use std::os::unix::fs::DirBuilderExt;
    let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.map_err(|error| Problem::new(format!("cannot make the folder {}: {error}", path.display())))
}

/// Writes a file that only its owner can read.
pub(crate) fn private_file(path: &Path, bytes: &[u8], mode: u32) -> Result<(), Problem> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    let open = std::fs::OpenOptions::new().write(true).create_new(true).mode(mode).open(path);
    let written = open.and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()));
    written.map_err(|error| Problem::new(format!("cannot write {}: {error}", path.display())))
}

/// Opens the root with the passphrase.
pub(crate) fn open_root(config: &Config, passphrase: &Passphrase) -> Result<Root, Problem> {
    let path = config.root_file();
    let file = std::fs::read(&path)
        .map_err(|error| Problem::new(format!("cannot read {}: {error}", path.display())))?;
    Root::open(&file, passphrase).map_err(|error| {
        Problem::with_help(format!("the root does not open: {error}"), "is it the right passphrase?")
    })
}

/// Opens the house. A root of kind `demo` opens only when `demo` is set.
pub(crate) async fn open(
    config: &Config,
    root: Arc<Root>,
    system: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    may: May,
) -> Result<Opened, Problem> {
    if root.kind() == RootKind::Demo && !may.demo {
        return Err(Problem::with_help(
            "this folder was made by the demo, and its root is no secret",
            "make a folder of your own with `obhut init`",
        ));
    }
    let store = Store::open(&config.store_folder(), &store::Options::default())
        .map_err(Problem::from_error("the store does not open"))?;
    let snapshot = store.snapshot().map_err(Problem::from_error("the store cannot be read"))?;
    let mark = snapshot.clock_mark().map_err(Problem::from_error("the store cannot be read"))?;
    let sealed = snapshot.house(SIGNING_KEYS).map_err(Problem::from_error("the store cannot be read"))?;
    drop(snapshot);
    let clock = guard(&store, system, mark, may)?;
    let sealed = sealed
        .ok_or_else(|| Problem::new("the folder has no signing keys; `obhut init` was not finished"))?;
    let signing = SigningKeys::unwrap(&root, &sealed).map_err(Problem::from_error("the signing keys"))?;
    let signing = Arc::new(signing);
    let ledger = open_ledger(config, &store, signing.clone(), clock.clone(), may)?;
    let parts = Parts {
        store: store.clone(),
        ledger,
        root,
        signing: signing.clone(),
        clock: clock.clone(),
        entropy,
        shred: ShredPlaces { holders: config.shred_holders.clone(), escrow: config.shred_escrow.clone() },
        horizon_days: config.horizon_days,
        steps: None,
    };
    let (vault, shipped_late) =
        Vault::open(parts).await.map_err(Problem::from_error("the vault does not open"))?;
    Ok(Opened { vault, store, clock, signing, shipped_late })
}

/// What an operator allowed for this start.
#[derive(Clone, Copy, Default)]
pub(crate) struct May {
    /// Opening a root of kind `demo`.
    pub(crate) demo: bool,
    /// A clock that stands more than a day ahead of the record.
    pub(crate) jump: bool,
    /// Beginning a new ledger beside a damaged one.
    pub(crate) new_ledger: bool,
}

/// The guarded clock. An operator's word also sets back a mark that a wrong clock left ahead.
fn guard(
    store: &Store,
    system: Arc<dyn Clock>,
    mark: Option<Timestamp>,
    may: May,
) -> Result<Arc<GuardedClock>, Problem> {
    let mut clock = GuardedClock::new(system.clone(), mark);
    if let (StartCheck::Behind(ms), true) = (clock.check_start(), may.jump) {
        let at = system.now();
        let set = KeyOp::SetClockMark { at, may_go_back: true };
        store
            .apply_keys_blocking("clock_mark", vec![set])
            .map_err(Problem::from_error("the clock's mark cannot be set"))?;
        complain(&Problem::new(format!("the clock's mark was set back by {} minutes", ms / 60_000)));
        clock = GuardedClock::new(system, Some(at));
    }
    check_clock(&clock, may.jump)?;
    let began = std::time::Instant::now();
    Ok(Arc::new(clock.steady(move || began.elapsed())))
}

fn check_clock(clock: &GuardedClock, may_jump: bool) -> Result<(), Problem> {
    match clock.check_start() {
        StartCheck::Jumped(ms) if !may_jump => Err(Problem::with_help(
            format!("the clock stands {} hours ahead of the last run", ms / 3_600_000),
            "that would expire consents and destroy epoch keys; if the clock is right, start with --confirm-clock",
        )),
        StartCheck::Behind(ms) => {
            complain(&Problem::with_help(
                format!("the clock stands {} minutes behind the last run", ms / 60_000),
                "all is answered clock_behind until it has caught up; if the clock is right and was wrong before, \
                 start with --confirm-clock",
            ));
            Ok(())
        }
        _ => Ok(()),
    }
}

fn open_ledger(
    config: &Config,
    store: &Store,
    signing: Arc<SigningKeys>,
    clock: Arc<GuardedClock>,
    may: May,
) -> Result<Ledger, Problem> {
    let mut options = Options::new(config.origin.clone());
    options.segment_bytes = u64::from(config.segment_mib) << 20;
    options.last_signed = last_signed(store, &config.origin)?;
    let never_signed = options.last_signed.is_none();
    let (store, origin) = (store.clone(), config.origin.clone());
    options.on_checkpoint = Some(Box::new(move |head, note| {
        let origin = origin_of(&origin, head.incarnation);
        let row = SignedHeadRow { origin, size: head.size, root: head.root, note: note.to_vec() };
        let kept = store.apply_keys_blocking("signed_head", vec![KeyOp::PutSignedHead(row)]);
        kept.map_err(|_| ledger::HookRefused)
    }));
    let signer = Arc::new(Signer { name: config.origin.clone(), keys: signing });
    private_folder(&config.ledger_folder())?;
    let folder = config.ledger_folder();
    let opened = if may.new_ledger {
        Ledger::open_incarnation(&folder, options, signer, clock)
    } else {
        Ledger::open(&folder, options, signer, clock)
    };
    let (ledger, recovery) = opened.map_err(|error| match error {
        ledger::OpenError::Sound => {
            Problem::with_help("the ledger is not damaged", "start without --new-ledger")
        }
        ledger::OpenError::Stranger => Problem::with_help(
            "the newest ledger in the folder was never signed by this house",
            "somebody laid it there, or its beginning was cut off: move its folder (the highest i….) away, then try again",
        ),
        other => Problem::new(format!("the ledger does not open: {other}")),
    })?;
    if never_signed && ledger.status().incarnation > 0 && !may.new_ledger {
        return Err(Problem::with_help(
            "a later ledger lies in the folder of a house that never signed one",
            "move it away; whoever can write that folder may have laid it there",
        ));
    }
    if let Some(damage) = recovery.damage {
        complain(&Problem::with_help(
            format!("the ledger is set aside: {damage:?}; no personal data will be released"),
            "`obhut ledger verify` says where; restore the folder, or copy it away and start with --new-ledger",
        ));
    }
    Ok(ledger)
}

/// The origin under which an incarnation signs.
fn origin_of(origin: &str, incarnation: u32) -> String {
    if incarnation == 0 { origin.to_owned() } else { format!("{origin}/{incarnation}") }
}

/// The last head of the newest incarnation that ever signed.
fn last_signed(store: &Store, origin: &str) -> Result<Option<SignedHead>, Problem> {
    let snapshot = store.snapshot().map_err(Problem::from_error("the store cannot be read"))?;
    let mut last = None;
    for incarnation in 0.. {
        let row = snapshot.signed_head(&origin_of(origin, incarnation));
        let Some(row) = row.map_err(Problem::from_error("the store cannot be read"))? else { break };
        last = Some(SignedHead { incarnation, size: row.size, root: row.root });
    }
    Ok(last)
}

/// Signs checkpoints with the house's Ed25519 key.
struct Signer {
    name: String,
    keys: Arc<SigningKeys>,
}

impl CheckpointSigner for Signer {
    fn key_name(&self) -> &str {
        &self.name
    }

    fn public_key(&self) -> [u8; 32] {
        self.keys.ed25519_public()
    }

    fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.keys.ed25519_sign(message)
    }
}
