//! What the gateway notices, told to whoever watches. No event holds a value, a path, an address or a token.

use crate::config::ShieldMode;
use http::Method;
use std::sync::Arc;
use std::time::Duration;

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// A request was answered.
    Answered {
        /// The route's name; none where no route fits.
        route: Option<Arc<str>>,
        /// The method.
        method: Method,
        /// The status.
        status: u16,
        /// From the head of the request to the head of the answer.
        took: Duration,
    },
    /// A request was refused before the app saw it.
    Refused {
        /// The route.
        route: Option<Arc<str>>,
        /// Why, a stable code.
        code: &'static str,
    },
    /// A storage token came from a client.
    TokenFromClient {
        /// The route.
        route: Option<Arc<str>>,
        /// In which part of the request.
        part: &'static str,
    },
    /// Tokens were shown, masked, or stood for nothing.
    Tokens {
        /// The route.
        route: Arc<str>,
        /// So many were shown.
        shown: u64,
        /// So many were masked.
        masked: u64,
        /// So many stood for somebody erased.
        erased: u64,
    },
    /// Tokens stood in an answer that no rule speaks of.
    Unruled {
        /// The route.
        route: Option<Arc<str>>,
        /// How many.
        count: u64,
    },
    /// Personal data passed where no rule expects them.
    Leak {
        /// The route.
        route: Option<Arc<str>>,
        /// `request` or `answer`.
        place: &'static str,
        /// What they look like.
        kind: &'static str,
        /// How many.
        count: u64,
    },
    /// A submission was committed, abandoned, or nobody knows.
    Settled {
        /// The route.
        route: Arc<str>,
        /// `committed`, `abandoned`, `unknown` or `failed`.
        outcome: &'static str,
    },
    /// The app could not be reached, or did not answer in time.
    Upstream {
        /// The route.
        route: Option<Arc<str>>,
        /// Why, a stable code.
        code: &'static str,
    },
    /// Rules of the shield matched that ask to be written down, or the shield refused something by itself.
    Shield(Box<ShieldEvent>),
}

/// What the shield saw in one request and its answer. Everything in it comes from the rules or is a plain name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShieldEvent {
    /// What stands on the page of who was refused, too: ten letters and digits.
    pub reference: String,
    /// The route.
    pub route: Option<Arc<str>>,
    /// The method; `OTHER` for one that RFC 9110 and RFC 5789 do not know.
    pub method: Method,
    /// [`ShieldMode::Block`] or [`ShieldMode::Detect`].
    pub mode: ShieldMode,
    /// Whether it was refused; with [`ShieldMode::Detect`], whether it would have been.
    pub refused: bool,
    /// The status that the client got for it, or would have got; 0 where the connection was closed. Without a refusal, that of
    /// the app's answer, 0 where there was none.
    pub status: u16,
    /// Where it was found: of the side that decided, else of the first rule.
    pub side: Side,
    /// The rules, in the order in which they matched; at most 100.
    pub rules: Vec<RuleSeen>,
    /// The rule that decided.
    pub by: Option<u64>,
    /// Anomaly score of that side, where the rules keep one.
    pub score: i64,
    /// Why the shield refused by itself, a stable code; none where a rule did.
    pub refusal: Option<&'static str>,
}

/// Which way something went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// From the client to the app.
    Request,
    /// From the app to the client.
    Answer,
}

/// A rule that matched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleSeen {
    /// Its id.
    pub id: u64,
    /// From 0 (emergency) to 7 (debug).
    pub severity: Option<u8>,
    /// Its tags.
    pub tags: Arc<[Box<str>]>,
    /// What its `msg` says; `…` stands for what it would put in.
    pub message: Arc<str>,
    /// What it looked at: `ARGS:name`, `REQUEST_BODY`; a name that is no plain one is `…`.
    pub target: Option<String>,
}

/// Whoever watches. Must not block.
pub trait EventSink: Send + Sync {
    /// Takes an event.
    fn emit(&self, event: Event);
}
