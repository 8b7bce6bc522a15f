//! Rule sets in folders.

use shield::{Engine, Fault, Files};
use std::path::{Path, PathBuf};

/// Files of a folder, and texts of the test's own.
#[derive(Default)]
pub(crate) struct Folder {
    pub(crate) texts: Vec<(String, String)>,
}

impl Files for Folder {
    fn read(&self, name: &str) -> Option<Vec<u8>> {
        match self.texts.iter().find(|(known, _)| known == name) {
            Some((_, text)) => Some(text.clone().into_bytes()),
            None => std::fs::read(name).ok(),
        }
    }

    fn data(&self, from: &str, name: &str) -> Option<Vec<u8>> {
        std::fs::read(Path::new(from).parent()?.join(name)).ok()
    }

    fn matching(&self, _: &str, _: &str) -> Vec<String> {
        Vec::new()
    }
}

/// The Core Rule Set that lies beside the checkout; `None`, and loudly, where it does not.
pub(crate) fn core_rules() -> Option<PathBuf> {
    let Some(shared) = std::env::var_os("OBHUT_SHARED") else {
        eprintln!("\n!!! OBHUT_SHARED is not set: nothing is run against the Core Rule Set\n");
        return None;
    };
    Some(PathBuf::from(shared).join("crs"))
}

/// Loads a setup and all rules of a folder, after `prelude`.
pub(crate) fn load(crs: &Path, prelude: &str, after: &str) -> Result<Engine, Vec<Fault>> {
    let mut names = vec!["prelude.conf".to_owned(), crs.join("crs-setup.conf.example").display().to_string()];
    let mut rules: Vec<_> = std::fs::read_dir(crs.join("rules"))
        .expect("a folder of rules")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "conf"))
        .collect();
    rules.sort();
    names.extend(rules.iter().map(|path| path.display().to_string()));
    names.push("after.conf".to_owned());
    let texts =
        vec![("prelude.conf".to_owned(), prelude.to_owned()), ("after.conf".to_owned(), after.to_owned())];
    Engine::load(&Folder { texts }, &names, 2)
}

/// `TX` variables at one paranoia level.
pub(crate) fn prelude(mode: &str, paranoia: u8, more: &str) -> String {
    format!(
        "SecRuleEngine {mode}\nSecRequestBodyAccess On\nSecRequestBodyLimit 134217728\nSecResponseBodyAccess On\n\
         SecResponseBodyMimeType text/plain text/html text/xml application/json application/xml\n\
         SecAction \"id:99000,phase:1,pass,nolog,t:none,setvar:tx.blocking_paranoia_level={paranoia},\
         setvar:tx.detection_paranoia_level={paranoia}{more}\"\n"
    )
}
