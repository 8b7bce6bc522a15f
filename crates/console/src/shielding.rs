//! Changes of the shield, the same for pages and API: decided on, looked at, entered in the ledger, and only then made.

use crate::Console;
use crate::attacks_view::{AttacksView, ExclusionError, NewExclusion, Signature};
use crate::problem::{Explain, INTERNAL, NO_SHIELD, Problem};
use model::TenantId;
use model::decision::Action;
use model::principal::Role;
use std::sync::Arc;
use vault::shield::ShieldChange;
use vault::{Context, Logged, Vault};

/// Most exclusions of one change.
pub(crate) const MOST: usize = 200;

/// Who changes something, where.
#[derive(Clone)]
pub(crate) struct Hand {
    pub(crate) console: Console,
    pub(crate) vault: Arc<Vault>,
    pub(crate) ctx: Context,
    pub(crate) tenant: TenantId,
}

impl Hand {
    fn role(&self) -> Role {
        self.ctx.actor.principal.role
    }

    fn problem(&self, error: impl Explain) -> Problem {
        error.explain(self.role()).in_request(self.ctx.request)
    }

    /// The shield, for who may do this on it.
    pub(crate) fn view(&self, action: Action) -> Result<Arc<dyn AttacksView>, Problem> {
        self.vault.may_shield(&self.ctx, self.tenant, action).map_err(|error| self.problem(error))?;
        let view = self.console.attacks_view().filter(|view| view.is_of(self.tenant));
        view.cloned().ok_or(NO_SHIELD.in_request(self.ctx.request))
    }

    /// Looks at something that may lie on the disk.
    pub(crate) async fn look<T: Send + 'static>(
        &self,
        look: impl FnOnce(&dyn AttacksView) -> T + Send + 'static,
    ) -> Result<T, Problem> {
        let view = self.view(Action::ReadAttacks)?;
        tokio::task::spawn_blocking(move || look(&*view)).await.map_err(|_| INTERNAL)
    }

    fn signature(&self) -> Result<Signature, Problem> {
        let at = self.vault.now().map_err(|fault| self.problem(fault))?;
        Ok(Signature { by: self.ctx.actor.principal.id, at })
    }

    async fn enter(&self, set: usize, lifted: usize, takes: bool) -> Result<Logged, Problem> {
        let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        let change = ShieldChange { set: count(set), lifted: count(lifted), takes };
        let entered = self.vault.enter_shield_change(&self.ctx, self.tenant, change).await;
        entered.map_err(|error| self.problem(error))
    }

    /// Excludes rules, all or none. Answers their ids and how far the entry has come. To be run to the end.
    pub(crate) async fn exclude(&self, new: Vec<NewExclusion>) -> Result<(Vec<String>, Logged), Problem> {
        let view = self.view(Action::ExcludeRules)?;
        if new.is_empty() || new.len() > MOST {
            return Err(self.problem(ExclusionError::TooMany));
        }
        let _one = self.console.one_exclusion().await;
        let signature = self.signature()?;
        let new = Arc::new(new);
        let (looking, rows) = (view.clone(), new.clone());
        let seen = tokio::task::spawn_blocking(move || looking.preview(&rows, &signature)).await;
        seen.map_err(|_| INTERNAL)?.map_err(|(index, error)| self.problem(error).at(index))?;
        let logged = self.enter(new.len(), 0, true).await?;
        let (doing, rows) = (view, new.clone());
        match tokio::task::spawn_blocking(move || doing.exclude(&rows, &signature)).await {
            Ok(Ok(ids)) => Ok((ids, logged)),
            failed => {
                // The entry stands; a second one says that nothing came of it.
                self.enter(new.len(), 0, false).await?;
                Err(match failed {
                    Ok(Err((index, error))) => self.problem(error).at(index),
                    _ => INTERNAL,
                })
            }
        }
    }

    /// Takes an exclusion back. To be run to the end.
    pub(crate) async fn lift(&self, id: &str) -> Result<Logged, Problem> {
        let view = self.view(Action::ExcludeRules)?;
        let _one = self.console.one_exclusion().await;
        let id = id.to_owned();
        // Each exclusion is held against the rules, which takes its time.
        let (looking, wanted) = (view.clone(), id.clone());
        let is_there = move || looking.exclusions().iter().any(|one| one.is_liftable() && one.id == wanted);
        if !tokio::task::spawn_blocking(is_there).await.map_err(|_| INTERNAL)? {
            return Err(self.problem(ExclusionError::Unknown));
        }
        let logged = self.enter(0, 1, true).await?;
        match tokio::task::spawn_blocking(move || view.lift(&id)).await {
            Ok(Ok(())) => Ok(logged),
            failed => {
                self.enter(0, 1, false).await?;
                Err(match failed {
                    Ok(Err(error)) => self.problem(error),
                    _ => INTERNAL,
                })
            }
        }
    }
}
