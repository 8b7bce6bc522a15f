//! What a field most likely holds, by the names that developers give it in German and English, by `autocomplete` and by
//! the type of its control. A guess carries its confidence and its reason; people decide.

use model::catalogue::{Category, FieldType, MaskRule, TokenFormat};
use serde::Serialize;

/// What a value is of a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Holds {
    /// A whole name.
    Name,
    /// A given name.
    FirstName,
    /// A family name.
    LastName,
    /// An e-mail address.
    Email,
    /// A telephone number.
    Phone,
    /// A birth date.
    BirthDate,
    /// A postal address, or its street.
    Address,
    /// A postal code.
    PostalCode,
    /// A place.
    City,
    /// A bank account.
    Iban,
    /// A number of tax, insurance or identity card.
    OfficialNumber,
    /// Somebody else, to be called.
    EmergencyContact,
    /// Something about health.
    Health,
    /// Religion, union, origin and the like (GDPR Art. 9(1)).
    Special,
    /// Gender or title.
    Gender,
    /// Nationality.
    Nationality,
    /// Pay.
    Pay,
    /// Free text in which anything may stand.
    Note,
}

/// How sure a guess is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Confidence {
    /// Look at it.
    Low,
    /// Most likely.
    Medium,
    /// Almost certain.
    High,
}

impl Confidence {
    /// In one word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Low => "maybe",
            Self::Medium => "likely",
            Self::High => "certain",
        }
    }
}

/// What a field seems to hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Guess {
    /// What.
    pub holds: Holds,
    /// How sure.
    pub confidence: Confidence,
    /// Why, in words of ours: never a text of the page.
    pub reason: String,
}

impl Holds {
    /// The name of a field of the catalogue that would keep it.
    #[must_use]
    pub fn field(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::FirstName => "first_name",
            Self::LastName => "last_name",
            Self::Email => "email",
            Self::Phone => "phone",
            Self::BirthDate => "birth_date",
            Self::Address => "address",
            Self::PostalCode => "postal_code",
            Self::City => "city",
            Self::Iban => "iban",
            Self::OfficialNumber => "official_number",
            Self::EmergencyContact => "emergency_contact",
            Self::Health => "health_note",
            Self::Special => "special_note",
            Self::Gender => "gender",
            Self::Nationality => "nationality",
            Self::Pay => "pay",
            Self::Note => "note",
        }
    }

    /// Its category.
    #[must_use]
    pub fn category(self) -> Category {
        match self {
            Self::Name | Self::FirstName | Self::LastName | Self::BirthDate | Self::OfficialNumber => {
                Category::Identity
            }
            Self::Email | Self::Phone | Self::Address | Self::PostalCode | Self::City => Category::Contact,
            Self::EmergencyContact => Category::Contact,
            Self::Iban | Self::Pay => Category::Financial,
            Self::Health => Category::Health,
            // Origin can be told from it; who knows better says so in the catalogue.
            Self::Special | Self::Nationality => Category::Special,
            Self::Gender => Category::Identity,
            Self::Note => Category::Other,
        }
    }

    /// Type, mask, and the shape of tokens that passes the app's own checks most likely.
    #[must_use]
    pub fn shape(self) -> (FieldType, MaskRule, TokenFormat) {
        match self {
            Self::Name | Self::FirstName | Self::LastName => {
                (FieldType::Text, MaskRule::Initials, TokenFormat::Opaque)
            }
            Self::Email => (FieldType::Email, MaskRule::Redact, TokenFormat::Email),
            Self::Phone => (FieldType::Phone, MaskRule::LastFour, TokenFormat::Phone),
            Self::BirthDate => (FieldType::Date, MaskRule::Year, TokenFormat::Date),
            Self::Iban => (FieldType::Text, MaskRule::LastFour, TokenFormat::Opaque),
            _ => (FieldType::Text, MaskRule::Redact, TokenFormat::Opaque),
        }
    }
}

/// Words by which a thing goes. `whole` are words of their own; `part` may stand within a word, as German likes it.
struct Words {
    holds: Holds,
    confidence: Confidence,
    whole: &'static [&'static str],
    part: &'static [&'static str],
}

const fn words(
    holds: Holds,
    confidence: Confidence,
    whole: &'static [&'static str],
    part: &'static [&'static str],
) -> Words {
    Words { holds, confidence, whole, part }
}

use Confidence::{High, Low, Medium};

/// The first that fits counts: what is special stands before what is general.
const TABLE: &[Words] = &[
    words(
        Holds::Nationality,
        High,
        &["nationality", "citizenship"],
        &["staatsangehoerig", "nationalitaet", "staatsbuerger"],
    ),
    words(
        Holds::EmergencyContact,
        High,
        &["ice"],
        &["emergencycontact", "notfallkontakt", "notfall", "nextofkin", "angehoerige"],
    ),
    words(
        Holds::Health,
        High,
        &[
            "health",
            "illness",
            "allergy",
            "allergies",
            "disability",
            "medical",
            "medication",
            "diagnosis",
            "bem",
        ],
        &[
            "healthnote",
            "gesundheit",
            "krankheit",
            "krankmeldung",
            "diagnose",
            "allergie",
            "behinderung",
            "medika",
            "sickleave",
            "sicknote",
            "arztbrief",
            "befund",
            "bloodgroup",
            "blutgruppe",
            "schwanger",
            "pregnan",
            "krankenkasse",
            "impfung",
            "vaccin",
        ],
    ),
    words(
        Holds::Special,
        High,
        &["religion", "religious", "ethnicity", "party", "union"],
        &[
            "konfession",
            "kirchensteuer",
            "gewerkschaft",
            "tradeunion",
            "ethnic",
            "sexualorient",
            "politicalview",
            "parteizugehoer",
            "herkunft",
        ],
    ),
    words(Holds::Email, High, &["mail", "email", "emailaddress"], &["email", "mailadresse", "mailaddress"]),
    words(
        Holds::Phone,
        High,
        &["phone", "tel", "mobile", "cell", "fax", "telephone", "telefon", "handy", "mobil"],
        &["phone", "telefon", "handynummer", "mobilnummer", "rufnummer", "faxnummer", "mobilenumber"],
    ),
    words(Holds::BirthDate, High, &["dob", "bday", "birthday", "birthdate", "born"], &["birth", "geburt"]),
    words(
        Holds::Iban,
        High,
        &["iban", "bic"],
        &["iban", "kontonummer", "bankverbindung", "bankaccount", "accountnumber"],
    ),
    words(
        Holds::OfficialNumber,
        High,
        &["ssn", "passport", "taxid", "nino", "svnr"],
        &[
            "socialsecurity",
            "sozialversicherung",
            "steuernummer",
            "steuerid",
            "steueridentifikation",
            "ausweisnummer",
            "reisepass",
            "passportnumber",
            "passnummer",
            "insurancenumber",
            "versichertennummer",
            "drivinglicen",
            "fuehrerschein",
            "nationalid",
        ],
    ),
    words(
        Holds::FirstName,
        High,
        &["fname", "firstname", "forename", "givenname", "vorname"],
        &["firstname", "givenname", "vorname", "rufname"],
    ),
    words(
        Holds::LastName,
        High,
        &["lname", "lastname", "surname", "nachname", "familienname"],
        &["lastname", "surname", "familyname", "nachname", "familienname", "geburtsname", "maidenname"],
    ),
    words(
        Holds::Address,
        High,
        &["address", "street", "adresse", "anschrift", "addr"],
        &[
            "streetaddress",
            "strasse",
            "anschrift",
            "postadresse",
            "wohnadresse",
            "hausnummer",
            "addressline",
            "postaladdress",
        ],
    ),
    words(
        Holds::PostalCode,
        High,
        &["zip", "plz", "postcode"],
        &["postalcode", "zipcode", "postcode", "postleitzahl"],
    ),
    words(Holds::City, Medium, &["city", "ort", "town", "stadt"], &["wohnort", "addresslevel"]),
    words(Holds::Gender, Medium, &["gender", "sex", "anrede", "salutation"], &["geschlecht"]),
    words(
        Holds::Pay,
        High,
        &["salary", "wage", "gehalt", "lohn"],
        &["salary", "bruttogehalt", "stundenlohn", "gehalt"],
    ),
    words(
        Holds::Name,
        High,
        &["fullname", "realname"],
        &[
            "fullname",
            "contactname",
            "personname",
            "customername",
            "employeename",
            "workername",
            "patientname",
            "ansprechpartner",
            "mitarbeitername",
            "kundenname",
            "vorundnachname",
            "displayname",
            "yourname",
        ],
    ),
    words(Holds::Name, Medium, &["name", "contact", "kontakt", "person"], &[]),
    words(
        Holds::Note,
        Low,
        &[
            "note",
            "notes",
            "comment",
            "comments",
            "remark",
            "remarks",
            "notiz",
            "notizen",
            "message",
            "nachricht",
            "bio",
            "about",
        ],
        &["bemerkung", "kommentar", "anmerkung"],
    ),
];

/// Words that say that a `name` is not a person's.
const THINGS: &[&str] = &[
    "file", "project", "product", "company", "firma", "host", "domain", "table", "column", "field", "event",
    "tag", "category", "list", "group", "team", "book", "calendar", "site", "page", "app", "db", "database",
    "server", "form", "class", "template", "item", "brand", "vendor", "user", "login", "nick", "datei",
    "produkt", "projekt",
];

/// Values of `autocomplete` (HTML §4.10.18.7) and what they are.
const AUTOCOMPLETE: &[(&str, Holds)] = &[
    ("name", Holds::Name),
    ("given-name", Holds::FirstName),
    ("additional-name", Holds::FirstName),
    ("family-name", Holds::LastName),
    ("email", Holds::Email),
    ("tel", Holds::Phone),
    ("tel-national", Holds::Phone),
    ("street-address", Holds::Address),
    ("address-line1", Holds::Address),
    ("address-line2", Holds::Address),
    ("address-line3", Holds::Address),
    ("postal-code", Holds::PostalCode),
    ("address-level2", Holds::City),
    ("bday", Holds::BirthDate),
    ("bday-day", Holds::BirthDate),
    ("bday-month", Holds::BirthDate),
    ("bday-year", Holds::BirthDate),
    ("sex", Holds::Gender),
    ("honorific-prefix", Holds::Gender),
];

/// Lower case, umlauts as two letters, words apart: `E-Mail_Adresse` is `e mail adresse`, `firstName` is `first name`.
fn split(text: &str) -> Vec<String> {
    let mut out = String::with_capacity(text.len() + 8);
    let mut before = ' ';
    for char in text.chars().take(200) {
        if char.is_uppercase() && (before.is_lowercase() || before.is_ascii_digit()) {
            out.push(' ');
        }
        before = char;
        for lower in char.to_lowercase() {
            match lower {
                'ä' => out.push_str("ae"),
                'ö' => out.push_str("oe"),
                'ü' => out.push_str("ue"),
                'ß' => out.push_str("ss"),
                letter if letter.is_alphabetic() => out.push(letter),
                _ => out.push(' '),
            }
        }
    }
    out.split_whitespace().map(str::to_owned).collect()
}

/// A guess by the words of a name, a label or a heading; `source` says which.
#[must_use]
pub fn by_words(text: &str, source: &str) -> Option<Guess> {
    let words = split(text);
    let compact: String = words.concat();
    if compact.is_empty() {
        return None;
    }
    for row in TABLE {
        let whole = row.whole.iter().find(|one| words.iter().any(|word| word == *one) || compact == **one);
        let part = || row.part.iter().find(|one| compact.contains(*one));
        let Some(hit) = whole.or_else(part) else { continue };
        let is_thing = words.iter().any(|word| THINGS.contains(&word.as_str()));
        if row.holds == Holds::Name && is_thing {
            continue;
        }
        return Some(Guess {
            holds: row.holds,
            confidence: row.confidence,
            reason: format!("{source} says `{hit}`"),
        });
    }
    None
}

/// A guess by `autocomplete`.
#[must_use]
pub fn by_autocomplete(value: &str) -> Option<Guess> {
    let lower = value.to_ascii_lowercase();
    let word = lower.split_ascii_whitespace().next_back()?;
    let (hit, holds) = AUTOCOMPLETE.iter().find(|(name, _)| *name == word)?;
    Some(Guess { holds: *holds, confidence: High, reason: format!("autocomplete says `{hit}`") })
}

/// A guess by the type of a control.
#[must_use]
pub fn by_type(kind: &str) -> Option<Guess> {
    let holds = match kind {
        "email" => Holds::Email,
        "tel" => Holds::Phone,
        _ => return None,
    };
    Some(Guess { holds, confidence: High, reason: format!("its type is `{kind}`") })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_in_both_languages_are_told_apart() {
        for (name, holds) in [
            ("e_mail", Holds::Email),
            ("E-Mail-Adresse", Holds::Email),
            ("user[email]", Holds::Email),
            ("firstName", Holds::FirstName),
            ("Vorname", Holds::FirstName),
            ("nachname", Holds::LastName),
            ("name", Holds::Name),
            ("Ansprechpartner", Holds::Name),
            ("telefonnummer", Holds::Phone),
            ("mobile_phone", Holds::Phone),
            ("Geburtsdatum", Holds::BirthDate),
            ("dob", Holds::BirthDate),
            ("Straße", Holds::Address),
            ("street_address", Holds::Address),
            ("PLZ", Holds::PostalCode),
            ("Wohnort", Holds::City),
            ("IBAN", Holds::Iban),
            ("krankenkasse", Holds::Health),
            ("health_note", Holds::Health),
            ("Gewerkschaft", Holds::Special),
            ("staatsangehörigkeit", Holds::Nationality),
            ("steuer_id", Holds::OfficialNumber),
            ("emergency-contact", Holds::EmergencyContact),
            ("Notfallkontakt (Telefon)", Holds::EmergencyContact),
            ("Bemerkungen", Holds::Note),
        ] {
            assert_eq!(by_words(name, "its name").map(|guess| guess.holds), Some(holds), "{name}");
        }
        for thing in
            ["csrf_token", "file_name", "productName", "quantity", "username", "page", "q", "", "日本"]
        {
            assert_eq!(by_words(thing, "its name"), None, "{thing}");
        }
    }

    #[test]
    fn the_standard_words_of_browsers_are_certain() {
        let guess = by_autocomplete("section-a shipping family-name").expect("one");
        assert_eq!((guess.holds, guess.confidence), (Holds::LastName, Confidence::High));
        assert_eq!(by_autocomplete("off"), None);
        assert_eq!(by_type("tel").map(|guess| guess.holds), Some(Holds::Phone));
        assert_eq!(by_type("date"), None);
    }

    proptest! {
        #[test]
        fn no_name_panics(name in any::<String>()) {
            let _ = by_words(&name, "its name");
            let _ = by_autocomplete(&name);
        }
    }
}
