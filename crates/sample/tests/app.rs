//! Schicht as its users and their programs meet it.

use sample::{Options, Running};
use std::collections::BTreeMap;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json";
const JANA: &str = "name=Jana+Muster&email=jana%40werk.example&phone=%2B4930123456&birth_date=1990-02-03&emergency_contact=Otto";

struct Answer {
    status: u16,
    head: String,
    body: String,
}

impl Answer {
    fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")))
    }
}

/// One user of the app.
struct User<'a> {
    app: &'a Running,
    cookies: BTreeMap<String, String>,
}

async fn app(folder: &tempfile::TempDir) -> Running {
    let listen = std::net::SocketAddr::from(([127, 0, 0, 1], 0));
    sample::start(Options { listen, database: folder.path().join("schicht.db") }).await.expect("starts")
}

impl<'a> User<'a> {
    fn new(app: &'a Running) -> Self {
        Self { app, cookies: BTreeMap::new() }
    }

    async fn send(&mut self, first: &str, lines: &[String], body: impl AsRef<[u8]>) -> Answer {
        let body = body.as_ref();
        let mut head = format!("{first} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n");
        let cookies: Vec<String> =
            self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        if !cookies.is_empty() {
            head.push_str(&format!("Cookie: {}\r\n", cookies.join("; ")));
        }
        for line in lines {
            head.push_str(&format!("{line}\r\n"));
        }
        head.push_str(&format!("Content-Length: {}\r\n\r\n", body.len()));
        let mut stream = TcpStream::connect(self.app.address).await.expect("connected");
        stream.write_all(head.as_bytes()).await.expect("sent");
        // Who is refused early may find the door closed while still speaking.
        let _ = stream.write_all(body).await;
        let mut all = Vec::new();
        let _ = stream.read_to_end(&mut all).await;
        let all = String::from_utf8_lossy(&all).into_owned();
        let (head, body) = all.split_once("\r\n\r\n").unwrap_or((&all, ""));
        let status = head.get(9..12).and_then(|digits| digits.parse().ok()).unwrap_or_default();
        for line in head.lines().filter_map(|line| line.strip_prefix("set-cookie: ")) {
            let pair = line.split(';').next().and_then(|pair| pair.split_once('='));
            self.cookies.extend(pair.map(|(name, value)| (name.to_owned(), value.to_owned())));
        }
        Answer { status, head: head.to_owned(), body: body.to_owned() }
    }

    async fn get(&mut self, path: &str) -> Answer {
        self.send(&format!("GET {path}"), &[], "").await
    }

    async fn post(&mut self, path: &str, fields: &str) -> Answer {
        let csrf = self.cookies.get("schicht_csrf").cloned().unwrap_or_default();
        let body = format!("csrf={csrf}&{fields}");
        self.send(&format!("POST {path}"), &[format!("Content-Type: {FORM}")], body).await
    }

    async fn json(&mut self, first: &str, body: &str) -> Answer {
        let csrf = self.cookies.get("schicht_csrf").cloned().unwrap_or_default();
        let lines = [format!("Content-Type: {JSON}"), format!("X-Csrf-Token: {csrf}")];
        self.send(first, &lines, body).await
    }

    async fn signed_in(app: &'a Running, login: &str, password: &str) -> Self {
        let mut user = Self::new(app);
        user.get("/sign-in").await;
        let answer = user.post("/sign-in", &format!("login={login}&password={password}")).await;
        assert_eq!((answer.status, answer.header("location")), (303, Some("/roster")), "{login}");
        user
    }
}

#[tokio::test]
async fn only_who_signs_in_gets_in() {
    let folder = tempfile::tempdir().expect("a folder");
    let app = app(&folder).await;
    let mut user = User::new(&app);
    for closed in ["/roster", "/workers", "/workers/1", "/bem", "/export/workers.csv"] {
        let answer = user.get(closed).await;
        assert_eq!((answer.status, answer.header("location")), (303, Some("/sign-in")), "{closed}");
    }
    assert_eq!((user.get("/api/workers").await.status, user.get("/whoami").await.status), (401, 401));
    user.get("/sign-in").await;
    let wrong = user.post("/sign-in", "login=lead&password=wrong").await;
    assert!(
        wrong.status != 303 && wrong.body.contains("value=\"lead\""),
        "what was typed stays: {}",
        wrong.body
    );
    assert!(!wrong.body.contains("value=\"wrong\"") && !user.cookies.contains_key("schicht_session"));
    user.cookies
        .insert("schicht_session".to_owned(), "eyJhbGciOiJub25lIn0.eyJzdWIiOiJ1LWxlYWQifQ.".to_owned());
    assert_eq!(user.get("/roster").await.status, 303, "a token that nobody signed");
    let mut lead = User::signed_in(&app, "lead", "schicht").await;
    assert_eq!(lead.get("/roster").await.status, 200);
    let who: serde_json::Value = serde_json::from_str(&lead.get("/whoami").await.body).expect("JSON");
    assert_eq!((&who["sub"], &who["role"]), (&"u-lead".into(), &"lead".into()));
    lead.post("/sign-out", "").await;
    assert_eq!(lead.get("/roster").await.status, 303);
    app.stop().await;
}

#[tokio::test]
async fn a_forged_form_changes_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let app = app(&folder).await;
    let mut hr = User::signed_in(&app, "hr", "schicht").await;
    let kept = hr.cookies["schicht_csrf"].clone();
    for forged in ["", "csrf=&", "csrf=00000000000000000000000000000000&"] {
        let body = format!("{forged}{JANA}");
        let answer = hr.send("POST /workers", &[format!("Content-Type: {FORM}")], body).await;
        assert!(
            matches!(answer.status, 403 | 422) && answer.header("location").is_none(),
            "{forged}: {}",
            answer.status
        );
        hr.cookies.insert("schicht_csrf".to_owned(), kept.clone());
    }
    let list = hr.get("/api/workers").await;
    assert!(!list.body.contains("jana"), "{}", list.body);
    let api = hr.send("POST /api/workers", &[format!("Content-Type: {JSON}")], "{}").await;
    assert_eq!(api.status, 403);
    assert_eq!(hr.post("/workers", JANA).await.status, 303, "the control");
    app.stop().await;
}

#[tokio::test]
async fn a_form_that_is_refused_keeps_what_was_typed_in_both_languages() {
    let folder = tempfile::tempdir().expect("a folder");
    let app = app(&folder).await;
    let mut hr = User::signed_in(&app, "hr", "schicht").await;
    let first = hr.post("/workers", JANA).await;
    let place = first.header("location").expect("a place").to_owned();
    assert!(hr.get(&place).await.body.contains("Jana Muster"));
    for (language, says) in
        [("de", "Diese E-Mail-Adresse gibt es schon."), ("en", "This e-mail address exists already.")]
    {
        hr.cookies.insert("lang".to_owned(), language.to_owned());
        let again = hr.post("/workers", &JANA.replace("Jana", "Berta")).await;
        assert_eq!(again.status, 409);
        assert!(
            again.body.contains(says) && again.body.contains(&format!("lang=\"{language}\"")),
            "{}",
            again.body
        );
        for typed in ["Berta Muster", "jana@werk.example", "1990-02-03", "+4930123456"] {
            assert!(again.body.contains(&format!("value=\"{typed}\"")), "{typed} is lost: {}", again.body);
        }
        let wrong = hr.post("/workers", &JANA.replace("jana%40werk.example", "jana")).await;
        assert!(wrong.status == 422 && wrong.body.contains("value=\"jana\""), "{}", wrong.body);
    }
    assert_eq!(hr.get("/api/workers").await.body.matches("jana@werk.example").count(), 1, "UNIQUE");
    app.stop().await;
}

#[tokio::test]
async fn uploads_have_their_limit() {
    let folder = tempfile::tempdir().expect("a folder");
    let app = app(&folder).await;
    let mut hr = User::signed_in(&app, "hr", "schicht").await;
    let place = hr.post("/workers", JANA).await.header("location").expect("a place").to_owned();
    let csrf = hr.cookies["schicht_csrf"].clone();
    let form = |csrf: &str, size: usize| {
        let part = |name: &str, value: &str| {
            format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
        };
        let file = "--b\r\nContent-Disposition: form-data; name=\"document\"; filename=\"a.txt\"\r\n\r\n";
        format!("{}{}{file}{}\r\n--b--\r\n", part("csrf", csrf), part("title", "Vertrag"), "x".repeat(size))
    };
    let lines = ["Content-Type: multipart/form-data; boundary=b".to_owned()];
    let to = format!("POST {place}/documents");
    let large = hr.send(&to, &lines, form(&csrf, (5 << 20) + 1)).await;
    assert!(large.status != 303 && !hr.get(&place).await.body.contains("Vertrag"), "{}", large.status);
    hr.send(&to, &lines, form(&csrf, 20 << 20)).await;
    assert!(!hr.get(&place).await.body.contains("Vertrag"));
    assert_eq!(hr.send(&to, &lines, form("forged", 10)).await.status, 403);
    assert_eq!(hr.send(&to, &lines, form(&csrf, 1_000)).await.status, 303, "the control");
    assert!(hr.get(&place).await.body.contains("Vertrag"));
    let file = hr.get(&format!("{place}/documents/1")).await;
    assert_eq!((file.status, file.body.len()), (200, 1_000));
    assert!(file.header("content-disposition").is_some_and(|value| value.starts_with("attachment")));
    app.stop().await;
}

#[tokio::test]
async fn the_json_api_has_the_same_rules() {
    let folder = tempfile::tempdir().expect("a folder");
    let app = app(&folder).await;
    let mut hr = User::signed_in(&app, "hr", "schicht").await;
    let jana = r#"{"name":"Jana","email":"jana@werk.example","phone":"+4930123456","birth_date":"","emergency_contact":""}"#;
    let made = hr.json("POST /api/workers", jana).await;
    let worker: serde_json::Value = serde_json::from_str(&made.body).expect("JSON");
    assert_eq!((made.status, &worker["name"]), (201, &"Jana".into()));
    let path = format!("/api/workers/{}", worker["id"]);
    assert_eq!(hr.json("POST /api/workers", jana).await.status, 409);
    assert_eq!(hr.json("POST /api/workers", "{\"name\":7}").await.status, 400);
    let wrong = hr.json("POST /api/workers", &jana.replace("jana@", "")).await;
    assert!(wrong.status == 422 && wrong.body.contains("email"), "{}", wrong.body);
    assert_eq!(hr.json(&format!("PATCH {path}"), r#"{"name":"Berta"}"#).await.status, 200);
    assert!(hr.get(&path).await.body.contains("Berta"));
    assert_eq!(hr.get("/api/workers/9999").await.status, 404);
    let mut case = User::signed_in(&app, "case", "schicht").await;
    assert_eq!(case.json(&format!("PATCH {path}"), r#"{"name":"Eve"}"#).await.status, 403);
    assert_eq!(case.get(&path).await.status, 200);
    let number = worker["personnel_no"].as_str().unwrap_or_default();
    let mut own = User::signed_in(&app, "jana%40werk.example", number).await;
    assert_eq!((own.get("/api/workers").await.status, own.get("/workers").await.status), (403, 403));
    assert_eq!(own.get(&format!("/workers/{}", worker["id"])).await.status, 200, "her own file");
    app.stop().await;
}
