//! Actions: what a rule is called, and what it does when it matches.

use super::fault::Reason;
use super::text::Text;
use super::variable::{Target, Variable, targets};
use crate::body::Processor;
use crate::transform::Transformation;
use std::ops::RangeInclusive;

/// What is done to a member of a collection.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Assign {
    /// `=`
    Set(Text),
    /// `=+`
    Add(Text),
    /// `=-`
    Subtract(Text),
    /// `!name`
    Unset,
}

/// `setvar`
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SetVar {
    /// `TX` or a persistent collection.
    pub collection: Variable,
    /// Name of the member.
    pub name: Text,
    /// What is done to it.
    pub assign: Assign,
}

/// How far `allow` goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Allow {
    /// The rest of the transaction.
    Everything,
    /// The rest of this phase.
    Phase,
    /// The phases of the request.
    Request,
}

/// What a rule decides when it matches.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Disruptive {
    /// What `SecDefaultAction` says.
    Block,
    /// Refuse.
    Deny,
    /// Close the connection.
    Drop,
    /// Go on.
    Pass,
    /// Look no further.
    Allow(Allow),
    /// Send the client elsewhere.
    Redirect(Text),
}

/// Whether rules decide.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mode {
    /// They do.
    On,
    /// They look, and decide nothing.
    DetectionOnly,
    /// They do not look.
    Off,
}

/// Which rules are meant.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Which {
    /// By id.
    Ids(Vec<RangeInclusive<u64>>),
    /// By tag.
    Tag(String),
    /// By message.
    Message(String),
}

/// `ctl`: what is changed for this transaction.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Control {
    /// `ruleEngine`
    Engine(Mode),
    /// `ruleRemoveById`, `ByTag`, `ByMsg`
    Remove(Which),
    /// `ruleRemoveTargetById`, `ByTag`, `ByMsg`
    RemoveTarget(Which, Vec<Target>),
    /// `requestBodyAccess`
    RequestBodyAccess(bool),
    /// `responseBodyAccess`
    ResponseBodyAccess(bool),
    /// `forceRequestBodyVariable`
    ForceRequestBody(bool),
    /// `requestBodyProcessor`
    Processor(Processor),
    /// `auditEngine`, `auditLogParts`, `debugLogLevel`: there is no such log, events take its place.
    Log,
}

/// One action.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Action {
    /// `id`
    Id(u64),
    /// `phase`, 1 to 5
    Phase(u8),
    /// `msg`
    Message(Text),
    /// `logdata`
    LogData(Text),
    /// `severity`, 0 (emergency) to 7 (debug)
    Severity(u8),
    /// `tag`
    Tag(String),
    /// `ver`, `rev`, `maturity`, `accuracy`: said about the rule, done nothing with.
    About,
    /// `chain`
    Chain,
    /// `capture`
    Capture,
    /// `multiMatch`
    MultiMatch,
    /// `log` or `nolog`
    Log(bool),
    /// `auditlog`, `noauditlog`, `sanitise…`: there is no such log.
    NoEffect,
    /// What the rule decides.
    Decide(Disruptive),
    /// `status`
    Status(u16),
    /// `skip`
    Skip(u32),
    /// `skipAfter`
    SkipAfter(String),
    /// `setvar`
    SetVar(SetVar),
    /// `expirevar`: collection, member, seconds
    ExpireVar(Variable, Text, Text),
    /// `initcol`: collection, key
    InitCollection(Variable, Text),
    /// `setuid`, `setsid`, `setrsc`: collection, key
    SetKey(Variable, Text),
    /// `setenv`: name, value
    SetEnv(Text, Text),
    /// `ctl`
    Control(Control),
    /// `t:none`
    NoTransformations,
    /// `t:…`
    Transform(Transformation),
}

/// Reads a list of actions.
///
/// # Errors
/// The action that cannot be honoured, and why.
pub(super) fn actions(list: &str) -> Result<Vec<Action>, (String, Reason)> {
    let (pieces, is_closed) = split(list);
    if !is_closed {
        return Err((list.to_owned(), Reason::Syntax));
    }
    pieces.into_iter().map(|piece| action(piece).map_err(|reason| (piece.to_owned(), reason))).collect()
}

/// Cuts at commas outside of single quotes; and whether the last quote is closed.
fn split(list: &str) -> (Vec<&str>, bool) {
    let mut pieces = Vec::new();
    let (mut start, mut quoted, mut escaped) = (0, false, false);
    for (at, byte) in list.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'\'' => quoted = !quoted,
            b',' if !quoted => {
                pieces.push(&list[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    pieces.push(&list[start..]);
    (pieces.into_iter().map(str::trim).filter(|piece| !piece.is_empty()).collect(), !quoted)
}

/// What stands in single quotes, with `\'` as a plain quote; or the text itself.
fn unquote(text: &str) -> String {
    let text = text.trim();
    match text.strip_prefix('\'').and_then(|text| text.strip_suffix('\'')) {
        Some(inner) => inner.replace("\\'", "'"),
        None => text.to_owned(),
    }
}

fn action(piece: &str) -> Result<Action, Reason> {
    let (name, argument) = match piece.split_once(':') {
        Some((name, argument)) => (name.trim(), Some(unquote(argument))),
        None => (piece, None),
    };
    let given = || argument.clone().filter(|text| !text.is_empty()).ok_or(Reason::BadArgument);
    let text = || given().and_then(|text| Text::parse(&text).map_err(|(_, reason)| reason));
    Ok(match name.to_ascii_lowercase().as_str() {
        "id" => Action::Id(number(&given()?)?),
        "phase" => Action::Phase(phase(&given()?)?),
        "msg" => Action::Message(text()?),
        "logdata" => Action::LogData(text()?),
        "severity" => Action::Severity(severity(&given()?)?),
        "tag" => Action::Tag(given()?),
        "ver" | "rev" | "maturity" | "accuracy" => Action::About,
        "chain" => Action::Chain,
        "capture" => Action::Capture,
        "multimatch" => Action::MultiMatch,
        "log" => Action::Log(true),
        "nolog" => Action::Log(false),
        "auditlog"
        | "noauditlog"
        | "sanitisearg"
        | "sanitizearg"
        | "sanitisematched"
        | "sanitizematched"
        | "sanitisematchedbytes"
        | "sanitizematchedbytes"
        | "sanitiserequestheader"
        | "sanitizerequestheader"
        | "sanitiseresponseheader"
        | "sanitizeresponseheader" => Action::NoEffect,
        "block" => Action::Decide(Disruptive::Block),
        "deny" => Action::Decide(Disruptive::Deny),
        "drop" => Action::Decide(Disruptive::Drop),
        "pass" => Action::Decide(Disruptive::Pass),
        "allow" => Action::Decide(Disruptive::Allow(allow(argument.as_deref())?)),
        "redirect" => Action::Decide(Disruptive::Redirect(text()?)),
        "status" => Action::Status(status(&given()?)?),
        "skip" => Action::Skip(number(&given()?)?),
        "skipafter" => Action::SkipAfter(given()?),
        "setvar" => Action::SetVar(set_var(&given()?)?),
        "expirevar" => {
            let (collection, member, value) = member(&given()?)?;
            Action::ExpireVar(collection, member, value.ok_or(Reason::BadArgument)?)
        }
        "initcol" => {
            let given = given()?;
            let (name, key) = given.split_once('=').ok_or(Reason::BadArgument)?;
            Action::InitCollection(persistent(name)?, Text::parse(key).map_err(|(_, reason)| reason)?)
        }
        "setuid" => Action::SetKey(Variable::User, text()?),
        "setsid" => Action::SetKey(Variable::Session, text()?),
        "setrsc" => Action::SetKey(Variable::Resource, text()?),
        "setenv" => {
            let given = given()?;
            let (name, value) = given.split_once('=').ok_or(Reason::BadArgument)?;
            let parse = |text: &str| Text::parse(text).map_err(|(_, reason)| reason);
            Action::SetEnv(parse(name)?, parse(value)?)
        }
        "ctl" => Action::Control(control(&given()?)?),
        "t" => match given()?.as_str() {
            none if none.eq_ignore_ascii_case("none") => Action::NoTransformations,
            other => Action::Transform(Transformation::parse(other).ok_or(Reason::UnknownTransformation)?),
        },
        "exec" | "proxy" => return Err(Reason::ReachesOut),
        _ => return Err(Reason::UnknownAction),
    })
}

fn number<T: std::str::FromStr>(text: &str) -> Result<T, Reason> {
    text.trim().parse().map_err(|_| Reason::BadArgument)
}

fn phase(text: &str) -> Result<u8, Reason> {
    match text.trim().to_ascii_lowercase().as_str() {
        "request" => Ok(2),
        "response" => Ok(4),
        "logging" => Ok(5),
        other => number(other).ok().filter(|phase| (1..=5).contains(phase)).ok_or(Reason::BadArgument),
    }
}

const SEVERITIES: [&str; 8] =
    ["emergency", "alert", "critical", "error", "warning", "notice", "info", "debug"];

fn severity(text: &str) -> Result<u8, Reason> {
    let named = SEVERITIES.iter().position(|name| name.eq_ignore_ascii_case(text.trim()));
    let value = named.and_then(|at| u8::try_from(at).ok()).map_or_else(|| number(text), Ok)?;
    if value < 8 { Ok(value) } else { Err(Reason::BadArgument) }
}

/// The name of a severity, 0 to 7.
#[must_use]
pub fn severity_name(severity: u8) -> &'static str {
    SEVERITIES.get(usize::from(severity)).copied().unwrap_or("debug")
}

fn status(text: &str) -> Result<u16, Reason> {
    number(text).ok().filter(|status| (100..=599).contains(status)).ok_or(Reason::BadArgument)
}

fn allow(argument: Option<&str>) -> Result<Allow, Reason> {
    match argument {
        None => Ok(Allow::Everything),
        Some(text) if text.eq_ignore_ascii_case("phase") => Ok(Allow::Phase),
        Some(text) if text.eq_ignore_ascii_case("request") => Ok(Allow::Request),
        Some(_) => Err(Reason::BadArgument),
    }
}

fn persistent(name: &str) -> Result<Variable, Reason> {
    Variable::parse(name.trim()).filter(|variable| variable.is_persistent()).ok_or(Reason::UnknownVariable)
}

/// `collection.member` or `collection.member=value`.
fn member(text: &str) -> Result<(Variable, Text, Option<Text>), Reason> {
    let parse = |text: &str| Text::parse(text).map_err(|(_, reason)| reason);
    let (path, value) = match text.split_once('=') {
        Some((path, value)) => (path, Some(value)),
        None => (text, None),
    };
    let (collection, name) = path.split_once(['.', ':']).ok_or(Reason::BadArgument)?;
    let collection = Variable::parse(collection.trim()).ok_or(Reason::UnknownVariable)?;
    if collection != Variable::Tx && !collection.is_persistent() {
        return Err(Reason::UnknownVariable);
    }
    Ok((collection, parse(&name.trim().to_ascii_lowercase())?, value.map(parse).transpose()?))
}

fn set_var(text: &str) -> Result<SetVar, Reason> {
    let parse = |text: &str| Text::parse(text).map_err(|(_, reason)| reason);
    if let Some(path) = text.trim().strip_prefix('!') {
        let (collection, name, _) = member(path)?;
        return Ok(SetVar { collection, name, assign: Assign::Unset });
    }
    let (path, value) = match text.split_once('=') {
        Some((path, value)) => (path, value),
        // A bare name is set to 1.
        None => (text, "1"),
    };
    let (collection, name, _) = member(path)?;
    let assign = match value.as_bytes().first() {
        Some(b'+') => Assign::Add(parse(&value[1..])?),
        Some(b'-') => Assign::Subtract(parse(&value[1..])?),
        _ => Assign::Set(parse(value)?),
    };
    Ok(SetVar { collection, name, assign })
}

fn on(text: &str) -> Result<bool, Reason> {
    match text.trim().to_ascii_lowercase().as_str() {
        "on" | "true" | "1" => Ok(true),
        "off" | "false" | "0" => Ok(false),
        _ => Err(Reason::BadArgument),
    }
}

/// Reads `On`, `DetectionOnly` or `Off`.
///
/// # Errors
/// Any other word.
pub(super) fn mode(text: &str) -> Result<Mode, Reason> {
    match text.trim().to_ascii_lowercase().as_str() {
        "on" => Ok(Mode::On),
        "detectiononly" => Ok(Mode::DetectionOnly),
        "off" => Ok(Mode::Off),
        _ => Err(Reason::BadArgument),
    }
}

/// Reads ids and ranges: `942100-942199 942300`, also with commas.
///
/// # Errors
/// What is not a number.
pub(super) fn ids(text: &str) -> Result<Vec<RangeInclusive<u64>>, Reason> {
    let mut ranges = Vec::new();
    for piece in
        text.split([' ', ',', '\t']).map(|piece| piece.trim_matches('"')).filter(|piece| !piece.is_empty())
    {
        let (first, last) = piece.split_once('-').unwrap_or((piece, piece));
        ranges.push(number(first)?..=number(last)?);
    }
    if ranges.is_empty() { Err(Reason::BadArgument) } else { Ok(ranges) }
}

fn control(text: &str) -> Result<Control, Reason> {
    let (name, value) = text.split_once('=').ok_or(Reason::BadArgument)?;
    let with_targets = || {
        let (rules, list) = value.split_once(';').ok_or(Reason::BadArgument)?;
        Ok::<_, Reason>((rules.trim().to_owned(), targets(list).map_err(|(_, reason)| reason)?))
    };
    Ok(match name.trim().to_ascii_lowercase().as_str() {
        "ruleengine" => Control::Engine(mode(value)?),
        "ruleremovebyid" => Control::Remove(Which::Ids(ids(value)?)),
        "ruleremovebytag" => Control::Remove(Which::Tag(value.to_owned())),
        "ruleremovebymsg" => Control::Remove(Which::Message(value.to_owned())),
        "ruleremovetargetbyid" => with_targets()
            .and_then(|(rules, list)| Ok(Control::RemoveTarget(Which::Ids(ids(&rules)?), list)))?,
        "ruleremovetargetbytag" => {
            with_targets().map(|(tag, list)| Control::RemoveTarget(Which::Tag(tag), list))?
        }
        "ruleremovetargetbymsg" => {
            with_targets().map(|(message, list)| Control::RemoveTarget(Which::Message(message), list))?
        }
        "requestbodyaccess" => Control::RequestBodyAccess(on(value)?),
        "responsebodyaccess" => Control::ResponseBodyAccess(on(value)?),
        "forcerequestbodyvariable" => Control::ForceRequestBody(on(value)?),
        "requestbodyprocessor" => Control::Processor(processor(value)?),
        "auditengine" | "auditlogparts" | "debugloglevel" => Control::Log,
        _ => return Err(Reason::UnknownAction),
    })
}

fn processor(text: &str) -> Result<Processor, Reason> {
    match text.trim().to_ascii_uppercase().as_str() {
        "URLENCODED" => Ok(Processor::Urlencoded),
        "MULTIPART" => Ok(Processor::Multipart),
        "JSON" => Ok(Processor::Json),
        "XML" => Ok(Processor::Xml),
        _ => Err(Reason::BadArgument),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_keep_quoted_commas() {
        let list = actions(
            "id:1,phase:2,msg:'a, b \\'c\\'',t:none,t:lowercase,setvar:'tx.x=+%{tx.y}',severity:CRITICAL",
        )
        .unwrap();
        assert_eq!(list[0], Action::Id(1));
        assert_eq!(list[2], Action::Message(Text::parse("a, b 'c'").unwrap()));
        assert_eq!(list[4], Action::Transform(Transformation::parse("lowercase").unwrap()));
        assert!(matches!(
            &list[5],
            Action::SetVar(SetVar { collection: Variable::Tx, assign: Assign::Add(_), .. })
        ));
        assert_eq!(list[6], Action::Severity(2));
    }

    #[test]
    fn controls_name_their_rules() {
        let list = actions("ctl:ruleRemoveTargetById=942100-942199;ARGS:note,ctl:ruleRemoveByTag=x").unwrap();
        let Action::Control(Control::RemoveTarget(Which::Ids(ids), targets)) = &list[0] else {
            panic!("{list:?}")
        };
        assert_eq!((ids.as_slice(), targets.len()), ([942_100..=942_199].as_slice(), 1));
        assert_eq!(list[1], Action::Control(Control::Remove(Which::Tag("x".into()))));
    }

    #[test]
    fn a_variable_is_set_counted_and_unset() {
        let assigns: Vec<_> = actions("setvar:tx.a,setvar:tx.b=,setvar:ip.c=-2,setvar:!tx.d")
            .unwrap()
            .into_iter()
            .map(|action| match action {
                Action::SetVar(set) => set.assign,
                other => panic!("{other:?}"),
            })
            .collect();
        let text = |text: &str| Text::parse(text).unwrap();
        assert_eq!(
            assigns,
            [Assign::Set(text("1")), Assign::Set(text("")), Assign::Subtract(text("2")), Assign::Unset]
        );
    }

    #[test]
    fn what_cannot_be_done_is_refused() {
        assert_eq!(actions("id:1,exec:/bin/x").unwrap_err(), ("exec:/bin/x".into(), Reason::ReachesOut));
        assert_eq!(actions("phase:6").unwrap_err().1, Reason::BadArgument);
        assert_eq!(actions("t:rot13").unwrap_err().1, Reason::UnknownTransformation);
        assert_eq!(actions("setvar:args.x=1").unwrap_err().1, Reason::UnknownVariable);
    }
}
