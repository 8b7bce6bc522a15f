//! What only the binary may touch: the system's clock, its streams, and errors on their way to a person.

use model::{Clock, Timestamp};
use std::io::Write;
use std::time::UNIX_EPOCH;

/// The system's clock.
pub(crate) struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        #[expect(clippy::disallowed_methods, reason = "this is the clock that everybody else is handed")]
        let now = std::time::SystemTime::now();
        let ms = now.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis());
        Timestamp(i64::try_from(ms).unwrap_or(i64::MAX))
    }
}

/// What went wrong, and what to do about it.
#[derive(Debug, thiserror::Error)]
#[error("{what}")]
pub(crate) struct Problem {
    /// One sentence.
    pub(crate) what: String,
    /// The way out, where there is one.
    pub(crate) help: Option<String>,
}

impl Problem {
    pub(crate) fn new(what: impl Into<String>) -> Self {
        Self { what: what.into(), help: None }
    }

    pub(crate) fn with_help(what: impl Into<String>, help: impl Into<String>) -> Self {
        Self { what: what.into(), help: Some(help.into()) }
    }

    /// For `map_err`: `what` and the error's own words.
    pub(crate) fn from_error<E: std::fmt::Display>(what: &'static str) -> impl FnOnce(E) -> Self {
        move |error| Self::new(format!("{what}: {error}"))
    }
}

impl From<std::io::Error> for Problem {
    fn from(error: std::io::Error) -> Self {
        Self::new(format!("reading or writing failed: {error}"))
    }
}

/// Says a problem on standard error. Nothing is left to do when even that fails.
pub(crate) fn complain(problem: &Problem) {
    let mut err = std::io::stderr().lock();
    let _ = writeln!(err, "obhut: {}", problem.what);
    if let Some(help) = &problem.help {
        let _ = writeln!(err, "       {help}");
    }
}

/// Says a line on standard output.
pub(crate) fn say(line: &str) {
    let _ = writeln!(std::io::stdout().lock(), "{line}");
}

/// The environment, read once.
pub(crate) fn environment() -> std::collections::BTreeMap<String, String> {
    #[expect(clippy::disallowed_methods, reason = "configuration is read once, here")]
    std::env::vars().collect()
}

/// No core dumps: they would hold keys and values.
pub(crate) fn harden() {
    use rustix::process::{Resource, Rlimit, setrlimit};
    let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
}
