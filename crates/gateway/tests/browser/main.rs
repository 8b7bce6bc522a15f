//! Attack table (a): two hundred values that would run a script, in every place that the relay knows, in a real browser.
//! No script runs, and the text shows as it is.
//!
//! They need Chromium and its driver, and are ignored where nobody asks for them: `cargo xtask test` does, in the group
//! `browser`, and says when there is none.

mod formats;
mod house;
mod pages;
mod payloads;
mod soup;

use serde_json::{Value, json};
use testkit::browser::Browser;

/// Notes whatever runs.
const DETECTOR: &str = include_str!("detector.js");
/// Tells what a page holds.
const LOOK: &str = include_str!("look.js");

/// A browser that notes in every page what runs there.
async fn watching() -> Browser {
    let browser = Browser::start("en").await.expect("a browser");
    let source = json!({ "source": DETECTOR });
    browser.devtools("Page.addScriptToEvaluateOnNewDocument", source).await.expect("the detector");
    browser
}

/// What a page holds once everything on it was poked at.
async fn looked(browser: &Browser, address: &str, again: bool) -> Value {
    browser.open(address).await.expect("the page");
    let mut seen = browser.run(LOOK, vec![json!(again)]).await.expect("a look");
    let notes = "return window.__ran ?? ['the page went elsewhere']";
    seen["ran"] = browser.run(notes, vec![]).await.expect("the notes");
    if ran(&seen).is_empty() {
        // What was planted may take a moment, or the page away.
        tokio::time::sleep(std::time::Duration::from_millis(150)).await;
        seen["ran"] = browser.run(notes, vec![]).await.expect("the notes");
    }
    seen
}

/// The bodies of these addresses, asked for by a page of the same origin.
async fn fetched(browser: &Browser, addresses: &[String]) -> Vec<String> {
    let script =
        "const [addresses, done] = arguments; const ask = async (one) => (await __fetch(one)).text();
        Promise.all(addresses.map(ask)).then(done, (error) => done([String(error)]))";
    let bodies = browser.run_until_done(script, vec![addresses.into()]).await.expect("bodies");
    let bodies: Vec<String> = serde_json::from_value(bodies).expect("texts");
    assert_eq!(bodies.len(), addresses.len(), "{bodies:?}");
    bodies
}

/// What ran, in words; nothing is the good case.
fn ran(seen: &Value) -> Vec<String> {
    let ran = seen["ran"].as_array().cloned().unwrap_or_default();
    // The browser asks for a sign of the site by itself, once.
    let own = |what: &&str| !what.ends_with("/favicon.ico");
    ran.iter().filter_map(Value::as_str).filter(own).map(str::to_owned).collect()
}
