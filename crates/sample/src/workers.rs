//! Workers: list, file, forms, uploads, export.

use crate::auth::{self, Claims};
use crate::page::{Answer, Page, redirect};
use crate::store::{StoreError, Worker};
use crate::{App, State, UPLOAD};
use axum::Form;
use axum::extract::{Multipart, Path, Query};
use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use http::{HeaderMap, StatusCode};
use maud::{Markup, html};
use serde::Deserialize;
use std::collections::BTreeSet;

/// Workers on one page.
const PAGE: i64 = 50;

/// The form of a worker.
#[derive(Clone, Default, Deserialize)]
pub(crate) struct Entry {
    #[serde(default)]
    csrf: String,
    pub(crate) name: String,
    pub(crate) email: String,
    pub(crate) phone: String,
    pub(crate) birth_date: String,
    pub(crate) emergency_contact: String,
}

impl Entry {
    fn of(worker: &Worker) -> Self {
        let Worker { name, email, phone, birth_date, emergency_contact, .. } = worker.clone();
        Self { csrf: String::new(), name, email, phone, birth_date, emergency_contact }
    }

    /// Puts what was typed into a worker.
    pub(crate) fn into(self, worker: Worker) -> Worker {
        let Self { name, email, phone, birth_date, emergency_contact, .. } = self;
        Worker { name, email, phone, birth_date, emergency_contact, ..worker }
    }

    /// The fields that are not as they must be.
    pub(crate) fn wrong(&self) -> BTreeSet<&'static str> {
        let mut wrong = BTreeSet::new();
        if self.name.trim().is_empty() || self.name.chars().count() > 120 {
            wrong.insert("name");
        }
        let mail = self.email.split_once('@');
        if self.email.len() > 254
            || !mail.is_some_and(|(local, domain)| !local.is_empty() && domain.contains('.'))
        {
            wrong.insert("email");
        }
        let dialled = |char: char| char.is_ascii_digit() || matches!(char, '+' | ' ');
        if self.phone.len() > 25 || !self.phone.chars().all(dialled) {
            wrong.insert("phone");
        }
        if !self.birth_date.is_empty() && !is_date(&self.birth_date) {
            wrong.insert("birth_date");
        }
        wrong
    }
}

fn is_date(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let [year, month, day] = parts.as_slice() else { return false };
    let number =
        |text: &str, length: usize| (text.len() == length).then(|| text.parse::<u32>().ok()).flatten();
    let (Some(_), Some(month), Some(day)) = (number(year, 4), number(month, 2), number(day, 2)) else {
        return false;
    };
    (1..=12).contains(&month) && (1..=31).contains(&day)
}

fn may_see(claims: &Claims, id: i64) -> bool {
    claims.is_staff() || claims.is_worker(id)
}

fn may_write(claims: &Claims) -> bool {
    matches!(claims.role.as_str(), "hr" | "lead")
}

#[derive(Deserialize)]
pub(crate) struct Paging {
    #[serde(default)]
    page: i64,
}

pub(crate) async fn list(app: State, headers: HeaderMap, Query(paging): Query<Paging>) -> Answer {
    let (claims, page) = match app.page(&headers) {
        Ok(opened) => opened,
        Err(answer) => return answer,
    };
    if !claims.is_staff() {
        return page.problem(StatusCode::FORBIDDEN, "forbidden");
    }
    let number = paging.page.clamp(0, 10_000);
    let Ok(workers) = app.store.workers(number * PAGE, PAGE).await else { return fault(&page) };
    let content = html! {
        div .head { h1 { (page.say("workers")) }
            p {
                @if may_write(&claims) { a .button href="/workers/new" { (page.say("new-worker")) } " " }
                @if claims.role == "hr" { a href="/export/workers.csv" { (page.say("export-csv")) } }
            }
        }
        @if workers.is_empty() && number == 0 {
            div .card .empty { h2 { (page.say("no-workers")) } p { (page.say("no-workers-hint")) } }
        } @else {
            div .wide { table {
                thead { tr { th { (page.say("personnel-no")) } th { (page.say("name")) } th { (page.say("email")) } } }
                tbody { @for worker in &workers { tr {
                    td { (worker.personnel_no) }
                    td { a href=(format!("/workers/{}", worker.id)) { (worker.name) } }
                    td { (worker.email) }
                } } }
            } }
            p {
                @if number > 0 { a href=(format!("/workers?page={}", number - 1)) { (page.say("earlier")) } " " }
                @if workers.len() == PAGE as usize { a href=(format!("/workers?page={}", number + 1)) { (page.say("later")) } }
            }
        }
    };
    page.show(StatusCode::OK, &page.say("workers"), "workers", &content)
}

pub(crate) fn fault(page: &Page<'_>) -> Answer {
    page.problem(StatusCode::INTERNAL_SERVER_ERROR, "not-found")
}

fn form(page: &Page<'_>, status: StatusCode, action: &str, entry: &Entry, wrong: &BTreeSet<&str>) -> Answer {
    let title = if action == "/workers" { page.say("new-worker") } else { page.say("edit") };
    let content = html! {
        h1 { (title) }
        @if !wrong.is_empty() { p .note role="alert" { (page.say("check-form")) } }
        form .card .narrow method="post" action=(action) novalidate {
            (page.guard())
            (page.field("name", "name", &entry.name, wrong))
            (page.field("email", "email", &entry.email, wrong))
            (page.field("phone", "phone", &entry.phone, wrong))
            (page.field("birth_date", "birth-date", &entry.birth_date, wrong))
            (page.field("emergency_contact", "emergency-contact", &entry.emergency_contact, wrong))
            p { button { (page.say("save")) } " " a href=(action) { (page.say("cancel")) } }
        }
    };
    page.show(status, &title, "workers", &content)
}

pub(crate) async fn new(app: State, headers: HeaderMap) -> Answer {
    match app.page(&headers) {
        Ok((claims, page)) if may_write(&claims) => {
            form(&page, StatusCode::OK, "/workers", &Entry::default(), &BTreeSet::new())
        }
        Ok((_, page)) => page.problem(StatusCode::FORBIDDEN, "forbidden"),
        Err(answer) => answer,
    }
}

/// Checks role and form; the page to answer with when something is wrong.
fn checked<'a>(
    app: &'a App,
    headers: &'a HeaderMap,
    sent: &str,
    may: impl Fn(&Claims) -> bool,
) -> Result<Page<'a>, Answer> {
    let (claims, page) = app.page(headers)?;
    if !auth::is_ours(headers, sent) {
        return Err(page.problem(StatusCode::FORBIDDEN, "csrf"));
    }
    if may(&claims) { Ok(page) } else { Err(page.problem(StatusCode::FORBIDDEN, "forbidden")) }
}

pub(crate) async fn create(app: State, headers: HeaderMap, Form(entry): Form<Entry>) -> Answer {
    let page = match checked(&app, &headers, &entry.csrf, may_write) {
        Ok(page) => page,
        Err(answer) => return answer,
    };
    let wrong = entry.wrong();
    if !wrong.is_empty() {
        return form(&page, StatusCode::UNPROCESSABLE_ENTITY, "/workers", &entry, &wrong);
    }
    match app.store.insert(entry.clone().into(Worker::default())).await {
        Ok(worker) => redirect(&format!("/workers/{}", worker.id)),
        Err(StoreError::Taken) => {
            let wrong = BTreeSet::from(["email", "email-taken"]);
            form(&page, StatusCode::CONFLICT, "/workers", &entry, &wrong)
        }
        Err(StoreError::Sqlite(_)) => fault(&page),
    }
}

pub(crate) async fn file(app: State, headers: HeaderMap, Path(id): Path<i64>) -> Answer {
    let (claims, page) = match app.page(&headers) {
        Ok(opened) => opened,
        Err(answer) => return answer,
    };
    if !may_see(&claims, id) {
        return page.problem(StatusCode::FORBIDDEN, "forbidden");
    }
    let Ok(Some(worker)) = app.store.worker(id).await else {
        return page.problem(StatusCode::NOT_FOUND, "not-found");
    };
    let documents = app.store.documents(id).await.unwrap_or_default();
    let content = file_content(&page, &claims, &worker, &documents);
    let mut answer = page.show(StatusCode::OK, &page.say("worker-file"), "workers", &content);
    // As many apps do: a tag of what is shown.
    let tag = format!("\"{id}-{}-{}\"", worker.name.len() + worker.phone.len(), documents.len());
    if headers.get(IF_NONE_MATCH).is_some_and(|value| value.as_bytes() == tag.as_bytes()) {
        answer = Answer::new(StatusCode::NOT_MODIFIED, Vec::new());
    }
    answer.header(ETAG, &tag);
    answer
}

fn file_content(page: &Page<'_>, claims: &Claims, worker: &Worker, documents: &[(i64, String)]) -> Markup {
    let id = worker.id;
    html! {
        div .head { h1 { (worker.name) }
            p {
                @if may_write(claims) { a .button href=(format!("/workers/{id}/edit")) { (page.say("edit")) } " " }
                @if claims.is_worker(id) || claims.role == "hr" {
                    a href=(format!("/workers/{id}/health")) { (page.say("health-note")) }
                }
                @if claims.role == "case" { a href=(format!("/bem/{id}")) { (page.say("open-case")) } }
            }
        }
        dl .card {
            dt { (page.say("personnel-no")) } dd { (worker.personnel_no) }
            dt { (page.say("email")) } dd { a href=(format!("mailto:{}", worker.email)) { (worker.email) } }
            dt { (page.say("phone")) } dd { a href=(format!("tel:{}", worker.phone)) { (worker.phone) } }
            dt { (page.say("birth-date")) } dd { (worker.birth_date) }
            dt { (page.say("emergency-contact")) } dd { (worker.emergency_contact) }
        }
        section .card {
            h2 { (page.say("documents")) }
            @if documents.is_empty() { p .hint { (page.say("no-documents")) } }
            ul { @for (number, title) in documents {
                li { a href=(format!("/workers/{id}/documents/{number}")) { (title) } }
            } }
            @if may_write(claims) {
                form .card method="post" action=(format!("/workers/{id}/documents")) enctype="multipart/form-data" {
                    (page.guard())
                    div .field { label for="title" { (page.say("title")) } input id="title" name="title" required; }
                    div .field { label for="document" { (page.say("document")) }
                        input id="document" name="document" type="file" required; }
                    p { button .plain { (page.say("upload")) } }
                }
            }
        }
    }
}

pub(crate) async fn edit(app: State, headers: HeaderMap, Path(id): Path<i64>) -> Answer {
    match app.page(&headers) {
        Ok((claims, page)) if may_write(&claims) => match app.store.worker(id).await {
            Ok(Some(worker)) => {
                let action = format!("/workers/{id}");
                form(&page, StatusCode::OK, &action, &Entry::of(&worker), &BTreeSet::new())
            }
            _ => page.problem(StatusCode::NOT_FOUND, "not-found"),
        },
        Ok((_, page)) => page.problem(StatusCode::FORBIDDEN, "forbidden"),
        Err(answer) => answer,
    }
}

pub(crate) async fn save(
    app: State,
    headers: HeaderMap,
    Path(id): Path<i64>,
    Form(entry): Form<Entry>,
) -> Answer {
    let page = match checked(&app, &headers, &entry.csrf, may_write) {
        Ok(page) => page,
        Err(answer) => return answer,
    };
    let action = format!("/workers/{id}");
    let wrong = entry.wrong();
    if !wrong.is_empty() {
        return form(&page, StatusCode::UNPROCESSABLE_ENTITY, &action, &entry, &wrong);
    }
    let Ok(Some(worker)) = app.store.worker(id).await else {
        return page.problem(StatusCode::NOT_FOUND, "not-found");
    };
    match app.store.update(entry.clone().into(worker)).await {
        Ok(()) => redirect(&action),
        Err(StoreError::Taken) => {
            let wrong = BTreeSet::from(["email", "email-taken"]);
            form(&page, StatusCode::CONFLICT, &action, &entry, &wrong)
        }
        Err(StoreError::Sqlite(_)) => fault(&page),
    }
}

fn may_declare(claims: &Claims, id: i64) -> bool {
    claims.is_worker(id) || matches!(claims.role.as_str(), "hr" | "case")
}

fn health_form(page: &Page<'_>, status: StatusCode, id: i64, text: &str, wrong: &BTreeSet<&str>) -> Answer {
    let content = html! {
        h1 { (page.say("health-note")) }
        p .hint .narrow { (page.say("health-hint")) }
        form .card .narrow method="post" action=(format!("/workers/{id}/health")) {
            (page.guard())
            (page.field("health_note", "health-note", text, wrong))
            p { button { (page.say("save")) } " " a href=(format!("/workers/{id}")) { (page.say("cancel")) } }
        }
    };
    page.show(status, &page.say("health-note"), "worker-file", &content)
}

pub(crate) async fn health(app: State, headers: HeaderMap, Path(id): Path<i64>) -> Answer {
    match app.page(&headers) {
        Ok((claims, page)) if may_declare(&claims, id) => match app.store.worker(id).await {
            Ok(Some(worker)) => health_form(&page, StatusCode::OK, id, &worker.health_note, &BTreeSet::new()),
            _ => page.problem(StatusCode::NOT_FOUND, "not-found"),
        },
        Ok((_, page)) => page.problem(StatusCode::FORBIDDEN, "forbidden"),
        Err(answer) => answer,
    }
}

#[derive(Deserialize)]
pub(crate) struct Health {
    csrf: String,
    health_note: String,
}

pub(crate) async fn save_health(
    app: State,
    headers: HeaderMap,
    Path(id): Path<i64>,
    Form(entry): Form<Health>,
) -> Answer {
    let page = match checked(&app, &headers, &entry.csrf, |claims| may_declare(claims, id)) {
        Ok(page) => page,
        Err(answer) => return answer,
    };
    if entry.health_note.chars().count() > 4_000 {
        let wrong = BTreeSet::from(["health_note"]);
        return health_form(&page, StatusCode::UNPROCESSABLE_ENTITY, id, &entry.health_note, &wrong);
    }
    let Ok(Some(worker)) = app.store.worker(id).await else {
        return page.problem(StatusCode::NOT_FOUND, "not-found");
    };
    match app.store.update(Worker { health_note: entry.health_note, ..worker }).await {
        Ok(()) => redirect(&format!("/workers/{id}")),
        Err(_) => fault(&page),
    }
}

pub(crate) async fn upload(
    app: State,
    headers: HeaderMap,
    Path(id): Path<i64>,
    mut form: Multipart,
) -> Answer {
    let (mut sent, mut title, mut content) = (String::new(), String::new(), None);
    while let Ok(Some(field)) = form.next_field().await {
        let name = field.name().unwrap_or_default().to_owned();
        let Ok(bytes) = field.bytes().await else {
            return app.open_page(&headers).problem(StatusCode::PAYLOAD_TOO_LARGE, "too-large");
        };
        match name.as_str() {
            "csrf" => sent = String::from_utf8_lossy(&bytes).into_owned(),
            "title" => title = String::from_utf8_lossy(&bytes).into_owned(),
            "document" => content = Some(bytes.to_vec()),
            _ => {}
        }
    }
    let page = match checked(&app, &headers, &sent, may_write) {
        Ok(page) => page,
        Err(answer) => return answer,
    };
    match content {
        Some(content) if content.len() <= UPLOAD && !title.is_empty() && title.len() <= 200 => {
            match app.store.add_document(id, title, content).await {
                Ok(()) => redirect(&format!("/workers/{id}")),
                Err(_) => page.problem(StatusCode::NOT_FOUND, "not-found"),
            }
        }
        _ => page.problem(StatusCode::UNPROCESSABLE_ENTITY, "check-form"),
    }
}

pub(crate) async fn document(app: State, headers: HeaderMap, Path((id, number)): Path<(i64, i64)>) -> Answer {
    let (claims, page) = match app.page(&headers) {
        Ok(opened) => opened,
        Err(answer) => return answer,
    };
    if !may_see(&claims, id) {
        return page.problem(StatusCode::FORBIDDEN, "forbidden");
    }
    let Ok(Some(document)) = app.store.document(id, number).await else {
        return page.problem(StatusCode::NOT_FOUND, "not-found");
    };
    let mut answer = Answer::new(StatusCode::OK, document.content);
    let safe: String =
        document.title.chars().map(|char| if char.is_ascii_alphanumeric() { char } else { '-' }).collect();
    answer.header(CONTENT_TYPE, "application/octet-stream");
    answer.header(CONTENT_DISPOSITION, &format!("attachment; filename=\"{}-{safe}\"", document.id));
    answer
}

pub(crate) async fn export(app: State, headers: HeaderMap) -> Answer {
    let (claims, page) = match app.page(&headers) {
        Ok(opened) => opened,
        Err(answer) => return answer,
    };
    if claims.role != "hr" {
        return page.problem(StatusCode::FORBIDDEN, "forbidden");
    }
    let Ok(workers) = app.store.workers(0, 100_000).await else { return fault(&page) };
    let mut out = csv::Writer::from_writer(Vec::new());
    let mut done = out.write_record(["personnel_no", "name", "email", "phone"]);
    for worker in &workers {
        done = done.and_then(|()| {
            out.write_record([&worker.personnel_no, &worker.name, &worker.email, &worker.phone])
        });
    }
    match (done, out.into_inner()) {
        (Ok(()), Ok(bytes)) => {
            let mut answer = Answer::new(StatusCode::OK, bytes);
            answer.header(CONTENT_TYPE, "text/csv; charset=utf-8");
            answer.header(CONTENT_DISPOSITION, "attachment; filename=\"workers.csv\"");
            answer
        }
        _ => fault(&page),
    }
}
