//! How pages look: frame, form fields, problems.

use crate::PAGE_HEADERS;
use crate::auth::{self, CSRF, Claims};
use crate::text::Language;
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_TYPE, COOKIE, LOCATION, SET_COOKIE};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use maud::{DOCTYPE, Markup, html};
use std::collections::BTreeSet;

/// An answer.
pub(crate) struct Answer(Box<Response>);

impl Answer {
    pub(crate) fn new(status: StatusCode, body: Vec<u8>) -> Self {
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = status;
        Self(Box::new(response))
    }

    pub(crate) fn json(status: StatusCode, value: &serde_json::Value) -> Self {
        let mut answer = Self::new(status, value.to_string().into_bytes());
        answer.header(CONTENT_TYPE, "application/json");
        answer
    }

    /// Adds a header. A value that is none is left out.
    pub(crate) fn header(&mut self, name: HeaderName, value: &str) {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.0.headers_mut().append(name, value);
        }
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        *self.0
    }
}

/// To another page.
pub(crate) fn redirect(to: &str) -> Answer {
    let mut answer = Answer::new(StatusCode::SEE_OTHER, Vec::new());
    answer.header(LOCATION, to);
    answer
}

/// A page in the making.
pub(crate) struct Page<'a> {
    pub(crate) language: &'a Language,
    /// The value that forms carry.
    pub(crate) csrf: String,
    is_new: bool,
    role: Option<String>,
    own: Option<String>,
}

impl<'a> Page<'a> {
    pub(crate) fn new(language: &'a Language, claims: Option<&Claims>, headers: &HeaderMap) -> Self {
        let kept = auth::cookie(headers, CSRF, COOKIE).filter(|kept| kept.len() == 32).map(str::to_owned);
        Self {
            language,
            is_new: kept.is_none(),
            csrf: kept.unwrap_or_else(auth::new_csrf),
            role: claims.map(|claims| claims.role.clone()),
            own: claims.and_then(|claims| claims.reference.clone()),
        }
    }

    pub(crate) fn say(&self, name: &str) -> String {
        self.language.say(name)
    }

    /// The hidden field of every form.
    pub(crate) fn guard(&self) -> Markup {
        html! { input type="hidden" name="csrf" value=(self.csrf); }
    }

    /// A whole page.
    pub(crate) fn show(&self, status: StatusCode, title: &str, here: &str, content: &Markup) -> Answer {
        let markup = html! {
            (DOCTYPE)
            html lang=(self.language.code) {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="csrf-token" content=(self.csrf);
                    title { (title) " · " (self.say("brand")) }
                    link rel="stylesheet" href="/static/schicht.css";
                }
                body {
                    a .skip href="#main" { (title) }
                    header .bar {
                        a .brand href="/" { (self.say("brand")) small { (self.say("brand-line")) } }
                        nav { @for (path, name) in self.places() {
                            a href=(path) aria-current=[(name == here).then_some("page")] { (self.say(name)) }
                        } }
                        div .end {
                            form method="post" action="/language" { (self.guard()) button .plain { (self.say("language")) } }
                            @if self.role.is_some() {
                                form method="post" action="/sign-out" { (self.guard()) button .plain { (self.say("sign-out")) } }
                            }
                        }
                    }
                    main id="main" tabindex="-1" { (content) }
                }
            }
        };
        self.answer(status, markup)
    }

    fn answer(&self, status: StatusCode, markup: Markup) -> Answer {
        let mut answer = Answer::new(status, markup.into_string().into_bytes());
        answer.header(CONTENT_TYPE, "text/html; charset=utf-8");
        for (name, value) in PAGE_HEADERS {
            answer.header(name, value);
        }
        if self.is_new {
            let cookie = format!("{CSRF}={}; Path=/; HttpOnly; Secure; SameSite=Lax", self.csrf);
            answer.header(SET_COOKIE, &cookie);
        }
        answer
    }

    fn places(&self) -> Vec<(String, &'static str)> {
        let path = |path: &str, name| (path.to_owned(), name);
        match (self.role.as_deref(), &self.own) {
            (Some("worker"), Some(own)) => {
                vec![(format!("/workers/{own}"), "worker-file"), path("/roster", "roster")]
            }
            (Some("case"), _) => {
                vec![path("/roster", "roster"), path("/workers", "workers"), path("/bem", "bem")]
            }
            (Some(_), _) => {
                vec![path("/roster", "roster"), path("/board", "board"), path("/workers", "workers")]
            }
            (None, _) => Vec::new(),
        }
    }

    /// The sign-in.
    pub(crate) fn sign_in(&self, login: &str, wrong: bool) -> Answer {
        let content = html! {
            div .card {
                h1 { (self.say("brand")) }
                p .hint { (self.say("sign-in-line")) }
                @if wrong { p .bad role="alert" { (self.say("wrong-login")) } }
                form .card method="post" action="/sign-in" {
                    (self.guard())
                    div .field { label for="login" { (self.say("login")) }
                        input id="login" name="login" value=(login) autocomplete="username" required; }
                    div .field { label for="password" { (self.say("password")) }
                        input id="password" name="password" type="password" autocomplete="current-password" required; }
                    button { (self.say("sign-in")) }
                }
            }
        };
        let status = if wrong { StatusCode::UNAUTHORIZED } else { StatusCode::OK };
        self.show(status, &self.say("sign-in"), "", &html! { div .narrow { (content) } })
    }

    /// Something that did not work.
    pub(crate) fn problem(&self, status: StatusCode, name: &str) -> Answer {
        let text = self.say(name);
        self.show(status, &text, "", &html! { h1 { (text) } p { a href="/" { (self.say("back")) } } })
    }

    /// A field of a form.
    pub(crate) fn field(&self, name: &str, label: &str, value: &str, wrong: &BTreeSet<&str>) -> Markup {
        let is_wrong = wrong.contains(name);
        let invalid = is_wrong.then_some("true");
        let error = if name == "email" && wrong.contains("email-taken") { "email-taken" } else { name };
        html! {
            div .field {
                label for=(name) { (self.say(label)) }
                @if name == "emergency_contact" || name == "health_note" {
                    textarea id=(name) name=(name) aria-invalid=[invalid] { (value) }
                } @else {
                    input id=(name) name=(name) value=(value) aria-invalid=[invalid];
                }
                @if is_wrong { p .bad { (self.say(&format!("error-{}", error.replace('_', "-")))) } }
            }
        }
    }
}
