//! `…/shield`: how the shield is, what it saw, and what it leaves out. Like the pages, for the app behind the gateway alone.

use crate::Console;
use crate::attacks_view::{AttacksView, Exclusion, ExclusionSource, NewExclusion, ShieldDoes};
use crate::body::{Answer, Parsed, to_the_end};
use crate::caller::{Caller, Place};
use crate::problem::{BAD_REQUEST, Problem, UNKNOWN_ATTACK};
use crate::shielding::Hand;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use http::StatusCode;
use model::{PrincipalId, TenantId, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use watch::attacks::{Attack, Counted, Mode, Outcome, Place as Where, Rule, Side, Span, Step, Wanted};

/// Most events of one answer.
const MOST: usize = 200;

fn hand(console: Console, caller: Caller) -> Hand {
    Hand { console, vault: caller.vault, ctx: caller.ctx, tenant: caller.tenant }
}

/// What the shield does somewhere.
#[derive(Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Does {
    Block,
    Detect,
    Off,
}

impl From<ShieldDoes> for Does {
    fn from(does: ShieldDoes) -> Self {
        match does {
            ShieldDoes::Block => Self::Block,
            ShieldDoes::Detect => Self::Detect,
            ShieldDoes::Off => Self::Off,
        }
    }
}

/// What became of an event.
#[derive(Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Became {
    /// It was refused.
    Refused,
    /// It would have been, but the shield only detects there.
    WouldRefuse,
    /// It passed.
    Passed,
}

impl From<Outcome> for Became {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Refused => Self::Refused,
            Outcome::WouldRefuse => Self::WouldRefuse,
            Outcome::Passed => Self::Passed,
        }
    }
}

/// How many.
#[derive(Clone, Copy, Serialize, ToSchema)]
pub(crate) struct Counts {
    refused: u64,
    would_refuse: u64,
    passed: u64,
}

impl From<Counted> for Counts {
    fn from(counted: Counted) -> Self {
        Self { refused: counted.refused, would_refuse: counted.would, passed: counted.passed }
    }
}

/// How the shield is, and what it counted.
#[derive(Serialize, ToSchema)]
pub(crate) struct Shield {
    /// `block`, `detect` or `off`, where a route says nothing else.
    mode: Does,
    /// Routes with another mode.
    routes: Vec<RouteMode>,
    /// Name and version of the rules; none for the program's own.
    rules: Option<String>,
    /// How many run.
    running: usize,
    /// When they were loaded, RFC 3339.
    loaded: Option<String>,
    /// When a later reload failed, RFC 3339: older rules run than those on the disk.
    stale: Option<String>,
    /// By hour, oldest first; the last one is not over.
    hours: Vec<Hour>,
    /// Matches by rule in these hours, most first.
    by_rule: Vec<RuleCount>,
    /// Events by route.
    by_route: Vec<RouteCount>,
    /// Events of which, in a flood, only the outcome is known: they are in `hours` alone.
    untold: u64,
}

/// A route with its mode.
#[derive(Serialize, ToSchema)]
pub(crate) struct RouteMode {
    route: String,
    mode: Does,
}

/// What was counted in an hour.
#[derive(Serialize, ToSchema)]
pub(crate) struct Hour {
    /// When it began, RFC 3339.
    from: String,
    counts: Counts,
}

/// A rule with how often it matched.
#[derive(Serialize, ToSchema)]
pub(crate) struct RuleCount {
    /// None for those beyond 256 an hour, counted together.
    rule: Option<u64>,
    counts: Counts,
}

/// A route with its events.
#[derive(Serialize, ToSchema)]
pub(crate) struct RouteCount {
    /// None where no route fits.
    route: Option<String>,
    counts: Counts,
}

/// How far back.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Back {
    hours: Option<u16>,
}

/// How the shield is, and what it counted by hour, rule and route.
#[utoipa::path(get, operation_id = "shield", path = "/v1/tenants/{tenant}/shield", tag = "shield",
    params(("tenant" = String, Path), ("hours" = Option<u16>, Query, description = "How many hours back, 1 to 720; 24 if not said.")),
    responses((status = 200, body = Shield)))]
pub(crate) async fn state(
    State(console): State<Console>,
    caller: Caller,
    back: Result<Query<Back>, QueryRejection>,
) -> Result<Answer<Shield>, Problem> {
    let Query(back) = back.map_err(|_| BAD_REQUEST.in_request(caller.ctx.request))?;
    let now = caller.vault.now().map_err(|fault| caller.explain(fault))?;
    let span = Span::ending(now, Step::Hours(1), usize::from(back.hours.unwrap_or(24).clamp(1, 720)));
    let look = move |view: &dyn AttacksView| (view.shield(), view.attacks().tally(&span, &Wanted::default()));
    let (state, tally) = hand(console, caller).look(look).await?;
    let place = |place: Where| match place {
        Where::Nowhere => None,
        Where::Route(name) => Some(name.as_ref().to_owned()),
        Where::Others => Some("*".to_owned()),
    };
    let shield = Shield {
        mode: state.does.into(),
        routes: state
            .routes
            .into_iter()
            .map(|(route, does)| RouteMode { route, mode: does.into() })
            .collect(),
        rules: state.rules,
        running: state.count,
        loaded: state.loaded.map(Timestamp::rfc3339),
        stale: state.stale.map(Timestamp::rfc3339),
        hours: span
            .begins()
            .zip(tally.columns)
            .map(|(from, counted)| Hour { from: from.rfc3339(), counts: counted.into() })
            .collect(),
        by_rule: tally
            .rules
            .into_iter()
            .map(|(rule, counted)| RuleCount { rule, counts: counted.into() })
            .collect(),
        by_route: tally
            .places
            .into_iter()
            .map(|(one, counted)| RouteCount { route: place(one), counts: counted.into() })
            .collect(),
        untold: tally.untold,
    };
    Ok(Answer(StatusCode::OK, shield))
}

/// Which events.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Asked {
    since_ms: Option<i64>,
    route: Option<String>,
    rule: Option<u64>,
    mode: Option<Mode>,
    outcome: Option<Became>,
    before: Option<u64>,
    limit: Option<usize>,
}

impl Asked {
    fn wanted(&self) -> Wanted {
        Wanted {
            since: self.since_ms.map(Timestamp),
            place: self.route.as_deref().map(|name| match name {
                "" => Where::Nowhere,
                name => Where::Route(name.into()),
            }),
            rule: self.rule,
            mode: self.mode,
            outcome: self.outcome.map(|outcome| match outcome {
                Became::Refused => Outcome::Refused,
                Became::WouldRefuse => Outcome::WouldRefuse,
                Became::Passed => Outcome::Passed,
            }),
        }
    }
}

/// Events, newest first.
#[derive(Serialize, ToSchema)]
pub(crate) struct Events {
    events: Vec<Event>,
    /// For `before` of the next page; none on the last.
    next: Option<u64>,
}

/// One event. Nothing of what the client sent is kept, nor its address or the path.
#[derive(Serialize, ToSchema)]
pub(crate) struct Event {
    /// What stands on the page of who was refused.
    reference: String,
    /// RFC 3339.
    at: String,
    /// None where no route fits.
    route: Option<String>,
    method: String,
    /// `block` or `detect`.
    #[schema(value_type = String)]
    mode: Mode,
    outcome: Became,
    /// The status that the client got, or would have got; 0 for none.
    status: u16,
    /// `request` or `answer`.
    #[schema(value_type = String)]
    side: Side,
    score: i64,
    /// The rule that decided.
    by: Option<u64>,
    /// Why the shield refused by itself.
    refusal: Option<String>,
    rules: Vec<Match>,
}

/// A rule that matched.
#[derive(Serialize, ToSchema)]
pub(crate) struct Match {
    rule: u64,
    /// From 0 (emergency) to 7 (debug).
    severity: Option<u8>,
    message: String,
    tags: Vec<String>,
    /// What it looked at, such as `ARGS:note`; a name that is no plain one is `…`.
    target: Option<String>,
}

impl From<Attack> for Event {
    fn from(attack: Attack) -> Self {
        let outcome = attack.outcome().into();
        let of = |rule: Rule| Match {
            rule: rule.id,
            severity: rule.severity,
            message: rule.message.as_ref().to_owned(),
            tags: rule.tags.iter().map(ToString::to_string).collect(),
            target: rule.target.map(Into::into),
        };
        Self {
            reference: attack.reference.into(),
            at: attack.at.rfc3339(),
            route: attack.route.map(|name| name.as_ref().to_owned()),
            method: attack.method.into(),
            mode: attack.mode,
            outcome,
            status: attack.status,
            side: attack.side,
            score: attack.score,
            by: attack.by,
            refusal: attack.refusal.map(Into::into),
            rules: attack.rules.into_iter().map(of).collect(),
        }
    }
}

/// List events that are kept in detail, newest first.
///
/// Of a flood, some of each kind are kept, and all are counted.
#[utoipa::path(get, operation_id = "attacks", path = "/v1/tenants/{tenant}/shield/attacks", tag = "shield",
    params(("tenant" = String, Path),
        ("since_ms" = Option<i64>, Query, description = "Since when, ms since 1970."),
        ("route" = Option<String>, Query, description = "On this route; empty: where no route fits."),
        ("rule" = Option<u64>, Query, description = "In which this rule matched."),
        ("mode" = Option<String>, Query, description = "`block` or `detect`."),
        ("outcome" = Option<String>, Query, description = "`refused`, `would_refuse` or `passed`."),
        ("before" = Option<u64>, Query, description = "The `next` of the page before."),
        ("limit" = Option<usize>, Query, description = "Most events, 1 to 200; 50 if not said.")),
    responses((status = 200, body = Events)))]
pub(crate) async fn list(
    State(console): State<Console>,
    caller: Caller,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Result<Answer<Events>, Problem> {
    let Query(asked) = asked.map_err(|_| BAD_REQUEST.in_request(caller.ctx.request))?;
    let limit = asked.limit.unwrap_or(50).clamp(1, MOST);
    let listed = hand(console, caller)
        .look(move |view| view.attacks().list(&asked.wanted(), asked.before, limit))
        .await?;
    let events = listed.attacks.into_iter().map(|(_, attack)| attack.into()).collect();
    Ok(Answer(StatusCode::OK, Events { events, next: listed.next }))
}

/// One event by its reference number.
#[utoipa::path(get, operation_id = "attack", path = "/v1/tenants/{tenant}/shield/attacks/{reference}", tag = "shield",
    params(("tenant" = String, Path), ("reference" = String, Path)),
    responses((status = 200, body = Event)))]
pub(crate) async fn one(
    State(console): State<Console>,
    caller: Caller,
    Place((_, reference)): Place<(TenantId, String)>,
) -> Result<Answer<Event>, Problem> {
    let request = caller.ctx.request;
    let found = hand(console, caller).look(move |view| view.attacks().one(&reference)).await?;
    let attack = found.ok_or(UNKNOWN_ATTACK.in_request(request))?;
    Ok(Answer(StatusCode::OK, attack.into()))
}

/// Everything that the shield leaves out.
#[derive(Serialize, ToSchema)]
pub(crate) struct Exclusions {
    exclusions: Vec<Excluded>,
}

/// One exclusion.
#[derive(Serialize, ToSchema)]
pub(crate) struct Excluded {
    /// By which it is taken back.
    exclusion: String,
    /// Whether it can be: one in the configuration is taken back there.
    liftable: bool,
    /// Whether the routes and rules that it names are there.
    effective: bool,
    /// None is everywhere.
    routes: Vec<String>,
    /// An id, a range of ids, or `tag:` and a tag.
    rules: String,
    /// What they do not look at; none where they do not run.
    target: Option<String>,
    because: Option<String>,
    /// RFC 3339.
    since: Option<String>,
    #[schema(value_type = Option<String>)]
    by: Option<PrincipalId>,
}

impl From<Exclusion> for Excluded {
    fn from(one: Exclusion) -> Self {
        Self {
            exclusion: one.id,
            liftable: one.source == ExclusionSource::Console,
            effective: one.effective,
            routes: one.routes,
            rules: one.rules,
            target: one.target,
            because: one.because,
            since: one.since.map(Timestamp::rfc3339),
            by: one.by,
        }
    }
}

/// List what the shield leaves out.
#[utoipa::path(get, operation_id = "exclusions", path = "/v1/tenants/{tenant}/shield/exclusions", tag = "shield",
    params(("tenant" = String, Path)),
    responses((status = 200, body = Exclusions)))]
pub(crate) async fn exclusions(
    State(console): State<Console>,
    caller: Caller,
) -> Result<Answer<Exclusions>, Problem> {
    let all = hand(console, caller).look(|view| view.exclusions()).await?;
    Ok(Answer(StatusCode::OK, Exclusions { exclusions: all.into_iter().map(Into::into).collect() }))
}

/// Rules to be excluded.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"routes": ["workers"], "rules": "942100", "target": "ARGS:note", "because": "prose is written there"}))]
pub(crate) struct Exclude {
    /// Names of routes; none is everywhere.
    #[serde(default)]
    routes: Vec<String>,
    /// An id, a range such as `942100-942199`, or `tag:` and a tag.
    rules: String,
    /// What they shall not look at, such as `ARGS:note`; left out, they do not run.
    target: Option<String>,
    /// Why, 1 to 300 characters. It stands in a file in clear: name nobody.
    because: String,
}

/// Excluded, and in force.
#[derive(Serialize, ToSchema)]
pub(crate) struct Made {
    /// By which it is taken back.
    exclusion: String,
    /// `durable` or `pending`.
    ledger: &'static str,
}

/// Exclude rules.
///
/// When this is answered, it is in force and outlasts a restart.
#[utoipa::path(post, operation_id = "exclude_rules", path = "/v1/tenants/{tenant}/shield/exclusions", tag = "shield", request_body = Exclude,
    params(("tenant" = String, Path)),
    responses((status = 201, body = Made)))]
pub(crate) async fn exclude(
    State(console): State<Console>,
    caller: Caller,
    body: Parsed<Exclude>,
) -> Result<Answer<Made>, Problem> {
    let Exclude { routes, rules, target, because } = body.value;
    let hand = hand(console, caller);
    to_the_end(async move {
        let (ids, logged) = hand.exclude(vec![NewExclusion { routes, rules, target, because }]).await?;
        let exclusion = ids.into_iter().next().unwrap_or_default();
        Ok(Answer(StatusCode::CREATED, Made { exclusion, ledger: super::logged(logged) }))
    })
    .await
}

/// Taken back: the rules run there again.
#[derive(Serialize, ToSchema)]
pub(crate) struct Lifted {
    exclusion: String,
    /// `durable` or `pending`.
    ledger: &'static str,
}

/// Take an exclusion back.
#[utoipa::path(delete, operation_id = "lift_exclusion", path = "/v1/tenants/{tenant}/shield/exclusions/{exclusion}", tag = "shield",
    params(("tenant" = String, Path), ("exclusion" = String, Path)),
    responses((status = 200, body = Lifted)))]
pub(crate) async fn lift(
    State(console): State<Console>,
    caller: Caller,
    Place((_, exclusion)): Place<(TenantId, String)>,
) -> Result<Answer<Lifted>, Problem> {
    let hand = hand(console, caller);
    to_the_end(async move {
        let logged = hand.lift(&exclusion).await?;
        Ok(Answer(StatusCode::OK, Lifted { exclusion, ledger: super::logged(logged) }))
    })
    .await
}
