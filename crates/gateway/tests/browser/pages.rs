//! HTML: places where a value shows as it is, places where nothing may stand, and an app without care as the control.

use crate::house::{House, token};
use crate::{fetched, looked, payloads, ran, watching};
use serde_json::Value;

/// A place: its name, how the browser's script reads it (`look.js`), and the markup. `@` takes what marks the element.
type Place = (&'static str, &'static str, &'static str);

const SHOWING: &[Place] = &[
    ("text", "text", "<p @>TOKEN</p>"),
    ("text between", "text", "<p @>a TOKEN b</p>"),
    ("cell", "text", "<table><tr><td @>TOKEN<td>x</table>"),
    ("list", "text", "<ul><li @>TOKEN<li>x</ul>"),
    ("heading", "text", "<h2 @>TOKEN</h2>"),
    ("custom element", "text", "<x-card @>TOKEN</x-card>"),
    ("summary", "text", "<details><summary @>TOKEN</summary></details>"),
    ("verse", "text", "<pre @>TOKEN</pre>"),
    ("title", "text", "<title @>TOKEN</title>"),
    ("text area", "value", "<textarea @>TOKEN</textarea>"),
    ("text area between", "value", "<textarea @ rows=3>a TOKEN b</textarea>"),
    ("text area on a new line", "value", "<textarea @>\nTOKEN</textarea>"),
    ("option", "text", "<select><option @>TOKEN</option></select>"),
    ("option's value", "value", "<select><option @ value='TOKEN'>x</option></select>"),
    ("input", "attribute:value", "<input @ value=\"TOKEN\">"),
    ("input, single quotes", "attribute:value", "<input @ value='TOKEN'>"),
    ("input between", "attribute:value", "<input @ type=text value=\"a TOKEN b\">"),
    ("hidden input", "attribute:value", "<input @ type=hidden value=\"TOKEN\">"),
    ("button", "attribute:value", "<button @ value=\"TOKEN\">x</button>"),
    ("title attribute", "attribute:title", "<b @ title=\"TOKEN\">x</b>"),
    ("title attribute, single quotes", "attribute:title", "<b @ title='TOKEN'>x</b>"),
    ("title attribute between", "attribute:title", "<b @ title = 'a TOKEN b' class=c>x</b>"),
    ("picture's words", "attribute:alt", "<img @ alt=\"TOKEN\">"),
    ("placeholder", "attribute:placeholder", "<input @ placeholder='TOKEN'>"),
    ("label for who listens", "attribute:aria-label", "<p @ aria-label=\"TOKEN\">x</p>"),
    ("group of options", "attribute:label", "<select><optgroup @ label=\"TOKEN\"></optgroup></select>"),
    ("declared attribute", "attribute:data-name", "<p @ data-name=\"TOKEN\">x</p>"),
    ("description", "attribute:content", "<meta @ name=description content=\"TOKEN\">"),
    ("moment", "attribute:datetime", "<time @ datetime=\"TOKEN\">x</time>"),
    ("query", "query:href", "<a @ href=\"/find?name=TOKEN\">x</a>"),
    ("query, single quotes", "query:href", "<a @ href='?a=1&amp;name=TOKEN&amp;b=2'>x</a>"),
    ("query of a form", "query:action", "<form @ action=\"/save?name=TOKEN\"></form>"),
    ("query of a button", "query:formAction", "<button @ formaction=\"/save?name=TOKEN\">x</button>"),
    ("query of a picture", "inner:src", "<template @><img src=\"/picture?name=TOKEN\"></template>"),
    ("mail", "origin", "<a @ href=\"mailto:TOKEN\">x</a>"),
    ("telephone", "origin", "<a @ href='tel:TOKEN'>x</a>"),
    ("drawing", "text", "<svg><text @>TOKEN</text></svg>"),
    ("drawing's title", "text", "<svg><title @>TOKEN</title></svg>"),
    ("page within a drawing", "text", "<svg><foreignObject><p @>TOKEN</p></foreignObject></svg>"),
    ("formula", "text", "<math><mtext @>TOKEN</mtext></math>"),
];

/// What a browser makes of a value in a place. U+0000 cannot stand in HTML (§13.2.5.1 and the following: it becomes
/// U+FFFD or nothing); a text area speaks of its lines with LF alone (§4.10.11.4).
fn expected((name, see, html): &Place, value: &str) -> String {
    let around =
        |text: &str| if html.contains("a TOKEN b") { format!("a {text} b") } else { text.to_owned() };
    let markup = value.replace('\0', "\u{fffd}");
    match see.split(':').next().unwrap_or_default() {
        "value" if name.starts_with("text area") => around(&markup.replace("\r\n", "\n").replace('\r', "\n")),
        "query" => value.to_owned(),
        "inner" => format!("/picture?name={}", percent(value)),
        "origin" if *name == "mail" => format!("mailto:{value}"),
        "origin" => format!("tel:{value}"),
        _ => around(&markup),
    }
}

fn percent(value: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~@".contains(&byte);
    let one = |byte: u8| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    value.bytes().map(one).collect()
}

/// A page with every place for each of these values, by their numbers.
fn page(numbers: std::ops::Range<usize>) -> String {
    let mut page =
        String::from("<!doctype html><html lang=en><head><meta name=app content=x></head><body>\n");
    for number in numbers {
        page.push_str("<section>");
        for (name, see, html) in SHOWING {
            let marks = format!("data-see=\"{see}\" data-place=\"{number} {name}\"");
            page.push_str(&html.replacen('@', &marks, 1).replace("TOKEN", &token(number)));
            page.push('\n');
        }
        page.push_str("</section>\n");
    }
    page + "</body></html>"
}

/// Values on one page.
const BATCH: usize = 40;

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Chromium: cargo xtask test runs it in the group browser"]
async fn two_hundred_payloads_show_as_they_are_in_every_place_and_none_runs() {
    let values = payloads::all();
    assert_eq!(values.iter().collect::<std::collections::HashSet<_>>().len(), 200);
    let harmless: Vec<String> = (0..values.len()).map(|number| format!("Jana {number}")).collect();
    let (house, plain) = (House::new(&values).await, House::new(&harmless).await);
    let browser = watching().await;
    let mut places = 0;
    for first in (0..values.len()).step_by(BATCH) {
        let numbers = first..first + BATCH;
        let path = format!("/out/{first}");
        let want = looked(&browser, &plain.lay_html(&path, page(numbers.clone())), true).await;
        assert_eq!(ran(&want), [""; 0], "the app's own page breaks no policy");
        browser.asked().await.expect("the log");
        let seen = looked(&browser, &house.lay_html(&path, page(numbers.clone())), true).await;
        assert_eq!(ran(&seen), [""; 0], "values {numbers:?}");
        let asked = browser.asked().await.expect("the log");
        assert!(asked.iter().all(|one| one.ends_with(&path) || one.ends_with("/favicon.ico")), "{asked:?}");
        assert!(browser.console().await.expect("the console").iter().all(|line| line.contains("favicon")));
        for what in ["shape", "body"] {
            assert_eq!(seen[what], want[what], "the same elements and attributes, values {numbers:?}");
        }
        assert_eq!(
            seen["again"]["shape"], want["again"]["shape"],
            "also after innerHTML, values {numbers:?}"
        );
        for number in numbers {
            places += compare(&seen, number, &values[number]);
        }
    }
    assert_eq!(places, values.len() * SHOWING.len());
    browser.end().await.expect("an end");
}

/// Holds what each place shows against the value; how many there were.
fn compare(seen: &Value, number: usize, value: &str) -> usize {
    for place in SHOWING {
        let want = expected(place, value);
        let name = format!("{number} {}", place.0);
        assert_eq!(seen["places"][&name].as_str(), Some(want.as_str()), "{name}: {value:?}");
        // A first line break goes lost whenever a browser writes a page down again, whoever made it.
        let loses = value.starts_with(['\n', '\r']) && ["verse", "text area"].contains(&place.0);
        if !loses && !place.0.starts_with("text area on") {
            // So does each carriage return.
            let lines = |text: &str| text.replace("\r\n", "\n").replace('\r', "\n");
            let again = seen["again"]["places"][&name].as_str().map(lines);
            let want = if place.1.starts_with("inner") { want } else { lines(&want) };
            assert_eq!(again, Some(want), "{name}, again: {value:?}");
        }
    }
    SHOWING.len()
}

/// Places where a browser runs, loads or drops what stands there.
const NEVER: &[&str] = &[
    "<script>var a = \"TOKEN\";</script>",
    "<script>var a = 'TOKEN';</script>",
    "<script>var a = `TOKEN`;</script>",
    "<script>/* TOKEN */</script>",
    "<script>// TOKEN\n</script>",
    "<script type=\"application/json\">{\"a\":\"TOKEN\"}</script>",
    "<script type=\"text/template\"><p>TOKEN</p></script>",
    "<svg><script>var b = \"TOKEN\";</script></svg>",
    "<style>p::after{content:\"TOKEN\"}</style>",
    "<style>/* TOKEN */</style>",
    "<svg><style>text{fill:TOKEN}</style></svg>",
    "<!-- TOKEN -->",
    "<!TOKEN>",
    "<?TOKEN?>",
    "<p onclick=\"var a = 'TOKEN'\">x</p>",
    "<p onclick='var a = \"TOKEN\"'>x</p>",
    "<body onload=\"var a = 'TOKEN'\">",
    "<p style=\"color:TOKEN\">x</p>",
    "<iframe srcdoc=\"TOKEN\"></iframe>",
    "<iframe srcdoc='<p>TOKEN</p>'></iframe>",
    "<iframe>TOKEN</iframe>",
    "<noscript>TOKEN</noscript>",
    "<noembed>TOKEN</noembed>",
    "<noframes>TOKEN</noframes>",
    "<xmp>TOKEN</xmp>",
    "<p title=TOKEN>x</p>",
    "<input value=TOKEN>",
    "<input value=a-TOKEN>",
    "<p TOKEN>x</p>",
    "<p TOKEN=\"a\">x</p>",
    "<p data-TOKEN=\"a\">x</p>",
    "<p class=\"TOKEN\" id=\"TOKEN\">x</p>",
    "<p data-other=\"TOKEN\">x</p>",
    "<p x-data=\"{a:'TOKEN'}\" @click=\"TOKEN\" :title=\"TOKEN\" v-html=\"TOKEN\">x</p>",
    "<a href=\"TOKEN\">x</a>",
    "<a href=\" TOKEN\">x</a>",
    "<a href=\"/TOKEN\">x</a>",
    "<a href=\"//TOKEN/?a\">x</a>",
    "<a href=\"/a?b#TOKEN\">x</a>",
    "<a href=\"javascript:a?b='TOKEN'\">x</a>",
    "<a href=\"java&#115;cript:a?'TOKEN'\">x</a>",
    "<a href=\"data:text/html,?TOKEN\">x</a>",
    "<a href=\"https://evil.example/?a=TOKEN\">x</a>",
    "<a href=\"mailto:a@b.example?cc=TOKEN\">x</a>",
    "<a href=\"mailto:TOKEN@b.example\">x</a>",
    "<a ping=\"/a?TOKEN\">x</a>",
    "<form action=\"TOKEN\"></form>",
    "<button formaction=\"TOKEN\">x</button>",
    "<object data=\"TOKEN\"></object>",
    "<embed src=\"TOKEN\">",
    "<iframe src=\"TOKEN\"></iframe>",
    "<img src=\"TOKEN\">",
    "<img srcset=\"/a?TOKEN 2x\">",
    "<link rel=stylesheet href=\"/a?TOKEN\">",
    "<script src=\"/a?TOKEN\"></script>",
    "<base href=\"/a?TOKEN\">",
    "<meta http-equiv=refresh content=\"9;url=/?a=TOKEN\">",
    "<meta http-equiv=\"content-security-policy\" content=\"TOKEN\">",
    "<meta name=referrer content=\"TOKEN\">",
    "<input type=password value=\"TOKEN\">",
    "<param name=a value=\"TOKEN\">",
    "<svg><a xlink:href=\"/a?TOKEN\"><text>x</text></a></svg>",
    "<svg><animate attributeName=href values=\"TOKEN\" /></svg>",
    "<svg><text title=\"TOKEN\">x</text></svg>",
    "<svg><![CDATA[TOKEN]]></svg>",
    "<math><mi href=\"/a?TOKEN\">x</mi></math>",
    "<!doctype TOKEN>",
];

/// More of them, which end with the page alone.
const OPEN: &[&str] =
    &["<p title=\"TOKEN", "<!-- TOKEN", "<style>TOKEN", "<script>var a = \"TOKEN", "<plaintext>TOKEN"];

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Chromium: cargo xtask test runs it in the group browser"]
async fn where_nothing_may_stand_two_hundred_payloads_are_one_and_the_same_mask() {
    let values = payloads::all();
    let house = House::new(&values).await;
    let browser = watching().await;
    let start = house.lay_start();
    browser.open(&start).await.expect("the start");
    let mut masks = 0;
    for (place, html) in NEVER.iter().chain(OPEN).enumerate() {
        let whole = |number: usize| html.replace("TOKEN", &token(number));
        // One page for all of them, or one for each.
        let pages: Vec<String> = match NEVER.contains(html) {
            true => vec![(0..values.len()).map(whole).collect()],
            false => (0..values.len()).map(whole).collect(),
        };
        let lay = |(number, page): (usize, &String)| {
            house.lay_html(&format!("/out/{place}/{number}"), format!("<p>a</p>{page}"))
        };
        let addresses: Vec<String> = pages.iter().enumerate().map(lay).collect();
        let masked = html.replace("TOKEN", "[masked]");
        let want = format!("<p>a</p>{}", masked.repeat(values.len() / pages.len()));
        for body in fetched(&browser, &addresses).await {
            assert_eq!(body, want, "{html}");
            masks += body.matches("[masked]").count();
        }
        // One mask is the same as all others: what the browser makes of one of them it makes of all.
        let address = house.lay_html(&format!("/out/{place}/one"), whole(0));
        let seen = looked(&browser, &address, false).await;
        let control = house.lay_html(&format!("/plain/{place}/one"), masked);
        let control = looked(&browser, &control, false).await;
        let control: Vec<String> = ran(&control).iter().map(|one| one.replace("/plain/", "/out/")).collect();
        assert_eq!(ran(&seen), control, "{html}");
        browser.open(&start).await.expect("the start");
    }
    assert!(masks >= values.len() * (NEVER.len() + OPEN.len()), "{masks}");
    browser.end().await.expect("an end");
}

/// An app that writes what it was given into its pages.
const CARELESS: &str = "<!doctype html><body><p>PAYLOAD</p><b title=\"PAYLOAD\">x</b><b title='PAYLOAD'>x</b>\
    <b title=PAYLOAD>x</b><a href=\"PAYLOAD\">x</a><textarea>PAYLOAD</textarea></body>";

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Chromium: cargo xtask test runs it in the group browser"]
async fn control_without_the_gateways_care_they_run() {
    let values = payloads::all();
    let house = House::new(&values).await;
    let browser = watching().await;
    let harmless = house.lay_html("/plain/harmless", CARELESS.replace("PAYLOAD", "Jana"));
    let harmless = looked(&browser, &harmless, false).await;
    assert_eq!(ran(&harmless), [""; 0]);
    let (mut run, mut seen_at_all, mut quiet) = (0, 0, Vec::new());
    for (number, value) in values.iter().enumerate() {
        let page = CARELESS.replace("PAYLOAD", value);
        let seen = looked(&browser, &house.lay_html(&format!("/plain/{number}"), page), false).await;
        let called = ran(&seen).iter().any(|what| !what.starts_with("policy"));
        run += usize::from(called);
        if called || !ran(&seen).is_empty() || seen["shape"] != harmless["shape"] {
            seen_at_all += 1;
        } else {
            quiet.push(value);
        }
    }
    // The rest needs an older browser, a template language or a spreadsheet.
    assert!(run >= 120 && seen_at_all >= 170, "{run} ran, {seen_at_all} were noticed; not: {quiet:#?}");
    browser.end().await.expect("an end");
}
