//! No work grows faster than its input. Seconds cannot show that on a shared machine, so instructions are counted: this
//! binary runs itself under valgrind's callgrind, which counts those of each call of [`measured_work`] apart. What stays
//! the same at every size falls out of the differences that are compared.
//!
//! To add a shape: a line in one of the lists of `shapes`, at a size where what it aims at outweighs everything else.

mod judge;
mod requests;
mod shapes;

use judge::{Grown, judge};
use shapes::Shape;
use std::hint::black_box;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// How often the input of a shape is doubled.
const DOUBLINGS: u32 = 3;

/// One call is one count. The name is what callgrind is told to look for.
#[inline(never)]
fn measured_work(work: &mut dyn FnMut()) {
    black_box(work)();
}

/// Does everything once at each size. Alone it measures nothing: callgrind has to run it.
fn do_all(shapes: &[Shape]) {
    for shape in shapes {
        let mut works: Vec<_> =
            (0..=DOUBLINGS).map(|doubling| (shape.work)(shape.size << doubling)).collect();
        // The lazily built automata know all inputs afterwards; how they came to know them is not what is asked.
        works.iter_mut().for_each(|work| work());
        for work in &mut works {
            // Once more, so that no buffer is left of a larger input.
            work();
            measured_work(work.as_mut());
        }
    }
}

#[test]
#[ignore = "run under callgrind by the tests of this file"]
fn pack_under_callgrind() {
    do_all(&shapes::with_pack());
}

#[test]
#[ignore = "run under callgrind by the tests of this file"]
fn parts_under_callgrind() {
    do_all(&shapes::of_parts());
}

#[test]
#[ignore = "run under callgrind by the tests of this file"]
fn quadratic_under_callgrind() {
    do_all(&shapes::wrong());
}

/// Minutes under callgrind: see `docs/benchmarks.md`.
#[test]
#[ignore = "run under callgrind by the test of the Core Rule Set"]
fn core_under_callgrind() {
    do_all(&shapes::with_core());
}

fn loudly(text: &str) {
    // Past the test runner, which keeps quiet about tests that pass.
    let _ = std::io::stderr().write_all(format!("\n!!! {text} !!!\n").as_bytes());
}

fn has_valgrind() -> bool {
    let found =
        Command::new("valgrind").arg("--version").output().is_ok_and(|output| output.status.success());
    if !found {
        loudly("NOT RUN: valgrind is missing; how work grows with its input was NOT tested");
    }
    found
}

/// The instructions of each call of [`measured_work`] in one of the tests above, in their order.
fn counts(test: &str) -> Vec<u64> {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(test);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).expect("a folder");
    let output = Command::new("valgrind")
        .args([
            "--tool=callgrind",
            "--toggle-collect=growth::measured_work",
            "--dump-after=growth::measured_work",
        ])
        .arg(format!("--callgrind-out-file={}", folder.join("out").display()))
        .arg(std::env::current_exe().expect("this binary"))
        .args(["--ignored", "--exact", test, "--test-threads=1"])
        .output()
        .expect("valgrind runs");
    let told =
        String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{told}");
    (1..).map_while(|part| total(&folder.join(format!("out.{part}")))).collect()
}

/// The sum that callgrind writes at the end of a part; `None` where there is no such part, or where nothing was counted in it.
fn total(file: &Path) -> Option<u64> {
    let text = std::fs::read_to_string(file).ok()?;
    let total = text.lines().rev().find_map(|line| line.strip_prefix("totals: "))?;
    total.trim().parse().ok().filter(|total| *total > 0)
}

fn grown(test: &str, shapes: &[Shape]) -> Vec<Grown> {
    let counts = counts(test);
    let sizes = DOUBLINGS as usize + 1;
    assert_eq!(counts.len(), shapes.len() * sizes, "each shape is counted at each size");
    shapes.iter().zip(counts.chunks_exact(sizes)).map(|(shape, counts)| judge(&shape.name, counts)).collect()
}

/// Fails with all shapes that grow too fast, and prints all.
fn assert_linear(test: &str, shapes: &[Shape]) {
    let grown = grown(test, shapes);
    let lines = |wanted: &dyn Fn(&Grown) -> bool| {
        grown.iter().filter(|grown| wanted(grown)).map(|grown| format!("{grown}\n")).collect::<String>()
    };
    print_all(&lines(&|_| true));
    let wrong = lines(&Grown::is_too_fast);
    assert!(wrong.is_empty(), "these grow faster than their input:\n{wrong}");
}

#[expect(clippy::print_stdout, reason = "the counts are read by whoever changes a shape")]
fn print_all(lines: &str) {
    println!("{lines}");
}

#[test]
fn parts_grow_with_their_input() {
    if has_valgrind() {
        assert_linear("parts_under_callgrind", &shapes::of_parts());
    }
}

#[test]
fn requests_grow_with_their_size() {
    if has_valgrind() {
        assert_linear("pack_under_callgrind", &shapes::with_pack());
    }
}

/// `cargo test -p obhut-shield --profile ci --test growth -- --ignored --exact requests_grow_under_the_core_rules`
#[test]
#[ignore = "takes minutes; run by hand"]
fn requests_grow_under_the_core_rules() {
    if requests::core_rules().is_none() {
        loudly("NOT RUN: the Core Rule Set is not there; how work grows under it was NOT tested");
    } else if has_valgrind() {
        assert_linear("core_under_callgrind", &shapes::with_core());
    }
}

#[test]
fn the_judge_finds_what_is_quadratic() {
    if !has_valgrind() {
        return;
    }
    for grown in grown("quadratic_under_callgrind", &shapes::wrong()) {
        assert_eq!(grown.is_too_fast(), grown.name.starts_with("quadratic"), "{grown}");
    }
}
