//! Submissions of this run whose outcome is still to come.

use super::MAX_WAITING;
use crate::trail::Actor;
use model::{PersonId, PrincipalId};
use parking_lot::Mutex;
use std::collections::HashMap;

/// Most of one user: an app answers one person's forms one after the other.
const MAX_OF_ONE: usize = 200;
/// Most whose request is under way and that nobody in particular typed.
const MAX_OF_NOBODY: usize = 2_000;
/// Most whose outcome is unknown and that nobody in particular typed: half, so that an app that does not answer them
/// leaves room for its users.
const MAX_UNKNOWN_OF_NOBODY: usize = MAX_WAITING / 2;

/// What is known of one that waits.
enum Wait {
    /// Its request is under way; who typed it.
    UnderWay(Option<Actor>),
    /// Its request has ended, and nobody knows how.
    Unknown(Option<PrincipalId>),
}

impl Wait {
    fn principal(&self) -> Option<PrincipalId> {
        match self {
            Self::UnderWay(by) => by.as_ref().map(|actor| actor.principal.id),
            Self::Unknown(by) => *by,
        }
    }

    const fn is_under_way(&self) -> bool {
        matches!(self, Self::UnderWay(_))
    }
}

/// All of them.
#[derive(Default)]
pub(crate) struct Waiting(Mutex<HashMap<PersonId, Wait>>);

impl Waiting {
    /// Lets one more wait, unless too many do already, of this user or of all.
    pub(super) fn begin(&self, id: PersonId, by: Option<&Actor>) -> bool {
        let mut waiting = self.0.lock();
        let room = waiting.len() < MAX_WAITING
            && match by.map(|actor| actor.principal.id) {
                Some(principal) => {
                    let same = |other: &&Wait| other.principal() == Some(principal);
                    waiting.len() < MAX_OF_ONE || waiting.values().filter(same).count() < MAX_OF_ONE
                }
                None => has_room_for_nobody(&waiting),
            };
        if room {
            waiting.insert(id, Wait::UnderWay(by.cloned()));
        }
        room
    }

    /// Who typed one whose request is under way.
    pub(super) fn under_way(&self, id: PersonId) -> Option<Option<Actor>> {
        match self.0.lock().get(&id)? {
            Wait::UnderWay(by) => Some(by.clone()),
            Wait::Unknown(_) => None,
        }
    }

    pub(super) fn is_under_way(&self, id: PersonId) -> bool {
        self.0.lock().get(&id).is_some_and(Wait::is_under_way)
    }

    /// Its request has ended, and nobody knows how. It goes on waiting.
    pub(super) fn leave(&self, id: PersonId) {
        if let Some(wait) = self.0.lock().get_mut(&id) {
            *wait = Wait::Unknown(wait.principal());
        }
    }

    /// Its data are gone. While its request is under way it keeps its place, so that its end is told what became of it.
    pub(super) fn drop_unknown(&self, id: PersonId) {
        let mut waiting = self.0.lock();
        if waiting.get(&id).is_some_and(|wait| !wait.is_under_way()) {
            waiting.remove(&id);
        }
    }

    /// It waits no more.
    pub(super) fn end(&self, id: PersonId) {
        self.0.lock().remove(&id);
    }
}

fn has_room_for_nobody(waiting: &HashMap<PersonId, Wait>) -> bool {
    if waiting.len() < MAX_OF_NOBODY {
        return true;
    }
    let nobody = waiting.values().filter(|wait| wait.principal().is_none());
    let (mut under_way, mut unknown) = (0, 0);
    for wait in nobody {
        *if wait.is_under_way() { &mut under_way } else { &mut unknown } += 1;
    }
    under_way < MAX_OF_NOBODY && unknown < MAX_UNKNOWN_OF_NOBODY
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: usize) -> PersonId {
        let mut id = [0; 16];
        id[..8].copy_from_slice(&number.to_be_bytes());
        PersonId(id)
    }

    #[test]
    fn nobody_fills_half_of_the_room_at_most() {
        let waiting = Waiting::default();
        let mut began = 0;
        // As an app that never answers lets them pile up.
        while waiting.begin(id(began), None) {
            waiting.leave(id(began));
            began += 1;
        }
        assert_eq!(began, MAX_UNKNOWN_OF_NOBODY);
        waiting.end(id(0));
        assert!(waiting.begin(id(0), None), "there is room once one is over");
        assert!(waiting.is_under_way(id(0)) && !waiting.is_under_way(id(1)));
    }

    #[test]
    fn so_many_are_under_way_at_once() {
        let waiting = Waiting::default();
        let began = (0..).take_while(|number| waiting.begin(id(*number), None)).count();
        assert_eq!(began, MAX_OF_NOBODY);
        assert!(waiting.under_way(id(0)).is_some_and(|by| by.is_none()));
    }
}
