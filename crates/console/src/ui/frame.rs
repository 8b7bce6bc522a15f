//! The frames around pages: staff (rail and page), person (tabs and page), bare (problems), door (sign-in); and the headers
//! that every page carries.

use super::icons::{Icon, icon, mark, rings};
use super::language::Languages;
use super::parts::{Standing, Tone, note, prose, stamp};
use crate::pages::visit::{Failed, Signed, Theme, Visit, not_found};
use crate::problem::Problem;
use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, REFERRER_POLICY, X_FRAME_OPTIONS,
};
use http::{HeaderValue, StatusCode};
use maud::{DOCTYPE, Markup, html};
use model::Timestamp;
use model::decision::{Action, Reason, allowed};
use model::principal::Role;
use vault::Vault;
use vault::sight::SightError;
use zeroize::Zeroizing;

/// Nothing is loaded from elsewhere, nothing runs that stands in a page, nobody frames us, forms go to us alone.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; font-src 'self'; img-src 'self'; \
    connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// htmx without eval, without styles of its own, without a copy of pages in the browser's store, and for this host alone.
const HTMX: &str = r#"{"allowEval":false,"includeIndicatorStyles":false,"allowScriptTags":false,"selfRequestsOnly":true,"historyCacheSize":0,"refreshOnHistoryMiss":true,"historyEnabled":true}"#;

/// An area of the console.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Area {
    /// How things stand.
    Overview,
    /// Find a person, read with a purpose, see who did.
    People,
    /// Consents of a person.
    Consents,
    /// Why data may be read, and what persons are told.
    Purposes,
    /// The gateway.
    Gateway,
    /// What the shield saw, and its exclusions.
    Attacks,
    /// The ledger.
    Ledger,
    /// Keys, links, epochs, networks.
    Settings,
}

impl Area {
    /// Its path.
    pub(crate) fn path(self) -> &'static str {
        match self {
            Self::Overview => "/console",
            Self::People => "/console/people",
            Self::Consents => "/console/consents",
            Self::Purposes => "/console/purposes",
            Self::Gateway => "/console/gateway",
            Self::Attacks => "/console/attacks",
            Self::Ledger => "/console/ledger",
            Self::Settings => "/console/settings",
        }
    }

    /// The name of its word.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Overview => "area-overview",
            Self::People => "area-people",
            Self::Consents => "area-consents",
            Self::Purposes => "area-purposes",
            Self::Gateway => "area-gateway",
            Self::Attacks => "area-attacks",
            Self::Ledger => "area-ledger",
            Self::Settings => "area-settings",
        }
    }

    fn icon(self) -> Icon {
        match self {
            Self::Overview => Icon::Overview,
            Self::People => Icon::People,
            Self::Consents => Icon::Consent,
            Self::Purposes => Icon::Purpose,
            Self::Gateway => Icon::Gate,
            Self::Attacks => Icon::Shield,
            Self::Ledger => Icon::Ledger,
            Self::Settings => Icon::Settings,
        }
    }

    /// The action that opens it; whoever may do it sees it in the rail, and nobody else.
    fn action(self) -> Action {
        match self {
            Self::Overview | Self::Purposes => Action::ReadPurposes,
            Self::People => Action::Find,
            Self::Consents => Action::ListConsents,
            Self::Gateway | Self::Ledger | Self::Settings => Action::ReadLedger,
            Self::Attacks => Action::ReadAttacks,
        }
    }
}

/// Whether the role table lets this visitor do it in this house.
pub(crate) fn may(signed: &Signed, action: Action) -> Result<(), Reason> {
    let state = signed.vault.tenant_state(signed.tenant);
    allowed(&signed.ctx.actor.principal, action, signed.tenant, None, state)
}

impl Visit {
    /// The session of a member of staff who may open this area.
    pub(crate) fn staff(&self, area: Area) -> Result<&Signed, Failed> {
        let signed = self.signed()?;
        if signed.role() == Role::Person {
            return Err(self.explain(SightError::Denied(Reason::RoleMayNot)));
        }
        may(signed, area.action()).map_err(|reason| self.explain(SightError::Denied(reason)))?;
        Ok(signed)
    }

    /// The session of a person, with the person.
    pub(crate) fn person(&self) -> Result<(&Signed, model::PersonId), Failed> {
        let signed = self.signed()?;
        let subject = signed.ctx.actor.principal.subject.filter(|_| signed.role() == Role::Person);
        subject.map(|person| (signed, person)).ok_or_else(|| not_found(self))
    }
}

/// What the ledger says of itself, checked for this page.
#[derive(Clone, Debug)]
pub(crate) struct LedgerState {
    /// Whether it holds.
    pub(crate) standing: Standing,
    /// When that was checked.
    pub(crate) at: Timestamp,
    /// Durable entries.
    pub(crate) durable: u64,
    /// Entries under the signed checkpoint.
    pub(crate) provable: u64,
    /// The root hash of the signed checkpoint, in hex.
    pub(crate) root: String,
    /// When the checkpoint was signed, as the signature itself says.
    pub(crate) signed: Option<Timestamp>,
    /// Signatures of others under the checkpoint.
    pub(crate) witnesses: usize,
    /// Why it does not hold, as a name of a text.
    pub(crate) why: Option<&'static str>,
}

/// Checks the ledger: that it can be written, and that the tree as it lies on the disk has the root that was signed.
pub(crate) async fn ledger_state(vault: &Vault) -> Result<LedgerState, Problem> {
    let vault = vault.clone();
    let looked = tokio::task::spawn_blocking(move || look(&vault));
    looked.await.map_err(|_| crate::problem::INTERNAL)?
}

fn look(vault: &Vault) -> Result<LedgerState, Problem> {
    use crate::problem::Explain;
    let at = vault.now().map_err(|fault| fault.explain(Role::App))?;
    let ledger = vault.ledger();
    let (status, head) = (ledger.status(), ledger.signed_head());
    let holds = head.as_ref().is_some_and(|head| ledger.root(head.size).is_ok_and(|root| root == head.root));
    let note =
        ledger.checkpoint().map(|note| String::from_utf8_lossy(&note).into_owned()).unwrap_or_default();
    let signed = signed_at(&note, ledger.origin());
    let why = if status.damaged.is_some() {
        Some("ledger-damaged")
    } else if status.unavailable {
        Some("ledger-unavailable")
    } else if head.is_some() && !holds {
        Some("ledger-differs")
    } else if status.stalled {
        Some("ledger-stalled")
    } else if head.is_none() {
        Some("ledger-unsigned")
    } else if signed.is_some_and(|signed| at.0 - signed.0 > STALE_MS) {
        Some("ledger-old")
    } else {
        None
    };
    let standing = match why {
        None => Standing::Verified,
        Some("ledger-stalled" | "ledger-unsigned" | "ledger-old") => Standing::Stale,
        Some(_) => Standing::Broken,
    };
    Ok(LedgerState {
        standing,
        at,
        durable: status.durable,
        provable: status.checkpointed,
        root: head.map_or_else(String::new, |head| data_encoding::HEXLOWER.encode(&head.root)),
        signed,
        witnesses: others(&note, ledger.origin()),
        why,
    })
}

/// After so long without a fresh signature a checkpoint is stale, in milliseconds; the ledger signs each minute.
const STALE_MS: i64 = 5 * 60_000;

/// When the house itself signed, from its timestamped cosignature (C2SP tlog-cosignature: key id, seconds, signature).
fn signed_at(note: &str, own: &str) -> Option<Timestamp> {
    let signed = note.lines().filter_map(|line| line.strip_prefix("\u{2014} ")?.split_once(' '));
    let texts = signed.filter(|(name, _)| *name == own).map(|(_, text)| text);
    texts.filter_map(|text| data_encoding::BASE64.decode(text.as_bytes()).ok()).find_map(|bytes| {
        let seconds = bytes.get(4..12).filter(|_| bytes.len() == 4 + 8 + 64)?;
        let seconds = u64::from_be_bytes(seconds.try_into().ok()?);
        Some(Timestamp(i64::try_from(seconds).ok()?.checked_mul(1_000)?))
    })
}

/// How many names besides the house's own stand under a checkpoint (C2SP signed-note).
fn others(note: &str, own: &str) -> usize {
    let signed = note.lines().filter_map(|line| line.strip_prefix("\u{2014} ")?.split(' ').next());
    signed.filter(|name| *name != own).collect::<std::collections::BTreeSet<_>>().len()
}

/// The stamp of the ledger, which leads to its page, or where a person can check it.
pub(crate) fn ledger_stamp(visit: &Visit, state: &LedgerState, to: &str) -> Markup {
    let words = visit.words();
    let head = match state.standing {
        Standing::Verified => "ledger-whole",
        Standing::Stale => "ledger-stale",
        Standing::Broken => "ledger-broken",
    };
    let below = html! {
        (words.say("verified-at")) " " time datetime=(state.at.rfc3339()) { (words.clock_exact(state.at)) " UTC" }
    };
    stamp(state.standing, to, &words.say(head), &below)
}

/// A page of the console.
pub(crate) struct Staff<'a> {
    /// Where it is.
    pub(crate) area: Area,
    /// Its title in the browser.
    pub(crate) title: &'a str,
    /// What lies between the area and this page, and the page itself, as words; only the page's own is no link.
    pub(crate) crumbs: &'a [(String, Option<String>)],
}

/// The frame of the console.
pub(crate) async fn staff(visit: &Visit, page: Staff<'_>, main: &Markup) -> Result<Response, Failed> {
    let signed = visit.signed()?;
    let state = ledger_state(&signed.vault).await.map_err(|problem| visit.fail(problem))?;
    let tenant = signed.vault.tenant_name(signed.tenant).unwrap_or_default();
    let role = visit.say(role_word(signed.role()));
    let body = html! {
        div.console {
            header.top {
                a.logo href="/console" { (mark()) "Obhut" }
                (crumbs(visit, &page))
                span."end xs quiet nb wide-only" { (tenant) }
                (account(visit, &role))
                button."btn small burger" type="button" popovertarget="nav" { (icon(Icon::Menu)) (visit.say("menu")) }
            }
            (rail(visit, signed, page.area, &state))
            main.main #main tabindex="-1" { (announce(visit)) (broken(visit, &state)) (main) }
        }
    };
    Ok(document(visit, StatusCode::OK, page.title, "", &body))
}

fn crumbs(visit: &Visit, page: &Staff<'_>) -> Markup {
    let area = visit.say(page.area.word());
    html! {
        nav aria-label=(visit.say("you-are-here")) { ol.crumbs {
            @if page.crumbs.is_empty() { li { span aria-current="page" { (area) } } }
            @else { li { a href=(page.area.path()) { (area) } } }
            @for (word, to) in page.crumbs { li {
                @if let Some(to) = to { a href=(to) { (word) } } @else { span aria-current="page" { (word) } }
            } }
        } }
    }
}

fn rail(visit: &Visit, signed: &Signed, here: Area, state: &LedgerState) -> Markup {
    let group = |name: Option<&str>, areas: &[Area]| {
        let open: Vec<Area> =
            areas.iter().copied().filter(|area| may(signed, area.action()).is_ok()).collect();
        html! {
            @if !open.is_empty() {
                div {
                    @if let Some(name) = name { h2 { (visit.say(name)) } }
                    ul { @for area in open { li {
                        a href=(area.path()) aria-current=[(area == here).then_some("page")] {
                            (icon(area.icon())) (visit.say(area.word()))
                        }
                    } } }
                }
            }
        }
    };
    let to = if may(signed, Area::Ledger.action()).is_ok() { Area::Ledger } else { Area::Overview };
    html! {
        nav.nav #nav popover="auto" aria-label=(visit.say("main-areas")) {
            a.logo href="/console" { (mark()) "Obhut" }
            (group(None, &[Area::Overview]))
            (group(Some("group-data"), &[Area::People, Area::Consents, Area::Purposes]))
            (group(Some("group-defence"), &[Area::Gateway, Area::Attacks]))
            (group(Some("group-proof"), &[Area::Ledger]))
            (group(None, &[Area::Settings]))
            (ledger_stamp(visit, state, to.path()))
        }
    }
}

/// What was done before, once, at the top of the page.
fn announce(visit: &Visit) -> Markup {
    html! { @if let Some(done) = visit.done() { (note(Tone::Ink, Icon::Check, &html! { p { (done) } })) } }
}

/// A broken ledger is the first thing that one sees.
fn broken(visit: &Visit, state: &LedgerState) -> Markup {
    html! {
        @if let (Standing::Broken, Some(why)) = (state.standing, state.why) {
            (note(Tone::Stop, Icon::Alert, &html! { p { (prose(&visit.say(why))) } }))
        }
    }
}

/// Who one is here, language, colours, the way out.
fn account(visit: &Visit, name: &str) -> Markup {
    html! {
        details."menu end-s" {
            summary."btn plain small" {
                (icon(Icon::User)) span.vh { (visit.say("account")) ": " (name) } span.wide-only aria-hidden="true" { (name) }
            }
            div.stack {
                (preferences(visit))
                (sign_out(visit))
            }
        }
    }
}

/// The button that ends the session.
fn sign_out(visit: &Visit) -> Markup {
    visit.form(
        "/sign-out",
        "",
        &super::parts::button(super::parts::Act::Normal, Some(Icon::Out), &visit.say("sign-out")),
    )
}

/// Language and colours, as forms.
fn preferences(visit: &Visit) -> Markup {
    let back = html! { input type="hidden" name="back" value=(visit.here().unwrap_or("/")); };
    let languages = html! {
        (back)
        div.group role="group" aria-label=(visit.say("language")) {
            @for code in Languages::codes() {
                button."btn small" name="language" value=(code) lang=(code)
                    aria-pressed=((code == visit.words().code()).to_string()) { (visit.say(&format!("language-{code}"))) }
            }
        }
    };
    let themes = html! {
        (back)
        div.group role="group" aria-label=(visit.say("theme")) {
            @for theme in Theme::ALL {
                button."btn small" name="theme" value=(theme.word()) aria-pressed=((theme == visit.theme()).to_string()) {
                    (visit.say(&format!("theme-{}", theme.word())))
                }
            }
        }
    };
    html! { (visit.form("/prefer/language", "", &languages)) (visit.form("/prefer/theme", "", &themes)) }
}

/// A tab of the person's pages: where it leads, its word, whether it is this page.
pub(crate) type Tab<'a> = (&'a str, String, bool);

/// A page of a person.
pub(crate) struct Portal<'a> {
    /// Its title in the browser.
    pub(crate) title: &'a str,
    /// The tabs, at most seven.
    pub(crate) tabs: &'a [Tab<'a>],
    /// Whether the main column may be as wide as the page.
    pub(crate) full: bool,
}

/// The frame of the person's pages.
pub(crate) fn person(visit: &Visit, page: &Portal<'_>, main: &Markup) -> Response {
    let tenant =
        visit.session().and_then(|signed| signed.vault.tenant_name(signed.tenant)).unwrap_or_default();
    let body = html! {
        div.page {
            header {
                div."row between top-p" {
                    span.row {
                        a.logo href="/my" { (mark()) "Obhut" }
                        span."sm quiet" { (visit.words().with("portal-of", [("tenant", tenant.into())])) }
                    }
                    (account(visit, &visit.say("account")))
                }
                nav.tabs aria-label=(visit.say("main-areas")) {
                    @for (to, word, here) in page.tabs { a href=(to) aria-current=[here.then_some("page")] { (word) } }
                }
            }
            main class={"main" @if page.full { " full" }} #main tabindex="-1" { (announce(visit)) (main) }
            footer.foot { (visit.say("portal-foot")) }
        }
    };
    document(visit, StatusCode::OK, page.title, "portal", &body)
}

/// The frame of a problem: no navigation that could mislead.
pub(crate) fn bare(visit: &Visit, status: StatusCode, title: &str, main: &Markup) -> Response {
    let body = html! {
        div.page {
            header."row between top-p" {
                a.logo href="/" { (mark()) "Obhut" }
                div.row { (preferences(visit)) }
            }
            main.main #main tabindex="-1" { (main) }
        }
    };
    document(visit, status, title, "portal", &body)
}

/// The door: what is recorded on the one side, how one gets in on the other.
pub(crate) fn door(visit: &Visit, status: StatusCode, title: &str, main: &Markup) -> Response {
    let body = html! {
        div.doorway {
            header.pic {
                p { a.logo href="/sign-in" { (mark()) "Obhut" } }
                div.stack {
                    p.say { (visit.say("door-say")) }
                    p."quiet narrow" { (visit.say("door-recorded")) }
                }
                div."narrow row" { (preferences(visit)) }
                (rings())
            }
            main #main tabindex="-1" { (main) }
        }
    };
    document(visit, status, title, "", &body)
}

/// The name of a role's word.
pub(crate) fn role_word(role: Role) -> &'static str {
    match role {
        Role::App => "role-app",
        Role::Operations => "role-operations",
        Role::CaseManager => "role-case-manager",
        Role::PrivacyOfficer => "role-privacy-officer",
        Role::Security => "role-security",
        Role::Auditor => "role-auditor",
        Role::Admin => "role-admin",
        Role::Person => "role-person",
        Role::System => "role-system",
    }
}

fn document(visit: &Visit, status: StatusCode, title: &str, class: &str, body: &Markup) -> Response {
    let edition = visit.console().edition();
    let theme = match visit.theme() {
        Theme::System => None,
        chosen => Some(chosen.word()),
    };
    let page = html! {
        (DOCTYPE)
        html lang=(visit.words().code()) class=[theme] {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="htmx-config" content=(HTMX);
                title { (title) " · Obhut" }
                link rel="icon" href={"/static/" (edition) "/obhut.svg"} type="image/svg+xml";
                link rel="stylesheet" href={"/static/" (edition) "/obhut.css"};
                script src={"/static/" (edition) "/htmx.js"} defer {}
            }
            body class=(class) {
                a.skip href="#main" { (visit.say("skip")) }
                (body)
            }
        }
    };
    respond(status, page)
}

/// A page with its headers. What it holds is wiped once it was written out.
fn respond(status: StatusCode, page: Markup) -> Response {
    let bytes = Zeroizing::new(page.into_string().into_bytes());
    let mut response = Response::new(Body::from(Bytes::from_owner(bytes)));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    for (name, value) in [
        (CONTENT_TYPE, "text/html; charset=utf-8"),
        (CACHE_CONTROL, "private, no-store"),
        (CONTENT_SECURITY_POLICY, POLICY),
        // Not `no-referrer`, with which Chromium would send forms with `Origin: null`.
        (REFERRER_POLICY, "same-origin"),
        (X_FRAME_OPTIONS, "DENY"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        (
            HeaderName::from_static("permissions-policy"),
            "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
        ),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_house_is_no_witness_of_itself() {
        let note = "a/log\n3\nroot\n\n\u{2014} a/log AAAA\n\u{2014} a/log BBBB\n";
        assert_eq!(others(note, "a/log"), 0);
        assert_eq!(others(&format!("{note}\u{2014} w1 CC\n\u{2014} w2 DD\n\u{2014} w2 EE\n"), "a/log"), 2);
        assert_eq!(others("", "a/log"), 0);
    }

    #[test]
    fn a_checkpoint_says_itself_when_it_was_signed() {
        let line =
            |name: &str, bytes: &[u8]| format!("\u{2014} {name} {}\n", data_encoding::BASE64.encode(bytes));
        let mut timed = [0_u8; 76];
        timed[4..12].copy_from_slice(&1_795_435_200_u64.to_be_bytes());
        let note =
            |name: &str| format!("a/log\n3\nroot\n\n{}{}", line("a/log", &[1; 68]), line(name, &timed));
        assert_eq!(signed_at(&note("a/log"), "a/log"), Some(Timestamp(1_795_435_200_000)));
        assert_eq!(signed_at(&note("witness"), "a/log"), None, "of another it is another's word");
        timed[4..12].fill(0xff);
        assert_eq!(signed_at(&line("a/log", &timed), "a/log"), None);
        assert_eq!(signed_at("", "a/log"), None);
    }
}
