//! Decision, plain model and properties, held against each other.

use crate::naive::{Flaw, rules};
use crate::properties::{self, Decider};
use crate::world::{Case, any, what_for, who};
use proptest::prelude::*;

fn decide(case: &Case) -> crate::world::Outcome {
    case.decided()
}

fn holds(case: &Case, decider: Decider<'_>) -> Result<(), &'static str> {
    let failed = properties::ALL.iter().find(|(_, property)| !property(case, decider));
    failed.map_or(Ok(()), |(name, _)| Err(*name))
}

#[test]
fn the_decision_is_the_plain_model_in_every_case_of_who_asks() {
    for case in who() {
        assert_eq!(case.decided(), rules(&case, Flaw::None), "{case:?}");
    }
}

#[test]
fn the_decision_is_the_plain_model_in_every_case_of_what_for() {
    let mut released = 0;
    for case in what_for() {
        let outcome = case.decided();
        assert_eq!(outcome, rules(&case, Flaw::None), "{case:?}");
        released += u64::from(outcome.level() > 0);
    }
    assert!(released > 10_000, "a world in which nothing is released shows little");
}

#[test]
fn properties_hold_of_the_plain_model_everywhere() {
    let plain = |case: &Case| rules(case, Flaw::None);
    for case in who().step_by(7).chain(what_for().step_by(11)) {
        assert_eq!(holds(&case, &plain), Ok(()), "{case:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    #[test]
    fn properties_hold_of_the_decision(number: u64, more: u64) {
        let case = any(number, more);
        prop_assert_eq!(holds(&case, &decide), Ok(()), "{:?}", case);
    }

    #[test]
    fn the_decision_is_the_plain_model(number: u64, more: u64) {
        let case = any(number, more);
        prop_assert_eq!(case.decided(), rules(&case, Flaw::None), "{:?}", case);
    }
}

/// Each broken copy with the property that must notice it.
const CONTROLS: [(Flaw, &str); 38] = [
    (Flaw::ErasedIsRead, "erased is never read"),
    (Flaw::ForeignTenantReached, "another tenant is never reached"),
    (Flaw::TenantStateIgnored, "a tenant that is closing releases nothing, one in retrieval no reads"),
    (Flaw::UnknownStatePermits, "a missing fact never releases"),
    (Flaw::RightsOnOthers, "own rights are one's own"),
    (Flaw::LimitsStopOwnRights, "own rights hold under restriction and objection"),
    (Flaw::RoleTableIgnored, "no role goes beyond the table"),
    (Flaw::AppExports, "no role goes beyond the table"),
    (Flaw::WithdrawnPurposePermits, "a purpose binds role, recipient and field"),
    (Flaw::AnyRoleOfPurpose, "a purpose binds role, recipient and field"),
    (Flaw::AnyRecipient, "a purpose binds role, recipient and field"),
    (Flaw::AnyField, "a purpose binds role, recipient and field"),
    (Flaw::SecondBasisIgnored, "special categories need a second basis"),
    (Flaw::ConsentIgnored, "a consent lives, fits and is explicit where it must be"),
    (Flaw::MissingConsentPermits, "a missing fact never releases"),
    (Flaw::WithdrawnPermits, "a consent lives, fits and is explicit where it must be"),
    (Flaw::TermLastsOneMore, "a consent lives, fits and is explicit where it must be"),
    (Flaw::ConsentForOtherPurpose, "a consent lives, fits and is explicit where it must be"),
    (Flaw::ConsentForOtherRecipient, "a consent lives, fits and is explicit where it must be"),
    (Flaw::ConsentForOtherEdition, "a consent lives, fits and is explicit where it must be"),
    (Flaw::SilenceIsConsent, "a consent lives, fits and is explicit where it must be"),
    (Flaw::RestrictionIgnored, "a restriction holds"),
    (Flaw::RestrictionTooWide, "limits on other things change nothing"),
    (Flaw::RestrictionOpens, "limits only take away"),
    (Flaw::ObjectionIgnored, "an objection holds"),
    (Flaw::MarketingDespiteObjection, "an objection holds"),
    (Flaw::ObjectionStopsContract, "an objection does not stop a contract"),
    (Flaw::MaskIgnored, "a mask shows no more than a mask"),
    (Flaw::RedactTells, "a redaction tells nothing of the person"),
    (Flaw::GlassOpensErased, "break-glass overrides nothing before the purpose"),
    (Flaw::GlassOpensClosedTenant, "break-glass overrides nothing before the purpose"),
    (Flaw::GlassReplacesRole, "break-glass overrides nothing before the purpose"),
    (Flaw::GlassForEveryRole, "break-glass needs role, reason and time"),
    (Flaw::GlassForSearches, "break-glass needs role, reason and time"),
    (Flaw::GlassWithoutReason, "break-glass needs role, reason and time"),
    (Flaw::GlassWithoutEnd, "break-glass needs role, reason and time"),
    (Flaw::GlassUnnoticed, "what break-glass opened says so, and it opens all"),
    (Flaw::GlassLessThanMask, "what break-glass opened says so, and it opens all"),
];

#[test]
fn every_broken_copy_is_noticed_by_the_property_that_should() {
    for (flaw, name) in CONTROLS {
        let broken = |case: &Case| rules(case, flaw);
        let (_, property) = properties::ALL.iter().find(|(one, _)| *one == name).expect("a property");
        let noticed = who().chain(what_for()).any(|case| !property(&case, &broken));
        assert!(noticed, "{flaw:?} is not noticed by: {name}");
        let differs = who().chain(what_for()).any(|case| case.decided() != broken(&case));
        assert!(differs, "{flaw:?} cannot be told from the decision");
    }
}

#[test]
fn every_property_can_fail() {
    for (name, _) in properties::ALL {
        assert!(CONTROLS.iter().any(|(_, noticed_by)| *noticed_by == name), "nothing breaks: {name}");
    }
}
