//! API keys: issue, check, revoke. A key is 256 random bits; only its SHA-256 is stored, which is enough since
//! nobody can guess 256 bits. The check is the only maker of an [`Actor`].

use crate::change::{self, Change, Logged};
use crate::config::document;
use crate::fault::{Applied, Fault, applied};
use crate::house::House;
use crate::people::Person;
use crate::steps::Step;
use crate::tenant::Tenant;
use crate::trail::{self, Actor, ActorDetail, Event, KeyChange, Metadata, Subject, SubjectDetail, Verdict};
use crate::{Context, Vault};
use model::decision::{Action, Reason, allowed};
use model::principal::{Principal, Role};
use model::token::ApiKey;
use model::{PersonId, PrincipalId, TenantId, Timestamp};
use parking_lot::RwLock;
use seal::{DocumentPlace, LogSecret};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::sync::Arc;
use store::{KeyOp, PrincipalRow, PrincipalState, Sealed};

/// Most keys in memory; beyond it the cache is emptied and fills again.
const MAX_CACHED: usize = 10_000;

/// Why a credential was not accepted. Outwardly all are the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AuthError {
    /// Not a key, not a known key, revoked, expired, or used from outside its zone.
    #[error("the key is not valid here")]
    Refused,
    /// A fault of the house.
    #[error(transparent)]
    Fault(#[from] Fault),
}

/// Why a key was not issued or revoked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The decision refused it.
    #[error("not permitted")]
    Denied(Reason),
    /// A key of role `person` needs a person, and no other may have one; no key has the role `system`.
    #[error("a key of role person needs a person, no other may have one, and none is the system's")]
    Subject,
    /// The person is not known here.
    #[error("unknown person")]
    UnknownPerson,
    /// The end of the term is not in the future.
    #[error("the key would be expired at once")]
    Expired,
    /// No such key.
    #[error("unknown key")]
    Unknown,
    /// A fault of the house.
    #[error(transparent)]
    Fault(#[from] Fault),
}

/// What is asked for when a key is issued.
#[derive(Clone, Debug)]
pub struct NewKey {
    /// A name for people, shown in lists and in accesses.
    pub name: String,
    /// Its role.
    pub role: Role,
    /// For [`Role::Person`], on whom alone it acts.
    pub subject: Option<PersonId>,
    /// When it ends; `None` is never.
    pub expires: Option<Timestamp>,
    /// From where it may be used, as networks in CIDR form; empty is anywhere.
    pub zone: Vec<String>,
}

/// An issued key. The secret is shown once.
#[derive(Debug)]
pub struct IssuedKey {
    /// Its principal.
    pub principal: PrincipalId,
    /// The secret text `obk_…`.
    pub secret: ApiKey,
    /// How far the trail has come.
    pub logged: Logged,
}

/// What leads to a principal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Credential {
    /// An API key.
    #[default]
    Key,
    /// A user of the app, whom the gateway vouches for.
    Viewer,
    /// A link that signs somebody in once.
    Link,
    /// What a sign-in opened.
    Session,
}

/// What is known of a key besides its row.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct KeyCard {
    /// What leads to it; cards from before there was more than one say nothing.
    #[serde(default)]
    pub credential: Credential,
    /// A name for people.
    pub name: String,
    /// Networks in CIDR form.
    pub zone: Vec<String>,
}

struct Cached {
    actor: Actor,
    card: KeyCard,
    expires: Option<Timestamp>,
}

/// Checked keys by their hash. Emptied by each revocation before that is acknowledged.
#[derive(Default)]
pub(crate) struct ActorCache(RwLock<Known>);

#[derive(Default)]
struct Known {
    by_hash: HashMap<[u8; 32], Arc<Cached>>,
    /// Counts revocations, so that a row read before one is not entered after it.
    revocations: u64,
}

impl ActorCache {
    fn get(&self, hash: &[u8; 32]) -> (Option<Arc<Cached>>, u64) {
        let known = self.0.read();
        (known.by_hash.get(hash).cloned(), known.revocations)
    }

    fn put(&self, hash: [u8; 32], cached: Arc<Cached>, seen: u64) {
        let mut known = self.0.write();
        if known.revocations != seen {
            return;
        }
        if known.by_hash.len() >= MAX_CACHED {
            known.by_hash.clear();
        }
        known.by_hash.insert(hash, cached);
    }

    /// How many revocations there were so far.
    pub(crate) fn revocations(&self) -> u64 {
        self.0.read().revocations
    }

    /// Forgets all keys; also those of an erased person.
    pub(crate) fn clear(&self) {
        let mut known = self.0.write();
        known.by_hash.clear();
        known.revocations += 1;
    }
}

impl Vault {
    /// Checks a key; `in_zone` says whether the caller's address lies in one of the given networks.
    pub fn authenticate(
        &self,
        key: &ApiKey,
        in_zone: impl Fn(&[String]) -> bool,
    ) -> Result<Actor, AuthError> {
        checked(&self.house, &seal::hash_api_key(key.expose()), in_zone)
    }

    /// Issues a key. The secret is not stored anywhere.
    pub async fn issue_key(
        &self,
        ctx: &Context,
        tenant: TenantId,
        new: NewKey,
    ) -> Result<IssuedKey, KeyError> {
        let secret = ApiKey::generate(&*self.house.entropy);
        let hash = seal::hash_api_key(secret.expose());
        let (principal, logged) = self.issue(ctx, tenant, &new, (Credential::Key, hash)).await?;
        Ok(IssuedKey { principal, secret, logged })
    }

    /// Issues what leads to a new principal.
    pub(crate) async fn issue(
        &self,
        ctx: &Context,
        tenant: TenantId,
        new: &NewKey,
        credential: (Credential, [u8; 32]),
    ) -> Result<(PrincipalId, Logged), KeyError> {
        let house = &self.house;
        let opened = house.tenant(tenant).ok_or(KeyError::Denied(Reason::WrongTenant))?;
        let state = Some(opened.live().state);
        allowed(&ctx.actor.principal, Action::ManageKeys, tenant, None, state).map_err(KeyError::Denied)?;
        // The house's own role belongs to no key.
        if (new.role == Role::Person) != new.subject.is_some() || new.role == Role::System {
            return Err(KeyError::Subject);
        }
        let now = house.clock.now()?;
        if new.expires.is_some_and(|end| end <= now) {
            return Err(KeyError::Expired);
        }
        let subject = match new.subject {
            None => None,
            Some(id) => Some(living(house, &opened, id)?.ok_or(KeyError::UnknownPerson)?),
        };
        let row = row_of(house, &opened, new, credential).await?;
        let principal = row.principal;
        let key = KeyChange { principal, role: row.role, issued: true };
        let entry = entry(house, &opened, ctx, key, subject.as_ref())?;
        let ops = vec![KeyOp::InsertPrincipal(row)];
        let steps = [Step::KeyCommitted, Step::KeyShipped];
        let actor = Some(ctx.actor.principal.id);
        let change = Change { name: "issue_key", tenant, actor, ops, entry, steps };
        match change::commit(house, change).await? {
            Ok(logged) => Ok((principal, logged)),
            Err(_) => Err(KeyError::Fault(Fault::Busy)),
        }
    }

    /// Revokes a key. When this returns, no node of this house accepts it.
    pub async fn revoke_key(
        &self,
        ctx: &Context,
        tenant: TenantId,
        principal: PrincipalId,
    ) -> Result<Logged, KeyError> {
        let house = &self.house;
        let opened = house.tenant(tenant).ok_or(KeyError::Denied(Reason::WrongTenant))?;
        let state = Some(opened.live().state);
        allowed(&ctx.actor.principal, Action::ManageKeys, tenant, None, state).map_err(KeyError::Denied)?;
        self.revoke(ctx, &opened, principal).await
    }

    /// Revokes whatever leads to a principal.
    pub(crate) async fn revoke(
        &self,
        ctx: &Context,
        opened: &Tenant,
        principal: PrincipalId,
    ) -> Result<Logged, KeyError> {
        let (house, tenant) = (&self.house, opened.id);
        let row = house.store.snapshot().map_err(Fault::from)?.principal(tenant, principal);
        let row = row.map_err(Fault::from)?.ok_or(KeyError::Unknown)?;
        let subject = row.subject.map(|id| living(house, opened, id)).transpose()?.flatten();
        let key = KeyChange { principal, role: row.role, issued: false };
        let entry = entry(house, opened, ctx, key, subject.as_ref())?;
        let (expected_version, state) = (row.version, PrincipalState::Revoked);
        let ops = vec![KeyOp::SetPrincipalState { tenant, principal, expected_version, state }];
        let steps = [Step::RevokeCommitted, Step::RevokeShipped];
        let actor = Some(ctx.actor.principal.id);
        let change = Change { name: "revoke_key", tenant, actor, ops, entry, steps };
        let committed = change::commit(house, change).await?;
        house.actors.clear();
        committed.map_err(|_| KeyError::Unknown)
    }

    /// Name and zone of a key, for lists and accesses; `None` when it is unknown.
    pub(crate) fn key_card(&self, tenant: &Tenant, principal: PrincipalId) -> Option<KeyCard> {
        read_card(&self.house, tenant, principal).ok()
    }
}

/// The person a key acts for, with the secret under which the trail tells her; `None` when she is not, or no longer, here.
pub(crate) fn living(
    house: &House,
    tenant: &Tenant,
    id: PersonId,
) -> Result<Option<(PersonId, LogSecret)>, Fault> {
    let Some(person) = Person::read(&house.store.snapshot()?, tenant.id, id)? else { return Ok(None) };
    Ok(person.log_secret(tenant)?.map(|secret| (id, secret)))
}

/// The entry of a key that is issued or revoked. Whom it acts for sees it among her accesses: what is done with her own
/// key stands there as done by herself.
pub(crate) fn entry(
    house: &House,
    tenant: &Tenant,
    ctx: &Context,
    key: KeyChange,
    subject: Option<&(PersonId, LogSecret)>,
) -> Result<trail::Sealed, Fault> {
    let mut metadata = Metadata::of(Event::Keys, house.clock.now()?, ctx.request, Verdict::Permit);
    metadata.released = u32::from(key.issued);
    let actor = &ctx.actor.principal;
    let subject = subject.map(|(person, secret)| {
        let detail = SubjectDetail { person: *person, fields: Vec::new(), actor: actor.id, role: actor.role };
        Subject { secret, detail }
    });
    let detail = ActorDetail { principal: actor.id, role: actor.role, key: Some(key) };
    trail::seal_with(house, tenant, metadata, subject.as_slice(), &ctx.actor, &detail)
}

/// Makes the row of a new key and keeps its card. The card is unreachable until the row is committed.
pub(crate) async fn make(
    house: &House,
    tenant: &Tenant,
    new: &NewKey,
) -> Result<(PrincipalRow, ApiKey), Fault> {
    let secret = ApiKey::generate(&*house.entropy);
    let row = row_of(house, tenant, new, (Credential::Key, seal::hash_api_key(secret.expose()))).await?;
    Ok((row, secret))
}

/// The row of a principal who is found by `key_hash`; its card is kept.
pub(crate) async fn row_of(
    house: &House,
    tenant: &Tenant,
    new: &NewKey,
    (credential, key_hash): (Credential, [u8; 32]),
) -> Result<PrincipalRow, Fault> {
    let principal = PrincipalId::fresh(&*house.clock, &*house.entropy);
    // Who acts for a person acts under her own log secret, which goes with her; a secret under the tenant key would let
    // old copies tell for ever what she did.
    let wrapped = match new.subject {
        Some(_) => Vec::new(),
        None => tenant.key().new_log_secret(principal, &*house.entropy)?.1,
    };
    let place = card_place(tenant.id, principal);
    // The name of a person's own key would be personal, and would outlive her.
    let name = if new.subject.is_some() { String::new() } else { new.name.clone() };
    let card = KeyCard { credential, name, zone: new.zone.clone() };
    let body = serde_json::to_vec(&card).map_err(|_| Fault::Corrupt)?;
    let sealed = tenant.metadata.seal_document(&place, &body, &*house.entropy)?;
    let document = crate::document_row(&place, sealed, house);
    let put = store::DataOp::PutDocument { row: document, expected_absent: true };
    done(house.store.apply_data("key_card", vec![put]).await)?;
    house.step(Step::KeyWritten);
    Ok(PrincipalRow {
        key_hash,
        principal,
        tenant: tenant.id,
        role: new.role,
        state: PrincipalState::Active,
        subject: new.subject,
        expires: new.expires,
        zone: None,
        wrapped_log_secret: Sealed(wrapped),
        version: 1,
    })
}

fn card_place(tenant: TenantId, principal: PrincipalId) -> DocumentPlace {
    DocumentPlace { tenant, kind: document::PRINCIPAL, id: principal.0, version: 1 }
}

pub(crate) fn read_card(house: &House, tenant: &Tenant, principal: PrincipalId) -> Result<KeyCard, Fault> {
    let place = card_place(tenant.id, principal);
    let row = house.store.snapshot()?.document(tenant.id, place.kind, place.id, place.version)?;
    let bytes = tenant.metadata.open_document(&place, &row.ok_or(Fault::Corrupt)?.sealed.0)?;
    serde_json::from_slice(&bytes).map_err(|_| Fault::Corrupt)
}

/// What is known of the principal who is found by this hash.
fn cached(house: &House, hash: &[u8; 32]) -> Result<(Arc<Cached>, u64), AuthError> {
    match house.actors.get(hash) {
        (Some(cached), seen) => Ok((cached, seen)),
        (None, seen) => {
            let cached = Arc::new(load(house, hash)?);
            house.actors.put(*hash, cached.clone(), seen);
            Ok((cached, seen))
        }
    }
}

/// The actor who is found by this hash, from here and now.
pub(crate) fn checked(
    house: &House,
    hash: &[u8; 32],
    in_zone: impl Fn(&[String]) -> bool,
) -> Result<Actor, AuthError> {
    let (cached, seen) = cached(house, hash)?;
    let now = house.clock.now()?;
    if cached.expires.is_some_and(|end| end <= now) {
        return Err(AuthError::Refused);
    }
    if !cached.card.zone.is_empty() && !in_zone(&cached.card.zone) {
        return Err(AuthError::Refused);
    }
    Ok(Actor { seen, ..cached.actor.clone() })
}

/// The actor who is found by this hash, as long as nobody revoked it.
pub(crate) fn actor_by_hash(house: &House, hash: &[u8; 32]) -> Result<Actor, AuthError> {
    let (cached, seen) = cached(house, hash)?;
    Ok(Actor { seen, ..cached.actor.clone() })
}

fn load(house: &House, hash: &[u8; 32]) -> Result<Cached, AuthError> {
    let row = house.store.snapshot().map_err(Fault::from)?.principal_by_hash(hash).map_err(Fault::from)?;
    let row = row.filter(|row| row.state == PrincipalState::Active).ok_or(AuthError::Refused)?;
    let tenant = house.tenant(row.tenant).ok_or(AuthError::Refused)?;
    let card = read_card(house, &tenant, row.principal)?;
    let actor = actor_of(house, &tenant, &row)?;
    Ok(Cached { actor, card, expires: row.expires })
}

/// The actor behind a key's row.
pub(crate) fn actor_of(house: &House, tenant: &Tenant, row: &PrincipalRow) -> Result<Actor, Fault> {
    let secret = match row.subject {
        Some(person) => living(house, tenant, person)?.ok_or(Fault::Corrupt)?.1,
        None => tenant.key().open_log_secret(row.principal, &row.wrapped_log_secret.0)?,
    };
    let (id, tenant) = (row.principal, row.tenant);
    let principal = Principal { id, tenant, role: row.role, subject: row.subject };
    Ok(Actor { principal, secret: Arc::new(secret), expires: row.expires, seen: 0 })
}

/// Checks that a plan of the house's own was applied, where no precondition can fail.
pub(crate) fn done(result: Result<(), store::ApplyError>) -> Result<(), Fault> {
    match applied(result)? {
        Applied::Done => Ok(()),
        Applied::Conflict(_) => Err(Fault::Busy),
    }
}
