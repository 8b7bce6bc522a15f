//! `obhut bench gateway --memory`: what the gateway holds for clients that take their time, and for what is larger than
//! it may keep. Each case has a gateway of its own, so that none finds the memory that another has left.

mod app;
mod clients;
mod readers;
mod senders;
mod slow;

use super::gate_process::{Folder, Gate};
use super::process;
use crate::system::{Problem, say};
use app::App;
use clients::Target;
use serde::Serialize;
use std::process::ExitCode;
use std::time::Duration;

/// Most clients: their connections and those to the app are descriptors of two processes.
const MOST: usize = 4_000;
/// Bytes of an answer that is read slowly.
const ANSWER: u64 = 8 << 20;
/// Answers of one HTTP/2 connection at the same time, as many as the gateway takes.
const STREAMS: usize = 100;
/// How long the gateway has to let go of what its clients have left.
const SETTLE: Duration = Duration::from_secs(1);
/// How long a case may take beyond its time.
const LATE: Duration = Duration::from_secs(60);
/// Between two looks at the memory.
const LOOK: Duration = Duration::from_millis(10);

/// What memory may grow by for each client, in KiB: what is read ahead of its answer, and what waits to be written.
const EACH_KIB: u64 = 256;
/// What memory may grow by once, in KiB.
const ONCE_KIB: u64 = 4 << 10;

/// Descriptors that a process has besides those of the clients.
const DESCRIPTORS: u64 = 200;
/// Bytes of the download and of the upload.
const TRANSFER: u64 = 1_000_000_000;
/// The same in a short run.
const SHORT_TRANSFER: u64 = 64_000_000;

/// How to measure.
pub(crate) struct Plan {
    clients: usize,
    /// How long a slow client takes.
    time: Duration,
    /// Bytes of the download and of the upload.
    transfer: u64,
    json: bool,
}

impl Plan {
    /// As it was asked for; a short one shows that the measurement works and that nothing is kept that should not be.
    pub(crate) fn new(clients: Option<usize>, seconds: Option<u64>, smoke: bool, json: bool) -> Self {
        let (most, time, transfer) = if smoke { (100, 2, SHORT_TRANSFER) } else { (1_000, 5, TRANSFER) };
        let time = Duration::from_secs(seconds.unwrap_or(time));
        Self { clients: clients.unwrap_or(most), time, transfer, json }
    }
}

/// What is measured.
#[derive(Clone, Copy)]
enum Kind {
    SlowSenders,
    SlowReaders,
    SlowReadersHttp2,
    SlowStreamsHttp2,
    Download,
    Upload,
}

const KINDS: [Kind; 6] = [
    Kind::SlowSenders,
    Kind::SlowReaders,
    Kind::SlowReadersHttp2,
    Kind::SlowStreamsHttp2,
    Kind::Download,
    Kind::Upload,
];

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::SlowSenders => "slow senders",
            Self::SlowReaders => "slow readers",
            Self::SlowReadersHttp2 => "slow readers, HTTP/2",
            Self::SlowStreamsHttp2 => "slow streams, HTTP/2",
            Self::Download => "download",
            Self::Upload => "upload",
        }
    }

    fn clients(self, plan: &Plan) -> usize {
        match self {
            Self::Download | Self::Upload => 1,
            Self::SlowStreamsHttp2 => plan.clients.next_multiple_of(STREAMS),
            Self::SlowSenders | Self::SlowReaders | Self::SlowReadersHttp2 => plan.clients,
        }
    }

    async fn run(self, target: &Target, plan: &Plan) -> Result<(), Problem> {
        let clients = self.clients(plan);
        match self {
            Self::SlowSenders => senders::slow(target, clients, plan.time).await,
            Self::SlowReaders => readers::slow(target, clients, ANSWER, plan.time).await,
            Self::SlowReadersHttp2 => readers::slow_http2(target, clients, 1, ANSWER, plan.time).await,
            Self::SlowStreamsHttp2 => readers::slow_http2(target, clients, STREAMS, ANSWER, plan.time).await,
            Self::Download => readers::fast(target, plan.transfer).await,
            Self::Upload => senders::fast(target, plan.transfer).await,
        }
    }
}

/// One measured case.
#[derive(Debug, Serialize)]
struct Case {
    case: &'static str,
    clients: usize,
    /// Resident before the first client came.
    before_kib: u64,
    /// Resident at the highest.
    peak_kib: u64,
    /// Resident after the last client was gone.
    after_kib: u64,
    per_client_kib: f64,
    /// How much it may have grown and still be flat.
    allowed_kib: u64,
    flat: bool,
}

impl Case {
    /// Memory is flat where it grows with the clients and not with the bytes that pass.
    fn judge(case: &'static str, clients: usize, before_kib: u64, peak_kib: u64, after_kib: u64) -> Self {
        let growth = peak_kib.saturating_sub(before_kib);
        let allowed_kib = ONCE_KIB + EACH_KIB * clients as u64;
        let per_client_kib = (growth as f64 / clients as f64 * 10.0).round() / 10.0;
        let flat = growth <= allowed_kib;
        Self { case, clients, before_kib, peak_kib, after_kib, per_client_kib, allowed_kib, flat }
    }

    fn line(&self) -> String {
        format!(
            "{:<21} {:>5} clients   before {:>7} KiB   highest {:>7} KiB   after {:>7} KiB   {:>7.1} KiB each   {}",
            self.case,
            self.clients,
            self.before_kib,
            self.peak_kib,
            self.after_kib,
            self.per_client_kib,
            if self.flat { "flat" } else { "NOT FLAT" }
        )
    }
}

/// Measures and prints; fails where memory is not flat.
pub(crate) fn run(plan: &Plan) -> Result<ExitCode, Problem> {
    room_for(plan.clients)?;
    let folder = Folder::temporary()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let app = runtime.block_on(App::start())?;
    let mut all_flat = true;
    for (number, kind) in KINDS.into_iter().enumerate() {
        let gate = Gate::start(folder.0.join(format!("house-{number}")), app.address, &folder.0, None)?;
        let case = runtime.block_on(measure(kind, &gate, &app, plan))?;
        all_flat &= case.flat;
        say(&if plan.json { serde_json::to_string(&case).unwrap_or_default() } else { case.line() });
    }
    if !plan.json {
        say(&format!(
            "flat: from before to the highest it grows by at most {EACH_KIB} KiB for each client and {} MiB, however \
             much passes",
            ONCE_KIB >> 10
        ));
    }
    Ok(if all_flat { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn measure(kind: Kind, gate: &Gate, app: &App, plan: &Plan) -> Result<Case, Problem> {
    let (pid, name, clients) = (gate.pid(), kind.name(), kind.clients(plan));
    let target = Target::of(gate)?;
    readers::warm_up(&target).await?;
    let asked = app.asked();
    let starts_anew = process::forget_highest(pid);
    let before = process::resident(pid)?.now_kib;
    let mut highest = before;
    let ended = tokio::select! {
        ended = tokio::time::timeout(plan.time + LATE, kind.run(&target, plan)) => ended,
        lost = look(pid, &mut highest) => return Err(lost),
    };
    match ended {
        Ok(Ok(())) => {}
        Ok(Err(problem)) => return Err(Problem::new(format!("{name}: {}", problem.what))),
        Err(_) => return Err(Problem::new(format!("{name}: not done in time"))),
    }
    let came = app.asked() - asked;
    if came != clients {
        return Err(Problem::new(format!("{name}: {came} requests of {clients} clients came to the app")));
    }
    if starts_anew {
        highest = highest.max(process::resident(pid)?.highest_kib);
    }
    tokio::time::sleep(SETTLE).await;
    Ok(Case::judge(name, clients, before, highest, process::resident(pid)?.now_kib))
}

/// Looks at the memory of a process again and again; ends when it cannot.
async fn look(pid: u32, highest: &mut u64) -> Problem {
    loop {
        tokio::time::sleep(LOOK).await;
        match process::resident(pid) {
            Ok(resident) => *highest = resident.now_kib.max(*highest),
            Err(problem) => return problem,
        }
    }
}

/// Lets this process and those that it starts open a connection for each client and one to the app.
fn room_for(clients: usize) -> Result<(), Problem> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    if !(1..=MOST).contains(&clients) {
        return Err(Problem::new(format!("{clients} clients: from 1 to {MOST} can be measured")));
    }
    let needed = 2 * clients as u64 + DESCRIPTORS;
    let limit = getrlimit(Resource::Nofile);
    if limit.current.is_none_or(|current| current >= needed) {
        return Ok(());
    }
    setrlimit(Resource::Nofile, Rlimit { current: Some(needed), maximum: limit.maximum }).map_err(|_| {
        Problem::with_help(
            format!("{clients} clients need {needed} open files"),
            "raise the limit of open files, or take fewer --clients",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flat_is_what_grows_with_the_clients_alone() {
        let flat = |clients, growth| Case::judge("a case", clients, 20_000, 20_000 + growth, 20_000).flat;
        assert!(flat(1_000, 256_000) && flat(1, 4_000));
        assert!(!flat(1_000, 509 << 10), "what was seen before less was read ahead");
        // If the gateway kept what it is given, each case would be beyond what is allowed, in a short run too.
        for (clients, bytes) in [(100, 100 * ANSWER), (100, 100 * senders::BODY as u64), (1, SHORT_TRANSFER)]
        {
            assert!(!flat(clients, bytes >> 10), "{clients} clients, {bytes} bytes");
        }
        let shrunk = Case::judge("a case", 4, 1_000, 900, 800);
        assert!(shrunk.flat && shrunk.per_client_kib == 0.0, "{shrunk:?}");
    }

    #[test]
    fn a_case_has_the_keys_that_the_documents_name() {
        let case = Case::judge("slow readers", 3, 20_000, 20_100, 20_050);
        let json = serde_json::to_string(&case).expect("json");
        assert_eq!(
            json,
            r#"{"case":"slow readers","clients":3,"before_kib":20000,"peak_kib":20100,"after_kib":20050,"#
                .to_owned()
                + r#""per_client_kib":33.3,"allowed_kib":4864,"flat":true}"#
        );
    }
}
