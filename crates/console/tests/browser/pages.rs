//! Each page as it looks: no fault of accessibility, nothing in the console, nothing refused by the policy, nothing that
//! scrolls sideways.

use crate::house::House;
use crate::shielded::{EXCLUSION, REFERENCE};
use crate::world::NOTICE;
use model::principal::Role;
use serde_json::{Value, json};
use std::path::PathBuf;
use testkit::browser::{Browser, Look};

/// Widths of a small phone, a phone and a wide screen.
const WIDTHS: [u32; 3] = [320, 390, 1600];

/// Pages for who may see most of the house.
const OFFICER: [&str; 13] = [
    "/console",
    "/console/people",
    "/console/people/{person}?purpose=rostering",
    "/console/people/{person}/accesses",
    "/console/people/{person}/consents",
    "/console/consents",
    "/console/purposes",
    "/console/purposes/bem",
    "/console/notices/{notice}",
    "/console/gateway",
    "/console/ledger",
    "/console/ledger/3",
    "/console/nothing-here",
];
/// Pages for who keeps keys.
const ADMIN: [&str; 3] = ["/console/settings", "/console/settings/keys/new", "/console/settings/links/new"];
/// Pages for who guards the app.
const SECURITY: [&str; 7] = [
    "/console/attacks",
    "/console/attacks?span=hour&outcome=would",
    "/console/attacks/events/{reference}",
    "/console/attacks/exclude/{reference}/942100",
    "/console/attacks/report",
    "/console/attacks/exclusions",
    "/console/attacks/exclusions/{exclusion}",
];
/// The person's own.
const PERSON: [&str; 8] = [
    "/my",
    "/my/asks/{ask}",
    "/my/reads",
    "/my/data",
    "/my/consents",
    "/my/copy",
    "/my/erase",
    "/my/nothing-here",
];
/// The door.
const NOBODY: [&str; 2] = ["/sign-in", "/sign-in/obl_nonsense"];

/// The source of axe-core, and where pictures go, if somebody wants them.
#[expect(clippy::disallowed_methods, reason = "cargo xtask says so where axe-core lies")]
fn variable(name: &str) -> Option<PathBuf> {
    std::env::var_os(name).map(PathBuf::from)
}

fn axe() -> String {
    let path = variable("OBHUT_AXE").expect("OBHUT_AXE says where axe.min.js lies");
    std::fs::read_to_string(path).expect("axe-core")
}

/// What axe-core finds on the page: rule and place.
async fn faults(browser: &Browser, axe: &str) -> Vec<String> {
    let script = format!(
        "{axe};\nconst done = arguments[arguments.length - 1];
        const of = (fault) => fault.id + ': ' + fault.nodes.map((node) => node.html).join(' | ');
        axe.run(document, {{ resultTypes: ['violations'] }})
            .then((found) => done(found.violations.map(of)), (error) => done(['axe failed: ' + error]));"
    );
    let found = browser.run_until_done(&script, vec![]).await.expect("a verdict");
    serde_json::from_value(found).expect("texts")
}

/// How far the page is wider than the window, and what juts out.
async fn sideways(browser: &Browser) -> Option<String> {
    let script = "const root = document.documentElement;
        if (root.scrollWidth <= root.clientWidth) return null;
        const wide = [...document.querySelectorAll('body *')].filter((one) => one.getBoundingClientRect().right > root.clientWidth + 1);
        return root.scrollWidth + ' > ' + root.clientWidth + ': ' + wide.slice(0, 4).map((one) => one.outerHTML.slice(0, 120)).join(' | ')";
    browser.run(script, vec![]).await.expect("a measure").as_str().map(str::to_owned)
}

async fn filled(house: &House, path: &str) -> String {
    let world = &house.world;
    let ctx = world.ctx(&world.officer);
    let consents = world.vault.consents(&ctx, world.tenant, house.person).await.expect("listed");
    let open = consents.iter().find(|one| !one.state.permits()).expect("somebody asks");
    let path = path.replace("{person}", &house.person.to_string()).replace("{notice}", &NOTICE.to_string());
    let path = path.replace("{reference}", REFERENCE).replace("{exclusion}", EXCLUSION);
    path.replace("{ask}", &open.id.to_string())
}

/// Looks at one page in every way; what was found.
async fn look_at(browser: &Browser, address: &str, axe: &str, picture: Option<&str>) -> Vec<String> {
    browser.open(address).await.expect("a page");
    let mut found = Vec::new();
    for dark in [false, true] {
        for width in WIDTHS {
            browser.look(&Look { width, height: 900, dark, scripts: true }).await.expect("a look");
            let what = format!("{address} at {width}{}", if dark { ", dark" } else { "" });
            found.extend(sideways(browser).await.map(|wide| format!("{what}: {wide}")));
            // Layout and colours are apart: each width once, and dark once.
            if !dark || width == 390 {
                let faults = faults(browser, axe).await;
                found.extend(faults.into_iter().map(|fault| format!("{what}: {fault}")));
            }
            if let (Some(name), Some(folder)) = (picture, variable("OBHUT_SHOTS")) {
                let shade = if dark { "dark" } else { "light" };
                let png = browser.picture().await.expect("a picture");
                std::fs::write(folder.join(format!("{name}-{width}-{shade}.png")), png).expect("written");
            }
        }
    }
    let refused = address.contains("nothing") || address.contains("nonsense");
    let lines = browser.console().await.expect("the console");
    // A page that says 404 is named in the console by the browser itself.
    let lines = lines
        .into_iter()
        .filter(|line| !(refused && line.contains("the server responded with a status of 4")));
    found.extend(lines.map(|line| format!("{address}: {line}")));
    found
}

async fn every_page(language: &'static str) {
    let (house, axe) = (House::open().await, axe());
    let browser = Browser::start(language).await.expect("a browser");
    let mut found = Vec::new();
    let mut seen = 0;
    let groups: [(Option<Role>, &[&str]); 5] = [
        (None, &NOBODY),
        (Some(Role::PrivacyOfficer), &OFFICER),
        (Some(Role::Admin), &ADMIN),
        (Some(Role::Security), &SECURITY),
        (Some(Role::Person), &PERSON),
    ];
    for (role, paths) in groups {
        browser.look(&Look::default()).await.expect("a look");
        if let Some(role) = role {
            house.sign_in(&browser, role).await;
        }
        browser.console().await.expect("the console");
        for path in paths {
            let address = house.at(&filled(&house, path).await);
            let name = format!("{language}{}", path.replace(['/', '{', '}', '?', '=', '&'], "-"));
            found.extend(look_at(&browser, &address, &axe, Some(&name)).await);
            let spoken =
                browser.run("return document.documentElement.lang", vec![]).await.expect("a language");
            assert_eq!(spoken, json!(language), "{path}");
            let title = browser.run("return document.querySelector('h1')?.textContent", vec![]).await;
            let title = title.expect("a title");
            assert!(title.as_str().is_some_and(|title| title.trim().len() > 5), "{path} says {title}");
            seen += 1;
        }
    }
    assert_eq!(seen, NOBODY.len() + OFFICER.len() + ADMIN.len() + SECURITY.len() + PERSON.len());
    assert!(found.is_empty(), "{} faults: {found:#?}", found.len());
    browser.end().await.expect("an end");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Chromium and axe-core: cargo xtask test runs it in the group browser"]
async fn every_page_in_english() {
    every_page("en").await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Chromium and axe-core: cargo xtask test runs it in the group browser"]
async fn every_page_in_german() {
    every_page("de").await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Chromium and axe-core: cargo xtask test runs it in the group browser"]
async fn control_a_bad_page_is_found() {
    let house = House::open().await;
    let browser = Browser::start("en").await.expect("a browser");
    browser.open(&house.at("/sign-in")).await.expect("the door");
    let spoil = "document.body.insertAdjacentHTML('beforeend',
        '<p>wide</p><img src=\"/x.png\"><input>');
        document.body.lastElementChild.previousElementSibling.previousElementSibling.style.width = '4000px';
        const script = document.createElement('script'); script.textContent = 'window.ran = 1';
        document.body.append(script); return window.ran ?? 0";
    assert_eq!(browser.run(spoil, vec![]).await.expect("spoilt"), json!(0), "the policy keeps scripts out");
    let faults = faults(&browser, &axe()).await;
    for rule in ["image-alt", "label"] {
        assert!(faults.iter().any(|fault| fault.starts_with(rule)), "{rule}: {faults:?}");
    }
    assert!(sideways(&browser).await.is_some());
    let lines: Vec<Value> =
        browser.console().await.expect("the console").into_iter().map(Value::from).collect();
    assert!(lines.iter().any(|line| line.to_string().contains("Content Security Policy")), "{lines:?}");
    browser.end().await.expect("an end");
}
