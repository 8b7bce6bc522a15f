//! Rules as the tables of the configuration say them, and what does not fit.

use super::{
    Accept, Bind, InRule, OutRule, Pattern, Route, RuleError, Segment, Source, Subject, Whom, wrong,
};
use crate::config::{InTable, OutTable, PersonTable, RouteTable};
use crate::find::Formats;
use crate::json::Pointers;
use crate::messages::FieldInfo;
use http::Method;
use std::collections::HashMap;

pub(super) fn place_of(table: &RouteTable) -> String {
    format!("[[route]] `{}`", table.name)
}

pub(super) fn route(table: &RouteTable, number: usize) -> Result<Route, RuleError> {
    let place = place_of(table);
    if !model::catalogue::is_name(&table.name) {
        return Err(wrong(&place, "a name has small letters, digits, `-` and `_`, and begins with a letter"));
    }
    let pattern = Pattern::parse(&table.path);
    let pattern =
        pattern.ok_or_else(|| wrong(&place, "`path` is not like /workers/{id}/edit or /files/{rest...}"))?;
    Ok(Route {
        name: table.name.as_str().into(),
        pattern,
        methods: methods(&table.methods, &place)?,
        pass: table.pass.clone(),
        cors: table.cors.clone(),
        inward: None,
        out: Vec::new(),
        principal: if table.principal.is_some() { number } else { 0 },
        shield: table.shield,
        texts: table.texts.iter().map(|text| source(text, &place)).collect::<Result<_, _>>()?,
        told: None,
    })
}

fn methods(names: &[String], place: &str) -> Result<Vec<Method>, RuleError> {
    let parse = |name: &String| {
        let fits = name.bytes().all(|byte| byte.is_ascii_uppercase());
        let parsed = name.parse().ok().filter(|_| fits);
        parsed.ok_or_else(|| wrong(place, format!("`{name}` is no method, like GET or POST")))
    };
    names.iter().map(parse).collect()
}

fn source(text: &str, place: &str) -> Result<Source, RuleError> {
    Source::parse(text)
        .ok_or_else(|| wrong(place, format!("`{text}` is not like form:name, json:/name or query:name")))
}

fn known<'a>(
    fields: Option<&'a [FieldInfo]>,
    name: &str,
    place: &str,
) -> Result<Option<&'a FieldInfo>, RuleError> {
    let Some(fields) = fields else { return Ok(None) };
    let found = fields.iter().find(|field| field.name == name);
    found.map(Some).ok_or_else(|| wrong(place, format!("the catalogue has no field `{name}`")))
}

pub(super) fn in_rule(
    table: &InTable,
    place: &str,
    pattern: &Pattern,
    fields: Option<&[FieldInfo]>,
) -> Result<InRule, RuleError> {
    let sources = |from: &std::collections::BTreeMap<String, String>| {
        let one = |(source, field): (&String, &String)| {
            known(fields, field, place)?;
            Ok((self::source(source, place)?, field.clone()))
        };
        from.iter().map(one).collect::<Result<HashMap<_, _>, RuleError>>()
    };
    let (stored, lookup) = (sources(&table.fields)?, sources(&table.lookup)?);
    let subject = table.person.as_ref().map(|person| subject(person, place, pattern)).transpose()?;
    if subject.is_none() && !stored.is_empty() {
        return Err(wrong(place, "`in` stores fields and does not say whose: give it a `person`"));
    }
    if stored.is_empty() && lookup.is_empty() {
        return Err(wrong(place, "`in` names neither `fields` nor `lookup`"));
    }
    let takes_forms = stored.keys().any(|source| matches!(source, Source::Form(_)));
    let said = match &table.accept {
        Some(said) => said.clone(),
        None if takes_forms => {
            return Err(wrong(
                place,
                "`in` takes a form and does not say how the app answers when it took it: add \
                 accept = [\"303 /workers/{id}\"], or accept = [\"200\"] if it answers that only then",
            ));
        }
        None => vec!["2xx".to_owned()],
    };
    let binds = matches!(subject, Some(Subject::New(Bind::Location(_))));
    let create = table.person.as_ref().is_some_and(|person| person.create);
    if create && !matches!(subject, Some(Subject::Path(_) | Subject::Field(_))) {
        return Err(wrong(place, "`create` goes with `path` or `field` alone"));
    }
    let mut rule = InRule {
        methods: methods(&table.methods, place)?,
        json: Pointers::default(),
        subject,
        fields: stored,
        lookup,
        create,
        anonymous: table.anonymous,
        texts: None,
        accept: said.iter().map(|text| Accept::parse(text, binds, place)).collect::<Result<_, _>>()?,
    };
    rule.json = pointers(&rule);
    Ok(rule)
}

/// The members of a JSON body that a rule takes, and those that an app could read in the place of what it takes from the
/// query.
fn pointers(rule: &InRule) -> Pointers {
    let taken: Vec<&str> = rule
        .sources()
        .filter_map(|source| match source {
            Source::Json(pointer) => Some(pointer.as_str()),
            _ => None,
        })
        .collect();
    let of_query: Vec<String> = rule
        .sources()
        .filter_map(|source| match source {
            Source::Query(name) => {
                let name = name.replace('~', "~0").replace('/', "~1").replace(']', "").replace('[', "/");
                Some(format!("/{name}"))
            }
            _ => None,
        })
        .collect();
    let refused: Vec<&str> = of_query.iter().map(String::as_str).filter(|one| !taken.contains(one)).collect();
    Pointers::new(&taken, &refused)
}

fn has_param(pattern: &Pattern, name: &str) -> bool {
    pattern.0.contains(&Segment::One(name.to_owned()))
}

fn subject(table: &PersonTable, place: &str, pattern: &Pattern) -> Result<Subject, RuleError> {
    let given = [table.path.is_some(), table.field.is_some(), table.principal, table.new.is_some()];
    if given.iter().filter(|one| **one).count() != 1 {
        return Err(wrong(place, "`person` has exactly one of `path`, `field`, `principal` and `new`"));
    }
    if let Some(name) = &table.path {
        let fits = has_param(pattern, name);
        return fits
            .then(|| Subject::Path(name.clone()))
            .ok_or_else(|| wrong(place, format!("the route's path has no {{{name}}}")));
    }
    if let Some(field) = &table.field {
        let source = Source::parse(field).ok_or_else(|| wrong(place, "`field` is not like form:worker"))?;
        return Ok(Subject::Field(source));
    }
    if let Some(bind) = &table.new {
        return bind_of(bind).map(Subject::New).ok_or_else(|| {
            wrong(place, "`new` is not like location:/workers/{id}, json:/id or header:x-worker-id")
        });
    }
    Ok(Subject::Principal)
}

fn bind_of(text: &str) -> Option<Bind> {
    let (kind, rest) = text.split_once(':')?;
    match kind {
        "location" => {
            let pattern = Pattern::parse(rest)?;
            let named = pattern.0.iter().filter(|one| matches!(one, Segment::One(_))).count();
            (named == 1).then_some(Bind::Location(pattern))
        }
        "json" => rest.starts_with('/').then(|| Bind::Json(rest.to_owned())),
        "header" => rest.parse().ok().map(Bind::Header),
        _ => None,
    }
}

pub(super) fn out_rule(
    table: &OutTable,
    place: &str,
    pattern: &Pattern,
    fields: Option<&[FieldInfo]>,
) -> Result<OutRule, RuleError> {
    let mut formats = Vec::new();
    for name in &table.fields {
        formats.extend(known(fields, name, place)?.map(|field| field.format));
    }
    let whom = match table.person.as_deref() {
        None => Whom::Anybody,
        Some("principal") => Whom::Principal,
        Some(text) => {
            let name = text.strip_prefix("path:").filter(|name| has_param(pattern, name));
            Whom::Path(
                name.ok_or_else(|| wrong(place, "`person` is not path:NAME of the route, or principal"))?
                    .to_owned(),
            )
        }
    };
    let header = |name: &String| name.parse().map_err(|_| wrong(place, format!("`{name}` is no header")));
    Ok(OutRule {
        purpose: table.purpose.clone(),
        recipient: table.recipient.clone(),
        fields: table.fields.clone(),
        whom,
        attributes: table.attributes.iter().map(|name| name.to_ascii_lowercase()).collect(),
        headers: table.headers.iter().map(header).collect::<Result<_, _>>()?,
        form: table.form.clone(),
        formats: Formats::of(formats),
    })
}
