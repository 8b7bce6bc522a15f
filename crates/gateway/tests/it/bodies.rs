//! Bodies in all shapes: compressed, in pieces, broken, large, in other charsets.

use crate::house::{House, SECRET, token};
use std::io::Write;

const SHOWN: &str = "Kanarina &lt;Vogelsang&gt;";

fn page() -> String {
    format!("<!doctype html><p>{}</p><p>{}</p><p>{}</p>", token(1), token(2), token(3))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_in_pieces_at_every_byte_is_the_same_page() {
    let house = House::new().await;
    let page = page();
    let want = format!("<!doctype html><p>{SHOWN}</p><p>[masked]</p><p>[erased]</p>");
    for at in 1..page.len() {
        let (one, two) = page.split_at(at);
        let body = format!("{:x}\r\n{one}\r\n{:x}\r\n{two}\r\n0\r\n\r\n", one.len(), two.len());
        house.page("text/html; charset=utf-8\r\ntransfer-encoding: chunked", body);
        let (head, body) = house.get("/page").await;
        assert_eq!(body, want, "{at}: {head}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_rule_looks_into_streams_through_masked_at_every_byte() {
    let house = House::new().await;
    let text = format!("a {} b {}", token(1), token(2));
    for at in 1..text.len() {
        let (one, two) = text.split_at(at);
        let body = format!("{:x}\r\n{one}\r\n{:x}\r\n{two}\r\n0\r\n\r\n", one.len(), two.len());
        house.page("text/plain\r\ntransfer-encoding: chunked", body);
        let (_, body) = house.get("/elsewhere").await;
        assert!(
            body.contains("[masked]") && !body.contains(&token(1)[4..]) && !body.contains(SECRET),
            "{body}"
        );
    }
    house.page("application/octet-stream", &text);
    let (head, body) = house.get("/page").await;
    assert!(!body.contains(&token(1)[4..]) && head.contains("no-store"), "an unknown type masks");
}

#[tokio::test(flavor = "multi_thread")]
async fn encoded_answers_are_decoded_or_refused() {
    let house = House::new().await;
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(page().as_bytes()).expect("written");
    let gzip = gzip.finish().expect("finished");
    house.page("text/html; charset=utf-8\r\ncontent-encoding: gzip", &gzip);
    let (head, body) = house.get("/page").await;
    assert!(body.contains(SHOWN) && !head.to_lowercase().contains("content-encoding"), "{head}");
    assert!(house.app_got().contains("accept-encoding: identity"));
    let (_, body) = house.get("/elsewhere").await;
    assert!(body.contains("[masked]") && !body.contains(&token(1)[4..]), "also where no rule is: {body}");
    house.page("text/html; charset=utf-8\r\ncontent-encoding: gzip", &gzip[..gzip.len() / 2]);
    assert!(house.get("/page").await.0.starts_with("HTTP/1.1 502"));
    house.page("text/html; charset=utf-8\r\ncontent-encoding: compress", &gzip);
    assert!(house.get("/page").await.0.starts_with("HTTP/1.1 502"));
    let mut bomb = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    bomb.write_all(&vec![b' '; 64 << 20]).expect("written");
    house.page("text/html; charset=utf-8\r\ncontent-encoding: gzip", bomb.finish().expect("finished"));
    assert!(house.get("/page").await.0.starts_with("HTTP/1.1 502"));
}

#[tokio::test(flavor = "multi_thread")]
async fn other_charsets_and_broken_text_show_nothing() {
    let house = House::new().await;
    for kind in [
        "text/html; charset=utf-7",
        "text/html; charset=utf-16",
        "text/html; charset=iso-2022-jp",
        "text/xml",
    ] {
        house.page(kind, page());
        let (_, body) = house.get("/page").await;
        assert!(!body.contains("Kanarina") && !body.contains(&token(1)[4..]), "{kind}: {body}");
    }
    // Where a token cannot be seen, nothing goes out at all.
    let wide: Vec<u8> = page().encode_utf16().flat_map(u16::to_le_bytes).collect();
    let marked = [&[0xff, 0xfe], &wide[..]].concat();
    let far = page().replace("<p>", "<p>ö");
    for (kind, body) in [
        ("text/html; charset=utf-16le", &wide),
        ("text/html", &marked),
        ("text/html; charset=utf-8", &wide),
        ("text/csv", &wide),
        ("text/plain", &marked),
        ("application/xml", &wide),
        ("text/plain; charset=ibm037", &wide),
        (
            "text/html; charset=utf-8\r\ntransfer-encoding: chunked",
            &[b"5\r\n", &wide[..5], b"\r\n0\r\n\r\n"].concat(),
        ),
    ] {
        house.page(kind, body);
        let (head, body) = house.get("/page").await;
        assert!(head.starts_with("HTTP/1.1 502") && body.contains("app_charset"), "{kind}: {head}");
        assert!(!body.contains("o\0b\0h"), "{kind}");
    }
    for kind in ["text/plain; charset=iso-8859-1", "image/png", "text/plain"] {
        house.page(kind, &far);
        let (head, body) = house.get("/page").await;
        assert!(head.starts_with("HTTP/1.1 200") && body.contains("[masked]"), "{kind}: {head}");
    }
    house.page("text/html; charset=utf-16le", &wide);
    assert!(house.get("/elsewhere").await.0.starts_with("HTTP/1.1 200"), "no rule speaks of it");
    house.page("text/html; charset=utf-8", [page().as_bytes(), b"\xff\xfe"].concat());
    assert!(!house.get("/page").await.1.contains("Kanarina"));
    house.page("application/json", format!("{{\"a\":\"{}\"", token(1)));
    assert!(!house.get("/page").await.1.contains("Kanarina"), "broken JSON");
    // Without a charset ours is said, so that nobody guesses another.
    house.page("text/html", page());
    let (head, body) = house.get("/page").await;
    assert!(body.contains(SHOWN) && head.contains("text/html; charset=utf-8"), "{head}");
}

#[tokio::test(flavor = "multi_thread")]
async fn large_bodies_pass_and_show_nothing() {
    let house = House::new().await;
    let filler = "x".repeat(1 << 20);
    let large = format!("{}{}", filler.repeat(100), page());
    house.page("text/html; charset=utf-8", &large);
    let (head, body) = house.get("/page").await;
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    // The framing is the gateway's own, since what it says of the length of a page that may change is not kept.
    let kept = body.matches('x').count();
    assert_eq!(kept, 100 << 20, "all of its bytes");
    assert!(body.contains("[masked]") && !body.contains("Kanarina") && !body.contains(&token(1)[4..]));
    // On the way in they go on piece by piece, and are looked at.
    house.answers("200 OK", "ok");
    let (head, _) = house.ask("POST /elsewhere", &["Content-Type: text/plain"], filler.repeat(100)).await;
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    let (head, _) = house.ask("POST /save/1", &["Content-Type: text/plain"], filler.repeat(2)).await;
    assert!(head.starts_with("HTTP/1.1 413"), "a rule's body has its limit: {head}");
}

#[tokio::test(flavor = "multi_thread")]
async fn telephone_tokens_pass_nowhere_and_dates_not_where_they_may_be_tokens() {
    let house = House::new().await;
    let text = "a +999000000000017 b &#43;999000000000018. 0+9990000000000190";
    for (path, kind) in [("/page", "text/html"), ("/page", "text/plain"), ("/elsewhere", "text/plain")] {
        let (one, two) = text.split_at(12);
        let body = format!("{:x}\r\n{one}\r\n{:x}\r\n{two}\r\n0\r\n\r\n", one.len(), two.len());
        house.page(&format!("{kind}\r\nx-note: +999000000000017\r\ntransfer-encoding: chunked"), body);
        let (head, body) = house.get(path).await;
        assert!(!body.contains("00000000017") && !body.contains("00000000018"), "{path} {kind}: {body}");
        assert!(body.contains("+9990000000000190"), "one digit more is a number: {body}");
        assert!(head.contains("x-note: masked"), "{head}");
    }
    let page = "<td>3001-02-03</td><p>until 3001-02-03</p>";
    house.answers("200 OK\r\ncontent-type: text/html", page);
    assert_eq!(house.get("/born").await.1, "<td>[masked]</td><p>until 3001-02-03</p>", "nobody is asked for");
    assert_eq!(house.get("/page").await.1, page, "no rule has dates");
    house.page("text/html", page);
    assert_eq!(house.get("/born").await.1, page, "the vault knows that it is none");
    *house.relay.fails.lock() = Some(gateway::messages::RelayError::Sealed);
    assert_eq!(
        house.get("/born").await.1,
        "<td>[masked]</td><p>until 3001-02-03</p>",
        "the vault is asked in vain"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn events_stream_where_the_route_lets_them() {
    let event = format!("data: {}\n\n", token(1));
    let (this, passing) = ("path = \"/page\"\n", "path = \"/page\"\npass = [\"events\"]\n");
    for (instead, is_let) in [(this, false), (passing, true)] {
        let house = House::new_with(this, instead).await;
        house.answers("200 OK\r\nx-user: lead; role=lead\r\ncontent-type: text/event-stream", &event);
        let (head, body) = house.get("/page").await;
        assert_eq!(head.starts_with("HTTP/1.1 200"), is_let, "{head}");
        assert_eq!(body.contains("app_events"), !is_let, "{body}");
        assert_eq!(body.contains("data: [masked]"), is_let, "{body}");
        let (head, body) = house.get("/elsewhere").await;
        assert!(head.starts_with("HTTP/1.1 200") && body.contains("data: [masked]"), "{head}{body}");
    }
}
