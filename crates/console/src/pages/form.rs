//! Forms that change something. Two guards, each enough alone: the browser's `Origin` must be this very host, and the form
//! must carry its session's token. A form without a session (language, colours, sign-in) has the first alone, and nothing
//! to lose but that; a sign-in form carries the link's own secret besides.

use super::visit::{Failed, Visit};
use crate::Console;
use crate::body::read;
use crate::problem::{FORM_REFUSED, MEDIA_TYPE, Problem};
use axum::extract::{FromRequest, Request};
use http::header::{CONTENT_TYPE, HOST, ORIGIN};
use http::{HeaderMap, Uri};
use zeroize::Zeroizing;

/// The name of the field that carries the session's token.
pub(crate) const TOKEN: &str = "form-token";
/// Most fields of a form.
const MOST_FIELDS: usize = 300;

/// A form that was sent from one of our own pages.
pub(crate) struct Form {
    pub(crate) visit: Visit,
    fields: Vec<(String, Zeroizing<String>)>,
    origin: String,
}

impl Form {
    /// The value of a field, without space around it; empty where there is none.
    pub(crate) fn value(&self, name: &str) -> &str {
        self.fields.iter().find(|(other, _)| other == name).map_or("", |(_, value)| value.trim())
    }

    /// The origin of this console, as the browser knows it and as it was checked.
    pub(crate) fn origin(&self) -> &str {
        &self.origin
    }

    /// A field that is not empty.
    pub(crate) fn filled(&self, name: &str) -> Option<&str> {
        Some(self.value(name)).filter(|value| !value.is_empty())
    }

    /// All values of a field that may be there several times.
    pub(crate) fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.fields.iter().filter(move |(other, _)| other == name).map(|(_, value)| value.as_str())
    }
}

impl FromRequest<Console> for Form {
    type Rejection = Failed;

    async fn from_request(request: Request, console: &Console) -> Result<Self, Failed> {
        let form = Self::read(request, console).await?;
        let token = form.value(TOKEN);
        if form.visit.session().is_some_and(|signed| !signed.is_form_token(token)) {
            return Err(form.visit.fail(FORM_REFUSED));
        }
        Ok(form)
    }
}

/// The form that signs in. Its link's secret stands in the place of a session's token: who comes from a mail has the page
/// without the session that is already there, since the cookie is `SameSite=Strict`, and sends the form with it.
pub(crate) struct SignInForm(pub(crate) Form);

impl FromRequest<Console> for SignInForm {
    type Rejection = Failed;

    async fn from_request(request: Request, console: &Console) -> Result<Self, Failed> {
        Form::read(request, console).await.map(Self)
    }
}

impl Form {
    /// The form, if it came from one of our own pages.
    async fn read(request: Request, console: &Console) -> Result<Self, Failed> {
        let (parts, body) = request.into_parts();
        let visit = Visit::of(&parts, console);
        let failed = |problem: Problem| visit.fail(problem);
        let Some(origin) = ours(&parts.headers, &parts.uri) else { return Err(failed(FORM_REFUSED)) };
        let origin = origin.to_owned();
        if !is_form(&parts.headers) {
            return Err(failed(MEDIA_TYPE));
        }
        let bytes = read(body).await.map_err(failed)?;
        let pairs = form_urlencoded::parse(&bytes).take(MOST_FIELDS);
        let fields =
            pairs.map(|(name, value)| (name.into_owned(), Zeroizing::new(value.into_owned()))).collect();
        Ok(Self { visit, fields, origin })
    }
}

/// The origin, if a page of this very host sent the form. Browsers set `Origin` on each POST, and no page can set it
/// otherwise; with `Referrer-Policy: same-origin`, ours do not send `null` (Fetch §3.2.5).
fn ours<'a>(headers: &'a HeaderMap, uri: &Uri) -> Option<&'a str> {
    let mut origins = headers.get_all(ORIGIN).iter();
    let (Some(origin), None) = (origins.next(), origins.next()) else { return None };
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    let host = uri.authority().map(http::uri::Authority::as_str).or(host).filter(|host| !host.is_empty())?;
    let origin = origin.to_str().ok()?;
    origin.strip_prefix("https://").filter(|named| named.eq_ignore_ascii_case(host)).map(|_| origin)
}

fn is_form(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    kind.split(';')
        .next()
        .is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/x-www-form-urlencoded"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_very_host_is_ours() {
        let is_ours = |origin: Option<&str>, host: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(HOST, host.parse().expect("a value"));
            if let Some(origin) = origin {
                headers.insert(ORIGIN, origin.parse().expect("a value"));
            }
            ours(&headers, &Uri::from_static("/x")).is_some()
        };
        assert!(is_ours(Some("https://house.example"), "house.example"));
        assert!(is_ours(Some("https://localhost:9443"), "localhost:9443"));
        assert!(is_ours(Some("https://House.example"), "house.example"));
        for origin in [
            "https://evil.example",
            "http://house.example",
            "https://house.example:8443",
            "https://house.example.evil.example",
            "https://evil.house.example",
            "null",
            "",
        ] {
            assert!(!is_ours(Some(origin), "house.example"), "{origin}");
        }
        assert!(!is_ours(None, "house.example") && !is_ours(Some("https://"), ""));
        let mut two = HeaderMap::new();
        two.insert(HOST, "house.example".parse().expect("a value"));
        two.append(ORIGIN, "https://house.example".parse().expect("a value"));
        two.append(ORIGIN, "https://evil.example".parse().expect("a value"));
        assert!(ours(&two, &Uri::from_static("/x")).is_none());
    }
}
