//! The rules once more, written as lists of what stands against a release, most important first. Shares no code with
//! the decision, and can be broken on purpose: a property that no broken copy fails would prove nothing.

use crate::world::{Aim, Being, Case, Consent, Declares, Glass, Limit, Outcome, Subject, Term};
use model::consent::ConsentState;
use model::decision::{Action, Ground, Reason};
use model::principal::Role;
use model::purpose::{LegalBasis, SpecialBasis};
use model::tenant::TenantState;

/// A way to get the rules wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flaw {
    None,
    ErasedIsRead,
    ForeignTenantReached,
    TenantStateIgnored,
    UnknownStatePermits,
    RightsOnOthers,
    LimitsStopOwnRights,
    RoleTableIgnored,
    AppExports,
    WithdrawnPurposePermits,
    AnyRoleOfPurpose,
    AnyRecipient,
    AnyField,
    SecondBasisIgnored,
    ConsentIgnored,
    MissingConsentPermits,
    WithdrawnPermits,
    TermLastsOneMore,
    ConsentForOtherPurpose,
    ConsentForOtherRecipient,
    ConsentForOtherEdition,
    SilenceIsConsent,
    RestrictionIgnored,
    RestrictionTooWide,
    RestrictionOpens,
    ObjectionIgnored,
    MarketingDespiteObjection,
    ObjectionStopsContract,
    MaskIgnored,
    RedactTells,
    GlassOpensErased,
    GlassOpensClosedTenant,
    GlassReplacesRole,
    GlassForEveryRole,
    GlassForSearches,
    GlassWithoutReason,
    GlassWithoutEnd,
    GlassUnnoticed,
    GlassLessThanMask,
}

/// What each role may do, as the privacy officer knows it.
const ROLES: [(Role, &str); 9] = [
    (
        Role::App,
        "Create Read Find Rectify AskConsent ListConsents Restrict Object Erase ReadCatalogue ReadPurposes ReadNotices",
    ),
    (Role::Operations, "Read Find ReadCatalogue ReadPurposes"),
    (Role::CaseManager, "Read Find AskConsent ReadCatalogue ReadPurposes ReadNotices"),
    (
        Role::PrivacyOfficer,
        "Read Find Export Accesses Rectify AskConsent ListConsents Restrict Object Lift Hold Erase ReadCatalogue \
         ReadPurposes WritePurposes ReadNotices WriteNotices ReadLedger",
    ),
    (Role::Security, "ReadCatalogue ReadPurposes ReadLedger ReadAttacks ExcludeRules"),
    (Role::Auditor, "ReadCatalogue ReadPurposes ReadNotices ReadLedger"),
    (
        Role::Admin,
        "ReadCatalogue WriteCatalogue ReadPurposes WritePurposes ReadNotices WriteNotices ManageKeys ReadLedger \
         ReadAttacks ExcludeRules",
    ),
    (
        Role::Person,
        "Export Accesses Rectify ShowConsent AnswerConsent Withdraw ListConsents Restrict Object Lift Erase",
    ),
    (Role::System, "Maintain"),
];

pub(crate) fn listed(role: Role, action: Action) -> bool {
    let name = format!("{action:?}");
    ROLES.iter().any(|(one, actions)| *one == role && actions.split_whitespace().any(|one| one == name))
}

/// [`listed`], looked up once.
fn may(role: Role, action: Action) -> bool {
    static TABLE: std::sync::LazyLock<Vec<bool>> = std::sync::LazyLock::new(|| {
        Role::ALL.iter().flat_map(|role| Action::ALL.map(|action| listed(*role, action))).collect()
    });
    TABLE[(role as usize - 1) * Action::ALL.len() + action as usize - 1]
}

fn first<const N: usize>(obstacles: [(bool, Reason); N]) -> Option<Reason> {
    obstacles.into_iter().find(|(stands, _)| *stands).map(|(_, reason)| reason)
}

/// What the rules say, got wrong in one way.
pub(crate) fn rules(case: &Case, flaw: Flaw) -> Outcome {
    if let Some(reason) = never(case, flaw) {
        return Outcome::Deny(reason);
    }
    if !matches!(case.action, Action::Read | Action::Find) {
        let herself = case.role == Role::Person;
        if flaw == Flaw::LimitsStopOwnRights && matches!(case.restriction, Limit::This | Limit::All) {
            return Outcome::Deny(Reason::Restricted);
        }
        return Outcome::Permit(if herself { Ground::OwnRight } else { Ground::Duty });
    }
    let plain = plain(case, flaw);
    let enough = match plain {
        Outcome::Permit(_) => true,
        Outcome::Partial => flaw == Flaw::GlassLessThanMask,
        Outcome::Redact(_) | Outcome::Deny(_) => false,
    };
    if enough || case.glass == Glass::Whole {
        return plain;
    }
    if !claim_holds(case, flaw) {
        return Outcome::Deny(Reason::BreakGlassInvalid);
    }
    Outcome::Permit(if flaw == Flaw::GlassUnnoticed { Ground::Purpose } else { Ground::BreakGlass })
}

/// What nothing overrides.
fn never(case: &Case, flaw: Flaw) -> Option<Reason> {
    let emergency = case.glass == Glass::Broken;
    let person = case.role == Role::Person;
    let own = may(case.role, case.action)
        && (case.subject == Subject::Herself
            || flaw == Flaw::RightsOnOthers && case.subject != Subject::Nobody);
    let table = may(case.role, case.action)
        || flaw == Flaw::RoleTableIgnored
        || flaw == Flaw::AppExports && case.role == Role::App && case.action == Action::Export
        || flaw == Flaw::GlassReplacesRole && emergency;
    let closed = match case.state {
        None | Some(TenantState::Active | TenantState::Notice) => false,
        Some(TenantState::Retrieval) => matches!(
            case.action,
            Action::Create
                | Action::Read
                | Action::Find
                | Action::AskConsent
                | Action::WriteCatalogue
                | Action::WritePurposes
                | Action::WriteNotices
        ),
        Some(TenantState::Closing | TenantState::Closed) => {
            !matches!(case.action, Action::Maintain | Action::ReadLedger)
        }
    };
    let erased = case.being == Being::Erased && flaw != Flaw::ErasedIsRead;
    first([
        (!case.at_home && flaw != Flaw::ForeignTenantReached, Reason::WrongTenant),
        (case.being == Being::Missing, Reason::UnknownPerson),
        (erased && !(flaw == Flaw::GlassOpensErased && emergency), Reason::Erased),
        (case.state.is_none() && flaw != Flaw::UnknownStatePermits, Reason::FactMissing),
        (
            closed
                && flaw != Flaw::TenantStateIgnored
                && !(flaw == Flaw::GlassOpensClosedTenant && emergency),
            Reason::TenantState,
        ),
        (person && !own, Reason::NotOwnRight),
        (!person && !table, Reason::RoleMayNot),
    ])
}

/// What the purpose gives, without any emergency.
fn plain(case: &Case, flaw: Flaw) -> Outcome {
    let Some(aim) = case.aim else { return Outcome::Deny(Reason::PurposeMissing) };
    let wrong = first([
        (!aim.current && flaw != Flaw::WithdrawnPurposePermits, Reason::PurposeNotCurrent),
        (!aim.names_role && flaw != Flaw::AnyRoleOfPurpose, Reason::RoleNotOfPurpose),
        (!aim.names_recipient && flaw != Flaw::AnyRecipient, Reason::RecipientNotDeclared),
    ]);
    if let Some(reason) = wrong {
        return Outcome::Deny(reason);
    }
    let shown = match aim.declares {
        Declares::Clear | Declares::Both => Outcome::Permit(Ground::Purpose),
        Declares::Masked if flaw == Flaw::MaskIgnored => Outcome::Permit(Ground::Purpose),
        Declares::Masked if case.mask_shows => Outcome::Partial,
        Declares::Nothing if flaw == Flaw::AnyField => Outcome::Permit(Ground::Purpose),
        Declares::Masked | Declares::Nothing => Outcome::Redact(Reason::FieldNotDeclared),
    };
    if matches!(shown, Outcome::Redact(_)) && flaw != Flaw::RedactTells {
        return shown;
    }
    let in_the_way = first([
        (
            case.special && aim.special_basis.is_none() && flaw != Flaw::SecondBasisIgnored,
            Reason::SpecialBasisMissing,
        ),
        (consent_lacks(case, aim, flaw).is_some(), consent_lacks(case, aim, flaw).unwrap_or(Reason::Erased)),
        (restricts(case, aim, flaw), Reason::Restricted),
        (objects(case, aim, flaw), Reason::Objected),
    ]);
    in_the_way.map_or(shown, Outcome::Deny)
}

pub(crate) fn needs_consent(case: &Case, aim: Aim) -> bool {
    aim.basis == LegalBasis::Consent
        || case.special && aim.special_basis == Some(SpecialBasis::ExplicitConsent)
}

fn consent_lacks(case: &Case, aim: Aim, flaw: Flaw) -> Option<Reason> {
    let opened = flaw == Flaw::RestrictionOpens && case.restriction != Limit::None;
    if !needs_consent(case, aim) || flaw == Flaw::ConsentIgnored || opened {
        return None;
    }
    let Some(Consent { state, term, for_purpose, for_recipient, for_edition, explicit }) = case.consent
    else {
        return (flaw != Flaw::MissingConsentPermits).then_some(Reason::ConsentMissing);
    };
    use ConsentState as S;
    let yes = state == S::Given || state == S::Renewed;
    let ended = term == Term::Over || term == Term::EndsNow && flaw != Flaw::TermLastsOneMore;
    first([
        (!for_purpose && flaw != Flaw::ConsentForOtherPurpose, Reason::ConsentMissing),
        (!for_recipient && flaw != Flaw::ConsentForOtherRecipient, Reason::ConsentMissing),
        (!for_edition && flaw != Flaw::ConsentForOtherEdition, Reason::ConsentMissing),
        (state == S::Expired || yes && ended, Reason::ConsentExpired),
        (yes && case.special && !explicit && flaw != Flaw::SilenceIsConsent, Reason::ConsentNotExplicit),
        (state == S::Requested || state == S::Deferred, Reason::ConsentPending),
        (state == S::Refused, Reason::ConsentRefused),
        (state == S::Withdrawn && flaw != Flaw::WithdrawnPermits, Reason::ConsentWithdrawn),
        (state == S::Terminated || state == S::Invalidated, Reason::ConsentEnded),
    ])
}

fn restricts(case: &Case, aim: Aim, flaw: Flaw) -> bool {
    let covers = match case.restriction {
        Limit::None => false,
        Limit::Other => flaw == Flaw::RestrictionTooWide,
        Limit::This | Limit::All => true,
    };
    covers && !aim.survives_restriction && !matches!(flaw, Flaw::RestrictionIgnored | Flaw::RestrictionOpens)
}

fn objects(case: &Case, aim: Aim, flaw: Flaw) -> bool {
    let against = matches!(aim.basis, LegalBasis::PublicTask | LegalBasis::LegitimateInterests)
        || aim.marketing && flaw != Flaw::MarketingDespiteObjection
        || flaw == Flaw::ObjectionStopsContract;
    matches!(case.objection, Limit::This | Limit::All) && against && flaw != Flaw::ObjectionIgnored
}

fn claim_holds(case: &Case, flaw: Flaw) -> bool {
    let timely = match case.glass {
        Glass::Broken => true,
        Glass::WithoutReason => flaw == Flaw::GlassWithoutReason,
        Glass::EndsNow | Glass::Over | Glass::TooLong => flaw == Flaw::GlassWithoutEnd,
        Glass::Whole | Glass::NotYet => false,
    };
    let role =
        matches!(case.role, Role::CaseManager | Role::PrivacyOfficer) || flaw == Flaw::GlassForEveryRole;
    timely && role && (case.action == Action::Read || flaw == Flaw::GlassForSearches)
}
