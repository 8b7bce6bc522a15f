//! Who is signed in: a signed token (RFC 7519) in a cookie, and a value against forged requests beside it.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use http::HeaderMap;
use http::header::{COOKIE, HeaderName};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};

/// The cookie with the token.
pub(crate) const SESSION: &str = "schicht_session";
/// The cookie with the value against forged requests.
pub(crate) const CSRF: &str = "schicht_csrf";
/// How long somebody stays signed in, s.
const HOURS_8: u64 = 8 * 3_600;

/// An account of the staff, for trying the app out.
#[derive(Clone, Copy, Debug)]
pub struct Account {
    /// What one types.
    pub login: &'static str,
    /// The password, which is no secret in a demo.
    pub password: &'static str,
    /// The role in the app.
    pub role: &'static str,
    /// Who that is.
    pub what: &'static str,
}

/// The staff.
pub const ACCOUNTS: &[Account] = &[
    Account { login: "lead", password: "schicht", role: "lead", what: "shift lead" },
    Account { login: "case", password: "schicht", role: "case", what: "return-to-work team" },
    Account { login: "hr", password: "schicht", role: "hr", what: "personnel office" },
];

/// What the token says.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Claims {
    iss: String,
    aud: String,
    pub(crate) sub: String,
    pub(crate) role: String,
    /// For a worker, her id.
    #[serde(rename = "ref", skip_serializing_if = "Option::is_none")]
    pub(crate) reference: Option<String>,
    iat: u64,
    exp: u64,
}

impl Claims {
    pub(crate) fn is_staff(&self) -> bool {
        self.role != "worker"
    }

    /// Whether this is the worker of this id.
    pub(crate) fn is_worker(&self, id: i64) -> bool {
        self.reference.as_deref() == Some(id.to_string().as_str())
    }
}

/// The keys of this run of the app.
pub(crate) struct Keys {
    signing: EncodingKey,
    verifying: DecodingKey,
    pub(crate) jwks: String,
}

impl Keys {
    pub(crate) fn generate() -> Option<Self> {
        let random = SystemRandom::new();
        let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).ok()?;
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, document.as_ref()).ok()?;
        let point = pair.public_key().as_ref();
        let (x, y) = point.get(1..)?.split_at_checked(32)?;
        let (x, y) = (BASE64URL_NOPAD.encode(x), BASE64URL_NOPAD.encode(y));
        let jwks = serde_json::json!({ "keys": [
            { "kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": "schicht-1", "x": x, "y": y }
        ] });
        Some(Self {
            signing: EncodingKey::from_ec_der(document.as_ref()),
            verifying: DecodingKey::from_ec_components(&x, &y).ok()?,
            jwks: jwks.to_string(),
        })
    }

    /// A token for somebody who has just signed in.
    pub(crate) fn sign(&self, sub: String, role: &str, reference: Option<String>) -> Option<String> {
        let iat = now();
        let (iss, aud, role) = ("schicht".to_owned(), "schicht".to_owned(), role.to_owned());
        let claims = Claims { iss, aud, sub, role, reference, iat, exp: iat + HOURS_8 };
        let header = Header { kid: Some("schicht-1".to_owned()), ..Header::new(Algorithm::ES256) };
        jsonwebtoken::encode(&header, &claims, &self.signing).ok()
    }

    /// Who is signed in.
    pub(crate) fn who(&self, headers: &HeaderMap) -> Option<Claims> {
        let mut validation = Validation::new(Algorithm::ES256);
        validation.set_issuer(&["schicht"]);
        validation.set_audience(&["schicht"]);
        let token = cookie(headers, SESSION, COOKIE)?;
        jsonwebtoken::decode(token, &self.verifying, &validation).ok().map(|data| data.claims)
    }
}

fn now() -> u64 {
    #[expect(clippy::disallowed_methods, reason = "an app of its own, with the clock of the machine")]
    let now = std::time::SystemTime::now();
    now.duration_since(std::time::UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// A cookie's value.
pub(crate) fn cookie<'a>(headers: &'a HeaderMap, name: &str, header: HeaderName) -> Option<&'a str> {
    let all = headers.get_all(header).into_iter().filter_map(|value| value.to_str().ok());
    let mut pairs = all.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(one, _)| *one == name).map(|(_, value)| value)
}

/// A fresh value against forged requests.
pub(crate) fn new_csrf() -> String {
    let mut bytes = [0; 16];
    // Without randomness no form of this session works, which is the safe side.
    let _ = aws_lc_rs::rand::fill(&mut bytes);
    HEXLOWER.encode(&bytes)
}

/// Whether a request carries the value of its session.
pub(crate) fn is_ours(headers: &HeaderMap, sent: &str) -> bool {
    cookie(headers, CSRF, COOKIE).is_some_and(|kept| {
        aws_lc_rs::constant_time::verify_slices_are_equal(kept.as_bytes(), sent.as_bytes()).is_ok()
            && kept.len() == 32
    })
}

/// Whether this is a staff account's password.
pub(crate) fn account(login: &str, password: &str) -> Option<&'static Account> {
    ACCOUNTS.iter().find(|account| account.login == login && account.password == password)
}
