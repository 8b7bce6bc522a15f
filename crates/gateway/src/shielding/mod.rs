//! The shield as a stage: a request is inspected before anything of it goes to the app, and the app's answer before anything of
//! it goes to the client. The rules themselves are crate `shield`'s; here stands what is asked of them, and when.
//!
//! [`mod@request`] is the way in, [`mod@answer`] the way out, [`mod@windows`] what of an answer comes later. An [`Inspection`] goes
//! with a request from the one to the other; when it ends, it tells what was seen.

mod answer;
mod asked;
mod inspection;
mod names;
mod refused;
mod request;
mod windows;
mod work;

use crate::config::{BodyOver, ExcludeTable, RouteTable, ShieldMode, ShieldTable};
use crate::rules::Route;
use crate::setup::SetupError;
pub(crate) use answer::{Looked, head, look};
pub(crate) use inspection::{Inspection, Slot};
pub(crate) use names::Learned;
pub(crate) use refused::Closed;
pub(crate) use request::{Passed, request};
use shield::{Engine, Excluded, Exclusion, Overlay};
use std::collections::HashMap;
use std::sync::Arc;
pub(crate) use windows::{WINDOW, Windows};
pub(crate) use work::Room;

/// What of a configuration is the shield's.
pub(crate) struct Shield {
    pub(crate) mode: ShieldMode,
    /// None until they are there: where they are needed, nothing passes without them.
    pub(crate) rules: Option<Arc<Rules>>,
    pub(crate) body_limit: usize,
    pub(crate) body_over: BodyOver,
    pub(crate) response: bool,
    pub(crate) response_limit: usize,
}

/// Rules, and what is excluded from them.
pub(crate) struct Rules {
    pub(crate) engine: Arc<Engine>,
    said: HashMap<u64, Said>,
    /// Words of the configuration, of which names may be made that are told.
    names: names::Own,
    everywhere: Option<Arc<Overlay>>,
    of_routes: HashMap<Arc<str>, Arc<Overlay>>,
}

/// What a rule says about itself.
pub(crate) struct Said {
    pub(crate) tags: Arc<[Box<str>]>,
    pub(crate) message: Arc<str>,
}

impl Shield {
    pub(crate) fn build(table: &ShieldTable) -> Self {
        Self {
            mode: table.mode,
            rules: None,
            body_limit: table.body_limit,
            body_over: table.body_over,
            response: table.response,
            response_limit: table.response_limit,
        }
    }

    /// What is done on a route.
    pub(crate) fn mode_of(&self, route: Option<&Route>) -> ShieldMode {
        route.and_then(|route| route.shield).unwrap_or(self.mode)
    }
}

/// Whether rules are needed at all.
pub(crate) fn is_needed(table: &ShieldTable, routes: &[RouteTable]) -> bool {
    let is_on = |mode: ShieldMode| mode != ShieldMode::Off;
    is_on(table.mode) || routes.iter().filter_map(|route| route.shield).any(is_on)
}

impl Rules {
    pub(crate) fn build<'a>(
        engine: Arc<Engine>,
        exclusions: &[ExcludeTable],
        routes: impl Iterator<Item = &'a Route>,
    ) -> Result<Self, SetupError> {
        let mut read = Vec::with_capacity(exclusions.len());
        for row in exclusions {
            let refused = |why: String| SetupError::Exclusion(row.rules.clone(), why);
            let exclusion = row.exclusion().map_err(|why| refused(why.to_owned()))?;
            Overlay::new(&engine, std::slice::from_ref(&exclusion))
                .map_err(|(_, reason)| refused(reason.to_string()))?;
            read.push((row, exclusion));
        }
        let overlay = |fits: &dyn Fn(&ExcludeTable) -> bool| {
            let chosen: Vec<Exclusion> =
                read.iter().filter(|(row, _)| fits(row)).map(|(_, one)| one.clone()).collect();
            // Each of them was tried alone.
            Overlay::new(&engine, &chosen).ok().filter(|_| !chosen.is_empty()).map(Arc::new)
        };
        let everywhere = overlay(&|row| row.routes.is_empty());
        let (mut of_routes, mut names) = (HashMap::new(), Vec::new());
        let routes: Vec<&Route> = routes.collect();
        let targets = exclusions.iter().filter_map(|row| row.target.as_deref());
        let own = names::Own::of(routes.iter().copied(), targets);
        for route in routes {
            let names_it = |row: &ExcludeTable| row.routes.iter().any(|name| **name == *route.name);
            names.push(route.name.clone());
            if read.iter().any(|(row, _)| names_it(row))
                && let Some(overlay) = overlay(&|row| row.routes.is_empty() || names_it(row))
            {
                of_routes.insert(route.name.clone(), overlay);
            }
        }
        let named = exclusions.iter().flat_map(|row| row.routes.iter().map(move |name| (row, name)));
        for (row, name) in named {
            if !names.iter().any(|known| **known == **name) {
                let why = format!("there is no [[route]] `{name}`");
                return Err(SetupError::Exclusion(row.rules.clone(), why));
            }
        }
        let said = engine
            .described()
            .map(|rule| (rule.id, Said { tags: rule.tags.into(), message: rule.message.into() }))
            .collect();
        Ok(Self { engine, said, names: own, everywhere, of_routes })
    }

    fn overlay(&self, route: Option<&Route>) -> Option<Arc<Overlay>> {
        route.and_then(|route| self.of_routes.get(&route.name)).or(self.everywhere.as_ref()).cloned()
    }
}

impl ExcludeTable {
    /// As the engine takes it.
    ///
    /// # Errors
    /// What `rules` should be like.
    pub fn exclusion(&self) -> Result<Exclusion, &'static str> {
        const FORM: &str = "`rules` is not like 942100, 942100-942199 or tag:attack-sqli";
        let number = |text: &str| -> Result<u64, &'static str> {
            let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            text.parse().ok().filter(|_| digits).ok_or(FORM)
        };
        let rules = match (self.rules.strip_prefix("tag:"), self.rules.split_once('-')) {
            (Some(""), _) => return Err(FORM),
            (Some(tag), _) => Excluded::Tag(tag.to_owned()),
            (None, Some((from, to))) => {
                let range = number(from)?..=number(to)?;
                if range.is_empty() {
                    return Err("the range of `rules` ends before it begins");
                }
                Excluded::Ids(range)
            }
            (None, None) => {
                let id = number(&self.rules)?;
                Excluded::Ids(id..=id)
            }
        };
        Ok(Exclusion { rules, target: self.target.clone() })
    }
}

#[cfg(test)]
mod tests;
