//! What the settings of a rule set say, and `[shield]` says otherwise.

use super::files::Library;
use gateway::config::ShieldTable;
use serde::Serialize;
use shield::seclang::{Action, Assign, Directive, Variable, parse};

/// A setting that does not count, since `[shield]` says another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Overruled {
    /// Where it stands.
    pub(crate) place: String,
    /// The variable that it sets.
    pub(crate) variable: String,
    /// The value that it sets.
    pub(crate) said: String,
    /// The key of `[shield]` that counts.
    pub(crate) key: &'static str,
    /// Its value.
    pub(crate) holds: u32,
}

/// Looks for such settings in these files.
pub(super) fn overruled(table: &ShieldTable, files: &[String], library: &Library) -> Vec<Overruled> {
    let mut found = Vec::new();
    for file in files {
        let Some(text) = library.text(file) else { continue };
        for statement in parse(file, &text).0 {
            let Directive::Rule(rule) = &statement.directive else { continue };
            for action in &rule.actions {
                if let Some((variable, said)) = set(action)
                    && let Some((key, holds)) = held(table, &variable)
                    && said != holds.to_string()
                {
                    found.push(Overruled { place: statement.place.to_string(), variable, said, key, holds });
                }
            }
        }
    }
    found
}

/// The name and value of a variable that an action sets to a constant.
fn set(action: &Action) -> Option<(String, String)> {
    let Action::SetVar(set) = action else { return None };
    let Assign::Set(value) = &set.assign else { return None };
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let name = set.name.constant().filter(|_| set.collection == Variable::Tx)?;
    Some((text(name).to_ascii_lowercase(), text(value.constant()?)))
}

/// What `[shield]` says of a variable of the rules.
fn held(table: &ShieldTable, variable: &str) -> Option<(&'static str, u32)> {
    Some(match variable {
        "blocking_paranoia_level" | "paranoia_level" => ("paranoia", table.paranoia.into()),
        "detection_paranoia_level" | "executing_paranoia_level" => {
            ("detection_paranoia", table.detection_paranoia.into())
        }
        "inbound_anomaly_score_threshold" => ("inbound_threshold", table.inbound_threshold),
        "outbound_anomaly_score_threshold" => ("outbound_threshold", table.outbound_threshold),
        _ => return None,
    })
}
