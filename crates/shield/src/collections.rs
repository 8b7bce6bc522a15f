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

/// A collection's name: its kind and its key.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Key {
    pub(crate) kind: Variable,
    pub(crate) key: Box<[u8]>,
}

struct Member {
    held: Held,
    /// Seconds since 1970.
    ends: u64,
}

#[derive(Default)]
struct Record {
    members: HashMap<Box<[u8]>, Member>,
    ends: u64,
}

/// All persistent collections of a house.
pub struct Collections {
    shards: [Mutex<HashMap<Key, Record>>; SHARDS],
    hasher: foldhash::fast::RandomState,
    most: usize,
}

impl std::fmt::Debug for Collections {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Collections").field("len", &self.len()).finish()
    }
}

impl Collections {
    /// For at most so many collections; when there are more, those that end first go.
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

    fn shard(&self, key: &Key) -> MutexGuard<'_, HashMap<Key, Record>> {
        let hash = usize::try_from(self.hasher.hash_one(key) & 0xf).unwrap_or(0);
        lock(&self.shards[hash])
    }

    /// Opens a collection, new where it is not there.
    pub(crate) fn open(&self, key: &Key, now: u64, timeout: u32) {
        let mut shard = self.shard(key);
        if !shard.contains_key(key) && shard.len() >= self.most {
            make_room(&mut shard, now);
        }
        let record = shard.entry(key.clone()).or_default();
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

    /// Changes a member of a collection that was opened; sets nothing in one that was not.
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
            return;
        }
        let member =
            record.members.entry(name.into()).or_insert(Member { held: Held::Unset, ends: u64::MAX });
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

/// Lets go what has ended; if nothing has, the one that ends first.
fn make_room(shard: &mut HashMap<Key, Record>, now: u64) {
    let before = shard.len();
    shard.retain(|_, record| record.ends > now);
    if shard.len() == before
        && let Some(first) = shard.iter().min_by_key(|(_, record)| record.ends).map(|(key, _)| key.clone())
    {
        shard.remove(&first);
    }
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
}
