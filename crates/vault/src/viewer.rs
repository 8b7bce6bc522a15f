//! Viewers: the users of the app, as the gateway found out who they are. Each gets a principal of its own in the
//! ledger, made when it is first seen and found again by a blinded hash of issuer, user, role and person. No credential
//! leads to it; it can be revoked like a key.

use crate::Vault;
use crate::config::{REF_FIELD, VIEWER_INDEX};
use crate::fault::{Applied, Fault, applied};
use crate::house::House;
use crate::keys::{AuthError, Credential, NewKey, actor_by_hash, row_of};
use crate::tenant::Tenant;
use crate::trail::Actor;
use model::principal::Role;
use model::{PersonId, TenantId};
use store::{Conflict, KeyOp};

/// Longest issuer or user in bytes.
const MAX_NAME: usize = 256;

/// Who a user of the app is.
#[derive(Clone, Copy, Debug)]
pub struct Identity<'a> {
    /// Who vouches.
    pub issuer: &'a str,
    /// The user's id there.
    pub subject: &'a str,
    /// In which role.
    pub role: Role,
    /// For [`Role::Person`]: the app's reference of the person on whom alone she acts.
    pub person: Option<&'a str>,
}

impl Vault {
    /// The actor behind a user of the app.
    pub async fn viewer(&self, tenant: TenantId, identity: Identity<'_>) -> Result<Actor, AuthError> {
        let house = &self.house;
        let opened = house.tenant(tenant).ok_or(AuthError::Refused)?;
        let named = |text: &str| !text.is_empty() && text.len() <= MAX_NAME;
        if !named(identity.issuer) || !named(identity.subject) || identity.role == Role::System {
            return Err(AuthError::Refused);
        }
        let subject = subject(house, &opened, &identity)?;
        let hash = hash(house, &opened, &identity, subject)?;
        match actor_by_hash(house, &hash) {
            Err(AuthError::Refused) => {}
            other => return other,
        }
        if house
            .store
            .snapshot()
            .map_err(Fault::from)?
            .principal_by_hash(&hash)
            .map_err(Fault::from)?
            .is_some()
        {
            return Err(AuthError::Refused);
        }
        let name = format!("{}: {}", identity.issuer, identity.subject);
        let new = NewKey { name, role: identity.role, subject, expires: None, zone: Vec::new() };
        let row = row_of(house, &opened, &new, (Credential::Viewer, hash)).await?;
        let made = house.store.apply_keys("viewer", vec![KeyOp::InsertPrincipal(row)]).await;
        match applied(made)? {
            // Somebody was quicker.
            Applied::Done | Applied::Conflict(Conflict::PrincipalExists) => actor_by_hash(house, &hash),
            Applied::Conflict(_) => Err(Fault::Busy.into()),
        }
    }
}

fn subject(house: &House, tenant: &Tenant, identity: &Identity<'_>) -> Result<Option<PersonId>, AuthError> {
    let Some(reference) = identity.person.filter(|_| identity.role == Role::Person) else {
        return if identity.role == Role::Person { Err(AuthError::Refused) } else { Ok(None) };
    };
    let blind = tenant.blind_ref(house, reference)?;
    let snapshot = house.store.snapshot().map_err(Fault::from)?;
    let found = snapshot.persons_by_index(tenant.id, REF_FIELD, &blind, 1).map_err(Fault::from)?;
    found.first().copied().map(Some).ok_or(AuthError::Refused)
}

/// Under which hash the principal is found. Keyed, so that nobody who has the file can try names against it.
fn hash(
    house: &House,
    tenant: &Tenant,
    identity: &Identity<'_>,
    subject: Option<PersonId>,
) -> Result<[u8; 32], Fault> {
    let person = subject.map(|person| person.0);
    let parts: [&[u8]; 4] = [
        identity.issuer.as_bytes(),
        identity.subject.as_bytes(),
        &[identity.role as u8],
        person.as_ref().map_or(&[], |person| person.as_slice()),
    ];
    let whole = seal::fingerprint(&parts);
    let index = tenant.index(house, VIEWER_INDEX)?;
    let mut hash = [0; 32];
    for (half, number) in hash.chunks_exact_mut(16).zip(0_u8..) {
        half.copy_from_slice(&index.blind(&[&[number], whole.as_slice()].concat()));
    }
    Ok(hash)
}
