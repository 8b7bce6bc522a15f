//! Collections that outlive a transaction: of an address, a session, a user, a resource, the whole house. Bounded, in memory,
//! with an end for each member; nothing of them is written anywhere.

use crate::seclang::Variable;
use crate::transaction::Held;
use std::collections::HashMap;
use std::hash::BuildHasher;
use std::sync::{Mutex, MutexGuard, PoisonError};

const SHARDS: usize = 16;
/// Members of one collection.
const MOST_MEMBERS: usize = 256;
/// Collections that are compared when one has to go.
const SAMPLE: usize = 16;
/// The kinds of collections.
const KINDS: [Variable; 5] =
    [Variable::Ip, Variable::Session, Variable::User, Variable::Resource, Variable::Global];

/// A collection's name: its kind and its key.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Key {
    pub(crate) kind: Variable,
    pub(crate) key: Box<[u8]>,
}

impl Key {
    fn pool(&self) -> usize {
        KINDS.iter().position(|kind| *kind == self.kind).unwrap_or(0)
    }
}

struct Member {
    held: Held,
    /// Seconds since 1970.
    ends: u64,
    changed: u64,
}

#[derive(Default)]
struct Record {
    members: HashMap<Box<[u8]>, Member>,
    ends: u64,
}

/// The collections of one kind, in a list so that some can be looked at without a search.
#[derive(Default)]
struct Pool {
    places: HashMap<Box<[u8]>, usize>,
    records: Vec<(Box<[u8]>, Record)>,
    /// Where in the list the next sample begins.
    hand: usize,
}

impl Pool {
    fn get(&self, key: &Key) -> Option<&Record> {
        self.records.get(*self.places.get(&key.key)?).map(|(_, record)| record)
    }

    fn get_mut(&mut self, key: &Key) -> Option<&mut Record> {
        self.records.get_mut(*self.places.get(&key.key)?).map(|(_, record)| record)
    }

    fn add(&mut self, key: &Key) {
        self.places.insert(key.key.clone(), self.records.len());
        self.records.push((key.key.clone(), Record::default()));
    }

    /// Lets go the one of a few that ends first.
    fn make_room(&mut self) {
        let count = self.records.len();
        let sample = (0..count.min(SAMPLE)).map(|step| (self.hand + step) % count);
        let Some(first) = sample.min_by_key(|&at| self.records.get(at).map(|(_, record)| record.ends)) else {
            return;
        };
        self.hand = (self.hand + SAMPLE) % count;
        let (gone, _) = self.records.swap_remove(first);
        self.places.remove(&gone);
        // The last one took its place.
        if let Some((moved, _)) = self.records.get(first)
            && let Some(place) = self.places.get_mut(moved)
        {
            *place = first;
        }
    }
}

/// A part of all collections, each under its own lock.
#[derive(Default)]
struct Shard([Pool; KINDS.len()]);

impl Shard {
    fn len(&self) -> usize {
        self.0.iter().map(|pool| pool.records.len()).sum()
    }

    fn pool(&self, key: &Key) -> Option<&Pool> {
        self.0.get(key.pool())
    }

    fn get(&self, key: &Key) -> Option<&Record> {
        self.pool(key)?.get(key)
    }

    fn get_mut(&mut self, key: &Key) -> Option<&mut Record> {
        self.0.get_mut(key.pool())?.get_mut(key)
    }

    /// Makes room for a collection where there are `most`. A kind that has its share gives way to itself; one that has not
    /// takes from the kind with the most, so that no flood of one kind drives out the others.
    fn make_room(&mut self, key: &Key, most: usize) {
        let share = (most / KINDS.len()).max(1);
        let own = self.pool(key).is_some_and(|pool| pool.records.len() >= share);
        let pool = match self.0.get_mut(key.pool()) {
            Some(pool) if own => Some(pool),
            _ => self.0.iter_mut().max_by_key(|pool| pool.records.len()),
        };
        if let Some(pool) = pool {
            pool.make_room();
        }
    }
}

/// All persistent collections of a house.
pub struct Collections {
    shards: [Mutex<Shard>; SHARDS],
    hasher: foldhash::fast::RandomState,
    most: usize,
}

impl std::fmt::Debug for Collections {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Collections").field("len", &self.len()).finish()
    }
}

impl Collections {
    /// For at most so many collections. When there are more, one of a few that ends first goes: of the same kind, once that
    /// kind has a fifth of all.
    #[must_use]
    pub fn new(most: usize) -> Self {
        Self {
            shards: std::array::from_fn(|_| Mutex::default()),
            hasher: foldhash::fast::RandomState::default(),
            most: most.div_ceil(SHARDS).max(1),
        }
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.shards.iter().map(|shard| lock(shard).len()).sum()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn shard(&self, key: &Key) -> MutexGuard<'_, Shard> {
        let hash = usize::try_from(self.hasher.hash_one(key) & 0xf).unwrap_or(0);
        lock(&self.shards[hash])
    }

    /// Opens a collection, new where it is not there.
    pub(crate) fn open(&self, key: &Key, now: u64, timeout: u32) {
        let mut shard = self.shard(key);
        if shard.get(key).is_none() {
            if shard.len() >= self.most {
                shard.make_room(key, self.most);
            }
            if let Some(pool) = shard.0.get_mut(key.pool()) {
                pool.add(key);
            }
        }
        let Some(record) = shard.get_mut(key) else { return };
        if record.ends <= now {
            record.members.clear();
        }
        record.ends = now.saturating_add(u64::from(timeout));
    }

    pub(crate) fn get(&self, key: &Key, name: &[u8], now: u64) -> Held {
        let shard = self.shard(key);
        let member =
            shard.get(key).filter(|record| record.ends > now).and_then(|record| record.members.get(name));
        member.filter(|member| member.ends > now).map_or(Held::Unset, |member| member.held.clone())
    }

    /// Changes a member of a collection that was opened; sets nothing in one that was not. Where there are too many members,
    /// the one goes that was not changed for the longest time.
    pub(crate) fn change(
        &self,
        key: &Key,
        name: &[u8],
        now: u64,
        timeout: u32,
        change: impl FnOnce(&mut Held),
    ) {
        let mut shard = self.shard(key);
        let Some(record) = shard.get_mut(key) else { return };
        record.ends = now.saturating_add(u64::from(timeout));
        record.members.retain(|_, member| member.ends > now);
        if !record.members.contains_key(name) && record.members.len() >= MOST_MEMBERS {
            let oldest = record.members.iter().min_by_key(|(_, member)| member.changed);
            if let Some(oldest) = oldest.map(|(name, _)| name.clone()) {
                record.members.remove(&oldest);
            }
        }
        let unset = Member { held: Held::Unset, ends: u64::MAX, changed: now };
        let member = record.members.entry(name.into()).or_insert(unset);
        member.changed = now;
        change(&mut member.held);
        if !member.held.is_set() {
            record.members.remove(name);
        }
    }

    pub(crate) fn expire(&self, key: &Key, name: &[u8], at: u64) {
        if let Some(member) = self.shard(key).get_mut(key).and_then(|record| record.members.get_mut(name)) {
            member.ends = at;
        }
    }

    /// All members that have not ended.
    pub(crate) fn all(&self, key: &Key, now: u64) -> Vec<(Box<[u8]>, Held)> {
        let shard = self.shard(key);
        let members = shard.get(key).filter(|record| record.ends > now).map(|record| &record.members);
        members
            .into_iter()
            .flatten()
            .filter(|(_, member)| member.ends > now)
            .map(|(name, member)| (name.clone(), member.held.clone()))
            .collect()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What a panicking thread left is whole: members are changed one at a time.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(name: &str) -> Key {
        Key { kind: Variable::Ip, key: name.as_bytes().into() }
    }

    #[test]
    fn members_live_until_their_end() {
        let all = Collections::new(100);
        let ip = key("192.0.2.1");
        all.change(&ip, b"hits", 10, 60, |held| *held = Held::Number(1));
        assert_eq!(all.get(&ip, b"hits", 10), Held::Unset, "it was not opened");
        all.open(&ip, 10, 60);
        all.change(&ip, b"hits", 10, 60, |held| {
            *held = Held::Number(held.number(&crate::transaction::Constants::default()) + 1)
        });
        assert_eq!(all.get(&ip, b"hits", 11), Held::Number(1));
        all.expire(&ip, b"hits", 20);
        assert_eq!(all.get(&ip, b"hits", 20), Held::Unset);
        assert_eq!(all.get(&ip, b"hits", 19), Held::Number(1));
        assert_eq!(all.get(&ip, b"hits", 70), Held::Unset, "the whole collection has ended");
        all.change(&ip, b"kept", 11, 60, |held| *held = Held::Number(7));
        all.open(&ip, 1_000, 60);
        assert_eq!(all.get(&ip, b"kept", 1_001), Held::Unset, "what has ended does not come back to life");
    }

    #[test]
    fn there_is_room_for_so_many_only() {
        let all = Collections::new(SHARDS * 4);
        for index in 0..10_000_u64 {
            all.open(&key(&format!("{index}")), index, 1_000_000);
        }
        assert!(all.len() <= SHARDS * 4, "{}", all.len());
        assert!(all.len() > SHARDS);
    }

    #[test]
    fn a_flood_of_one_kind_leaves_the_others_alone() {
        let all = Collections::new(SHARDS * 20);
        let of = |kind, at: u64| Key { kind, key: format!("{at}").as_bytes().into() };
        let kept = [Variable::Session, Variable::User, Variable::Global];
        for kind in kept {
            for at in 0..3 {
                all.open(&of(kind, at), 1, 1_000_000);
                all.change(&of(kind, at), b"n", 1, 1_000_000, |held| *held = Held::Number(7));
            }
        }
        for at in 0..20_000 {
            all.open(&of(Variable::Ip, at), 2 + at, 1_000_000);
        }
        assert!(all.len() <= SHARDS * 20, "{}", all.len());
        for kind in kept {
            for at in 0..3 {
                assert_eq!(all.get(&of(kind, at), b"n", 30_000), Held::Number(7), "{kind:?} {at}");
            }
        }
        // Who comes late gets a share, too, and no more while the others want theirs.
        for at in 0..20_000 {
            all.open(&of(Variable::Resource, at), 30_000 + at, 1_000_000);
        }
        let count = |kind| {
            all.shards
                .iter()
                .map(|shard| lock(shard).pool(&of(kind, 0)).map_or(0, |pool| pool.records.len()))
                .sum::<usize>()
        };
        assert!(count(Variable::Ip) >= SHARDS * 4, "{}", count(Variable::Ip));
        assert!(count(Variable::Resource) >= SHARDS * 4 - 4, "{}", count(Variable::Resource));
        assert_eq!(count(Variable::Session), 3);
    }

    #[test]
    fn of_those_that_are_compared_the_one_that_ends_first_goes() {
        let mut pool = Pool::default();
        for at in 0..SAMPLE * 2 {
            pool.add(&key(&format!("{at}")));
        }
        for (at, (_, record)) in pool.records.iter_mut().enumerate() {
            record.ends = 1_000 - at as u64;
        }
        pool.make_room();
        pool.make_room();
        let gone: Vec<usize> =
            (0..SAMPLE * 2).filter(|at| pool.get(&key(&format!("{at}"))).is_none()).collect();
        assert_eq!(gone, [SAMPLE - 1, SAMPLE * 2 - 2], "the last of each sample; the second has one less");
        for at in (0..SAMPLE * 2).filter(|at| !gone.contains(at)) {
            assert_eq!(pool.get(&key(&format!("{at}"))).map(|record| record.ends), Some(1_000 - at as u64));
        }
    }

    #[test]
    fn of_too_many_members_the_one_goes_that_rested_longest() {
        let all = Collections::new(1);
        let ip = key("192.0.2.1");
        all.open(&ip, 1, 1_000_000);
        let count = |name: String, now| {
            all.change(&ip, name.as_bytes(), now, 1_000_000, |held| *held = Held::Number(1))
        };
        (0..256).for_each(|at| count(format!("{at}"), 10 + at));
        count("0".to_owned(), 1_000);
        count("new".to_owned(), 1_001);
        assert_eq!(all.get(&ip, b"new", 1_002), Held::Number(1));
        assert_eq!(all.get(&ip, b"0", 1_002), Held::Number(1));
        assert_eq!(all.get(&ip, b"1", 1_002), Held::Unset);
        assert_eq!(all.all(&ip, 1_002).len(), 256);
    }
}
