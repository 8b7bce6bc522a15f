//! The doors of the demo: a sign-in link for each role, and one for a worker.

use super::seed::Seeded;
use crate::system::{Problem, say};
use model::PersonId;
use model::principal::Role;
use vault::keys::NewKey;
use vault::{Context, Vault};

/// Issues the links and says them.
pub(super) async fn tell(vault: &Vault, seeded: &Seeded, base: &str) -> Result<(), Problem> {
    let doors: [(&str, Role, Option<PersonId>); 7] = [
        ("privacy officer", Role::PrivacyOfficer, None),
        ("auditor", Role::Auditor, None),
        ("security", Role::Security, None),
        ("administrator", Role::Admin, None),
        ("shift lead", Role::Operations, None),
        ("case manager", Role::CaseManager, None),
        ("worker no. 1", Role::Person, Some(seeded.first_person)),
    ];
    say("\n  The console and the worker's own pages. Each link signs in once:");
    for (name, role, person) in doors {
        let link = issue(vault, seeded, (name, role, person)).await?;
        say(&format!("  {name:<15} {base}{link}"));
    }
    Ok(())
}

async fn issue(
    vault: &Vault,
    seeded: &Seeded,
    (name, role, subject): (&str, Role, Option<PersonId>),
) -> Result<String, Problem> {
    let actor = vault
        .authenticate(&seeded.admin, |_| true)
        .map_err(Problem::from_error("the administrator's key"))?;
    let ctx = Context { actor, request: vault.new_request() };
    let expires =
        vault.now().map_err(Problem::from_error("the clock"))?.plus_ms(vault::sessions::MAX_LINK_MS);
    let new = NewKey { name: name.to_owned(), role, subject, expires: Some(expires), zone: Vec::new() };
    let link =
        vault.issue_link(&ctx, seeded.tenant, new).await.map_err(Problem::from_error("a sign-in link"))?;
    Ok(format!("/sign-in/{}", link.secret.reveal()))
}
