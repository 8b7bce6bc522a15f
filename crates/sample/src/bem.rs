//! Return-to-work cases: the health declaration, and the course of the case.

use crate::auth::{self, Claims};
use crate::page::{Answer, redirect};
use crate::{State, workers};
use axum::Form;
use axum::extract::Path;
use http::{HeaderMap, StatusCode};
use maud::html;
use serde::Deserialize;

fn may(claims: &Claims) -> bool {
    claims.role == "case"
}

pub(crate) async fn list(app: State, headers: HeaderMap) -> Answer {
    let (claims, page) = match app.page(&headers) {
        Ok(opened) => opened,
        Err(answer) => return answer,
    };
    if !may(&claims) {
        return page.problem(StatusCode::FORBIDDEN, "forbidden");
    }
    let Ok(all) = app.store.workers(0, 200).await else { return workers::fault(&page) };
    let content = html! {
        h1 { (page.say("bem")) }
        div .wide { table {
            thead { tr { th { (page.say("personnel-no")) } th { (page.say("name")) } } }
            tbody { @for worker in &all { tr {
                td { (worker.personnel_no) }
                td { a href=(format!("/bem/{}", worker.id)) { (worker.name) } }
            } } }
        } }
    };
    page.show(StatusCode::OK, &page.say("bem"), "bem", &content)
}

pub(crate) async fn case(app: State, headers: HeaderMap, Path(id): Path<i64>) -> Answer {
    let (claims, page) = match app.page(&headers) {
        Ok(opened) => opened,
        Err(answer) => return answer,
    };
    if !may(&claims) {
        return page.problem(StatusCode::FORBIDDEN, "forbidden");
    }
    let Ok(Some(worker)) = app.store.worker(id).await else {
        return page.problem(StatusCode::NOT_FOUND, "not-found");
    };
    let notes = app.store.notes(id).await.unwrap_or_default();
    let content = html! {
        div .head { h1 { (page.say("bem")) ": " (worker.name) } p { (worker.personnel_no) } }
        section .card { h2 { (page.say("health-note")) } p { (worker.health_note) } }
        section .card {
            h2 { (page.say("notes")) }
            @if notes.is_empty() { p .hint { (page.say("no-notes")) } }
            ol { @for note in &notes { li { (note) } } }
            form .card method="post" action=(format!("/bem/{id}/notes")) {
                (page.guard())
                div .field { label for="text" { (page.say("note")) } textarea id="text" name="text" required {} }
                p { button { (page.say("add-note")) } }
            }
        }
    };
    page.show(StatusCode::OK, &page.say("bem"), "bem", &content)
}

#[derive(Deserialize)]
pub(crate) struct Note {
    csrf: String,
    text: String,
}

pub(crate) async fn add_note(
    app: State,
    headers: HeaderMap,
    Path(id): Path<i64>,
    Form(note): Form<Note>,
) -> Answer {
    let (claims, page) = match app.page(&headers) {
        Ok(opened) => opened,
        Err(answer) => return answer,
    };
    if !auth::is_ours(&headers, &note.csrf) || !may(&claims) {
        return page.problem(StatusCode::FORBIDDEN, "csrf");
    }
    match app.store.add_note(id, note.text).await {
        Ok(()) => redirect(&format!("/bem/{id}")),
        Err(_) => page.problem(StatusCode::NOT_FOUND, "not-found"),
    }
}
