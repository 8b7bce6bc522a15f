//! Ledger entries.

use crate::support::{Seeded, TENANT};
use model::PrincipalId;
use proptest::prelude::*;
use seal::trail::{
    LEAF_OVERHEAD, MAX_METADATA, identity_matches, identity_parts, open_identity, open_metadata, seal_entry,
};
use seal::{Frame, IdentityPart, LogSecret, PeriodKey, SealError, SealedEntry, TenantKey};

const PERIOD: u32 = 7;
const FRAME: Frame = Frame { kind: 3, generation: 2, tenant: 5, period: PERIOD };

struct Keys {
    period: PeriodKey,
    person: LogSecret,
    actor: LogSecret,
}

fn keys() -> Keys {
    let (entropy, tenant) = (Seeded::new("keys"), TenantKey::generate(TENANT, 1, &Seeded::new("tenant")));
    let secret = |id| tenant.new_log_secret(PrincipalId([id; 16]), &entropy).unwrap().0;
    let period = tenant.new_period(PERIOD, 2, &entropy).unwrap().0;
    Keys { period, person: secret(1), actor: secret(2) }
}

fn sealed(keys: &Keys, metadata: &[u8], seed: &'static str) -> SealedEntry {
    let parts = [
        IdentityPart { secret: &keys.person, detail: b"the person's detail" },
        IdentityPart { secret: &keys.actor, detail: b"the actor's" },
    ];
    seal_entry(&keys.period, FRAME, metadata, &parts, &Seeded::new(seed)).unwrap()
}

#[test]
fn each_layer_opens_for_its_reader_alone() {
    let keys = keys();
    let SealedEntry { leaf, identity } = sealed(&keys, b"metadata", "one");
    assert_eq!(Frame::parse(&leaf), Ok(FRAME));
    assert_eq!(open_metadata(&keys.period, &leaf).unwrap(), b"metadata");
    assert!(identity_matches(&leaf, &identity));
    assert_eq!(identity_parts(&identity), 2);
    let open = |secret, part| open_identity(secret, PERIOD, &leaf, &identity, part);
    assert_eq!(*open(&keys.person, 0).unwrap(), b"the person's detail");
    assert_eq!(*open(&keys.actor, 1).unwrap(), b"the actor's");
    for (secret, part) in [(&keys.person, 1), (&keys.actor, 0), (&keys.person, 2), (&keys.person, usize::MAX)]
    {
        assert_eq!(open(secret, part).err(), Some(SealError::Open));
    }
    assert!(open_identity(&keys.person, PERIOD + 1, &leaf, &identity, 0).is_err());
}

#[test]
fn the_leaf_is_at_most_72_bytes_longer_than_its_metadata() {
    let keys = keys();
    for len in [0, 1, 100, 1_200, MAX_METADATA] {
        let entry = sealed(&keys, &vec![7; len], "one");
        assert_eq!(entry.leaf.len(), len + LEAF_OVERHEAD);
        assert_eq!(open_metadata(&keys.period, &entry.leaf).unwrap().len(), len);
    }
    const { assert!(LEAF_OVERHEAD <= 72) };
    let long = vec![7; MAX_METADATA + 1];
    let entry = seal_entry(&keys.period, FRAME, &long, &[], &Seeded::new("long"));
    assert_eq!(entry.err(), Some(SealError::TooLarge));
}

#[test]
fn identity_layers_of_two_entries_do_not_change_places() {
    let keys = keys();
    let (one, other) = (sealed(&keys, b"metadata", "one"), sealed(&keys, b"metadata", "other"));
    assert!(!identity_matches(&one.leaf, &other.identity));
    assert!(open_identity(&keys.person, PERIOD, &one.leaf, &other.identity, 0).is_err());
    // A leaf that is given the other's digest no longer opens.
    let mut grafted = one.leaf.clone();
    let digest = grafted.len() - 32;
    grafted[digest..].copy_from_slice(&other.leaf[digest..]);
    assert!(identity_matches(&grafted, &other.identity));
    assert_eq!(open_metadata(&keys.period, &grafted).err(), Some(SealError::Open));
}

#[test]
fn parts_do_not_change_places_inside_a_layer() {
    // Two parts of equal length under one secret; the leaf is made to agree with the changed layer.
    let keys = keys();
    let part = |detail| IdentityPart { secret: &keys.person, detail };
    let entry =
        seal_entry(&keys.period, FRAME, b"", &[part(b"one"), part(b"two")], &Seeded::new("x")).unwrap();
    let mut swapped = entry.identity[..35].to_vec();
    let (first, second) = entry.identity[35..].split_at((entry.identity.len() - 35) / 2);
    swapped.extend_from_slice(second);
    swapped.extend_from_slice(first);
    let mut leaf = entry.leaf.clone();
    let digest = leaf.len() - 32;
    leaf[digest..].copy_from_slice(&seal::sha256(&swapped));
    assert!(identity_matches(&leaf, &swapped));
    for part in 0..2 {
        assert!(open_identity(&keys.person, PERIOD, &entry.leaf, &entry.identity, part).is_ok());
        assert!(open_identity(&keys.person, PERIOD, &leaf, &swapped, part).is_err());
    }
}

#[test]
fn a_destroyed_identity_layer_leaves_the_metadata() {
    let keys = keys();
    let entry = sealed(&keys, b"metadata", "one");
    assert!(!identity_matches(&entry.leaf, b""));
    assert!(open_identity(&keys.person, PERIOD, &entry.leaf, b"", 0).is_err());
    assert_eq!(open_metadata(&keys.period, &entry.leaf).unwrap(), b"metadata");
}

#[test]
fn a_frame_of_another_period_or_generation_is_refused() {
    let keys = keys();
    for frame in [Frame { period: 8, ..FRAME }, Frame { generation: 3, ..FRAME }] {
        let entry = seal_entry(&keys.period, frame, b"", &[], &Seeded::new("one"));
        assert_eq!(entry.err(), Some(SealError::WrongPlace));
    }
}

#[test]
fn the_same_entry_sealed_twice_shares_no_bytes_but_the_frame() {
    let keys = keys();
    let (one, other) = (sealed(&keys, &[0; 64], "one"), sealed(&keys, &[0; 64], "other"));
    assert_eq!(one.leaf[..12], other.leaf[..12]);
    assert!(one.leaf[12..].chunks(8).zip(other.leaf[12..].chunks(8)).all(|(one, other)| one != other));
}

proptest! {
    #[test]
    fn any_bytes_are_no_entry_and_do_not_panic(
        leaf in proptest::collection::vec(any::<u8>(), 0..200),
        identity in proptest::collection::vec(any::<u8>(), 0..200),
        part in 0usize..70_000,
    ) {
        let keys = keys();
        // With the version right, so that what follows is looked at.
        let leaf = [&[1][..], &leaf].concat();
        let identity = [&[1][..], &identity].concat();
        let _ = Frame::parse(&leaf);
        let _ = identity_parts(&identity);
        prop_assert!(open_metadata(&keys.period, &leaf).is_err());
        prop_assert!(open_identity(&keys.person, PERIOD, &leaf, &identity, part).is_err());
        // A leaf whose digest fits, so that the parser of the layer is reached.
        let fitting = [&[1, 3, 0, 2, 0, 0, 0, 5, 0, 0, 0, 7][..], &[0; 16], &seal::sha256(&identity)].concat();
        prop_assert!(identity_matches(&fitting, &identity));
        prop_assert!(open_identity(&keys.person, PERIOD, &fitting, &identity, part % 5).is_err());
    }
}
