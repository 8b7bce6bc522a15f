//! The vault as the gateway needs it.

use arc_swap::ArcSwapOption;
use gateway::messages::{
    Answer, Ask, FieldInfo, Outcome, Relay, RelayError, Shown, Submission, Submitted, Viewer, Whose,
};
use model::principal::Role;
use model::{PersonId, TenantId};
use std::sync::Arc;
use vault::keys::AuthError;
use vault::submit::{NewSubmission, SubmitError};
use vault::view::{ViewRequest, ViewRule, Viewed};
use vault::viewer::Identity;
use vault::{Actor, Context, Fault, Vault, submit};
use zeroize::Zeroizing;

/// Under this name the gateway itself stands in the ledger, where nobody is known who typed.
const ITSELF: Identity<'_> = Identity { issuer: "obhut", subject: "gateway", role: Role::App, person: None };

struct House {
    vault: Vault,
    tenant: TenantId,
}

/// Sealed until a vault is put behind it.
#[derive(Default)]
pub(crate) struct VaultRelay(ArcSwapOption<House>);

impl VaultRelay {
    /// Puts an open vault behind it.
    pub(crate) fn open(&self, vault: Vault, tenant: TenantId) {
        self.0.store(Some(Arc::new(House { vault, tenant })));
    }

    /// Whose app it is; nobody's until a vault is put behind it.
    pub(crate) fn tenant(&self) -> Option<TenantId> {
        self.0.load().as_ref().map(|house| house.tenant)
    }

    fn house(&self) -> Result<Arc<House>, RelayError> {
        self.0.load_full().ok_or(RelayError::Sealed)
    }
}

impl House {
    async fn itself(&self) -> Result<Context, RelayError> {
        let actor = self.vault.viewer(self.tenant, ITSELF).await.map_err(|_| RelayError::Unavailable)?;
        Ok(self.context(actor))
    }

    fn context(&self, actor: Actor) -> Context {
        Context { actor, request: self.vault.new_request() }
    }

    /// Who looks or writes; none is somebody whom the vault does not let in, such as one who was revoked.
    async fn actor(&self, viewer: &Viewer) -> Result<Option<Actor>, RelayError> {
        let identity = Identity {
            issuer: &viewer.issuer,
            subject: &viewer.subject,
            role: viewer.role,
            person: viewer.person.as_deref(),
        };
        match self.vault.viewer(self.tenant, identity).await {
            Ok(actor) => Ok(Some(actor)),
            Err(AuthError::Refused) => Ok(None),
            Err(_) => Err(RelayError::Unavailable),
        }
    }

    async fn show(&self, ask: Ask) -> Result<Vec<Shown>, RelayError> {
        let Some(actor) = self.actor(&ask.viewer).await? else {
            return Ok(vec![Shown::Masked(None); ask.tokens.len()]);
        };
        let rule = |rule: gateway::messages::ShowRule| ViewRule {
            purpose: rule.purpose,
            recipient: rule.recipient,
            fields: rule.fields,
            person: rule.person,
        };
        let request = ViewRequest {
            rules: ask.rules.into_iter().map(rule).collect(),
            tokens: ask.tokens,
            form: ask.form.map(|form| (form.session, form.rule)),
            persons_per_answer: ask.persons_per_answer,
            persons_per_hour: ask.persons_per_hour,
        };
        let ctx = self.context(actor);
        let view = || self.vault.view(&ctx, self.tenant, &request);
        let mut answer = view().await.map_err(|_| RelayError::Unavailable)?;
        if !answer.unsettled.is_empty() {
            let itself = self.itself().await?;
            let promoted = self.vault.promote(&itself, self.tenant, &answer.unsettled).await;
            if promoted.is_ok_and(|count| count > 0) {
                answer = view().await.map_err(|_| RelayError::Unavailable)?;
            }
        }
        let shown = |viewed| match viewed {
            Viewed::Clear(value) => Shown::Clear(value),
            Viewed::Partial(text, view) => Shown::Partial(text, view),
            Viewed::Masked(view) => Shown::Masked(view),
            Viewed::Erased => Shown::Erased,
        };
        Ok(answer.viewed.into_iter().map(shown).collect())
    }

    async fn submit(&self, submission: Submission) -> Result<Submitted, RelayError> {
        let by = match &submission.viewer {
            // A worker who enters herself is not known yet; everybody else who is not let in does not write.
            Some(viewer) => match self.actor(viewer).await? {
                None if viewer.role != Role::Person || submission.whose != Whose::New => {
                    return Err(RelayError::Refused);
                }
                known => known,
            },
            None => None,
        };
        let whose = match submission.whose {
            Whose::Reference(reference) => submit::Whose::Reference(reference),
            Whose::Create(reference) => submit::Whose::Create(reference),
            Whose::New => submit::Whose::New,
        };
        let (rule, session) = (submission.rule, submission.session);
        let new = NewSubmission { rule, session, whose, values: submission.values };
        let taken = self.vault.submit(&self.itself().await?, by, self.tenant, &new).await.map_err(refused)?;
        Ok(Submitted { id: taken.id.map(|id| id.0), texts: taken.texts })
    }

    async fn settle(&self, id: [u8; 16], outcome: Outcome, viewer: Option<Viewer>) -> Result<(), RelayError> {
        let person = PersonId(id);
        if matches!(outcome, Outcome::Unknown) {
            self.vault.leave(person);
            return Ok(());
        }
        let itself = self.itself().await?;
        let settle = async |outcome| {
            let settled = self.vault.settle(&itself, self.tenant, person, outcome).await;
            settled.map(drop).map_err(refused)
        };
        let reference = match outcome {
            Outcome::Accepted(reference) => reference,
            Outcome::Abandoned | Outcome::Unknown => return settle(submit::Outcome::Abandoned).await,
        };
        let by = match &viewer {
            Some(viewer) => self.actor(viewer).await?,
            None => None,
        };
        // As where he is known before the app is asked: who is not let in does not write, unless she enters herself.
        let enters = |viewer: &Viewer| viewer.role == Role::Person && reference.is_some();
        if by.is_none() && !viewer.as_ref().is_none_or(enters) {
            settle(submit::Outcome::Abandoned).await?;
            return Err(RelayError::Refused);
        }
        settle(submit::Outcome::Accepted { reference, by }).await
    }
}

fn refused(error: SubmitError) -> RelayError {
    match error {
        SubmitError::Value(number, _) => RelayError::Value(number),
        SubmitError::Stale => RelayError::Stale,
        SubmitError::Quota | SubmitError::Size => RelayError::Quota,
        SubmitError::Denied(_)
        | SubmitError::Person
        | SubmitError::Reference
        | SubmitError::UnknownField(_) => RelayError::Refused,
        SubmitError::Fault(Fault::Busy) => RelayError::Conflict,
        _ => RelayError::Unavailable,
    }
}

impl Relay for VaultRelay {
    fn fields(&self) -> Result<Vec<FieldInfo>, RelayError> {
        let house = self.house()?;
        let fields = house.vault.catalogue(house.tenant).ok_or(RelayError::Unavailable)?;
        let info = |field: &model::catalogue::Field| FieldInfo {
            name: field.name.clone(),
            format: field.token,
            category: field.category,
        };
        Ok(fields.iter().map(info).collect())
    }

    fn show(&self, ask: Ask) -> Answer<'_, Vec<Shown>> {
        Box::pin(async move { self.house()?.show(ask).await })
    }

    fn submit(&self, submission: Submission) -> Answer<'_, Submitted> {
        Box::pin(async move { self.house()?.submit(submission).await })
    }

    fn settle(&self, id: [u8; 16], outcome: Outcome, viewer: Option<Viewer>) -> Answer<'_, ()> {
        Box::pin(async move { self.house()?.settle(id, outcome, viewer).await })
    }

    fn stable(&self, field: &str, value: &Zeroizing<String>) -> Result<String, RelayError> {
        let house = self.house()?;
        house.vault.stable_token(house.tenant, field, value).map_err(refused)
    }
}

/// The tenant that the gateway serves: the named one, or the only one.
pub(crate) fn tenant_of(vault: &Vault, named: Option<&str>) -> Result<TenantId, crate::system::Problem> {
    use crate::system::Problem;
    let all = vault.tenants();
    match (named, all.as_slice()) {
        (Some(name), _) => {
            let id: Option<TenantId> = name.parse().ok().filter(|id| all.contains(id));
            id.ok_or_else(|| Problem::new(format!("[gateway]: there is no tenant {name} here")))
        }
        (None, [only]) => Ok(*only),
        (None, _) => Err(Problem::with_help(
            "[gateway] does not say which tenant it serves, and there is not exactly one",
            "add `tenant = \"…\"` with the tenant's id",
        )),
    }
}
