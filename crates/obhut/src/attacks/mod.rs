//! What the shield saw, on its way from the gateway to those who look at it; and the exclusions that they make.

pub(crate) mod exclusions;
mod view;

pub(crate) use view::{InForce, View};

use gateway::config::ShieldMode;
use gateway::events::{RuleSeen, ShieldEvent, Side};
use model::{Clock, Timestamp};
use std::path::Path;
use std::sync::Arc;
use watch::attacks::{self, Attack, Attacks, Mode, Rule};

use crate::system::Problem;

/// Where events are kept, in the data folder.
const FOLDER: &str = "attacks";

/// Opens the store of events in the data folder.
pub(crate) fn open(data: &Path, clock: Arc<dyn Clock>) -> Result<Arc<Attacks>, Problem> {
    let folder = data.join(FOLDER);
    let opened = Attacks::open(&folder, clock).map_err(|error| {
        Problem::with_help(
            format!("events of the shield cannot be kept in {}: {error}", folder.display()),
            "look at the folder and its owner; what lies in it may be moved away",
        )
    });
    Ok(Arc::new(opened?))
}

/// An event as it is kept.
pub(crate) fn attack(event: ShieldEvent, at: Timestamp) -> Attack {
    Attack {
        reference: event.reference.into(),
        at,
        route: event.route,
        method: event.method.as_str().into(),
        mode: if event.mode == ShieldMode::Detect { Mode::Detect } else { Mode::Block },
        refused: event.refused,
        status: event.status,
        side: match event.side {
            Side::Request => attacks::Side::Request,
            Side::Answer => attacks::Side::Answer,
        },
        rules: event.rules.into_iter().map(rule).collect(),
        by: event.by,
        score: event.score,
        refusal: event.refusal.map(Into::into),
    }
}

fn rule(seen: RuleSeen) -> Rule {
    Rule {
        id: seen.id,
        severity: seen.severity,
        message: seen.message,
        tags: seen.tags,
        target: seen.target.map(Into::into),
    }
}
