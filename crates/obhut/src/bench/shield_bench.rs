//! `obhut bench shield`.

use crate::shield::rules;
use crate::system::{Problem, say};
use gateway::config::ShieldTable;
use rustix::time::{ClockId, clock_gettime};
use serde_json::json;
use shield::measure::{Contender, Effort, measure};
use shield::message::Request;
use shield::{Collections, Context, Engine, Head, Transaction, workload};
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::sync::Arc;
use std::time::Duration;

/// How to measure.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Folder of rules; without it, the baseline that is built in.
    #[arg(long, value_name = "DIR")]
    rules: Option<PathBuf>,
    /// Paranoia levels.
    #[arg(long, value_name = "N", default_values_t = [1, 2])]
    paranoia: Vec<u8>,
    /// Processor time for each request and level, in seconds.
    #[arg(long, default_value_t = 1.0)]
    seconds: f64,
    /// Beside libmodsecurity in one process, by `obhut-oracle`, which is built apart from the folder `oracle` of the sources.
    #[arg(long)]
    oracle: bool,
    /// The results as JSON lines.
    #[arg(long)]
    json: bool,
}

/// Measures and prints.
pub(crate) fn run(args: &Args) -> Result<ExitCode, Problem> {
    if args.oracle {
        return beside(args);
    }
    let time = Duration::try_from_secs_f64(args.seconds).map_err(Problem::from_error("--seconds"))?;
    for &paranoia in &args.paranoia {
        let table = ShieldTable {
            rules: args.rules.clone(),
            paranoia,
            detection_paranoia: paranoia,
            ..ShieldTable::default()
        };
        let loaded = rules::load(&table, Path::new("")).map_err(|why| Problem::new(why.to_string()))?;
        for shape in workload::shapes() {
            for (name, request) in &shape.requests {
                level(
                    &loaded.engine,
                    args,
                    Effort { time, ..Effort::default() },
                    (shape.name, name, paranoia),
                    request,
                )?;
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn level(
    engine: &Arc<Engine>,
    args: &Args,
    effort: Effort,
    (shape, name, paranoia): (&str, &str, u8),
    request: &Request,
) -> Result<(), Problem> {
    let collections = Arc::new(Collections::new(1_000));
    let mut inspect = |request: &Request| {
        std::hint::black_box(inspected(engine, &collections, request));
        Ok(())
    };
    let mut contenders = [Contender { name: "shield", inspect: &mut inspect }];
    let found = measure(request, &mut contenders, effort, &processor_time).map_err(Problem::new)?;
    let Some(figures) = found.first() else { return Err(Problem::new("a figure is missing")) };
    if args.json {
        let line = json!({
            "request": shape, "name": name, "paranoia": paranoia,
            "p5_us": figures.p5_us, "p50_us": figures.p50_us,
        });
        say(&line.to_string());
    } else {
        say(&format!(
            "PL{paranoia} {shape:<7} p5 {:>9.1}   p50 {:>9.1} µs of processor time   {name}",
            figures.p5_us, figures.p50_us
        ));
    }
    Ok(())
}

fn inspected(engine: &Arc<Engine>, collections: &Arc<Collections>, request: &Request) -> shield::Report {
    let local = IpAddr::V4(Ipv4Addr::LOCALHOST);
    let context = Context {
        client: request.client,
        client_port: 40_000,
        server: local,
        server_port: 443,
        id: "bench".to_owned(),
        now: 1_790_000_000,
    };
    let mut transaction = Transaction::new(engine, collections, context);
    let headers: Vec<(&[u8], &[u8])> =
        request.headers.iter().map(|(name, value)| (&**name, &**value)).collect();
    let head = Head {
        method: &request.method,
        target: &request.uri,
        protocol: &request.protocol,
        headers: &headers,
    };
    if transaction.request_head(&head).is_none() {
        let _ = transaction.request_body(&request.body, true);
    }
    transaction.finish()
}

/// Processor time of this thread since it began.
fn processor_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(u64::try_from(time.tv_sec).unwrap_or(0), u32::try_from(time.tv_nsec).unwrap_or(0))
}

/// Both engines in turn in one process, which links libmodsecurity: this one never does.
fn beside(args: &Args) -> Result<ExitCode, Problem> {
    let Some(rules) = &args.rules else {
        return Err(Problem::with_help("--oracle compares one set of rules", "name its folder with --rules"));
    };
    // It takes the folder with the rule files themselves.
    let inner = rules.join("rules");
    let mut command = Command::new("obhut-oracle");
    command
        .arg("bench")
        .arg("--rules")
        .arg(if inner.is_dir() { &inner } else { rules })
        .arg("--seconds")
        .arg(args.seconds.to_string())
        .arg("--paranoia")
        .arg(args.paranoia.iter().map(u8::to_string).collect::<Vec<_>>().join(","));
    if args.json {
        command.arg("--json");
    }
    let status = command.status().map_err(|_| {
        Problem::with_help(
            "obhut-oracle is not on the path",
            "build it in the folder `oracle` of the sources (cargo build --release); it needs libmodsecurity-dev",
        )
    })?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
