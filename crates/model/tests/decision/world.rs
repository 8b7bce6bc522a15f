//! Cases: everything that a decision may hang on, each with the few values that make a difference.

use model::catalogue::{Category, Field, FieldType, Index, MaskRule, TokenFormat};
use model::consent::ConsentState;
use model::decision::{
    Action, BREAK_GLASS_MS, BreakGlass, ConsentFacts, Decision, Facts, FieldScope, Ground, PersonFacts,
    Reason, Request, decide,
};
use model::principal::{Principal, Role};
use model::purpose::{LegalBasis, Purpose, SpecialBasis};
use model::tenant::TenantState;
use model::{
    Compartment, FieldId, PersonId, PrincipalId, PurposeId, RecipientId, TenantId, Timestamp, clock::DAY_MS,
};

pub(crate) const NOW: Timestamp = Timestamp(20_000 * DAY_MS);
const TENANT: TenantId = TenantId([1; 16]);
const PERSON: PersonId = PersonId([2; 16]);
const FIELD: FieldId = FieldId(7);
const PURPOSE: PurposeId = PurposeId(5);
const RECIPIENT: RecipientId = RecipientId(4);
const EDITION: u32 = 3;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Subject {
    Nobody,
    Herself,
    SomebodyElse,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Being {
    Living,
    Erased,
    Missing,
}

/// What a restriction or an objection speaks of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Limit {
    None,
    Other,
    This,
    All,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Declares {
    Clear,
    Masked,
    Both,
    Nothing,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Aim {
    pub(crate) current: bool,
    pub(crate) basis: LegalBasis,
    pub(crate) marketing: bool,
    pub(crate) special_basis: Option<SpecialBasis>,
    pub(crate) declares: Declares,
    pub(crate) names_role: bool,
    pub(crate) names_recipient: bool,
    pub(crate) survives_restriction: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Term {
    Open,
    Ahead,
    EndsNow,
    Over,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Consent {
    pub(crate) state: ConsentState,
    pub(crate) term: Term,
    pub(crate) for_purpose: bool,
    pub(crate) for_recipient: bool,
    pub(crate) for_edition: bool,
    pub(crate) explicit: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Glass {
    Whole,
    Broken,
    WithoutReason,
    NotYet,
    EndsNow,
    Over,
    TooLong,
}

/// One question with all its facts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Case {
    pub(crate) at_home: bool,
    pub(crate) role: Role,
    pub(crate) subject: Subject,
    pub(crate) action: Action,
    pub(crate) state: Option<TenantState>,
    pub(crate) being: Being,
    pub(crate) restriction: Limit,
    pub(crate) objection: Limit,
    pub(crate) aim: Option<Aim>,
    pub(crate) special: bool,
    pub(crate) mask_shows: bool,
    pub(crate) consent: Option<Consent>,
    pub(crate) glass: Glass,
}

/// A decision without its proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Permit(Ground),
    Partial,
    Redact(Reason),
    Deny(Reason),
}

impl Outcome {
    /// How much leaves: nothing, a transform, the value.
    pub(crate) fn level(self) -> u8 {
        match self {
            Self::Redact(_) | Self::Deny(_) => 0,
            Self::Partial => 1,
            Self::Permit(_) => 2,
        }
    }
}

pub(crate) const GOOD_AIM: Aim = Aim {
    current: true,
    basis: LegalBasis::Contract,
    marketing: false,
    special_basis: None,
    declares: Declares::Clear,
    names_role: true,
    names_recipient: true,
    survives_restriction: false,
};

pub(crate) const GOOD_CONSENT: Consent = Consent {
    state: ConsentState::Given,
    term: Term::Open,
    for_purpose: true,
    for_recipient: true,
    for_edition: true,
    explicit: true,
};

/// A read that nothing stands against.
pub(crate) const GOOD: Case = Case {
    at_home: true,
    role: Role::CaseManager,
    subject: Subject::Nobody,
    action: Action::Read,
    state: Some(TenantState::Active),
    being: Being::Living,
    restriction: Limit::None,
    objection: Limit::None,
    aim: Some(GOOD_AIM),
    special: false,
    mask_shows: true,
    consent: None,
    glass: Glass::Whole,
};

impl Case {
    /// What the decision says.
    pub(crate) fn decided(&self) -> Outcome {
        let principal = self.principal();
        let (field, purpose, glass) = (self.field(), self.purpose(), self.break_glass());
        let request = Request {
            principal: &principal,
            action: self.action,
            tenant: TENANT,
            person: PERSON,
            field: &field,
            purpose: purpose.as_ref(),
            recipient: RECIPIENT,
            break_glass: glass.as_ref(),
        };
        let restricted: &[FieldScope] = match self.restriction {
            Limit::None => &[],
            Limit::Other => &[FieldScope::One(FieldId(8))],
            Limit::This => &[FieldScope::One(FieldId(8)), FieldScope::One(FIELD)],
            Limit::All => &[FieldScope::All],
        };
        let objections: &[PurposeId] = match self.objection {
            Limit::None => &[],
            Limit::Other => &[PurposeId(6)],
            Limit::This | Limit::All => &[PurposeId(6), PURPOSE],
        };
        let erased = self.being == Being::Erased;
        let person = (self.being != Being::Missing).then_some(PersonFacts { erased, restricted, objections });
        let facts = Facts { tenant: self.state, person, consent: self.consent.map(Consent::facts) };
        let decision = decide(&request, &facts, NOW);
        match &decision {
            Decision::Permit(permit) => {
                assert!(permit.covers(TENANT, PERSON, FIELD));
                Outcome::Permit(permit.ground())
            }
            Decision::Partial(permit) => {
                assert!(permit.covers(TENANT, PERSON, FIELD));
                assert_eq!(permit.transform(), MaskRule::Initials);
                Outcome::Partial
            }
            Decision::Redact(reason) => Outcome::Redact(*reason),
            Decision::Deny(reason) => Outcome::Deny(*reason),
        }
    }

    fn principal(&self) -> Principal {
        let subject = match self.subject {
            Subject::Nobody => None,
            Subject::Herself => Some(PERSON),
            Subject::SomebodyElse => Some(PersonId([3; 16])),
        };
        let tenant = if self.at_home { TENANT } else { TenantId([9; 16]) };
        Principal { id: PrincipalId([6; 16]), tenant, role: self.role, subject }
    }

    fn field(&self) -> Field {
        Field {
            id: FIELD,
            name: String::new(),
            category: if self.special { Category::Health } else { Category::Identity },
            kind: FieldType::Text,
            mask: if self.mask_shows { MaskRule::Initials } else { MaskRule::Redact },
            index: Index::None,
            token: TokenFormat::Opaque,
            compartment: Compartment(0),
            stable: false,
            third_party: false,
            max_bytes: 100,
        }
    }

    fn purpose(&self) -> Option<Purpose> {
        let aim = self.aim?;
        let listed = |yes| if yes { vec![FIELD] } else { vec![FieldId(8)] };
        let other = if self.role == Role::App { Role::Operations } else { Role::App };
        Some(Purpose {
            id: PURPOSE,
            name: String::new(),
            title: String::new(),
            basis: aim.basis,
            special_basis: aim.special_basis,
            fields: listed(matches!(aim.declares, Declares::Clear | Declares::Both)),
            masked: listed(matches!(aim.declares, Declares::Masked | Declares::Both)),
            recipients: vec![if aim.names_recipient { RECIPIENT } else { RecipientId(0) }],
            roles: vec![if aim.names_role { self.role } else { other }],
            marketing: aim.marketing,
            survives_restriction: aim.survives_restriction,
            current: aim.current,
            edition: EDITION,
        })
    }

    fn break_glass(&self) -> Option<BreakGlass> {
        let claim = |from: i64, until: i64| BreakGlass {
            reason: "unconscious in hall 3".to_owned(),
            from: NOW.plus_ms(from),
            until: NOW.plus_ms(until),
        };
        match self.glass {
            Glass::Whole => None,
            Glass::Broken => Some(claim(0, BREAK_GLASS_MS)),
            Glass::WithoutReason => Some(BreakGlass { reason: " \n".to_owned(), ..claim(0, 1_000) }),
            Glass::NotYet => Some(claim(1, 1_000)),
            Glass::EndsNow => Some(claim(-1_000, 0)),
            Glass::Over => Some(claim(-1_000, -1)),
            Glass::TooLong => Some(claim(-1, BREAK_GLASS_MS)),
        }
    }
}

impl Consent {
    fn facts(self) -> ConsentFacts {
        ConsentFacts {
            state: self.state,
            until: match self.term {
                Term::Open => None,
                Term::Ahead => Some(NOW.plus_ms(1)),
                Term::EndsNow => Some(NOW),
                Term::Over => Some(NOW.plus_ms(-1)),
            },
            purpose: if self.for_purpose { PURPOSE } else { PurposeId(6) },
            recipient: if self.for_recipient { RECIPIENT } else { RecipientId(0) },
            edition: if self.for_edition { EDITION } else { EDITION - 1 },
            explicit: self.explicit,
        }
    }
}

/// The next digit of `number` in a mixed radix: one of `from`.
fn pick<T: Copy>(number: &mut u64, from: &[T]) -> T {
    let radix = from.len() as u64;
    let one = from[(*number % radix) as usize];
    *number /= radix;
    one
}

const STATES: [Option<TenantState>; 6] = [
    Some(TenantState::Active),
    Some(TenantState::Notice),
    Some(TenantState::Retrieval),
    Some(TenantState::Closing),
    Some(TenantState::Closed),
    None,
];
const SUBJECTS: [Subject; 3] = [Subject::Herself, Subject::SomebodyElse, Subject::Nobody];
const BEINGS: [Being; 3] = [Being::Living, Being::Erased, Being::Missing];
const LIMITS: [Limit; 4] = [Limit::None, Limit::Other, Limit::This, Limit::All];
const GLASSES: [Glass; 7] = [
    Glass::Whole,
    Glass::Broken,
    Glass::WithoutReason,
    Glass::NotYet,
    Glass::EndsNow,
    Glass::Over,
    Glass::TooLong,
];
const BOTH: [bool; 2] = [true, false];
const BASES: [(LegalBasis, bool); 8] = [
    (LegalBasis::Consent, false),
    (LegalBasis::Contract, false),
    (LegalBasis::Contract, true),
    (LegalBasis::LegalObligation, false),
    (LegalBasis::VitalInterests, false),
    (LegalBasis::PublicTask, false),
    (LegalBasis::LegitimateInterests, false),
    (LegalBasis::LegitimateInterests, true),
];
const SECOND_BASES: [Option<SpecialBasis>; 3] =
    [None, Some(SpecialBasis::ExplicitConsent), Some(SpecialBasis::EmploymentLaw)];
const CONSENT_STATES: [ConsentState; 9] = [
    ConsentState::Given,
    ConsentState::Renewed,
    ConsentState::Requested,
    ConsentState::Deferred,
    ConsentState::Refused,
    ConsentState::Withdrawn,
    ConsentState::Expired,
    ConsentState::Terminated,
    ConsentState::Invalidated,
];
const TERMS: [Term; 4] = [Term::Open, Term::Ahead, Term::EndsNow, Term::Over];

/// Who asks for what of whom: all roles, actions, tenant states and emergencies, a few purposes.
pub(crate) fn who() -> impl Iterator<Item = Case> {
    let undeclared = Aim { declares: Declares::Nothing, ..GOOD_AIM };
    let on_consent = Aim { basis: LegalBasis::Consent, ..GOOD_AIM };
    let aims = [Some(GOOD_AIM), Some(undeclared), Some(on_consent), None];
    (0..2 * 9 * 3 * 25 * 6 * 3 * 7 * 4 * 2).map(move |mut number| {
        let number = &mut number;
        Case {
            aim: pick(number, &aims),
            restriction: pick(number, &[Limit::None, Limit::All]),
            glass: pick(number, &GLASSES),
            at_home: pick(number, &BOTH),
            being: pick(number, &BEINGS),
            state: pick(number, &STATES),
            subject: pick(number, &SUBJECTS),
            role: pick(number, &Role::ALL),
            action: pick(number, &Action::ALL),
            ..GOOD
        }
    })
}

/// What for: all purposes, bases, consents and limits, for two roles of which one may break glass.
pub(crate) fn what_for() -> impl Iterator<Item = Case> {
    let consents = consents();
    let size = 2 * 2 * 8 * 3 * 3 * 3 * 2 * 2 * 2 * 4 * 3 * consents.len() as u64 * 2;
    (0..size).map(move |mut number| {
        let number = &mut number;
        let consent = pick(number, &consents);
        let (restriction, objection) = (pick(number, &LIMITS), pick(number, &LIMITS[..3]));
        let (special, mask_shows) = (pick(number, &BOTH), pick(number, &BOTH));
        let glass = pick(number, &[Glass::Whole, Glass::Broken]);
        let (basis, marketing) = pick(number, &BASES);
        let (names_role, names_recipient) = pick(number, &[(true, true), (false, true), (true, false)]);
        let aim = Aim {
            current: pick(number, &BOTH),
            basis,
            marketing,
            special_basis: pick(number, &SECOND_BASES),
            declares: pick(number, &[Declares::Clear, Declares::Masked, Declares::Nothing]),
            names_role,
            names_recipient,
            survives_restriction: pick(number, &BOTH),
        };
        let role = pick(number, &[Role::CaseManager, Role::Operations]);
        let aim = Some(aim);
        Case { role, restriction, objection, aim, special, mask_shows, consent, glass, ..GOOD }
    })
}

/// None, each state as it should be, and the two that permit with each thing wrong that can be.
fn consents() -> Vec<Option<Consent>> {
    let mut all = vec![None];
    all.extend(CONSENT_STATES.map(|state| Some(Consent { state, ..GOOD_CONSENT })));
    for state in [ConsentState::Given, ConsentState::Renewed] {
        let good = Consent { state, ..GOOD_CONSENT };
        all.extend(TERMS[1..].iter().map(|term| Some(Consent { term: *term, ..good })));
        all.push(Some(Consent { for_purpose: false, ..good }));
        all.push(Some(Consent { for_recipient: false, ..good }));
        all.push(Some(Consent { for_edition: false, ..good }));
        all.push(Some(Consent { explicit: false, ..good }));
    }
    all
}

/// Any case at all, by number; what lets a decision go further comes up more often.
pub(crate) fn any(mut number: u64, mut more: u64) -> Case {
    let number = &mut number;
    let more = &mut more;
    let home = [true, true, true, false];
    let often = [Action::Read, Action::Read, Action::Find, Action::Export];
    let (basis, marketing) = pick(number, &BASES);
    let aim = Aim {
        current: pick(number, &home),
        basis,
        marketing,
        special_basis: pick(number, &SECOND_BASES),
        declares: pick(number, &[Declares::Clear, Declares::Masked, Declares::Both, Declares::Nothing]),
        names_role: pick(number, &home),
        names_recipient: pick(number, &home),
        survives_restriction: pick(number, &BOTH),
    };
    let consent = Consent {
        state: pick(number, &CONSENT_STATES),
        term: pick(number, &TERMS),
        for_purpose: pick(number, &home),
        for_recipient: pick(number, &home),
        for_edition: pick(number, &home),
        explicit: pick(number, &home),
    };
    let action = if pick(more, &home) { pick(more, &often) } else { pick(more, &Action::ALL) };
    Case {
        at_home: pick(more, &home),
        role: pick(more, &Role::ALL),
        subject: pick(more, &SUBJECTS),
        action,
        state: pick(more, &STATES),
        being: pick(more, &BEINGS),
        restriction: pick(more, &LIMITS),
        objection: pick(more, &LIMITS),
        aim: pick(more, &home).then_some(aim),
        special: pick(more, &BOTH),
        mask_shows: pick(more, &BOTH),
        consent: pick(more, &home).then_some(consent),
        glass: pick(more, &GLASSES),
    }
}
