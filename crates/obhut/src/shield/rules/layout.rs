//! How a folder of rules is laid out: which files count, and in which order.

use super::files::listed;
use std::fmt;
use std::io::Read;
use std::path::{Path, PathBuf};

/// The link that `obhut rules install` switches.
pub(crate) const CURRENT: &str = "current";
/// Where Debian keeps the settings of its package.
pub(super) const DEBIAN_SETTINGS: &str = "/etc/modsecurity/crs";
/// So much of a file is searched for a version.
const VERSION_WITHIN: u64 = 256 << 10;

/// What kind of rules a folder holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The program's own pack.
    Baseline,
    /// The OWASP Core Rule Set.
    Core {
        /// Its version, where its files say it.
        version: Option<String>,
        /// Whether its settings are the example's, since there is no `crs-setup.conf`.
        example: bool,
    },
    /// Files of somebody's own.
    Own,
}

impl fmt::Display for Kind {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Baseline => out.write_str("Obhut's own baseline"),
            Self::Core { version: Some(version), .. } => write!(out, "OWASP CRS {version}"),
            Self::Core { version: None, .. } => out.write_str("OWASP CRS, of no version that its files say"),
            Self::Own => out.write_str("rules of your own"),
        }
    }
}

/// Files in their order. Between these groups the loader puts texts of its own.
#[derive(Debug, Default)]
pub(super) struct Layout {
    /// Settings of the rules, and of plugins.
    pub(super) settings: Vec<String>,
    /// What comes before the rules.
    pub(super) before: Vec<String>,
    /// The rules.
    pub(super) rules: Vec<String>,
    /// What comes after them.
    pub(super) after: Vec<String>,
    /// Folders from which files may come.
    pub(super) roots: Vec<PathBuf>,
}

/// Why a place holds no rules.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NoRules {
    #[error("{0}: {1}")]
    Io(PathBuf, String),
    #[error("{0} holds no rules: no file that ends in .conf, no folder `rules`, no link `current`")]
    Empty(PathBuf),
    #[error("{0} is the folder `rules` of a Core Rule Set, without its settings; name the folder above it")]
    Below(PathBuf),
    #[error(
        "{0} has neither crs-setup.conf nor crs-setup.conf.example, so its rules would refuse everything"
    )]
    NoSetup(PathBuf),
    #[error("{0} is neither a folder nor a regular file")]
    Neither(PathBuf),
}

/// Finds out how the files at `place` are laid out. `debian` is where Debian keeps its settings.
pub(super) fn find(place: &Path, debian: &Path) -> Result<(Kind, Layout), NoRules> {
    let io = |error: std::io::Error| NoRules::Io(place.to_owned(), error.to_string());
    let found = std::fs::metadata(place).map_err(io)?;
    if found.is_file() {
        return Ok(single(place, debian));
    }
    if !found.is_dir() {
        return Err(NoRules::Neither(place.to_owned()));
    }
    let current = place.join(CURRENT);
    if current.is_symlink() {
        let found = std::fs::metadata(&current);
        found.map_err(|error| NoRules::Io(current.clone(), error.to_string()))?;
        return below(&current, debian);
    }
    below(place, debian)
}

fn below(folder: &Path, debian: &Path) -> Result<(Kind, Layout), NoRules> {
    if folder.join("rules").is_dir() {
        return core(folder, debian);
    }
    let mut rules = ending(folder, ".conf")?;
    if rules.is_empty() {
        return Err(NoRules::Empty(folder.to_owned()));
    }
    let is_core = folder.join("REQUEST-901-INITIALIZATION.conf").is_file();
    let setup = [folder.join("crs-setup.conf"), folder.join("crs-setup.conf.example")];
    let setup = setup.into_iter().find(|file| file.is_file());
    let mut layout = Layout { roots: vec![folder.to_owned()], ..Layout::default() };
    let Some(setup) = setup else {
        if is_core {
            return Err(NoRules::Below(folder.to_owned()));
        }
        layout.rules = rules;
        return Ok((Kind::Own, layout));
    };
    let example = setup.extension().is_some_and(|end| end == "example");
    let setup = setup.display().to_string();
    rules.retain(|file| *file != setup);
    let version = version(rules.iter().chain([&setup]));
    layout.settings.push(setup);
    layout.rules = rules;
    Ok((if is_core { Kind::Core { version, example } } else { Kind::Own }, layout))
}

/// One file, which may include others of its folder. What Debian includes lies in two.
fn single(file: &Path, debian: &Path) -> (Kind, Layout) {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut roots = vec![folder.to_owned()];
    if file.file_name().is_some_and(|name| name == "owasp-crs.load") {
        roots.push(debian.to_owned());
    }
    (Kind::Own, Layout { rules: vec![file.display().to_string()], roots, ..Layout::default() })
}

/// A Core Rule Set, as its archive unpacks or as Debian lays it out. The order is the one of its documentation: settings,
/// settings of plugins, what plugins do before, rules, what plugins do after.
fn core(folder: &Path, debian: &Path) -> Result<(Kind, Layout), NoRules> {
    let mut layout = Layout { roots: vec![folder.to_owned()], ..Layout::default() };
    let mut candidates = vec![folder.join("crs-setup.conf")];
    let is_debian = folder.join("owasp-crs.load").is_file();
    if is_debian {
        candidates.push(debian.join("crs-setup.conf"));
        layout.roots.push(debian.to_owned());
    }
    candidates.push(folder.join("crs-setup.conf.example"));
    let setup = candidates.into_iter().find(|file| file.is_file());
    let setup = setup.ok_or_else(|| NoRules::NoSetup(folder.to_owned()))?;
    let example = setup.extension().is_some_and(|end| end == "example");
    let rules = folder.join("rules");
    layout.settings.push(setup.display().to_string());
    let plugins = folder.join("plugins");
    // There need not be any, but what is there has to be found.
    let has_plugins = plugins.symlink_metadata().is_ok();
    let of_plugins = |end: &str| if has_plugins { ending(&plugins, end) } else { Ok(Vec::new()) };
    layout.settings.extend(of_plugins("-config.conf")?);
    layout.before = of_plugins("-before.conf")?;
    layout.rules = ending(&rules, ".conf")?;
    layout.after = of_plugins("-after.conf")?;
    if is_debian {
        let own = |name: &str| Some(debian.join(name)).filter(|file| file.is_file());
        let own = |name: &str| own(name).map(|file| file.display().to_string());
        layout.before.splice(0..0, own("REQUEST-900-EXCLUSION-RULES-BEFORE-CRS.conf"));
        layout.after.extend(own("RESPONSE-999-EXCLUSION-RULES-AFTER-CRS.conf"));
    }
    if layout.rules.is_empty() {
        return Err(NoRules::Empty(rules));
    }
    let initial = rules.join("REQUEST-901-INITIALIZATION.conf").display().to_string();
    let version = version([&initial].into_iter().chain(&layout.rules).chain(&layout.settings));
    Ok((Kind::Core { version, example }, layout))
}

fn ending(folder: &Path, end: &str) -> Result<Vec<String>, NoRules> {
    let found = listed(folder, |name| name.ends_with(end.as_bytes()));
    found.map_err(|why| NoRules::Io(folder.to_owned(), why.to_string()))
}

/// The version that a Core Rule Set writes beside its rules, as `OWASP_CRS/4.18.0`. The settings come last: they may be kept
/// from an older one.
fn version<'a>(mut files: impl Iterator<Item = &'a String>) -> Option<String> {
    files.find_map(|file| {
        let mut bytes = Vec::new();
        std::fs::File::open(file).ok()?.take(VERSION_WITHIN).read_to_end(&mut bytes).ok()?;
        let text = String::from_utf8_lossy(&bytes);
        // Comments speak of other versions.
        let mut lines = text.lines().filter(|line| !line.trim_start().starts_with('#'));
        let after = lines.find_map(|line| Some(line.split_once("OWASP_CRS/")?.1))?;
        let end = after.find(|char: char| !(char.is_ascii_alphanumeric() || ".-".contains(char)));
        let version = &after[..end.unwrap_or(after.len()).min(32)];
        (!version.is_empty()).then(|| version.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder with these files, each with a version.
    fn folder(files: &[&str]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().expect("folder");
        for name in files {
            let path = dir.path().join(name);
            std::fs::create_dir_all(path.parent().expect("above")).expect("folder");
            let text =
                "# Until OWASP_CRS/3.1.0 this was otherwise.\nSecComponentSignature \"OWASP_CRS/4.18.0\"\n";
            std::fs::write(path, text).expect("written");
        }
        dir
    }

    /// The names in order, groups apart.
    fn order(place: &Path, debian: &Path) -> (Kind, String) {
        let (kind, layout) = find(place, debian).expect("rules");
        let short = |files: &[String]| {
            let names =
                files.iter().map(|file| Path::new(file).file_name().expect("a name").to_string_lossy());
            names.collect::<Vec<_>>().join(" ")
        };
        let groups = [&layout.settings, &layout.before, &layout.rules, &layout.after];
        (kind, groups.map(|files| short(files)).join(" | "))
    }

    fn nowhere() -> &'static Path {
        Path::new("/nonexistent")
    }

    const PLUGINS: [&str; 4] =
        ["plugins/p-config.conf", "plugins/p-before.conf", "plugins/p-after.conf", "plugins/p.data"];

    #[test]
    fn a_core_rule_set_is_read_in_the_order_of_its_documentation() {
        let rules = [
            "rules/REQUEST-901-INITIALIZATION.conf",
            "rules/REQUEST-900-EXCLUSION-RULES-BEFORE-CRS.conf.example",
            "rules/RESPONSE-980-CORRELATION.conf",
            "crs-setup.conf.example",
        ];
        let dir = folder(&[rules.as_slice(), &PLUGINS].concat());
        let (kind, files) = order(dir.path(), nowhere());
        assert_eq!(kind, Kind::Core { version: Some("4.18.0".into()), example: true });
        let rules = "REQUEST-901-INITIALIZATION.conf RESPONSE-980-CORRELATION.conf";
        let others = "p-config.conf | p-before.conf";
        assert_eq!(files, format!("crs-setup.conf.example {others} | {rules} | p-after.conf"));
        std::fs::write(dir.path().join("crs-setup.conf"), "").expect("written");
        let (kind, files) = order(dir.path(), nowhere());
        assert_eq!(kind, Kind::Core { version: Some("4.18.0".into()), example: false });
        assert_eq!(files, format!("crs-setup.conf {others} | {rules} | p-after.conf"));
    }

    #[test]
    fn debians_settings_lie_elsewhere() {
        let dir = folder(&["owasp-crs.load", "rules/REQUEST-901-INITIALIZATION.conf"]);
        let names = [
            "crs-setup.conf",
            "REQUEST-900-EXCLUSION-RULES-BEFORE-CRS.conf",
            "RESPONSE-999-EXCLUSION-RULES-AFTER-CRS.conf",
        ];
        let settings = folder(&names);
        let (_, files) = order(dir.path(), settings.path());
        assert_eq!(
            files,
            "crs-setup.conf | REQUEST-900-EXCLUSION-RULES-BEFORE-CRS.conf | REQUEST-901-INITIALIZATION.conf \
             | RESPONSE-999-EXCLUSION-RULES-AFTER-CRS.conf"
        );
        let (_, layout) = find(dir.path(), settings.path()).expect("rules");
        assert_eq!(layout.roots, [dir.path(), settings.path()]);
        assert!(matches!(find(dir.path(), nowhere()), Err(NoRules::NoSetup(_))));
    }

    #[test]
    fn a_flat_folder_has_its_settings_first() {
        let dir = folder(&["b.conf", "A.conf", "notes.txt"]);
        assert_eq!(order(dir.path(), nowhere()), (Kind::Own, " |  | A.conf b.conf | ".into()));
        let dir = folder(&["crs-setup.conf", "REQUEST-901-INITIALIZATION.conf"]);
        let (kind, files) = order(dir.path(), nowhere());
        assert_eq!(kind, Kind::Core { version: Some("4.18.0".into()), example: false });
        assert_eq!(files, "crs-setup.conf |  | REQUEST-901-INITIALIZATION.conf | ");
        let file = dir.path().join("crs-setup.conf");
        assert_eq!(order(&file, nowhere()), (Kind::Own, " |  | crs-setup.conf | ".into()));
    }

    #[test]
    fn the_link_to_what_is_installed_is_followed() {
        let dir = folder(&["crs-4/crs-setup.conf", "crs-4/rules/REQUEST-901-INITIALIZATION.conf"]);
        assert!(matches!(find(dir.path(), nowhere()), Err(NoRules::Empty(_))));
        std::os::unix::fs::symlink("crs-4", dir.path().join(CURRENT)).expect("link");
        let (kind, layout) = find(dir.path(), nowhere()).expect("rules");
        assert_eq!(kind, Kind::Core { version: Some("4.18.0".into()), example: false });
        assert_eq!(layout.roots, [dir.path().join(CURRENT)]);
        std::fs::remove_dir_all(dir.path().join("crs-4")).expect("removed");
        assert!(matches!(find(dir.path(), nowhere()), Err(NoRules::Io(..))));
    }

    #[test]
    fn a_folder_of_which_something_would_be_left_out_is_named() {
        use std::os::unix::ffi::OsStrExt;
        let named = |place: &Path, folder: &Path| match find(place, nowhere()) {
            Err(NoRules::Io(named, why)) => named == folder && !why.is_empty(),
            _ => false,
        };
        let odd = std::ffi::OsStr::from_bytes(b"\xFC-config.conf");
        for below in ["", "rules", "plugins"] {
            let dir = match below {
                "" => folder(&["a.conf"]),
                _ => folder(&["crs-setup.conf", "rules/REQUEST-901-INITIALIZATION.conf", PLUGINS[0]]),
            };
            let folder = dir.path().join(below);
            find(dir.path(), nowhere()).expect("rules");
            std::fs::write(folder.join(odd), "").expect("written");
            assert!(named(dir.path(), &folder), "{below}");
        }
        let dir = folder(&["crs-setup.conf", "rules/REQUEST-901-INITIALIZATION.conf"]);
        find(dir.path(), nowhere()).expect("there need not be plugins");
        let plugins = dir.path().join("plugins");
        std::os::unix::fs::symlink("gone", &plugins).expect("link");
        assert!(named(dir.path(), &plugins), "but what is called so has to be a folder of them");
    }

    #[test]
    fn what_holds_no_rules_says_so() {
        let dir = folder(&["readme.txt"]);
        assert!(matches!(find(dir.path(), nowhere()), Err(NoRules::Empty(_))));
        assert!(matches!(find(&dir.path().join("none"), nowhere()), Err(NoRules::Io(..))));
        let dir = folder(&["rules/REQUEST-901-INITIALIZATION.conf"]);
        assert!(matches!(find(dir.path(), nowhere()), Err(NoRules::NoSetup(_))));
        assert!(matches!(find(&dir.path().join("rules"), nowhere()), Err(NoRules::Below(_))));
        let dir = folder(&["crs-setup.conf", "rules/x.data"]);
        assert!(matches!(find(dir.path(), nowhere()), Err(NoRules::Empty(_))));
    }
}
