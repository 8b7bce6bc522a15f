//! `[[shield.exclude]]`: rows of the configuration as exclusions of the engine.

use gateway::config::ExcludeTable;
use shield::{Excluded, Exclusion};

/// A row that is not understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("row {row} of the exclusions, `rules = \"{rules}\"`: {why}")]
pub(crate) struct BadExclusion {
    /// Which row, from 1.
    pub(crate) row: usize,
    /// What it says.
    pub(crate) rules: String,
    /// What it should be like.
    pub(crate) why: &'static str,
}

/// Each row for each route that it names; for everywhere, without one.
pub(crate) fn exclusions<'a>(
    rows: impl IntoIterator<Item = &'a ExcludeTable>,
) -> Result<Vec<(Option<String>, Exclusion)>, BadExclusion> {
    let mut all = Vec::new();
    for (at, row) in rows.into_iter().enumerate() {
        let exclusion = row.exclusion();
        let exclusion =
            exclusion.map_err(|why| BadExclusion { row: at + 1, rules: row.rules.clone(), why })?;
        if row.routes.is_empty() {
            all.push((None, exclusion));
        } else {
            all.extend(row.routes.iter().map(|route| (Some(route.clone()), exclusion.clone())));
        }
    }
    Ok(all)
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
