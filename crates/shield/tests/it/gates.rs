//! A gate loses nothing: whatever pattern is made at random, a value that it matches is let through to it.

use crate::conformance::{context, run};
use crate::folder::Folder;
use crate::grammar::{Choices, Node, subject};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use shield::message::Request;
use shield::pattern::{Pattern, PatternId, Scanner, Scratch};
use shield::{ByteSet, Collections, Engine, Transaction};
use std::cell::Cell;
use std::sync::Arc;

const SUBJECTS: usize = 6;

/// Always the same cases, so that a failure is found again.
fn runner(cases: u32, seed: u8) -> TestRunner {
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 20_000, ..Config::default() };
    TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &[seed; 32]))
}

struct Made {
    nodes: Vec<Node>,
    texts: Vec<String>,
    patterns: Vec<Pattern>,
}

/// Patterns that a scanner looks for together.
fn made(choices: &mut Choices<'_>) -> Made {
    let mut made = Made { nodes: Vec::new(), texts: Vec::new(), patterns: Vec::new() };
    for _ in 0..1 + choices.below(4) {
        let node = Node::any(choices, 4);
        let mut text = if choices.below(3) == 1 { "(?i)".to_owned() } else { String::new() };
        node.write(&mut text);
        // What is too large, or is refused, is no pattern of any rule.
        if let Ok(pattern) = Pattern::compile(&text) {
            made.nodes.push(node);
            made.texts.push(text);
            made.patterns.push(pattern);
        }
    }
    made
}

#[test]
fn what_a_pattern_matches_passes_its_gate() {
    let (tried, matches, shut) = (Cell::new(0_u32), Cell::new(0_u32), Cell::new(0_u32));
    let cases = proptest::collection::vec(any::<u8>(), 24..320);
    let result = runner(12_000, 7).run(&cases, |bytes| {
        let mut choices = Choices::new(&bytes);
        let made = made(&mut choices);
        if made.nodes.is_empty() {
            return Ok(());
        }
        // Numbers that lie in several words.
        let id = |at: usize| at as u32 * 61;
        let gates = made.patterns.iter().enumerate();
        let scanner = Scanner::new(gates.map(|(at, pattern)| (PatternId(id(at)), pattern.gate())));
        let mut scratch = Scratch::default();
        let mut candidates = vec![0; scanner.words()];
        for _ in 0..SUBJECTS {
            let subject = subject(&made.nodes, &mut choices);
            scanner.scan(&subject, ByteSet::of(&subject), &mut scratch, &mut candidates);
            for (at, pattern) in made.patterns.iter().enumerate() {
                let (plain, admitted) = (pattern.is_match(&subject), pattern.gate().admits(&subject));
                let sifted = candidates[id(at) as usize / 64] >> (id(at) % 64) & 1 == 1;
                let told =
                    || format!("{} on \"{}\": {:?}", made.texts[at], subject.escape_ascii(), pattern.gate());
                prop_assert!(!plain || admitted, "the gate loses {}", told());
                prop_assert!(!plain || sifted, "the scanner loses {}", told());
                prop_assert_eq!(admitted, sifted, "gate and scanner differ: {}", told());
                tried.set(tried.get() + 1);
                matches.set(matches.get() + u32::from(plain));
                shut.set(shut.get() + u32::from(!admitted));
            }
        }
        Ok(())
    });
    if let Err(error) = result {
        panic!("{error}");
    }
    println!("{} decisions, {} matches, {} sifted out", tried.get(), matches.get(), shut.get());
    assert!(matches.get() > tried.get() / 4, "{} of {} match", matches.get(), tried.get());
    assert!(shut.get() > tried.get() / 20, "{} of {} are sifted out", shut.get(), tried.get());
}

/// Rules that ask all values of a request for the patterns: as they came, in lower case, and what rules made of them.
fn engine(texts: &[String]) -> Arc<Engine> {
    let mut rules = "SecRequestBodyAccess On\nSecRequestBodyLimit 4194304\n\
        SecRule REQUEST_BODY \"@rx .\" \"id:1,phase:2,pass,nolog,setvar:tx.body=%{MATCHED_VAR}\"\n"
        .to_owned();
    for (at, text) in texts.iter().enumerate() {
        let id = 10 + at * 10;
        rules.push_str(&format!(
            "SecRule ARGS|REQUEST_BODY|TX:body \"@rx {text}\" \"id:{id},phase:2,pass,setvar:tx.hits=+1\"\n\
             SecRule TX:body \"@rx {text}\" \"id:{},phase:2,pass,t:lowercase,setvar:tx.hits=+1\"\n\
             SecRule TX:body \"!@rx {text}\" \"id:{},phase:2,pass,setvar:tx.hits=+1\"\n",
            id + 1,
            id + 2
        ));
    }
    let folder = Folder { texts: vec![("rules.conf".to_owned(), rules)] };
    let loaded = Engine::load(&folder, &["rules.conf".to_owned()], 1);
    Arc::new(loaded.unwrap_or_else(|faults| panic!("{}", faults[0])))
}

fn transaction(engine: &Arc<Engine>) -> Transaction {
    Transaction::new(engine, &Arc::new(Collections::new(1)), context())
}

fn text(body: Vec<u8>) -> Request {
    Request::new("POST", "/").with_header("Content-Type", "text/plain").with_body(body)
}

#[test]
fn rules_match_the_same_with_and_without_sifting() {
    let (matches, long) = (Cell::new(0_usize), Cell::new(0_u32));
    let cases = proptest::collection::vec(any::<u8>(), 24..320);
    let result = runner(600, 11).run(&cases, |bytes| {
        let mut choices = Choices::new(&bytes);
        let made = made(&mut choices);
        if made.nodes.is_empty() {
            return Ok(());
        }
        let engine = engine(&made.texts);
        for _ in 0..SUBJECTS {
            let body = subject(&made.nodes, &mut choices);
            long.set(long.get() + u32::from(body.len() > 256));
            let request = text(body);
            let [sifted, plain] = [true, false].map(|sift| {
                let mut transaction = transaction(&engine);
                if !sift {
                    transaction = transaction.without_sifting();
                }
                run(&mut transaction, &request);
                (transaction.finish(), transaction.variable("hits"))
            });
            matches.set(matches.get() + plain.0.matched.len());
            prop_assert_eq!(sifted, plain, "{:?} on \"{}\"", made.texts, request.body.escape_ascii());
        }
        Ok(())
    });
    if let Err(error) = result {
        panic!("{error}");
    }
    assert!(matches.get() > 5_000 && long.get() > 500, "{} matches, {} long", matches.get(), long.get());
}

/// Patterns that a long value does not hold a word of are not tried on it, whoever made it.
#[test]
fn a_body_that_rules_keep_in_a_variable_is_sifted_once() {
    let words: Vec<String> = (0..64).map(|at| format!("(?i)needle{at}[a-z]+haystack")).collect();
    let rules: String = (10..)
        .zip(&words)
        .map(|(id, word)| format!("SecRule TX:body \"@rx {word}\" \"id:{id},phase:2,pass\"\n"))
        .collect();
    let rules = format!(
        "SecRequestBodyAccess On\nSecRequestBodyLimit 4194304\n\
         SecRule REQUEST_BODY \"@unconditionalMatch\" \"id:1,phase:2,pass,nolog,setvar:tx.body=%{{MATCHED_VAR}}\"\n{rules}"
    );
    let folder = Folder { texts: vec![("rules.conf".to_owned(), rules)] };
    let engine = Arc::new(
        Engine::load(&folder, &["rules.conf".to_owned()], 1).unwrap_or_else(|faults| panic!("{}", faults[0])),
    );
    let mut body = b"plain prose, again and again. ".repeat(35_000);
    body.extend_from_slice(b"NEEDLE7inahaystack");
    let mut transaction = transaction(&engine);
    run(&mut transaction, &text(body));
    let report = transaction.finish();
    let ids: Vec<_> = report.matched.iter().map(|matched| matched.rule).collect();
    // 64 patterns on a value of 1 MB are more work than a transaction may ask for.
    assert_eq!((report.refusal, ids), (None, vec![17]));
}
