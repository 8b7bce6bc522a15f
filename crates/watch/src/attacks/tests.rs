//! The store as a whole: what is counted, what is kept, what a crash, a flood and a bad disk leave of it.

use super::*;
use proptest::prelude::*;
use std::fs;
use std::io::Write;
use std::path::PathBuf;
use tally::{HOUR_MS, MINUTE_MS};
use testkit::TestClock;

/// A Monday at noon.
const NOON: i64 = 1_795_435_200_000;

/// An event that was refused because of one rule.
pub(super) fn attack(reference: &str, rule: u64) -> Attack {
    let seen = Rule {
        id: rule,
        severity: Some(2),
        message: "SQL injection".into(),
        tags: vec!["attack-sqli".into()].into(),
        target: Some("ARGS:note".into()),
    };
    Attack {
        reference: reference.into(),
        at: Timestamp(NOON),
        route: Some("workers".into()),
        method: "POST".into(),
        mode: Mode::Block,
        refused: true,
        status: 403,
        side: Side::Request,
        rules: vec![seen],
        by: Some(949_110),
        score: 5,
        refusal: None,
    }
}

struct House {
    folder: tempfile::TempDir,
    clock: TestClock,
}

impl House {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a folder"), clock: TestClock::at(NOON) }
    }

    fn open(&self) -> Attacks {
        Attacks::open(self.folder.path(), Arc::new(self.clock.clone())).expect("opens")
    }

    fn now(&self) -> Timestamp {
        model::Clock::now(&self.clock)
    }

    /// An event of now.
    fn note(&self, attacks: &Attacks, event: Attack) {
        attacks.note(Attack { at: self.now(), ..event });
    }

    fn day(&self) -> Span {
        Span::ending(self.now(), Step::Hours(1), 24)
    }

    fn month(&self) -> Span {
        Span::ending(self.now(), Step::Hours(24), 30)
    }

    fn files(&self, begin: &str) -> Vec<PathBuf> {
        let all =
            fs::read_dir(self.folder.path()).expect("a folder").map(|entry| entry.expect("an entry").path());
        let mut found: Vec<PathBuf> = all
            .filter(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(begin)))
            .collect();
        found.sort();
        found
    }

    fn bytes(&self) -> u64 {
        self.files("").iter().map(|path| fs::metadata(path).expect("a file").len()).sum()
    }
}

fn references(listed: &Listed) -> Vec<&str> {
    listed.attacks.iter().map(|(_, attack)| &*attack.reference).collect()
}

#[test]
fn what_happened_is_counted_and_kept() {
    let house = House::new();
    let attacks = house.open();
    house.note(&attacks, attack("ONE", 942_100));
    let would = Attack { mode: Mode::Detect, route: None, ..attack("TWO", 941_100) };
    house.note(&attacks, would.clone());
    house.note(&attacks, Attack { refused: false, status: 200, by: None, ..attack("THREE", 942_100) });
    attacks.flush();
    let all = attacks.tally(&house.day(), &Wanted::default());
    assert_eq!(all.all, Counted { refused: 1, would: 1, passed: 1 });
    assert_eq!(all.columns[23], all.all, "all of it in the hour that is not over");
    assert_eq!(all.rules[0], (Some(942_100), Counted { refused: 1, would: 0, passed: 1 }));
    assert_eq!(all.places.len(), 2);
    let nowhere = Wanted { place: Some(Place::Nowhere), ..Wanted::default() };
    assert_eq!(attacks.tally(&house.day(), &nowhere).all, Counted { would: 1, ..Counted::default() });
    let minutes = Span::ending(house.now(), Step::Minute, 60);
    assert_eq!(attacks.tally(&minutes, &Wanted::default()).columns[59].all(), 3);
    assert_eq!(references(&attacks.list(&Wanted::default(), None, 10)), ["THREE", "TWO", "ONE"]);
    assert_eq!(references(&attacks.list(&nowhere, None, 10)), ["TWO"]);
    assert_eq!(attacks.one(" t-w o"), Some(would));
    assert_eq!((attacks.one("FOUR"), attacks.one("")), (None, None));
    assert_eq!(attacks.seen().1, [941_100, 942_100]);
    assert_eq!(attacks.message(941_100).as_deref(), Some("SQL injection"));
}

#[test]
fn pages_go_back_to_the_first() {
    let house = House::new();
    let attacks = house.open();
    for number in 0..90 {
        house.note(&attacks, attack(&format!("R{number:03}"), number % 7 + 1));
        attacks.flush();
        house.clock.advance_ms(MINUTE_MS / 2);
    }
    let (mut seen, mut before) = (Vec::new(), None);
    loop {
        let page = attacks.list(&Wanted::default(), before, 25);
        seen.extend(page.attacks.iter().map(|(_, attack)| attack.reference.to_string()));
        before = page.next;
        if before.is_none() {
            break;
        }
    }
    let mut expected: Vec<String> = (0..90).map(|number| format!("R{number:03}")).collect();
    expected.reverse();
    assert_eq!(seen, expected);
    let of_rule = Wanted { rule: Some(4), ..Wanted::default() };
    assert_eq!((attacks.count(&of_rule), attacks.list(&of_rule, None, 100).attacks.len()), (13, 13));
    let late = Wanted { since: Some(Timestamp(NOON + 80 * MINUTE_MS / 2)), ..Wanted::default() };
    assert_eq!(attacks.count(&late), 10);
}

#[test]
fn a_restart_changes_nothing() {
    let house = House::new();
    let look = |attacks: &Attacks| {
        let list = attacks.list(&Wanted::default(), None, 100).attacks;
        let (day, minutes) = (house.day(), Span::ending(house.now(), Step::Minute, 180));
        let (day, minutes) =
            (attacks.tally(&day, &Wanted::default()), attacks.tally(&minutes, &Wanted::default()));
        (list, day.columns, day.rules, day.places, minutes.columns, attacks.seen(), attacks.message(5))
    };
    let attacks = house.open();
    for number in 0..200 {
        house.note(&attacks, attack(&format!("R{number:03}"), number % 7 + 1));
        attacks.flush();
        house.clock.advance_ms(MINUTE_MS * 3);
    }
    let before = look(&attacks);
    let busy = before.4.iter().filter(|column| column.all() > 0).count();
    assert_eq!((before.0.len(), busy), (100, 59));
    drop(attacks);
    assert_eq!(look(&house.open()), before);
    // Hours later the hours before are whole, though nobody was there when they ended.
    house.clock.advance_ms(5 * HOUR_MS);
    let attacks = house.open();
    assert_eq!(attacks.tally(&house.day(), &Wanted::default()).all.refused, 200);
    assert_eq!(
        attacks.tally(&house.day(), &Wanted::default()).all,
        attacks.tally(&house.month(), &Wanted::default()).all
    );
    drop(attacks);
    house.clock.advance_ms(26 * HOUR_MS);
    let attacks = house.open();
    assert_eq!(attacks.tally(&house.month(), &Wanted::default()).all.refused, 200);
    assert!(house.files("minutes-").is_empty(), "{:?}", house.files(""));
}

#[test]
fn a_torn_tail_is_cut_wherever_it_tore() {
    let house = House::new();
    let attacks = house.open();
    for reference in ["ONE", "TWO", "THREE"] {
        house.note(&attacks, attack(reference, 7));
        attacks.flush();
        house.clock.advance_ms(MINUTE_MS);
    }
    drop(attacks);
    let (events, minutes) = (house.files("events-").remove(0), house.files("minutes-").remove(0));
    let (whole, counted) = (fs::read(&events).expect("read"), fs::read(&minutes).expect("read"));
    let last =
        |bytes: &[u8]| bytes[..bytes.len() - 1].iter().rposition(|byte| *byte == b'\n').expect("a line") + 1;
    for cut in last(&whole)..whole.len() {
        fs::write(&events, &whole[..cut]).expect("written");
        let of_counts = last(&counted) + (cut - last(&whole)) % (counted.len() - last(&counted));
        fs::write(&minutes, &counted[..of_counts]).expect("written");
        let attacks = house.open();
        assert_eq!(references(&attacks.list(&Wanted::default(), None, 9)), ["TWO", "ONE"], "{cut}");
        assert_eq!(attacks.tally(&house.day(), &Wanted::default()).all.refused, 2, "{cut}");
        assert_eq!(attacks.kept().damaged, 0);
        // What comes next stands on a line of its own.
        house.note(&attacks, attack("FOUR", 8));
        attacks.flush();
        drop(attacks);
        let attacks = house.open();
        assert_eq!(references(&attacks.list(&Wanted::default(), None, 9)), ["FOUR", "TWO", "ONE"], "{cut}");
        assert_eq!(attacks.tally(&house.day(), &Wanted::default()).all.refused, 3, "{cut}");
        drop(attacks);
    }
}

#[test]
fn a_damaged_line_is_passed_over_and_said() {
    let house = House::new();
    let attacks = house.open();
    for reference in ["ONE", "TWO", "THREE"] {
        house.note(&attacks, attack(reference, 7));
    }
    attacks.flush();
    drop(attacks);
    let events = house.files("events-").remove(0);
    let mut bytes = fs::read(&events).expect("read");
    let place = bytes.windows(3).position(|three| three == b"TWO").expect("there");
    bytes[place] = b'X';
    fs::write(&events, bytes).expect("written");
    let attacks = house.open();
    assert_eq!(references(&attacks.list(&Wanted::default(), None, 9)), ["THREE", "ONE"]);
    assert_eq!(attacks.kept().damaged, 1);
}

/// What the child is told by: the folder.
const CHILD: &str = "OBHUT_ATTACKS_CHILD";

#[expect(clippy::disallowed_methods, reason = "the test tells its own child where to write")]
fn child_folder() -> Option<PathBuf> {
    std::env::var_os(CHILD).map(PathBuf::from)
}

#[test]
#[ignore = "the child of the test beside it"]
fn child_that_writes_until_it_is_killed() {
    let Some(folder) = child_folder() else { return };
    let clock = TestClock::at(NOON);
    let attacks = Attacks::open(&folder, Arc::new(clock.clone())).expect("opens");
    let mut out = std::io::stdout().lock();
    for number in 0_u64.. {
        let at = model::Clock::now(&clock);
        attacks.note(Attack { at, ..attack(&format!("N{number}"), number % 50) });
        attacks.note(Attack { at, ..attack(&format!("M{number}"), number % 50) });
        if number % 3 == 0 {
            attacks.flush();
            writeln!(out, "@ {number}").and_then(|()| out.flush()).expect("the parent listens");
        }
        clock.advance_ms(7_000);
    }
}

#[test]
fn a_kill_loses_nothing_that_was_written() {
    use std::io::{BufRead, BufReader};
    use std::process::{Command, Stdio};
    for round in 0..4_u64 {
        let house = House::new();
        let mut child = Command::new(std::env::current_exe().expect("a program"))
            .args([
                "--ignored",
                "--exact",
                "--nocapture",
                "attacks::tests::child_that_writes_until_it_is_killed",
            ])
            .env(CHILD, house.folder.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("a child");
        let lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        let mut told: u64 = 0;
        for line in lines.map_while(Result::ok) {
            let Some(number) = line.strip_prefix("@ ") else { continue };
            told = number.parse().expect("a number");
            if told >= 300 + round * 700 {
                break;
            }
        }
        child.kill().expect("killed");
        child.wait().expect("ended");
        assert!(told >= 300, "the child wrote");
        // It may have gone on after the last line that was read.
        house.clock.advance_ms(7_000 * i64::try_from(told).expect("small") + HOUR_MS);
        let attacks = house.open();
        assert_eq!(attacks.kept().damaged, 0);
        for number in told.saturating_sub(100)..=told {
            assert!(attacks.one(&format!("N{number}")).is_some(), "{number} of {told}");
        }
        let counted = attacks.tally(&house.month(), &Wanted::default()).all.refused;
        assert!(counted >= 2 * told, "{counted} of {told}");
        house.note(&attacks, attack("AFTER", 1));
        attacks.flush();
        assert_eq!(references(&attacks.list(&Wanted::default(), None, 1)), ["AFTER"]);
    }
}

#[test]
fn a_flood_fills_neither_memory_nor_disk_and_no_event_is_forgotten() {
    const EVENTS: u64 = 1_000_000;
    let house = House::new();
    let attacks = Arc::new(house.open());
    let flood = |from: u64| {
        let (attacks, clock) = (attacks.clone(), house.clock.clone());
        let events: Vec<Attack> = (0..500)
            .map(|kind| Attack {
                route: Some(format!("route-{}", kind % 40).into()),
                ..attack("F", 900_000 + kind)
            })
            .collect();
        std::thread::spawn(move || {
            for number in 0..EVENTS / 2 {
                let event = &events[(number % 500) as usize];
                attacks.note(Attack {
                    reference: format!("F{from}{number}").into(),
                    at: model::Clock::now(&clock),
                    ..event.clone()
                });
                if number % 1_000 == 0 {
                    clock.advance_ms(2_000);
                }
            }
        })
    };
    let threads = [flood(0), flood(1)];
    threads.into_iter().for_each(|thread| thread.join().expect("no panic"));
    attacks.flush();
    let kept = attacks.kept();
    let tally = attacks.tally(&house.month(), &Wanted::default());
    assert_eq!(tally.all.refused, EVENTS, "every event is counted: {kept:?}");
    assert_eq!(tally.untold, kept.untold);
    let by_place: u64 = tally.places.iter().map(|(_, counted)| counted.refused).sum();
    assert_eq!(by_place + kept.untold, EVENTS, "by route or untold");
    assert!(kept.events <= log::MOST && kept.events > 100, "{kept:?}");
    assert_eq!(kept.unwritten, 0);
    assert!(house.bytes() < 40 << 20, "{} bytes", house.bytes());
    let shared = attacks.shared.tallies.lock().size();
    assert!(shared < 8 << 20, "{shared} bytes of counts");
    // Each minute begins anew: what comes after the flood is kept.
    house.clock.advance_ms(MINUTE_MS);
    house.note(&attacks, attack("HONEST", 1));
    attacks.flush();
    assert!(attacks.one("HONEST").is_some());
    drop(attacks);
    let attacks = house.open();
    assert_eq!(
        attacks.tally(&house.month(), &Wanted::default()).all.refused,
        EVENTS + 1,
        "and after a restart"
    );
}

#[test]
fn detail_is_bounded_by_number_and_bytes() {
    let house = House::new();
    let attacks = house.open();
    let rule = |id| Rule {
        id,
        severity: Some(2),
        message: "m".repeat(200).into(),
        tags: (0..20).map(|tag| format!("tag-{tag}-{}", "t".repeat(50)).into()).collect(),
        target: Some(format!("ARGS:{}", "n".repeat(64)).into()),
    };
    let large: Vec<Rule> = (0..100).map(rule).collect();
    for number in 0..1_500_u64 {
        let event = Attack { rules: large.clone(), by: Some(99), ..attack(&format!("L{number}"), 1) };
        house.note(&attacks, event);
        attacks.flush();
        house.clock.advance_ms(MINUTE_MS / 10);
    }
    let files = house.files("events-");
    let bytes: u64 = files.iter().map(|path| fs::metadata(path).expect("a file").len()).sum();
    assert!(
        files.len() <= log::SEGMENTS && bytes <= (log::SEGMENT + (64 << 10)) * log::SEGMENTS as u64,
        "{files:?}"
    );
    let last = attacks.one("L1499").expect("the last");
    assert!(
        last.rules.len() == MOST_RULES && last.rules.iter().any(|rule| rule.id == 99),
        "the one that decided"
    );
    assert_eq!(attacks.one("L0"), None, "the oldest went");
    for number in 0..12_000 {
        house.note(&attacks, attack(&format!("S{number}"), 1));
        if number % 15 == 14 {
            attacks.flush();
            house.clock.advance_ms(MINUTE_MS);
        }
    }
    assert_eq!(attacks.kept().events, log::MOST);
    assert!(attacks.one("S11999").is_some() && attacks.one("L1499").is_none());
}

#[test]
fn whoever_tells_never_waits() {
    let house = House::new();
    let attacks = house.open();
    {
        // The thread stands still in the middle of its work.
        let _held = attacks.shared.tallies.lock();
        for number in 0..(QUEUE as u64 * 3) {
            house.note(&attacks, attack(&format!("Q{number}"), 1));
        }
        assert!(attacks.kept().untold >= QUEUE as u64 * 2 - 1, "{:?}", attacks.kept());
    }
    attacks.flush();
    let tally = attacks.tally(&house.day(), &Wanted::default());
    assert_eq!(tally.all.refused, QUEUE as u64 * 3);
    assert_eq!(tally.untold, attacks.kept().untold);
    // Those of which only the outcome is known are of no route.
    let workers = Wanted { place: Some(Place::Route("workers".into())), ..Wanted::default() };
    assert_eq!(attacks.tally(&house.day(), &workers).all.refused, tally.all.refused - tally.untold);
}

#[test]
fn a_disk_that_takes_nothing_leaves_the_counts() {
    let house = House::new();
    for name in ["events-0000000000.log", "minutes-0000498732.log"] {
        std::os::unix::fs::symlink("/dev/full", house.folder.path().join(name)).expect("a link");
    }
    assert_eq!(NOON / HOUR_MS, 498_732);
    let attacks = house.open();
    for number in 0..10 {
        house.note(&attacks, attack(&format!("D{number}"), 1));
        attacks.flush();
    }
    assert_eq!(attacks.tally(&house.day(), &Wanted::default()).all.refused, 10);
    let kept = attacks.kept();
    assert!(kept.unwritten >= 10 && kept.events == 0, "{kept:?}");
    // Room again: what comes is kept.
    for name in ["events-0000000000.log", "minutes-0000498732.log"] {
        fs::remove_file(house.folder.path().join(name)).expect("removed");
    }
    drop(attacks);
    let attacks = house.open();
    house.note(&attacks, attack("AGAIN", 1));
    attacks.flush();
    assert!(attacks.one("AGAIN").is_some());
}

#[test]
fn files_go_when_their_time_is_over() {
    let house = House::new();
    let attacks = house.open();
    for hour in 0..40 * 24 {
        house.note(&attacks, attack(&format!("H{hour}"), hour % 5 + 1));
        attacks.flush();
        house.clock.advance_ms(HOUR_MS);
    }
    house.note(&attacks, attack("LAST", 1));
    attacks.flush();
    assert!(house.files("minutes-").len() <= 5, "{:?}", house.files("minutes-"));
    assert!((30..=32).contains(&house.files("hours-").len()), "{:?}", house.files("hours-"));
    let month = Span::ending(house.now(), Step::Hours(1), 30 * 24);
    let tally = attacks.tally(&month, &Wanted::default());
    assert_eq!(tally.all.refused, 30 * 24, "one an hour, and nothing older");
    assert!(tally.columns.iter().all(|column| column.refused == 1));
}

#[test]
fn a_clock_that_was_set_back_loses_nothing() {
    let house = House::new();
    let attacks = house.open();
    house.note(&attacks, attack("ONE", 1));
    attacks.flush();
    house.clock.advance_ms(-3 * HOUR_MS);
    house.note(&attacks, attack("TWO", 1));
    attacks.flush();
    let then = Span::ending(Timestamp(NOON), Step::Hours(1), 24);
    assert_eq!(attacks.tally(&then, &Wanted::default()).all.refused, 2);
    assert!(attacks.one("TWO").is_some());
}

#[test]
fn the_report_names_rule_place_and_target() {
    let house = House::new();
    let attacks = house.open();
    for number in 0..3 {
        house.note(&attacks, Attack { mode: Mode::Detect, ..attack(&format!("W{number}"), 942_100) });
    }
    let mut other = Attack { mode: Mode::Detect, route: None, ..attack("X", 941_100) };
    other.rules[0].target = None;
    house.note(&attacks, other);
    house.note(&attacks, attack("REFUSED", 942_100));
    house.note(&attacks, Attack { mode: Mode::Detect, refused: false, ..attack("PASSED", 942_100) });
    attacks.flush();
    let report = attacks.would_refuse(&Wanted::default());
    let lines: Vec<_> = report
        .iter()
        .map(|line| (line.place.clone(), line.rule, line.target.as_deref(), line.count, &*line.reference))
        .collect();
    let workers = Place::Route("workers".into());
    assert_eq!(
        lines,
        [(workers, 942_100, Some("ARGS:note"), 3, "W2"), (Place::Nowhere, 941_100, None, 1, "X")]
    );
}

/// Every byte that lies in the folder.
fn lies_there(house: &House, what: &str) -> bool {
    house.files("").iter().any(|path| {
        let bytes = fs::read(path).expect("read");
        bytes.windows(what.len()).any(|part| part.eq_ignore_ascii_case(what.as_bytes()))
    })
}

#[test]
fn nothing_that_a_client_made_up_lies_on_the_disk() {
    const CANARY: &str = "Kanarina Vogelsang";
    let house = House::new();
    let attacks = house.open();
    let mut event = attack("CANARY", 942_100);
    event.method = CANARY.into();
    event.route = Some(CANARY.into());
    event.refusal = Some(CANARY.into());
    event.rules[0].target = Some(format!("ARGS:{CANARY}").into());
    for target in [CANARY.to_owned(), format!("ARGS:a={CANARY}"), format!("REQUEST_COOKIES:{CANARY}/x?y")] {
        event.rules.push(Rule { target: Some(target.into()), ..event.rules[0].clone() });
    }
    house.note(&attacks, event);
    attacks.flush();
    drop(attacks);
    assert!(
        !lies_there(&house, CANARY) && !lies_there(&house, "Kanarina") && !lies_there(&house, "Vogelsang")
    );
    // The search finds what is there: a plain name is kept.
    let attacks = house.open();
    let mut plain = attack("PLAIN", 942_100);
    plain.rules[0].target = Some("ARGS:Kanarina".into());
    house.note(&attacks, plain);
    attacks.flush();
    assert!(lies_there(&house, "kanarina") && !lies_there(&house, "Vogelsang"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// Counts and lists are what counting by hand gives, for every question.
    #[test]
    fn counts_are_those_of_a_plain_model(
        events in proptest::collection::vec((0_u8..4, 0_u64..4, any::<bool>(), any::<bool>(), 0_i64..40), 1..60),
        asked in (0_u8..5, 0_u64..5, 0_u8..3, 0_u8..4),
    ) {
        let house = House::new();
        let attacks = house.open();
        let mut all = Vec::new();
        for (number, (route, rule, detect, refused, wait)) in events.into_iter().enumerate() {
            let mode = if detect { Mode::Detect } else { Mode::Block };
            let route: Option<Arc<str>> = (route > 0).then(|| format!("r{route}").into());
            let event = Attack { at: house.now(), route, mode, refused, ..attack(&format!("P{number}"), rule + 1) };
            attacks.note(event.clone());
            attacks.flush();
            all.push(event);
            house.clock.advance_ms(wait * MINUTE_MS);
        }
        let (route, rule, mode, outcome) = asked;
        let wanted = Wanted {
            since: None,
            place: match route { 0 => None, 1 => Some(Place::Nowhere), route => Some(Place::Route(format!("r{}", route - 1).into())) },
            rule: (rule > 0).then_some(rule),
            mode: [None, Some(Mode::Block), Some(Mode::Detect)][usize::from(mode)],
            outcome: [None, Some(Outcome::Refused), Some(Outcome::WouldRefuse), Some(Outcome::Passed)][usize::from(outcome)],
        };
        let fits = |event: &&Attack| {
            let place = event.route.clone().map_or(Place::Nowhere, Place::Route);
            wanted.place.as_ref().is_none_or(|one| *one == place)
                && wanted.rule.is_none_or(|rule| event.rules[0].id == rule)
                && wanted.mode.is_none_or(|mode| event.mode == mode)
                && wanted.outcome.is_none_or(|one| event.outcome() == one)
        };
        let expected: Vec<&Attack> = all.iter().rev().filter(fits).collect();
        let ask = |attacks: &Attacks| {
            let tally = attacks.tally(&house.month(), &wanted);
            (tally.all.all() as usize, attacks.count(&wanted), attacks.list(&wanted, None, 500))
        };
        for attacks in [attacks, house.open()] {
            let (counted, kept, listed) = ask(&attacks);
            let listed: Vec<&Attack> = listed.attacks.iter().map(|(_, attack)| attack).collect();
            prop_assert_eq!(counted, expected.len());
            prop_assert_eq!(kept, expected.len());
            prop_assert_eq!(listed, expected.clone());
        }
    }
}

#[test]
fn what_decides_or_keeps_the_score_is_told_from_what_finds() {
    let all = |ids: &[u64], tag: &str| ids.iter().all(|id| is_deciding(*id, &[tag.into()]));
    let none = |ids: &[u64], tag: &str| !ids.iter().any(|id| is_deciding(*id, &[tag.into()]));
    assert!(all(&[901_100, 949_110, 959_100, 980_170], "") && none(&[942_100], ""));
    assert!(all(&[942_100], "anomaly-evaluation") && none(&[10_002, 16_930], "somebody's own"));
    assert!(all(&[10_002, 16_900, 16_930, 16_951], "obhut-baseline"));
    assert!(none(&[14_005, 16_910], "obhut-baseline"));
}
