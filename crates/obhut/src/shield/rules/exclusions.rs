//! `[[shield.exclude]]`: rows of the configuration as exclusions of the engine.

use gateway::config::ExcludeTable;
use shield::{Excluded, Exclusion};

/// A row that is not understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`rules = \"{rules}\"` in row {row} of the exclusions is neither an id, nor a range of ids such as \
     942100-942199, nor a tag such as tag:attack-sqli"
)]
pub(crate) struct BadExclusion {
    /// Which row, from 1.
    pub(crate) row: usize,
    /// What it says.
    pub(crate) rules: String,
}

/// Each row for each route that it names; for everywhere, without one.
pub(crate) fn exclusions<'a>(
    rows: impl IntoIterator<Item = &'a ExcludeTable>,
) -> Result<Vec<(Option<String>, Exclusion)>, BadExclusion> {
    let mut all = Vec::new();
    for (at, row) in rows.into_iter().enumerate() {
        let rules = excluded(&row.rules);
        let rules = rules.ok_or_else(|| BadExclusion { row: at + 1, rules: row.rules.clone() })?;
        let exclusion = Exclusion { rules, target: row.target.clone() };
        if row.routes.is_empty() {
            all.push((None, exclusion));
        } else {
            all.extend(row.routes.iter().map(|route| (Some(route.clone()), exclusion.clone())));
        }
    }
    Ok(all)
}

fn excluded(text: &str) -> Option<Excluded> {
    if let Some(tag) = text.strip_prefix("tag:") {
        let tag = tag.trim();
        return (!tag.is_empty()).then(|| Excluded::Tag(tag.to_owned()));
    }
    let number = |text: &str| text.trim().parse::<u64>().ok().filter(|id| *id > 0);
    let (from, to) = match text.split_once('-') {
        Some((from, to)) => (number(from)?, number(to)?),
        None => (number(text)?, number(text)?),
    };
    (from <= to).then_some(Excluded::Ids(from..=to))
}

/// The exclusion in a word, for overviews.
pub(crate) fn shown(exclusion: &Exclusion) -> String {
    let rules = match &exclusion.rules {
        Excluded::Ids(ids) if ids.start() == ids.end() => format!("rule {}", ids.start()),
        Excluded::Ids(ids) => format!("rules {} to {}", ids.start(), ids.end()),
        Excluded::Tag(tag) => format!("rules with the tag {tag}"),
    };
    match &exclusion.target {
        Some(target) => format!("{rules} at {target}"),
        None => rules,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(rules: &str, routes: &[&str]) -> ExcludeTable {
        let routes = routes.iter().map(|route| (*route).to_owned()).collect();
        ExcludeTable { rules: rules.into(), routes, ..ExcludeTable::default() }
    }

    #[test]
    fn ids_ranges_and_tags_are_understood() {
        assert_eq!(excluded("942100"), Some(Excluded::Ids(942_100..=942_100)));
        assert_eq!(excluded("942100-942199"), Some(Excluded::Ids(942_100..=942_199)));
        assert_eq!(excluded(" 942100 - 942199 "), Some(Excluded::Ids(942_100..=942_199)));
        assert_eq!(excluded("tag:attack-sqli"), Some(Excluded::Tag("attack-sqli".into())));
        for none in ["", "tag:", "sqli", "942199-942100", "-5", "0", "1-", "99999999999999999999", "1,2"] {
            assert_eq!(excluded(none), None, "{none}");
        }
    }

    #[test]
    fn a_row_holds_for_each_route_it_names() {
        let rows = [row("1", &[]), row("2-3", &["a", "b"])];
        let all = exclusions(&rows).expect("understood");
        let shown: Vec<_> = all
            .iter()
            .map(|(route, one)| format!("{}: {}", route.as_deref().unwrap_or("*"), shown(one)))
            .collect();
        assert_eq!(shown, ["*: rule 1", "a: rules 2 to 3", "b: rules 2 to 3"]);
        let wrong = exclusions(&[row("1", &[]), row("sqli", &[])]).expect_err("refused");
        assert_eq!((wrong.row, &*wrong.rules), (2, "sqli"));
    }
}
