//! How many different persons each user is shown within an hour.

use model::{PersonId, PrincipalId, Timestamp};
use std::collections::{HashMap, HashSet};

/// Span of a budget, ms: any hour, not the one of the clock.
const HOUR_MS: i64 = 3_600_000;
/// How often all budgets are gone through at most when there is no more room, ms.
const PAUSE_MS: i64 = 60_000;
/// Most persons that all budgets name together; beyond it nobody is shown somebody more until others are forgotten.
const MAX_NAMED: usize = 2_000_000;

/// Whom each user was shown within the hour, and when for the last time.
#[derive(Default)]
pub(super) struct Budgets {
    of: HashMap<PrincipalId, HashMap<PersonId, Timestamp>>,
    named: usize,
    swept: Option<Timestamp>,
}

fn is_over(shown: Timestamp, now: Timestamp) -> bool {
    now.0 - shown.0 >= HOUR_MS
}

impl Budgets {
    /// Which of these persons the user may be shown: at most `per_answer`, and `per_hour` in any hour.
    pub(super) fn admit(
        &mut self,
        who: PrincipalId,
        persons: impl Iterator<Item = PersonId>,
        (per_answer, per_hour): (u32, u32),
        now: Timestamp,
    ) -> HashSet<PersonId> {
        let mut persons = persons.peekable();
        let mut admitted = HashSet::new();
        if persons.peek().is_none() {
            return admitted;
        }
        if self.named >= MAX_NAMED {
            self.sweep(now);
        }
        let shown = self.of.entry(who).or_default();
        let mut is_swept = false;
        for person in persons {
            if admitted.contains(&person) || admitted.len() >= per_answer as usize {
                continue;
            }
            if !shown.contains_key(&person) {
                if shown.len() >= per_hour as usize && !is_swept {
                    let before = shown.len();
                    shown.retain(|person, at| admitted.contains(person) || !is_over(*at, now));
                    self.named -= before - shown.len();
                    is_swept = true;
                }
                if shown.len() >= per_hour as usize || self.named >= MAX_NAMED {
                    continue;
                }
                self.named += 1;
            }
            shown.insert(person, now);
            admitted.insert(person);
        }
        admitted
    }

    fn sweep(&mut self, now: Timestamp) {
        if self.swept.is_some_and(|swept| now.0 - swept.0 < PAUSE_MS) {
            return;
        }
        self.swept = Some(now);
        self.of.retain(|_, shown| {
            shown.retain(|_, at| !is_over(*at, now));
            !shown.is_empty()
        });
        self.named = self.of.values().map(HashMap::len).sum();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHO: PrincipalId = PrincipalId([1; 16]);

    fn persons(numbers: std::ops::Range<u8>) -> impl Iterator<Item = PersonId> {
        numbers.map(|number| PersonId([number; 16]))
    }

    #[test]
    fn any_hour_has_one_budget() {
        let mut budgets = Budgets::default();
        let mut admit = |numbers, at| budgets.admit(WHO, persons(numbers), (3, 5), Timestamp(at)).len();
        assert_eq!(admit(0..10, 0), 3, "at most three in one answer");
        assert_eq!(admit(0..3, HOUR_MS / 2), 3, "the same persons cost nothing more");
        assert_eq!(admit(3..10, HOUR_MS / 2 + 1), 2, "five within the hour");
        assert_eq!(admit(10..20, HOUR_MS - 1), 0);
        assert_eq!(
            admit(10..20, HOUR_MS),
            0,
            "an hour of the clock gives nothing: they were shown again since"
        );
        assert_eq!(admit(10..20, HOUR_MS + HOUR_MS / 2), 3, "three are over");
        assert_eq!(admit(20..30, HOUR_MS + HOUR_MS / 2), 0, "and two are not");
    }

    #[test]
    fn users_have_budgets_of_their_own_and_what_is_over_is_forgotten() {
        let mut budgets = Budgets::default();
        for user in 0..100 {
            let who = PrincipalId([user; 16]);
            assert_eq!(budgets.admit(who, persons(0..5), (9, 5), Timestamp(0)).len(), 5);
        }
        assert_eq!(budgets.named, 500);
        budgets.sweep(Timestamp(HOUR_MS - 1));
        assert_eq!(budgets.named, 500);
        budgets.sweep(Timestamp(HOUR_MS + PAUSE_MS));
        assert_eq!((budgets.named, budgets.of.len()), (0, 0));
    }
}
