//! The JSON API. The same roles and checks as the pages; the value against forged requests comes in a header.

use crate::State;
use crate::auth::{self, Claims};
use crate::page::Answer;
use crate::roster::{Asked, seen_by, shift, week_of};
use crate::store::{StoreError, Worker};
use crate::workers::Entry;
use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, Query};
use http::{HeaderMap, StatusCode};
use serde::Deserialize;
use serde_json::json;

fn problem(status: StatusCode, error: &str) -> Answer {
    Answer::json(status, &json!({ "error": error }))
}

fn staff(app: &State, headers: &HeaderMap) -> Result<Claims, Answer> {
    let claims = app.keys.who(headers).ok_or_else(|| problem(StatusCode::UNAUTHORIZED, "not signed in"))?;
    if claims.is_staff() { Ok(claims) } else { Err(problem(StatusCode::FORBIDDEN, "forbidden")) }
}

fn writer(app: &State, headers: &HeaderMap) -> Result<(), Answer> {
    let claims = staff(app, headers)?;
    let sent = headers.get("x-csrf-token").and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !auth::is_ours(headers, sent) {
        return Err(problem(StatusCode::FORBIDDEN, "csrf"));
    }
    if matches!(claims.role.as_str(), "hr" | "lead") {
        Ok(())
    } else {
        Err(problem(StatusCode::FORBIDDEN, "forbidden"))
    }
}

pub(crate) async fn workers(app: State, headers: HeaderMap) -> Answer {
    if let Err(answer) = staff(&app, &headers) {
        return answer;
    }
    match app.store.workers(0, 1_000).await {
        Ok(workers) => Answer::json(StatusCode::OK, &json!({ "workers": workers })),
        Err(_) => problem(StatusCode::INTERNAL_SERVER_ERROR, "database"),
    }
}

pub(crate) async fn worker(app: State, headers: HeaderMap, Path(id): Path<i64>) -> Answer {
    if let Err(answer) = staff(&app, &headers) {
        return answer;
    }
    match app.store.worker(id).await {
        Ok(Some(worker)) => Answer::json(StatusCode::OK, &json!(worker)),
        _ => problem(StatusCode::NOT_FOUND, "not found"),
    }
}

pub(crate) async fn create(
    app: State,
    headers: HeaderMap,
    body: Result<Json<Entry>, JsonRejection>,
) -> Answer {
    if let Err(answer) = writer(&app, &headers) {
        return answer;
    }
    let Ok(Json(entry)) = body else { return problem(StatusCode::BAD_REQUEST, "not a worker") };
    let wrong = entry.wrong();
    if !wrong.is_empty() {
        return Answer::json(StatusCode::UNPROCESSABLE_ENTITY, &json!({ "wrong": wrong }));
    }
    match app.store.insert(entry.into(Worker::default())).await {
        Ok(worker) => Answer::json(StatusCode::CREATED, &json!(worker)),
        Err(StoreError::Taken) => problem(StatusCode::CONFLICT, "email"),
        Err(StoreError::Sqlite(_)) => problem(StatusCode::INTERNAL_SERVER_ERROR, "database"),
    }
}

/// What may be changed by itself.
#[derive(Deserialize)]
pub(crate) struct Patch {
    name: Option<String>,
    email: Option<String>,
    phone: Option<String>,
}

pub(crate) async fn patch(
    app: State,
    headers: HeaderMap,
    Path(id): Path<i64>,
    body: Result<Json<Patch>, JsonRejection>,
) -> Answer {
    if let Err(answer) = writer(&app, &headers) {
        return answer;
    }
    let Ok(Json(patch)) = body else { return problem(StatusCode::BAD_REQUEST, "not a change") };
    let Ok(Some(mut worker)) = app.store.worker(id).await else {
        return problem(StatusCode::NOT_FOUND, "not found");
    };
    worker.name = patch.name.unwrap_or(worker.name);
    worker.email = patch.email.unwrap_or(worker.email);
    worker.phone = patch.phone.unwrap_or(worker.phone);
    match app.store.update(worker.clone()).await {
        Ok(()) => Answer::json(StatusCode::OK, &json!(worker)),
        Err(StoreError::Taken) => problem(StatusCode::CONFLICT, "email"),
        Err(StoreError::Sqlite(_)) => problem(StatusCode::INTERNAL_SERVER_ERROR, "database"),
    }
}

pub(crate) async fn roster(app: State, headers: HeaderMap, Query(asked): Query<Asked>) -> Answer {
    let claims = match staff(&app, &headers) {
        Ok(claims) => claims,
        Err(answer) => return answer,
    };
    let week = week_of(asked.week());
    let Ok(workers) = app.store.workers(0, 50).await else {
        return problem(StatusCode::INTERNAL_SERVER_ERROR, "database");
    };
    let one = |worker: &Worker| {
        let (name, hall) = shift(worker, week);
        json!({ "id": worker.id, "name": worker.name, "phone": worker.phone, "shift": name, "hall": hall })
    };
    let shifts: Vec<_> = seen_by(&claims, workers).iter().map(one).collect();
    Answer::json(StatusCode::OK, &json!({ "week": format!("{}-{}", week.0, week.1), "shifts": shifts }))
}
