//! What the gateway notices, told to whoever watches. No event holds a value, a path, an address or a token.

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
}

/// Whoever watches. Must not block.
pub trait EventSink: Send + Sync {
    /// Takes an event.
    fn emit(&self, event: Event);
}
