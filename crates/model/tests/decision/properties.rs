//! What must hold of any decider, over every case. Written from the law and the design, not from the code.

use crate::naive::{listed, needs_consent};
use crate::world::{Aim, Being, Case, Consent, Declares, Glass, Limit, Outcome, Subject, Term};
use model::consent::ConsentState;
use model::decision::{Action, Ground, Reason};
use model::principal::Role;
use model::purpose::LegalBasis;
use model::tenant::TenantState;

/// Something that decides.
pub(crate) type Decider<'a> = &'a dyn Fn(&Case) -> Outcome;
/// Whether it does right by a case.
pub(crate) type Property = fn(&Case, Decider<'_>) -> bool;

/// All properties, by name.
pub(crate) const ALL: [(&str, Property); 20] = [
    ("erased is never read", erased),
    ("another tenant is never reached", other_tenant),
    ("a tenant that is closing releases nothing, one in retrieval no reads", tenant_state),
    ("a missing fact never releases", missing_fact),
    ("limits only take away", limits_take_away),
    ("own rights hold under restriction and objection", own_right_holds),
    ("own rights are one's own", own_right_is_own),
    ("no role goes beyond the table", role_table),
    ("a purpose binds role, recipient and field", purpose_binds),
    ("special categories need a second basis", second_basis),
    ("a consent lives, fits and is explicit where it must be", consent_lives),
    ("a restriction holds", restriction_holds),
    ("an objection holds", objection_holds),
    ("limits on other things change nothing", limits_elsewhere),
    ("an objection does not stop a contract", objection_against_contract),
    ("a mask shows no more than a mask", mask_holds),
    ("a redaction tells nothing of the person", redaction_is_constant),
    ("break-glass overrides nothing before the purpose", glass_overrides_purpose_alone),
    ("break-glass needs role, reason and time", glass_is_narrow),
    ("what break-glass opened says so, and it opens all", glass_is_told),
];

fn released(case: &Case, decide: Decider<'_>) -> bool {
    decide(case).level() > 0
}

/// A read or search that was released for its purpose, not in an emergency; and that purpose.
fn released_for(case: &Case, decide: Decider<'_>) -> Option<Option<Aim>> {
    let plain = Case { glass: Glass::Whole, ..*case };
    let for_purpose = matches!(case.action, Action::Read | Action::Find);
    (for_purpose && released(&plain, decide)).then_some(plain.aim)
}

fn erased(case: &Case, decide: Decider<'_>) -> bool {
    !released(&Case { being: Being::Erased, ..*case }, decide)
}

fn other_tenant(case: &Case, decide: Decider<'_>) -> bool {
    let outcome = decide(&Case { at_home: false, ..*case });
    outcome == Outcome::Deny(Reason::WrongTenant)
}

fn tenant_state(case: &Case, decide: Decider<'_>) -> bool {
    let own = matches!(case.action, Action::Maintain | Action::ReadLedger);
    let reads = matches!(case.action, Action::Read | Action::Find);
    let in_state = |state| released(&Case { state: Some(state), ..*case }, decide);
    (own || !in_state(TenantState::Closing) && !in_state(TenantState::Closed))
        && !(reads && in_state(TenantState::Retrieval))
}

fn missing_fact(case: &Case, decide: Decider<'_>) -> bool {
    let plain = Case { glass: Glass::Whole, ..*case };
    let needs_purpose = matches!(case.action, Action::Read | Action::Find);
    let needs_consent = needs_purpose && case.aim.is_some_and(|aim| needs_consent(case, aim));
    let without = [
        released(&Case { state: None, ..*case }, decide),
        released(&Case { being: Being::Missing, ..*case }, decide),
        needs_purpose && released(&Case { aim: None, ..plain }, decide),
        needs_consent && released(&Case { consent: None, ..plain }, decide),
    ];
    !without.contains(&true)
}

fn limits_take_away(case: &Case, decide: Decider<'_>) -> bool {
    let before = decide(case).level();
    let aim = |change: fn(&mut Aim)| {
        let mut aim = case.aim;
        aim.as_mut().map(change);
        Case { aim, ..*case }
    };
    let consent = |change: fn(&mut Consent)| {
        let mut consent = case.consent;
        consent.as_mut().map(change);
        Case { consent, ..*case }
    };
    let harder = [
        Case { restriction: Limit::This, ..*case },
        Case { restriction: Limit::All, ..*case },
        Case { objection: Limit::This, ..*case },
        Case { being: Being::Erased, ..*case },
        Case { state: case.state.map(|_| TenantState::Closed), ..*case },
        Case { consent: None, ..*case },
        consent(|one| one.state = ConsentState::Withdrawn),
        consent(|one| one.state = ConsentState::Refused),
        consent(|one| one.term = Term::Over),
        consent(|one| one.explicit = false),
        aim(|one| one.current = false),
        aim(|one| one.names_role = false),
        aim(|one| one.names_recipient = false),
        aim(|one| one.declares = Declares::Nothing),
        aim(|one| one.special_basis = None),
    ];
    // Without its second basis a purpose no longer rests on explicit consent either; that is lawful for what is not
    // special, so the last one counts for special categories alone.
    let counted = if case.special { harder.len() } else { harder.len() - 1 };
    harder[..counted].iter().all(|harder| decide(harder).level() <= before)
}

fn own_right_holds(case: &Case, decide: Decider<'_>) -> bool {
    let rights = matches!(case.action, Action::Export | Action::Accesses | Action::Rectify)
        || matches!(
            case.action,
            Action::Withdraw | Action::Erase | Action::Object | Action::Restrict | Action::Lift
        );
    let lives =
        matches!(case.state, Some(TenantState::Active | TenantState::Notice | TenantState::Retrieval));
    let she = Case {
        at_home: true,
        role: Role::Person,
        subject: Subject::Herself,
        being: Being::Living,
        restriction: Limit::All,
        objection: Limit::All,
        ..*case
    };
    !(rights && lives) || decide(&she) == Outcome::Permit(Ground::OwnRight)
}

fn own_right_is_own(case: &Case, decide: Decider<'_>) -> bool {
    let other = |subject| released(&Case { role: Role::Person, subject, ..*case }, decide);
    !other(Subject::SomebodyElse) && !other(Subject::Nobody)
}

fn role_table(case: &Case, decide: Decider<'_>) -> bool {
    !released(case, decide) || listed(case.role, case.action)
}

fn purpose_binds(case: &Case, decide: Decider<'_>) -> bool {
    let Some(aim) = released_for(case, decide) else { return true };
    aim.is_some_and(|aim| {
        aim.current && aim.names_role && aim.names_recipient && aim.declares != Declares::Nothing
    })
}

fn second_basis(case: &Case, decide: Decider<'_>) -> bool {
    let Some(Some(aim)) = released_for(case, decide) else { return true };
    !case.special || aim.special_basis.is_some()
}

fn consent_lives(case: &Case, decide: Decider<'_>) -> bool {
    let Some(Some(aim)) = released_for(case, decide) else { return true };
    !needs_consent(case, aim)
        || case.consent.is_some_and(|one| {
            matches!(one.state, ConsentState::Given | ConsentState::Renewed)
                && matches!(one.term, Term::Open | Term::Ahead)
                && one.for_purpose
                && one.for_recipient
                && one.for_edition
                && (one.explicit || !case.special)
        })
}

fn restriction_holds(case: &Case, decide: Decider<'_>) -> bool {
    let Some(Some(aim)) = released_for(case, decide) else { return true };
    aim.survives_restriction || matches!(case.restriction, Limit::None | Limit::Other)
}

fn objection_holds(case: &Case, decide: Decider<'_>) -> bool {
    let Some(Some(aim)) = released_for(case, decide) else { return true };
    let open = aim.marketing || matches!(aim.basis, LegalBasis::PublicTask | LegalBasis::LegitimateInterests);
    !open || matches!(case.objection, Limit::None | Limit::Other)
}

fn limits_elsewhere(case: &Case, decide: Decider<'_>) -> bool {
    let free = decide(&Case { restriction: Limit::None, objection: Limit::None, ..*case });
    let elsewhere = decide(&Case { restriction: Limit::Other, objection: Limit::Other, ..*case });
    free == elsewhere
}

fn objection_against_contract(case: &Case, decide: Decider<'_>) -> bool {
    let stands = case.aim.is_some_and(|aim| aim.basis == LegalBasis::Contract && !aim.marketing);
    let with = |objection| decide(&Case { objection, ..*case });
    !stands || with(Limit::None) == with(Limit::This)
}

fn mask_holds(case: &Case, decide: Decider<'_>) -> bool {
    let plain = Case { glass: Glass::Whole, ..*case };
    let masked = case.aim.is_some_and(|aim| aim.declares == Declares::Masked);
    let reads = matches!(case.action, Action::Read | Action::Find);
    let most = if case.mask_shows { 1 } else { 0 };
    !(masked && reads) || decide(&plain).level() <= most
}

fn redaction_is_constant(case: &Case, decide: Decider<'_>) -> bool {
    let outcome = decide(case);
    let others = [
        Case { restriction: Limit::None, objection: Limit::None, consent: None, ..*case },
        Case { restriction: Limit::All, objection: Limit::All, ..*case },
        Case { consent: Some(crate::world::GOOD_CONSENT), ..*case },
    ];
    !matches!(outcome, Outcome::Redact(_)) || others.iter().all(|other| decide(other) == outcome)
}

fn glass_overrides_purpose_alone(case: &Case, decide: Decider<'_>) -> bool {
    let whole = decide(&Case { glass: Glass::Whole, ..*case });
    let broken = decide(&Case { glass: Glass::Broken, ..*case });
    match whole {
        Outcome::Deny(
            Reason::WrongTenant
            | Reason::Erased
            | Reason::UnknownPerson
            | Reason::FactMissing
            | Reason::TenantState
            | Reason::NotOwnRight
            | Reason::RoleMayNot,
        ) => broken == whole,
        _ => true,
    }
}

fn glass_is_narrow(case: &Case, decide: Decider<'_>) -> bool {
    let role = matches!(case.role, Role::CaseManager | Role::PrivacyOfficer);
    let holds = role && case.action == Action::Read && case.glass == Glass::Broken;
    let whole = decide(&Case { glass: Glass::Whole, ..*case });
    holds || decide(case).level() <= whole.level()
}

fn glass_is_told(case: &Case, decide: Decider<'_>) -> bool {
    let whole = decide(&Case { glass: Glass::Whole, ..*case });
    let outcome = decide(case);
    if outcome.level() > whole.level() {
        outcome == Outcome::Permit(Ground::BreakGlass)
    } else {
        // An emergency by the rules is never left with a mask.
        outcome != Outcome::Partial || case.glass == Glass::Whole
    }
}
