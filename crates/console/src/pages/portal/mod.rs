//! `GET /my`: the person's own pages. Who asks, who read what, what is held, consents, the copy to take along, erasure.
//!
//! Each page belongs to the session of one person and reads by her own right, which is recorded like every other read. What
//! changes something is one press of a button in a form; yes and no have doors of one size.

pub(crate) mod asks;
pub(crate) mod consents;
pub(crate) mod erase;
pub(crate) mod held;
pub(crate) mod reads;

use super::visit::{Failed, Signed, Visit};
use crate::ui::frame::{self, Portal};
use crate::ui::language::Words;
use axum::response::Response;
use maud::Markup;
use model::decision::Action;
use std::sync::Arc;
use vault::TenantConfig;

/// A page of the portal.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Tab {
    Asks,
    Reads,
    Held,
    Consents,
    Take,
    Erase,
}

impl Tab {
    const ALL: [Self; 6] = [Self::Asks, Self::Reads, Self::Held, Self::Consents, Self::Take, Self::Erase];

    pub(super) fn path(self) -> &'static str {
        match self {
            Self::Asks => "/my",
            Self::Reads => "/my/reads",
            Self::Held => "/my/data",
            Self::Consents => "/my/consents",
            Self::Take => "/my/copy",
            Self::Erase => "/my/erase",
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Asks => "my-asks",
            Self::Reads => "my-reads",
            Self::Held => "my-data",
            Self::Consents => "my-consents",
            Self::Take => "my-copy",
            Self::Erase => "my-erase",
        }
    }
}

/// A page in the portal's frame.
pub(super) fn page(visit: &Visit, here: Tab, main: &Markup) -> Response {
    let tabs: Vec<frame::Tab<'_>> =
        Tab::ALL.into_iter().map(|tab| (tab.path(), visit.say(tab.word()), tab == here)).collect();
    let title = visit.say(here.word());
    frame::person(visit, &Portal { title: &title, tabs: &tabs, full: true }, main)
}

/// What the tenant declares, as far as it concerns the person's own pages.
pub(super) fn configuration(visit: &Visit, signed: &Signed) -> Result<Arc<TenantConfig>, Failed> {
    let config = signed.vault.configuration(&signed.ctx, signed.tenant, Action::ListConsents);
    config.map_err(|error| visit.explain(error))
}

/// How a field is called towards people: in words of ours where we know them, else by its name.
pub(super) fn field_word(words: &Words, name: &str) -> String {
    words.find(&format!("field-{name}")).unwrap_or_else(|| name.replace(['_', '-'], "\u{a0}"))
}

/// How a purpose is called.
pub(super) fn purpose_title(config: &TenantConfig, name: &str) -> String {
    config.purpose(name).map_or_else(|| name.to_owned(), |purpose| purpose.title.clone())
}
