//! Requests for measuring: the shapes on which the shield's speed is stated, the same in every run.
//!
//! [`shapes`] gives them by the names under which figures are printed: `get`, `json`, `form`, `sqli`, `upload`, `worst`.
//! The last holds several requests, each made against one way of being quick; its figure is that of the slowest.

use std::fmt::Write as _;

use crate::message::Request;

/// One kind of request that is measured.
#[derive(Clone, Debug)]
pub struct Shape {
    /// The name under which figures are printed.
    pub name: &'static str,
    /// The requests of this kind, each with a name of its own.
    pub requests: Vec<(&'static str, Request)>,
}

/// All shapes, in the order in which they are stated.
#[must_use]
pub fn shapes() -> Vec<Shape> {
    let single = |name, request| Shape { name, requests: vec![(name, request)] };
    vec![
        single("get", browser_get()),
        single("json", json_post()),
        single("form", form_post()),
        single("sqli", union_select()),
        single("upload", upload(1 << 20)),
        Shape { name: "worst", requests: worst() },
    ]
}

/// The eleven header fields that a browser sends beside its cookies.
fn browser(method: &str, uri: &str) -> Request {
    [
        ("Host", "app.example.org"),
        ("User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"),
        ("Accept", "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"),
        ("Accept-Language", "de-DE,de;q=0.8,en-US;q=0.5,en;q=0.3"),
        ("Accept-Encoding", "gzip, deflate, br, zstd"),
        ("Referer", "https://app.example.org/clients/overview"),
        ("Connection", "keep-alive"),
        ("Upgrade-Insecure-Requests", "1"),
        ("Sec-Fetch-Dest", "document"),
        ("Sec-Fetch-Mode", "navigate"),
        ("Sec-Fetch-Site", "same-origin"),
    ]
    .into_iter()
    .fold(Request::new(method, uri), |request, (name, value)| request.with_header(name, value))
}

fn with_cookies(request: Request) -> Request {
    request.with_header(
        "Cookie",
        "session=c2b8f0d6e1a94c7fb3d5; theme=dark; consent=necessary.statistics.2026-03-14T09-26-53Z",
    )
}

/// (a) A browser's GET: 12 header fields, 3 arguments, 3 cookies.
#[must_use]
pub fn browser_get() -> Request {
    with_cookies(browser("GET", "/clients/search?name=Johanna+M%C3%BCller&city=Freiburg&page=2"))
}

/// (b) A JSON POST of about 2 KB with about 100 values: a list of care visits.
#[must_use]
pub fn json_post() -> Request {
    let mut numbers = Numbers::new(7);
    let mut body = String::from("{\"week\":12,\"visits\":[");
    for visit in 0..16 {
        if visit > 0 {
            body.push(',');
        }
        let (who, what) = (numbers.pick(&NAMES), numbers.pick(&WORK));
        // Writing to a `String` does not fail.
        let _ = write!(
            body,
            "{{\"id\":{},\"client\":\"{who}\",\"at\":\"2026-03-{:02}T{:02}:30:00+01:00\",\"minutes\":{},\
             \"finished\":{},\"note\":\"{what}\"}}",
            1000 + numbers.below(9000),
            1 + numbers.below(28),
            7 + numbers.below(12),
            15 + 5 * numbers.below(12),
            numbers.below(2) == 0,
        );
    }
    body.push_str("]}");
    with_cookies(browser("POST", "/api/visits"))
        .with_header("Content-Type", "application/json")
        .with_body(body)
}

/// (c) A form of about 10 KB with about 130 arguments: a long questionnaire.
#[must_use]
pub fn form_post() -> Request {
    let mut numbers = Numbers::new(11);
    let mut body = String::new();
    for field in 0..130 {
        let mut value = String::new();
        for _ in 0..2 + numbers.below(2) {
            value.push_str(numbers.pick(&WORK));
            value.push('+');
            value.push_str(numbers.pick(&NAMES));
            value.push('+');
        }
        let _ =
            write!(body, "{}answer_{field}={}", if field > 0 { "&" } else { "" }, value.replace(' ', "+"));
    }
    with_cookies(browser("POST", "/assessment"))
        .with_header("Content-Type", "application/x-www-form-urlencoded")
        .with_body(body)
}

/// (d) A GET with a UNION SELECT in an argument.
#[must_use]
pub fn union_select() -> Request {
    with_cookies(browser("GET", "/clients?id=1%27+UNION+SELECT+username%2C+password+FROM+users--+-&page=2"))
}

/// (e) A multipart upload of one binary file of `size` bytes and two fields.
#[must_use]
pub fn upload(size: usize) -> Request {
    const BOUNDARY: &str = "----------------------------7d8f3a91c0e24b65";
    let mut numbers = Numbers::new(23);
    let mut body = format!(
        "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"client\"\r\n\r\n4711\r\n\
         --{BOUNDARY}\r\nContent-Disposition: form-data; name=\"title\"\r\n\r\nLetter of the clinic\r\n\
         --{BOUNDARY}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"letter.pdf\"\r\n\
         Content-Type: application/pdf\r\n\r\n"
    )
    .into_bytes();
    body.reserve(size + 100);
    body.extend(std::iter::repeat_with(|| numbers.byte()).take(size));
    body.extend_from_slice(format!("\r\n--{BOUNDARY}--\r\n").as_bytes());
    with_cookies(browser("POST", "/documents"))
        .with_header("Content-Type", &format!("multipart/form-data; boundary={BOUNDARY}"))
        .with_body(body)
}

/// (f) Requests against an engine that is quick by looking for literals first, by knowing values again, or by leaving
/// out what cannot match. No rule needs to match; each piece of work is to be started in vain as often as can be.
#[must_use]
pub fn worst() -> Vec<(&'static str, Request)> {
    vec![
        ("1000 arguments of literals", thousand_arguments()),
        ("one value of literals", one_value()),
        ("nearly", nearly()),
        ("every value another, every transformation", every_transformation()),
        ("names of arguments", argument_names()),
        ("deep JSON", deep_json()),
        ("many fields and cookies", many_fields()),
    ]
}

/// Each value holds literals of many attack classes, and no two values are the same.
fn thousand_arguments() -> Request {
    let mut numbers = Numbers::new(41);
    let mut body = String::new();
    for argument in 0..1000 {
        let (one, two, three) = (numbers.pick(&LITERALS), numbers.pick(&LITERALS), numbers.pick(&LITERALS));
        let _ =
            write!(body, "{}a{argument}={one}x{argument}{two}y{three}", if argument > 0 { "&" } else { "" });
    }
    form(body)
}

/// 64 KB in which every few bytes a literal begins that a prefilter looks for.
fn one_value() -> Request {
    let mut numbers = Numbers::new(43);
    let mut body = String::from("a=");
    while body.len() < 64 << 10 {
        body.push_str(numbers.pick(&LITERALS));
    }
    form(body)
}

/// Beginnings of matches that are never completed: long runs of what a repetition takes.
fn nearly() -> Request {
    let runs = [
        "select+".repeat(400),
        "%3C".repeat(800),
        "%28".repeat(800),
        "..%2F".repeat(400),
        "%27+or+".repeat(300),
        "%24%7B".repeat(400),
        "%2F*".repeat(700),
        "eval".repeat(500),
        "a.".repeat(1200),
        "%5C".repeat(800),
        "0x".repeat(1200),
        "union".repeat(400),
    ];
    let arguments: Vec<String> =
        runs.iter().enumerate().map(|(number, run)| format!("n{number}={run}")).collect();
    form(arguments.join("&"))
}

/// Each value changes under each transformation: escapes of all kinds, comments, white space, upper case, NUL.
fn every_transformation() -> Request {
    let arguments: Vec<String> = (0..300)
        .map(|number| {
            format!(
                "t{number}=%2541{number}%u0062%26%23x63%3B%5Cu0064%5Cx65%2F*{number}*%2F++%46%00%5C67+%C3%A9%2F.%2F..%2Fx%22^YQ=="
            )
        })
        .collect();
    form(arguments.join("&"))
}

/// Names long and many, and values empty.
fn argument_names() -> Request {
    let mut numbers = Numbers::new(47);
    let arguments: Vec<String> = (0..900)
        .map(|number| format!("{}{number}%5B{}%5D=", numbers.pick(&LITERALS), numbers.pick(&LITERALS)))
        .collect();
    form(arguments.join("&"))
}

/// Objects in objects, so that the name of each value is long.
fn deep_json() -> Request {
    let mut numbers = Numbers::new(53);
    let mut body = String::new();
    for level in 0..60 {
        let _ = write!(body, "{{\"level_{level}\":\"{}\",\"in\":", numbers.pick(&LITERALS));
    }
    body.push_str("[1,2,3]");
    body.push_str(&"}".repeat(60));
    with_cookies(browser("POST", "/api")).with_header("Content-Type", "application/json").with_body(body)
}

/// 90 header fields and 200 cookies.
fn many_fields() -> Request {
    let mut numbers = Numbers::new(59);
    let mut request = browser("GET", "/");
    for number in 0..90 {
        request = request.with_header(&format!("X-Field-{number}"), numbers.pick(&LITERALS));
    }
    let cookies: Vec<String> =
        (0..200).map(|number| format!("c{number}={}", numbers.pick(&LITERALS))).collect();
    request.with_header("Cookie", &cookies.join("; "))
}

fn form(body: String) -> Request {
    with_cookies(browser("POST", "/search"))
        .with_header("Content-Type", "application/x-www-form-urlencoded")
        .with_body(body)
}

const NAMES: [&str; 16] = [
    "Anna Weber",
    "Jonas Koch",
    "Mia O'Brien",
    "Paul Lang",
    "Lea Vogel",
    "Max Roth",
    "Ida Braun",
    "Tom Fuchs",
    "Eva Hahn",
    "Ben Maier",
    "Lina Kern",
    "Noah Beck",
    "Ella Graf",
    "Finn Horn",
    "Clara Seidel",
    "Emil Winter",
];

const WORK: [&str; 16] = [
    "washed and dressed",
    "blood pressure 128 over 82",
    "tablets given",
    "walk in the garden",
    "bandage changed",
    "lunch was eaten",
    "spoke with the daughter",
    "slept well",
    "shower and hair",
    "exercise for the knee",
    "insulin 8 units",
    "bed made",
    "letter read aloud",
    "doctor was called",
    "shopping done",
    "nothing unusual",
];

/// Pieces on which rules of CRS are keyed; written so that they stand in a form's body as they are.
const LITERALS: [&str; 40] = [
    "select",
    "union",
    "sleep(",
    "/etc/passwd",
    "../",
    "script",
    "javascript:",
    "onerror=",
    "alert(",
    "cmd.exe",
    "powershell",
    "/bin/sh",
    "wget",
    "curl",
    "eval(",
    "base64_decode",
    "phpinfo",
    "$_GET",
    "<!--",
    "-->",
    "||",
    "'or",
    "having",
    "benchmark(",
    "char(",
    "0x41",
    "document.cookie",
    "http://",
    "file://",
    "jndi:",
    "${",
    "runtime",
    "processbuilder",
    "constructor",
    "prototype",
    "__proto__",
    "xp_cmdshell",
    "information_schema",
    ".htaccess",
    "group by",
];

/// Numbers that look random and are the same in every run (a linear congruential generator with Knuth's constants).
struct Numbers(u64);

impl Numbers {
    fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 33
    }

    /// A number below `limit`, which is not 0.
    fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    fn byte(&mut self) -> u8 {
        self.next().to_le_bytes()[0]
    }

    fn pick(&mut self, from: &[&'static str]) -> &'static str {
        let number = usize::try_from(self.next()).unwrap_or(0) % from.len().max(1);
        from.get(number).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(name: &str) -> Request {
        let shape = shapes().into_iter().find(|shape| shape.name == name).expect("a shape");
        shape.requests.into_iter().next().expect("a request").1
    }

    fn arguments(body: &[u8]) -> usize {
        body.split(|&byte| byte == b'&').count()
    }

    #[test]
    fn the_browser_sends_twelve_fields_three_arguments_and_three_cookies() {
        let get = named("get");
        assert_eq!(get.headers.len(), 12);
        assert_eq!(arguments(get.query().expect("a query")), 3);
        let cookies = get.header(b"cookie").expect("cookies");
        assert_eq!(cookies.split(|&byte| byte == b';').count(), 3);
    }

    #[test]
    fn the_json_body_is_of_the_stated_size() {
        let body = named("json").body;
        assert!((1_900..=2_300).contains(&body.len()), "{} bytes", body.len());
        let value: serde_json::Value = serde_json::from_slice(&body).expect("JSON");
        let visits = value["visits"].as_array().expect("visits");
        let values: usize = visits.iter().map(|visit| visit.as_object().expect("a visit").len()).sum();
        assert!((90..=110).contains(&(values + 1)), "{values} values");
    }

    #[test]
    fn the_form_is_of_the_stated_size() {
        let body = named("form").body;
        assert!((9_500..=10_800).contains(&body.len()), "{} bytes", body.len());
        assert_eq!(arguments(&body), 130);
    }

    #[test]
    fn the_upload_holds_its_boundary_where_it_belongs_alone() {
        let request = named("upload");
        assert!(request.body.len() > 1 << 20);
        let boundary = b"--------7d8f3a91c0e24b65";
        assert_eq!(memchr::memmem::find_iter(&request.body, boundary).count(), 4);
    }

    #[test]
    fn requests_are_the_same_in_every_run_and_say_their_length() {
        for (one, two) in shapes().into_iter().zip(shapes()) {
            for ((name, request), (_, again)) in one.requests.into_iter().zip(two.requests) {
                assert_eq!(request, again, "{name}");
                let length = request.header(b"content-length").map(<[u8]>::to_vec);
                let expected =
                    (!request.body.is_empty()).then(|| request.body.len().to_string().into_bytes());
                assert_eq!(length, expected, "{name}");
            }
        }
    }

    #[test]
    fn the_worst_are_many_and_different() {
        let body =
            |wanted: &str| worst().into_iter().find(|(name, _)| *name == wanted).expect("a request").1.body;
        assert_eq!(arguments(&body("1000 arguments of literals")), 1000);
        let all = body("1000 arguments of literals");
        let values: std::collections::HashSet<&[u8]> = all.split(|&byte| byte == b'&').collect();
        assert_eq!(values.len(), 1000);
        assert!(serde_json::from_slice::<serde_json::Value>(&body("deep JSON")).is_ok());
    }
}
