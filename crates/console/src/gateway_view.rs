//! What the gateway tells the console: plain data, since the console knows no gateway.

/// Who can say how the gateway is.
pub trait GatewayView: Send + Sync {
    /// Routes in force and what was counted since the start. Called for a page, so it may take a lock and must not wait.
    fn report(&self) -> GatewayReport;
}

/// How the gateway is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GatewayReport {
    /// Where it listens.
    pub addresses: Vec<String>,
    /// Why the app is reached in clear text off this machine, if it is.
    pub insecure_because: Option<String>,
    /// The routes in force, in the order in which they are tried.
    pub routes: Vec<GatewayRoute>,
    /// What was counted since the start.
    pub counts: Vec<GatewayCount>,
}

/// A route with its rules.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GatewayRoute {
    /// Its name.
    pub name: String,
    /// Its methods; none is all.
    pub methods: Vec<String>,
    /// Fields that are taken in.
    pub takes: Vec<String>,
    /// Purposes with the fields that are shown for them.
    pub shows: Vec<(String, Vec<String>)>,
    /// What it lets through unprotected, as words of the configuration.
    pub unprotected: Vec<String>,
}

/// One counter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GatewayCount {
    /// The route, where there is one.
    pub route: Option<String>,
    /// What.
    pub what: Counted,
    /// How often.
    pub count: u64,
}

/// What is counted. Codes are words of the gateway's own, never of a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Counted {
    /// An answer, by the first digit of its status.
    Answered(u16),
    /// A request that was refused, by code.
    Refused(&'static str),
    /// A token that came from a client, by the part of the request.
    TokenFromClient(&'static str),
    /// A token that was shown in clear.
    Shown,
    /// A token that was masked.
    Masked,
    /// A token of somebody who is erased.
    Erased,
    /// A token where no rule stands.
    Unruled,
    /// Something that looks personal where no rule expects it, by kind and place.
    Leak(&'static str, &'static str),
    /// A submission that was settled, by outcome.
    Settled(&'static str),
    /// Trouble with the app, by code.
    App(&'static str),
    /// More different things than are told apart.
    Others,
}
