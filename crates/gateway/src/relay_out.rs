//! The relay on the way out, whole: reads what rules look into, asks once for all its tokens, and puts the answers in
//! their places. Everything else streams through, masked.

use crate::body::{self, Read, Source};
use crate::config::Pass;
use crate::decode;
use crate::events::Event;
use crate::exchange::{Asked, Way, no_answer, read_answer, report_leaks, streamed, viewer};
use crate::find::{self, Formats};
use crate::headers;
use crate::line::FromApp;
use crate::media::Media;
use crate::messages::{Ask, FormPlace, ShowRule, Shown};
use crate::out::{self, Kind, Known, Page, Script, Tally};
use crate::principal::{Principal, User};
use crate::problem::{self, Problem};
use crate::rules::{OutRule, Route, Whom};
use crate::shielding::{self, Inspection, Looked, WINDOW, Windows};
use crate::upstream::{Body, Missed};
use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::response::Parts;
use http::{Method, Response, StatusCode};
use model::token::StorageToken;
use std::collections::HashMap;
use zeroize::Zeroizing;

/// What the user has just typed, by the token that stands for it.
pub(crate) type Typed = HashMap<StorageToken, Zeroizing<String>>;

/// An answer of the app, as far as it was read already.
pub(crate) enum Given {
    Streaming(Response<FromApp>),
    Whole(Parts, Bytes),
    Begun(Parts, Bytes, FromApp),
}

/// Who looks at which answer.
struct Looking<'a> {
    way: Way<'a>,
    asked: &'a Asked,
    user: Option<User>,
    typed: &'a Typed,
    /// Where the shield looks into the body, too.
    inspection: Option<Box<Inspection>>,
}

/// A body as far as it was read and inspected.
struct Flow {
    bytes: Bytes,
    rest: Option<Source>,
}

impl Flow {
    /// Goes on masked, piece by piece.
    fn stream(self, way: Way<'_>, looked: bool) -> Body {
        match (self.bytes.is_empty(), self.rest) {
            (true, None) => crate::body::full(Bytes::new()),
            (is_empty, rest) => streamed(way, (!is_empty).then_some(self.bytes), rest, looked),
        }
    }
}

/// What the client gets instead.
enum Instead {
    Problem(Problem),
    /// The shield's answer.
    Answer(Box<Response<Body>>),
}

impl From<Problem> for Instead {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

pub(crate) async fn answer(
    way: Way<'_>,
    asked: &Asked,
    answer: Response<FromApp>,
    user: Option<User>,
    principal: Option<&Principal>,
    typed: &Typed,
) -> Response<Body> {
    given(way, asked, Given::Streaming(answer), user, principal, typed).await
}

pub(crate) async fn given(
    way: Way<'_>,
    asked: &Asked,
    given: Given,
    user: Option<User>,
    principal: Option<&Principal>,
    typed: &Typed,
) -> Response<Body> {
    let (mut head, begun, rest) = match given {
        Given::Streaming(answer) => {
            let (head, body) = answer.into_parts();
            (head, None, Some(body))
        }
        Given::Whole(head, bytes) => (head, Some(bytes), None),
        Given::Begun(head, before, rest) => (head, Some(before), Some(rest)),
    };
    let inspection = match shielding::head(way, asked, &head).await {
        Looked::On(inspection) => inspection,
        Looked::Refused(answer) => return answer,
    };
    let user = viewer(user, principal, &head.headers);
    headers::strip_hop(&mut head.headers);
    for name in way.setup.principals().filter_map(Principal::header) {
        head.headers.remove(name);
    }
    let looking = Looking { way, asked, user, typed, inspection };
    match looking.through(head, begun, rest).await {
        Ok(answer) => answer,
        Err(Instead::Answer(answer)) => *answer,
        Err(Instead::Problem(refused)) => {
            way.emit(Event::Refused { route: way.name(), code: refused.code() });
            refused.answer(asked.headers.get(header::ACCEPT))
        }
    }
}

/// A stream of server-sent events (HTML, 9.2).
fn is_event_stream(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    kind.and_then(Media::parse).is_some_and(|media| media.essence == "text/event-stream")
}

impl Looking<'_> {
    fn rules(&self) -> &[OutRule] {
        self.way.route.map_or(&[], |route| route.out.as_slice())
    }

    /// Whether something may be put into this answer.
    fn is_ruled(&self) -> bool {
        !self.rules().is_empty() || !self.typed.is_empty()
    }

    async fn through(
        mut self,
        mut head: Parts,
        begun: Option<Bytes>,
        rest: Option<FromApp>,
    ) -> Result<Response<Body>, Instead> {
        let (kind, script) = kind_of(&head.headers);
        if !self.is_ruled() {
            return self.unruled(head, begun, rest, kind).await;
        }
        if head.status == StatusCode::NOT_MODIFIED {
            return Err(problem::APP_NOT_MODIFIED.into());
        }
        if !may_be_read_by(self.way.route, self.asked, &head.headers) {
            self.user = None;
        }
        let has_body = self.asked.method != Method::HEAD
            && !matches!(head.status, StatusCode::NO_CONTENT | StatusCode::RESET_CONTENT);
        let coding = coding_of(&head.headers).filter(|_| has_body);
        headers::no_store(&mut head.headers);
        let partial = head.status == StatusCode::PARTIAL_CONTENT;
        let page_kind = kind.filter(|_| has_body && !partial);
        let is_stream = has_body && is_event_stream(&head.headers);
        if is_stream && !self.way.passes(Pass::Events) {
            return Err(problem::APP_EVENTS.into());
        }
        let limit = match script {
            // Nobody waits for the first event, and such a stream is always UTF-8.
            _ if !has_body || is_stream => None,
            Script::Unreadable => return Err(problem::APP_CHARSET.into()),
            _ if page_kind.is_some() || coding.is_some() => Some(self.way.setup.max_body),
            // One piece tells how a text is written.
            Script::Text => Some(0),
            Script::Other => None,
        };
        let (bytes, rest) = self.begun(begun.unwrap_or_default(), rest, limit).await?;
        let bytes = self.decoded(bytes, coding.as_deref(), rest.is_none())?;
        if script == Script::Text && out::is_wide(&bytes) {
            return Err(problem::APP_CHARSET.into());
        }
        let is_read = rest.is_none();
        let flow = self.inspected(bytes, rest, has_body).await?;
        let body = match page_kind.filter(|_| is_read) {
            Some(kind) => self.page(kind, &mut head, flow.bytes).await,
            None => {
                self.headers(&mut head.headers, &HashMap::new());
                match is_read {
                    true => crate::body::full(masked(&flow.bytes)),
                    false => flow.stream(self.way, kind.is_some()),
                }
            }
        };
        headers::harden(&mut head.headers);
        Ok(Response::from_parts(head, body))
    }

    /// A body without its coding; it has to be all there. What was little when it came may be much now.
    fn decoded(&self, bytes: Bytes, coding: Option<&str>, is_whole: bool) -> Result<Bytes, Problem> {
        let Some(coding) = coding else { return Ok(bytes) };
        if !is_whole {
            return Err(problem::APP_ENCODING);
        }
        let decoded = decode::decode(coding, &bytes, self.way.setup.max_body);
        let decoded = decoded.map_err(|_| problem::APP_ENCODING)?;
        if !self.has_room(decoded.len()) {
            return Err(problem::ANSWER_FULL);
        }
        Ok(decoded.into())
    }

    /// Whether so much more may be held. Where the app has taken what was typed, its answer goes out in any case: who is told
    /// to try again would send it twice.
    fn has_room(&self, bytes: usize) -> bool {
        if self.typed.is_empty() {
            return self.way.held.take(bytes);
        }
        self.way.held.take_anyway(bytes);
        true
    }

    /// What is there of a body and what was read of it beyond, as far as `limit`; and the rest.
    async fn begun(
        &self,
        begun: Bytes,
        rest: Option<FromApp>,
        limit: Option<usize>,
    ) -> Result<(Bytes, Option<FromApp>), Problem> {
        let Some(limit) = limit else { return Ok((begun, rest)) };
        let Some(body) = rest else { return Ok((begun, None)) };
        let reading = body::read(body, limit, self.way.setup.silence, |bytes| self.has_room(bytes));
        let (read, rest) = match reading.await {
            Read::Whole(read) => (read, None),
            Read::More(read, rest) => (read, Some(rest)),
            Read::Full => return Err(problem::ANSWER_FULL),
            Read::Broken => return Err(no_answer(Missed::Broken)),
        };
        Ok((joined(begun, read), rest))
    }

    /// Lets the shield look at the first window of a body, which is read for it where it is not there yet. A stream of events
    /// is not waited for.
    async fn inspected(
        &mut self,
        bytes: Bytes,
        rest: Option<FromApp>,
        has_body: bool,
    ) -> Result<Flow, Instead> {
        let Some(inspection) = self.inspection.take() else {
            return Ok(Flow { bytes, rest: rest.map(Source::App) });
        };
        let (bytes, rest) = match rest {
            Some(body) if has_body && bytes.len() < WINDOW => {
                let room = |bytes| self.has_room(bytes);
                match body::read_first(body, WINDOW - bytes.len(), self.way.setup.silence, room).await {
                    Read::Whole(read) => (joined(bytes, read), None),
                    Read::More(read, rest) => (joined(bytes, read), Some(rest)),
                    Read::Full => return Err(problem::ANSWER_FULL.into()),
                    Read::Broken => return Err(no_answer(Missed::Broken).into()),
                }
            }
            rest => (bytes, rest),
        };
        let is_whole = rest.is_none() || !has_body;
        match shielding::look(self.way, self.asked, inspection, &bytes, is_whole).await {
            Looked::Refused(answer) => Err(Instead::Answer(Box::new(answer))),
            Looked::On(None) => Ok(Flow { bytes, rest: rest.map(Source::App) }),
            Looked::On(Some(inspection)) => {
                let rest = rest.map(|rest| Windows::after(self.way, inspection, &bytes, rest));
                Ok(Flow { bytes, rest: rest.map(|windows| Source::Watched(Box::new(windows))) })
            }
        }
    }

    /// An answer that no rule speaks of: it streams through.
    async fn unruled(
        mut self,
        mut head: Parts,
        begun: Option<Bytes>,
        rest: Option<FromApp>,
        kind: Option<Kind>,
    ) -> Result<Response<Body>, Instead> {
        let bodiless = [StatusCode::NOT_MODIFIED, StatusCode::NO_CONTENT, StatusCode::RESET_CONTENT];
        let has_body = self.asked.method != Method::HEAD && !bodiless.contains(&head.status);
        let coding = coding_of(&head.headers).filter(|_| has_body);
        let body = match (coding, rest) {
            (Some(coding), Some(rest)) => {
                // Encoded though nobody asked for it: a token would pass unseen.
                let bytes = match read_answer(self.way, rest).await {
                    Read::Whole(bytes) => self.decoded(bytes, Some(&coding), true)?,
                    Read::Full => return Err(problem::ANSWER_FULL.into()),
                    Read::More(..) | Read::Broken => return Err(problem::APP_ENCODING.into()),
                };
                head.headers.remove(header::CONTENT_ENCODING);
                head.headers.remove(header::CONTENT_LENGTH);
                let flow = self.inspected(bytes, None, has_body).await?;
                crate::body::full(masked(&flow.bytes))
            }
            (_, rest) => {
                let is_read = rest.is_none();
                let flow = self.inspected(begun.unwrap_or_default(), rest, has_body).await?;
                match is_read {
                    true => crate::body::full(masked(&flow.bytes)),
                    false => flow.stream(self.way, kind.is_some()),
                }
            }
        };
        headers::mask(&mut head.headers, &[]);
        headers::harden(&mut head.headers);
        Ok(Response::from_parts(head, body))
    }

    /// A page that rules look into.
    async fn page(&self, kind: Kind, head: &mut Parts, bytes: Bytes) -> Body {
        report_leaks(self.way, "answer", &bytes);
        let mut formats = Formats::default();
        let mut attributes = Vec::new();
        for rule in self.rules() {
            formats.join(&rule.formats);
            attributes.extend_from_slice(&rule.attributes);
        }
        let of_rules = formats;
        formats.join(&Formats::of_tokens(self.typed.keys()));
        let given =
            head.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let content_type = HeaderValue::from_str(&kind.content_type(given));
        let page = Page::read(kind, bytes.into(), &formats, &attributes);
        if let Ok(content_type) = content_type {
            head.headers.insert(header::CONTENT_TYPE, content_type);
        }
        let mut tokens = page.wanted();
        tokens.extend(self.tokens_of_headers(&head.headers));
        tokens.sort_unstable();
        tokens.dedup();
        let shown = self.ask(tokens).await;
        self.headers(&mut head.headers, &shown);
        if page.is_plain() {
            return crate::body::full(page.into_body());
        }
        let known = Known { shown: &shown, typed: self.typed, formats: of_rules };
        let (bytes, tally) = page.write(&known);
        self.tell(tally);
        crate::body::full(bytes)
    }

    fn tell(&self, tally: Tally) {
        let Tally { shown, masked, erased } = tally;
        let route = self.way.name().unwrap_or_default();
        self.way.emit(Event::Tokens { route, shown, masked, erased });
    }

    fn tokens_of_headers(&self, map: &HeaderMap) -> Vec<StorageToken> {
        let names = self.rules().iter().flat_map(|rule| &rule.headers);
        let values = names.filter_map(|name| map.get(name));
        values.flat_map(|value| find::certain(value.as_bytes())).filter_map(|found| found.token).collect()
    }

    /// Fills declared headers, and masks tokens in all others.
    fn headers(&self, map: &mut HeaderMap, shown: &HashMap<StorageToken, Shown>) {
        let names: Vec<HeaderName> = self.rules().iter().flat_map(|rule| rule.headers.clone()).collect();
        for name in &names {
            let Some(value) = map.get(name) else { continue };
            let (mut text, mut at) = (Vec::new(), 0);
            for one in find::certain(value.as_bytes()) {
                text.extend_from_slice(&value.as_bytes()[at..one.start]);
                at = one.end;
                match one.token.and_then(|token| shown.get(&token)) {
                    Some(Shown::Clear(clear) | Shown::Partial(clear, _)) => {
                        text.extend_from_slice(out::for_header(clear).as_bytes())
                    }
                    _ => text.extend_from_slice(b"masked"),
                }
            }
            text.extend_from_slice(&value.as_bytes()[at..]);
            if let Ok(value) = HeaderValue::from_bytes(&text) {
                map.insert(name.clone(), value);
            }
        }
        headers::mask(map, &[]);
    }

    /// What stands in the place of each token. Whoever is nobody, and whatever fails, gets none.
    async fn ask(&self, tokens: Vec<StorageToken>) -> HashMap<StorageToken, Shown> {
        let asked: Vec<StorageToken> =
            tokens.into_iter().filter(|token| !self.typed.contains_key(token)).collect();
        let (Some(user), false) = (&self.user, asked.is_empty()) else { return HashMap::new() };
        let rules: Vec<ShowRule> =
            self.rules().iter().filter_map(|rule| self.show_rule(rule, user)).collect();
        if rules.is_empty() {
            return HashMap::new();
        }
        let form = self.rules().iter().find_map(|rule| rule.form.clone());
        let form = form.map(|rule| FormPlace { session: user.session.clone(), rule });
        let ask = Ask {
            viewer: user.viewer.clone(),
            rules,
            tokens: asked.clone(),
            form,
            persons_per_answer: self.way.setup.persons_per_answer,
            persons_per_hour: self.way.setup.persons_per_hour,
        };
        match self.way.gateway.relay.show(ask).await {
            Ok(shown) if shown.len() == asked.len() => asked.into_iter().zip(shown).collect(),
            _ => HashMap::new(),
        }
    }

    fn show_rule(&self, rule: &OutRule, user: &User) -> Option<ShowRule> {
        let person = match &rule.whom {
            Whom::Anybody => None,
            Whom::Path(name) => Some(self.way.params.get(name)?.clone()),
            Whom::Principal => Some(user.viewer.person.clone()?),
        };
        Some(ShowRule {
            purpose: rule.purpose.clone(),
            recipient: rule.recipient.clone(),
            fields: rule.fields.clone(),
            person,
        })
    }
}

fn joined(begun: Bytes, read: Bytes) -> Bytes {
    if begun.is_empty() { read } else { [begun, read].concat().into() }
}

/// What an answer is, and how it is written.
fn kind_of(headers: &HeaderMap) -> (Option<Kind>, Script) {
    match headers.get(header::CONTENT_TYPE) {
        Some(value) => {
            let text = String::from_utf8_lossy(value.as_bytes());
            (Kind::of(&text), Script::of(&text))
        }
        None => (None, Script::Text),
    }
}

fn masked(bytes: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for found in find::certain(&bytes) {
        find::blank(&mut bytes[found.start..found.end]);
    }
    bytes
}

fn coding_of(map: &HeaderMap) -> Option<String> {
    let mut codings = map.get_all(header::CONTENT_ENCODING).iter().map(|value| value.to_str().unwrap_or("?"));
    let first = codings.next()?;
    let all = codings.fold(first.to_owned(), |all, next| format!("{all}, {next}"));
    (!all.eq_ignore_ascii_case("identity") && !all.is_empty()).then_some(all)
}

/// Whether the page that asked may read the answer's values: one of this origin, or one that the route lists. A page
/// elsewhere that the app lets in with `*` may not.
fn may_be_read_by(route: Option<&Route>, asked: &Asked, answer: &HeaderMap) -> bool {
    let listed = |origin: &str| route.is_some_and(|route| route.cors.iter().any(|one| one == origin));
    let own = asked.host.to_str().map(|host| format!("https://{host}")).unwrap_or_default();
    let fits = |value: &HeaderValue| {
        let origin = value.to_str().unwrap_or("?");
        origin.eq_ignore_ascii_case(&own) || listed(origin)
    };
    let asks = asked.headers.get_all(header::ORIGIN).iter().all(fits);
    let allows = answer.get_all(header::ACCESS_CONTROL_ALLOW_ORIGIN).iter().all(fits);
    asks && allows
}
