//! Role × action, tenant state × action, reasons × audience.

use super::table;
use model::decision::table::{Scope, TABLE, may, may_break_glass};
use model::decision::{Action, Reason, allowed};
use model::principal::{Principal, Role};
use model::tenant::TenantState;
use model::{PersonId, PrincipalId, TenantId};

fn action(action: Action) -> &'static str {
    match action {
        Action::Create => "store a person",
        Action::Read => "read values for a purpose",
        Action::Find => "look for persons by a value",
        Action::Export => "export all about a person (Art. 15, 20)",
        Action::Accesses => "see who touched a person (Art. 15)",
        Action::Rectify => "correct values (Art. 16)",
        Action::AskConsent => "ask for a consent",
        Action::ShowConsent => "be shown a notice",
        Action::AnswerConsent => "give or refuse consent",
        Action::Withdraw => "take consent back (Art. 7(3))",
        Action::ListConsents => "list consents",
        Action::Restrict => "restrict processing (Art. 18)",
        Action::Object => "object (Art. 21)",
        Action::Lift => "lift a restriction or objection",
        Action::Hold => "set or lift a legal hold",
        Action::Erase => "erase a person (Art. 17)",
        Action::ReadCatalogue => "read the catalogue",
        Action::WriteCatalogue => "change the catalogue",
        Action::ReadPurposes => "read purposes and recipients",
        Action::WritePurposes => "change purposes and recipients",
        Action::ReadNotices => "read notices",
        Action::WriteNotices => "add notices",
        Action::ManageKeys => "issue and revoke keys",
        Action::ReadLedger => "read the ledger's checkpoints and proofs",
        Action::ReadAttacks => "see what the shield saw, and its exclusions",
        Action::ExcludeRules => "exclude rules of the shield, or take that back",
        Action::Maintain => "re-wrap keys, destroy epochs",
    }
}

fn role(role: Role) -> &'static str {
    match role {
        Role::App => "app",
        Role::Operations => "operations",
        Role::CaseManager => "case manager",
        Role::PrivacyOfficer => "privacy officer",
        Role::Security => "security",
        Role::Auditor => "auditor",
        Role::Admin => "admin",
        Role::Person => "person",
        Role::System => "system",
    }
}

fn meaning(reason: Reason) -> &'static str {
    match reason {
        Reason::Erased => "The person is erased.",
        Reason::UnknownPerson => "No such person, field or token here.",
        Reason::FactMissing => "Something that the decision needs is not known.",
        Reason::WrongTenant => "The key belongs to another tenant.",
        Reason::TenantState => "The tenant's contract state does not allow it.",
        Reason::NotOwnRight => "A person may do this on herself alone, or not at all.",
        Reason::RoleMayNot => "The table above does not allow it.",
        Reason::PurposeMissing => "No purpose was named, or there is none of this name.",
        Reason::PurposeNotCurrent => "The purpose was withdrawn.",
        Reason::RoleNotOfPurpose => "The purpose does not name this role.",
        Reason::RecipientNotDeclared => "The purpose does not declare this recipient.",
        Reason::UnknownRecipient => "There is no recipient of this name.",
        Reason::FieldNotDeclared => "The purpose does not declare this field; it is redacted.",
        Reason::SpecialBasisMissing => "A special category without a basis of Art. 9(2).",
        Reason::ConsentMissing => "No consent was asked for, for this purpose and recipient.",
        Reason::ConsentPending => "The person has not decided yet.",
        Reason::ConsentRefused => "The person refused.",
        Reason::ConsentWithdrawn => "The person took the consent back.",
        Reason::ConsentExpired => "The term of the consent is over.",
        Reason::ConsentEnded => "The controller ended the consent, or it was found invalid.",
        Reason::ConsentNotExplicit => "A special category needs an explicit consent.",
        Reason::Restricted => "Processing is restricted (Art. 18).",
        Reason::Objected => "The person objected (Art. 21).",
        Reason::BreakGlassInvalid => "The emergency that was claimed is not one by the rules.",
        _ => unreachable!("a new reason needs its meaning here"),
    }
}

fn roles() -> String {
    let mut head = vec!["action"];
    head.extend(Role::ALL.map(role));
    let row = |one: Action| {
        let mark = |row: &model::decision::table::Row| match (may(row.role, one), row.scope) {
            (false, _) => "–",
            (true, Scope::Tenant) => "yes",
            (true, Scope::Herself) => "herself",
            (true, Scope::House) => "the house",
        };
        let mut cells = vec![action(one).to_owned()];
        cells.extend(TABLE.iter().map(|row| mark(row).to_owned()));
        cells
    };
    table(&head, Action::ALL.into_iter().map(row))
}

/// Whether an action goes through in a tenant's state, for somebody who may.
fn goes(one: Action, state: TenantState) -> bool {
    let (tenant, person) = (TenantId([1; 16]), PersonId([2; 16]));
    let role = Role::ALL.into_iter().find(|role| may(*role, one)).expect("somebody may");
    let principal = Principal { id: PrincipalId([3; 16]), tenant, role, subject: Some(person) };
    allowed(&principal, one, tenant, Some(person), Some(state)).is_ok()
}

fn states() -> String {
    let states = [
        ("active", TenantState::Active),
        ("notice", TenantState::Notice),
        ("retrieval", TenantState::Retrieval),
        ("closing", TenantState::Closing),
        ("closed", TenantState::Closed),
    ];
    let mut head = vec!["action"];
    head.extend(states.map(|(name, _)| name));
    let row = |one: Action| {
        let mut cells = vec![action(one).to_owned()];
        cells.extend(states.map(|(_, state)| if goes(one, state) { "yes" } else { "–" }.to_owned()));
        cells
    };
    table(&head, Action::ALL.into_iter().map(row))
}

fn reasons() -> String {
    let row = |reason: Reason| {
        let told = |roles: &[Role]| {
            let first = reason.outward(roles[0]);
            assert!(roles.iter().all(|role| reason.outward(*role) == first), "one answer for all of them");
            format!("`{first}`")
        };
        let (insiders, others): (Vec<Role>, Vec<Role>) =
            Role::ALL.into_iter().partition(|role| matches!(role, Role::PrivacyOfficer | Role::Person));
        vec![
            (reason as u8).to_string(),
            format!("`{}`", reason.code()),
            meaning(reason).to_owned(),
            told(&insiders),
            told(&others),
        ]
    };
    let head = ["", "code", "what it means", "privacy officer and person are told", "all others are told"];
    table(&head, Reason::ALL.into_iter().map(row))
}

pub(super) fn page() -> String {
    let glass: Vec<&str> = Role::ALL.into_iter().filter(|one| may_break_glass(*one)).map(role).collect();
    format!(
        "# Who may do what

Printed from the one table in the code, and checked by a test; do not edit. To print it anew:
`cargo test -p obhut-model --test decision -- --ignored print`.

A key has exactly one role, in exactly one tenant. *yes* means: on everybody of the tenant, as far as the following
steps allow; reading and looking for persons also need a purpose, a basis and the person's leave
([decision-precedence.md](decision-precedence.md)). *herself* means: by her own right, on herself alone, also under
restriction and objection. The system role belongs to no key.

{roles}
An emergency can be claimed by: {glass}.

## What a tenant's state allows

Of those who may at all. *Notice*: the contract ends in the future. *Retrieval*: the window in which the customer takes
its data back, and persons keep their rights.

{states}
## Reasons

The number stands in the ledger. That somebody withdrew, refused or was erased is itself personal; so the exact code
goes to the privacy officer and the person alone. A key of another tenant is told `not_found`.

{reasons}",
        roles = roles(),
        glass = glass.join(", "),
        states = states(),
        reasons = reasons(),
    )
}
