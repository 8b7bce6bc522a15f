//! Configuration: one TOML file; each key also an environment variable, secrets excepted.
//!
//! Order: default, file, environment. An unknown key is an error that names the nearest known one.

use crate::system::{Problem, environment};
use gateway::config::Tables;
use std::collections::BTreeMap;
use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// What the house needs to know before it opens.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    pub(crate) data: PathBuf,
    pub(crate) listen: SocketAddr,
    pub(crate) origin: String,
    pub(crate) tls_cert: PathBuf,
    pub(crate) tls_key: PathBuf,
    pub(crate) shred_holders: [PathBuf; 2],
    pub(crate) shred_escrow: PathBuf,
    pub(crate) passphrase_file: Option<PathBuf>,
    pub(crate) credential: Option<String>,
    pub(crate) socket: PathBuf,
    pub(crate) horizon_days: u32,
    pub(crate) segment_mib: u32,
    pub(crate) ledger_zone: Vec<String>,
    /// `[gateway]`, `[[route]]`, `[[relay]]` and `[shield]`, where there is a gateway.
    pub(crate) gateway: Option<Tables>,
}

/// One key that can be configured.
pub(crate) struct Key {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    pub(crate) default: &'static str,
}

/// Every key. `docs/config.md` has a row for each.
pub(crate) const KEYS: &[Key] = &[
    Key { name: "data", about: "data folder", default: "." },
    Key { name: "listen", about: "address and port of the API (TLS)", default: "127.0.0.1:9443" },
    Key {
        name: "origin",
        about: "origin line of the ledger, like a URL without scheme",
        default: "obhut.local/ledger",
    },
    Key {
        name: "horizon_days",
        about: "days until a retired epoch key is destroyed, 7 to 28",
        default: "21",
    },
    Key { name: "tls.cert", about: "certificate chain (PEM)", default: "tls/cert.pem" },
    Key { name: "tls.key", about: "private key (PEM)", default: "tls/key.pem" },
    Key { name: "shred.holder_a", about: "first live holder of epoch keys", default: "shred-a" },
    Key { name: "shred.holder_b", about: "second live holder, on another device", default: "shred-b" },
    Key {
        name: "shred.escrow",
        about: "folder for one sealed object per epoch, without versioning",
        default: "escrow",
    },
    Key { name: "unseal.passphrase_file", about: "file with the passphrase (mode 0400)", default: "" },
    Key { name: "unseal.credential", about: "name of a systemd credential with the passphrase", default: "" },
    Key { name: "unseal.socket", about: "local socket that `obhut unseal` talks to", default: "unseal.sock" },
    Key { name: "ledger.segment_mib", about: "size of a journal segment in MiB, 1 to 1024", default: "64" },
    Key {
        name: "ledger.zone",
        about: "networks that may read the ledger without a key, comma-separated",
        default: "",
    },
];

/// Where a value comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Source {
    Default,
    File,
    Environment,
}

/// Why a configuration is not taken.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ConfigError {
    #[error("not TOML: {0}")]
    Syntax(String),
    #[error("unknown key `{0}`{1}")]
    Unknown(String, String),
    #[error("`{0}` must be {1}")]
    Value(&'static str, &'static str),
}

impl From<ConfigError> for Problem {
    fn from(error: ConfigError) -> Self {
        Self::with_help(format!("configuration: {error}"), "`obhut config show` lists every key")
    }
}

/// The verbs on the configuration.
#[derive(clap::Subcommand)]
pub(crate) enum Verb {
    /// Print each value and where it comes from.
    #[command(after_help = "Example: obhut config show --config /srv/obhut/obhut.toml")]
    Show(Args),
}

/// Which configuration.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The configuration file.
    #[arg(long, short, default_value = "obhut.toml", value_name = "FILE")]
    pub(crate) config: PathBuf,
}

/// Prints the configuration.
pub(crate) fn run(verb: &Verb, out: &mut dyn Write) -> Result<ExitCode, Problem> {
    let Verb::Show(args) = verb;
    let text = read(&args.config)?;
    let (values, _) = gather(&text, &environment())?;
    let base = args.config.parent().unwrap_or(Path::new("."));
    build(&values, base)?;
    let gateway = gateway_tables(&text)?;
    for key in KEYS {
        let (value, source) = &values[key.name];
        let source = match source {
            Source::Default => "default",
            Source::File => "file",
            Source::Environment => "environment",
        };
        writeln!(out, "{:<24} = {:<32} # {source}; {}", key.name, format!("{value:?}"), key.about)?;
    }
    if let Some(tables) = gateway {
        let (routes, rules) = (tables.route.len(), tables.relay.len());
        writeln!(out, "[gateway]: {routes} routes, {rules} rules; docs/gateway.md describes them")?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Reads and checks the configuration in force.
pub(crate) fn load(file: &Path) -> Result<Config, Problem> {
    let text = read(file)?;
    let (values, _) = gather(&text, &environment())?;
    let config = build(&values, file.parent().unwrap_or(Path::new(".")))?;
    Ok(Config { gateway: gateway_tables(&text)?, ..config })
}

/// The tables of the gateway; none where the file has none.
pub(crate) fn gateway_tables(text: &str) -> Result<Option<Tables>, ConfigError> {
    let syntax = |error: &toml::de::Error| ConfigError::Syntax(error.to_string().trim_end().to_owned());
    let all: toml::Table = text.parse().map_err(|error| syntax(&error))?;
    if !GATEWAY.iter().any(|name| all.contains_key(*name)) {
        return Ok(None);
    }
    // From the text and not from the table, so that an error names its line.
    let tables: Tables = toml::from_str(text).map_err(|error| syntax(&error))?;
    if tables.gateway.is_none() {
        return Err(ConfigError::Syntax("[[route]], [[relay]] and [shield] need a [gateway]".to_owned()));
    }
    Ok(Some(tables))
}

/// The tables that are the gateway's.
const GATEWAY: [&str; 4] = ["gateway", "route", "relay", "shield"];

fn read(file: &Path) -> Result<String, Problem> {
    std::fs::read_to_string(file).map_err(|error| {
        Problem::with_help(
            format!("cannot read {}: {error}", file.display()),
            "`obhut init` makes a data folder with a configuration",
        )
    })
}

type Values = BTreeMap<&'static str, (String, Source)>;

/// All values with their sources; second, how many came from the file.
fn gather(text: &str, environment: &BTreeMap<String, String>) -> Result<(Values, usize), ConfigError> {
    let mut values: Values =
        KEYS.iter().map(|key| (key.name, (key.default.to_owned(), Source::Default))).collect();
    let table: toml::Table =
        text.parse().map_err(|error: toml::de::Error| ConfigError::Syntax(error.message().to_owned()))?;
    let mut flat = Vec::new();
    let mut table = table;
    table.retain(|name, _| !GATEWAY.contains(&name));
    flatten("", &table, &mut flat);
    for (name, value) in &flat {
        let key = KEYS.iter().find(|key| key.name == name).ok_or_else(|| unknown(name))?;
        let value =
            scalar(value).ok_or(ConfigError::Value(key.name, "a text, a number or a list of texts"))?;
        values.insert(key.name, (value, Source::File));
    }
    for key in KEYS {
        if let Some(value) = environment.get(&variable(key.name)) {
            values.insert(key.name, (value.clone(), Source::Environment));
        }
    }
    Ok((values, flat.len()))
}

/// The environment variable of a key.
pub(crate) fn variable(key: &str) -> String {
    format!("OBHUT_{}", key.replace('.', "_").to_uppercase())
}

fn flatten(prefix: &str, table: &toml::Table, into: &mut Vec<(String, toml::Value)>) {
    for (name, value) in table {
        let name = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
        match value {
            toml::Value::Table(inner) => flatten(&name, inner, into),
            other => into.push((name, other.clone())),
        }
    }
}

fn scalar(value: &toml::Value) -> Option<String> {
    match value {
        toml::Value::String(text) => Some(text.clone()),
        toml::Value::Integer(number) => Some(number.to_string()),
        toml::Value::Boolean(flag) => Some(flag.to_string()),
        toml::Value::Array(list) => {
            let texts = list.iter().map(|one| one.as_str().map(str::to_owned));
            texts.collect::<Option<Vec<_>>>().map(|texts| texts.join(","))
        }
        _ => None,
    }
}

fn unknown(name: &str) -> ConfigError {
    let near = KEYS.iter().map(|key| (strsim::damerau_levenshtein(key.name, name), key.name)).min();
    let hint =
        near.filter(|(distance, _)| *distance <= 4).map(|(_, near)| format!("; did you mean `{near}`?"));
    ConfigError::Unknown(name.to_owned(), hint.unwrap_or_default())
}

fn build(values: &Values, base: &Path) -> Result<Config, ConfigError> {
    let text = |name: &str| values[name].0.as_str();
    let data = if text("data") == "." { base.to_owned() } else { base.join(text("data")) };
    let path = |name: &str| data.join(text(name));
    let optional = |name: &str| Some(text(name)).filter(|text| !text.is_empty());
    let number = |name: &'static str, low: u32, high: u32, what| {
        let parsed = text(name).parse().ok().filter(|number| (low..=high).contains(number));
        parsed.ok_or(ConfigError::Value(name, what))
    };
    let origin = text("origin");
    let fits = !origin.is_empty() && !origin.contains([' ', '+', '\n']) && !origin.contains("://");
    if !fits {
        return Err(ConfigError::Value("origin", "like a URL without scheme, no space and no `+`"));
    }
    let listen = text("listen").parse();
    let listen =
        listen.map_err(|_| ConfigError::Value("listen", "an address with a port, like 127.0.0.1:9443"))?;
    let horizon = number("horizon_days", 7, 28, "a number of days from 7 to 28")?;
    let segment_mib = number("ledger.segment_mib", 1, 1024, "a number from 1 to 1024")?;
    Ok(Config {
        listen,
        origin: origin.to_owned(),
        tls_cert: path("tls.cert"),
        tls_key: path("tls.key"),
        shred_holders: [path("shred.holder_a"), path("shred.holder_b")],
        shred_escrow: path("shred.escrow"),
        passphrase_file: optional("unseal.passphrase_file").map(|file| data.join(file)),
        credential: optional("unseal.credential").map(str::to_owned),
        socket: path("unseal.socket"),
        horizon_days: horizon,
        segment_mib,
        ledger_zone: text("ledger.zone")
            .split(',')
            .map(str::trim)
            .filter(|one| !one.is_empty())
            .map(str::to_owned)
            .collect(),
        gateway: None,
        data,
    })
}

impl Config {
    /// The configuration of a folder with nothing but defaults.
    pub(crate) fn of_folder(data: &Path) -> Result<Self, ConfigError> {
        let (values, _) = gather("", &BTreeMap::new())?;
        build(&values, data)
    }

    pub(crate) fn root_file(&self) -> PathBuf {
        self.data.join("root.json")
    }

    pub(crate) fn store_folder(&self) -> PathBuf {
        self.data.join("store")
    }

    pub(crate) fn ledger_folder(&self) -> PathBuf {
        self.data.join("ledger")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load_text(text: &str, environment: &[(&str, &str)]) -> Result<Config, ConfigError> {
        let environment = environment.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
        let (values, _) = gather(text, &environment)?;
        build(&values, Path::new("/base"))
    }

    #[test]
    fn environment_beats_file_beats_default() {
        let file = "listen = \"127.0.0.1:1\"\n[shred]\nholder_b = \"/other/b\"\n";
        let config = load_text(file, &[("OBHUT_LISTEN", "127.0.0.1:2")]).expect("valid");
        assert_eq!(config.listen.port(), 2);
        assert_eq!(config.shred_holders, [PathBuf::from("/base/shred-a"), PathBuf::from("/other/b")]);
        assert_eq!(config.horizon_days, 21);
    }

    #[test]
    fn an_unknown_key_names_its_neighbour() {
        let error = load_text("listn = \"x\"", &[]).expect_err("unknown");
        assert_eq!(error.to_string(), "unknown key `listn`; did you mean `listen`?");
        assert!(
            load_text("[shred]\nholdr_a = \"x\"", &[]).expect_err("unknown").to_string().contains("holder_a")
        );
    }

    #[test]
    fn wrong_values_say_what_is_wanted() {
        for (text, key) in [
            ("listen = \"nowhere\"", "listen"),
            ("horizon_days = 3", "horizon_days"),
            ("origin = \"https://x\"", "origin"),
            ("[ledger]\nzone = [1]", "ledger.zone"),
        ] {
            assert!(
                matches!(load_text(text, &[]), Err(ConfigError::Value(name, _)) if name == key),
                "{text}"
            );
        }
        assert!(matches!(load_text("= 1", &[]), Err(ConfigError::Syntax(_))));
    }
}
