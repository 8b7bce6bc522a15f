//! One request and its answer, stage by stage.

use crate::arriving::Arriving;
use crate::body::{self, Cut, Look, Masked, Read, Source, Told, Why};
use crate::config::Pass;
use crate::events::{Event, EventSink};
use crate::headers::{self, Origin};
use crate::held::Holding;
use crate::line::FromApp;
use crate::messages::Relay;
use crate::onward::plain;
use crate::places::{OwnPlaces, Places};
use crate::principal::{Principal, User};
use crate::problem::{self, Problem};
use crate::rules::{Params, Route, segments};
use crate::serve::Place;
use crate::setup::Setup;
use crate::shielding::{self, Passed, Slot};
use crate::strict::{REFUSED_HOST, Upgraded};
use crate::upstream::{Body, Missed};
use crate::{fold, leak, relay_in, relay_out};
use arc_swap::ArcSwap;
use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderValue};
use http::{Method, Request, Response, StatusCode, Uri, Version};
use http_body_util::BodyExt;
use hyper::body::{Body as _, Incoming};
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use model::{Clock, Entropy};
use shield::Collections;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use tokio::time::Instant;

/// The gateway. Cheap to clone.
#[derive(Clone)]
pub struct Gateway {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) setup: ArcSwap<Setup>,
    pub(crate) relay: Arc<dyn Relay>,
    pub(crate) sink: Arc<dyn EventSink>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<dyn Entropy>,
    /// What rules remember beyond one request. It outlives a reload.
    pub(crate) collections: Arc<Collections>,
    /// Where large requests and answers are inspected.
    pub(crate) room: shielding::Room,
    /// Which names of fields have been seen so often that they may be told.
    pub(crate) learned: Arc<shielding::Learned>,
    places: Places,
}

/// Addresses, sessions and the like of which rules may remember something at one time.
const COLLECTIONS: usize = 50_000;

/// What of a connection a request has to know.
#[derive(Clone)]
pub(crate) struct Peer {
    pub(crate) address: IpAddr,
    pub(crate) port: u16,
    /// The address that it reached.
    pub(crate) local: SocketAddr,
    pub(crate) upgraded: Upgraded,
    /// Its place among the connections, which an upgraded one keeps.
    pub(crate) place: Arc<Place>,
    /// Its places among the requests that run to their end.
    pub(crate) places: OwnPlaces,
}

/// A request on its way through the stages.
pub(crate) struct Asked {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) query: Option<String>,
    pub(crate) version: Version,
    pub(crate) headers: HeaderMap,
    pub(crate) host: HeaderValue,
    pub(crate) peer: Peer,
    /// The client's side of an upgrade, where there can be one.
    pub(crate) upgrade: Option<OnUpgrade>,
}

impl Asked {
    /// Who shares the connections to the app with others; none is a proxy, which speaks for many.
    pub(crate) fn client(&self, way: Way<'_>) -> Option<IpAddr> {
        client_of(way.setup, self.peer.address)
    }

    pub(crate) fn origin<'a>(&'a self, setup: &'a Setup) -> Origin<'a> {
        Origin { peer: self.peer.address, host: &self.host, proxies: &setup.proxies }
    }
}

fn client_of(setup: &Setup, address: IpAddr) -> Option<IpAddr> {
    let is_proxy = setup.proxies.iter().any(|net| net.contains(&address));
    (!is_proxy).then(|| crate::serve::client(address))
}

/// Where a request is going.
#[derive(Clone, Copy)]
pub(crate) struct Way<'a> {
    pub(crate) gateway: &'a Inner,
    pub(crate) setup: &'a Setup,
    pub(crate) route: Option<&'a Route>,
    pub(crate) params: &'a Params,
    /// What of its bodies is held in memory.
    pub(crate) held: &'a Holding,
    /// Where its inspection waits for the answer.
    pub(crate) inspection: &'a Slot,
}

impl Way<'_> {
    pub(crate) fn name(&self) -> Option<Arc<str>> {
        self.route.map(|route| route.name.clone())
    }

    pub(crate) fn emit(&self, event: Event) {
        self.gateway.sink.emit(event);
    }

    pub(crate) fn passes(&self, pass: Pass) -> bool {
        self.route.is_some_and(|route| route.passes(pass))
    }
}

impl Gateway {
    /// A gateway between clients and the app.
    #[must_use]
    pub fn new(
        setup: Setup,
        relay: Arc<dyn Relay>,
        sink: Arc<dyn EventSink>,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Self {
        let inner = Inner {
            setup: ArcSwap::from_pointee(setup),
            relay,
            sink,
            clock,
            entropy,
            collections: Arc::new(Collections::new(COLLECTIONS)),
            room: shielding::Room::default(),
            learned: Arc::default(),
            places: Places::default(),
        };
        Self { inner: Arc::new(inner) }
    }

    /// Puts another configuration in force, with the rules that it brings. Requests under way end under those they began with;
    /// what rules remember stays.
    pub fn reload(&self, setup: Setup) {
        self.inner.setup.store(Arc::new(setup));
    }

    /// The routes, for overviews.
    #[must_use]
    pub fn lines(&self) -> Vec<crate::RouteLine> {
        self.inner.setup.load().lines()
    }

    /// Answers one request. Runs to its end even when the client goes away: what the app took is committed.
    pub(crate) async fn handle(&self, peer: Peer, request: Request<Incoming>) -> Response<Body> {
        let began = Instant::now();
        let method = request.method().clone();
        let inner = self.inner.clone();
        let has_body = !request.body().is_end_stream();
        let settles = inner.setup.load().routes.reads_queries();
        let (route, answer) = if has_body || method != Method::GET || settles {
            to_its_end(inner, peer, request).await
        } else {
            run(&inner, peer, request).await
        };
        self.inner.sink.emit(Event::Answered {
            route,
            method,
            status: answer.status().as_u16(),
            took: began.elapsed(),
        });
        answer
    }
}

/// Runs on when the client goes away. The place is the request's and not the client's, who may be gone long before.
async fn to_its_end(
    gateway: Arc<Inner>,
    peer: Peer,
    request: Request<Incoming>,
) -> (Option<Arc<str>>, Response<Body>) {
    let client = client_of(&gateway.setup.load(), peer.address);
    let Some(place) = gateway.places.take(&peer.places, client).await else {
        gateway.sink.emit(Event::Refused { route: None, code: problem::BUSY.code() });
        return (None, problem::BUSY.answer(request.headers().get(header::ACCEPT)));
    };
    let task = tokio::spawn(async move {
        let _place = place;
        run(&gateway, peer, request).await
    });
    task.await.unwrap_or_else(|_| (None, problem::UNAVAILABLE.answer(None)))
}

async fn run(gateway: &Inner, peer: Peer, request: Request<Incoming>) -> (Option<Arc<str>>, Response<Body>) {
    let setup = gateway.setup.load_full();
    let (asked, incoming) = match open(&setup, peer, request) {
        Ok(opened) => opened,
        Err(refused) => {
            let (refused, accept) = *refused;
            gateway.sink.emit(Event::Refused { route: None, code: refused.code() });
            return (None, refused.answer(accept.as_ref()));
        }
    };
    let Some(path) = segments(&asked.path) else {
        gateway.sink.emit(Event::Refused { route: None, code: problem::AMBIGUOUS_PATH.code() });
        return (None, problem::AMBIGUOUS_PATH.answer(asked.headers.get(header::ACCEPT)));
    };
    let found = setup.routes.of(&asked.method, &path);
    let is_ruled = found.as_ref().is_some_and(|(route, _)| route.inward(&asked.method).is_some());
    if !is_ruled && setup.routes.is_nearly_ruled(&asked.method, &path) {
        gateway.sink.emit(Event::Refused { route: None, code: problem::AMBIGUOUS_PATH.code() });
        return (None, problem::AMBIGUOUS_PATH.answer(asked.headers.get(header::ACCEPT)));
    }
    let none = Params::new();
    let (route, params) = match &found {
        Some((route, params)) => (Some(*route), params),
        None => (None, &none),
    };
    let held = Holding::none(&setup.held, client_of(&setup, asked.peer.address));
    let inspection = Slot::default();
    let way = Way { gateway, setup: &setup, route, params, held: &held, inspection: &inspection };
    let accept = asked.headers.get(header::ACCEPT).cloned();
    let answer = match staged(way, asked, incoming).await {
        Ok(answer) => answer,
        Err(refused) => {
            way.emit(Event::Refused { route: way.name(), code: refused.code() });
            inspection.answered(refused.status());
            held.give_back();
            refused.answer(accept.as_ref())
        }
    };
    (way.name(), answer.map(|body| held.until_sent(body)))
}

/// Why a request ends before its stages, and what its client accepts.
type Turned = (Problem, Option<HeaderValue>);

/// Host, and the parts of a request; or why it ends here.
fn open(setup: &Setup, peer: Peer, request: Request<Incoming>) -> Result<(Asked, Incoming), Box<Turned>> {
    let (mut parts, incoming) = request.into_parts();
    let upgrade = parts.extensions.remove::<OnUpgrade>();
    let refuse = |refused: Problem| Box::new((refused, parts.headers.get(header::ACCEPT).cloned()));
    if !is_plain_method(&parts.method) {
        return Err(refuse(problem::BAD_METHOD));
    }
    let host = host_of(&parts.uri, &parts.headers, parts.version);
    let host = host.ok_or_else(|| refuse(problem::NO_HOST))?;
    let text = host.to_str().unwrap_or_default();
    if text == REFUSED_HOST {
        // What stood here was refused before it was read; the path says why.
        return Err(refuse(refused_head(parts.uri.path())));
    }
    if !setup.knows(text) {
        return Err(refuse(problem::WRONG_HOST));
    }
    headers::join_cookies(&mut parts.headers);
    let asked = Asked {
        method: parts.method,
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().map(str::to_owned),
        version: parts.version,
        headers: parts.headers,
        host,
        peer,
        upgrade,
    };
    Ok((asked, incoming))
}

/// Whether rules and the app take a method for the same one. Some apps take `post` for `POST`, which no rule does. A gateway has
/// no use for `CONNECT`.
fn is_plain_method(method: &Method) -> bool {
    method.as_str().bytes().all(|byte| byte.is_ascii_uppercase()) && *method != Method::CONNECT
}

fn refused_head(path: &str) -> Problem {
    use crate::strict::Refusal as R;
    let all = [R::Line, R::RequestLine, R::HeaderLine, R::Size, R::Host, R::Length, R::Coding, R::Method];
    let refusal = all.into_iter().find(|one| path.strip_prefix('/') == Some(one.code()));
    refusal.map_or(problem::OUR_HOST, R::problem)
}

/// The host, where the request names one and no other.
fn host_of(uri: &Uri, headers: &HeaderMap, version: Version) -> Option<HeaderValue> {
    let mut named = headers.get_all(header::HOST).iter();
    let first = named.next();
    if named.next().is_some() || first.is_some_and(|host| crate::setup::bare_host(host.as_bytes()).is_none())
    {
        return None;
    }
    match (uri.authority(), first) {
        (Some(authority), Some(host)) => {
            (authority.as_str().as_bytes().eq_ignore_ascii_case(host.as_bytes())).then(|| host.clone())
        }
        (Some(authority), None) if version == Version::HTTP_2 => {
            crate::setup::bare_host(authority.as_str().as_bytes())?;
            HeaderValue::from_str(authority.as_str()).ok()
        }
        (None, Some(host)) => Some(host.clone()),
        _ => None,
    }
}

/// From the head to the answer.
async fn staged(way: Way<'_>, mut asked: Asked, incoming: Incoming) -> Result<Response<Body>, Problem> {
    look_for_tokens(way, &asked)?;
    let upgrade = wants_upgrade(&asked.headers);
    if upgrade && !way.passes(Pass::Websocket) {
        return Err(problem::NO_UPGRADE);
    }
    let arriving = match shielding::request(way, &asked, Arriving::new(incoming)).await? {
        Passed::On(arriving) => arriving,
        Passed::Answered(answer) => return Ok(answer),
    };
    if arriving.is_decoded() {
        headers::without_coding(&mut asked.headers);
    }
    let ruled = way.route.filter(|route| route.has_rules());
    let principal = ruled.and_then(|route| way.setup.principal(route));
    let user = match principal {
        Some(principal) => {
            let origin = asked.origin(way.setup);
            principal.of_request(&asked.headers, &origin, (&way.setup.upstream, asked.client(way))).await
        }
        None => None,
    };
    if let Some(rule) = way.route.and_then(|route| route.inward(&asked.method)) {
        return relay_in::exchange(way, rule, asked, arriving, user, principal).await;
    }
    if upgrade {
        return upgraded(way, asked, arriving).await;
    }
    let (request, why) = plain(way, &asked, arriving)?;
    let answer = way
        .setup
        .upstream
        .send(request, asked.client(way))
        .await
        .map_err(|missed| lost(way, missed, &why))?;
    let typed = relay_out::Typed::default();
    Ok(relay_out::answer(way, &asked, answer, user, principal, &typed).await)
}

/// Storage tokens in the head of a request.
fn look_for_tokens(way: Way<'_>, asked: &Asked) -> Result<(), Problem> {
    let part = if fold::holds_token(asked.path.as_bytes()) {
        Some("path")
    } else if asked.query.as_ref().is_some_and(|query| fold::holds_token(query.as_bytes())) {
        Some("query")
    } else {
        let held = asked.headers.iter().find(|(_, value)| fold::holds_token(value.as_bytes()));
        held.map(|(name, _)| if *name == header::COOKIE { "cookie" } else { "header" })
    };
    match part {
        None => Ok(()),
        Some(part) => {
            way.emit(Event::TokenFromClient { route: way.name(), part });
            Err(problem::TOKEN_FROM_CLIENT)
        }
    }
}

fn wants_upgrade(headers: &HeaderMap) -> bool {
    headers.contains_key(header::UPGRADE)
}

/// What is said when the app gave no answer.
fn lost(way: Way<'_>, missed: Missed, why: &Why) -> Problem {
    if let Some(cut) = *why.lock() {
        return cut_off(way, cut);
    }
    let lost = no_answer(missed);
    way.emit(Event::Upstream { route: way.name(), code: lost.code() });
    lost
}

pub(crate) fn no_answer(missed: Missed) -> Problem {
    match missed {
        Missed::Unreachable => problem::APP_UNREACHABLE,
        Missed::Busy => problem::APP_BUSY,
        Missed::Broken => problem::APP_BROKE_OFF,
        Missed::Timeout => problem::APP_TIMEOUT,
    }
}

pub(crate) fn cut_off(way: Way<'_>, cut: Cut) -> Problem {
    match cut {
        Cut::Token => {
            way.emit(Event::TokenFromClient { route: way.name(), part: "body" });
            problem::TOKEN_FROM_CLIENT
        }
        Cut::Size => problem::TOO_LARGE,
        Cut::Slow => problem::SLOW,
        Cut::Full => problem::FULL,
        Cut::Broken => problem::BROKEN,
    }
}

/// A connection that becomes one of another protocol: bytes are passed both ways, unlooked at. The route says so, and every
/// overview lists it as unprotected.
async fn upgraded(way: Way<'_>, mut asked: Asked, arriving: Arriving) -> Result<Response<Body>, Problem> {
    let kind =
        asked.headers.get(header::UPGRADE).filter(|kind| kind.as_bytes().eq_ignore_ascii_case(b"websocket"));
    let kind = kind.cloned().ok_or(problem::NO_UPGRADE)?;
    let client = asked.upgrade.take().ok_or(problem::NO_UPGRADE)?;
    let (mut request, why) = plain(way, &asked, arriving)?;
    request.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
    request.headers_mut().insert(header::UPGRADE, kind.clone());
    let mut answer = way
        .setup
        .upstream
        .send(request, asked.client(way))
        .await
        .map_err(|missed| lost(way, missed, &why))?;
    if answer.status() != StatusCode::SWITCHING_PROTOCOLS {
        let typed = relay_out::Typed::default();
        return Ok(relay_out::answer(way, &asked, answer, None, None, &typed).await);
    }
    way.inspection.answered(StatusCode::SWITCHING_PROTOCOLS);
    let app = hyper::upgrade::on(&mut answer);
    let place = asked.peer.place.clone();
    tokio::spawn(async move {
        let _place = place;
        let (Ok(app), Ok(client)) = (app.await, client.await) else { return };
        let (mut app, mut client) = (TokioIo::new(app), TokioIo::new(client));
        // Either side may end it, and how it ends is theirs.
        let _ = tokio::io::copy_bidirectional(&mut client, &mut app).await;
    });
    asked.peer.upgraded.set();
    let (head, body) = answer.into_parts();
    body.detach();
    let mut switched = Response::new(body::full(Bytes::new()));
    *switched.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    *switched.headers_mut() = head.headers;
    let headers = switched.headers_mut();
    headers::strip_hop(headers);
    for name in way.setup.principals().filter_map(Principal::header) {
        headers.remove(name);
    }
    headers::mask(headers, &[]);
    headers::harden(headers);
    headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(header::UPGRADE, kind);
    Ok(switched)
}

/// An answer whose body streams through, masked. `looked` says whether it may hold text.
pub(crate) fn streamed(way: Way<'_>, before: Option<Bytes>, rest: Option<Source>, looked: bool) -> Body {
    let told: Told = {
        let (sink, route) = (way.gateway.sink.clone(), way.name());
        Box::new(move |count| {
            if count > 0 {
                sink.emit(Event::Unruled { route, count });
            }
        })
    };
    let first = looked.then(|| first_look(way, "answer"));
    Masked::new(before, rest, told, first).boxed_unsync()
}

/// Looks at the first piece of a body.
pub(crate) fn first_look(way: Way<'_>, place: &'static str) -> Look {
    let (sink, route) = (way.gateway.sink.clone(), way.name());
    Box::new(move |bytes| report(&*sink, route.as_ref(), place, bytes))
}

fn report(sink: &dyn EventSink, route: Option<&Arc<str>>, place: &'static str, bytes: &[u8]) {
    let leaks = leak::look(bytes);
    for (kind, count) in [("e-mail addresses", leaks.emails), ("account numbers", leaks.accounts)] {
        if count > 0 {
            sink.emit(Event::Leak { route: route.cloned(), place, kind, count });
        }
    }
}

/// Reports what looks like personal data where no rule expects it.
pub(crate) fn report_leaks(way: Way<'_>, place: &'static str, bytes: &[u8]) {
    report(&*way.gateway.sink, way.name().as_ref(), place, bytes);
}

/// Who looks at an answer.
pub(crate) fn viewer(user: Option<User>, principal: Option<&Principal>, headers: &HeaderMap) -> Option<User> {
    user.or_else(|| principal.and_then(|principal| principal.of_answer(headers)))
}

/// Reads an answer's body as far as rules look into it.
pub(crate) async fn read_answer(way: Way<'_>, body: FromApp) -> Read {
    body::read(body, way.setup.max_body, way.setup.silence, |bytes| way.held.take(bytes)).await
}

/// The same for an answer on which it hangs whether what the app took is kept.
pub(crate) async fn read_verdict(way: Way<'_>, body: FromApp) -> Read {
    let room = |bytes| {
        way.held.take_anyway(bytes);
        true
    };
    body::read(body, way.setup.max_body, way.setup.silence, room).await
}
