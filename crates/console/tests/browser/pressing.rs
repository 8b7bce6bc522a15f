//! What a person does: signs in by a link that works once, gives a consent and takes it back, reads who read, erases.
//! Scripts are off, so that it is the plain page that does it.

use crate::house::House;
use crate::shielded::REFERENCE;
use model::principal::Role;
use serde_json::json;
use testkit::browser::{Browser, Look};

async fn plain() -> Browser {
    let browser = Browser::start("en").await.expect("a browser");
    browser.look(&Look { width: 390, scripts: false, ..Look::default() }).await.expect("a look");
    browser
}

async fn text(browser: &Browser) -> String {
    let text = browser.run("return document.body.innerText", vec![]).await.expect("a text");
    text.as_str().unwrap_or_default().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Chromium: cargo xtask test runs it in the group browser"]
async fn a_link_works_once() {
    let house = House::open().await;
    let browser = plain().await;
    let link = house.sign_in(&browser, Role::Person).await;
    browser.devtools("Network.clearBrowserCookies", json!({})).await.expect("no cookies");
    browser.open(&house.at("/my")).await.expect("a page");
    assert!(browser.address().await.expect("an address").ends_with("/sign-in"), "the session was the cookie");
    browser.open(&link).await.expect("the door");
    browser.press_through("main form .btn").await.expect("pressed");
    assert!(!browser.address().await.expect("an address").ends_with("/my"));
    browser.open(&house.at("/my")).await.expect("a page");
    assert!(browser.address().await.expect("an address").ends_with("/sign-in"));
    browser.end().await.expect("an end");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Chromium: cargo xtask test runs it in the group browser"]
async fn a_consent_is_given_and_taken_back_by_pressing() {
    let house = House::open().await;
    let (world, person) = (&house.world, house.person);
    let read = async || world.value(&world.manager, "bem", person, "health_note").await;
    let browser = plain().await;
    house.sign_in(&browser, Role::Person).await;
    // The one that holds already is taken back first, so that the new one alone decides.
    browser.open(&house.at("/my/consents")).await.expect("a page");
    assert!(read().await.is_some());
    browser.press_through("article form .btn").await.expect("taken back");
    assert!(text(&browser).await.contains("taken back"), "{}", text(&browser).await);
    assert_eq!(read().await, None, "it holds at once");
    browser.open(&house.at("/my")).await.expect("a page");
    browser.press_through("article .btn").await.expect("opened");
    let page = text(&browser).await;
    assert!(page.contains(house.notice().trim()), "the notice as it is stored: {page}");
    let doors = "const [yes, no] = document.querySelectorAll('button.door');
        const size = (one) => [one.offsetWidth, one.offsetHeight, getComputedStyle(one).backgroundColor,
            getComputedStyle(one).color, getComputedStyle(one).fontWeight].join();
        return [size(yes).split(',').slice(1).join(), size(no).split(',').slice(1).join(),
            document.querySelector('input[name=days]:checked').value]";
    let doors = browser.run(doors, vec![]).await.expect("two doors");
    assert_eq!(doors[0], doors[1], "yes and no weigh the same");
    assert_eq!(doors[2], json!("90"), "the shortest term is chosen already");
    browser.press_through("button.door[value=yes]").await.expect("given");
    assert!(text(&browser).await.contains("Your permission holds"));
    assert!(read().await.is_some(), "given by one press");
    browser.press_through("article form .btn").await.expect("taken back");
    assert_eq!(read().await, None, "taken back by one press");
    house.ask("bem").await;
    browser.open(&house.at("/my")).await.expect("a page");
    browser.press_through("article .btn").await.expect("opened");
    browser.press_through("button.door[value=no]").await.expect("refused");
    assert!(text(&browser).await.contains("You refused"));
    assert_eq!(read().await, None);
    browser.end().await.expect("an end");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Chromium: cargo xtask test runs it in the group browser"]
async fn a_person_sees_who_read_and_erases_herself() {
    let house = House::open().await;
    let (world, person) = (&house.world, house.person);
    let browser = plain().await;
    house.sign_in(&browser, Role::Person).await;
    browser.press_through(".tabs a[href='/my/reads']").await.expect("opened");
    let reads = text(&browser).await;
    assert!(reads.contains("read 2 times") && reads.contains("saw masked: Health note"), "{reads}");
    browser.press_through(".tabs a[href='/my/data']").await.expect("opened");
    let data = text(&browser).await;
    assert!(data.contains("Name 1") && data.contains("note 1") && !data.contains("Aunt Third"), "{data}");
    browser.press_through(".tabs a[href='/my/erase']").await.expect("opened");
    assert!(world.value(&world.lead, "rostering", person, "name").await.is_some(), "nothing happened yet");
    browser.press_through("form .btn.grave").await.expect("pressed");
    let done = text(&browser).await;
    assert!(done.contains("Your data are erased") && done.contains("signed"), "{done}");
    assert_eq!(world.value(&world.lead, "rostering", person, "name").await, None);
    let kept = browser.run("return document.querySelector('input[name=certificate]').value", vec![]).await;
    assert!(kept.expect("a certificate").as_str().is_some_and(|text| text.contains("payload")));
    browser.open(&house.at("/my")).await.expect("a page");
    assert!(browser.address().await.expect("an address").ends_with("/sign-in"), "the session ended with her");
    browser.end().await.expect("an end");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Chromium: cargo xtask test runs it in the group browser"]
async fn a_rule_is_excluded_and_taken_back_by_pressing() {
    let house = House::open().await;
    let count = || house.shield.exclusions.lock().len();
    let (before, browser) = (count(), plain().await);
    house.sign_in(&browser, Role::Security).await;
    browser.open(&house.at("/console/attacks")).await.expect("a page");
    browser.run("document.querySelector('#reference').value = '7k2m4-q9xwd'", vec![]).await.expect("typed");
    browser.press_through("form[aria-label='Look it up'] .btn").await.expect("looked up");
    assert!(text(&browser).await.contains("A request was refused"), "{}", text(&browser).await);
    browser.press_through(&format!("a[href$='/{REFERENCE}/942100']")).await.expect("opened");
    let question = text(&browser).await;
    assert!(question.contains("[[exclude]]") && question.contains("ARGS:note"), "shown before: {question}");
    let chosen = "return document.querySelector('input[name=reach]:checked').value";
    assert_eq!(
        browser.run(chosen, vec![]).await.expect("a choice"),
        json!("target"),
        "the least is chosen already"
    );
    browser
        .run("document.querySelector('#because').value = 'prose is written there'", vec![])
        .await
        .expect("typed");
    browser.press_through("form .btn.grave").await.expect("excluded");
    let list = text(&browser).await;
    assert!(list.contains("Excluded, and in force.") && list.contains("prose is written there"), "{list}");
    assert_eq!(count(), before + 1);
    browser.press_through("tbody tr:last-child td:last-child a").await.expect("opened");
    browser.press_through("form .btn.main-act").await.expect("taken back");
    assert!(text(&browser).await.contains("Taken back"));
    assert_eq!(count(), before);
    browser.open(&house.at("/console/attacks/report")).await.expect("a page");
    browser.press_through("form .btn.grave").await.expect("all excluded");
    // The other line names no field: the rule as a whole is excluded by looking at an event alone.
    assert_eq!(count(), before + 1, "every line that names a field, with one press");
    browser.end().await.expect("an end");
}
