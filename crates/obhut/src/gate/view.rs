//! The gateway as the console's pages see it.

use super::seen::{Kind, Seen};
use console::{Counted, GatewayCount, GatewayReport, GatewayRoute, GatewayView};
use std::net::SocketAddr;
use std::sync::Arc;

/// What the console may ask.
pub(crate) struct View {
    pub(crate) seen: Arc<Seen>,
    pub(crate) addresses: Vec<SocketAddr>,
    pub(crate) insecure_because: Option<String>,
}

impl GatewayView for View {
    fn report(&self) -> GatewayReport {
        let route = |line: gateway::RouteLine| GatewayRoute {
            name: line.name,
            methods: line.methods,
            takes: line.takes,
            shows: line.shows,
            unprotected: line.unprotected.into_iter().map(str::to_owned).collect(),
        };
        let counts = self.seen.counts().into_iter().map(|((route, kind), count)| GatewayCount {
            route: route.map(|name| name.to_string()),
            what: counted(kind),
            count,
        });
        GatewayReport {
            addresses: self.addresses.iter().map(ToString::to_string).collect(),
            insecure_because: self.insecure_because.clone(),
            routes: self.seen.routes().into_iter().map(route).collect(),
            counts: counts.collect(),
        }
    }
}

fn counted(kind: Kind) -> Counted {
    match kind {
        Kind::Answered(class) => Counted::Answered(class),
        Kind::Refused(code) => Counted::Refused(code),
        Kind::TokenFromClient(part) => Counted::TokenFromClient(part),
        Kind::Shown => Counted::Shown,
        Kind::Masked => Counted::Masked,
        Kind::Erased => Counted::Erased,
        Kind::Unruled => Counted::Unruled,
        Kind::Leak(kind, place) => Counted::Leak(kind, place),
        Kind::Settled(outcome) => Counted::Settled(outcome),
        Kind::App(code) => Counted::App(code),
        Kind::Others => Counted::Others,
    }
}
