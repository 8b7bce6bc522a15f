//! Pages that nobody would write: where the relay's tokeniser and the browser's might part ways. Whatever the relay
//! takes for text must be text to the browser.

use crate::house::{House, token};
use crate::{fetched, watching};
use model::Entropy;
use serde_json::json;
use testkit::SeededEntropy;
use testkit::browser::Browser;

const PAGES: usize = 4_000;

const PIECES: &[&str] = &[
    "<p>",
    "</p>",
    "<b>",
    "</b>",
    "<a>",
    "</a>",
    "<br>",
    "</br>",
    "<pre>",
    "<listing>",
    "<form>",
    "</form>",
    "<svg>",
    "</svg>",
    "<svg/>",
    "<svg class=x />",
    "<math/>",
    "<desc/>",
    "<title/>",
    "<script/>",
    "<math>",
    "</math>",
    "<mtext>",
    "<mi>",
    "<mglyph>",
    "<malignmark>",
    "<annotation-xml>",
    "<annotation-xml encoding=text/html>",
    "<foreignObject>",
    "</foreignObject>",
    "<desc>",
    "</desc>",
    "<title>",
    "</title>",
    "<textarea>",
    "</textarea>",
    "<style>",
    "</style>",
    "<script>",
    "</script>",
    "<script><!--<script>",
    "<xmp>",
    "</xmp>",
    "<iframe>",
    "</iframe>",
    "<noembed>",
    "</noembed>",
    "<noframes>",
    "</noframes>",
    "<noscript>",
    "</noscript>",
    "<plaintext>",
    "<template>",
    "</template>",
    "<select>",
    "</select>",
    "<option>",
    "<table>",
    "</table>",
    "<tr>",
    "<td>",
    "<caption>",
    "<colgroup>",
    "<frameset>",
    "<head>",
    "</head>",
    "<body>",
    "</body>",
    "<html>",
    "</html>",
    "<!doctype html>",
    "<!doctype html SYSTEM \"",
    "<!--",
    "-->",
    "--!>",
    "<!-->",
    "<!--->",
    "<![CDATA[",
    "]]>",
    "<?x ",
    "<!x ",
    "<",
    ">",
    "</",
    "/",
    "=",
    "\"",
    "'",
    "`",
    " ",
    "\n",
    "x",
    "&lt;",
    "&#60;",
    "<p title=\"",
    "<p title='",
    "<p title=",
    "<p onclick=\"",
    "<a href=\"?a=",
    "<a href=\"mailto:",
    "<a href=\"",
    "<input value=\"",
    "<input type=password value=\"",
    "<p style=\"",
    "<iframe srcdoc=\"",
    "<svg title=\"",
    "<font color=\"",
    "\">",
    "'>",
    "/>",
    "<p title=\"</textarea>\">",
    "<p title=\"-->\">",
    "<p title=\"<script>\">",
];

/// Pages with a token at one or more places each, the same each time.
fn pages() -> Vec<String> {
    let entropy = SeededEntropy::new(14);
    let below = |most: usize| {
        let mut bytes = [0; 8];
        entropy.fill(&mut bytes);
        usize::try_from(u64::from_le_bytes(bytes) % most as u64).expect("below")
    };
    let page = |_| {
        let mut page = String::new();
        for _ in 0..2 + below(9) {
            page.push_str(PIECES[below(PIECES.len())]);
            if below(3) == 0 {
                page.push_str("TOKEN");
            }
        }
        page + "TOKEN"
    };
    (0..PAGES).map(page).collect()
}

/// For each page, where the value stands that the relay should not have put there.
const JUDGE: &str = r#"
const [pages, word] = arguments;
const dead = ["xmp", "iframe", "noembed", "noframes", "noscript", "plaintext"];
const runs = ["script", "style"];
function isDead(element) {
  if (!element) return false;
  return runs.includes(element.localName) || (dead.includes(element.localName) && element.namespaceURI.endsWith("xhtml"));
}
const shown = ["title", "alt", "placeholder", "label", "aria-label", "summary", "abbr", "value", "content", "datetime"];
function judge(node, faults) {
  if (node.nodeType === Node.TEXT_NODE) {
    if (node.data.includes(word) && isDead(node.parentNode)) faults.push(node.parentNode.localName);
  } else if (node.nodeType === Node.ELEMENT_NODE) {
    if (node.localName.includes(word.toLowerCase())) faults.push("name of an element");
    for (const one of node.attributes) {
      if (one.name.includes(word.toLowerCase())) faults.push("name of an attribute");
      if (!one.value.includes(word) || shown.includes(one.name)) continue;
      const before = one.value.slice(0, one.value.indexOf(word));
      const leads = ["href", "action", "formaction", "src"].includes(one.name);
      if (!leads || !(before.includes("?") || before === "mailto:")) faults.push(one.name);
    }
    if (node.localName === "input" && node.type === "password" && node.value.includes(word)) faults.push("password");
  } else if ((node.data ?? node.name ?? "").includes(word) || (node.systemId ?? "").includes(word)) {
    faults.push("comment or document type");
  }
  for (const child of (node.content instanceof DocumentFragment ? node.content : node).childNodes) judge(child, faults);
}
const frame = document.createElement("iframe");
document.body.append(frame);
const judged = pages.map((page) => {
  const root = frame.contentDocument;
  root.open();
  root.write(page);
  root.close();
  const faults = [];
  judge(root, faults);
  return faults.join(", ");
});
frame.remove();
return judged;
"#;

async fn judged(browser: &Browser, pages: &[String]) -> Vec<String> {
    let judged = browser.run(JUDGE, vec![json!(pages), json!("Kanarina")]).await.expect("a verdict");
    serde_json::from_value(judged).expect("words")
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Chromium: cargo xtask test runs it in the group browser"]
async fn what_the_relay_takes_for_text_is_text_to_the_browser() {
    let house = House::new(&["Kanarina".to_owned()]).await;
    let browser = watching().await;
    let pages = pages();
    let (mut shown, mut bad, mut noticed) = (0, Vec::new(), 0);
    for (number, some) in pages.chunks(200).enumerate() {
        browser.open(&house.lay_start()).await.expect("the start");
        let lay = |(at, page): (usize, &String)| {
            let body = page.replace("TOKEN", &token(0));
            house.lay(&format!("/out/{number}/{at}"), "text/html; charset=utf-8", &[], body)
        };
        let addresses: Vec<String> = some.iter().enumerate().map(lay).collect();
        let bodies = fetched(&browser, &addresses).await;
        shown += bodies.iter().filter(|body| body.contains("Kanarina")).count();
        let verdicts = judged(&browser, &bodies).await;
        let faults = verdicts.iter().zip(&bodies).filter(|(fault, _)| !fault.is_empty());
        bad.extend(faults.map(|(fault, body)| format!("{fault}: {body:?}")));
        // The control: the value in the place of every token.
        let filled: Vec<String> = some.iter().map(|page| page.replace("TOKEN", "Kanarina")).collect();
        noticed += judged(&browser, &filled).await.iter().filter(|fault| !fault.is_empty()).count();
    }
    assert!(bad.is_empty(), "{} of {PAGES}: {:#?}", bad.len(), &bad[..bad.len().min(20)]);
    assert!(shown > PAGES / 4, "{shown} pages show the value at all");
    assert!(noticed > PAGES / 4, "{noticed} would have been noticed");
    browser.end().await.expect("an end");
}
