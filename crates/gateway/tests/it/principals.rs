//! Who the user is: signed tokens in all their forgeries, the app's own word, and what a client says of itself.

use crate::house::{House, token};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use parking_lot::Mutex;
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::UNIX_EPOCH;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

const SHOWN: &str = "Kanarina &lt;Vogelsang&gt;";

fn rules(principal: &str) -> String {
    format!(
        "[gateway]\nlisten = []\nhosts = [\"localhost\"]\nupstream = \"http://UPSTREAM\"\ntimeout = 1\n\
         [gateway.principal]\n{principal}\nroles = {{ lead = \"operations\" }}\n\
         [[route]]\nname = \"page\"\npath = \"/page\"\n\
         [[relay]]\nroutes = [\"page\"]\nout = {{ purpose = \"p\", fields = [\"name\"] }}\n"
    )
}

/// What the app says to `/whoami`: head and body, or nothing at all.
type Word = Arc<Mutex<Option<String>>>;

/// An app whose pages hold a token, and that counts who asks who is there.
struct Asked {
    address: SocketAddr,
    word: Word,
    asked: Arc<Mutex<Vec<String>>>,
}

async fn app() -> Asked {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let (word, asked): (Word, Arc<Mutex<Vec<String>>>) = (Arc::default(), Arc::default());
    let (says, notes) = (word.clone(), asked.clone());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let (says, notes) = (says.clone(), notes.clone());
            tokio::spawn(async move {
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    let Ok(byte) = stream.read_u8().await else { return };
                    head.push(byte);
                }
                let head = String::from_utf8_lossy(&head).into_owned();
                let answer = if head.starts_with("GET /whoami ") {
                    notes.lock().push(head);
                    says.lock().clone()
                } else {
                    let body = format!("<p>{}</p>", token(1));
                    Some(format!("200 OK\r\ncontent-type: text/html; charset=utf-8\n{body}"))
                };
                let Some(answer) = answer else {
                    // An app that never answers.
                    let _ = stream.read_u8().await;
                    return;
                };
                let (first, body) = answer.split_once("\n{").map_or_else(
                    || answer.rsplit_once('\n').unwrap_or((&answer, "")),
                    |(first, _)| (first, &answer[first.len() + 1..]),
                );
                let text = format!(
                    "HTTP/1.1 {first}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
                    body.len()
                );
                let _ = stream.write_all(text.as_bytes()).await;
            });
        }
    });
    Asked { address, word, asked }
}

fn now() -> u64 {
    #[expect(clippy::disallowed_methods, reason = "a token is held against the clock of the system")]
    let now = std::time::SystemTime::now();
    now.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

fn claims(changes: Value) -> Value {
    let mut all = json!({ "sub": "lead", "role": "lead", "iss": "app", "aud": "us", "exp": now() + 600 });
    for (name, value) in changes.as_object().expect("an object") {
        all[name] = value.clone();
    }
    // A member that is no value is none at all.
    if let Some(all) = all.as_object_mut() {
        all.retain(|_, value| *value != json!("absent"));
    }
    all
}

struct Signer {
    file: std::path::PathBuf,
    key: EncodingKey,
    public: String,
}

fn signer(name: &str) -> Signer {
    let pair = rcgen::KeyPair::generate().expect("a key");
    let file = std::env::temp_dir().join(format!("obhut-gateway-{name}-{}.pem", std::process::id()));
    let public = pair.public_key_pem();
    std::fs::write(&file, &public).expect("written");
    let key = EncodingKey::from_ec_pem(pair.serialize_pem().as_bytes()).expect("a key");
    Signer { file, key, public }
}

fn signed(key: &EncodingKey, algorithm: Algorithm, claims: &Value) -> String {
    encode(&Header::new(algorithm), claims, key).expect("signed")
}

fn base64(text: &str) -> String {
    data_encoding::BASE64URL_NOPAD.encode(text.as_bytes())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signed_token_is_believed_and_no_forgery_is() {
    let (signer, stranger) = (signer("own"), signer("strange"));
    let keys = signer.file.display();
    let app = app().await;
    let in_cookie = rules(&format!(
        "kind = \"jwt\"\ncookie = \"s\"\nkeys = {keys:?}\nissuer = \"app\"\naudience = \"us\"",
        keys = keys.to_string()
    ));
    let as_bearer = in_cookie.replace("cookie = \"s\"\n", "");
    let cookies = House::with(&in_cookie, app.address).await;
    let bearers = House::with(&as_bearer, app.address).await;
    let good = signed(&signer.key, Algorithm::ES256, &claims(json!({})));
    let sees = |body: &[u8]| {
        let body = String::from_utf8_lossy(body).into_owned();
        assert!(!body.contains(&token(1)[4..]));
        body.contains(SHOWN)
    };
    let cookie = async |value: &str| {
        sees(&cookies.ask("GET /page", &[&format!("Cookie: a=b; s={value}")], "").await.1)
    };
    let bearer = async |value: &str| {
        sees(&bearers.ask("GET /page", &[&format!("Authorization: Bearer {value}")], "").await.1)
    };
    assert!(cookie(&good).await && bearer(&good).await);
    // Each way takes its own place alone.
    assert!(!sees(&bearers.ask("GET /page", &[&format!("Cookie: s={good}")], "").await.1));
    assert!(!sees(&cookies.ask("GET /page", &[&format!("Authorization: Bearer {good}")], "").await.1));
    let parts: Vec<&str> = good.split('.').collect();
    let none = format!("{}.{}.", base64(r#"{"alg":"none","typ":"JWT"}"#), parts[1]);
    let secret = EncodingKey::from_secret(signer.public.as_bytes());
    let own = |changes: Value| signed(&signer.key, Algorithm::ES256, &claims(changes));
    let forgeries = [
        ("expired", own(json!({ "exp": now() - 60 }))),
        ("not yet", own(json!({ "nbf": now() + 600 }))),
        ("no end", own(json!({ "exp": null }))),
        ("another issuer", own(json!({ "iss": "other" }))),
        ("another audience", own(json!({ "aud": "others" }))),
        ("an audience of null", own(json!({ "aud": null }))),
        ("no audience", own(json!({ "aud": "absent" }))),
        ("no issuer", own(json!({ "iss": "absent" }))),
        ("no expiry", own(json!({ "exp": "absent" }))),
        ("a role of nobody", own(json!({ "role": "root" }))),
        ("no subject", own(json!({ "sub": "" }))),
        ("another key", signed(&stranger.key, Algorithm::ES256, &claims(json!({})))),
        ("algorithm none", none),
        ("the public key as a secret", signed(&secret, Algorithm::HS256, &claims(json!({})))),
        (
            "another payload",
            format!("{}.{}.{}", parts[0], base64(&claims(json!({ "sub": "lead2" })).to_string()), parts[2]),
        ),
        ("no signature", format!("{}.{}.", parts[0], parts[1])),
        ("nothing", String::new()),
        ("no token", "a.b.c".to_owned()),
    ];
    for (what, forged) in &forgeries {
        assert!(!cookie(forged).await, "{what} in a cookie");
        assert!(!bearer(forged).await, "{what} as a bearer");
    }
    for one in [signer, stranger] {
        std::fs::remove_file(one.file).expect("removed");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_app_is_asked_once_and_believed_only_when_it_speaks_clearly() {
    let app = app().await;
    let house = House::with(&rules("kind = \"forward\"\npath = \"/whoami\""), app.address).await;
    let sees = async |session: &str| {
        let lines = [format!("Cookie: s={session}")];
        let (head, body) = house.ask("GET /page", &[&lines[0]], "").await;
        assert!(head.starts_with("HTTP/1.1 200"), "the page comes in any case: {head}");
        String::from_utf8_lossy(&body).contains(SHOWN)
    };
    let says = |word: Option<&str>| *app.word.lock() = word.map(str::to_owned);
    let good = "200 OK\r\ncontent-type: application/json\n{\"sub\":\"lead\",\"role\":\"lead\"}";
    says(Some(good));
    assert!(sees("one").await && sees("one").await && sees("one").await);
    assert_eq!(app.asked.lock().len(), 1, "the word is kept for a while");
    assert!(app.asked.lock()[0].to_lowercase().contains("cookie: s=one"));
    assert!(sees("two").await, "another session is asked for anew");
    assert_eq!(app.asked.lock().len(), 2);
    let (_, body) = house.get("/page").await;
    assert!(!body.contains(SHOWN), "who shows nothing of himself is nobody");
    assert_eq!(app.asked.lock().len(), 2, "and the app is not asked");
    for (number, word) in [
        "401 Unauthorized\r\ncontent-type: application/json\n{\"sub\":\"lead\",\"role\":\"lead\"}",
        "500 Broken\n{}",
        "302 Found\r\nlocation: /sign-in\n{\"sub\":\"lead\",\"role\":\"lead\"}",
        "200 OK\r\ncontent-type: text/html\n<p>sign in</p>",
        "200 OK\n{\"sub\":[\"lead\"],\"role\":\"lead\"}",
        "200 OK\n{\"sub\":\"lead\",\"role\":\"root\"}",
        "200 OK\n{\"role\":\"lead\"}",
    ]
    .into_iter()
    .enumerate()
    {
        says(Some(word));
        assert!(!sees(&format!("odd{number}")).await, "{word}");
    }
    let before = app.asked.lock().len();
    says(Some(good));
    assert!(!sees(&"x".repeat(20_000)).await, "far more than a session is nobody's");
    assert_eq!(app.asked.lock().len(), before, "and the app is not asked");
    says(None);
    assert!(!sees("slow").await, "an app that does not answer vouches for nobody");
    says(Some(good));
    assert!(sees("three").await, "the control");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_client_says_of_itself_is_taken_off() {
    let house = House::new().await;
    house.answers("200 OK\r\ncontent-type: text/html; charset=utf-8", format!("<p>{}</p>", token(1)));
    for line in [
        "X-User: lead; role=lead",
        "x-user: lead; role=lead",
        "X-Obhut-User: lead; role=lead",
        "x_user: lead; role=lead",
    ] {
        let (_, body) = house.ask("GET /page", &[line], "").await;
        assert_eq!(String::from_utf8_lossy(&body), "<p>[masked]</p>", "{line}");
        let got = house.app_got().to_lowercase();
        assert!(!got.contains("lead"), "the app does not see it either: {got}");
        house.app.got.lock().clear();
    }
    house.page("text/html; charset=utf-8", format!("<p>{}</p>", token(1)));
    let (head, body) = house.get("/page").await;
    assert!(body.contains(SHOWN) && !head.to_lowercase().contains("x-user"), "the control: {head}");
}
