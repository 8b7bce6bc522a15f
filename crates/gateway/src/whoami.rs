//! The app's own word on who asks, kept for a few seconds.

use crate::headers::{self, Origin};
use crate::principal::{Reading, User};
use crate::upstream::Upstream;
use http::header::{self, HeaderMap, HeaderValue};
use parking_lot::Mutex;
use rustls::crypto::aws_lc_rs::cipher_suite::TLS13_AES_128_GCM_SHA256;
use serde_json::{Map, Value};
use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::time::Duration;
use tokio::time::Instant;

/// How long the app's word about a user holds.
const KEPT_FOR: Duration = Duration::from_secs(5);
/// Most users whose word is kept.
const KEPT: usize = 10_000;
/// Longest answer of the app.
const WORD_BYTES: usize = 16 << 10;
/// Most bytes by which somebody shows who he is: cookies and authorization. Beyond it he is nobody, and the app is not asked.
const SHOWN_BYTES: usize = 16 << 10;

/// What a word is known by: SHA-256 of the host and of all that was shown. Memory then holds no session of anybody, and a word
/// takes as little room for who sends much as for who sends little.
type Key = [u8; 32];

/// What the app said of whom.
#[derive(Default)]
pub(crate) struct Words(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    words: HashMap<Key, (Instant, Option<User>)>,
    /// In the order in which they came.
    order: VecDeque<(Instant, Key)>,
}

impl Kept {
    fn get(&self, key: &Key) -> Option<Option<User>> {
        let (at, user) = self.words.get(key)?;
        (at.elapsed() < KEPT_FOR).then(|| user.clone())
    }

    /// Keeps a word; those that hold no longer leave.
    fn put(&mut self, key: Key, user: Option<User>) {
        let now = Instant::now();
        while let Some((at, oldest)) = self.order.front().copied()
            && (now - at >= KEPT_FOR || self.order.len() >= KEPT)
        {
            self.order.pop_front();
            // The same user may have been asked for again since.
            if self.words.get(&oldest).is_some_and(|(since, _)| *since == at) {
                self.words.remove(&oldest);
            }
        }
        self.words.insert(key, (now, user));
        self.order.push_back((now, key));
    }
}

/// What somebody shows of himself, as the app is asked about it, and what his word is known by. None for who shows nothing or
/// far too much.
fn shown(headers: &HeaderMap, host: &HeaderValue) -> Option<(HeaderMap, Key)> {
    let mut all = [host.as_bytes(), b"\0"].concat();
    let named = all.len();
    let mut asking = HeaderMap::new();
    for name in [header::COOKIE, header::AUTHORIZATION] {
        for value in headers.get_all(&name) {
            // No value of a header holds NUL, so nothing can be taken for something else.
            for part in [name.as_str().as_bytes(), value.as_bytes()] {
                all.extend_from_slice(part);
                all.push(0);
            }
            asking.append(name.clone(), value.clone());
        }
    }
    if all.len() == named || all.len() - named > SHOWN_BYTES {
        return None;
    }
    let sha256 = TLS13_AES_128_GCM_SHA256.tls13()?.common.hash_provider;
    let key = Key::try_from(sha256.hash(&all).as_ref()).ok()?;
    Some((asking, key))
}

impl Words {
    /// Who asks, as the app says now or said a moment ago.
    pub(crate) async fn of(
        &self,
        path: &str,
        reading: &Reading,
        headers: &HeaderMap,
        origin: &Origin<'_>,
        (upstream, client): (&Upstream, Option<IpAddr>),
    ) -> Option<User> {
        let (mut asking, key) = shown(headers, origin.host)?;
        if let Some(user) = self.0.lock().get(&key) {
            return user;
        }
        asking.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
        headers::to_app(&mut asking, origin, false);
        let (status, body) = upstream.ask(path, asking, WORD_BYTES, client).await.ok()?;
        let map: Option<Map<String, Value>> =
            if status.is_success() { serde_json::from_slice(&body).ok() } else { None };
        let user = map.and_then(|map| reading.user(&map));
        self.0.lock().put(key, user.clone());
        user
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(number: usize) -> Key {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&number.to_le_bytes());
        key
    }

    #[tokio::test(start_paused = true)]
    async fn a_word_leaves_when_it_holds_no_longer() {
        let mut kept = Kept::default();
        for number in 0..100 {
            kept.put(key(number), None);
        }
        tokio::time::advance(Duration::from_secs(3)).await;
        kept.put(key(0), None);
        tokio::time::advance(Duration::from_secs(3)).await;
        assert_eq!((kept.get(&key(0)), kept.get(&key(1))), (Some(None), None));
        kept.put(key(200), None);
        assert_eq!((kept.words.len(), kept.order.len()), (2, 2), "those of before are gone");
        assert!(kept.get(&key(0)).is_some(), "who was asked for again stays");
        for number in 1_000..1_000 + 2 * KEPT {
            kept.put(key(number), None);
        }
        assert!(kept.words.len() <= KEPT && kept.order.len() <= KEPT, "{}", kept.order.len());
        assert!(kept.get(&key(999 + 2 * KEPT)).is_some() && kept.get(&key(1_000)).is_none());
    }

    #[test]
    fn a_word_is_known_by_all_that_was_shown_and_by_no_more_than_is_sane() {
        let known = |host: &'static str, pairs: &[(&'static str, &str)]| {
            let mut headers = HeaderMap::new();
            for (name, value) in pairs {
                headers.append(*name, HeaderValue::from_str(value).expect("a value"));
            }
            shown(&headers, &HeaderValue::from_static(host)).map(|(_, key)| key)
        };
        let keys = [
            known("a", &[("cookie", "s=1")]),
            known("b", &[("cookie", "s=1")]),
            known("a", &[("cookie", "s=2")]),
            known("a", &[("authorization", "s=1")]),
            known("a", &[("cookie", "s=1"), ("authorization", "s=1")]),
        ];
        let different: std::collections::HashSet<Key> = keys.iter().copied().flatten().collect();
        assert_eq!(different.len(), keys.len());
        assert_eq!(known("a", &[("cookie", "s=1"), ("accept", "x")]), keys[0]);
        let long = "x".repeat(SHOWN_BYTES);
        assert!(known("a", &[("cookie", &long[20..])]).is_some());
        assert!(known("a", &[("cookie", &long)]).is_none() && known("a", &[("accept", "x")]).is_none());
    }
}
