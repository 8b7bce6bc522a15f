//! The roster: who works when, and where. Shifts follow from a worker's number and the week.

use crate::State;
use crate::auth::Claims;
use crate::page::Answer;
use crate::store::Worker;
use axum::extract::Query;
use http::{HeaderMap, StatusCode};
use maud::html;
use serde::Deserialize;

/// The week that is shown when none is asked for.
const WEEK: (i64, i64) = (2026, 48);

#[derive(Deserialize)]
pub(crate) struct Asked {
    week: Option<String>,
}

impl Asked {
    pub(crate) fn week(&self) -> Option<&str> {
        self.week.as_deref()
    }
}

/// Year and week as asked for, kept within what makes sense.
pub(crate) fn week_of(asked: Option<&str>) -> (i64, i64) {
    let parsed = asked
        .and_then(|text| text.split_once('-'))
        .and_then(|(year, week)| Some((year.parse::<i64>().ok()?, week.parse::<i64>().ok()?)));
    parsed.filter(|(year, week)| (2000..2100).contains(year) && (1..=53).contains(week)).unwrap_or(WEEK)
}

/// Shift and hall of a worker in a week.
pub(crate) fn shift(worker: &Worker, week: (i64, i64)) -> (&'static str, i64) {
    let turn = (worker.id + week.1).rem_euclid(3);
    let name = match turn {
        0 => "early",
        1 => "late",
        _ => "night",
    };
    (name, worker.id.rem_euclid(4) + 1)
}

/// Whose shifts somebody sees.
pub(crate) fn seen_by(claims: &Claims, workers: Vec<Worker>) -> Vec<Worker> {
    workers.into_iter().filter(|worker| claims.is_staff() || claims.is_worker(worker.id)).collect()
}

pub(crate) async fn page(app: State, headers: HeaderMap, Query(asked): Query<Asked>) -> Answer {
    let (claims, page) = match app.page(&headers) {
        Ok(opened) => opened,
        Err(answer) => return answer,
    };
    let week = week_of(asked.week());
    let Ok(workers) = app.store.workers(0, 50).await else { return crate::workers::fault(&page) };
    let workers = seen_by(&claims, workers);
    let title = page.language.week(&format!("{}-{}", week.0, week.1));
    let link = |by: i64| format!("/roster?week={}-{}", week.0, (week.1 + by).clamp(1, 53));
    let content = html! {
        div .head { h1 { (page.say("roster")) ", " (title) }
            p { a href=(link(-1)) { (page.say("earlier")) } " · " a href=(link(1)) { (page.say("later")) } } }
        @if workers.is_empty() {
            div .card .empty { h2 { (page.say("no-workers")) } p { (page.say("no-workers-hint")) } }
        } @else {
            div .wide { table {
                thead { tr { th { (page.say("name")) } th { (page.say("phone")) } th { (page.say("shift")) } th { (page.say("hall")) } } }
                tbody { @for worker in &workers {
                    @let (name, hall) = shift(worker, week);
                    tr {
                        td { a href=(format!("/workers/{}", worker.id)) { (worker.name) } }
                        td { (worker.phone) }
                        td { span .tag .(name) { (page.say(name)) } }
                        td { (hall) }
                    }
                } }
            } }
        }
    };
    page.show(StatusCode::OK, &page.say("roster"), "roster", &content)
}

pub(crate) async fn board(app: State, headers: HeaderMap) -> Answer {
    let (claims, page) = match app.page(&headers) {
        Ok(opened) => opened,
        Err(answer) => return answer,
    };
    if !claims.is_staff() {
        return page.problem(StatusCode::FORBIDDEN, "forbidden");
    }
    let content = html! {
        div .head { h1 { (page.say("board")) }
            div .field { label for="filter" { (page.say("shift")) }
                select id="filter" { option value="" { (page.say("all-shifts")) }
                    @for name in ["early", "late", "night"] { option value=(name) { (page.say(name)) } } } } }
        div #board .tiles data-phone=(page.say("phone")) data-early=(page.say("early")) data-late=(page.say("late"))
            data-night=(page.say("night")) {}
        script src="/static/board.js" defer {}
    };
    page.show(StatusCode::OK, &page.say("board"), "board", &content)
}
