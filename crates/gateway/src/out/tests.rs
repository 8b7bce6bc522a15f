use super::*;
use model::Entropy;
use model::catalogue::TokenFormat;
use proptest::prelude::*;

struct Seed(u8);
impl Entropy for Seed {
    fn fill(&self, into: &mut [u8]) {
        into.fill(self.0);
    }
}

fn token(seed: u8) -> (StorageToken, String) {
    let token = StorageToken::generate(TokenFormat::Opaque, &Seed(seed));
    (token, token.format(TokenFormat::Opaque))
}

const NASTY: &str = "</script><img src=x onerror=alert(1)>'\"`&amp;{{7*7}}";

fn show(kind: Kind, page: &str, value: Shown) -> String {
    let (token, text) = token(7);
    let page = Page::read(
        kind,
        page.replace("TOKEN", &text).into_bytes(),
        &Formats::default(),
        &["data-name".to_owned()],
    );
    let shown = HashMap::from([(token, value)]);
    let typed = HashMap::new();
    let asked = page.wanted();
    let (out, _) = page.write(&Known { shown: &shown, typed: &typed, formats: Formats::default() });
    let out = String::from_utf8(out).expect("text");
    assert!(!out.contains(&text), "no token passes: {out}");
    assert!(asked.len() <= 1);
    out
}

fn clear(text: &str) -> Shown {
    Shown::Clear(Zeroizing::new(text.to_owned()))
}

#[test]
fn text_and_quoted_attributes_are_filled_and_escaped() {
    let safe = "&lt;/script&gt;&lt;img src=x onerror=alert(1)&gt;&#39;&quot;&#96;&amp;amp;{{7*7}}";
    for (page, want) in [
        ("<p>a TOKEN b</p>", format!("<p>a {safe} b</p>")),
        ("<title>TOKEN</title>", format!("<title>{safe}</title>")),
        ("<textarea>TOKEN</textarea>", format!("<textarea>{safe}</textarea>")),
        ("<input value=\"TOKEN\">", format!("<input value=\"{safe}\">")),
        ("<input value='TOKEN'>", format!("<input value='{safe}'>")),
        ("<a title=\"x TOKEN\">", format!("<a title=\"x {safe}\">")),
        ("<b data-name=\"TOKEN\">", format!("<b data-name=\"{safe}\">")),
        ("<svg><text>TOKEN</text></svg>", format!("<svg><text>{safe}</text></svg>")),
    ] {
        assert_eq!(show(Kind::Html, page, clear(NASTY)), want);
    }
}

#[test]
fn places_where_nothing_may_stand_are_masked() {
    for page in [
        "<script>let a = 'TOKEN';</script>",
        "<script type=\"application/json\">{\"a\":\"TOKEN\"}</script>",
        "<style>TOKEN{}</style>",
        "<!-- TOKEN -->",
        "<p onclick=\"a('TOKEN')\">",
        "<p style=\"content:'TOKEN'\">",
        "<iframe srcdoc=\"TOKEN\"></iframe>",
        "<iframe>TOKEN</iframe>",
        "<noscript>TOKEN</noscript>",
        "<xmp>TOKEN</xmp>",
        "<plaintext>TOKEN",
        "<input value=TOKEN>",
        "<p TOKEN=\"a\">",
        "<p title=TOKEN>",
        "<p x-data=\"{a:'TOKEN'}\">",
        "<p @click=\"TOKEN\">",
        "<p data-other=\"TOKEN\">",
        "<a href=\"TOKEN\">",
        "<a href=\"javascript:a?b='TOKEN'\">",
        "<a href=\"java&#115;cript:a?TOKEN\">",
        "<a href=\"//evil.example/?a=TOKEN\">",
        "<a href=\"https://evil.example/?a=TOKEN\">",
        "<a href=\"\\\\evil.example/?a=TOKEN\">",
        "<a href=\"/workers/TOKEN\">",
        "<a href=\"/a?b#TOKEN\">",
        "<a href=\"mailto:a@b.example?cc=TOKEN\">",
        "<script src=\"/a?b=TOKEN\"></script>",
        "<img src=\"//evil.example/?TOKEN\">",
        "<meta http-equiv=\"refresh\" content=\"0;url=/?a=TOKEN\">",
        "<input type=password value=\"TOKEN\">",
        "<svg><a xlink:href=\"/a?TOKEN\"></a></svg>",
        "<svg><style>TOKEN</style></svg>",
        "<!doctype TOKEN>",
        "<![CDATA[TOKEN]]>",
        "<svg><![CDATA[TOKEN]]></svg>",
        "<p title=\"TOKEN",
    ] {
        let out = show(Kind::Html, page, clear("Kanarina"));
        assert!(!out.contains("Kanarina") && out.contains("[masked]"), "{page} became {out}");
    }
}

#[test]
fn a_masked_name_is_still_a_name() {
    for (page, want) in [
        ("<TOKEN>x", "<masked>x"),
        ("</TOKEN>", "</masked>"),
        ("<TOKEN<script/>x", "<masked<script/>x"),
        ("<p TOKEN>", "<p [masked]>"),
    ] {
        assert_eq!(show(Kind::Html, page, clear("Kanarina")), want);
    }
}

#[test]
fn addresses_are_filled_where_they_lead_nowhere_else() {
    for (page, want) in [
        ("<a href=\"/find?name=TOKEN\">", "<a href=\"/find?name=a%26b%20%22%3Cc\">"),
        ("<a href=\"?name=TOKEN&x=1\">", "<a href=\"?name=a%26b%20%22%3Cc&x=1\">"),
        ("<a href=\"mailto:TOKEN\">", "<a href=\"mailto:a%26b%20%22%3Cc\">"),
        ("<a href=\"tel:TOKEN\">", "<a href=\"tel:a%26b%20%22%3Cc\">"),
        ("<form action=\"/s?n=TOKEN\">", "<form action=\"/s?n=a%26b%20%22%3Cc\">"),
    ] {
        assert_eq!(show(Kind::Html, page, clear("a&b \"<c")), want);
    }
}

/// A query, a cell and a text of nothing but dates: a look at all that stands before each of them was its square.
#[test]
fn many_tokens_in_one_place_are_read_once() {
    let formats = Formats::of([TokenFormat::Date, TokenFormat::Digits(6)]);
    let (many, most) = ("3000-01-01+123456+".repeat(1 << 15), "3000-01-01+123456+".repeat(1 << 19));
    for (kind, page) in [
        (Kind::Html, format!("<a href=\"/find?q={most}\">x</a>")),
        (Kind::Html, format!("<a href=\"mailto:{many}\" title='{many}'>{many}</a>")),
        (Kind::Json, format!("[\"{many}\"]")),
        (Kind::Json, format!("[{}0]", "\"3000-01-01\",".repeat(1 << 15))),
        (Kind::Csv, many.replace('+', ",")),
        (Kind::Csv, many.replace('+', "\n")),
        (Kind::Csv, many.clone()),
    ] {
        let page = Page::read(kind, page.into_bytes(), &formats, &[]);
        assert!(page.found.len() >= 1 << 15);
        let known = Known { shown: &HashMap::new(), typed: &HashMap::new(), formats: Formats::default() };
        let (out, _) = page.write(&known);
        assert!(out.len() > 1 << 18);
    }
}

#[test]
fn drawings_in_each_other_without_end_show_nothing() {
    let nested =
        |count: usize| show(Kind::Html, &format!("<p>TOKEN</p>{}", "<svg>".repeat(count)), clear("Kanarina"));
    assert!(nested(100).contains("Kanarina"));
    assert_eq!(nested(1 << 19).matches("[masked]").count(), 1);
}

#[test]
fn what_a_browser_would_drop_is_written_so_that_it_stays() {
    assert_eq!(show(Kind::Html, "<p>TOKEN</p>", clear("a\r\nb\0")), "<p>a&#13;\nb\u{fffd}</p>");
    for tag in ["textarea", "pre", "listing"] {
        let page = format!("<{tag} class=\"a>b\">TOKEN</{tag}>");
        let want = page.replace("TOKEN", "\n\nb");
        assert_eq!(show(Kind::Html, &page, clear("\nb")), want, "the first line break goes lost");
        assert_eq!(show(Kind::Html, &page, clear("a\nb")), page.replace("TOKEN", "a\nb"));
    }
    assert_eq!(show(Kind::Html, "<pre><b>TOKEN</b></pre>", clear("\nb")), "<pre><b>\nb</b></pre>");
}

#[test]
fn a_drawing_that_closes_itself_hides_no_script() {
    for page in [
        "<svg/><script>let a = 'TOKEN';</script>",
        "<svg /><script>let a = '<p title=\"TOKEN\">';</script>",
        "<math/><style>TOKEN{}</style>",
        "<svg class=icon /> x <script>a</script><p onclick=\"a\">TOKEN</p>",
        "<svg><svg><p>x</p><script>'<p title=\"TOKEN\">'</script></svg></svg>",
        "<svg><xmp>TOKEN</xmp></svg>",
    ] {
        let out = show(Kind::Html, page, clear("Kanarina"));
        assert!(!out.contains("Kanarina") && out.contains("[masked]"), "{page} became {out}");
    }
    for page in ["<svg/><p>TOKEN</p>", "<svg/>TOKEN", "<p><svg /><b>x</b><script>a</script>TOKEN</p>"] {
        assert!(show(Kind::Html, page, clear("Kanarina")).contains("Kanarina"), "{page}");
    }
}

#[test]
fn a_page_whose_addresses_are_another_hosts_fills_none() {
    let page = |base: &str| format!("<base href=\"{base}\"><a href=\"?name=TOKEN\">x</a><p>TOKEN</p>");
    for base in
        ["https://evil.example/", "//evil.example", "&#47;/evil.example", "\\\\evil.example", "http:a"]
    {
        let out = show(Kind::Html, &page(base), clear("Kanarina"));
        assert!(out.contains("?name=[masked]") && out.contains("<p>Kanarina"), "{out}");
    }
    assert!(show(Kind::Html, &page("/app/"), clear("Kanarina")).contains("?name=Kanarina"));
}

#[test]
fn a_rule_cannot_declare_what_a_browser_obeys() {
    for name in ["data-name", "data-user-email", "caption", "fullname"] {
        assert!(html::is_declarable(name), "{name}");
    }
    for name in [
        "onclick",
        "style",
        "srcdoc",
        "href",
        "data",
        "ping",
        "@click",
        ":title",
        "v-html",
        "x-data",
        "ng-bind",
        "data-bind",
        "hx-vals",
        "data-hx-on-click",
        "xlink:href",
        "http-equiv",
        "formaction",
        "content",
    ] {
        assert!(!html::is_declarable(name), "{name}");
    }
}

#[test]
fn masks_and_view_tokens() {
    let masked = || Shown::Masked(Some("obv_1".to_owned()));
    assert_eq!(show(Kind::Html, "<p>TOKEN</p>", masked()), "<p>[masked]</p>");
    assert_eq!(show(Kind::Html, "<input value=\"TOKEN\">", masked()), "<input value=\"obv_1\">");
    assert_eq!(show(Kind::Html, "<textarea>TOKEN</textarea>", masked()), "<textarea>obv_1</textarea>");
    assert_eq!(show(Kind::Html, "<title>TOKEN</title>", masked()), "<title>[masked]</title>");
    let partial = || Shown::Partial(Zeroizing::new("J. M.".to_owned()), Some("obv_1".to_owned()));
    assert_eq!(
        show(Kind::Html, "<p>TOKEN</p><input value=\"TOKEN\">", partial()),
        "<p>J. M.</p><input value=\"obv_1\">"
    );
    assert_eq!(show(Kind::Html, "<p>TOKEN</p>", Shown::Erased), "<p>[erased]</p>");
    assert_eq!(show(Kind::Json, r#"{"a":"TOKEN"}"#, Shown::Erased), r#"{"a":"[erased]"}"#);
}

#[test]
fn json_strings_are_filled_and_names_are_not() {
    let out = show(Kind::Json, r#"{"a":"x TOKEN","b":[1.50,"TOKEN"]}"#, clear("</b>\"ü"));
    assert_eq!(out, r#"{"a":"x \u003c/b\u003e\"ü","b":[1.50,"\u003c/b\u003e\"ü"]}"#);
    assert_eq!(show(Kind::Json, r#"{"TOKEN":1}"#, clear("x")), r#"{"[masked]":1}"#);
    assert!(show(Kind::Json, r#"{"a":"TOKEN""#, clear("x")).contains("[masked]"), "broken JSON masks");
    assert!(show(Kind::Json, r#"{"a":"TOKEN","a":"TOKEN"}"#, clear("x")).contains("[masked]"));
}

#[test]
fn cells_are_quoted_and_defused() {
    let out = show(Kind::Csv, "no,name\r\n1,TOKEN\r\n", clear("=HYPERLINK(\"x\"),y"));
    assert_eq!(out, "no,name\r\n1,\"'=HYPERLINK(\"\"x\"\"),y\"\r\n");
    assert_eq!(show(Kind::Csv, "1;TOKEN\n", clear("a;b")), "1;\"a;b\"\n");
    for value in ["+1", "-1", "@SUM(1)", "\t=1", "\r=1", "\n=1", "\u{ff1d}1"] {
        let out = show(Kind::Csv, "1,TOKEN\n", clear(value));
        assert!(out.trim_start_matches("1,").trim_start_matches('"').starts_with('\''), "{out}");
    }
}

/// What a review found: with nobody signed in, dates and numbers that are tokens went out as they were.
#[test]
fn a_date_that_nobody_was_asked_about_is_masked_where_it_stands_alone() {
    let all = Formats::of([TokenFormat::Date, TokenFormat::Digits(6)]);
    let with = |kind: Kind, page: &str, formats: Formats, answer: Option<Shown>| {
        let page = Page::read(kind, page.as_bytes().to_vec(), &all, &[]);
        let shown: HashMap<_, _> = answer
            .iter()
            .flat_map(|answer| page.wanted().into_iter().map(|one| (one, answer.clone())))
            .collect();
        let (out, tally) = page.write(&Known { shown: &shown, typed: &HashMap::new(), formats });
        (String::from_utf8(out).expect("text"), tally.masked)
    };
    let page = "<td>3001-02-03</td><td> 123456 </td><p>from 3001-02-03 to 123456</p><script>a(123456,'123456')</script>";
    let (out, masked) = with(Kind::Html, page, all, None);
    assert_eq!(
        (out.as_str(), masked),
        (
            "<td>[masked]</td><td> [masked] </td><p>from 3001-02-03 to 123456</p><script>a(123456,'[masked]')</script>",
            3
        )
    );
    assert_eq!(
        with(Kind::Html, page, all, Some(Shown::Erased)).0,
        page,
        "the vault says that these are no tokens"
    );
    assert_eq!(with(Kind::Html, page, Formats::default(), None).0, page, "no rule has these formats");
    let json = r#"{"a":"3001-02-03","b":123456,"c":"x 123456"}"#;
    assert_eq!(with(Kind::Json, json, all, None).0, r#"{"a":"[masked]","b":123456,"c":"x 123456"}"#);
    let csv = "3001-02-03,x 123456,123456\n";
    assert_eq!(with(Kind::Csv, csv, all, None).0, "[masked],x 123456,[masked]\n");
    let clear = Some(clear("1990-01-01"));
    assert_eq!(with(Kind::Csv, csv, all, clear.clone()).0, "1990-01-01,x 123456,1990-01-01\n");
    assert!(with(Kind::Html, page, all, clear).0.starts_with("<td>1990-01-01</td>"));
}

#[test]
fn wrong_charsets_and_types_are_none() {
    assert_eq!(Kind::of("text/html; charset=utf-7"), None);
    assert_eq!(Kind::of("text/html; charset=\"UTF-8\""), Some(Kind::Html));
    assert_eq!(Kind::of("text/html"), Some(Kind::Html));
    assert_eq!(Kind::of("application/problem+json"), Some(Kind::Json));
    assert_eq!(Kind::of("application/xhtml+xml"), None);
    assert_eq!(Kind::of("text/javascript"), None);
    let (_, text) = token(7);
    let mut latin = format!("<p>{text}</p>").into_bytes();
    latin.push(0xe4);
    let page = Page::read(Kind::Html, latin, &Formats::default(), &[]);
    assert_eq!(page.wanted(), []);
}

#[test]
fn a_header_holds_no_line() {
    assert_eq!(for_header("Jörg\r\nX: \"y\""), "J_rg__X: _y_");
}

proptest! {
    /// Whatever the value, the tokeniser sees the same elements and attributes as with a plain one.
    #[test]
    fn no_value_changes_the_structure(value in any::<String>()) {
        let page = "<ul><li title='TOKEN'>TOKEN</li><li><input value=\"TOKEN\"><textarea>TOKEN</textarea></li></ul>";
        let shape = |html: &str| {
            let seen = std::cell::RefCell::new(String::new());
            let element = lol_html::element!("*", |element| {
                seen.borrow_mut().push_str(&element.tag_name());
                for attribute in element.attributes() { seen.borrow_mut().push_str(&attribute.name()); }
                Ok(())
            });
            let mut rewriter = lol_html::HtmlRewriter::new(
                lol_html::Settings::new().append_element_content_handler(element), |_: &[u8]| {});
            rewriter.write(html.as_bytes()).expect("html");
            rewriter.end().expect("html");
            seen.into_inner()
        };
        let out = show(Kind::Html, page, clear(&value));
        prop_assert_eq!(shape(&out), shape(&page.replace("TOKEN", "plain")), "{}", out);
    }

    #[test]
    fn any_value_reads_back_from_json(value in any::<String>()) {
        let out = show(Kind::Json, r#"{"a":"TOKEN"}"#, clear(&value));
        let back: serde_json::Value = serde_json::from_str(&out).expect("json");
        prop_assert_eq!(back["a"].as_str(), Some(value.as_str()));
    }

    #[test]
    fn no_page_panics(page in "[<>a-z=\"'!/& -]{0,80}", at in 0_usize..80) {
        let (token, text) = token(9);
        let mut page = page;
        let at = at.min(page.len());
        page.insert_str(at, &text);
        for kind in [Kind::Html, Kind::Json, Kind::Csv] {
            let read = Page::read(kind, page.clone().into_bytes(), &Formats::default(), &[]);
            let shown = HashMap::from([(token, clear("x"))]);
            let (out, _) = read.write(&Known { shown: &shown, typed: &HashMap::new(), formats: Formats::default() });
            prop_assert!(!String::from_utf8_lossy(&out).contains(&text));
        }
    }
}
