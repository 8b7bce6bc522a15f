//! The relay on the way in, whole: take the values, submit them provisionally, send tokens to the app, and settle by its
//! answer before the client gets one.

use crate::arriving::Arriving;
use crate::body::{self, Read};
use crate::config::Pass;
use crate::events::Event;
use crate::exchange::{Asked, Way, cut_off, no_answer, read_verdict, viewer};
use crate::fold;
use crate::inward::{InError, Inward, Value};
use crate::line::FromApp;
use crate::messages::{Outcome, Relay, RelayError, Submission, Submitted, Whose};
use crate::onward::{check_target, rewritten};
use crate::principal::{Principal, User};
use crate::problem::{self, Problem};
use crate::relay_out::{self, Given, Typed};
use crate::rules::{Bind, InRule, Subject, segments};
use crate::upstream::{Body, Missed};
use data_encoding::HEXLOWER;
use http::Response;
use http::header;
use model::reference::is_canonical;
use model::token::StorageToken;
use std::sync::Arc;
use zeroize::Zeroizing;

/// How a value that is a view token begins.
const VIEW_PREFIX: &str = "obv_";

pub(crate) async fn exchange(
    way: Way<'_>,
    rule: &InRule,
    asked: Asked,
    arriving: Arriving,
    user: Option<User>,
    principal: Option<&Principal>,
) -> Result<Response<Body>, Problem> {
    let needs_somebody =
        !rule.anonymous && rule.subject.as_ref().is_some_and(|one| !matches!(one, Subject::New(_)));
    // Where the app says who it is only in its answer, it is looked at then.
    if needs_somebody && user.is_none() && principal.is_none_or(|principal| principal.header().is_none()) {
        return Err(problem::NOBODY);
    }
    let bytes = arriving.whole(way.setup.max_body, way.held).await.map_err(|cut| cut_off(way, cut))?;
    if fold::holds_token(&bytes) {
        return Err(cut_off(way, body::Cut::Token));
    }
    let inward =
        Inward::read(rule, &asked.headers, asked.query.as_deref(), bytes).await.map_err(unreadable)?;
    if inward.has_files() && !way.passes(Pass::Upload) {
        return Err(problem::NO_UPLOAD);
    }
    check_target(rule, &asked, inward.values.len())?;
    let Taken { id, texts, typed } = take(way, rule, &inward, user.as_ref()).await?;
    let pending = id.map(|id| Pending::new(way, id));
    // The boundary of a form with files must not stand in it; this one cannot be foreseen.
    let boundary = format!("obhut{}", HEXLOWER.encode(&id.unwrap_or(*b"without-an-entry")));
    let request = rewritten(way, rule, &asked, inward.write(&texts, &boundary).map_err(unreadable)?)?;
    let answer = match way.setup.upstream.send(request, asked.client(way)).await {
        Ok(answer) => answer,
        Err(missed) => {
            let lost = no_answer(missed);
            way.emit(Event::Upstream { route: way.name(), code: lost.code() });
            let outcome = if missed.is_unseen() { Outcome::Abandoned } else { Outcome::Unknown };
            // What cannot be said now is said once more, and else when its term ends.
            if settle(way, id, outcome, None).await.is_ok()
                && let Some(pending) = pending
            {
                pending.done();
            }
            return Err(lost);
        }
    };
    // What was sent has gone.
    way.held.give_back();
    let user = viewer(user, principal, answer.headers());
    let given = match id {
        None => Given::Streaming(answer),
        Some(_) if needs_somebody && user.is_none() => {
            settle(way, id, Outcome::Abandoned, None).await.map_err(refused)?;
            Given::Streaming(answer)
        }
        Some(_) => conclude(way, rule, &asked, (id, user.as_ref()), answer).await?,
    };
    if let Some(pending) = pending {
        pending.done();
    }
    Ok(relay_out::given(way, &asked, given, user, principal, &typed).await)
}

/// A submission on its way. When the exchange ends before it is settled, by a fault of ours, its outcome is unknown; it must
/// not hold its place for ever.
struct Pending(Option<([u8; 16], Arc<dyn Relay>)>);

impl Pending {
    fn new(way: Way<'_>, id: [u8; 16]) -> Self {
        Self(Some((id, way.gateway.relay.clone())))
    }

    fn done(mut self) {
        self.0 = None;
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        if let (Some((id, relay)), Ok(runtime)) = (self.0.take(), tokio::runtime::Handle::try_current()) {
            // Settled already it is told so in vain, which harms nobody.
            runtime.spawn(async move { relay.settle(id, Outcome::Unknown, None).await });
        }
    }
}

/// What goes to the app, and what the user may see again in the same answer.
struct Taken {
    id: Option<[u8; 16]>,
    texts: Vec<String>,
    typed: Typed,
}

fn unreadable(error: InError) -> Problem {
    match error {
        InError::Syntax => problem::BODY_MALFORMED,
        InError::Type => problem::BODY_TYPE,
        InError::Charset => problem::BODY_CHARSET,
        InError::Twice => problem::FIELD_AMBIGUOUS,
        InError::Name => problem::FIELD_NAME,
        InError::Size => problem::TOO_MANY_FIELDS,
    }
}

pub(crate) fn refused(error: RelayError) -> Problem {
    match error {
        RelayError::Sealed => problem::SEALED,
        RelayError::Value(_) => problem::VALUE_REFUSED,
        RelayError::Token => problem::TOKEN_FROM_CLIENT,
        RelayError::Stale => problem::FORM_STALE,
        RelayError::Refused => problem::NOT_WRITABLE,
        RelayError::Quota => problem::TOO_MANY_SUBMISSIONS,
        RelayError::Conflict => problem::CHANGED_MEANWHILE,
        _ => problem::UNAVAILABLE,
    }
}

async fn take(
    way: Way<'_>,
    rule: &InRule,
    inward: &Inward<'_>,
    user: Option<&User>,
) -> Result<Taken, Problem> {
    let relay = &way.gateway.relay;
    let mut texts = vec![String::new(); inward.values.len()];
    let (mut stored, mut places) = (Vec::new(), Vec::new());
    for (number, value) in inward.values.iter().enumerate() {
        if value.text.is_empty() && value.is_lookup {
            continue;
        }
        if value.is_lookup {
            texts[number] = looked_up(&value.text, relay.stable(&value.field, &value.text))?;
        } else {
            stored.push((value.field.clone(), value.text.clone()));
            places.push(number);
        }
    }
    let mut id = None;
    if !stored.is_empty() {
        let submission = Submission {
            viewer: user.map(|user| user.viewer.clone()),
            rule: way.route.map(|route| route.name.to_string()).unwrap_or_default(),
            session: user.map(|user| user.session.clone()).unwrap_or_default(),
            whose: whose(way, rule, inward, user)?,
            values: stored,
        };
        let submitted = relay.submit(submission).await.map_err(refused)?;
        let Submitted { id: given, texts: tokens } = submitted;
        id = given;
        for (number, token) in places.into_iter().zip(tokens) {
            texts[number] = token;
        }
    }
    Ok(Taken { id, typed: typed(&inward.values, &texts), texts })
}

/// What somebody is looked up by. A user name in the place of an e-mail address goes on as it is; what has an `@` and is
/// no address all the same is somebody's with a slip of the pen, and finds nobody.
fn looked_up(typed: &str, found: Result<String, RelayError>) -> Result<String, Problem> {
    match found {
        Ok(token) => Ok(token),
        Err(RelayError::Value(_)) if !typed.contains('@') => Ok(typed.to_owned()),
        Err(RelayError::Value(_)) => Ok("nobody@token.invalid".to_owned()),
        Err(other) => Err(refused(other)),
    }
}

/// What stands for which token, for this one answer.
fn typed(values: &[Value], texts: &[String]) -> Typed {
    let pairs = values.iter().zip(texts).filter(|(value, _)| !value.text.starts_with(VIEW_PREFIX));
    let known = pairs.filter_map(|(value, text)| {
        let token = StorageToken::parse(text)?;
        Some((token, Zeroizing::new(value.text.to_string())))
    });
    known.collect()
}

fn whose(way: Way<'_>, rule: &InRule, inward: &Inward<'_>, user: Option<&User>) -> Result<Whose, Problem> {
    // A reference of two spellings would make a second person of one whom the app knows.
    let (reference, ambiguous) = match &rule.subject {
        Some(Subject::New(_)) => return Ok(Whose::New),
        Some(Subject::Path(name)) => (way.params.get(name).cloned(), problem::AMBIGUOUS_PATH),
        Some(Subject::Field(source)) => {
            (inward.reference(source).map_err(unreadable)?, unreadable(InError::Twice))
        }
        Some(Subject::Principal) => {
            (user.and_then(|user| user.viewer.person.clone()), problem::PERSON_MISSING)
        }
        None => (None, problem::PERSON_MISSING),
    };
    let reference = reference.filter(|text| !text.starts_with(VIEW_PREFIX)).ok_or(problem::PERSON_MISSING)?;
    match rule.create {
        true if !is_canonical(&reference) => Err(ambiguous),
        true => Ok(Whose::Create(reference)),
        false => Ok(Whose::Reference(reference)),
    }
}

/// Settles by the app's answer. For somebody new the answer tells the reference, maybe in its body.
async fn conclude(
    way: Way<'_>,
    rule: &InRule,
    asked: &Asked,
    (id, user): (Option<[u8; 16]>, Option<&User>),
    answer: Response<FromApp>,
) -> Result<Given, Problem> {
    let location = answer.headers().get(header::LOCATION).and_then(|value| value.to_str().ok());
    let leads_to =
        location.and_then(|location| path_of(way, asked, location)).and_then(|path| segments(&path));
    if !rule.accepts(answer.status(), leads_to.as_deref(), way.params) {
        settle(way, id, Outcome::Abandoned, None).await.map_err(refused)?;
        return Ok(Given::Streaming(answer));
    }
    let Some(Subject::New(bind)) = &rule.subject else {
        settle(way, id, Outcome::Accepted(None), user).await.map_err(|_| problem::NOT_COMMITTED)?;
        return Ok(Given::Streaming(answer));
    };
    let (given, reference) = match bind {
        Bind::Location(pattern) => {
            let reference = leads_to.and_then(|path| way.setup.routes.reference(pattern, &path));
            (Given::Streaming(answer), reference)
        }
        Bind::Header(name) => {
            let reference =
                answer.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
            (Given::Streaming(answer), reference)
        }
        Bind::Json(pointer) => {
            let (head, body) = answer.into_parts();
            match read_verdict(way, body).await {
                Read::Whole(bytes) => {
                    let whole: Option<serde_json::Value> = serde_json::from_slice(&bytes).ok();
                    let reference =
                        whole.as_ref().and_then(|whole| whole.pointer(pointer)).and_then(|one| match one {
                            serde_json::Value::String(text) => Some(text.clone()),
                            serde_json::Value::Number(number) => Some(number.to_string()),
                            _ => None,
                        });
                    (Given::Whole(head, bytes), reference)
                }
                Read::More(before, rest) => (Given::Begun(head, before, rest), None),
                Read::Full | Read::Broken => {
                    let _ = settle(way, id, Outcome::Unknown, None).await;
                    return Err(no_answer(Missed::Broken));
                }
            }
        }
    };
    // An app that redirects back to its form has not taken it.
    let outcome = match reference.filter(|text| !text.is_empty()) {
        Some(reference) => Outcome::Accepted(Some(reference)),
        None => Outcome::Abandoned,
    };
    settle(way, id, outcome, user).await.map_err(|_| problem::NOT_COMMITTED)?;
    Ok(given)
}

/// The path of a `Location` (RFC 9110 §10.2.2), where it stays within this app.
fn path_of(way: Way<'_>, asked: &Asked, location: &str) -> Option<String> {
    let bare = location.split(['?', '#']).next()?;
    let rest = ["https://", "http://", "//"].iter().find_map(|scheme| bare.strip_prefix(scheme));
    if let Some(rest) = rest {
        let (authority, path) = rest.split_at(rest.find('/')?);
        let own = asked.host.as_bytes().eq_ignore_ascii_case(authority.as_bytes());
        let known = !way.setup.hosts.is_empty() && way.setup.knows(authority);
        return (own || known).then(|| path.to_owned());
    }
    match bare.as_bytes().first()? {
        b'/' => Some(bare.to_owned()),
        // Relative to the folder of the page that was asked for.
        _ if !bare.contains(':') => {
            let folder = &asked.path[..=asked.path.rfind('/')?];
            Some(format!("{folder}{bare}"))
        }
        _ => None,
    }
}

async fn settle(
    way: Way<'_>,
    id: Option<[u8; 16]>,
    outcome: Outcome,
    user: Option<&User>,
) -> Result<(), RelayError> {
    let Some(id) = id else { return Ok(()) };
    let word = match outcome {
        Outcome::Accepted(_) => "committed",
        Outcome::Abandoned => "abandoned",
        Outcome::Unknown => "unknown",
    };
    let done = way.gateway.relay.settle(id, outcome, user.map(|user| user.viewer.clone())).await;
    let route = way.name().unwrap_or_default();
    way.emit(Event::Settled { route, outcome: if done.is_ok() { word } else { "failed" } });
    done
}
