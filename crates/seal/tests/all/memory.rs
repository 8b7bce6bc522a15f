//! After the handles are dropped no key is left in the process: its whole writable memory is searched.

use crate::support::{EPOCH, PERSON, Places, TENANT, permit, person_place, record_place, root};
use model::catalogue::Category;
use model::{Compartment, Entropy, FieldId, PrincipalId, Timestamp};
use seal::trail::{open_identity, open_metadata, seal_entry};
use seal::{
    DocumentPlace, Frame, IdentityPart, IndexId, Passphrase, PersonKeys, Root, SigningKeys, SystemEntropy,
    TenantKey, Value, open_record, seal_record,
};
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::process::Command;
use std::sync::Mutex;

/// What is remembered of a key is the key under this mask, so that the search does not find its own needle.
const MASK: u8 = 0xa5;
/// Bytes that are searched for at a time.
const HALF: usize = 16;

/// Hands out random bytes and remembers, masked, what is 32 bytes long.
#[derive(Default)]
struct Watched(Mutex<Vec<[u8; 32]>>);

impl Entropy for Watched {
    fn fill(&self, into: &mut [u8]) {
        SystemEntropy.fill(into);
        if let Ok(mut masked) = <[u8; 32]>::try_from(&*into) {
            masked.iter_mut().for_each(|byte| *byte ^= MASK);
            self.0.lock().unwrap().push(masked);
        }
    }
}

impl Watched {
    /// The next 32 bytes drawn are a key: how to find it again.
    fn mark(&self) -> usize {
        self.0.lock().unwrap().len()
    }

    fn key(&self, mark: usize) -> [u8; 32] {
        self.0.lock().unwrap()[mark]
    }
}

/// Writable mappings of this process.
fn mappings() -> Vec<(u64, u64, String)> {
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
    let parse = |line: &str| {
        let mut words = line.split_whitespace();
        let (range, rights) = (words.next()?, words.next()?);
        let (start, end) = range.split_once('-')?;
        let address = |text| u64::from_str_radix(text, 16).ok();
        rights.starts_with("rw").then_some((address(start)?, address(end)?, line.to_owned()))
    };
    maps.lines().filter_map(parse).collect()
}

/// Where each key stands in memory, or the half of one: an allocator writes its own pointers over the first 16 bytes
/// of what is freed, and the rest of a key that was not wiped stays.
fn search(keys: &[(&str, [u8; 32])]) -> Vec<(String, String)> {
    let halves: Vec<_> =
        keys.iter().flat_map(|(name, key)| key.chunks(HALF).map(|half| (*name, half))).collect();
    let memory = File::open("/proc/self/mem").unwrap();
    let mut window = vec![0; 1 << 20];
    let own = window.as_ptr() as u64..window.as_ptr() as u64 + window.len() as u64;
    let mut found = Vec::new();
    for (start, end, mapping) in mappings() {
        // The window overlaps with the last one, so that no key falls between two.
        for from in (start..end).step_by(window.len() - (HALF - 1)) {
            let len = usize::try_from(end - from).unwrap().min(window.len());
            if memory.read_exact_at(&mut window[..len], from).is_err() {
                continue;
            }
            for (at, bytes) in window[..len].windows(HALF).enumerate() {
                if own.contains(&(from + at as u64)) {
                    continue;
                }
                for (name, half) in halves.iter().filter(|(_, half)| bytes[0] ^ MASK == half[0]) {
                    if bytes.iter().zip(*half).all(|(byte, masked)| byte ^ MASK == *masked) {
                        found.push(((*name).to_owned(), mapping.clone()));
                    }
                }
            }
            window.fill(0);
        }
    }
    found
}

/// Everything that holds a key.
struct Handles {
    _root: std::sync::Arc<Root>,
    _tenant: TenantKey,
    _rest: Vec<Box<dyn std::any::Any>>,
    _person: PersonKeys,
}

/// Makes one of each key, uses it, and gives the handles and what to look for.
fn load(watched: &Watched) -> (Handles, Vec<(&'static str, [u8; 32])>) {
    let mut needles = Vec::new();
    let mut note = |name, mark| needles.push((name, watched.key(mark)));
    let mut rest: Vec<Box<dyn std::any::Any>> = Vec::new();

    // A passphrase of its own, since that of the vectors stands in the test's text.
    let mark = watched.mark();
    let mut passphrase = vec![0; 32];
    watched.fill(&mut passphrase);
    note("passphrase", mark);
    let passphrase = Passphrase::new(passphrase).unwrap();
    let file = root().to_file(&passphrase, &SystemEntropy).unwrap();
    let root = std::sync::Arc::new(Root::open(&file, &passphrase).unwrap());
    rest.push(Box::new(passphrase));

    let mark = watched.mark();
    let tenant = TenantKey::generate(TENANT, 1, watched);
    note("tenant key", mark);
    let wrapped = tenant.wrap(&root, watched).unwrap();
    let tenant = TenantKey::unwrap(&root, TENANT, 1, &wrapped).unwrap();

    let mark = watched.mark();
    let (metadata, wrap) = tenant.new_metadata(watched).unwrap();
    note("metadata key", mark);
    let place = DocumentPlace { tenant: TENANT, kind: 1, id: [1; 16], version: 1 };
    let sealed = metadata.seal_document(&place, b"text", watched).unwrap();
    tenant.open_metadata(&wrap).unwrap().open_document(&place, &sealed).unwrap();
    rest.push(Box::new(metadata));

    let mark = watched.mark();
    let (index, _) = tenant.new_index(IndexId(1), watched).unwrap();
    note("index key", mark);
    assert_ne!(index.blind(b"jana"), [0; 16]);
    rest.push(Box::new(index));

    let mark = watched.mark();
    let (actor, wrap) = tenant.new_log_secret(PrincipalId([1; 16]), watched).unwrap();
    note("principal's log secret", mark);
    let again = tenant.open_log_secret(PrincipalId([1; 16]), &wrap).unwrap();
    assert_eq!(again.subject_ref(1), actor.subject_ref(1));

    let places = Places::new();
    let store = places.open(TENANT, &root);
    let mark = watched.mark();
    let epoch = store.create(EPOCH, Timestamp(0), watched).unwrap();
    note("epoch key", mark);

    let mark = watched.mark();
    let mut person = PersonKeys::generate(&[Compartment(0)], watched).unwrap();
    note("person's log secret", mark);
    note("compartment key", mark + 1);
    person.set_record_version(Compartment(0), 3).unwrap();
    let row = person.wrap(&epoch, &person_place(), watched).unwrap();
    let person = PersonKeys::unwrap(&epoch, &person_place(), &row).unwrap();
    let value = Value { field: FieldId(1), category: Category::Identity, bytes: b"Jana" };
    let sealed = seal_record(&person, &record_place(), &[value], watched).unwrap();
    let record = open_record(&person, &record_place(), &sealed).unwrap();
    let permit = permit(TENANT, PERSON, FieldId(1));
    record.open(&permit, FieldId(1), Category::Identity).unwrap().unwrap();

    let mark = watched.mark();
    let (period, _) = tenant.new_period(1, 0, watched).unwrap();
    note("period key", mark);
    let parts = [
        IdentityPart { secret: person.log_secret(), detail: b"detail" },
        IdentityPart { secret: &actor, detail: b"detail" },
    ];
    let frame = Frame { kind: 1, generation: 0, tenant: 1, period: 1 };
    let entry = seal_entry(&period, frame, b"metadata", &parts, watched).unwrap();
    open_metadata(&period, &entry.leaf).unwrap();
    open_identity(&actor, 1, &entry.leaf, &entry.identity, 1).unwrap();

    let mark = watched.mark();
    let signing = SigningKeys::generate(watched).unwrap();
    note("Ed25519 seed", mark);
    let sealed = signing.wrap(&root, watched).unwrap();
    let again = SigningKeys::unwrap(&root, &sealed).unwrap();
    assert_eq!(again.ed25519_sign(b"hello"), signing.ed25519_sign(b"hello"));

    rest.push(Box::new((actor, period, epoch, record, signing, store, places)));
    (Handles { _root: root, _tenant: tenant, _rest: rest, _person: person }, needles)
}

#[test]
#[ignore = "run by the test below in a process of its own"]
fn search_own_memory() {
    let watched = Watched::default();
    let (handles, needles) = load(&watched);
    let held = search(&needles);
    for (name, _) in &needles {
        assert!(held.iter().any(|(found, _)| found == name), "the control: {name} is found while it is held");
    }
    drop(handles);
    assert_eq!(search(&needles), []);
}

#[test]
fn no_key_is_left_in_memory_after_the_handles_are_dropped() {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "memory::search_own_memory", "--ignored", "--test-threads=1"])
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && text.contains("1 passed"),
        "{text}{}",
        String::from_utf8_lossy(&output.stderr)
    );
}
