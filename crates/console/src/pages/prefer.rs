//! `POST /prefer/language`, `POST /prefer/theme`: cookies for a year, and back to where one was.

use super::form::Form;
use super::visit::{Failed, LANGUAGE, THEME, Theme};
use crate::problem::BAD_REQUEST;
use crate::ui::language::Languages;
use axum::response::{AppendHeaders, IntoResponse, Redirect, Response};
use http::header::SET_COOKIE;

/// Chooses the language.
pub(crate) async fn language(form: Form) -> Result<Response, Failed> {
    let chosen = Languages::codes().find(|code| *code == form.value("language"));
    let chosen = chosen.ok_or_else(|| form.visit.fail(BAD_REQUEST))?;
    Ok(kept(LANGUAGE, chosen, form.value("back")))
}

/// Chooses the colours.
pub(crate) async fn theme(form: Form) -> Result<Response, Failed> {
    let chosen = Theme::of(form.value("theme")).ok_or_else(|| form.visit.fail(BAD_REQUEST))?;
    Ok(kept(THEME, chosen.word(), form.value("back")))
}

fn kept(cookie: &str, value: &str, back: &str) -> Response {
    let cookie = format!("{cookie}={value}; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=31536000");
    (AppendHeaders([(SET_COOKIE, cookie)]), Redirect::to(local(back))).into_response()
}

/// A path of this host; whatever could lead elsewhere leads home.
fn local(path: &str) -> &str {
    let plain = path.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    if plain && path.starts_with('/') && !path.starts_with("//") { path } else { "/" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_never_comes_back_elsewhere() {
        assert_eq!(local("/console/ledger?event=read"), "/console/ledger?event=read");
        for path in ["", "//evil.example", "/\\evil.example", "https://evil.example", "/a\r\nx: y", "console"]
        {
            assert_eq!(local(path), "/", "{path}");
        }
    }
}
