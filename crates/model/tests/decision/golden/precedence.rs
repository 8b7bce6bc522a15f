//! Situations × outcome.

use super::table;
use crate::world::{
    Aim, Being, Case, Consent, Declares, GOOD, GOOD_AIM, GOOD_CONSENT, Glass, Limit, Outcome, Subject, Term,
};
use model::consent::ConsentState;
use model::decision::{Action, Ground};
use model::principal::Role;
use model::purpose::{LegalBasis, SpecialBasis};
use model::tenant::TenantState;

type Change = fn(&mut Case);

fn said(outcome: Outcome) -> String {
    match outcome {
        Outcome::Permit(Ground::BreakGlass) => "**permit**, emergency".to_owned(),
        Outcome::Permit(_) => "**permit**".to_owned(),
        Outcome::Partial => "masked".to_owned(),
        Outcome::Redact(_) => "redacted".to_owned(),
        Outcome::Deny(reason) => format!("no: `{}`", reason.code()),
    }
}

fn of(case: Case, change: Change) -> Case {
    let mut case = case;
    change(&mut case);
    case
}

fn aim(case: &mut Case, change: fn(&mut Aim)) {
    case.aim.as_mut().map(change);
}

fn consent(case: &mut Case, change: fn(&mut Consent)) {
    case.consent.as_mut().map(change);
}

/// For what something is read, with everything in order.
fn askings() -> [(&'static str, Case); 6] {
    let on = |basis, special_basis| Some(Aim { basis, special_basis, ..GOOD_AIM });
    let consented = Case { consent: Some(GOOD_CONSENT), ..GOOD };
    let explicit = Some(SpecialBasis::ExplicitConsent);
    let claims =
        Some(Aim { survives_restriction: true, special_basis: Some(SpecialBasis::LegalClaims), ..GOOD_AIM });
    [
        ("contract, 6(1)(b)", GOOD),
        ("legitimate interests, 6(1)(f)", Case { aim: on(LegalBasis::LegitimateInterests, None), ..GOOD }),
        ("consent, 6(1)(a)", Case { aim: on(LegalBasis::Consent, None), ..consented }),
        (
            "health note, explicit consent, 9(2)(a)",
            Case { aim: on(LegalBasis::Consent, explicit), special: true, ..consented },
        ),
        ("health note, legal claims, 9(2)(f), survives 18", Case { aim: claims, special: true, ..GOOD }),
        (
            "her own export",
            Case { role: Role::Person, subject: Subject::Herself, action: Action::Export, aim: None, ..GOOD },
        ),
    ]
}

/// What the situation is.
const SITUATIONS: [(&str, Change); 39] = [
    ("nothing stands against it", |_| {}),
    ("the one who asks belongs to another tenant", |case| case.at_home = false),
    ("there is no such person", |case| case.being = Being::Missing),
    ("the person is erased", |case| case.being = Being::Erased),
    ("it is not known in which state the contract is", |case| case.state = None),
    ("the contract has been given notice", |case| case.state = Some(TenantState::Notice)),
    ("the retrieval window after the contract", |case| case.state = Some(TenantState::Retrieval)),
    ("the tenant is being removed", |case| case.state = Some(TenantState::Closing)),
    ("the tenant is gone", |case| case.state = Some(TenantState::Closed)),
    ("a person asks for somebody else's", |case| {
        case.role = Role::Person;
        case.subject = Subject::SomebodyElse;
    }),
    ("the role may not, such as security", |case| case.role = Role::Security),
    ("no purpose is named", |case| case.aim = None),
    ("the purpose was withdrawn", |case| aim(case, |aim| aim.current = false)),
    ("the purpose does not name the role", |case| aim(case, |aim| aim.names_role = false)),
    ("the purpose does not declare the recipient", |case| aim(case, |aim| aim.names_recipient = false)),
    ("the purpose does not declare the field", |case| aim(case, |aim| aim.declares = Declares::Nothing)),
    ("the purpose declares the field masked, as initials", |case| {
        aim(case, |aim| aim.declares = Declares::Masked)
    }),
    ("the purpose declares the field masked, and the mask shows nothing", |case| {
        case.mask_shows = false;
        aim(case, |aim| aim.declares = Declares::Masked);
    }),
    ("the purpose has no basis of Art. 9(2)", |case| aim(case, |aim| aim.special_basis = None)),
    ("consent was never asked for", |case| case.consent = None),
    ("consent is asked for, not answered", |case| consent(case, |one| one.state = ConsentState::Requested)),
    ("the person wants to decide later", |case| consent(case, |one| one.state = ConsentState::Deferred)),
    ("the person refused", |case| consent(case, |one| one.state = ConsentState::Refused)),
    ("the person gave consent again", |case| consent(case, |one| one.state = ConsentState::Renewed)),
    ("the person took consent back", |case| consent(case, |one| one.state = ConsentState::Withdrawn)),
    ("the term of the consent runs", |case| consent(case, |one| one.term = Term::Ahead)),
    ("the term of the consent ends this very moment", |case| consent(case, |one| one.term = Term::EndsNow)),
    ("the consent is written down as expired", |case| consent(case, |one| one.state = ConsentState::Expired)),
    ("the controller ended the consent", |case| consent(case, |one| one.state = ConsentState::Terminated)),
    ("the consent was found invalid", |case| consent(case, |one| one.state = ConsentState::Invalidated)),
    ("consent is for another purpose", |case| consent(case, |one| one.for_purpose = false)),
    ("consent is for another recipient", |case| consent(case, |one| one.for_recipient = false)),
    ("consent is for an earlier edition of the purpose", |case| consent(case, |one| one.for_edition = false)),
    ("consent was not given explicitly", |case| consent(case, |one| one.explicit = false)),
    ("this field is restricted (Art. 18)", |case| case.restriction = Limit::This),
    ("everything is restricted (Art. 18)", |case| case.restriction = Limit::All),
    ("another field is restricted", |case| case.restriction = Limit::Other),
    ("the person objects to this purpose (Art. 21)", |case| case.objection = Limit::This),
    ("the person objects to another purpose", |case| case.objection = Limit::Other),
];

/// What can stand against a read, the most important first. Each is put on a read that is open to all of them.
const OBSTACLES: [(&str, Change); 15] = [
    ("the one who asks belongs to another tenant", |case| case.at_home = false),
    ("the person is erased", |case| case.being = Being::Erased),
    ("the tenant is being removed", |case| case.state = Some(TenantState::Closing)),
    ("the role may not read", |case| case.role = Role::Auditor),
    ("no purpose is named", |case| case.aim = None),
    ("the purpose was withdrawn", |case| aim(case, |aim| aim.current = false)),
    ("the purpose does not name the role", |case| aim(case, |aim| aim.names_role = false)),
    ("the purpose does not declare the recipient", |case| aim(case, |aim| aim.names_recipient = false)),
    ("the purpose does not declare the field", |case| aim(case, |aim| aim.declares = Declares::Nothing)),
    ("the purpose has no basis of Art. 9(2)", |case| aim(case, |aim| aim.special_basis = None)),
    ("the person took consent back", |case| consent(case, |one| one.state = ConsentState::Withdrawn)),
    ("the field is restricted", |case| case.restriction = Limit::This),
    ("the person objects", |case| case.objection = Limit::This),
    ("the purpose shows a mask alone", |case| aim(case, |aim| aim.declares = Declares::Masked)),
    ("nothing", |_| {}),
];

/// A health note, read for a purpose that consent, restriction and objection can all stop.
fn open_to_all() -> Case {
    let aim = Aim {
        basis: LegalBasis::LegitimateInterests,
        special_basis: Some(SpecialBasis::ExplicitConsent),
        ..GOOD_AIM
    };
    Case { aim: Some(aim), special: true, consent: Some(GOOD_CONSENT), ..GOOD }
}

/// Claims of an emergency.
const CLAIMS: [(&str, Change); 6] = [
    ("no emergency claimed", |_| {}),
    ("emergency, case manager", |case| case.glass = Glass::Broken),
    ("without a reason", |case| case.glass = Glass::WithoutReason),
    ("over 4 hours", |case| case.glass = Glass::TooLong),
    ("time is up", |case| case.glass = Glass::EndsNow),
    ("by a role that may not", |case| {
        case.glass = Glass::Broken;
        if case.role == Role::CaseManager {
            case.role = Role::Operations;
        }
    }),
];

fn situations() -> String {
    let askings = askings();
    let mut head = vec!["situation"];
    head.extend(askings.map(|(name, _)| name));
    let row = |(name, change): (&str, Change)| {
        let mut row = vec![name.to_owned()];
        row.extend(askings.map(|(_, case)| said(of(case, change).decided())));
        row
    };
    table(&head, SITUATIONS.into_iter().map(row))
}

/// Every pair of obstacles: the higher one decides, whatever the lower one is.
fn pairs() -> (usize, String) {
    let mut count = 0;
    for (at, (higher, one)) in OBSTACLES.into_iter().enumerate() {
        for (lower, other) in OBSTACLES.into_iter().skip(at + 1) {
            let both = of(of(open_to_all(), other), one).decided();
            assert_eq!(both, of(open_to_all(), one).decided(), "{higher} and {lower}");
            count += 1;
        }
    }
    let row = |(at, (name, change)): (usize, (&str, Change))| {
        vec![(at + 1).to_string(), name.to_owned(), said(of(open_to_all(), change).decided())]
    };
    (count, table(&["", "what stands against it", "outcome"], OBSTACLES.into_iter().enumerate().map(row)))
}

fn emergencies() -> String {
    let mut head = vec!["what stands against it"];
    head.extend(CLAIMS.map(|(name, _)| name));
    let row = |(name, obstacle): (&str, Change)| {
        let mut row = vec![name.to_owned()];
        row.extend(CLAIMS.map(|(_, claim)| said(of(of(open_to_all(), obstacle), claim).decided())));
        row
    };
    table(&head, OBSTACLES.into_iter().map(row))
}

pub(super) fn page() -> String {
    let (count, order) = pairs();
    format!(
        "# What the decision says

Printed from the decision itself, and checked by a test; do not edit. To print it anew:
`cargo test -p obhut-model --test decision -- --ignored print`. Who may ask for what at all stands in
[decision-roles.md](decision-roles.md), with the meaning of each `code`.

Outcomes: **permit** (the value), *masked* (a transform such as `J. M.`, logged like a read), *redacted* (a constant,
the same whether there is a value or not), *no* with the reason that the privacy officer and the person are told; all
others are told `no_permission`.

## Each situation by itself

A case manager reads one field of one person, for a purpose on the basis in the head of the column, and everything else
is in order. The last column is the person herself, who exports her data. (A legal hold stands against erasure alone;
it never changes a read.)

{situations}
## Two things at once

A read of a health note for a purpose on legitimate interests and explicit consent, so that everything below can stand
against it. Where two do, the higher one decides; all {count} pairs were tried.

{order}
## Emergencies

Break-glass: a case manager or privacy officer claims an emergency, with a reason, for 4 hours at most. It goes around
purpose, basis, restriction and objection; never around erasure, the tenant's state or the role. The person is told, and
a second pair of eyes reviews it within 72 hours.

{emergencies}",
        situations = situations(),
        emergencies = emergencies(),
    )
}
