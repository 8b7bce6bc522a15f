//! Rules that the program brings along: its baseline pack, and its profile over the Core Rule Set.

macro_rules! rules {
    ($($name:literal),* $(,)?) => { &[$(($name, include_str!(concat!("../../../../shield/", $name)))),*] };
}

type Files = &'static [(&'static str, &'static str)];

/// The baseline pack, in the order in which it is read.
pub(super) const BASELINE: Files = rules![
    "rules/00-setup.conf",
    "rules/10-protocol.conf",
    "rules/20-files.conf",
    "rules/30-commands.conf",
    "rules/40-script.conf",
    "rules/50-queries.conf",
    "rules/60-responses.conf",
    "rules/70-strict.conf",
    "rules/90-decide.conf",
];

/// Data that rules of the program name, by `rules/` and the name in the rule.
pub(super) const DATA: Files = rules![
    "rules/restricted-files.data",
    "rules/scanner-agents.data",
    "rules/sql-errors.data",
    "rules/system-files.data",
];

/// The profile over CRS, before and after its rules.
pub(super) const PROFILE: [(&str, &str); 2] = [
    ("profiles/crs-before.conf", include_str!("../../../../shield/profiles/crs-before.conf")),
    ("profiles/crs-after.conf", include_str!("../../../../shield/profiles/crs-after.conf")),
];

/// Exclusions for applications, by `profiles/apps/NAME.conf`.
pub(super) const APPS: Files = rules![
    "profiles/apps/drupal.conf",
    "profiles/apps/gitea.conf",
    "profiles/apps/grafana.conf",
    "profiles/apps/mediawiki.conf",
    "profiles/apps/nextcloud.conf",
    "profiles/apps/phpmyadmin.conf",
    "profiles/apps/wordpress.conf",
];

/// A file of data that a rule of the program names.
pub(super) fn data(name: &str) -> Option<&'static [u8]> {
    let found = DATA.iter().find(|(path, _)| path.strip_prefix("rules/") == Some(name));
    found.map(|(_, text)| text.as_bytes())
}

/// The name by which `shield.apps` knows a file of [`APPS`].
fn app_name(path: &str) -> &str {
    path.trim_start_matches("profiles/apps/").trim_end_matches(".conf")
}

/// The exclusions for an application.
pub(super) fn app(name: &str) -> Option<(&'static str, &'static str)> {
    APPS.iter().copied().find(|(path, _)| app_name(path) == name)
}

/// The applications for which there are exclusions.
pub(super) fn apps() -> Vec<&'static str> {
    APPS.iter().map(|(path, _)| app_name(path)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    /// Files of a folder of the crate of the shield that end so.
    fn on_disk(folder: &str, end: &str) -> Vec<String> {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shield").join(folder);
        let entries = std::fs::read_dir(path).into_iter().flatten();
        let names = entries
            .map(|entry| entry.expect("an entry").file_name())
            .map(|name| format!("{folder}/{}", name.to_string_lossy()));
        let mut names: Vec<_> = names.filter(|name| name.ends_with(end)).collect();
        names.sort();
        names
    }

    fn names(files: &[(&str, &str)]) -> Vec<String> {
        let mut names: Vec<_> = files.iter().map(|(name, _)| (*name).to_owned()).collect();
        names.sort();
        names
    }

    #[test]
    fn every_file_of_the_packs_is_embedded() {
        assert!(BASELINE.len() > 5, "the pack");
        assert_eq!(names(BASELINE), on_disk("rules", ".conf"));
        assert_eq!(names(DATA), on_disk("rules", ".data"));
        assert_eq!(names(&PROFILE), on_disk("profiles", ".conf"));
        assert_eq!(names(APPS), on_disk("profiles/apps", ".conf"));
        let order: Vec<_> = BASELINE.iter().map(|(name, _)| (*name).to_owned()).collect();
        assert_eq!(order, names(BASELINE), "the pack is read in the order of its names");
    }

    #[test]
    fn applications_are_known_by_the_names_of_their_files() {
        for name in apps() {
            assert!(
                app(name).is_some_and(|(path, _)| path == format!("profiles/apps/{name}.conf")),
                "{name}"
            );
        }
        assert_eq!(app("none"), None);
    }
}
