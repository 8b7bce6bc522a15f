//! A browser before the console: cookies, links, forms.

use crate::door::Door;
use axum::body::Body;
use axum::response::Response;
use http::{HeaderMap, Method, Request, StatusCode, header};
use http_body_util::BodyExt;
use model::PersonId;
use model::principal::Role;
use std::collections::BTreeMap;
use vault::keys::NewKey;

/// The host under which the tests know the console.
pub(crate) const HOST: &str = "house.example";
pub(crate) const SESSION: &str = "__Host-obhut-session";

/// What came back.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Page {
    async fn read(answer: Response) -> Self {
        let (status, headers) = (answer.status(), answer.headers().clone());
        let body = answer.into_body().collect().await.expect("a body").to_bytes();
        Self { status, headers, text: String::from_utf8_lossy(&body).into_owned() }
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// Where a redirect leads.
    pub(crate) fn to(&self) -> &str {
        self.header("location")
    }

    /// The token that the page's forms carry.
    pub(crate) fn form_token(&self) -> Option<String> {
        let (_, rest) = self.text.split_once("name=\"form-token\" value=\"")?;
        rest.split('"').next().map(str::to_owned)
    }
}

/// A browser.
#[derive(Clone, Default)]
pub(crate) struct Guest {
    pub(crate) cookies: BTreeMap<String, String>,
    pub(crate) language: &'static str,
    /// What each of its forms carries, once a page was seen.
    pub(crate) token: Option<String>,
}

impl Guest {
    /// Somebody who has not signed in and reads English.
    pub(crate) fn new() -> Self {
        Self { language: "en", ..Self::default() }
    }

    /// A link for somebody.
    pub(crate) async fn link(door: &Door, role: Role, subject: Option<PersonId>) -> String {
        let world = &door.world;
        let expires = Some(model::Clock::now(&world.clock).plus_ms(3_600_000));
        let new = NewKey { name: format!("{role:?}"), role, subject, expires, zone: Vec::new() };
        let issued = world.vault.issue_link(&world.ctx(&world.admin), world.tenant, new).await;
        issued.expect("a link").secret.reveal()
    }

    /// Somebody who has signed in in this role.
    pub(crate) async fn signed_in(door: &Door, role: Role, subject: Option<PersonId>) -> Self {
        let mut guest = Self::new();
        let link = Self::link(door, role, subject).await;
        let entered = guest.post(door, "/sign-in", &[("link", &link)]).await;
        assert_eq!(entered.status, StatusCode::SEE_OTHER, "{}", entered.text);
        guest
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> http::request::Builder {
        let cookies: Vec<String> =
            self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let mut request = Request::builder().method(method).uri(path).header(header::HOST, HOST);
        if !self.language.is_empty() {
            request = request.header(header::ACCEPT_LANGUAGE, self.language);
        }
        if !cookies.is_empty() {
            request = request.header(header::COOKIE, cookies.join("; "));
        }
        request.header(header::ACCEPT, "text/html")
    }

    pub(crate) async fn send(&mut self, door: &Door, request: Request<Body>) -> Page {
        let page = Page::read(door.answer(request).await).await;
        for set in page.headers.get_all(header::SET_COOKIE) {
            let (pair, rest) = set.to_str().expect("text").split_once(';').expect("attributes");
            let (name, value) = pair.split_once('=').expect("a cookie");
            assert!(
                name.starts_with("__Host-") && rest.contains("Path=/") && rest.contains("Secure"),
                "{set:?}"
            );
            if rest.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        if let Some(token) = page.form_token() {
            self.token = Some(token);
        }
        page
    }

    pub(crate) async fn get(&mut self, door: &Door, path: &str) -> Page {
        let request = self.request(Method::GET, path).body(Body::empty()).expect("a request");
        self.send(door, request).await
    }

    /// Sends a form as a page of ours does.
    pub(crate) async fn post(&mut self, door: &Door, path: &str, fields: &[(&str, &str)]) -> Page {
        let mut fields = fields.to_vec();
        let token = self.token.clone();
        if let Some(token) = &token {
            fields.push(("form-token", token));
        }
        self.post_from(door, path, &fields, Some(&format!("https://{HOST}"))).await
    }

    /// Sends a form from somewhere, with nothing added.
    pub(crate) async fn post_from(
        &mut self,
        door: &Door,
        path: &str,
        fields: &[(&str, &str)],
        origin: Option<&str>,
    ) -> Page {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let mut request = self.request(Method::POST, path);
        request = request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        if let Some(origin) = origin {
            request = request.header(header::ORIGIN, origin);
        }
        self.send(door, request.body(Body::from(body)).expect("a request")).await
    }
}
