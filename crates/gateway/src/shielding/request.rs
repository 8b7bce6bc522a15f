//! The way in: head, then body as far as it is inspected, and only then may anything go on. It comes before the app is asked who
//! the user is, since that question carries the user's own cookies.

use super::asked::{OwnHead, context, reference};
use super::inspection::{Inspection, Step};
use super::refused::answer;
use crate::arriving::{Arriving, Pace};
use crate::body::{Cut, WHOLE};
use crate::config::{BodyOver, ShieldMode};
use crate::decode::{self, DecodeError};
use crate::events::Side;
use crate::exchange::{Asked, Way, cut_off};
use crate::held::Holding;
use crate::problem::{self, Problem};
use crate::upstream::Body;
use bytes::Bytes;
use http::Response;
use http::header::{self, HeaderMap};
use shield::seclang::Mode;
use shield::{Transaction, Verdict};

/// What comes of the way in.
pub(crate) enum Passed {
    /// It may go on; its body, of which the beginning may have been read.
    On(Arriving),
    /// It was refused, and this is the answer.
    Answered(Response<Body>),
}

/// What of a body the rules get.
enum Taken {
    /// All of it, or nothing where they want none.
    Whole(Bytes),
    /// Its beginning.
    Beginning(Bytes),
    /// It is refused for what it is, or would be.
    Refused(Problem),
}

/// Inspects a request. What goes on leaves its inspection where the answer finds it.
pub(crate) async fn request(way: Way<'_>, asked: &Asked, mut arriving: Arriving) -> Result<Passed, Problem> {
    let mode = way.setup.shield.mode_of(way.route);
    if mode == ShieldMode::Off {
        return Ok(Passed::On(arriving));
    }
    let rules = way.setup.shield.rules.clone().ok_or(problem::SHIELD_UNAVAILABLE)?;
    let reference = reference(way);
    let transaction =
        Transaction::new(&rules.engine, &way.gateway.collections, context(way, asked, &reference))
            .with_overlay(rules.overlay(way.route))
            .reading_closely()
            .with_texts(way.route.and_then(|route| route.texts(&asked.method)))
            .in_mode(if mode == ShieldMode::Block { Mode::On } else { Mode::DetectionOnly });
    let mut inspection = Inspection {
        transaction: Some(transaction),
        rules,
        room: way.gateway.room.clone(),
        learned: way.gateway.learned.clone(),
        client: Some(crate::headers::client(&asked.headers, &asked.origin(way.setup))),
        sharer: asked.client(way),
        sink: way.gateway.sink.clone(),
        route: way.name(),
        method: asked.method.clone(),
        mode,
        reference,
        status: 0,
        refused: None,
        own: None,
        is_told: false,
    };
    let step = if arriving.is_end_stream() {
        head_alone(&mut inspection, asked).await
    } else {
        with_body(way, &mut inspection, asked, &mut arriving).await.map_err(|cut| cut_off(way, cut))?
    };
    let problem = match &step {
        Step::On => {
            way.inspection.put(inspection);
            return Ok(Passed::On(arriving));
        }
        Step::Lost => problem::SHIELD_UNAVAILABLE,
        Step::Refuse(_) => {
            inspection.own.or_else(|| inspection.refusal()).unwrap_or(problem::REQUEST_REFUSED)
        }
    };
    let verdict = if let Step::Refuse(verdict) = step { Some(verdict) } else { None };
    inspection.refused = Some(Side::Request);
    Ok(Passed::Answered(answer(way, asked, &mut inspection, problem, verdict)))
}

/// A request without a body, in one step: rules may decide by its head only in the phase of the body.
async fn head_alone(inspection: &mut Inspection, asked: &Asked) -> Step {
    let head = OwnHead::of(asked);
    let bytes = head.len();
    let both = move |transaction: &mut Transaction| {
        head.inspect(transaction).or_else(|| transaction.request_body(b"", true))
    };
    inspection.step(bytes, both).await
}

async fn with_body(
    way: Way<'_>,
    inspection: &mut Inspection,
    asked: &Asked,
    arriving: &mut Arriving,
) -> Result<Step, Cut> {
    let head = OwnHead::of(asked);
    let bytes = head.len();
    let step = inspection.step(bytes, move |transaction| head.inspect(transaction)).await;
    if !matches!(step, Step::On) {
        return Ok(step);
    }
    let wanted = inspection.transaction.as_ref().is_some_and(|transaction| transaction.wanted_of_body() > 0);
    let taken = if wanted { body(way, asked, arriving).await? } else { Taken::Whole(Bytes::new()) };
    let (body, is_whole) = match taken {
        Taken::Whole(body) => (body, true),
        Taken::Beginning(body) => (body, false),
        Taken::Refused(problem) => {
            inspection.own = Some(problem);
            if inspection.mode == ShieldMode::Block {
                return Ok(Step::Refuse(Verdict::Deny(problem.status().as_u16())));
            }
            // A trial run looks at what is there.
            (arriving.begun(), arriving.is_whole())
        }
    };
    Ok(inspection
        .step(bytes + body.len(), move |transaction| {
            transaction.body_is_decoded();
            transaction.request_body(&body, is_whole)
        })
        .await)
}

/// Reads a body as far as it is inspected; all of it where a rule takes it apart.
async fn body(way: Way<'_>, asked: &Asked, arriving: &mut Arriving) -> Result<Taken, Cut> {
    let shield = &way.setup.shield;
    let is_trial = shield.mode_of(way.route) == ShieldMode::Detect;
    let refuses = shield.body_over == BodyOver::Refuse;
    let limit = shield.body_limit;
    if refuses && !is_trial && arriving.size_hint().lower() > limit as u64 {
        return Ok(Taken::Refused(problem::TOO_LARGE_TO_INSPECT));
    }
    let ruled = way.route.is_some_and(|route| route.inward(&asked.method).is_some());
    let max_body = way.setup.max_body;
    let (read, pace) = match ruled {
        true if refuses && !is_trial => (limit.min(max_body), Pace::Within(WHOLE)),
        true => (max_body, Pace::Within(WHOLE)),
        false => (limit, Pace::GettingOn),
    };
    arriving.read(read, pace, way.held.beside()).await?;
    let begun = arriving.begun();
    if ruled && begun.len() > max_body {
        return Err(Cut::Size);
    }
    let (begun, is_whole) = match coding_of(&asked.headers) {
        None => (begun, arriving.is_whole()),
        Some(_) if !arriving.is_whole() => return Ok(Taken::Refused(problem::BODY_ENCODED)),
        Some(coding) => match decoded(way, asked, coding, begun).await? {
            // The app gets the very bytes that the rules have seen: it may not know the coding, or read what stands behind it.
            Ok((decoded, held)) => {
                arriving.become_decoded(decoded.clone(), held);
                (decoded, true)
            }
            Err(refused) => return Ok(Taken::Refused(refused)),
        },
    };
    Ok(match (is_whole && begun.len() <= limit, refuses) {
        (true, _) => Taken::Whole(begun),
        (false, true) => Taken::Refused(problem::TOO_LARGE_TO_INSPECT),
        (false, false) => Taken::Beginning(begun.slice(..begun.len().min(limit))),
    })
}

/// A body without its coding, and what is held for it; or why it is refused: what the app might read and the rules cannot would
/// pass by them.
async fn decoded(
    way: Way<'_>,
    asked: &Asked,
    coding: String,
    body: Bytes,
) -> Result<Result<(Bytes, Holding), Problem>, Cut> {
    let limit = way.setup.shield.body_limit;
    let held = way.held.beside();
    // All that it may become, before any of it is there. A trial run refuses nobody for that.
    if !held.take(limit) {
        let is_trial = way.setup.shield.mode_of(way.route) == ShieldMode::Detect;
        return if is_trial { Ok(Err(problem::FULL)) } else { Err(Cut::Full) };
    }
    let work = move || decode::decode(&coding, &body, limit);
    Ok(match way.gateway.room.work(asked.client(way), work).await {
        Some(Ok(decoded)) => {
            held.shrink_to(decoded.len());
            Ok((decoded.into(), held))
        }
        Some(Err(DecodeError::Size)) => Err(problem::TOO_LARGE_TO_INSPECT),
        Some(Err(_)) => Err(problem::BODY_ENCODED),
        None => Err(problem::SHIELD_UNAVAILABLE),
    })
}

/// The codings of a body, where it has any.
fn coding_of(headers: &HeaderMap) -> Option<String> {
    let all = headers.get_all(header::CONTENT_ENCODING).iter();
    let all: Vec<_> = all.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned()).collect();
    let all = all.join(",");
    let named =
        all.split(',').map(str::trim).filter(|one| !one.is_empty() && !one.eq_ignore_ascii_case("identity"));
    let named: Vec<_> = named.collect();
    (!named.is_empty()).then(|| named.join(", "))
}
