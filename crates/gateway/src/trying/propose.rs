//! Proposes routes and rules for what was found, and the fields of the catalogue that they need. Everything in it is a
//! proposal: what only people can know stands there as a question.

use super::answer::Verdict;
use super::gather::{Field, Group, Groups, Key, first_param};
use super::guess::{Confidence, Holds};
use super::report::Suggested;
use super::{Exchange, Wish, cover, pattern, toml};
use crate::Setup;
use crate::config::{
    GatewayTable, InTable, OutTable, Pass, PersonTable, PrincipalTable, RelayTable, RouteTable, ShieldTable,
    Tables,
};
use model::catalogue::{Category, FieldType, Index, TokenFormat};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// One route with its rules.
#[derive(Clone, Debug)]
pub(crate) struct Planned {
    pub(crate) route: RouteTable,
    pub(crate) inward: Option<InTable>,
    pub(crate) out: Option<OutTable>,
    /// Questions and reasons, a line each.
    pub(crate) comments: Vec<String>,
}

/// What is proposed.
#[derive(Debug)]
pub(crate) struct Proposal {
    pub(crate) gateway: GatewayTable,
    /// About the gateway and how users are known.
    pub(crate) comments: Vec<String>,
    pub(crate) routes: Vec<Planned>,
    pub(crate) fields: Vec<Suggested>,
}

impl Proposal {
    /// As tables.
    pub(crate) fn tables(&self) -> Tables {
        let relay = |planned: &Planned| RelayTable {
            routes: vec![planned.route.name.clone()],
            inward: planned.inward.clone(),
            out: planned.out.clone(),
        };
        let ruled = self.routes.iter().filter(|one| one.inward.is_some() || one.out.is_some());
        Tables {
            gateway: Some(self.gateway.clone()),
            route: self.routes.iter().map(|planned| planned.route.clone()).collect(),
            relay: ruled.map(relay).collect(),
            shield: ShieldTable::default(),
        }
    }

    /// Made ready. It needs no file, so nothing but a mistake of ours keeps it from being built; a test sees to that.
    pub(crate) fn setup(&self) -> Option<Setup> {
        Setup::build(&self.tables(), Path::new("."), None).ok()
    }

    /// As it would stand in `obhut.toml`.
    pub(crate) fn text(&self, with_gateway: bool) -> String {
        toml::write(self, with_gateway)
    }
}

/// Methods whose bodies are kept.
const KEEPING: [&str; 3] = ["POST", "PUT", "PATCH"];
/// Words of paths behind which persons stand.
const PERSONS: &[&str] = &[
    "worker",
    "person",
    "people",
    "user",
    "contact",
    "customer",
    "client",
    "patient",
    "employee",
    "member",
    "student",
    "guest",
    "applicant",
    "profile",
    "account",
    "staff",
    "mitarbeiter",
    "kunde",
    "kontakt",
    "patienten",
    "mitglied",
    "bewerb",
    "teilnehm",
    "beschaeftigt",
    "schueler",
    "gaeste",
    "konto",
    "profil",
    "register",
    "signup",
];
/// Names under which users sign in.
const LOGINS: &[&str] =
    &["login", "username", "user", "benutzer", "benutzername", "account", "identifier", "uid"];

/// Proposes.
pub(crate) fn propose(
    groups: &Groups,
    wish: &Wish<'_>,
    mut taken: BTreeSet<String>,
    exchanges: &[Exchange],
) -> Proposal {
    let mut book = Book::default();
    let mut names: BTreeMap<&Key, String> = BTreeMap::new();
    let open = |key: &Key, group: &Group| {
        wish.setup.is_none_or(|setup| !cover::is_settled(setup, &key.1, &group.path))
    };
    let mut planned: BTreeMap<&Key, Planned> = BTreeMap::new();
    for (key, group) in groups.iter().filter(|(key, group)| open(key, group)) {
        let mut comments = Vec::new();
        let inward = inward(key, group, &mut book, &mut comments);
        let pass = passes(group, &mut comments);
        if inward.is_some() || !pass.is_empty() {
            let route = named(key, &mut names, &mut taken, pass);
            planned.insert(key, Planned { route, inward, out: None, comments });
        }
    }
    for (key, group) in groups.iter().filter(|(key, group)| open(key, group)) {
        let form = group.forms.iter().find_map(|to| {
            let other = planned.get(to).filter(|other| other.inward.is_some());
            other.map(|other| other.route.name.clone())
        });
        let Some((mut out, more)) = outward(key, group, &mut book, form, wish.purpose) else { continue };
        // A form that takes none of what the page shows has no use for what is masked in it.
        let target = planned.values().find(|one| Some(&one.route.name) == out.form.as_ref());
        let takes =
            |table: &InTable| out.fields.iter().any(|field| table.fields.values().any(|one| one == field));
        if !target.and_then(|one| one.inward.as_ref()).is_some_and(takes) {
            out.form = None;
        }
        let entry = planned.entry(key).or_insert_with(|| Planned {
            route: named(key, &mut names, &mut taken, Vec::new()),
            inward: None,
            out: None,
            comments: Vec::new(),
        });
        entry.out = Some(out);
        entry.comments.extend(more);
    }
    let (gateway, comments) = gateway(wish, exchanges);
    Proposal { gateway, comments, routes: planned.into_values().collect(), fields: book.fields }
}

fn named<'a>(
    key: &'a Key,
    names: &mut BTreeMap<&'a Key, String>,
    taken: &mut BTreeSet<String>,
    pass: Vec<Pass>,
) -> RouteTable {
    let name = names.entry(key).or_insert_with(|| pattern::name(&key.1, &key.0, taken)).clone();
    RouteTable { name, path: key.0.clone(), methods: vec![key.1.clone()], pass, ..RouteTable::default() }
}

/// The fields that are needed so far.
#[derive(Default)]
struct Book {
    fields: Vec<Suggested>,
}

impl Book {
    /// The name of a field for what this is, other than those that the rule has already.
    fn field(&mut self, holds: Holds, name: &str, used: &BTreeSet<String>) -> String {
        let own: String = name
            .rsplit(['/', '[', '.'])
            .find(|part| !part.trim_matches(']').is_empty())
            .unwrap_or(name)
            .to_ascii_lowercase()
            .chars()
            .map(|char| if char.is_ascii_alphanumeric() { char } else { '_' })
            .collect();
        let own = own.trim_matches('_').to_owned();
        let numbered = (2..).map(|number| format!("{}_{number}", holds.field()));
        let mut names = std::iter::once(holds.field().to_owned()).chain(Some(own)).chain(numbered);
        let fits = |name: &String| {
            let same = self.fields.iter().find(|field| field.name == *name);
            let named = model::catalogue::is_name(name) && name != "ref";
            named && !used.contains(name) && same.is_none_or(|field| field.holds == holds)
        };
        let name = names.find(fits).unwrap_or_else(|| holds.field().to_owned());
        if self.fields.iter().all(|field| field.name != name) {
            self.fields.push(suggested(&name, holds));
        }
        name
    }

    fn stable(&mut self, name: &str) {
        for field in self.fields.iter_mut().filter(|field| field.name == name) {
            (field.stable, field.index) = (true, Index::Equality);
        }
    }

    /// Fields that keep such a thing. A page that shows a whole name shows its parts.
    fn keeping(&self, holds: Holds) -> Vec<String> {
        let of = |wanted: &[Holds]| -> Vec<String> {
            let kept = self.fields.iter().filter(|field| wanted.contains(&field.holds));
            kept.map(|field| field.name.clone()).collect()
        };
        let own = of(&[holds]);
        match holds {
            Holds::Name if own.is_empty() => of(&[Holds::FirstName, Holds::LastName]),
            _ => own,
        }
    }
}

fn suggested(name: &str, holds: Holds) -> Suggested {
    let (kind, mask, token) = holds.shape();
    let category = holds.category();
    let max_bytes = match kind {
        FieldType::Email => 254,
        FieldType::Phone => 40,
        FieldType::Date => 10,
        _ if matches!(holds, Holds::Health | Holds::Special | Holds::Note) => 4_000,
        _ => 200,
    };
    Suggested {
        holds,
        name: name.to_owned(),
        category,
        kind,
        mask,
        index: Index::None,
        token,
        stable: false,
        compartment: u8::from(category.is_special() || category == Category::Health),
        third_party: holds == Holds::EmergencyContact,
        max_bytes,
    }
}

fn passes(group: &Group, comments: &mut Vec<String>) -> Vec<Pass> {
    let mut pass = Vec::new();
    if group.is_upgrade {
        comments.push("A WebSocket: without `pass` it is refused, with it nobody looks into it.".to_owned());
        pass.push(Pass::Websocket);
    }
    if group.is_event_stream {
        comments.push(
            "An event stream: tokens in it are masked, whatever stands in it otherwise passes.".to_owned(),
        );
        pass.push(Pass::Events);
    }
    pass
}

/// How many characters a token of this format has.
pub(crate) fn token_length(format: TokenFormat) -> usize {
    match format {
        TokenFormat::Opaque => 34,
        TokenFormat::Email => 34 + model::token::EMAIL_DOMAIN.len(),
        TokenFormat::Phone => 16,
        TokenFormat::Digits(length) => usize::from(length),
        TokenFormat::Date => 10,
    }
}

/// Whether a field is proposed; what is unsure is only reported.
fn is_sure(field: &Field, among_others: bool) -> Option<Holds> {
    let guess = field.guess.as_ref().filter(|_| field.hindrance.is_none())?;
    let sure =
        guess.confidence == Confidence::High || (guess.confidence == Confidence::Medium && among_others);
    sure.then_some(guess.holds)
}

fn speaks_of_persons(pattern: &str) -> bool {
    let lower = pattern.to_lowercase();
    PERSONS.iter().any(|word| lower.contains(word))
}

fn inward(key: &Key, group: &Group, book: &mut Book, comments: &mut Vec<String>) -> Option<InTable> {
    let (pattern, method) = key;
    let certain =
        |field: &Field| field.guess.as_ref().is_some_and(|guess| guess.confidence == Confidence::High);
    let among_others = speaks_of_persons(pattern) || group.fields.values().any(certain);
    let keeps = KEEPING.contains(&method.as_str());
    let mut table = InTable {
        methods: vec![method.clone()],
        person: None,
        fields: BTreeMap::new(),
        lookup: BTreeMap::new(),
        accept: None,
        anonymous: false,
    };
    let personal = group.fields.values().filter_map(|field| is_sure(field, among_others));
    let signs_in = group.has_password && personal.filter(|holds| *holds != Holds::Email).count() == 0;
    let mut used: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for (source, field) in &group.fields {
        let kind = source.split(':').next().unwrap_or_default();
        let is_login = signs_in && keeps && LOGINS.contains(&field.name.to_lowercase().as_str());
        let holds = if is_login { Some(Holds::Email) } else { is_sure(field, among_others) };
        let Some(holds) = holds else { continue };
        let used = used.entry(kind).or_default();
        if signs_in || !keeps {
            // Looking somebody up needs tokens that are the same each time; an address is worth that.
            if holds == Holds::Email && (keeps || kind == "query") {
                let name = book.field(holds, holds.field(), &BTreeSet::new());
                book.stable(&name);
                table.lookup.insert(source.clone(), name);
            }
            continue;
        }
        let name = book.field(holds, &field.name, used);
        used.insert(name.clone());
        comments.extend(narrow(source, field, holds));
        table.fields.insert(source.clone(), name);
    }
    if table.fields.is_empty() && table.lookup.is_empty() {
        return None;
    }
    if !table.fields.is_empty() {
        let (person, more) = whose(pattern, group);
        table.person = Some(person);
        comments.extend(more);
        accepted(group, pattern, &mut table, comments);
    } else if signs_in {
        comments.push("A sign-in: the address becomes the token by which the app knows its user. This needs a stable field.".to_owned());
    } else {
        comments.push(
            "A search by a whole address: the app finds the token. Parts of an address it cannot find."
                .to_owned(),
        );
    }
    Some(table)
}

/// Why the app's own checks may refuse a token.
fn narrow(source: &str, field: &Field, holds: Holds) -> Vec<String> {
    let Some(control) = &field.control else { return Vec::new() };
    let length = token_length(holds.shape().2);
    let shown = super::shape::printable(source);
    let mut all = Vec::new();
    if control.longest.is_some_and(|longest| longest < length) {
        let longest = control.longest.unwrap_or_default();
        all.push(format!(
            "`{shown}` takes {longest} characters, and a token has {length}: the app must allow more."
        ));
    }
    if control.is_checked_by_pattern {
        all.push(format!("`{shown}` has a pattern in the page: does the app's own check take a token?"));
    }
    all
}

fn whose(pattern: &str, group: &Group) -> (PersonTable, Option<String>) {
    let params = pattern::params(pattern);
    let mut table = PersonTable::default();
    if let Some(param) = first_param(pattern) {
        let more =
            (params.len() > 1).then(|| "Two names in the path: is the first one the person's?".to_owned());
        table.path = Some(param);
        return (table, more);
    }
    let told = group.leads_to.iter().find(|to| pattern::params(to).len() == 1);
    if let Some(to) = told {
        table.new = Some(format!("location:{to}"));
        return (table, None);
    }
    if group.tells_id {
        table.new = Some("json:/id".to_owned());
        return (table, None);
    }
    let reference = group.fields.iter().find(|(source, field)| {
        let lower = field.name.to_lowercase();
        let numbered = lower.ends_with("_id") || lower.ends_with("id") && lower.len() > 2;
        numbered && field.guess.is_none() && speaks_of_persons(&lower) && !source.starts_with("query")
    });
    if let Some((source, _)) = reference {
        table.field = Some(source.clone());
        return (table, None);
    }
    let lower = pattern.to_lowercase();
    let own =
        ["/me", "profile", "profil", "account", "konto", "settings"].iter().any(|word| lower.contains(word));
    if own {
        table.principal = true;
        return (table, Some("Whose data are these? This says: the user's own.".to_owned()));
    }
    table.new = Some(format!("location:{}/{{id}}", pattern.trim_end_matches("/new").trim_end_matches('/')));
    let question = "Whose data are these? This says: somebody new, to whose page the app redirects. Nothing recorded tells.";
    (table, Some(question.to_owned()))
}

fn accepted(group: &Group, pattern: &str, table: &mut InTable, comments: &mut Vec<String>) {
    let good = || group.statuses.iter().copied().filter(|status| (200..400).contains(status));
    let redirects = good().any(|status| status >= 300);
    let binds = table.person.as_ref().and_then(|person| person.new.as_ref());
    let binds = binds.is_some_and(|new| new.starts_with("location:"));
    let mut said: Vec<String> = Vec::new();
    for status in good() {
        // A form that is shown again comes with 200; the app took it where it redirects.
        if status == 200 && redirects && group.answers_page {
            comments.push(
                "It answered 200 with a page and also redirected: 200 is taken as the form shown again."
                    .to_owned(),
            );
        } else if status < 300 || binds {
            said.push(status.to_string());
        } else {
            said.extend(group.leads_to.iter().map(|to| format!("{status} {to}")));
        }
    }
    if good().any(|status| status == 200) && group.answers_page && !redirects {
        comments.push(
            "It answered 200 with a page: does it also when it refuses the form? Then nobody can tell."
                .to_owned(),
        );
    }
    if said.is_empty() {
        said.push(if binds { "303".to_owned() } else { format!("303 {pattern}") });
        comments.push(
            "Nothing recorded tells how the app answers when it took the form: where does it lead?"
                .to_owned(),
        );
    }
    table.accept = Some(said);
}

fn outward(
    key: &Key,
    group: &Group,
    book: &mut Book,
    form: Option<String>,
    purpose: &str,
) -> Option<(OutTable, Vec<String>)> {
    let mut fields: BTreeSet<String> = BTreeSet::new();
    let mut attributes: BTreeSet<String> = BTreeSet::new();
    let among_others = speaks_of_persons(&key.0)
        || group
            .places
            .iter()
            .any(|place| place.spot.guess.as_ref().is_some_and(|guess| guess.confidence == Confidence::High));
    let mut tokens = false;
    for place in &group.places {
        if !matches!(place.spot.verdict, Verdict::Shown | Verdict::Control) {
            continue;
        }
        let own = place.spot.attribute.iter().filter(|name| name.contains('-') && !name.starts_with("aria-"));
        let Some(guess) = &place.spot.guess else {
            tokens = true;
            attributes.extend(own.cloned());
            continue;
        };
        let sure =
            guess.confidence == Confidence::High || (guess.confidence == Confidence::Medium && among_others);
        if !sure {
            continue;
        }
        attributes.extend(own.cloned());
        let kept = book.keeping(guess.holds);
        if kept.is_empty() {
            fields.insert(book.field(guess.holds, guess.holds.field(), &BTreeSet::new()));
        } else {
            fields.extend(kept);
        }
    }
    if fields.is_empty() {
        return None;
    }
    let mut comments = Vec::new();
    let special = fields
        .iter()
        .any(|name| book.fields.iter().any(|field| field.name == *name && field.category.is_special()));
    if special {
        comments.push(
            "Special categories (GDPR Art. 9) are shown here: they want a purpose of their own.".to_owned(),
        );
    }
    if tokens {
        comments.push("Tokens stand here already; only the house knows of which fields.".to_owned());
    }
    let person = first_param(&key.0).filter(|_| group.shows_one && !group.shows_many);
    let table = OutTable {
        purpose: purpose.to_owned(),
        recipient: None,
        fields: fields.into_iter().collect(),
        person: person.map(|name| format!("path:{name}")),
        attributes: attributes.into_iter().collect(),
        headers: Vec::new(),
        form,
    };
    Some((table, comments))
}

/// Where the app listens, and how its users may be known.
fn gateway(wish: &Wish<'_>, exchanges: &[Exchange]) -> (GatewayTable, Vec<String>) {
    let mut comments = Vec::new();
    let host = wish.host.map(|host| host.rsplit_once(':').map_or(host, |(name, _)| name));
    let fits = |host: &&str| host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-".contains(&byte));
    let host = host.filter(fits).unwrap_or("localhost").to_owned();
    if let Some(place) = exchanges.iter().find_map(signed_token) {
        comments.push(format!(
            "{place} looks like a signed token: with its key, `kind = \"jwt\"` asks the app nothing."
        ));
    }
    let roles = BTreeMap::from([("user".to_owned(), model::principal::Role::Operations)]);
    let principal = PrincipalTable::Forward {
        path: "/whoami".to_owned(),
        subject: "sub".to_owned(),
        role: "role".to_owned(),
        person: None,
        roles,
    };
    let table = GatewayTable {
        listen: vec![std::net::SocketAddr::from(([127, 0, 0, 1], 8443))],
        hosts: vec![host],
        upstream: upstream(wish),
        principal: Some(principal),
        ..GatewayTable::default()
    };
    (table, comments)
}

/// Where the app listens: where it was asked, if that was on this machine.
fn upstream(wish: &Wish<'_>) -> String {
    let local = |host: &&str| host.starts_with("127.0.0.1:") || host.starts_with("localhost:");
    let asked = wish.host.filter(local).map(|host| format!("http://{host}"));
    wish.upstream.map(str::to_owned).or(asked).unwrap_or_else(|| "http://127.0.0.1:8000".to_owned())
}

/// Where a signed token was seen. What it says is nobody's business here.
fn signed_token(exchange: &Exchange) -> Option<String> {
    let is_one = |text: &str| {
        let mut parts = text.split('.');
        let three = [parts.next(), parts.next(), parts.next()]
            .iter()
            .all(|part| part.is_some_and(|one| one.len() > 8));
        text.starts_with("eyJ") && three && parts.next().is_none()
    };
    let bearer = exchange.authorization.as_deref().and_then(|value| value.split_once(' '));
    if bearer.is_some_and(|(_, token)| is_one(token.trim())) {
        return Some("The bearer of `Authorization`".to_owned());
    }
    let cookies = exchange.cookies.as_deref().unwrap_or_default();
    let mut pairs = cookies.split(';').filter_map(|pair| pair.trim().split_once('='));
    pairs
        .find(|(_, value)| is_one(value))
        .map(|(name, _)| format!("The cookie `{}`", super::shape::printable(name)))
}
