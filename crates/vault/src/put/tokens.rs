//! The tokens of a person's values: put into the map, taken over, handed on.

use super::Checked;
use crate::fault::Fault;
use crate::house::House;
use crate::tenant::Tenant;
use model::catalogue::Field;
use model::token::StorageToken;
use model::{FieldId, PersonId, TenantId};
use seal::IndexKey;
use store::{KeyOp, PersonState, Snapshot, TokenRow};

/// How many others with the same value are looked at to find one for whom a stable token can go on standing.
const HEIRS: usize = 16;

/// The token of a value, to be put into the map. A stable one may stand for somebody else with the same value already;
/// then it goes on standing for her.
pub(crate) fn token_ops(
    house: &House,
    tenant: &Tenant,
    snapshot: &Snapshot,
    person: PersonId,
    one: &Checked,
) -> Result<Vec<KeyOp>, Fault> {
    if one.field.stable {
        claim(house, tenant, snapshot, person, one)
    } else {
        fresh_token(house, tenant, person, one).map(|op| vec![op])
    }
}

fn fresh_token(house: &House, tenant: &Tenant, person: PersonId, one: &Checked) -> Result<KeyOp, Fault> {
    let token = *token_for(house, tenant, &one.field, &one.value)?.as_bytes();
    Ok(KeyOp::InsertToken(TokenRow { tenant: tenant.id, token, person, field: one.field.id }))
}

/// Has the stable token of a value stand for this person, where it stands for nobody who is here.
fn claim(
    house: &House,
    tenant: &Tenant,
    snapshot: &Snapshot,
    person: PersonId,
    one: &Checked,
) -> Result<Vec<KeyOp>, Fault> {
    let token = *token_for(house, tenant, &one.field, &one.value)?.as_bytes();
    let field = one.field.id;
    let insert = KeyOp::InsertToken(TokenRow { tenant: tenant.id, token, person, field });
    let owner = snapshot.token(tenant.id, &token)?.map(|row| row.person);
    let Some(owner) = owner.filter(|owner| *owner != person) else { return Ok(vec![insert]) };
    let head = snapshot.person_head(tenant.id, owner)?;
    if head.is_some_and(|head| head.state == PersonState::Live) {
        return Ok(Vec::new());
    }
    Ok(vec![KeyOp::DeleteTokensOf { tenant: tenant.id, person: owner, field: Some(field) }, insert])
}

/// A person's tokens and blind indexes, read once for all fields.
pub(crate) struct Standing {
    person: PersonId,
    tokens: Vec<TokenRow>,
    indexes: Vec<(FieldId, [u8; 16])>,
}

impl Standing {
    pub(crate) fn read(snapshot: &Snapshot, tenant: TenantId, person: PersonId) -> Result<Self, Fault> {
        let (tokens, indexes) = (snapshot.tokens_of(tenant, person)?, snapshot.indexes_of(tenant, person)?);
        Ok(Self { person, tokens, indexes })
    }

    pub(crate) fn has_token(&self, field: FieldId) -> bool {
        self.tokens.iter().any(|row| row.field == field)
    }

    /// Whether there is a value of this field.
    pub(crate) fn has(&self, field: FieldId) -> bool {
        self.has_token(field) || self.index(field).is_some()
    }

    /// The token that stands for a value now: this one, or if the value changed meanwhile and took another, that one. None
    /// when there is no value any more.
    pub(crate) fn present(&self, token: &StorageToken, field: FieldId) -> Option<StorageToken> {
        let same = self.tokens.iter().find(|row| row.token == *token.as_bytes());
        let of_field = || self.tokens.iter().find(|row| row.field == field);
        same.or_else(of_field).map(|row| StorageToken::from_bytes(row.token))
    }

    /// The blind index of a field's value.
    pub(crate) fn index(&self, field: FieldId) -> Option<[u8; 16]> {
        self.indexes.iter().find(|(index, _)| *index == field).map(|(_, hash)| *hash)
    }
}

/// Has the stable token of a new value stand in the place of the old value's, which may be somebody else's tomorrow.
pub(super) fn replace(
    house: &House,
    tenant: &Tenant,
    snapshot: &Snapshot,
    standing: &Standing,
    one: &Checked,
) -> Result<Vec<KeyOp>, Fault> {
    let token = token_for(house, tenant, &one.field, &one.value)?;
    if standing.tokens.iter().any(|row| row.token == *token.as_bytes()) {
        return Ok(Vec::new());
    }
    let mut ops = let_go(snapshot, tenant.id, standing, &one.field)?;
    ops.extend(claim(house, tenant, snapshot, standing.person, one)?);
    Ok(ops)
}

/// Takes a person's tokens of a field away. A stable one that others with the same value have as well goes on standing
/// for one of them: the app keeps it in their rows, too.
pub(crate) fn let_go(
    snapshot: &Snapshot,
    tenant: TenantId,
    standing: &Standing,
    field: &Field,
) -> Result<Vec<KeyOp>, Fault> {
    let mut ops = vec![KeyOp::DeleteTokensOf { tenant, person: standing.person, field: Some(field.id) }];
    let mine = standing.tokens.iter().find(|row| field.stable && row.field == field.id);
    let (Some(row), Some(hash)) = (mine, standing.index(field.id)) else { return Ok(ops) };
    let others = snapshot.persons_by_index(tenant, field.id, &hash, HEIRS)?;
    for other in others.into_iter().filter(|other| *other != standing.person) {
        let head = snapshot.person_head(tenant, other)?;
        if head.is_some_and(|head| head.state == PersonState::Live) {
            ops.push(KeyOp::InsertToken(TokenRow { person: other, ..*row }));
            break;
        }
    }
    Ok(ops)
}

/// A token for a value: a fresh one, or where the field wants it so the one of every equal value.
pub(crate) fn token_for(
    house: &House,
    tenant: &Tenant,
    field: &Field,
    value: &str,
) -> Result<StorageToken, Fault> {
    if !field.stable {
        return Ok(StorageToken::generate(field.token, &*house.entropy));
    }
    let index = tenant.index(house, field.id)?;
    Ok(stable(&index, field, value))
}

/// The token of every equal value: its blind index behind a mark. No value begins with NUL, so that this is never the
/// value's own index.
fn stable(index: &IndexKey, field: &Field, value: &str) -> StorageToken {
    let form = [b"\0token\0".as_slice(), &field.index_form(value)].concat();
    StorageToken::stable(index.blind(&form))
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::Entropy;
    use seal::{IndexId, TenantKey};

    struct Fixed;

    impl Entropy for Fixed {
        fn fill(&self, into: &mut [u8]) {
            for (byte, value) in into.iter_mut().zip((1_u8..=16).cycle()) {
                *byte = value;
            }
        }
    }

    #[test]
    fn a_stable_token_is_what_it_always_was() {
        let tenant = TenantKey::generate(TenantId([1; 16]), 1, &Fixed);
        let (index, _) = tenant.new_index(IndexId(5), &Fixed).expect("an index key");
        let field = Field { stable: true, ..super::super::reference_field() };
        let token = stable(&index, &field, "jana@example.org").format(field.token);
        assert_eq!(token, "obh_9grkzma6a7ve3qznfy60a5x0vc75b3");
        assert_ne!(stable(&index, &field, "jana"), StorageToken::stable(index.blind(b"jana")));
    }
}
