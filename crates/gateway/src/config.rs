//! The gateway's part of `obhut.toml`: `[gateway]`, `[[route]]`, `[[relay]]` and `[shield]`, as they are written.
//!
//! [`crate::rules`] makes of them what requests are held against, and says what does not fit. Each key has a row in
//! `docs/config.md`, with its type and default; a test compares the two.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;

/// All of them together.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Tables {
    /// `[gateway]`
    pub gateway: Option<GatewayTable>,
    /// `[[route]]`
    #[serde(default)]
    pub route: Vec<RouteTable>,
    /// `[[relay]]`
    #[serde(default)]
    pub relay: Vec<RelayTable>,
    /// `[shield]`; what it says by itself where it is left out.
    #[serde(default)]
    pub shield: ShieldTable,
}

/// `[gateway]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GatewayTable {
    /// Addresses to listen at, TLS.
    pub listen: Vec<SocketAddr>,
    /// Addresses that answer in clear text, and only send browsers to the TLS ones.
    #[serde(default)]
    pub redirect: Vec<SocketAddr>,
    /// The host names that this app has. Requests to others are refused; none here accepts every name.
    #[serde(default)]
    pub hosts: Vec<String>,
    /// Where the app listens: `http://127.0.0.1:8000`, `unix:/run/app.sock` or `https://app.internal`.
    pub upstream: String,
    /// The authority (PEM) that signed an upstream's certificate.
    pub upstream_ca: Option<PathBuf>,
    /// Why an upstream off this machine may be reached in clear text. Shown in every overview.
    pub insecure_because: Option<String>,
    /// The tenant; may be left out where there is one.
    pub tenant: Option<String>,
    /// Certificate chain (PEM); that of the console when left out.
    pub cert: Option<PathBuf>,
    /// Private key (PEM).
    pub key: Option<PathBuf>,
    /// Networks whose `X-Forwarded-For` is believed.
    #[serde(default)]
    pub proxies: Vec<String>,
    /// Whether each request is written to standard output, without path, query and address.
    #[serde(default)]
    pub access_log: bool,
    /// How the app's users are known.
    pub principal: Option<PrincipalTable>,
    /// Largest body that a rule is applied to, in bytes. Larger ones are refused on the way in and masked on the way out.
    #[serde(default = "default_body")]
    pub max_body: usize,
    /// Most bytes of bodies, of requests and answers together, that are held in memory at the same time because a rule looks
    /// into them. Beyond it 503 is answered.
    #[serde(default = "default_held")]
    pub max_held: usize,
    /// Largest body of any request, in bytes.
    #[serde(default = "default_request")]
    pub max_request: u64,
    /// Most persons that one answer may show.
    #[serde(default = "default_answer")]
    pub persons_per_answer: u32,
    /// Most persons that one user may be shown within an hour.
    #[serde(default = "default_hour")]
    pub persons_per_hour: u32,
    /// Most connections to the app at the same time, those of event streams and WebSockets included.
    #[serde(default = "default_connections")]
    pub upstream_connections: usize,
    /// Longest wait for the app's answer, in seconds.
    #[serde(default = "default_timeout")]
    pub timeout: u64,
}

fn default_body() -> usize {
    4 << 20
}

fn default_held() -> usize {
    512 << 20
}

fn default_request() -> u64 {
    1 << 30
}

fn default_answer() -> u32 {
    200
}

fn default_hour() -> u32 {
    2_000
}

fn default_connections() -> usize {
    1_024
}

fn default_timeout() -> u64 {
    60
}

impl Default for GatewayTable {
    fn default() -> Self {
        Self {
            listen: Vec::new(),
            redirect: Vec::new(),
            hosts: Vec::new(),
            upstream: String::new(),
            upstream_ca: None,
            insecure_because: None,
            tenant: None,
            cert: None,
            key: None,
            proxies: Vec::new(),
            access_log: false,
            principal: None,
            max_body: default_body(),
            max_held: default_held(),
            max_request: default_request(),
            persons_per_answer: default_answer(),
            persons_per_hour: default_hour(),
            upstream_connections: default_connections(),
            timeout: default_timeout(),
        }
    }
}

/// `[gateway.principal]`, or the same within a route.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
pub enum PrincipalTable {
    /// A signed token of the app or of an identity provider (RFC 7519).
    Jwt {
        /// The cookie it stands in; else the `Authorization: Bearer` header.
        cookie: Option<String>,
        /// File with a JSON Web Key Set, or with a public key in PEM.
        keys: PathBuf,
        /// Its issuer.
        issuer: String,
        /// Its audience, where it must have one.
        audience: Option<String>,
        /// The claim with the user's id.
        #[serde(default = "default_subject")]
        subject: String,
        /// The claim with the role.
        #[serde(default = "default_role")]
        role: String,
        /// The claim with the app's reference of the person, for role `person`.
        person: Option<String>,
        /// The app's words for roles, and ours.
        roles: BTreeMap<String, model::principal::Role>,
    },
    /// The app is asked who the user is, with the user's own cookies.
    Forward {
        /// The path, for example `/whoami`. Its answer is JSON.
        path: String,
        /// The member with the user's id.
        #[serde(default = "default_subject")]
        subject: String,
        /// The member with the role.
        #[serde(default = "default_role")]
        role: String,
        /// The member with the app's reference of the person.
        person: Option<String>,
        /// The app's words for roles, and ours.
        roles: BTreeMap<String, model::principal::Role>,
    },
    /// The app says it in a header of its answer, which is taken off.
    Response {
        /// The header: `subject; role=…; person=…`.
        #[serde(default = "default_header")]
        header: String,
        /// The app's words for roles, and ours.
        roles: BTreeMap<String, model::principal::Role>,
    },
}

fn default_subject() -> String {
    "sub".to_owned()
}

fn default_role() -> String {
    "role".to_owned()
}

fn default_header() -> String {
    "x-obhut-user".to_owned()
}

/// `[[route]]`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RouteTable {
    /// Its name, by which rules, events and the access log speak of it.
    pub name: String,
    /// Its path: segments, `{name}` for any one, `{name...}` at the end for any rest.
    pub path: String,
    /// Its methods; none is every one.
    #[serde(default)]
    pub methods: Vec<String>,
    /// Lets something through that no rule can look into, and that every overview lists as unprotected.
    #[serde(default)]
    pub pass: Vec<Pass>,
    /// Foreign origins to which values may be shown.
    #[serde(default)]
    pub cors: Vec<String>,
    /// Another way to know the user than the gateway's.
    pub principal: Option<PrincipalTable>,
    /// What the shield does here; that of `[shield]` when left out.
    pub shield: Option<ShieldMode>,
    /// Fields in which people write text: `form:story`, `json:/comment`, `query:q`. Fields that a rule `in` stores count as such
    /// by themselves, since the app gets a token in their place.
    #[serde(default)]
    pub texts: Vec<String>,
}

/// What a route lets through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Pass {
    /// Upgrades to WebSocket (RFC 6455).
    Websocket,
    /// Event streams (`text/event-stream`).
    Events,
    /// Bodies of requests that are no form and no JSON, and file parts.
    Upload,
    /// Parts of answers (`Range`).
    Range,
}

/// `[[relay]]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RelayTable {
    /// The names of the routes.
    pub routes: Vec<String>,
    /// What is taken in.
    #[serde(rename = "in")]
    pub inward: Option<InTable>,
    /// What is shown.
    pub out: Option<OutTable>,
}

/// `in = { … }` of a rule.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InTable {
    /// The methods; `POST`, `PUT` and `PATCH` when left out.
    #[serde(default = "default_methods")]
    pub methods: Vec<String>,
    /// Whose data they are.
    pub person: Option<PersonTable>,
    /// Where values stand, and which fields they are: `"form:e_mail" = "email"`, `"json:/contact/phone" = "phone"`.
    #[serde(default)]
    pub fields: BTreeMap<String, String>,
    /// Values that only look somebody up, and are stored nowhere: a sign-in, a search. Their fields need stable tokens.
    #[serde(default)]
    pub lookup: BTreeMap<String, String>,
    /// How the app says that it took them: a status (`201`, `2xx`), a redirect always with where it leads
    /// (`303 /workers/{id}`), since one to the sign-in page has the same status. When left out, `2xx` for rules of JSON
    /// and queries; a rule of forms must say it, since many apps show a refused form again with 200.
    pub accept: Option<Vec<String>>,
    /// Whether somebody whom the app does not know may change the data of a known person. Somebody new may always come.
    #[serde(default)]
    pub anonymous: bool,
}

fn default_methods() -> Vec<String> {
    ["POST", "PUT", "PATCH"].map(str::to_owned).to_vec()
}

/// Whose data. Exactly one of the four.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PersonTable {
    /// A segment of the path.
    pub path: Option<String>,
    /// A field of the form (`form:…`), of the JSON body (`json:/…`) or of the query (`query:…`).
    pub field: Option<String>,
    /// The user himself.
    #[serde(default)]
    pub principal: bool,
    /// Somebody new, whose reference the app's answer tells: `location:/workers/{id}`, `json:/id` or `header:x-id`.
    pub new: Option<String>,
    /// Whether a reference that is not known yet makes a person: for an app that had its people before. Two spellings of
    /// one id would make two persons, so leave it out where `new` can do it.
    #[serde(default)]
    pub create: bool,
}

/// `out = { … }` of a rule.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OutTable {
    /// The purpose for which values are shown.
    pub purpose: String,
    /// The recipient; the tenant itself when left out.
    pub recipient: Option<String>,
    /// The fields that may be shown.
    pub fields: Vec<String>,
    /// Shows values of this person alone: `path:id` or `principal`.
    pub person: Option<String>,
    /// Attributes of HTML beside the usual ones in which values may stand.
    #[serde(default)]
    pub attributes: Vec<String>,
    /// Headers in which values may stand.
    #[serde(default)]
    pub headers: Vec<String>,
    /// The routes whose forms these pages fill: masked values stand there as view tokens.
    pub form: Option<String>,
}

/// `[shield]`
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ShieldTable {
    /// What is done with what the rules refuse, where a route says nothing else.
    pub mode: ShieldMode,
    /// The folder with the rules, such as that of the OWASP Core Rule Set; the program's own rules when left out.
    pub rules: Option<PathBuf>,
    /// Paranoia level, 1 to 4: rules up to it count against the thresholds.
    pub paranoia: u8,
    /// Rules up to this level run and are reported, those beyond `paranoia` without counting.
    pub detection_paranoia: u8,
    /// Anomaly score from which a request is refused.
    pub inbound_threshold: u32,
    /// Anomaly score from which an answer is refused.
    pub outbound_threshold: u32,
    /// Most bytes of a request's body that are inspected; so much of it is held in memory.
    pub body_limit: usize,
    /// What is done with a longer one.
    pub body_over: BodyOver,
    /// Whether answers are inspected.
    pub response: bool,
    /// Most bytes of an answer that are inspected.
    pub response_limit: usize,
    /// Whether the profile for modern applications is laid over the rules.
    pub profile: bool,
    /// Applications whose ready exclusions hold, by name.
    pub apps: Vec<String>,
    /// Rules that do not run, or do not look at something.
    pub exclude: Vec<ExcludeTable>,
}

impl Default for ShieldTable {
    fn default() -> Self {
        Self {
            mode: ShieldMode::Block,
            rules: None,
            paranoia: 1,
            detection_paranoia: 1,
            inbound_threshold: 5,
            outbound_threshold: 4,
            body_limit: 1 << 20,
            body_over: BodyOver::Refuse,
            response: true,
            response_limit: 512 << 10,
            profile: true,
            apps: Vec::new(),
            exclude: Vec::new(),
        }
    }
}

/// What the shield does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ShieldMode {
    /// What the rules refuse is refused.
    Block,
    /// It is only reported.
    Detect,
    /// Nothing is inspected.
    Off,
}

/// What is done with a request whose body is longer than is inspected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BodyOver {
    /// It is refused.
    Refuse,
    /// Its beginning is inspected, the rest passes.
    Partial,
}

/// `[[shield.exclude]]`, and a row of the file in which the console keeps its own.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ExcludeTable {
    /// The names of the routes where it holds; everywhere when there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub routes: Vec<String>,
    /// Which rules: an id, a range of ids (`942100-942199`), or `tag:` and a tag.
    pub rules: String,
    /// What they do not look at, such as `ARGS:note`; the rules do not run at all when it is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// Why, for overviews.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub because: Option<String>,
    /// Since when (RFC 3339). The console writes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    /// By whom. The console writes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
}
