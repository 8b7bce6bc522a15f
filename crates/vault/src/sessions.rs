//! Sign-in: a link that works once, and the session it opens. Both are principals like that of a key, found by a digest
//! of their own, so that neither can be used as the other or as a key. A sign-in uses up the link and makes the session in
//! one commit.

use crate::change::{self, Change, Logged};
use crate::fault::Fault;
use crate::keys::{self, AuthError, Credential, KeyError, NewKey};
use crate::steps::Step;
use crate::trail::{Actor, KeyChange};
use crate::{Context, Vault};
use model::principal::Role;
use model::token::{SessionKey, SignInLink};
use model::{PrincipalId, TenantId, Timestamp};
use store::{KeyOp, PrincipalState};

/// Longest time for which a link can be issued, in milliseconds: 7 days.
pub const MAX_LINK_MS: i64 = 7 * 86_400_000;
/// How long a session of staff lasts, in milliseconds: 8 hours.
pub const SESSION_MS: i64 = 8 * 3_600_000;
/// How long a session of a person lasts, in milliseconds: an hour.
pub const PERSON_SESSION_MS: i64 = 3_600_000;

/// An issued link. The secret is shown once.
#[derive(Debug)]
pub struct IssuedLink {
    /// The principal that it leads to until it is used.
    pub principal: PrincipalId,
    /// The secret text `obl_…`.
    pub secret: SignInLink,
    /// When it ends.
    pub expires: Timestamp,
    /// How far the trail has come.
    pub logged: Logged,
}

/// An opened session. The secret goes into a cookie.
#[derive(Debug)]
pub struct Session {
    /// Its principal.
    pub principal: PrincipalId,
    /// The role it has.
    pub role: Role,
    /// The secret text `obs_…`.
    pub secret: SessionKey,
    /// When it ends.
    pub expires: Timestamp,
}

/// What the forms of a session carry, so that no other site can send one.
#[must_use]
pub fn form_token(key: &SessionKey) -> [u8; 32] {
    seal::form_token(key.expose())
}

/// Whether a form carried what those of this session carry.
#[must_use]
pub fn is_form_token(key: &SessionKey, given: &[u8]) -> bool {
    seal::is_form_token(key.expose(), given)
}

impl Vault {
    /// Issues a link that signs in once, in the role and for the person that `new` names. It must end within
    /// [`MAX_LINK_MS`].
    pub async fn issue_link(
        &self,
        ctx: &Context,
        tenant: TenantId,
        new: NewKey,
    ) -> Result<IssuedLink, KeyError> {
        let last = self.house.clock.now()?.plus_ms(MAX_LINK_MS);
        let expires = new.expires.filter(|end| *end <= last).ok_or(KeyError::Expired)?;
        // What an app may do, a program does, with a key.
        if new.role == Role::App {
            return Err(KeyError::Subject);
        }
        let secret = SignInLink::generate(&*self.house.entropy);
        let hash = seal::hash_sign_in_link(secret.expose());
        let (principal, logged) = self.issue(ctx, tenant, &new, (Credential::Link, hash)).await?;
        Ok(IssuedLink { principal, secret, expires, logged })
    }

    /// Uses a link up and opens a session. A second use, also at the same moment, is refused.
    pub async fn sign_in(
        &self,
        link: &SignInLink,
        in_zone: impl Fn(&[String]) -> bool,
    ) -> Result<Session, AuthError> {
        let house = &self.house;
        let hash = seal::hash_sign_in_link(link.expose());
        let row =
            house.store.snapshot().map_err(Fault::from)?.principal_by_hash(&hash).map_err(Fault::from)?;
        let row = row.filter(|row| row.state == PrincipalState::Active).ok_or(AuthError::Refused)?;
        let now = house.clock.now()?;
        if row.expires.is_none_or(|end| end <= now) {
            return Err(AuthError::Refused);
        }
        let tenant = house.tenant(row.tenant).ok_or(AuthError::Refused)?;
        let card = keys::read_card(house, &tenant, row.principal)?;
        if !card.zone.is_empty() && !in_zone(&card.zone) {
            return Err(AuthError::Refused);
        }
        let subject = row.subject.map(|id| keys::living(house, &tenant, id)).transpose()?.flatten();
        if row.subject.is_some() != subject.is_some() {
            return Err(AuthError::Refused);
        }
        let ctx = Context { actor: keys::actor_of(house, &tenant, &row)?, request: self.new_request() };
        let term = if row.role == Role::Person { PERSON_SESSION_MS } else { SESSION_MS };
        let expires = now.plus_ms(term);
        let new = NewKey {
            name: card.name,
            role: row.role,
            subject: row.subject,
            expires: Some(expires),
            zone: card.zone,
        };
        let secret = SessionKey::generate(&*house.entropy);
        let credential = (Credential::Session, seal::hash_session(secret.expose()));
        let made = keys::row_of(house, &tenant, &new, credential).await?;
        let principal = made.principal;
        let key = KeyChange { principal, role: row.role, issued: true };
        let entry = keys::entry(house, &tenant, &ctx, key, subject.as_ref())?;
        let ops = vec![
            KeyOp::SetPrincipalState {
                tenant: tenant.id,
                principal: row.principal,
                expected_version: row.version,
                state: PrincipalState::Revoked,
            },
            KeyOp::InsertPrincipal(made),
        ];
        let steps = [Step::KeyCommitted, Step::KeyShipped];
        let change =
            Change { name: "sign_in", tenant: tenant.id, actor: Some(row.principal), ops, entry, steps };
        // Somebody else was quicker, and the session is theirs.
        match change::commit(house, change).await {
            Ok(Ok(_)) => {}
            Ok(Err(_)) | Err(Fault::Revoked) => return Err(AuthError::Refused),
            Err(fault) => return Err(fault.into()),
        }
        Ok(Session { principal, role: row.role, secret, expires })
    }

    /// Who is behind a session; `in_zone` as in [`Vault::authenticate`].
    pub fn session(&self, key: &SessionKey, in_zone: impl Fn(&[String]) -> bool) -> Result<Actor, AuthError> {
        keys::checked(&self.house, &seal::hash_session(key.expose()), in_zone)
    }

    /// Ends the session that asks.
    pub async fn sign_out(&self, ctx: &Context) -> Result<Logged, KeyError> {
        let principal = &ctx.actor.principal;
        let opened = self.house.tenant(principal.tenant).ok_or(KeyError::Unknown)?;
        self.revoke(ctx, &opened, principal.id).await
    }
}
