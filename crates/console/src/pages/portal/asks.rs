//! `GET /my`: who asks for what; and one request with the notice as it is stored, the term, and two doors.

use super::{Tab, configuration, field_word, page, purpose_title};
use crate::body::to_the_end;
use crate::pages::form::Form;
use crate::pages::visit::{Failed, Visit, not_found};
use crate::problem::{BAD_REQUEST, Explain};
use crate::ui::icons::Icon;
use crate::ui::language::Words;
use crate::ui::parts::{Act, Choice, Tone, aside, button_of, choice, empty, kv, link, link_button};
use axum::extract::Path;
use axum::response::{IntoResponse, Redirect, Response};
use data_encoding::HEXLOWER;
use maud::{Markup, html};
use model::ConsentId;
use model::consent::{ConsentEvent, ConsentState};
use vault::TenantConfig;
use vault::consent::{Answer, Consent, NoticeShown};

/// Terms that are offered, in days, where they are shorter than what was asked for.
const TERMS: [u32; 3] = [90, 180, 365];

/// Whether somebody waits for an answer.
fn is_open(record: &Consent) -> bool {
    matches!(record.state, ConsentState::Requested | ConsentState::Deferred)
}

/// The requests that wait for an answer.
pub(crate) async fn list(visit: Visit) -> Result<Response, Failed> {
    let (signed, person) = visit.person()?;
    let records = signed.vault.consents(&signed.ctx, signed.tenant, person).await;
    let records = records.map_err(|error| visit.explain(error))?;
    let config = configuration(&visit, signed)?;
    let words = visit.words();
    let open: Vec<&Consent> = records.iter().rev().filter(|record| is_open(record)).collect();
    let main = html! {
        div.head {
            h1 { (words.with("asks-sentence", [("count", open.len().into())])) }
            p { (words.say("asks-what")) }
        }
        @if open.is_empty() { div.card { (empty(Icon::Ask, &words.say("asks-none"), Some((Tab::Reads.path(), &words.say("asks-none-next"))))) } }
        @for record in open {
            article."card stack read" {
                h2 { (purpose_title(&config, &record.purpose)) }
                p { (words.with("ask-who", [("who", record.recipient.as_str().into())])) }
                @if let Some(first) = record.events.first() {
                    p."sm quiet" { (words.with("ask-since", [("date", words.date(first.at).into())])) }
                }
                p { (link_button(Act::Main, Some(Icon::Arrow), &words.say("ask-open"), &path_of(record.id))) }
            }
        }
    };
    Ok(page(&visit, Tab::Asks, &main))
}

/// Where a request is.
pub(super) fn path_of(consent: ConsentId) -> String {
    format!("/my/asks/{consent}")
}

/// One request. That its notice was shown is recorded, since an answer counts only to what was shown.
pub(crate) async fn ask(visit: Visit, Path(id): Path<String>) -> Result<Response, Failed> {
    let (signed, person) = visit.person()?;
    let id: ConsentId = id.parse().map_err(|_| not_found(&visit))?;
    let records = signed.vault.consents(&signed.ctx, signed.tenant, person).await;
    let records = records.map_err(|error| visit.explain(error))?;
    let record = records.iter().find(|record| record.id == id).ok_or_else(|| not_found(&visit))?;
    let config = configuration(&visit, signed)?;
    let language = language_of(&config, record, visit.words()).ok_or_else(|| not_found(&visit))?;
    let shown = signed.vault.show_notice(&signed.ctx, signed.tenant, id, &language).await;
    let shown = shown.map_err(|error| visit.explain(error))?;
    let words = visit.words();
    let title = purpose_title(&config, &record.purpose);
    let main = html! {
        div."cols side" {
            div.stack6 {
                div.head {
                    h1 { (words.with("ask-sentence", [("who", record.recipient.as_str().into()), ("purpose", title.as_str().into())])) }
                }
                (aside(Tone::Plain, Icon::Info, &html! { p { b { (words.say("ask-free")) } " " (words.say("ask-free-why")) } }))
                div { article."paper stack" lang=(shown.language) aria-label=(words.say("ask-notice")) { p.own-words { (shown.text) } } }
                (doors(&visit, record, &shown))
            }
            (good_to_know(words, &config, record))
        }
    };
    Ok(page(&visit, Tab::Asks, &main))
}

/// The visitor's language, if the notice is written in it; else the first that it is written in.
fn language_of(config: &TenantConfig, record: &Consent, words: &Words) -> Option<String> {
    let notice = config.notice(record.notice)?;
    if notice.text(record.notice_version, words.code()).is_some() {
        return Some(words.code().to_owned());
    }
    let version = notice.versions.get(usize::try_from(record.notice_version).ok()?.checked_sub(1)?)?;
    version.texts.first().map(|text| text.language.clone())
}

/// The shortest term is chosen already; yes and no weigh the same.
fn doors(visit: &Visit, record: &Consent, shown: &NoticeShown) -> Markup {
    let words = visit.words();
    let asked = record.events.iter().find(|one| one.event == ConsentEvent::Request).and_then(|one| one.days);
    let mut terms: Vec<u32> =
        TERMS.into_iter().filter(|days| asked.is_none_or(|asked| *days < asked)).collect();
    terms.extend(asked);
    let form = html! {
        input type="hidden" name="digest" value=(HEXLOWER.encode(&shown.digest));
        fieldset {
            legend { h2 { (words.say("ask-term")) } }
            p."hint gap" { (words.say("ask-term-hint")) }
            @for (place, days) in terms.iter().enumerate() {
                @let value = days.to_string();
                @let word = words.with("term-days", [("days", (*days).into())]);
                @let why = if Some(*days) == asked { words.say("ask-term-asked") } else { String::new() };
                (choice(&Choice { kind: "radio", name: "days", value: &value, word: &word, why: &why, chosen: place == 0 }))
            }
        }
        div.stack {
            p { (words.say("ask-then")) }
            div."row doors" {
                (button_of(Act::Door, ("answer", "yes"), Some(Icon::Check), &words.say("ask-yes")))
                (button_of(Act::Door, ("answer", "no"), Some(Icon::Cross), &words.say("ask-no")))
            }
            p.sm { (link(Tab::Asks.path(), &words.say("ask-later"))) }
        }
    };
    html! { (visit.form(&path_of(record.id), "stack6", &form)) }
}

fn good_to_know(words: &Words, config: &TenantConfig, record: &Consent) -> Markup {
    let purpose = config.purpose(&record.purpose);
    let names = |ids: &[model::ids::FieldId]| {
        let names = ids.iter().filter_map(|id| config.field_by_id(*id));
        names.map(|field| field_word(words, &field.name)).collect::<Vec<_>>().join(", ")
    };
    let mut rows = vec![(words.say("know-who"), html! { (record.recipient) })];
    if let Some(purpose) = purpose {
        rows.push((words.say("know-what"), html! { (names(&purpose.fields)) }));
        if !purpose.masked.is_empty() {
            rows.push((words.say("know-masked"), html! { (names(&purpose.masked)) }));
        }
    }
    rows.extend([
        (
            words.say("know-each"),
            html! { (words.say("know-each-what")) " " (link(Tab::Reads.path(), &words.say("my-reads"))) "." },
        ),
        (words.say("know-back"), html! { (words.say("know-back-what")) }),
    ]);
    html! {
        aside.stack6 aria-label=(words.say("know-title")) {
            section."card stack" aria-labelledby="know" { h2 #know { (words.say("know-title")) } (kv(&rows)) }
        }
    }
}

/// The answer.
pub(crate) async fn answer(Path(id): Path<String>, form: Form) -> Result<Response, Failed> {
    let visit = form.visit.clone();
    visit.person()?;
    let id: ConsentId = id.parse().map_err(|_| not_found(&visit))?;
    let (answer, done) = match form.value("answer") {
        "yes" => {
            let digest = HEXLOWER.decode(form.value("digest").as_bytes()).ok();
            let digest: Option<[u8; 32]> = digest.and_then(|digest| digest.try_into().ok());
            let days = form.filled("days").map(str::parse::<u32>).transpose().ok();
            let (Some(digest), Some(days)) = (digest, days) else { return Err(visit.fail(BAD_REQUEST)) };
            (Answer::Give { digest, days }, "consent-given")
        }
        "no" => (Answer::Refuse, "consent-refused"),
        _ => return Err(visit.fail(BAD_REQUEST)),
    };
    settle(&visit, id, answer).await?;
    Ok(Redirect::to(&format!("{}?done={done}", Tab::Consents.path())).into_response())
}

/// Hands an answer to the vault, and waits for it even if the browser does not.
pub(super) async fn settle(visit: &Visit, id: ConsentId, answer: Answer) -> Result<(), Failed> {
    let signed = visit.signed()?;
    let (vault, ctx, tenant, role) = (signed.vault.clone(), signed.ctx.clone(), signed.tenant, signed.role());
    let request = ctx.request;
    let change = async move {
        let changed = vault.answer_consent(&ctx, tenant, id, answer).await;
        changed.map_err(|error| error.explain(role).in_request(request))
    };
    to_the_end(change).await.map(|_| ()).map_err(|problem| visit.fail(problem))
}
