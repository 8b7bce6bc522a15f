//! Schicht: shift roster, worker file, health declarations and return-to-work cases of a plant. A small app as a team
//! would write it: HTML and JSON, its own sign-in, its own database, its own checks. It is what the demo protects, and
//! knows nothing of what stands in front of it.

mod api;
mod auth;
mod bem;
mod page;
mod roster;
mod store;
mod text;
mod workers;

pub use auth::{ACCOUNTS, Account};

use auth::{Claims, Keys};
use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post};
use axum::{Form, Router};
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, IF_NONE_MATCH, REFERER, SET_COOKIE,
};
use http::{HeaderMap, HeaderName, StatusCode};
use page::{Answer, Page, redirect};
use serde::Deserialize;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use store::Store;
use text::Texts;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// Largest upload in bytes.
const UPLOAD: usize = 5 << 20;

/// How to run.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where to listen, in clear text: on this machine alone.
    pub listen: SocketAddr,
    /// The database file.
    pub database: PathBuf,
}

/// Why it does not run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SampleError {
    /// The address.
    #[error("cannot listen: {0}")]
    Listen(#[from] std::io::Error),
    /// The database.
    #[error("the database cannot be opened")]
    Database,
    /// Keys or texts.
    #[error("keys or texts cannot be made")]
    Keys,
}

/// A running app.
pub struct Running {
    /// Where it listens.
    pub address: SocketAddr,
    /// Its public keys (RFC 7517), as `/.well-known/jwks.json` gives them.
    pub jwks: String,
    stop: oneshot::Sender<()>,
    served: JoinHandle<()>,
}

impl Running {
    /// Ends it.
    pub async fn stop(self) {
        let _ = self.stop.send(());
        let _ = self.served.await;
    }
}

/// What every page needs.
#[derive(Clone)]
pub(crate) struct App {
    pub(crate) store: Store,
    pub(crate) keys: Arc<Keys>,
    pub(crate) texts: Texts,
}

/// Starts it.
///
/// # Errors
/// The address is taken, or the database cannot be opened.
pub async fn start(options: Options) -> Result<Running, SampleError> {
    let store = Store::open(&options.database).map_err(|_| SampleError::Database)?;
    let keys = Arc::new(Keys::generate().ok_or(SampleError::Keys)?);
    let texts = Texts::load().ok_or(SampleError::Keys)?;
    let listener = TcpListener::bind(options.listen).await?;
    let address = listener.local_addr()?;
    let jwks = keys.jwks.clone();
    let app = router(App { store, keys, texts });
    let (stop, stopped) = oneshot::channel();
    let served = tokio::spawn(async move {
        let serving = axum::serve(listener, app);
        let ended = async { drop(stopped.await) };
        tokio::select! {
            _ = serving => {}
            () = ended => {}
        }
    });
    Ok(Running { address, jwks, stop, served })
}

fn router(app: App) -> Router {
    Router::new()
        .route("/", get(home))
        .route("/sign-in", get(sign_in_page).post(sign_in))
        .route("/sign-out", post(sign_out))
        .route("/language", post(language))
        .route("/whoami", get(whoami))
        .route("/.well-known/jwks.json", get(jwks))
        .route("/static/schicht.css", get(css))
        .route("/static/board.js", get(board_js))
        .route("/roster", get(roster::page))
        .route("/board", get(roster::board))
        .route("/workers", get(workers::list).post(workers::create))
        .route("/workers/new", get(workers::new))
        .route("/workers/{id}", get(workers::file).post(workers::save))
        .route("/workers/{id}/edit", get(workers::edit))
        .route("/workers/{id}/health", get(workers::health).post(workers::save_health))
        .route("/workers/{id}/documents", post(workers::upload))
        .route("/workers/{id}/documents/{number}", get(workers::document))
        .route("/export/workers.csv", get(workers::export))
        .route("/bem", get(bem::list))
        .route("/bem/{id}", get(bem::case))
        .route("/bem/{id}/notes", post(bem::add_note))
        .route("/api/workers", get(api::workers).post(api::create))
        .route("/api/workers/{id}", get(api::worker).patch(api::patch))
        .route("/api/roster", get(api::roster))
        .fallback(nothing)
        .layer(DefaultBodyLimit::max(UPLOAD + (64 << 10)))
        .with_state(app)
}

impl App {
    /// The page of somebody who is signed in, or the way to the sign-in.
    pub(crate) fn page<'a>(&'a self, headers: &'a HeaderMap) -> Result<(Claims, Page<'a>), Answer> {
        let claims = self.keys.who(headers).ok_or_else(|| redirect("/sign-in"))?;
        let page = Page::new(self.texts.of(headers), Some(&claims), headers);
        Ok((claims, page))
    }

    /// The page of whoever asks.
    pub(crate) fn open_page<'a>(&'a self, headers: &'a HeaderMap) -> Page<'a> {
        Page::new(self.texts.of(headers), None, headers)
    }
}

type State = axum::extract::State<App>;

async fn home(app: State, headers: HeaderMap) -> Answer {
    redirect(if app.keys.who(&headers).is_some() { "/roster" } else { "/sign-in" })
}

async fn sign_in_page(app: State, headers: HeaderMap) -> Answer {
    app.open_page(&headers).sign_in("", false)
}

#[derive(Deserialize)]
struct SignIn {
    login: String,
    password: String,
    csrf: String,
}

async fn sign_in(app: State, headers: HeaderMap, Form(form): Form<SignIn>) -> Answer {
    let page = app.open_page(&headers);
    if !auth::is_ours(&headers, &form.csrf) {
        return page.problem(StatusCode::FORBIDDEN, "csrf");
    }
    let token = match auth::account(&form.login, &form.password) {
        Some(account) => app.keys.sign(format!("u-{}", account.login), account.role, None),
        None => match app.store.by_email(form.login.clone()).await {
            Ok(Some(worker)) if worker.personnel_no == form.password => {
                app.keys.sign(format!("w-{}", worker.id), "worker", Some(worker.id.to_string()))
            }
            _ => return page.sign_in(&form.login, true),
        },
    };
    let Some(token) = token else { return page.problem(StatusCode::INTERNAL_SERVER_ERROR, "forbidden") };
    let mut answer = redirect("/roster");
    answer.header(SET_COOKIE, &format!("{}={token}; Path=/; HttpOnly; Secure; SameSite=Lax", auth::SESSION));
    answer
}

#[derive(Deserialize)]
pub(crate) struct Csrf {
    pub(crate) csrf: String,
}

async fn sign_out(app: State, headers: HeaderMap, Form(form): Form<Csrf>) -> Answer {
    if !auth::is_ours(&headers, &form.csrf) {
        return app.open_page(&headers).problem(StatusCode::FORBIDDEN, "csrf");
    }
    let mut answer = redirect("/sign-in");
    answer.header(
        SET_COOKIE,
        &format!("{}=; Path=/; Max-Age=0; HttpOnly; Secure; SameSite=Lax", auth::SESSION),
    );
    answer
}

async fn language(app: State, headers: HeaderMap, Form(form): Form<Csrf>) -> Answer {
    let page = app.open_page(&headers);
    if !auth::is_ours(&headers, &form.csrf) {
        return page.problem(StatusCode::FORBIDDEN, "csrf");
    }
    let other = if page.language.code == "de" { "en" } else { "de" };
    // Back to where one came from, as long as that is a path of this app.
    let from = headers.get(REFERER).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let path = from.split_once("://").and_then(|(_, rest)| rest.find('/').map(|at| &rest[at..]));
    let mut answer = redirect(path.filter(|path| !path.starts_with("//")).unwrap_or("/"));
    answer.header(SET_COOKIE, &format!("lang={other}; Path=/; Max-Age=31536000; Secure; SameSite=Lax"));
    answer
}

async fn whoami(app: State, headers: HeaderMap) -> Answer {
    match app.keys.who(&headers) {
        Some(claims) => Answer::json(
            StatusCode::OK,
            &serde_json::json!({ "sub": claims.sub, "role": claims.role, "ref": claims.reference }),
        ),
        None => Answer::json(StatusCode::UNAUTHORIZED, &serde_json::json!({ "error": "not signed in" })),
    }
}

async fn jwks(app: State) -> Answer {
    let mut answer = Answer::new(StatusCode::OK, app.keys.jwks.clone().into_bytes());
    answer.header(CONTENT_TYPE, "application/json");
    answer
}

async fn css(headers: HeaderMap) -> Answer {
    asset(&headers, include_str!("../static/schicht.css"), "text/css; charset=utf-8")
}

async fn board_js(headers: HeaderMap) -> Answer {
    asset(&headers, include_str!("../static/board.js"), "text/javascript; charset=utf-8")
}

fn asset(headers: &HeaderMap, text: &'static str, kind: &'static str) -> Answer {
    let tag = format!("\"{:x}\"", text.len());
    let known = headers.get(IF_NONE_MATCH).is_some_and(|value| value.as_bytes() == tag.as_bytes());
    let mut answer = if known {
        Answer::new(StatusCode::NOT_MODIFIED, Vec::new())
    } else {
        Answer::new(StatusCode::OK, text.as_bytes().to_vec())
    };
    answer.header(CONTENT_TYPE, kind);
    answer.header(ETAG, &tag);
    answer.header(CACHE_CONTROL, "public, max-age=60");
    answer
}

async fn nothing(app: State, headers: HeaderMap) -> Answer {
    app.open_page(&headers).problem(StatusCode::NOT_FOUND, "not-found")
}

/// Headers of every page.
pub(crate) const PAGE_HEADERS: [(HeaderName, &str); 3] = [
    (
        CONTENT_SECURITY_POLICY,
        "default-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    ),
    (http::header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (http::header::REFERRER_POLICY, "same-origin"),
];
