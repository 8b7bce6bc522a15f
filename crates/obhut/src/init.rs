//! `obhut init`: a data folder with root, signing keys, certificate, configuration and first tenant.

use crate::config::Config;
use crate::system::{Problem, SystemClock};
use crate::wiring::{self, May, private_file, private_folder};
use model::token::ApiKey;
use model::{Clock, Entropy};
use model::{PrincipalId, TenantId};
use seal::{Passphrase, Root, RootKind, SigningKeys, SystemEntropy};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use store::{KeyOp, Store};

/// What to make.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The data folder; it must be empty or not exist.
    #[arg(long, short, value_name = "DIR")]
    data: PathBuf,
    /// The name of the first tenant.
    #[arg(long, short, value_name = "NAME")]
    tenant: String,
    /// A file that holds the passphrase (one line, at least 12 characters). Keep it away from the data folder.
    #[arg(long, value_name = "FILE")]
    passphrase_file: PathBuf,
    /// Origin of the ledger, like a URL without scheme; it can never change.
    #[arg(long, default_value = "obhut.local/ledger", value_name = "ORIGIN")]
    origin: String,
    /// Names of the local certificate that is made to begin with; replace it by one of your own.
    #[arg(long, default_value = "localhost", value_name = "NAME", num_args = 1..)]
    hostname: Vec<String>,
}

/// What a made folder holds that is shown once.
pub(crate) struct Made {
    pub(crate) tenant: TenantId,
    pub(crate) principal: PrincipalId,
    pub(crate) admin: ApiKey,
    /// The path that signs the first administrator in, once; a demo has doors of its own.
    pub(crate) door: Option<String>,
}

/// Makes the folder and says what to do next.
pub(crate) fn run(args: &Args, out: &mut dyn Write) -> Result<ExitCode, Problem> {
    let passphrase = read_passphrase(&args.passphrase_file)?;
    private_folder(&args.data)?;
    if std::fs::read_dir(&args.data)?.next().is_some() {
        return Err(Problem::with_help(
            format!("{} is not empty", args.data.display()),
            "choose a folder that does not exist yet",
        ));
    }
    let passphrase_file = std::fs::canonicalize(&args.passphrase_file)?;
    let text = format!(
        "listen = \"127.0.0.1:9443\"\norigin = {:?}\n\n[unseal]\npassphrase_file = {:?}\n",
        args.origin,
        passphrase_file.display().to_string()
    );
    private_file(&args.data.join("obhut.toml"), text.as_bytes(), 0o600)?;
    let config = crate::config::load(&args.data.join("obhut.toml"))?;
    let names: Vec<&str> = args.hostname.iter().map(String::as_str).collect();
    writeln!(out, "making keys (RSA-4096 twice, ML-KEM-768, Ed25519), a few seconds …")?;
    let made = tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(make(
        &config,
        &passphrase,
        RootKind::Production,
        &args.tenant,
        &names,
    ))?;
    writeln!(out, "made       {}", args.data.display())?;
    writeln!(out, "tenant     {} {:?}", made.tenant, args.tenant)?;
    writeln!(out, "admin key  {}  (shown once; principal {})", made.admin.reveal(), made.principal)?;
    if let Some(door) = &made.door {
        let host = args.hostname.first().map_or("localhost", String::as_str);
        writeln!(out, "console    https://{host}:{}{door}  (works once, for 7 days)", config.listen.port())?;
    }
    writeln!(out, "authority  {}", args.data.join("tls/authority.pem").display())?;
    writeln!(out, "next       obhut serve --config {}", args.data.join("obhut.toml").display())?;
    Ok(ExitCode::SUCCESS)
}

/// Reads a passphrase: the first line of a file.
pub(crate) fn read_passphrase(path: &Path) -> Result<Passphrase, Problem> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        Problem::new(format!("cannot read the passphrase file {}: {error}", path.display()))
    })?;
    let text = zeroize::Zeroizing::new(text);
    let line = text.lines().next().unwrap_or_default();
    if line.chars().count() < 12 {
        return Err(Problem::with_help(
            "the passphrase has fewer than 12 characters",
            "for example: openssl rand -base64 24 > passphrase",
        ));
    }
    Passphrase::new(line.as_bytes().to_vec()).map_err(Problem::from_error("the passphrase"))
}

/// Makes everything. The two RSA keys are made at the same time, each on a thread of its own.
pub(crate) async fn make(
    config: &Config,
    passphrase: &Passphrase,
    kind: RootKind,
    tenant: &str,
    names: &[&str],
) -> Result<Made, Problem> {
    let entropy: Arc<dyn Entropy> = Arc::new(SystemEntropy);
    let signing = std::thread::spawn(|| SigningKeys::generate(&SystemEntropy));
    let root = Root::generate(kind, &*entropy).map_err(Problem::from_error("cannot make a root"))?;
    for folder in [&config.data, &config.store_folder(), &config.ledger_folder(), &config.shred_escrow] {
        private_folder(folder)?;
    }
    for folder in &config.shred_holders {
        private_folder(folder)?;
    }
    let file = root.to_file(passphrase, &*entropy).map_err(Problem::from_error("cannot seal the root"))?;
    private_file(&config.root_file(), &file, 0o600)?;
    make_certificate(config, names)?;
    let signing = signing.join().map_err(|_| Problem::new("making the signing keys failed"))?;
    let signing = signing.map_err(Problem::from_error("cannot make signing keys"))?;
    let sealed =
        signing.wrap(&root, &*entropy).map_err(Problem::from_error("cannot seal the signing keys"))?;
    {
        let store = Store::open(&config.store_folder(), &store::Options::default())
            .map_err(Problem::from_error("the store does not open"))?;
        let put = KeyOp::PutHouse { name: wiring::SIGNING_KEYS, value: sealed, expected_absent: true };
        store.apply_keys_blocking("init", vec![put]).map_err(Problem::from_error("the store"))?;
        store.close();
    }
    let may = May { demo: kind == RootKind::Demo, ..May::default() };
    let opened = wiring::open(config, Arc::new(root), Arc::new(SystemClock), entropy, may).await?;
    let new =
        opened.vault.create_tenant(tenant).await.map_err(Problem::from_error("cannot open the tenant"))?;
    let door = match kind {
        RootKind::Production => Some(first_door(&opened.vault, new.tenant, &new.admin).await?),
        _ => None,
    };
    opened.vault.tend().await.map_err(Problem::from_error("the outbox"))?;
    opened.vault.ledger().close();
    opened.store.close();
    Ok(Made { tenant: new.tenant, principal: new.principal, admin: new.admin, door })
}

/// A link that lets the first administrator in to the console.
async fn first_door(vault: &vault::Vault, tenant: TenantId, admin: &ApiKey) -> Result<String, Problem> {
    let actor =
        vault.authenticate(admin, |_| true).map_err(Problem::from_error("the administrator's key"))?;
    let ctx = vault::Context { actor, request: vault.new_request() };
    let now = vault.now().map_err(Problem::from_error("the clock"))?;
    let new = vault::keys::NewKey {
        name: "first admin".to_owned(),
        role: model::principal::Role::Admin,
        subject: None,
        expires: Some(now.plus_ms(vault::sessions::MAX_LINK_MS)),
        zone: Vec::new(),
    };
    let link = vault.issue_link(&ctx, tenant, new).await.map_err(Problem::from_error("a sign-in link"))?;
    Ok(format!("/sign-in/{}", link.secret.reveal()))
}

fn make_certificate(config: &Config, names: &[&str]) -> Result<(), Problem> {
    let made = crate::tls::make_local(names, SystemClock.now())?;
    if let Some(folder) = config.tls_cert.parent() {
        private_folder(folder)?;
        private_file(&folder.join("authority.pem"), made.authority.as_bytes(), 0o644)?;
    }
    private_file(&config.tls_cert, made.chain.as_bytes(), 0o644)?;
    private_file(&config.tls_key, made.key.as_bytes(), 0o600)
}
