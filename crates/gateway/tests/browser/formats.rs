//! JSON, CSV, headers, and what no rule can look into.

use crate::house::{House, token};
use crate::{fetched, looked, payloads, ran, watching};
use serde_json::{Value, json};
use testkit::browser::Browser;

/// Two houses of the same pages: one with the payloads, one with harmless names.
async fn houses() -> (Vec<String>, House, House) {
    let values = payloads::all();
    let harmless: Vec<String> = (0..values.len()).map(|number| format!("Jana {number}")).collect();
    (values.clone(), House::new(&values).await, House::new(&harmless).await)
}

/// Opens an address as a page of its own; what ran, and the elements that there are.
async fn as_a_page(browser: &Browser, address: &str) -> (Vec<String>, Value) {
    let seen = looked(browser, address, false).await;
    (ran(&seen), seen["shape"].clone())
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Chromium: cargo xtask test runs it in the group browser"]
async fn json_reads_back_as_it_was_and_is_no_page() {
    let (values, house, plain) = houses().await;
    let browser = watching().await;
    let list = |with: &dyn Fn(usize) -> String| {
        let list: Vec<Value> = (0..values.len())
            .map(|number| json!({"a": with(number), "b": [format!("x {} y", with(number))]}))
            .collect();
        json!(list)
    };
    let body = list(&token).to_string();
    for kind in ["application/json", "application/json; charset=utf-8", "application/problem+json"] {
        let address = house.lay("/out/list", kind, &[], body.clone());
        browser.open(&house.lay_start()).await.expect("the start");
        let text = fetched(&browser, std::slice::from_ref(&address)).await.remove(0);
        let read: Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(read, list(&|number| values[number].clone()), "{kind}");
        assert!(!text.contains(['<', '>', '&']), "{kind}: nothing that a page could be made of");
        // Even where somebody puts the answer into a page as if it were one.
        let script = "const before = document.body.innerHTML.length; const box = document.createElement('p');
            box.innerHTML = arguments[0]; document.body.append(box); return box.children.length";
        assert_eq!(browser.run(script, vec![json!(text)]).await.expect("a count"), json!(0), "{kind}");
        let harmless = plain.lay("/out/list", kind, &[], body.clone());
        let want = as_a_page(&browser, &harmless).await;
        assert_eq!(as_a_page(&browser, &address).await, want, "{kind}");
    }
    browser.end().await.expect("an end");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Chromium: cargo xtask test runs it in the group browser"]
async fn cells_read_back_as_they_were_and_none_is_computed() {
    let (values, house, _) = houses().await;
    let browser = watching().await;
    browser.open(&house.lay_start()).await.expect("the start");
    for (delimiter, ending) in [(b',', "\r\n"), (b';', "\n"), (b'\t', "\n")] {
        let cut = char::from(delimiter);
        let mut body = format!("no{cut}name{cut}more{ending}");
        for number in 0..values.len() {
            body.push_str(&format!("{number}{cut}{}{cut}a {} b{ending}", token(number), token(number)));
        }
        let address = house.lay("/out/list", "text/csv", &[], body);
        let text = fetched(&browser, &[address]).await.remove(0);
        let mut reader = csv::ReaderBuilder::new().delimiter(delimiter).from_reader(text.as_bytes());
        let rows: Vec<csv::StringRecord> = reader.records().collect::<Result<_, _>>().expect("rows");
        assert_eq!(rows.len(), values.len());
        for (number, (row, value)) in rows.iter().zip(&values).enumerate() {
            assert_eq!(row.len(), 3, "{value:?}");
            assert_eq!(&row[0], number.to_string());
            assert_eq!(
                row[1].strip_prefix('\'').unwrap_or(&row[1]),
                value.strip_prefix('\'').unwrap_or(value)
            );
            assert!(
                !row[1].starts_with(['=', '+', '-', '@', '\t', '\r', '\n']),
                "{value:?} would be computed"
            );
            assert_eq!(row[2], format!("a {value} b"));
        }
    }
    browser.end().await.expect("an end");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Chromium: cargo xtask test runs it in the group browser"]
async fn a_header_stays_one_header() {
    let (values, house, _) = houses().await;
    let browser = watching().await;
    browser.open(&house.lay_start()).await.expect("the start");
    for (kind, filled) in [("text/html", true), ("application/json", true), ("text/plain", false)] {
        let lay = |(number, _): (usize, &String)| {
            let given = format!("a {} b", token(number));
            let headers = [("x-name", given.as_str()), ("x-other", given.as_str())];
            house.lay(&format!("/out/{number}"), kind, &headers, "{}")
        };
        let addresses: Vec<String> = values.iter().enumerate().map(lay).collect();
        let script = "const [addresses, done] = arguments;
            const ask = async (one) => [...(await __fetch(one)).headers].filter(([name]) => name !== 'date');
            Promise.all(addresses.map(ask)).then(done, (error) => done(String(error)))";
        let seen = browser.run_until_done(script, vec![json!(addresses)]).await.expect("headers");
        let seen: Vec<Vec<(String, String)>> = serde_json::from_value(seen).expect("headers");
        assert_eq!(seen.len(), values.len());
        let names =
            |headers: &[(String, String)]| headers.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
        for (headers, value) in seen.iter().zip(&values) {
            assert_eq!(names(headers), names(&seen[0]), "{value:?}");
            let of =
                |wanted: &str| headers.iter().find(|(name, _)| name == wanted).map(|(_, text)| text.as_str());
            assert_eq!(of("x-other"), Some("a masked b"), "no rule names it");
            let plain = |char: char| {
                if char.is_ascii_graphic() && !"\"\\,;".contains(char) || char == ' ' { char } else { '_' }
            };
            let shown: String = value.chars().map(plain).collect();
            let want = if filled { format!("a {shown} b") } else { "a masked b".to_owned() };
            assert_eq!(of("x-name"), Some(want.as_str()), "{kind}");
        }
    }
    browser.end().await.expect("an end");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Chromium: cargo xtask test runs it in the group browser"]
async fn what_no_rule_can_look_into_is_the_same_for_every_payload() {
    let (values, house, plain) = houses().await;
    let browser = watching().await;
    let tokens: String = (0..values.len()).map(|number| format!("<p>{}</p>\n", token(number))).collect();
    let drawing = format!("<svg xmlns=\"http://www.w3.org/2000/svg\"><text>{tokens}</text></svg>");
    let page = format!("<html xmlns=\"http://www.w3.org/1999/xhtml\"><body>{tokens}</body></html>");
    for (kind, body) in [
        ("text/plain", &tokens),
        ("text/javascript", &tokens),
        ("text/css", &tokens),
        ("application/octet-stream", &tokens),
        ("image/svg+xml", &drawing),
        ("application/xhtml+xml", &page),
        ("text/xml", &page),
        ("text/html; charset=utf-7", &tokens),
        ("text/html; charset=utf-16", &tokens),
        ("text/html; charset=iso-2022-jp", &tokens),
        ("text/html; charset=iso-2022-kr", &tokens),
        ("text/html; charset=hz-gb-2312", &tokens),
        ("text/html; charset=windows-1252", &tokens),
        ("text/html; charset=x-user-defined", &tokens),
        ("", &tokens),
    ] {
        let headers = [("x-frame-options", "DENY")];
        let one = house.lay("/out/page", kind, &headers, body.clone());
        let other = plain.lay("/out/page", kind, &headers, body.clone());
        browser.open(&house.lay_start()).await.expect("the start");
        let seen = fetched(&browser, &[one]).await;
        browser.open(&plain.lay_start()).await.expect("the start");
        assert_eq!(seen, fetched(&browser, &[other]).await, "{kind}");
        assert!(!seen[0].contains("alert"), "{kind}");
    }
    browser.end().await.expect("an end");
}
