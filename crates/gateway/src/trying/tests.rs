use super::*;
use crate::config::Tables;
use crate::trying::guess::Holds;
use proptest::prelude::*;
use std::path::Path;

/// Values that must stand in no report.
const PERSONAL: [&str; 9] = [
    "Kanarina",
    "Vogelsang",
    "kanarina.vogelsang",
    "werk-sued.example",
    "3023125999",
    "1983-11-07",
    "DE8937",
    "532013000",
    "Bandscheibe",
];

fn entry(
    method: &str,
    path: &str,
    sent: Option<(&str, &str)>,
    answer: (u16, &str, &str),
    location: &str,
) -> serde_json::Value {
    let (status, kind, text) = answer;
    let mut request = serde_json::json!({ "method": method, "url": format!("https://app.example{path}"),
        "headers": [{ "name": "Cookie", "value": "theme=dark; session=eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJqYW5hIn0.c2lnbmF0dXJl" }] });
    if let Some((kind, text)) = sent {
        request["postData"] = serde_json::json!({ "mimeType": kind, "text": text });
    }
    serde_json::json!({ "request": request, "response": { "status": status,
        "headers": [{ "name": "Content-Type", "value": kind }, { "name": "Location", "value": location }],
        "content": { "text": text } } })
}

/// An afternoon in a personnel app.
fn recorded() -> Vec<u8> {
    let form = "application/x-www-form-urlencoded";
    let new = "csrf_token=abc123&name=Kanarina+Vogelsang&e_mail=kanarina.vogelsang%40werk-sued.example&telefon=%2B493023125999\
        &geburtsdatum=1983-11-07&health_note=Bandscheibe&shift=late";
    let list = "<table><tr><th>Nr</th><th>Name</th><th>E-Mail</th></tr>\n<tr><td>7</td><td><a href='/workers/7'>Kanarina Vogelsang</a>\
        </td><td>kanarina.vogelsang@werk-sued.example</td></tr>\n<tr><td>8</td><td>Otto Normal</td><td>otto@werk-sued.example</td></tr></table>";
    let edit = "<form method=post action='/workers/7'><input type=hidden name=csrf_token value=x>\
        <label>Name <input name=name maxlength=30 value='Kanarina Vogelsang'></label>\
        <input name=e_mail type=email value='kanarina.vogelsang@werk-sued.example'><select name=anrede><option>Frau</select></form>\n\
        <script>let worker = {name: 'Kanarina Vogelsang'};</script><b data-person-name='Kanarina Vogelsang'>x</b>";
    let entries = [
        entry("POST", "/sign-in", Some((form, "login=lead&password=geheim")), (303, "text/html", ""), "/"),
        entry(
            "GET",
            "/workers/new",
            None,
            (
                200,
                "text/html; charset=utf-8",
                "<form method=post action=/workers><input name=e_mail type=email><input type=tel name=telefon maxlength=12></form>",
            ),
            "",
        ),
        entry("POST", "/workers", Some((form, new)), (200, "text/html", "<p>E-Mail fehlt"), ""),
        entry("POST", "/workers", Some((form, new)), (303, "text/html", ""), "/workers/7"),
        entry("GET", "/workers", None, (200, "text/html", list), ""),
        entry("GET", "/workers/7/edit", None, (200, "text/html", edit), ""),
        entry("GET", "/workers/8/edit", None, (200, "text/html", ""), ""),
        entry(
            "POST",
            "/workers/7",
            Some((form, new)),
            (303, "text/html", ""),
            "https://app.example/workers/7",
        ),
        entry(
            "GET",
            "/api/workers/7",
            None,
            (
                200,
                "application/json",
                r#"{"id":7,"contact":{"phone":"+493023125999"},"iban":"DE89370400440532013000"}"#,
            ),
            "",
        ),
        entry(
            "POST",
            "/api/workers",
            Some((
                "application/json",
                r#"{"name":"Kanarina Vogelsang","tags":[{"email":"kanarina.vogelsang@werk-sued.example"}]}"#,
            )),
            (201, "application/json", r#"{"id":9}"#),
            "",
        ),
        entry(
            "GET",
            "/find?email=kanarina.vogelsang%40werk-sued.example",
            None,
            (200, "text/vcard", "FN:Kanarina Vogelsang"),
            "",
        ),
        entry("GET", "/by-mail/kanarina.vogelsang@werk-sued.example", None, (404, "text/plain", "no"), ""),
        entry("GET", "/live", None, (101, "", ""), ""),
    ];
    serde_json::to_vec(&serde_json::json!({ "log": { "version": "1.2", "entries": entries } })).expect("JSON")
}

fn look_at(bytes: &[u8], setup: Option<&Setup>) -> Report {
    let archive = archive(bytes).expect("an archive");
    let wish = Wish { purpose: "personnel", host: Some(&archive.host), setup, ..Wish::default() };
    look(&archive.exchanges, &wish)
}

fn build(proposal: &str) -> Setup {
    let tables: Tables = ::toml::from_str(proposal).unwrap_or_else(|error| panic!("{error}\n{proposal}"));
    Setup::build(&tables, Path::new("."), None).unwrap_or_else(|error| panic!("{error}\n{proposal}"))
}

/// Holds a text against a file beside this one; `OBHUT_GOLDEN=write` writes it anew.
fn golden(name: &str, text: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/trying/golden").join(name);
    #[expect(clippy::disallowed_methods, reason = "a test is told whether to write its golden files")]
    if std::env::var("OBHUT_GOLDEN").is_ok_and(|wish| wish == "write") {
        std::fs::write(&file, text).expect("written");
    }
    let written = std::fs::read_to_string(&file).expect("the golden file");
    assert_eq!(text, written, "{name} says something else");
}

#[test]
fn an_afternoon_in_an_app_becomes_rules() {
    let report = look_at(&recorded(), None);
    golden("afternoon.txt", &report.text());
    build(&report.proposal);
    let all = format!("{}{}", report.text(), serde_json::to_string(&report).expect("JSON"));
    for personal in PERSONAL {
        assert!(!all.contains(personal), "{personal} stands in the report");
        assert!(
            String::from_utf8(recorded()).expect("text").contains(personal),
            "the control: {personal} was there"
        );
    }
}

#[test]
fn the_catalogue_that_is_proposed_is_one() {
    let report = look_at(&recorded(), None);
    let field = |(number, one): (usize, &Suggested)| model::catalogue::Field {
        id: model::FieldId(u16::try_from(number + 1).expect("few")),
        name: one.name.clone(),
        category: one.category,
        kind: one.kind,
        mask: one.mask,
        index: one.index,
        token: one.token,
        stable: one.stable,
        compartment: model::Compartment(one.compartment),
        third_party: one.third_party,
        max_bytes: one.max_bytes,
    };
    let fields: Vec<_> = report.fields.iter().enumerate().map(field).collect();
    assert!(fields.len() >= 5);
    model::catalogue::validate(&fields).expect("a catalogue");
}

#[test]
fn rules_in_force_are_held_against_what_is_found() {
    let report = look_at(&recorded(), None);
    let setup = build(&report.proposal);
    let again = look_at(&recorded(), Some(&setup));
    assert!(again.with_rules && again.proposal.is_empty(), "all is covered: {}", again.proposal);
    assert_eq!(again.leaks, report.leaks, "what the proposal leaves open stays open");
    let list =
        again.routes.iter().find(|route| route.path == "/workers" && route.method == "GET").expect("a route");
    assert!(
        list.places.iter().all(|place| place.rule.as_deref().is_some_and(|rule| rule.contains("`workers`"))),
        "{list:?}"
    );
    let fewer: Tables =
        ::toml::from_str(&report.proposal.replace("\"form:geburtsdatum\" = \"birth_date\"\n", ""))
            .expect("TOML");
    let setup = Setup::build(&fewer, Path::new("."), None).expect("a setup");
    let open = look_at(&recorded(), Some(&setup)).leaks;
    assert!(open.len() > again.leaks.len());
    assert!(
        open.iter().any(|leak| leak.holds == Holds::BirthDate && leak.place.contains("geburtsdatum")),
        "{open:?}"
    );
}

#[test]
fn a_page_alone_proposes_what_its_form_needs() {
    let html = br#"<!doctype html><form action="/contacts/new" method="post">
        <input name="vorname"><input name="nachname"><input name="mail" type="email"><input name="mobil" type="tel"><input name="tel2" type=tel>
        <textarea name="notes"></textarea></form>"#;
    let page = Exchange::page("/contacts/new", html.to_vec());
    let report = look(&[page], &Wish { purpose: "contacts", ..Wish::default() });
    golden("page.txt", &report.text());
    build(&report.proposal);
}

#[test]
fn nothing_personal_is_said_so() {
    let report =
        look(&[Exchange::page("/", b"<p>Hello".to_vec())], &Wish { purpose: "p", ..Wish::default() });
    assert!(report.routes.is_empty() && report.leaks.is_empty());
    assert!(report.text().contains("Nothing that looks personal"));
    build(&report.proposal);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    /// Whatever was recorded, the proposal is taken, and no value is told.
    #[test]
    fn each_proposal_is_taken(
        paths in proptest::collection::vec("(/[a-zA-Z0-9@.{}%_ -]{0,10}){1,4}", 1..6),
        names in proptest::collection::vec("(name|email|phone|iban|geburtsdatum|health|plz|login|password|x\\[y\\]|\"|\\\\|\n|ü){1,3}", 1..6),
        method in 0_usize..4, status in 200_u16..500, page in "(<form method=post action=|/a|><input name=|email|>|<td>|<th>|Name|a@b.example|\"|'){0,20}",
    ) {
        let methods = ["GET", "POST", "PUT", "DELETE"];
        let mut exchanges = Vec::new();
        for (number, path) in paths.iter().enumerate() {
            let mut out = form_urlencoded::Serializer::new(String::new());
            for name in &names { out.append_pair(name, "kanarina.vogelsang@werk-sued.example"); }
            exchanges.push(Exchange {
                method: methods[(method + number) % 4].to_owned(), path: path.clone(), status, sent: out.finish().into_bytes(),
                sent_kind: "application/x-www-form-urlencoded".to_owned(), kind: "text/html".to_owned(), body: page.clone().into_bytes(),
                query: Some("email=kanarina.vogelsang%40werk-sued.example".to_owned()), location: paths.last().cloned(), ..Exchange::default()
            });
        }
        let report = look(&exchanges, &Wish { purpose: "p", ..Wish::default() });
        build(&report.proposal);
        let text = report.text();
        prop_assert!(!text.contains("kanarina.vogelsang"), "{}", text);
    }
}
