//! How long files and functions may grow, read from the syntax tree.
//!
//! The limits fail; the marks below them are reported for judgement. Splitting only to please the counter is worse
//! than a long function that reads well, which is why the limits are far above the marks.

mod measure;

use std::collections::HashSet;
use std::fmt;
use std::path::{Path, PathBuf};

use crate::workspace;
pub(crate) use measure::Measured;

/// Lines of a file, tests apart.
const FILE_LIMIT: usize = 800;
const FILE_MARK: usize = 500;
/// Lines of a function, from its signature to its closing brace.
const FUNCTION_LIMIT: usize = 100;
const FUNCTION_MARK: usize = 40;
/// Parameters of a function, receiver included (as clippy counts).
const PARAMETER_LIMIT: usize = 8;
/// Fields of a struct or of one enum variant.
const FIELD_LIMIT: usize = 20;
/// Variants of an error enum: its name ends in `Error`, or it derives one.
const VARIANT_LIMIT: usize = 24;

/// Something over a limit or a mark, and where.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Over {
    pub(crate) place: String,
    pub(crate) what: What,
    pub(crate) count: usize,
}

/// What was counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum What {
    FileLines,
    FunctionLines,
    Parameters,
    Fields,
    ErrorVariants,
}

impl What {
    const fn limit(self) -> usize {
        match self {
            Self::FileLines => FILE_LIMIT,
            Self::FunctionLines => FUNCTION_LIMIT,
            Self::Parameters => PARAMETER_LIMIT,
            Self::Fields => FIELD_LIMIT,
            Self::ErrorVariants => VARIANT_LIMIT,
        }
    }

    const fn mark(self) -> usize {
        match self {
            Self::FileLines => FILE_MARK,
            Self::FunctionLines => FUNCTION_MARK,
            other => other.limit(),
        }
    }

    const fn unit(self) -> &'static str {
        match self {
            Self::FileLines => "lines in the file",
            Self::FunctionLines => "lines in the function",
            Self::Parameters => "parameters",
            Self::Fields => "fields",
            Self::ErrorVariants => "variants in the error enum",
        }
    }
}

impl fmt::Display for Over {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: {} {} (limit {})", self.place, self.count, self.what.unit(), self.what.limit())
    }
}

/// All that was counted, sorted by what to do about it.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    /// Over a limit: the check fails.
    pub(crate) faults: Vec<Over>,
    /// Over a mark: someone should look.
    pub(crate) marks: Vec<Over>,
    file_lines: Vec<usize>,
    function_lines: Vec<usize>,
}

impl Findings {
    fn take(&mut self, over: Over) {
        if over.count > over.what.limit() {
            self.faults.push(over);
        } else if over.count > over.what.mark() {
            self.marks.push(over);
        }
    }

    fn add(&mut self, path: &Path, measured: &Measured, test_file: bool) {
        let place = |line: usize, name: &str| format!("{}:{line} {name}", path.display());
        if !test_file {
            let lines = measured.lines - measured.test_lines;
            self.file_lines.push(lines);
            self.take(Over { place: path.display().to_string(), what: What::FileLines, count: lines });
        }
        for function in &measured.functions {
            if !test_file && !function.test {
                self.function_lines.push(function.lines);
            }
            let at = || place(function.line, &function.name);
            self.take(Over { place: at(), what: What::FunctionLines, count: function.lines });
            self.take(Over { place: at(), what: What::Parameters, count: function.parameters });
        }
        for shape in &measured.shapes {
            self.take(Over { place: place(shape.line, &shape.name), what: shape.what, count: shape.count });
        }
    }

    /// The figures that the check reports when it passes, one line.
    pub(crate) fn figures(&self) -> String {
        format!(
            "{} files, p90 {} lines; {} functions, p90 {} lines (tests apart)",
            self.file_lines.len(),
            p90(&self.file_lines),
            self.function_lines.len(),
            p90(&self.function_lines)
        )
    }
}

/// Measures every source file of the workspace.
pub(crate) fn check(root: &Path) -> Result<Findings, String> {
    let mut files = Vec::new();
    for path in workspace::sources(root).map_err(|error| format!("the sources: {error}"))? {
        let text = std::fs::read_to_string(root.join(&path))
            .map_err(|error| format!("{}: {error}", path.display()))?;
        let measured = measure::measure(&text).map_err(|error| format!("{}: {error}", path.display()))?;
        files.push((path, measured));
    }
    let tests: HashSet<PathBuf> = files.iter().flat_map(|(path, found)| test_modules(path, found)).collect();
    let mut findings = Findings::default();
    for (path, measured) in &files {
        findings.add(path, measured, is_test_file(path, &tests));
    }
    Ok(findings)
}

/// Where the modules declared `#[cfg(test)] mod name;` may lie: the file and the folder.
fn test_modules(path: &Path, measured: &Measured) -> Vec<PathBuf> {
    let parent = path.parent().unwrap_or(path);
    let own = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    let dir = if matches!(own, "lib" | "main" | "mod") { parent.to_path_buf() } else { parent.join(own) };
    measured.test_modules.iter().flat_map(|name| [dir.join(format!("{name}.rs")), dir.join(name)]).collect()
}

fn is_test_file(path: &Path, tests: &HashSet<PathBuf>) -> bool {
    let in_folder =
        path.components().any(|part| part.as_os_str() == "tests" || part.as_os_str() == "benches");
    in_folder || path.ancestors().any(|above| tests.contains(above))
}

/// The value below which nine of ten lie; 0 for none.
fn p90(counts: &[usize]) -> usize {
    let mut sorted = counts.to_vec();
    sorted.sort_unstable();
    sorted.get((sorted.len() * 9).div_ceil(10).saturating_sub(1)).copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(path: &str, text: &str) -> Findings {
        let measured = measure::measure(text).expect("parses");
        let path = Path::new(path);
        let mut findings = Findings::default();
        findings.add(path, &measured, is_test_file(path, &HashSet::new()));
        findings
    }

    fn whats(found: &[Over]) -> Vec<(What, usize)> {
        found.iter().map(|over| (over.what, over.count)).collect()
    }

    fn function(lines: usize) -> String {
        format!("fn f() {{\n{}}}\n", "    g();\n".repeat(lines - 2))
    }

    #[test]
    fn a_function_of_100_lines_is_marked_and_of_101_fails() {
        assert_eq!(whats(&findings("a.rs", &function(40)).marks), []);
        assert_eq!(whats(&findings("a.rs", &function(100)).marks), [(What::FunctionLines, 100)]);
        assert_eq!(whats(&findings("a.rs", &function(100)).faults), []);
        assert_eq!(whats(&findings("a.rs", &function(101)).faults), [(What::FunctionLines, 101)]);
    }

    #[test]
    fn a_file_of_800_lines_passes_and_of_801_fails() {
        assert_eq!(whats(&findings("a.rs", &"// x\n".repeat(800)).faults), []);
        assert_eq!(whats(&findings("a.rs", &"// x\n".repeat(801)).faults), [(What::FileLines, 801)]);
    }

    #[test]
    fn tests_in_the_file_and_test_files_do_not_count_as_file_lines() {
        let inner = "    fn g() {}\n".repeat(900);
        assert_eq!(whats(&findings("a.rs", &format!("#[cfg(test)]\nmod tests {{\n{inner}}}\n")).faults), []);
        assert_eq!(
            whats(&findings("a.rs", &format!("mod other {{\n{inner}}}\n")).faults),
            [(What::FileLines, 902)]
        );
        assert_eq!(whats(&findings("crates/a/tests/b.rs", &"// x\n".repeat(900)).faults), []);
    }

    #[test]
    fn a_module_declared_for_tests_is_a_test_file() {
        let measured = measure::measure("#[cfg(test)]\nmod tests;\nmod real;\n").expect("parses");
        let tests: HashSet<PathBuf> =
            test_modules(Path::new("src/shred.rs"), &measured).into_iter().collect();
        assert!(is_test_file(Path::new("src/shred/tests.rs"), &tests));
        assert!(is_test_file(Path::new("src/shred/tests/deep.rs"), &tests));
        assert!(!is_test_file(Path::new("src/shred/real.rs"), &tests));
        assert!(!is_test_file(Path::new("src/other/tests.rs"), &tests));
    }

    #[test]
    fn the_eighth_parameter_passes_and_the_ninth_fails() {
        let with = |count: usize| format!("trait T {{ fn f(&self, {}); }}", "a: u8,".repeat(count - 1));
        assert_eq!(whats(&findings("a.rs", &with(8)).faults), []);
        assert_eq!(whats(&findings("a.rs", &with(9)).faults), [(What::Parameters, 9)]);
    }

    #[test]
    fn the_21st_field_fails_in_structs_and_in_variants() {
        let fields = |count: usize| (0..count).map(|n| format!("f{n}: u8,")).collect::<String>();
        assert_eq!(whats(&findings("a.rs", &format!("struct S {{ {} }}", fields(20))).faults), []);
        assert_eq!(
            whats(&findings("a.rs", &format!("struct S {{ {} }}", fields(21))).faults),
            [(What::Fields, 21)]
        );
        assert_eq!(
            whats(&findings("a.rs", &format!("enum E {{ V {{ {} }} }}", fields(21))).faults),
            [(What::Fields, 21)]
        );
    }

    #[test]
    fn the_25th_error_variant_fails_and_other_enums_are_free() {
        let variants = |count: usize| (0..count).map(|n| format!("V{n},")).collect::<String>();
        let fault = [(What::ErrorVariants, 25)];
        assert_eq!(whats(&findings("a.rs", &format!("enum PutError {{ {} }}", variants(24))).faults), []);
        assert_eq!(whats(&findings("a.rs", &format!("enum PutError {{ {} }}", variants(25))).faults), fault);
        let derived = format!("#[derive(Debug, thiserror::Error)] enum Bad {{ {} }}", variants(25));
        assert_eq!(whats(&findings("a.rs", &derived).faults), fault);
        assert_eq!(whats(&findings("a.rs", &format!("enum Colour {{ {} }}", variants(25))).faults), []);
    }

    #[test]
    fn p90_is_a_value_of_the_list() {
        assert_eq!(p90(&[]), 0);
        assert_eq!(p90(&[7]), 7);
        assert_eq!(p90(&(1..=10).collect::<Vec<_>>()), 9);
        assert_eq!(p90(&(1..=100).collect::<Vec<_>>()), 90);
    }
}
