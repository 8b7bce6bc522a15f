//! `GET /console/purposes`: why data may be read, by whom, on which basis; and what persons are told.

use super::visit::{Failed, Signed, Visit, not_found};
use crate::ui::frame::{self, Area, Staff, may, role_word};
use crate::ui::icons::Icon;
use crate::ui::language::Words;
use crate::ui::parts::{Column, Tone, chip, empty, kv, link, table};
use axum::extract::Path;
use axum::response::Response;
use maud::{Markup, html};
use model::decision::Action;
use model::ids::FieldId;
use model::notice::Notice;
use model::purpose::{LegalBasis, Purpose, SpecialBasis};
use std::sync::Arc;
use vault::TenantConfig;

/// The name of a legal basis' word.
pub(crate) fn basis_word(basis: LegalBasis) -> &'static str {
    match basis {
        LegalBasis::Consent => "basis-consent",
        LegalBasis::Contract => "basis-contract",
        LegalBasis::LegalObligation => "basis-obligation",
        LegalBasis::VitalInterests => "basis-vital",
        LegalBasis::PublicTask => "basis-task",
        LegalBasis::LegitimateInterests => "basis-interests",
    }
}

fn special_word(basis: SpecialBasis) -> &'static str {
    match basis {
        SpecialBasis::ExplicitConsent => "special-consent",
        SpecialBasis::EmploymentLaw => "special-employment",
        SpecialBasis::VitalInterests => "special-vital",
        SpecialBasis::LegalClaims => "special-claims",
        SpecialBasis::PublicInterest => "special-interest",
        SpecialBasis::Care => "special-care",
        SpecialBasis::PublicHealth => "special-health",
        SpecialBasis::Research => "special-research",
    }
}

/// What the tenant declares, for who may read purposes.
pub(crate) fn configuration(visit: &Visit, signed: &Signed) -> Result<Arc<TenantConfig>, Failed> {
    let config = signed.vault.configuration(&signed.ctx, signed.tenant, Action::ReadPurposes);
    config.map_err(|error| visit.explain(error))
}

fn field_names(config: &TenantConfig, ids: &[FieldId]) -> Vec<String> {
    ids.iter().filter_map(|id| config.field_by_id(*id)).map(|field| field.name.clone()).collect()
}

/// The state of a purpose, as a chip.
fn state(words: &Words, purpose: &Purpose) -> Markup {
    if purpose.current {
        chip(Tone::Ink, Icon::Check, &words.say("purpose-current"))
    } else {
        chip(Tone::Plain, Icon::Cross, &words.say("purpose-withdrawn"))
    }
}

/// The lists.
pub(crate) async fn list(visit: Visit) -> Result<Response, Failed> {
    let signed = visit.staff(Area::Purposes)?;
    let config = configuration(&visit, signed)?;
    let words = visit.words();
    let current = config.purposes.iter().filter(|purpose| purpose.current);
    let on_consent = current.clone().filter(|purpose| purpose.basis == LegalBasis::Consent).count();
    let main = html! {
        div.head {
            h1 { (words.with("purposes-sentence", [("count", current.count().into()), ("consent", on_consent.into())])) }
            p."sm quiet" { (words.say("purposes-what")) }
        }
        (purposes(words, &config))
        @if may(signed, Action::ReadNotices).is_ok() { (notices(words, &config)) }
    };
    frame::staff(
        &visit,
        Staff { area: Area::Purposes, title: &visit.say("area-purposes"), crumbs: &[] },
        &main,
    )
    .await
}

fn purposes(words: &Words, config: &TenantConfig) -> Markup {
    let heads = [
        Column::words(words.say("col-purpose")),
        Column::words(words.say("col-basis")),
        Column::words(words.say("col-fields")),
        Column::words(words.say("col-roles")),
        Column::words(words.say("col-state")),
    ];
    let row = |purpose: &Purpose| {
        let fields = field_names(config, &purpose.fields);
        let roles: Vec<String> = purpose.roles.iter().map(|role| words.say(role_word(*role))).collect();
        vec![
            html! { (link(&format!("/console/purposes/{}", purpose.name), &purpose.title)) },
            html! { (words.say(basis_word(purpose.basis))) },
            html! { span.sm { (fields.join(", ")) } },
            html! { span.sm { (roles.join(", ")) } },
            state(words, purpose),
        ]
    };
    html! {
        section."card flush" aria-labelledby="purposes" {
            div.pad { h2 #purposes { (words.say("purposes-title")) } }
            @if config.purposes.is_empty() { (empty(Icon::Purpose, &words.say("purposes-none"), None)) }
            @else { (table(&words.say("purposes-title"), &heads, &config.purposes.iter().map(row).collect::<Vec<_>>())) }
        }
    }
}

fn notices(words: &Words, config: &TenantConfig) -> Markup {
    let heads = [
        Column::words(words.say("col-notice")),
        Column::words(words.say("col-languages")),
        Column::number(words.say("col-versions")),
    ];
    let row = |notice: &Notice| {
        let texts = notice.versions.last().map(|version| version.texts.as_slice()).unwrap_or_default();
        let languages: Vec<&str> = texts.iter().map(|text| text.language.as_str()).collect();
        vec![
            html! { (link(&format!("/console/notices/{}", notice.id), &notice.name)) },
            html! { (languages.join(", ")) },
            html! { (words.number(notice.versions.len() as u64)) },
        ]
    };
    html! {
        section."card flush" aria-labelledby="notices" {
            div.pad { h2 #notices { (words.say("notices-title")) } }
            @if config.notices.is_empty() { (empty(Icon::Consent, &words.say("notices-none"), None)) }
            @else { (table(&words.say("notices-title"), &heads, &config.notices.iter().map(row).collect::<Vec<_>>())) }
        }
    }
}

/// One purpose.
pub(crate) async fn purpose(visit: Visit, Path(name): Path<String>) -> Result<Response, Failed> {
    let signed = visit.staff(Area::Purposes)?;
    let config = configuration(&visit, signed)?;
    let purpose = config.purpose(&name).ok_or_else(|| not_found(&visit))?;
    let words = visit.words();
    let recipients: Vec<&str> = purpose.recipients.iter().map(|id| config.recipient_title(*id)).collect();
    let roles: Vec<String> = purpose.roles.iter().map(|role| words.say(role_word(*role))).collect();
    let listed = |names: Vec<String>| if names.is_empty() { "–".to_owned() } else { names.join(", ") };
    let yes_no = |yes: bool| words.say(if yes { "yes" } else { "no" });
    let mut rows = vec![
        (words.say("col-state"), state(words, purpose)),
        (words.say("col-basis"), html! { (words.say(basis_word(purpose.basis))) }),
    ];
    if let Some(special) = purpose.special_basis {
        rows.push((words.say("col-special"), html! { (words.say(special_word(special))) }));
    }
    rows.extend([
        (words.say("purpose-clear"), html! { (listed(field_names(&config, &purpose.fields))) }),
        (words.say("purpose-masked"), html! { (listed(field_names(&config, &purpose.masked))) }),
        (words.say("col-recipient"), html! { (recipients.join(", ")) }),
        (words.say("col-roles"), html! { (listed(roles)) }),
        (words.say("purpose-marketing"), html! { (yes_no(purpose.marketing)) }),
        (words.say("purpose-survives"), html! { (yes_no(purpose.survives_restriction)) }),
        (words.say("purpose-name"), html! { code { (purpose.name) } }),
    ]);
    let rests = if purpose.basis == LegalBasis::Consent { "purpose-on-consent" } else { "purpose-on-law" };
    let main = html! {
        div.head {
            h1 { (purpose.title) }
            p.quiet { (words.say(rests)) }
        }
        section."card read" aria-label=(purpose.title) { (kv(&rows)) }
    };
    let crumbs = [(purpose.title.clone(), None)];
    frame::staff(&visit, Staff { area: Area::Purposes, title: &purpose.title, crumbs: &crumbs }, &main).await
}

/// One notice, in all its languages, as it is shown.
pub(crate) async fn notice(visit: Visit, Path(id): Path<String>) -> Result<Response, Failed> {
    let signed = visit.staff(Area::Purposes)?;
    let config = signed.vault.configuration(&signed.ctx, signed.tenant, Action::ReadNotices);
    let config = config.map_err(|error| visit.explain(error))?;
    let notice = id.parse().ok().and_then(|id| config.notice(id)).ok_or_else(|| not_found(&visit))?;
    let words = visit.words();
    let latest = notice.versions.last().map(|version| version.texts.as_slice()).unwrap_or_default();
    let main = html! {
        div.head {
            h1 { (words.with("notice-sentence", [("name", notice.name.as_str().into())])) }
            p."sm quiet" { (words.with("notice-version", [("version", notice.versions.len().into())])) " " code { (notice.id) } }
        }
        div.stack6 { @for text in latest {
            article."paper stack read" lang=(text.language) {
                h2 { (words.find(&format!("language-{}", text.language)).unwrap_or_else(|| text.language.clone())) }
                p.own-words { (text.text) }
            }
        } }
    };
    let crumbs = [(notice.name.clone(), None)];
    frame::staff(&visit, Staff { area: Area::Purposes, title: &notice.name, crumbs: &crumbs }, &main).await
}
