//! Starting other programs, with their output on the same terminal.

use std::path::Path;
use std::process::{Command, ExitCode, Stdio};

/// A `cargo` command line in the workspace root.
pub(crate) fn cargo(root: &Path, words: &[&str]) -> Command {
    let mut command = Command::new("cargo");
    command.current_dir(root).args(words);
    command
}

/// Runs a command to its end; `Err` says which command and how it ended.
pub(crate) fn run(command: &mut Command) -> Result<(), String> {
    println!("+ {}", line(command));
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("`{}` ended with {status}", line(command))),
        Err(error) => Err(format!("`{}` did not start: {error}", line(command))),
    }
}

/// Runs a command without showing what it prints; whether it succeeded.
pub(crate) fn quietly(command: &mut Command) -> bool {
    let command = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// Whether a cargo subcommand is installed.
pub(crate) fn has_subcommand(root: &Path, name: &str) -> bool {
    quietly(&mut cargo(root, &[name, "--version"]))
}

/// `cargo xtask bench …`: the product's own benchmark, built as it is shipped.
pub(crate) fn bench(root: &Path, rest: &[String]) -> ExitCode {
    let mut command = cargo(root, &["run", "--release", "--package", "obhut", "--", "bench"]);
    command.args(rest);
    match run(&mut command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}

fn line(command: &Command) -> String {
    let mut words = vec![command.get_program().to_string_lossy().into_owned()];
    words.extend(command.get_args().map(|word| word.to_string_lossy().into_owned()));
    words.join(" ")
}
