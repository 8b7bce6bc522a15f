//! The measured server: a house of its own with so many persons, in a process of its own.

use crate::config::Config;
use crate::demo;
use crate::system::{Problem, say};
use model::PersonId;
use model::token::ApiKey;
use std::io::Read;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use vault::{Context, Vault};

/// What to serve.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The data folder.
    #[arg(long)]
    data: PathBuf,
    /// How many persons.
    #[arg(long)]
    persons: usize,
}

/// Persons that are stored at the same time while seeding.
const AT_ONCE: usize = 512;

/// Makes and seeds the house, says where it listens as one line of JSON, serves until standard input ends.
pub(crate) fn run(args: &Args) -> Result<ExitCode, Problem> {
    let mut config = Config::of_folder(&args.data)?;
    config.listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async {
        let (running, seeded) = demo::start(&config, false).await?;
        let opened = running.opened().ok_or_else(|| Problem::new("the house is not open"))?;
        let people = seed(&opened.vault, &seeded.app, seeded.tenant, args.persons).await?;
        let ids: Vec<u8> = people.iter().flat_map(|id| id.0).collect();
        std::fs::write(args.data.join("persons.bin"), ids)?;
        let hello = serde_json::json!({
            "port": running.address.port(),
            "tenant": seeded.tenant,
            "app": seeded.app.reveal(),
            "lead": seeded.shift_lead.reveal(),
        });
        say(&hello.to_string());
        let ended = tokio::task::spawn_blocking(|| std::io::stdin().lock().read_to_end(&mut Vec::new()));
        let _ = ended.await;
        running.stop().await;
        Ok(ExitCode::SUCCESS)
    })
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
