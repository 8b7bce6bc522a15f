//! The measured server: a house of its own with so many persons, made by one process and served by the next, so that
//! what is measured was opened from the disk.

use crate::config::Config;
use crate::demo;
use crate::serve;
use crate::system::{Problem, say};
use crate::wiring::May;
use console::Console;
use model::PersonId;
use model::token::ApiKey;
use std::io::Read;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use vault::{Context, Vault};

/// What to make.
#[derive(clap::Args)]
pub(crate) struct SeedArgs {
    /// The data folder.
    #[arg(long)]
    data: PathBuf,
    /// How many persons.
    #[arg(long)]
    persons: usize,
}

/// What to serve.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The data folder, seeded.
    #[arg(long)]
    data: PathBuf,
}

/// The file in the data folder that says who lives there: written last, so that half a house is not taken for one.
pub(crate) const SEEDED: &str = "bench.json";
/// The ids of the persons, 16 bytes each.
pub(crate) const PERSONS: &str = "persons.bin";

/// Persons that are stored at the same time while seeding.
const AT_ONCE: usize = 512;

/// Makes the house and its persons.
pub(crate) fn run_seed(args: &SeedArgs) -> Result<ExitCode, Problem> {
    let config = config(&args.data)?;
    runtime()?.block_on(async {
        let (running, seeded) = demo::start(&config, true).await?;
        let opened = running.opened().ok_or_else(|| Problem::new("the house is not open"))?;
        let people = seed(&opened.vault, &seeded.app, seeded.tenant, args.persons).await?;
        let ids: Vec<u8> = people.iter().flat_map(|id| id.0).collect();
        std::fs::write(args.data.join(PERSONS), ids)?;
        let hello = serde_json::json!({
            "tenant": seeded.tenant,
            "app": seeded.app.reveal(),
            "lead": seeded.shift_lead.reveal(),
        });
        running.stop().await;
        std::fs::write(args.data.join(SEEDED), hello.to_string())?;
        Ok(ExitCode::SUCCESS)
    })
}

/// Opens the seeded house, says where it listens and how long opening took as one line of JSON, serves until standard
/// input ends.
pub(crate) fn run(args: &Args) -> Result<ExitCode, Problem> {
    let config = config(&args.data)?;
    let seeded = std::fs::read_to_string(args.data.join(SEEDED))?;
    let mut hello: serde_json::Value =
        serde_json::from_str(&seeded).map_err(Problem::from_error("the seeded house"))?;
    let passphrase = crate::init::read_passphrase(&args.data.join("passphrase"))?;
    runtime()?.block_on(async {
        let console = Console::sealed(serve::settings(&config));
        let mut running = serve::listen(&config, &console).await?;
        let root = Arc::new(crate::wiring::open_root(&config, &passphrase)?);
        let begin = Instant::now();
        running.open(&config, &console, root, May { demo: true, ..May::default() }).await?;
        hello["start_ms"] = (begin.elapsed().as_secs_f64() * 1e3).into();
        hello["port"] = running.address.port().into();
        say(&hello.to_string());
        let ended = tokio::task::spawn_blocking(|| std::io::stdin().lock().read_to_end(&mut Vec::new()));
        let _ = ended.await;
        running.stop().await;
        Ok(ExitCode::SUCCESS)
    })
}

fn config(data: &Path) -> Result<Config, Problem> {
    let mut config = Config::of_folder(data)?;
    config.listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    Ok(config)
}

fn runtime() -> Result<tokio::runtime::Runtime, Problem> {
    Ok(tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?)
}

async fn seed(
    vault: &Vault,
    app: &ApiKey,
    tenant: model::TenantId,
    persons: usize,
) -> Result<Vec<PersonId>, Problem> {
    let actor = vault.authenticate(app, |_| true).map_err(Problem::from_error("the app's key"))?;
    let room = Arc::new(Semaphore::new(AT_ONCE));
    let mut tasks = JoinSet::new();
    let mut people = Vec::with_capacity(persons);
    for number in 0..persons {
        let place = room.clone().acquire_owned().await.map_err(Problem::from_error("seeding"))?;
        let ctx = Context { actor: actor.clone(), request: vault.new_request() };
        let vault = vault.clone();
        tasks.spawn(async move {
            let stored = vault.put(&ctx, tenant, &demo::worker(number + 1_000)).await;
            drop(place);
            stored.map(|stored| stored.person)
        });
        while let Some(stored) = tasks.try_join_next() {
            people.push(of(stored)?);
        }
    }
    while let Some(stored) = tasks.join_next().await {
        people.push(of(stored)?);
    }
    Ok(people)
}

fn of(
    stored: Result<Result<PersonId, vault::put::PutError>, tokio::task::JoinError>,
) -> Result<PersonId, Problem> {
    let stored = stored.map_err(Problem::from_error("seeding"))?;
    stored.map_err(Problem::from_error("seeding"))
}
