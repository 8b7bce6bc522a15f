//! View: what stands in the place of tokens on a page, for one user of the app.
//!
//! The same decisions and the same read order as [`mod@crate::reveal`], once for each purpose of the page's rules. Besides:
//! only fields that a rule lists, where it says so of one person alone; at most so many persons in an answer and within
//! an hour; and for what stays masked in a form, a view token that leads back to the storage token.

mod budget;

use crate::config::REF_FIELD;
use crate::house::House;
use crate::reveal::{Item, MAX_ITEMS, RevealError, RevealRequest};
use crate::tenant::Tenant;
use crate::trail::Outcome;
use crate::{Context, Vault};
use budget::Budgets;
use data_encoding::BASE64URL_NOPAD;
use model::decision::{Action, Reason};
use model::principal::Role;
use model::token::StorageToken;
use model::{FieldId, PersonId, TenantId, Timestamp};
use parking_lot::Mutex;
use seal::ViewKey;
use std::sync::Arc;
use store::{PersonState, TokenRow};
use zeroize::Zeroizing;

/// Most tokens in one answer.
pub const MAX_TOKENS: usize = 20_000;
/// How a view token begins.
pub const VIEW_PREFIX: &str = "obv_";
/// How long a view token may come back, ms.
pub const VIEW_MS: i64 = 12 * 3_600_000;

/// What may be shown for one purpose.
#[derive(Clone, Debug)]
pub struct ViewRule {
    /// The purpose.
    pub purpose: String,
    /// The recipient; none is the tenant itself.
    pub recipient: Option<String>,
    /// The fields.
    pub fields: Vec<String>,
    /// The reference of the only person whose values are shown.
    pub person: Option<String>,
}

/// A page.
#[derive(Clone, Debug)]
pub struct ViewRequest {
    /// Its rules; the first that lists a token's field decides.
    pub rules: Vec<ViewRule>,
    /// Its tokens.
    pub tokens: Vec<StorageToken>,
    /// Session and rule of the form that it fills.
    pub form: Option<(String, String)>,
    /// Most persons in this answer.
    pub persons_per_answer: u32,
    /// Most persons for this user within an hour.
    pub persons_per_hour: u32,
}

/// What stands in a token's place.
#[derive(Clone, PartialEq, Eq)]
pub enum Viewed {
    /// A value.
    Clear(Zeroizing<String>),
    /// A transform of a value, with a view token where the page has a form: what is not whole must not be saved.
    Partial(Zeroizing<String>, Option<String>),
    /// Nothing, with a view token where the page has a form.
    Masked(Option<String>),
    /// There is nothing behind the token.
    Erased,
}

/// A page's answer.
#[derive(Debug)]
pub struct ViewAnswer {
    /// What stands in the place of each token, in order.
    pub viewed: Vec<Viewed>,
    /// Tokens of submissions that are not settled: the app shows that it has kept them. To be handed to
    /// [`Vault::promote`].
    pub unsettled: Vec<StorageToken>,
}

/// Values stay out of logs.
impl std::fmt::Debug for Viewed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Clear(_) => "Clear",
            Self::Partial(..) => "Partial",
            Self::Masked(_) => "Masked",
            Self::Erased => "Erased",
        })
    }
}

/// What a view token leads back to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Hidden {
    pub(crate) token: StorageToken,
    pub(crate) person: PersonId,
    pub(crate) field: FieldId,
}

impl Hidden {
    /// What is sealed: storage token (16), person (16), field (2, big-endian), until when in ms (8, big-endian).
    fn encode(&self, until: Timestamp) -> Zeroizing<Vec<u8>> {
        let mut plain = Zeroizing::new(Vec::with_capacity(42));
        plain.extend_from_slice(self.token.as_bytes());
        plain.extend_from_slice(&self.person.0);
        plain.extend_from_slice(&self.field.0.to_be_bytes());
        plain.extend_from_slice(&until.0.to_be_bytes());
        plain
    }

    fn decode(plain: &[u8]) -> Option<(Self, Timestamp)> {
        let (token, rest) = plain.split_first_chunk::<16>()?;
        let (person, rest) = rest.split_first_chunk::<16>()?;
        let (field, rest) = rest.split_first_chunk::<2>()?;
        let until = Timestamp(i64::from_be_bytes(rest.try_into().ok()?));
        let (token, field) = (StorageToken::from_bytes(*token), FieldId(u16::from_be_bytes(*field)));
        Some((Self { token, person: PersonId(*person), field }, until))
    }
}

/// Keys of view tokens and budgets of users, for as long as the process lives.
#[derive(Default)]
pub(crate) struct Views {
    /// The present key with the moment it was made, and the one before.
    keys: Mutex<Vec<(Timestamp, Arc<ViewKey>)>>,
    budgets: Mutex<Budgets>,
}

impl Views {
    fn key(&self, house: &House, now: Timestamp) -> Arc<ViewKey> {
        let mut keys = self.keys.lock();
        if let Some((made, key)) = keys.first()
            && now.0 - made.0 < VIEW_MS
        {
            return key.clone();
        }
        let key = Arc::new(ViewKey::generate(&*house.entropy));
        keys.insert(0, (now, key.clone()));
        // Whatever the third sealed is over.
        keys.truncate(2);
        key
    }

    /// A view token for a storage token, to come back from this session to this rule.
    fn hide(&self, house: &House, form: &(String, String), row: &TokenRow, now: Timestamp) -> Option<String> {
        let token = StorageToken::from_bytes(row.token);
        let hidden = Hidden { token, person: row.person, field: row.field };
        let plain = hidden.encode(now.plus_ms(VIEW_MS));
        let sealed = self.key(house, now).seal(&place(row.tenant, form), &plain, &*house.entropy).ok()?;
        Some(format!("{VIEW_PREFIX}{}", BASE64URL_NOPAD.encode(&sealed)))
    }

    /// What a view token leads back to; none when it is not of this session and rule, or too old.
    pub(crate) fn open(
        &self,
        tenant: TenantId,
        form: &(String, String),
        text: &str,
        now: Timestamp,
    ) -> Option<Hidden> {
        let sealed = BASE64URL_NOPAD.decode(text.strip_prefix(VIEW_PREFIX)?.as_bytes()).ok()?;
        let keys: Vec<Arc<ViewKey>> = self.keys.lock().iter().map(|(_, key)| key.clone()).collect();
        let plain = keys.iter().find_map(|key| key.open(&place(tenant, form), &sealed).ok())?;
        let (hidden, until) = Hidden::decode(&plain)?;
        (now < until).then_some(hidden)
    }
}

fn place(tenant: TenantId, (session, rule): &(String, String)) -> [u8; 32] {
    seal::fingerprint(&[&tenant.0, session.as_bytes(), rule.as_bytes()])
}

/// Where each token of a page stands.
enum Standing {
    /// Nothing is behind it.
    Nothing,
    /// Masked, whoever looks: no rule, another person, over budget, or not accepted yet.
    Closed(TokenRow),
    /// To be decided under the rule of this number.
    Open(TokenRow, usize),
}

impl Vault {
    /// What stands in the place of each token, in order.
    pub async fn view(
        &self,
        ctx: &Context,
        tenant: TenantId,
        request: &ViewRequest,
    ) -> Result<ViewAnswer, RevealError> {
        let house = &self.house;
        let opened = house.tenant(tenant).ok_or(RevealError::Denied(Reason::WrongTenant))?;
        if request.tokens.len() > MAX_TOKENS {
            return Err(RevealError::Size);
        }
        let now = house.clock.now()?;
        let (mut standings, unsettled) = stand(house, &opened, request)?;
        self.within_budget(ctx, request, &mut standings, now);
        let mut viewed: Vec<Option<Viewed>> = standings.iter().map(|_| None).collect();
        for number in 0..request.rules.len() {
            let of_rule = |(at, one): (usize, &Standing)| {
                matches!(one, Standing::Open(_, rule) if *rule == number).then_some(at)
            };
            let places: Vec<usize> = standings.iter().enumerate().filter_map(of_rule).collect();
            for part in places.chunks(MAX_ITEMS) {
                self.reveal_part(ctx, tenant, request, number, part, &mut viewed).await?;
            }
        }
        let hide =
            |row: &TokenRow| request.form.as_ref().and_then(|form| house.views.hide(house, form, row, now));
        let finish = |(standing, viewed): (&Standing, Option<Viewed>)| match (standing, viewed) {
            (Standing::Nothing, _) => Viewed::Erased,
            (Standing::Closed(row) | Standing::Open(row, _), Some(Viewed::Partial(text, _))) => {
                Viewed::Partial(text, hide(row))
            }
            (_, Some(clear @ (Viewed::Clear(_) | Viewed::Erased))) => clear,
            (Standing::Closed(row) | Standing::Open(row, _), _) => Viewed::Masked(hide(row)),
        };
        Ok(ViewAnswer { viewed: standings.iter().zip(viewed).map(finish).collect(), unsettled })
    }

    /// Closes what goes beyond the user's budget.
    fn within_budget(
        &self,
        ctx: &Context,
        request: &ViewRequest,
        standings: &mut [Standing],
        now: Timestamp,
    ) {
        let persons = standings.iter().filter_map(|one| match one {
            Standing::Open(row, _) => Some(row.person),
            _ => None,
        });
        let limits = (request.persons_per_answer, request.persons_per_hour);
        let admitted = self.house.views.budgets.lock().admit(ctx.actor.principal.id, persons, limits, now);
        for one in standings {
            if let Standing::Open(row, _) = one
                && !admitted.contains(&row.person)
            {
                *one = Standing::Closed(*row);
            }
        }
    }

    async fn reveal_part(
        &self,
        ctx: &Context,
        tenant: TenantId,
        request: &ViewRequest,
        rule: usize,
        places: &[usize],
        viewed: &mut [Option<Viewed>],
    ) -> Result<(), RevealError> {
        let items = places.iter().map(|place| Item::Token(request.tokens[*place])).collect();
        let rule = &request.rules[rule];
        let asked = RevealRequest { purpose: rule.purpose.clone(), recipient: rule.recipient.clone(), items };
        // What a person sees of herself she sees by her own right, for whatever purpose the page has.
        let own = ctx.actor.principal.role == Role::Person;
        let action = if own { Action::Export } else { Action::Read };
        let answer = match self.reveal_by(ctx, tenant, &asked, action).await {
            Err(RevealError::Denied(_)) => return Ok(()),
            other => other?,
        };
        for (place, mut values) in places.iter().zip(answer.items) {
            let Some(one) = values.pop() else { continue };
            viewed[*place] = match (one.value, one.reason) {
                (Some(value), _) if one.decision == Outcome::Partial => Some(Viewed::Partial(value, None)),
                (Some(value), _) => Some(Viewed::Clear(value)),
                (None, Some(Reason::Erased | Reason::UnknownPerson)) => Some(Viewed::Erased),
                // Permitted, and there is no value any more.
                (None, None) => Some(Viewed::Erased),
                (None, Some(_)) => None,
            };
        }
        Ok(())
    }
}

/// Where each token stands, and those of submissions that are not settled.
fn stand(
    house: &House,
    tenant: &Tenant,
    request: &ViewRequest,
) -> Result<(Vec<Standing>, Vec<StorageToken>), RevealError> {
    let live = tenant.live();
    let snapshot = house.store.snapshot()?;
    let mut only = Vec::with_capacity(request.rules.len());
    for rule in &request.rules {
        only.push(match &rule.person {
            None => None,
            Some(reference) => {
                let blind = tenant.blind_ref(house, reference)?;
                Some(snapshot.persons_by_index(tenant.id, REF_FIELD, &blind, 1)?.first().copied())
            }
        });
    }
    let mut standings = Vec::with_capacity(request.tokens.len());
    let mut unsettled = Vec::new();
    for token in &request.tokens {
        let Some(row) = snapshot.token(tenant.id, token.as_bytes())? else {
            standings.push(Standing::Nothing);
            continue;
        };
        let state = snapshot.person_head(tenant.id, row.person)?.map(|head| head.state);
        let name = live.config.field_by_id(row.field).map(|field| field.name.as_str());
        let rule = request
            .rules
            .iter()
            .position(|rule| rule.fields.iter().any(|field| Some(field.as_str()) == name));
        if state == Some(PersonState::Provisional) {
            unsettled.push(*token);
        }
        standings.push(match rule {
            _ if state == Some(PersonState::Provisional) => Standing::Closed(row),
            Some(rule) if only[rule].is_none_or(|person| person == Some(row.person)) => {
                Standing::Open(row, rule)
            }
            _ => Standing::Closed(row),
        });
    }
    Ok((standings, unsettled))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_view_token_holds_is_written_as_it_always_was() {
        let token = StorageToken::from_bytes([0xa1; 16]);
        let hidden = Hidden { token, person: PersonId([0xb2; 16]), field: FieldId(0x0304) };
        let until = Timestamp(1_795_471_200_000);
        let plain = hidden.encode(until);
        let hex = data_encoding::HEXLOWER.encode(&plain);
        let (token, person) = ("a1".repeat(16), "b2".repeat(16));
        assert_eq!(hex, format!("{token}{person}0304000001a20a6c4f00"));
        assert_eq!(Hidden::decode(&plain), Some((hidden, until)));
        assert_eq!(Hidden::decode(&plain[..41]), None);
        assert_eq!(Hidden::decode(&[plain.as_slice(), &[0]].concat()), None);
    }
}
