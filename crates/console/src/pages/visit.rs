//! Who visits a page: a browser with a session in a cookie, or without one. Its language and colours, and what an error of
//! a use case looks like to it.

use crate::caller::{Peer, lies_in};
use crate::problem::{Explain, Problem, TWO_CREDENTIALS, UNAUTHENTICATED};
use crate::recorder::Trace;
use crate::ui::language::Words;
use crate::{Console, problem};
use axum::extract::FromRequestParts;
use axum::response::{IntoResponse, Redirect, Response};
use data_encoding::HEXLOWER;
use http::header::{AUTHORIZATION, COOKIE};
use http::request::Parts;
use http::{HeaderMap, Method};
use maud::{Markup, html};
use model::TenantId;
use model::principal::Role;
use model::token::SessionKey;
use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::Arc;
use vault::{Context, Vault, sessions};

/// The cookie of a session. `__Host-` makes browsers refuse it from another host, without `Secure` and for a part of the
/// paths (RFC 6265bis §4.1.3).
pub(crate) const SESSION: &str = "__Host-obhut-session";
/// The cookie of the chosen language.
pub(crate) const LANGUAGE: &str = "__Host-obhut-language";
/// The cookie of the chosen colours.
pub(crate) const THEME: &str = "__Host-obhut-theme";

/// Light, dark, or what the system prefers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Theme {
    /// As the system prefers.
    #[default]
    System,
    /// Light.
    Light,
    /// Dark.
    Dark,
}

impl Theme {
    /// All of them.
    pub(crate) const ALL: [Self; 3] = [Self::System, Self::Light, Self::Dark];

    /// Its word in cookies, forms and on `<html>`.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    /// The theme of a word.
    pub(crate) fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|theme| theme.word() == word)
    }
}

/// A session that was checked for this request.
pub(crate) struct Signed {
    pub(crate) vault: Arc<Vault>,
    pub(crate) ctx: Context,
    pub(crate) tenant: TenantId,
    key: SessionKey,
}

impl Signed {
    /// In which role.
    pub(crate) fn role(&self) -> Role {
        self.ctx.actor.principal.role
    }

    /// What each form of the session carries.
    fn form_token(&self) -> String {
        HEXLOWER.encode(&sessions::form_token(&self.key))
    }

    /// Whether a form carried it.
    pub(crate) fn is_form_token(&self, given: &str) -> bool {
        HEXLOWER.decode(given.as_bytes()).is_ok_and(|given| sessions::is_form_token(&self.key, &given))
    }
}

struct Inner {
    console: Console,
    words: Words,
    theme: Theme,
    /// Path and query of a page that can be opened again; none of a form that was sent.
    here: Option<String>,
    done: Option<String>,
    peer: Option<IpAddr>,
    signed: Result<Signed, Problem>,
}

/// One request for a page. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Visit(Arc<Inner>);

impl Visit {
    /// From the head of a request. It never fails: a page that needs a session asks for it with [`Visit::signed`].
    pub(crate) fn of(parts: &Parts, console: &Console) -> Self {
        let headers = &parts.headers;
        let words = console.languages().choose(cookie(headers, LANGUAGE), headers);
        let theme = cookie(headers, THEME).and_then(Theme::of).unwrap_or_default();
        let local = parts.uri.path_and_query().map(|path| path.as_str().to_owned());
        let peer = parts.extensions.get::<Peer>().map(|peer| peer.0);
        let signed = signed(headers, peer, console);
        if let (Ok(signed), Some(trace)) = (&signed, parts.extensions.get::<Trace>()) {
            trace.tell(signed.ctx.request);
        }
        Self(Arc::new(Inner {
            console: console.clone(),
            words,
            theme,
            here: local.filter(|_| parts.method == Method::GET || parts.method == Method::HEAD),
            done: parts.uri.query().and_then(done),
            peer,
            signed,
        }))
    }

    /// The session.
    pub(crate) fn signed(&self) -> Result<&Signed, Failed> {
        self.0.signed.as_ref().map_err(|problem| self.fail(problem.clone()))
    }

    /// The session, if there is one.
    pub(crate) fn session(&self) -> Option<&Signed> {
        self.0.signed.as_ref().ok()
    }

    /// What stands in the way of a session.
    pub(crate) fn unsigned(&self) -> Option<&Problem> {
        self.0.signed.as_ref().err()
    }

    /// The texts of the visitor's language.
    pub(crate) fn words(&self) -> &Words {
        &self.0.words
    }

    /// A text.
    pub(crate) fn say(&self, name: &str) -> String {
        self.0.words.say(name)
    }

    /// The visitor's colours.
    pub(crate) fn theme(&self) -> Theme {
        self.0.theme
    }

    /// The console.
    pub(crate) fn console(&self) -> &Console {
        &self.0.console
    }

    /// The address of the other end.
    pub(crate) fn peer(&self) -> Option<IpAddr> {
        self.0.peer
    }

    /// Path and query of this page, if it can be opened again.
    pub(crate) fn here(&self) -> Option<&str> {
        self.0.here.as_deref()
    }

    /// What was done before this page was opened, as a text.
    pub(crate) fn done(&self) -> Option<String> {
        let done = self.0.done.as_deref()?;
        self.0.words.find(&format!("done-{done}"))
    }

    /// Ends the request with this problem, as a page.
    pub(crate) fn fail(&self, problem: Problem) -> Failed {
        Failed(Box::new((self.clone(), problem)))
    }

    /// Ends the request with an error of a use case.
    pub(crate) fn explain(&self, error: impl Explain) -> Failed {
        self.fail(self.problem(error))
    }

    /// An error of a use case as this visitor may see it.
    pub(crate) fn problem(&self, error: impl Explain) -> Problem {
        match self.session() {
            Some(signed) => error.explain(signed.role()).in_request(signed.ctx.request),
            None => error.explain(Role::App),
        }
    }

    /// A form that is sent to `to`. It carries the session's token.
    pub(crate) fn form(&self, to: &str, class: &str, content: &Markup) -> Markup {
        html! { form method="post" action=(to) class=(class) { (self.token()) (content) } }
    }

    /// The hidden field of each form that changes something.
    pub(crate) fn token(&self) -> Markup {
        html! {
            @if let Some(signed) = self.session() {
                input type="hidden" name=(super::form::TOKEN) value=(signed.form_token());
            }
        }
    }
}

impl FromRequestParts<Console> for Visit {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, console: &Console) -> Result<Self, Infallible> {
        Ok(Self::of(parts, console))
    }
}

/// The session of a request. An API key beside it is refused: of two credentials nobody knows which counts.
fn signed(headers: &HeaderMap, peer: Option<IpAddr>, console: &Console) -> Result<Signed, Problem> {
    let vault = console.vault()?;
    if headers.contains_key(AUTHORIZATION) {
        return Err(TWO_CREDENTIALS);
    }
    let key = cookie(headers, SESSION).and_then(SessionKey::parse).ok_or(UNAUTHENTICATED)?;
    let actor = vault
        .session(&key, |zone| peer.is_some_and(|peer| lies_in(peer, zone)))
        .map_err(|error| error.explain(Role::App))?;
    let (tenant, request) = (actor.principal.tenant, vault.new_request());
    Ok(Signed { vault, ctx: Context { actor, request }, tenant, key })
}

/// Whether a request carries a session, whatever it is worth.
pub(crate) fn carries_session(headers: &HeaderMap) -> bool {
    cookies(headers).any(|(name, _)| name == SESSION)
}

/// The value of the one cookie of this name. Of two, nobody knows which counts.
pub(crate) fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut values = cookies(headers).filter(|(other, _)| *other == name).map(|(_, value)| value);
    let (one, another) = (values.next(), values.next());
    one.filter(|_| another.is_none())
}

fn cookies(headers: &HeaderMap) -> impl Iterator<Item = (&str, &str)> {
    let texts = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    texts.flat_map(|text| text.split(';')).filter_map(|pair| pair.trim().split_once('='))
}

/// What a redirect after a form says in `done=`.
fn done(query: &str) -> Option<String> {
    let done = query.split('&').find_map(|pair| pair.strip_prefix("done="))?;
    let is_name = done.len() <= 40 && done.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-');
    is_name.then(|| done.to_owned())
}

/// A request that ends in a page about a problem, or at the door.
pub(crate) struct Failed(Box<(Visit, Problem)>);

impl IntoResponse for Failed {
    fn into_response(self) -> Response {
        let (visit, problem) = *self.0;
        if problem == UNAUTHENTICATED || problem.code == UNAUTHENTICATED.code {
            return Redirect::to("/sign-in").into_response();
        }
        super::error::page(&visit, &problem)
    }
}

/// No such page, or not for this visitor.
pub(crate) fn not_found(visit: &Visit) -> Failed {
    visit.fail(problem::NOT_FOUND)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(values: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(COOKIE, value.parse().expect("a value"));
        }
        headers
    }

    #[test]
    fn a_cookie_is_there_once() {
        assert_eq!(cookie(&headers(&["a=1; b=2"]), "b"), Some("2"));
        assert_eq!(cookie(&headers(&["a=1", "b=2"]), "a"), Some("1"));
        assert_eq!(cookie(&headers(&["a=1; a=2"]), "a"), None);
        assert_eq!(cookie(&headers(&["a=1", "a=1"]), "a"), None);
        assert_eq!(cookie(&headers(&["aa=1; b"]), "a"), None);
        assert!(carries_session(&headers(&["x=1; __Host-obhut-session=nonsense"])));
        assert!(!carries_session(&headers(&["obhut-session=1"])));
    }

    #[test]
    fn what_was_done_is_a_name_of_ours() {
        assert_eq!(done("x=1&done=key-revoked").as_deref(), Some("key-revoked"));
        assert_eq!(done("done=<script>"), None);
        assert_eq!(done("undone=x"), None);
    }
}
