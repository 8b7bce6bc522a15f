//! What `[shield]` says, in the language of the rules.

use gateway::config::{BodyOver, ShieldMode, ShieldTable};

/// Ids of the rules written here. Rule sets of others keep away from this range, which is for those of a server's own.
pub(super) const FIRST_ID: u64 = 99_900;

/// What [`load`](super::load) sets beside `[shield]`, for trials.
#[derive(Clone, Debug, Default)]
pub(crate) struct Extra {
    /// More `setvar` actions, such as `tx.arg_length=400`.
    pub(crate) variables: Vec<String>,
}

/// A setting of `[shield]` that cannot be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`shield.{key}` must be {must}")]
pub(crate) struct BadSetting {
    pub(crate) key: &'static str,
    pub(crate) must: &'static str,
}

/// Holds the settings against their limits.
pub(crate) fn check(table: &ShieldTable) -> Result<(), BadSetting> {
    let rules = [
        ((1..=4).contains(&table.paranoia), "paranoia", "a level from 1 to 4"),
        (
            (table.paranoia..=4).contains(&table.detection_paranoia),
            "detection_paranoia",
            "a level from `paranoia` to 4",
        ),
        (table.inbound_threshold > 0, "inbound_threshold", "1 or more"),
        (table.outbound_threshold > 0, "outbound_threshold", "1 or more"),
        (table.body_limit > 0, "body_limit", "1 byte or more"),
        (table.response_limit > 0, "response_limit", "1 byte or more"),
    ];
    let wrong = rules.into_iter().find(|(fits, ..)| !fits);
    wrong.map_or(Ok(()), |(_, key, must)| Err(BadSetting { key, must }))
}

/// Levels and thresholds, to stand after the settings of the rules and before the rules, which fill in what is left. The
/// third and the fourth version of CRS call the levels differently, and neither minds the other's names.
pub(super) fn levels(table: &ShieldTable, extra: &Extra) -> String {
    let (blocking, detection) = (table.paranoia, table.detection_paranoia);
    let mut all = vec![
        format!("tx.blocking_paranoia_level={blocking}"),
        format!("tx.detection_paranoia_level={detection}"),
        format!("tx.paranoia_level={blocking}"),
        format!("tx.executing_paranoia_level={detection}"),
        format!("tx.inbound_anomaly_score_threshold={}", table.inbound_threshold),
        format!("tx.outbound_anomaly_score_threshold={}", table.outbound_threshold),
    ];
    all.extend(extra.variables.iter().cloned());
    let all: String = all.iter().map(|one| format!(",\\\n    setvar:{one}")).collect();
    format!("SecAction \"id:{FIRST_ID},phase:1,pass,nolog,t:none{all}\"\n")
}

/// A body that cannot be taken apart was not inspected, so it is refused, before any rule that looks into it: what
/// ModSecurity recommends beside CRS (`modsecurity.conf-recommended`), and CRS relies on.
pub(super) fn bodies() -> String {
    let refused = |id: u64, target: &str, operator: &str, message: &str| {
        format!(
            "SecRule {target} \"{operator}\" \"id:{id},phase:2,deny,status:400,log,t:none,severity:CRITICAL,\\\n    \
             msg:'{message}',tag:attack-protocol\"\n"
        )
    };
    [
        refused(FIRST_ID + 1, "REQBODY_ERROR", "!@eq 0", "The body is not what it says it is"),
        refused(
            FIRST_ID + 2,
            "MULTIPART_STRICT_ERROR",
            "!@eq 0",
            "The parts of the body are not as they should be",
        ),
        refused(
            FIRST_ID + 3,
            "MULTIPART_UNMATCHED_BOUNDARY",
            "@eq 1",
            "A boundary in the body is not the one it names",
        ),
    ]
    .concat()
}

/// Mode and limits of the engine, to stand last: the last of these directives counts.
pub(super) fn engine(table: &ShieldTable) -> String {
    let mode = match table.mode {
        ShieldMode::Block => "On",
        ShieldMode::Detect => "DetectionOnly",
        ShieldMode::Off => "Off",
    };
    let over = match table.body_over {
        BodyOver::Refuse => "Reject",
        BodyOver::Partial => "ProcessPartial",
    };
    let response = if table.response { "On" } else { "Off" };
    format!(
        "SecRuleEngine {mode}\n\
         SecRequestBodyAccess On\n\
         SecRequestBodyLimit {}\n\
         SecRequestBodyLimitAction {over}\n\
         SecResponseBodyAccess {response}\n\
         SecResponseBodyLimit {}\n\
         SecResponseBodyLimitAction ProcessPartial\n\
         SecResponseBodyMimeType text/plain text/html text/xml application/json application/problem+json application/xml\n",
        table.body_limit, table.response_limit,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_out_of_their_limits_are_named() {
        let with = |change: &dyn Fn(&mut ShieldTable)| {
            let mut table = ShieldTable::default();
            change(&mut table);
            check(&table).err().map(|bad| bad.key)
        };
        assert_eq!(with(&|_| {}), None);
        assert_eq!(with(&|table| table.paranoia = 0), Some("paranoia"));
        assert_eq!(with(&|table| table.paranoia = 5), Some("paranoia"));
        assert_eq!(with(&|table| table.paranoia = 2), Some("detection_paranoia"));
        assert_eq!(with(&|table| table.detection_paranoia = 4), None);
        assert_eq!(with(&|table| table.detection_paranoia = 5), Some("detection_paranoia"));
        assert_eq!(with(&|table| table.inbound_threshold = 0), Some("inbound_threshold"));
        assert_eq!(with(&|table| table.outbound_threshold = 0), Some("outbound_threshold"));
        assert_eq!(with(&|table| table.body_limit = 0), Some("body_limit"));
        assert_eq!(with(&|table| table.response_limit = 0), Some("response_limit"));
    }
}
