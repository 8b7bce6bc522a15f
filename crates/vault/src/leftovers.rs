//! What a crash left in the data file: rows that were written for a change that was never committed.
//!
//! Nothing points to them: records of a person who was never stored, the request of a consent that was never asked for,
//! the card of a key that was never issued. Each bears an id of its own, which begins with the moment at which it was
//! made. One that was made before this process began belongs to a change that is committed or never will be; so no
//! lock is needed, and each moment is looked at once.

use crate::Vault;
use crate::config::document;
use crate::fault::Fault;
use crate::keys::done;
use model::clock::DAY_MS;
use model::{ConsentId, PersonId, PrincipalId, TenantId, Timestamp};
use store::{DataOp, KeyOp, Snapshot};

/// The job that looks for them.
pub const LEFTOVERS_JOB: &str = "sweep_leftovers";
/// The house's document that says until which moment there are none.
const SWEPT_UNTIL: &str = "swept_until";
/// How many ids one look takes.
const PAGE: usize = 500;
/// For so long a process leaves all as it is: who started it with an old key file by mistake, in which newer persons
/// are missing, will have noticed by then.
const PATIENCE_MS: i64 = DAY_MS;

/// Ids from one moment on, and before another.
#[derive(Clone, Copy)]
struct Span {
    from: Timestamp,
    until: Timestamp,
}

impl Span {
    /// The least id that could have been made at `at`.
    fn least(at: Timestamp) -> [u8; 16] {
        let mut id = [0; 16];
        id[..6].copy_from_slice(&at.0.max(0).to_be_bytes()[2..]);
        id
    }

    fn is_behind(self, id: [u8; 16]) -> bool {
        id >= Self::least(self.until)
    }
}

impl Vault {
    /// Removes what earlier runs of the process left. Can be run again at any time. How many ids it found.
    pub async fn sweep_leftovers(&self) -> Result<u64, Fault> {
        let house = &self.house;
        if house.clock.now()? < house.opened.plus_ms(PATIENCE_MS) {
            return Ok(0);
        }
        let mark = house.store.snapshot()?.house(SWEPT_UNTIL)?;
        let mark = mark.and_then(|bytes| bytes.try_into().ok()).map_or(0, i64::from_be_bytes);
        let span = Span { from: Timestamp(mark), until: house.opened };
        if span.from >= span.until {
            return Ok(0);
        }
        let mut count = 0;
        for tenant in self.tenants() {
            for kind in [Kind::Records, Kind::Consents, Kind::Cards] {
                count += self.sweep_kind(tenant, kind, span).await?;
            }
        }
        let value = span.until.0.to_be_bytes().to_vec();
        let mark = KeyOp::PutHouse { name: SWEPT_UNTIL, value, expected_absent: false };
        done(house.store.apply_keys("swept_leftovers", vec![mark]).await)?;
        Ok(count)
    }

    async fn sweep_kind(&self, tenant: TenantId, kind: Kind, span: Span) -> Result<u64, Fault> {
        let (mut after, mut count) = (Span::least(span.from), 0);
        loop {
            let (ops, last) = {
                let snapshot = self.house.store.snapshot()?;
                let page = kind.page(&snapshot, tenant, after)?;
                let mut ops = Vec::new();
                for id in page.iter().copied().filter(|id| !span.is_behind(*id)) {
                    if !kind.is_pointed_to(&snapshot, tenant, id)? {
                        ops.push(kind.delete(tenant, id));
                    }
                }
                (ops, page.last().copied())
            };
            count += ops.len() as u64;
            if !ops.is_empty() {
                done(self.house.store.apply_data("sweep_leftovers", ops).await)?;
            }
            match last.filter(|last| !span.is_behind(*last)) {
                Some(last) => after = last,
                None => return Ok(count),
            }
        }
    }
}

/// What can be left over.
#[derive(Clone, Copy)]
enum Kind {
    Records,
    Consents,
    Cards,
}

impl Kind {
    fn page(self, snapshot: &Snapshot, tenant: TenantId, after: [u8; 16]) -> Result<Vec<[u8; 16]>, Fault> {
        let kind = match self {
            Self::Records => {
                let persons = snapshot.persons_with_records(tenant, Some(PersonId(after)), PAGE)?;
                return Ok(persons.into_iter().map(|person| person.0).collect());
            }
            Self::Consents => document::CONSENT_EVENT,
            Self::Cards => document::PRINCIPAL,
        };
        let rows = snapshot.documents(tenant, kind, Some(after), PAGE)?;
        Ok(rows.into_iter().map(|row| row.id).collect())
    }

    fn is_pointed_to(self, snapshot: &Snapshot, tenant: TenantId, id: [u8; 16]) -> Result<bool, Fault> {
        Ok(match self {
            Self::Records => snapshot.person_head(tenant, PersonId(id))?.is_some(),
            Self::Consents => snapshot.consent(tenant, ConsentId(id))?.is_some(),
            Self::Cards => snapshot.principal(tenant, PrincipalId(id))?.is_some(),
        })
    }

    fn delete(self, tenant: TenantId, id: [u8; 16]) -> DataOp {
        match self {
            Self::Records => DataOp::DeleteRecordsOf { tenant, person: PersonId(id) },
            Self::Consents => DataOp::DeleteDocuments { tenant, kind: document::CONSENT_EVENT, id },
            Self::Cards => DataOp::DeleteDocuments { tenant, kind: document::PRINCIPAL, id },
        }
    }
}
