//! Who the user of the app is: by a signed token, by the app's own `/whoami`, or by what the app says in its answer.
//! Never by what a client says of itself; whoever cannot be known for certain is nobody, for whom everything is masked.

use crate::config::PrincipalTable;
use crate::headers::Origin;
use crate::messages::Viewer;
use crate::upstream::Upstream;
use crate::whoami::Words;
use http::header::{self, HeaderMap, HeaderName};
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, JwkSet};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use model::principal::Role;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::net::IpAddr;

/// Longest id of a user.
const SUBJECT_BYTES: usize = 256;

/// A user, in one session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct User {
    pub(crate) viewer: Viewer,
    pub(crate) session: String,
}

/// Which claims or members say what.
#[derive(Clone, Debug)]
pub(crate) struct Reading {
    issuer: String,
    subject: String,
    role: String,
    person: Option<String>,
    roles: BTreeMap<String, Role>,
}

fn text(map: &Map<String, Value>, name: &str) -> Option<String> {
    let text = match map.get(name)? {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    let fits = !text.is_empty() && text.len() <= SUBJECT_BYTES && !text.chars().any(char::is_control);
    fits.then_some(text)
}

impl Reading {
    pub(crate) fn user(&self, map: &Map<String, Value>) -> Option<User> {
        let subject = text(map, &self.subject)?;
        let role = *self.roles.get(&text(map, &self.role)?)?;
        let person = self.person.as_ref().and_then(|name| text(map, name));
        // Without a reference nobody knows on whom she may act.
        if role == Role::System || (role == Role::Person && person.is_none()) {
            return None;
        }
        let session = ["sid", "jti", "iat"].iter().find_map(|name| text(map, name)).unwrap_or_default();
        let session = format!("{}\n{subject}\n{session}", self.issuer);
        let person = person.filter(|_| role == Role::Person);
        let viewer = Viewer { issuer: self.issuer.clone(), subject, role, person };
        Some(User { viewer, session })
    }
}

/// A way to know the user.
pub(crate) enum Principal {
    Jwt { cookie: Option<String>, keys: Vec<Key>, validation: Box<Validation>, reading: Reading },
    Forward { path: String, reading: Reading, words: Words },
    Response { header: HeaderName, reading: Reading },
}

/// A key that signs the app's tokens.
pub(crate) struct Key {
    id: Option<String>,
    algorithms: Vec<Algorithm>,
    key: DecodingKey,
}

/// Why a way cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PrincipalError {
    /// The file cannot be read.
    #[error("cannot read the keys: {0}")]
    File(String),
    /// Neither a key set nor a public key.
    #[error("neither a JSON Web Key Set nor a public key in PEM, or no key in it can be used")]
    Keys,
    /// Not a name of a header.
    #[error("not a name of a header")]
    Header,
    /// Not a path.
    #[error("not a path")]
    Path,
}

impl Principal {
    /// Makes it ready.
    pub(crate) fn build(table: &PrincipalTable, base: &std::path::Path) -> Result<Self, PrincipalError> {
        match table {
            PrincipalTable::Jwt { cookie, keys, issuer, audience, subject, role, person, roles } => {
                let bytes = std::fs::read(base.join(keys))
                    .map_err(|error| PrincipalError::File(error.to_string()))?;
                let reading = Reading {
                    issuer: issuer.clone(),
                    subject: subject.clone(),
                    role: role.clone(),
                    person: person.clone(),
                    roles: roles.clone(),
                };
                let keys = read_keys(&bytes)?;
                let mut validation = Validation::new(Algorithm::ES256);
                validation.leeway = 5;
                validation.validate_nbf = true;
                validation.set_issuer(&[issuer]);
                validation.set_required_spec_claims(&["exp", "iss"]);
                match audience {
                    Some(audience) => {
                        validation.set_audience(&[audience]);
                        // Without this, a token that names no audience at all would be taken.
                        validation.set_required_spec_claims(&["exp", "iss", "aud"]);
                    }
                    None => validation.validate_aud = false,
                }
                let validation = Box::new(validation);
                Ok(Self::Jwt { cookie: cookie.clone(), keys, validation, reading })
            }
            PrincipalTable::Forward { path, subject, role, person, roles } => {
                let fits = path.starts_with('/') && crate::rules::segments(path).is_some();
                let reading = Reading {
                    issuer: "app:whoami".to_owned(),
                    subject: subject.clone(),
                    role: role.clone(),
                    person: person.clone(),
                    roles: roles.clone(),
                };
                if !fits {
                    return Err(PrincipalError::Path);
                }
                Ok(Self::Forward { path: path.clone(), reading, words: Words::default() })
            }
            PrincipalTable::Response { header, roles } => {
                let reading = Reading {
                    issuer: "app:response".to_owned(),
                    subject: "sub".to_owned(),
                    role: "role".to_owned(),
                    person: Some("person".to_owned()),
                    roles: roles.clone(),
                };
                let header = header.parse().map_err(|_| PrincipalError::Header)?;
                Ok(Self::Response { header, reading })
            }
        }
    }

    /// The header in which the app says it, to be taken off both ways.
    pub(crate) fn header(&self) -> Option<&HeaderName> {
        match self {
            Self::Response { header, .. } => Some(header),
            _ => None,
        }
    }

    /// The user of a request, as far as the request tells.
    pub(crate) async fn of_request(
        &self,
        headers: &HeaderMap,
        origin: &Origin<'_>,
        upstream: (&Upstream, Option<IpAddr>),
    ) -> Option<User> {
        match self {
            Self::Jwt { cookie, keys, validation, reading } => {
                let token = match cookie {
                    Some(name) => only_cookie(headers, name)?,
                    None => bearer(headers)?,
                };
                let claims = verify(&token, keys, validation)?;
                reading.user(&claims)
            }
            Self::Forward { path, reading, words } => {
                words.of(path, reading, headers, origin, upstream).await
            }
            Self::Response { .. } => None,
        }
    }

    /// The user as the app's answer tells, where that is the way.
    pub(crate) fn of_answer(&self, headers: &HeaderMap) -> Option<User> {
        let Self::Response { header, reading } = self else { return None };
        let mut values = headers.get_all(header).iter();
        let value = values.next()?.to_str().ok()?;
        if values.next().is_some() {
            return None;
        }
        let mut parts = value.split(';').map(str::trim);
        let mut map = Map::new();
        map.insert("sub".to_owned(), Value::String(parts.next()?.to_owned()));
        for part in parts {
            let (name, value) = part.split_once('=')?;
            let value = Value::String(value.trim().trim_matches('"').to_owned());
            // Said twice, it may be the user's own name that says it.
            if map.insert(name.trim().to_owned(), value).is_some() {
                return None;
            }
        }
        reading.user(&map)
    }
}

/// The value of a cookie; none when it stands there twice with two values, since nobody knows which the app takes.
fn only_cookie(headers: &HeaderMap, name: &str) -> Option<String> {
    let mut found: Option<&str> = None;
    for value in headers.get_all(header::COOKIE) {
        for pair in value.to_str().ok()?.split(';') {
            let Some((one, value)) = pair.trim().split_once('=') else { continue };
            if one.trim() == name && found.replace(value).is_some_and(|other| other != value) {
                return None;
            }
        }
    }
    found.map(|value| value.trim().trim_matches('"').to_owned())
}

fn bearer(headers: &HeaderMap) -> Option<String> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let value = values.next()?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    (values.next().is_none() && scheme.eq_ignore_ascii_case("bearer")).then(|| token.trim().to_owned())
}

fn verify(token: &str, keys: &[Key], validation: &Validation) -> Option<Map<String, Value>> {
    if token.len() > 8_192 {
        return None;
    }
    let head = jsonwebtoken::decode_header(token).ok()?;
    let fits = |key: &&Key| {
        let named = head.kid.is_none() || key.id.is_none() || key.id == head.kid;
        named && key.algorithms.contains(&head.alg)
    };
    keys.iter().filter(fits).find_map(|key| {
        let mut validation = validation.clone();
        validation.algorithms = vec![head.alg];
        jsonwebtoken::decode::<Map<String, Value>>(token, &key.key, &validation).ok().map(|data| data.claims)
    })
}

fn read_keys(bytes: &[u8]) -> Result<Vec<Key>, PrincipalError> {
    if let Ok(set) = serde_json::from_slice::<JwkSet>(bytes) {
        let keys: Vec<Key> = set.keys.iter().filter_map(key_of).collect();
        return if keys.is_empty() { Err(PrincipalError::Keys) } else { Ok(keys) };
    }
    let rsa = vec![
        Algorithm::RS256,
        Algorithm::RS384,
        Algorithm::RS512,
        Algorithm::PS256,
        Algorithm::PS384,
        Algorithm::PS512,
    ];
    let read = DecodingKey::from_ec_pem(bytes)
        .map(|key| (vec![Algorithm::ES256, Algorithm::ES384], key))
        .or_else(|_| DecodingKey::from_ed_pem(bytes).map(|key| (vec![Algorithm::EdDSA], key)))
        .or_else(|_| DecodingKey::from_rsa_pem(bytes).map(|key| (rsa, key)));
    let (algorithms, key) = read.map_err(|_| PrincipalError::Keys)?;
    Ok(vec![Key { id: None, algorithms, key }])
}

/// A public key of a set; shared secrets are none.
fn key_of(jwk: &Jwk) -> Option<Key> {
    let algorithms = match &jwk.algorithm {
        AlgorithmParameters::EllipticCurve(curve) => match curve.curve {
            EllipticCurve::P256 => vec![Algorithm::ES256],
            EllipticCurve::P384 => vec![Algorithm::ES384],
            _ => return None,
        },
        AlgorithmParameters::OctetKeyPair(_) => vec![Algorithm::EdDSA],
        AlgorithmParameters::RSA(_) => {
            vec![
                Algorithm::RS256,
                Algorithm::RS384,
                Algorithm::RS512,
                Algorithm::PS256,
                Algorithm::PS384,
                Algorithm::PS512,
            ]
        }
        _ => return None,
    };
    let key = DecodingKey::from_jwk(jwk).ok()?;
    Some(Key { id: jwk.common.key_id.clone(), algorithms, key })
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn reading() -> Reading {
        Reading {
            issuer: "app".to_owned(),
            subject: "sub".to_owned(),
            role: "role".to_owned(),
            person: Some("ref".to_owned()),
            roles: BTreeMap::from([
                ("lead".to_owned(), Role::Operations),
                ("worker".to_owned(), Role::Person),
            ]),
        }
    }

    fn user(json: &str) -> Option<User> {
        reading().user(&serde_json::from_str(json).expect("json"))
    }

    #[test]
    fn who_is_not_known_for_certain_is_nobody() {
        assert_eq!(user(r#"{"sub":"u1","role":"lead"}"#).expect("a user").viewer.role, Role::Operations);
        assert_eq!(
            user(r#"{"sub":"w","role":"worker","ref":17}"#).expect("a user").viewer.person.as_deref(),
            Some("17")
        );
        assert_eq!(user(r#"{"sub":"u1","role":"lead","ref":"17"}"#).expect("a user").viewer.person, None);
        for nobody in [
            r#"{"role":"lead"}"#,
            r#"{"sub":"","role":"lead"}"#,
            r#"{"sub":"u1"}"#,
            r#"{"sub":"u1","role":"root"}"#,
            r#"{"sub":"u1","role":["lead"]}"#,
            r#"{"sub":"w","role":"worker"}"#,
            r#"{"sub":"a\nb","role":"lead"}"#,
        ] {
            assert_eq!(user(nobody), None, "{nobody}");
        }
    }

    #[test]
    fn a_cookie_with_two_values_is_none() {
        let mut headers = HeaderMap::new();
        headers.append(header::COOKIE, HeaderValue::from_static("a=1; s=x; b=2"));
        assert_eq!(only_cookie(&headers, "s").as_deref(), Some("x"));
        headers.append(header::COOKIE, HeaderValue::from_static("s=x"));
        assert_eq!(only_cookie(&headers, "s").as_deref(), Some("x"));
        headers.append(header::COOKIE, HeaderValue::from_static("s=y"));
        assert_eq!(only_cookie(&headers, "s"), None);
    }

    #[test]
    fn the_header_of_an_answer_is_read_once() {
        let principal =
            Principal::Response { header: "x-obhut-user".parse().expect("a name"), reading: reading() };
        let mut headers = HeaderMap::new();
        headers.append("x-obhut-user", HeaderValue::from_static("u1; role=lead"));
        assert_eq!(principal.of_answer(&headers).expect("a user").viewer.subject, "u1");
        headers.append("x-obhut-user", HeaderValue::from_static("u2; role=lead"));
        assert_eq!(principal.of_answer(&headers), None);
        headers.clear();
        headers.append("x-obhut-user", HeaderValue::from_static("u1; role=worker; role=lead"));
        assert_eq!(principal.of_answer(&headers), None);
    }

    #[test]
    fn shared_secrets_are_no_keys() {
        assert!(read_keys(br#"{"keys":[{"kty":"oct","k":"c2VjcmV0","alg":"HS256"}]}"#).is_err());
        assert!(read_keys(b"nothing").is_err());
    }
}
