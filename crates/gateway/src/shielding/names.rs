//! Which names of members an event may tell. A form's fields are its developer's, but who sends a request makes up any name he
//! likes, and some apps have persons in their names (`patients.Mustermann.note`). So a name is told where each word of it is
//! one of a developer's vocabulary, or of the configuration, or where three clients have sent it: one person's name is no
//! secret that three strangers share.

use crate::rules::{Route, Source};
use parking_lot::Mutex;
use std::collections::hash_map::RandomState;
use std::collections::{HashMap, HashSet};
use std::hash::BuildHasher;
use std::net::IpAddr;
use std::sync::LazyLock;

/// Words of which developers make names, in small letters.
static WORDS: LazyLock<HashSet<&str>> = LazyLock::new(|| include_str!("words.txt").lines().collect());
/// Most characters of a name; longer ones are told by nobody.
const MOST_NAME: usize = 64;
/// A word so short says nothing of anybody.
const SHORT: usize = 2;
/// Nor does a number of so few digits.
const SHORT_NUMBER: usize = 3;
/// Clients after which a name is told.
const CLIENTS: usize = 3;
/// Most names that are waited for at the same time.
const MOST_WAITING: usize = 4_096;

/// Words that the configuration uses.
#[derive(Default)]
pub(crate) struct Own(HashSet<String>);

impl Own {
    /// Those of the fields that routes declare, and of the targets that exclusions name.
    pub(crate) fn of<'a>(
        routes: impl Iterator<Item = &'a Route>,
        targets: impl Iterator<Item = &'a str>,
    ) -> Self {
        let mut own = Self::default();
        for source in routes.flat_map(Route::fields) {
            let (Source::Form(name) | Source::Query(name) | Source::Json(name)) = source;
            own.0.extend(words(name));
        }
        own.0.extend(targets.flat_map(words));
        own
    }
}

/// Who has sent which name. Neither is kept: of both there are keyed hashes, as long as the process runs.
#[derive(Default)]
pub(crate) struct Learned {
    key: RandomState,
    clients: Mutex<HashMap<u64, Vec<u64>>>,
}

impl Learned {
    /// Notes that a client has sent a name, and says whether enough have.
    fn note(&self, name: &str, client: IpAddr) -> bool {
        let (name, client) = (self.key.hash_one(name), self.key.hash_one(crate::serve::client(client)));
        let mut all = self.clients.lock();
        if all.len() >= MOST_WAITING && !all.contains_key(&name) {
            // Whoever floods it with names of his own makes others wait longer, no more.
            all.clear();
        }
        let seen = all.entry(name).or_default();
        if seen.len() < CLIENTS && !seen.contains(&client) {
            seen.push(client);
        }
        seen.len() >= CLIENTS
    }
}

/// A variable, with the name of its member where that may be told.
pub(super) fn target(
    variable: &str,
    name: &[u8],
    own: &Own,
    learned: &Learned,
    client: Option<IpAddr>,
) -> String {
    if name.is_empty() {
        return variable.to_owned();
    }
    let plain = std::str::from_utf8(name).ok().filter(|name| is_plain(name));
    let told = plain.filter(|name| {
        !is_of_client(variable)
            || (!variable.starts_with("MULTIPART_") && is_known(name, own))
            || client.is_some_and(|client| learned.note(name, client))
    });
    match told {
        Some(name) => format!("{variable}:{name}"),
        None => format!("{variable}:…"),
    }
}

/// Whether the client gives the members of a variable their names.
fn is_of_client(variable: &str) -> bool {
    ["ARGS", "REQUEST_", "FILES", "MULTIPART_"].iter().any(|begin| variable.starts_with(begin))
}

fn is_plain(name: &str) -> bool {
    name.len() <= MOST_NAME
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-[]".contains(&byte))
}

/// Whether every word of a name says nothing of anybody. Of what is too short to say anything there may be one word and one
/// number: several make a name or a date.
fn is_known(name: &str, own: &Own) -> bool {
    let (mut known, mut short, mut numbers) = (0, 0, 0);
    let mut is_index = false;
    for word in words(name) {
        let is_number = word.bytes().all(|byte| byte.is_ascii_digit());
        if is_number && word.len() <= SHORT_NUMBER {
            numbers += usize::from(!is_index);
        } else if WORDS.contains(&*word) || own.0.contains(&word) {
            known += 1;
        } else if word.len() <= SHORT {
            short += 1;
        } else {
            return false;
        }
        is_index = word == "array";
    }
    let is_letter = known == 0 && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    short <= 1 && numbers <= 1 && (known > 0 || is_letter)
}

/// The words of a name in small letters: `user[firstName].work_phone` has five.
fn words(name: &str) -> impl Iterator<Item = String> + '_ {
    let pieces = name.split(|sign: char| !sign.is_ascii_alphanumeric());
    pieces.flat_map(parts).filter(|word| !word.is_empty()).map(|word| word.to_ascii_lowercase())
}

/// A word of several, told apart by their capitals and by digits.
fn parts(piece: &str) -> Vec<&str> {
    let bytes = piece.as_bytes();
    let kind = |byte: u8| (byte.is_ascii_uppercase(), byte.is_ascii_digit());
    let mut parts = Vec::new();
    let mut start = 0;
    for at in 1..bytes.len() {
        let (before, here) = (kind(bytes[at - 1]), kind(bytes[at]));
        // A capital behind a small letter begins a word, and the last of several capitals does.
        let begins = (here.0 && !before.0)
            || before.1 != here.1
            || (here.0 && bytes.get(at + 1).is_some_and(u8::is_ascii_lowercase));
        if begins {
            parts.push(&piece[start..at]);
            start = at;
        }
    }
    parts.push(&piece[start..]);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(variable: &str, name: &str) -> String {
        target(variable, name.as_bytes(), &Own::default(), &Learned::default(), None)
    }

    #[test]
    fn names_of_developers_are_told() {
        for name in [
            "id",
            "note",
            "user[name].first-1_a",
            "json.note.array_0",
            "firstName",
            "workerID2",
            "HTMLText",
            "x-test",
            "items[12][description]",
            "json.contact.phone",
            "json.items.array_12.notes.array_0.text",
            "q",
            "b1",
        ] {
            assert_eq!(told("ARGS", name), format!("ARGS:{name}"));
        }
        assert_eq!(told("REQUEST_BODY", ""), "REQUEST_BODY");
        assert_eq!(told("REQUEST_HEADERS", "user-agent"), "REQUEST_HEADERS:user-agent");
        // What rules made up themselves.
        assert_eq!(told("TX", "kanarina"), "TX:kanarina");
    }

    #[test]
    fn names_of_persons_are_not_told() {
        for name in [
            "Mustermann_Erika",
            "json.patients.Mustermann_Erika_1234010180.note",
            "json.patients.1234010180.note",
            "kanarina.vogelsang",
            "noteVogelsang",
            "Ali.Can",
            "json.patients.Li.Wu.note",
            "json.patients.12.05.80.diagnosis",
            "030-123-456",
            "AnNa",
            "MuStErMaNn",
            "Li",
            "4f2a-9c-1b",
            "kanarina@example.org",
            "a b",
            "ü",
            "a/b",
            "<x>",
            "a:b",
        ] {
            for variable in ["ARGS", "ARGS_NAMES", "REQUEST_COOKIES", "FILES", "REQUEST_HEADERS_NAMES"] {
                assert_eq!(told(variable, name), format!("{variable}:…"));
            }
        }
        assert_eq!(target("ARGS", b"\xff", &Own::default(), &Learned::default(), None), "ARGS:…");
        assert_eq!(told("MULTIPART_FILENAME", "note"), "MULTIPART_FILENAME:…", "it is the value itself");
        // A name that is cut would mean another member.
        assert_eq!(told("ARGS", &"a-".repeat(40)), "ARGS:…");
    }

    #[test]
    fn what_three_clients_send_is_told_and_what_the_configuration_names() {
        let learned = Learned::default();
        let ask = |last: u8| {
            let client = IpAddr::from([192, 0, 2, last]);
            target("ARGS", b"schichtplan", &Own::default(), &learned, Some(client))
        };
        assert_eq!([ask(1), ask(1), ask(2), ask(1)], ["ARGS:…"; 4].map(str::to_owned));
        assert_eq!([ask(3), ask(1)], ["ARGS:schichtplan"; 2].map(str::to_owned));
        let own = Own::of(std::iter::empty(), ["ARGS:schichtplan"].into_iter());
        assert_eq!(target("ARGS", b"schichtplan_id", &own, &Learned::default(), None), "ARGS:schichtplan_id");
        for number in 0..2 * MOST_WAITING {
            learned.note(&number.to_string(), IpAddr::from([192, 0, 2, 1]));
        }
        assert!(learned.clients.lock().len() <= MOST_WAITING);
    }

    #[test]
    fn the_words_are_in_order_and_plain() {
        let words: Vec<&str> = include_str!("words.txt").lines().collect();
        assert!(words.windows(2).all(|pair| pair[0] < pair[1]), "each once, sorted");
        assert!(words.iter().all(|word| word.bytes().all(|byte| byte.is_ascii_lowercase())));
    }
}
