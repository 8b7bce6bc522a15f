//! Headers on their way: what belongs to one connection stays there (RFC 9110 §7.6.1), what says whence a request came
//! is said by us, and what would make an answer last is taken off where it shows personal data.

use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use ipnet::IpNet;
use std::net::IpAddr;

/// Of one connection.
const HOP: [HeaderName; 8] = [
    header::CONNECTION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    header::PROXY_AUTHENTICATE,
    header::PROXY_AUTHORIZATION,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
];

/// What a client must not say of itself, or by which an app would take the request for another than the rules saw.
const CLAIMS: [HeaderName; 12] = [
    HeaderName::from_static("x-http-method-override"),
    HeaderName::from_static("x-http-method"),
    HeaderName::from_static("x-method-override"),
    HeaderName::from_static("x-original-url"),
    HeaderName::from_static("x-rewrite-url"),
    header::FORWARDED,
    HeaderName::from_static("x-forwarded-for"),
    HeaderName::from_static("x-forwarded-host"),
    HeaderName::from_static("x-forwarded-proto"),
    HeaderName::from_static("x-forwarded-port"),
    HeaderName::from_static("x-real-ip"),
    // Under CGI it becomes the variable by which libraries find their proxy ("httpoxy").
    HeaderName::from_static("proxy"),
];

/// How the names of the console's own cookies begin.
const OWN_COOKIES: &[u8] = b"__Host-obhut-";

const CONDITIONAL: [HeaderName; 7] = [
    header::IF_MATCH,
    header::IF_NONE_MATCH,
    header::IF_MODIFIED_SINCE,
    header::IF_UNMODIFIED_SINCE,
    header::IF_RANGE,
    header::RANGE,
    header::CACHE_CONTROL,
];

/// Digests of a body's bytes (RFC 9530, and what was before it).
pub(crate) const DIGESTS: [&str; 4] = ["content-md5", "content-digest", "repr-digest", "digest"];

const LASTING: [HeaderName; 19] = [
    header::ETAG,
    header::LAST_MODIFIED,
    header::EXPIRES,
    header::AGE,
    header::ACCEPT_RANGES,
    header::CONTENT_LENGTH,
    header::CONTENT_ENCODING,
    header::PRAGMA,
    HeaderName::from_static("content-md5"),
    HeaderName::from_static("digest"),
    HeaderName::from_static("repr-digest"),
    HeaderName::from_static("content-digest"),
    // What caches between us and the client obey before `Cache-Control`; RFC 9213's own ones are known by their ending.
    HeaderName::from_static("surrogate-control"),
    HeaderName::from_static("surrogate-key"),
    HeaderName::from_static("edge-control"),
    HeaderName::from_static("cache-tag"),
    HeaderName::from_static("x-accel-expires"),
    HeaderName::from_static("x-litespeed-cache-control"),
    HeaderName::from_static("x-cache-control"),
];
/// How the names of targeted cache controls end (RFC 9213 §2).
const TARGETED: &str = "cdn-cache-control";

/// Takes off what belongs to one connection, and what `Connection` names.
pub(crate) fn strip_hop(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = headers
        .get_all(header::CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse().ok())
        // Who could have these taken off would take off what the app decides by.
        .filter(|name| {
            !matches!(
                *name,
                header::HOST
                    | header::AUTHORIZATION
                    | header::COOKIE
                    | header::CONTENT_TYPE
                    | header::CONTENT_ENCODING
                    | header::CONTENT_LENGTH
            )
        })
        .collect();
    for name in named.iter().chain(&HOP) {
        headers.remove(name);
    }
    headers.remove(header::UPGRADE);
}

/// Takes off what speaks of a body's coding, and of the bytes that it had in it.
pub(crate) fn without_coding(headers: &mut HeaderMap) {
    for name in [header::CONTENT_ENCODING, header::CONTENT_LENGTH] {
        headers.remove(name);
    }
    for name in DIGESTS {
        headers.remove(name);
    }
}

/// Puts several lines of cookies into one, as HTTP/2 may split them (RFC 9113 §8.2.3): nobody then reads another one. Takes
/// off those of the console: cookies know no ports, so a browser sends them to an app of the same host name, too.
pub(crate) fn join_cookies(headers: &mut HeaderMap) {
    let lines = headers.get_all(header::COOKIE);
    let ours = |bytes: &[u8]| memchr::memmem::find(bytes, OWN_COOKIES).is_some();
    if lines.iter().nth(1).is_none() && !lines.iter().any(|line| ours(line.as_bytes())) {
        return;
    }
    let pairs = lines.iter().flat_map(|line| line.as_bytes().split(|byte| *byte == b';'));
    let pairs =
        pairs.map(<[u8]>::trim_ascii).filter(|pair| !pair.is_empty() && !pair.starts_with(OWN_COOKIES));
    let joined = pairs.collect::<Vec<_>>().join(&b"; "[..]);
    headers.remove(header::COOKIE);
    if let Ok(joined) = HeaderValue::from_bytes(&joined)
        && !joined.is_empty()
    {
        headers.insert(header::COOKIE, joined);
    }
}

/// Who asked, as we know it.
pub(crate) struct Origin<'a> {
    pub(crate) peer: IpAddr,
    pub(crate) host: &'a HeaderValue,
    pub(crate) proxies: &'a [IpNet],
}

/// The headers of a request as the app gets them.
pub(crate) fn to_app(headers: &mut HeaderMap, origin: &Origin<'_>, conditional: bool) {
    let before = believed(headers, origin);
    strip_hop(headers);
    for name in &CLAIMS {
        headers.remove(name);
    }
    // Many apps cannot tell `x_forwarded_for` from `x-forwarded-for`; ours to say are ours alone.
    let odd: Vec<HeaderName> = headers
        .keys()
        .filter(|name| name.as_str().contains('_') || name.as_str().starts_with("x-obhut-"))
        .cloned()
        .collect();
    for name in odd {
        headers.remove(name);
    }
    if !conditional {
        for name in &CONDITIONAL {
            headers.remove(name);
        }
    }
    headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    headers.insert(header::HOST, origin.host.clone());
    let chain = match before {
        Some(chain) => format!("{chain}, {}", origin.peer),
        None => origin.peer.to_string(),
    };
    if let Ok(value) = HeaderValue::from_str(&chain) {
        headers.insert("x-forwarded-for", value);
    }
    headers.insert("x-forwarded-proto", HeaderValue::from_static("https"));
    headers.insert("x-forwarded-host", origin.host.clone());
    let peer = match origin.peer {
        IpAddr::V4(peer) => peer.to_string(),
        IpAddr::V6(peer) => format!("\"[{peer}]\""),
    };
    let host = origin.host.to_str().unwrap_or_default();
    if let Ok(value) = HeaderValue::from_str(&format!("for={peer};host=\"{host}\";proto=https")) {
        headers.insert(header::FORWARDED, value);
    }
}

/// What a declared proxy says about who stands before it.
fn believed(headers: &HeaderMap, origin: &Origin<'_>) -> Option<String> {
    if !origin.proxies.iter().any(|net| net.contains(&origin.peer)) {
        return None;
    }
    let known = chain(headers)?;
    Some(known.iter().map(IpAddr::to_string).collect::<Vec<_>>().join(", "))
}

/// Who has handed the request on, the first one first, where it says nothing but addresses. A proxy may add to a line, or a line
/// of its own (RFC 9110 §5.3).
fn chain(headers: &HeaderMap) -> Option<Vec<IpAddr>> {
    let mut known = Vec::new();
    for line in headers.get_all("x-forwarded-for") {
        for one in line.to_str().ok()?.split(',') {
            known.push(one.trim().parse().ok()?);
        }
    }
    (1..=20).contains(&known.len()).then_some(known)
}

/// Who asked: where a declared proxy asks for somebody, the last one in its chain that is no declared proxy itself. What stands
/// before that one could be anybody's word.
pub(crate) fn client(headers: &HeaderMap, origin: &Origin<'_>) -> IpAddr {
    let is_proxy = |address: &IpAddr| origin.proxies.iter().any(|net| net.contains(address));
    if !is_proxy(&origin.peer) {
        return origin.peer;
    }
    let chain = chain(headers).unwrap_or_default();
    let named = chain.iter().rev().map(IpAddr::to_canonical).find(|address| !is_proxy(address));
    named.or(chain.first().copied()).unwrap_or(origin.peer)
}

/// Security headers that every answer has; what the app says itself stands where it is no weaker.
pub(crate) fn harden(headers: &mut HeaderMap) {
    headers.insert(
        header::STRICT_TRANSPORT_SECURITY,
        HeaderValue::from_static("max-age=31536000; includeSubDomains"),
    );
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if !headers.contains_key(header::REFERRER_POLICY) {
        headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("strict-origin-when-cross-origin"));
    }
    if !headers.contains_key(header::X_FRAME_OPTIONS)
        && !headers.contains_key(header::CONTENT_SECURITY_POLICY)
    {
        headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("SAMEORIGIN"));
    }
    for name in [header::SERVER, HeaderName::from_static("x-powered-by"), header::VIA] {
        headers.remove(name);
    }
}

/// An answer that may show personal data is kept by nobody.
pub(crate) fn no_store(headers: &mut HeaderMap) {
    let targeted = headers.keys().filter(|name| name.as_str().ends_with(TARGETED)).cloned();
    let targeted: Vec<HeaderName> = targeted.collect();
    for name in LASTING.iter().chain(&targeted) {
        headers.remove(name);
    }
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
}

/// Masks tokens in headers, those named in `shown` apart.
pub(crate) fn mask(headers: &mut HeaderMap, shown: &[HeaderName]) -> u64 {
    let mut masked = 0;
    for (name, value) in headers.iter_mut() {
        if shown.contains(name) {
            continue;
        }
        let found = crate::find::certain(value.as_bytes());
        if found.is_empty() {
            continue;
        }
        masked += found.len() as u64;
        let (mut out, mut at) = (Vec::new(), 0);
        for one in &found {
            out.extend_from_slice(&value.as_bytes()[at..one.start]);
            out.extend_from_slice(b"masked");
            at = one.end;
        }
        out.extend_from_slice(&value.as_bytes()[at..]);
        *value = HeaderValue::from_bytes(&out).unwrap_or_else(|_| HeaderValue::from_static("masked"));
    }
    masked
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in pairs {
            map.append(*name, HeaderValue::from_static(value));
        }
        map
    }

    fn origin<'a>(host: &'a HeaderValue, proxies: &'a [IpNet]) -> Origin<'a> {
        Origin { peer: IpAddr::from([192, 0, 2, 7]), host, proxies }
    }

    #[test]
    fn what_a_client_claims_is_taken_off() {
        let host = HeaderValue::from_static("app.example");
        let mut headers = map(&[
            ("x-forwarded-for", "10.0.0.1"),
            ("forwarded", "for=10.0.0.1"),
            ("x_forwarded_for", "10.0.0.1"),
            ("x-real-ip", "10.0.0.1"),
            ("x-obhut-user", "admin"),
            ("proxy", "http://192.0.2.66:3128"),
            ("connection", "close, x-secret, cookie"),
            ("x-secret", "1"),
            ("cookie", "a=b"),
            ("te", "trailers"),
            ("upgrade", "h2c"),
            ("if-none-match", "\"x\""),
            ("range", "bytes=0-1"),
        ]);
        to_app(&mut headers, &origin(&host, &[]), false);
        assert_eq!(headers["x-forwarded-for"], "192.0.2.7");
        assert_eq!(headers["forwarded"], "for=192.0.2.7;host=\"app.example\";proto=https");
        assert_eq!(headers["cookie"], "a=b");
        for gone in [
            "x_forwarded_for",
            "x-real-ip",
            "x-obhut-user",
            "proxy",
            "x-secret",
            "te",
            "upgrade",
            "if-none-match",
            "range",
        ] {
            assert!(!headers.contains_key(gone), "{gone}");
        }
    }

    #[test]
    fn cookies_are_one_line_and_the_consoles_stay_here() {
        let mut headers = map(&[("cookie", "a=1; __Host-obhut-session=obs_x"), ("cookie", "b=2")]);
        join_cookies(&mut headers);
        assert_eq!(headers.get_all("cookie").iter().collect::<Vec<_>>(), ["a=1; b=2"]);
        let mut headers = map(&[("cookie", "__Host-obhut-session=obs_x")]);
        join_cookies(&mut headers);
        assert!(!headers.contains_key("cookie"));
    }

    #[test]
    fn a_declared_proxy_is_believed_and_only_addresses_are() {
        let host = HeaderValue::from_static("a");
        let proxies = ["192.0.2.0/24".parse().expect("a network")];
        let mut headers = map(&[("x-forwarded-for", "198.51.100.9")]);
        to_app(&mut headers, &origin(&host, &proxies), true);
        assert_eq!(headers["x-forwarded-for"], "198.51.100.9, 192.0.2.7");
        let mut headers = map(&[("x-forwarded-for", "<script>")]);
        to_app(&mut headers, &origin(&host, &proxies), true);
        assert_eq!(headers["x-forwarded-for"], "192.0.2.7");
    }

    #[test]
    fn who_asks_through_proxies_is_the_last_one_that_is_none() {
        let host = HeaderValue::from_static("a");
        let proxies = ["192.0.2.0/24".parse().expect("a network")];
        let of = |lines: &[&'static str], proxies: &[IpNet]| {
            let lines: Vec<_> = lines.iter().map(|line| ("x-forwarded-for", *line)).collect();
            client(&map(&lines), &origin(&host, proxies)).to_string()
        };
        assert_eq!(of(&["198.51.100.9"], &[]), "192.0.2.7", "nobody's word");
        assert_eq!(of(&[], &proxies), "192.0.2.7");
        assert_eq!(of(&["198.51.100.9"], &proxies), "198.51.100.9");
        assert_eq!(of(&["10.6.6.6, 198.51.100.9, 192.0.2.1"], &proxies), "198.51.100.9", "not what he says");
        assert_eq!(of(&["10.6.6.6", "198.51.100.9"], &proxies), "198.51.100.9", "a line of its own");
        assert_eq!(of(&["192.0.2.2, 192.0.2.1"], &proxies), "192.0.2.2");
        assert_eq!(of(&["198.51.100.9, unknown"], &proxies), "192.0.2.7", "no address");
    }

    #[test]
    fn nothing_lasts_and_no_token_passes() {
        let mut headers = map(&[
            ("etag", "\"1\""),
            ("cache-control", "public"),
            ("server", "x"),
            ("location", "/w?n=obh_0123456789abcdefghjkmnpqrs0000"),
            ("x-name", "obh_0123456789abcdefghjkmnpqrs0000"),
        ]);
        no_store(&mut headers);
        harden(&mut headers);
        assert_eq!(mask(&mut headers, &["x-name".parse().expect("a name")]), 1);
        assert_eq!(headers["location"], "/w?n=masked");
        assert_eq!(headers["cache-control"], "private, no-store");
        assert!(!headers.contains_key("etag") && !headers.contains_key("server"));
        assert!(headers["x-name"].to_str().expect("text").starts_with("obh_"));
    }
}
