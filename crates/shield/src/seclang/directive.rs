//! Directives: one line each.

use super::action::{Action, Disruptive, Mode, Which, actions, ids, mode};
use super::fault::{Fault, Place, Reason};
use super::lines::{logical, word};
use super::operator::{Operator, operator};
use super::variable::{Target, targets};
use std::sync::Arc;

/// A rule as it is written; `SecAction` is one without targets whose operator always matches.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RuleText {
    /// What it looks at.
    pub targets: Vec<Target>,
    /// Whether the operator is negated.
    pub negated: bool,
    /// What it asks.
    pub operator: Operator,
    /// What it does.
    pub actions: Vec<Action>,
}

impl RuleText {
    /// Its id; the later parts of a chain have none.
    #[must_use]
    pub fn id(&self) -> Option<u64> {
        self.actions.iter().find_map(|action| if let Action::Id(id) = action { Some(*id) } else { None })
    }
}

/// A setting of the engine.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Config {
    /// `SecRuleEngine`
    Engine(Mode),
    /// `SecRequestBodyAccess`
    RequestBodyAccess(bool),
    /// `SecResponseBodyAccess`
    ResponseBodyAccess(bool),
    /// `SecArgumentsLimit`
    Arguments(u32),
    /// `SecRequestBodyJsonDepthLimit`
    JsonDepth(u32),
    /// `SecRequestBodyLimit`, bytes
    RequestBodyLimit(u64),
    /// `SecResponseBodyLimit`, bytes
    ResponseBodyLimit(u64),
    /// `SecRequestBodyLimitAction`: whether what is larger is inspected up to the limit
    RequestBodyPartial(bool),
    /// `SecResponseBodyLimitAction`
    ResponseBodyPartial(bool),
    /// `SecCollectionTimeout`, seconds
    CollectionTimeout(u32),
}

/// A directive.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Directive {
    /// `SecRule`, `SecAction`
    Rule(RuleText),
    /// `SecMarker`
    Marker(String),
    /// `SecDefaultAction`: phase and decision
    Default(u8, Disruptive, Option<u16>),
    /// `SecRuleRemoveBy…`
    Remove(Which),
    /// `SecRuleUpdateTargetBy…`
    UpdateTarget(Which, Vec<Target>),
    /// `SecRuleUpdateActionById`
    UpdateAction(u64, Vec<Action>),
    /// `Include`, `IncludeOptional`: pattern of file names, and whether it may match none
    Include(String, bool),
    /// `SecResponseBodyMimeType`
    ResponseTypes(Vec<String>),
    /// A setting.
    Config(Config),
    /// One that is understood and asks nothing of this engine, with the reason.
    Without(&'static str),
}

/// A directive and its place.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Statement {
    /// Where it stands.
    pub place: Place,
    /// Its name, as written.
    pub name: String,
    /// What it says.
    pub directive: Directive,
}

/// Reads a file of rules. What cannot be honoured is named, and the rest is read on.
#[must_use]
pub fn parse(file: &str, text: &str) -> (Vec<Statement>, Vec<Fault>) {
    let file: Arc<str> = file.into();
    let (mut statements, mut faults) = (Vec::new(), Vec::new());
    for line in logical(text) {
        let place = Place { file: file.clone(), line: line.number };
        let end = line.text.find(char::is_whitespace).unwrap_or(line.text.len());
        let (name, rest) = line.text.split_at(end);
        match directive(name, rest) {
            Ok(directive) => statements.push(Statement { place, name: name.to_owned(), directive }),
            Err((construct, reason)) => faults.push(Fault { place, rule: guess_id(rest), construct, reason }),
        }
    }
    (statements, faults)
}

/// The id of a rule that could not be read, for the message alone.
fn guess_id(rest: &str) -> Option<u64> {
    let at = rest.find("id:")?;
    let digits = rest[at + 3..].trim_start_matches('\'');
    digits[..digits.find(|char: char| !char.is_ascii_digit()).unwrap_or(digits.len())].parse().ok()
}

type Refused = (String, Reason);

fn directive(name: &str, rest: &str) -> Result<Directive, Refused> {
    let refuse = |reason| (name.to_owned(), reason);
    let argument = || word(rest).map(|(word, _)| word).ok_or_else(|| refuse(Reason::BadArgument));
    let on = || argument().and_then(|text| switch(&text).map_err(refuse));
    let number = || argument().and_then(|text| text.parse().map_err(|_| refuse(Reason::BadArgument)));
    let words = || all_words(rest).ok_or_else(|| refuse(Reason::Syntax));
    let config = |config| Ok(Directive::Config(config));
    match name.to_ascii_lowercase().as_str() {
        "secrule" => rule(rest),
        "secaction" => sec_action(rest),
        "secmarker" => argument().map(Directive::Marker),
        "secdefaultaction" => default_action(&argument()?),
        "include" => argument().map(|pattern| Directive::Include(pattern, false)),
        "includeoptional" => argument().map(|pattern| Directive::Include(pattern, true)),
        "secruleengine" => mode(&argument()?).map_err(refuse).and_then(|mode| config(Config::Engine(mode))),
        "secrequestbodyaccess" => on().and_then(|on| config(Config::RequestBodyAccess(on))),
        "secresponsebodyaccess" => on().and_then(|on| config(Config::ResponseBodyAccess(on))),
        "secresponsebodymimetype" => words().map(Directive::ResponseTypes),
        "secargumentseparator" => match argument()?.as_bytes() {
            b"&" => Ok(Directive::Without("arguments are separated by & in any case")),
            _ => Err(refuse(Reason::BadArgument)),
        },
        "secargumentslimit" => {
            number().and_then(|n| config(Config::Arguments(u32::try_from(n).unwrap_or(u32::MAX))))
        }
        "secrequestbodyjsondepthlimit" => {
            number().and_then(|n| config(Config::JsonDepth(u32::try_from(n).unwrap_or(u32::MAX))))
        }
        "secrequestbodylimit" => number().and_then(|bytes| config(Config::RequestBodyLimit(bytes))),
        "secresponsebodylimit" => number().and_then(|bytes| config(Config::ResponseBodyLimit(bytes))),
        "secrequestbodylimitaction" => partial(&argument()?)
            .map_err(refuse)
            .and_then(|partial| config(Config::RequestBodyPartial(partial))),
        "secresponsebodylimitaction" => partial(&argument()?)
            .map_err(refuse)
            .and_then(|partial| config(Config::ResponseBodyPartial(partial))),
        "seccollectiontimeout" => {
            number().and_then(|n| config(Config::CollectionTimeout(u32::try_from(n).unwrap_or(u32::MAX))))
        }
        "secruleremovebyid" => ids(rest).map_err(refuse).map(|ids| Directive::Remove(Which::Ids(ids))),
        "secruleremovebytag" => argument().map(|tag| Directive::Remove(Which::Tag(tag))),
        "secruleremovebymsg" => argument().map(|message| Directive::Remove(Which::Message(message))),
        "secruleupdatetargetbyid" => update(name, rest, |text| ids(text).map(Which::Ids)),
        "secruleupdatetargetbytag" => update(name, rest, |text| Ok(Which::Tag(text.to_owned()))),
        "secruleupdatetargetbymsg" => update(name, rest, |text| Ok(Which::Message(text.to_owned()))),
        "secruleupdateactionbyid" => {
            let (id, rest) = word(rest).ok_or_else(|| refuse(Reason::Syntax))?;
            let (list, _) = word(rest).ok_or_else(|| refuse(Reason::Syntax))?;
            let id = id.parse().map_err(|_| refuse(Reason::BadArgument))?;
            Ok(Directive::UpdateAction(id, actions(&list)?))
        }
        "secrulescript" | "secremoterules" | "secgeolookupdb" | "secgsblookupdb" | "sechttpblkey"
        | "secguardianlog" => Err(refuse(Reason::ReachesOut)),
        other => without(other).map(Directive::Without).ok_or_else(|| refuse(Reason::UnknownDirective)),
    }
}

/// Directives of ModSecurity that have a place of their own here, or none to fill.
fn without(name: &str) -> Option<&'static str> {
    Some(match name {
        "secauditengine"
        | "secauditlog"
        | "secauditlog2"
        | "secauditlogparts"
        | "secauditlogtype"
        | "secauditlogformat"
        | "secauditlogrelevantstatus"
        | "secauditlogstoragedir"
        | "secauditlogdirmode"
        | "secauditlogfilemode"
        | "secauditlogprefix"
        | "secdebuglog"
        | "secdebugloglevel" => "events take the place of audit and debug logs",
        "seccomponentsignature" => "a name of the rule set",
        "secunicodemapfile" | "secunicodecodepage" => "the mapping of full-width letters is built in",
        "secpcrematchlimit" | "secpcrematchlimitrecursion" => "patterns run in linear time and need no limit",
        "sectmpdir"
        | "secdatadir"
        | "secuploaddir"
        | "secuploadkeepfiles"
        | "secuploadfilemode"
        | "secuploadfilelimit"
        | "sectmpsaveuploadedfiles" => "nothing is written to disk",
        "secrequestbodynofileslimit" | "secrequestbodyinmemorylimit" => {
            "bodies have one limit, for all that they hold"
        }
        "secserversignature"
        | "secstatusengine"
        | "secwebappid"
        | "seccookieformat"
        | "seccookiev0separator"
        | "secxmlexternalentity"
        | "secstreaminbodyinspection"
        | "secstreamoutbodyinspection"
        | "secparsexmlintoargs"
        | "sechashengine"
        | "seccontentinjection"
        | "secdisablebackendcompression"
        | "secconnengine"
        | "secsensorid"
        | "secinterceptonerror"
        | "secruleinheritance"
        | "secruleperftime"
        | "secchrootdir"
        | "secresponsebodymimetypesclear"
        | "seccachetransformations" => "the gateway's own",
        _ => return None,
    })
}

fn switch(text: &str) -> Result<bool, Reason> {
    match text.to_ascii_lowercase().as_str() {
        "on" => Ok(true),
        "off" => Ok(false),
        _ => Err(Reason::BadArgument),
    }
}

fn partial(text: &str) -> Result<bool, Reason> {
    match text.to_ascii_lowercase().as_str() {
        "processpartial" => Ok(true),
        "reject" => Ok(false),
        _ => Err(Reason::BadArgument),
    }
}

fn all_words(mut rest: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    while !rest.trim().is_empty() {
        let (next, after) = word(rest)?;
        words.extend(next.split_whitespace().map(str::to_owned));
        rest = after;
    }
    Some(words)
}

fn rule(rest: &str) -> Result<Directive, Refused> {
    let syntax = || ("SecRule".to_owned(), Reason::Syntax);
    let (list, rest) = word(rest).ok_or_else(syntax)?;
    let (asked, rest) = word(rest).ok_or_else(syntax)?;
    let (done, rest) =
        if rest.trim().is_empty() { (String::new(), rest) } else { word(rest).ok_or_else(syntax)? };
    if !rest.trim().is_empty() {
        return Err((rest.trim().to_owned(), Reason::Syntax));
    }
    let (negated, operator) = operator(&asked)?;
    Ok(Directive::Rule(RuleText { targets: targets(&list)?, negated, operator, actions: actions(&done)? }))
}

fn sec_action(rest: &str) -> Result<Directive, Refused> {
    let (done, _) = word(rest).ok_or_else(|| ("SecAction".to_owned(), Reason::Syntax))?;
    Ok(Directive::Rule(RuleText {
        targets: Vec::new(),
        negated: false,
        operator: Operator::Always,
        actions: actions(&done)?,
    }))
}

fn default_action(list: &str) -> Result<Directive, Refused> {
    let (mut phase, mut decision, mut status) = (2, Disruptive::Pass, None);
    for action in actions(list)? {
        match action {
            Action::Phase(given) => phase = given,
            Action::Decide(Disruptive::Block) => return Err(("block".to_owned(), Reason::BadArgument)),
            Action::Decide(given) => decision = given,
            Action::Status(given) => status = Some(given),
            Action::Log(_)
            | Action::NoEffect
            | Action::About
            | Action::Tag(_)
            | Action::NoTransformations => {}
            _ => return Err((list.to_owned(), Reason::BadArgument)),
        }
    }
    Ok(Directive::Default(phase, decision, status))
}

fn update(
    name: &str,
    rest: &str,
    which: impl Fn(&str) -> Result<Which, Reason>,
) -> Result<Directive, Refused> {
    let syntax = || (name.to_owned(), Reason::Syntax);
    let (rules, rest) = word(rest).ok_or_else(syntax)?;
    let (list, _) = word(rest).ok_or_else(syntax)?;
    let which = which(&rules).map_err(|reason| (rules.clone(), reason))?;
    Ok(Directive::UpdateTarget(which, targets(&list)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seclang::Variable;

    #[test]
    fn a_rule_is_read() {
        let (statements, faults) =
            parse("a.conf", "SecRule ARGS|!ARGS:x \"@rx ^\\\"a\" \"id:7,phase:2,deny,status:403\"\n");
        assert_eq!(faults, []);
        let Directive::Rule(rule) = &statements[0].directive else { panic!() };
        assert_eq!((rule.id(), rule.targets[0].variable), (Some(7), Variable::Args));
        assert_eq!(rule.operator, Operator::Pattern("^\"a".into()));
    }

    #[test]
    fn faults_have_their_place() {
        let text = "SecAction \"id:1,pass\"\nSecFoo On\nSecRule ARGS \"@geoLookup\" \"id:9,pass\"\n";
        let (statements, faults) = parse("b.conf", text);
        assert_eq!(statements.len(), 1);
        assert_eq!(faults[0].to_string(), "b.conf:2: `SecFoo`: no such directive");
        assert_eq!((faults[1].rule, faults[1].reason), (Some(9), Reason::ReachesOut));
    }
}
