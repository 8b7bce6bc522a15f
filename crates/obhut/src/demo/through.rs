//! The second half of the story: the same, from the outside, through the gateway and the app's own pages.

use super::app::{self, App, FORM};
use super::browser::{Browser, Page};
use super::seed::Seeded;
use crate::client::Client;
use crate::serve::Running;
use crate::system::{Problem, say};
use http::{Method, StatusCode};
use model::token::ApiKey;
use rustls::ClientConfig;
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::sync::Arc;

/// The worker of this half. All values are canaries: they must lie nowhere in the app's files.
const WORKER: [(&str, &str); 5] = [
    ("name", "Wendelin <Ährenfeld> & Söhne"),
    ("email", "wendelin.aehrenfeld@werk-sued.example"),
    ("phone", "+4930231259777"),
    ("birth_date", "1979-03-14"),
    ("emergency_contact", "Rosamunde Ährenfeld, Schwester"),
];
const NOTE: &str = "Knie operiert, keine Leitern bis März";
/// The name as markup.
const NAME: &str = "Wendelin &lt;Ährenfeld&gt; &amp; Söhne";

struct Story<'a> {
    door: (SocketAddr, Arc<ClientConfig>),
    api: Client,
    seeded: &'a Seeded,
    app: &'a App,
    failed: u32,
    /// The worker's page in the app.
    path: String,
    person: String,
}

/// Tells it. How many steps failed.
pub(crate) async fn run(
    running: &Running,
    seeded: &Seeded,
    app: &App,
    door: (SocketAddr, Arc<ClientConfig>),
) -> Result<u32, Problem> {
    let api = Client::connect(running.address, door.1.clone()).await?;
    let (path, person) = (String::new(), String::new());
    let mut story = Story { door, api, seeded, app, failed: 0, path, person };
    let mut hr = story.staff("hr").await?;
    story.enter(&mut hr).await?;
    let mut lead = story.staff("lead").await?;
    story.roster(&mut lead).await?;
    story.edit(&mut lead).await?;
    story.refused(&mut hr).await?;
    let worker = story.worker().await?;
    story.consent(&worker).await?;
    story.tokens(&mut lead).await?;
    story.erase(&worker, &mut lead).await?;
    story.database()?;
    Ok(story.failed)
}

impl Story<'_> {
    fn step(&mut self, what: &str, ok: bool) {
        say(&format!("  {} {what}", if ok { "ok    " } else { "failed" }));
        self.failed += u32::from(!ok);
    }

    fn browser(&self) -> Browser {
        Browser::new(self.door.0, Some(self.door.1.clone()))
    }

    async fn staff(&self, login: &str) -> Result<Browser, Problem> {
        app::signed_in(self.browser(), login).await
    }

    async fn enter(&mut self, hr: &mut Browser) -> Result<(), Problem> {
        let wrong = [
            ("name", WORKER[0].1),
            ("email", WORKER[1].1),
            ("birth_date", "1979-03-14"),
            ("phone", WORKER[2].1),
        ];
        let mut again = wrong.to_vec();
        again[0].1 = "";
        let shown = hr.fill("/workers/new", "/workers", &FORM, &again).await?;
        let kept = shown.control("email") == WORKER[1].1 && shown.control("phone") == WORKER[2].1;
        self.step(
            "a form that the app does not take comes back with what was typed",
            shown.status == StatusCode::UNPROCESSABLE_ENTITY && kept,
        );
        let saved = hr.fill("/workers/new", "/workers", &FORM, &WORKER).await?;
        saved.location().clone_into(&mut self.path);
        self.step("the worker's form goes in", saved.status == StatusCode::SEE_OTHER && self.path.len() > 9);
        let health = format!("{}/health", self.path);
        let saved = hr.fill(&health, &health, &["health_note"], &[("health_note", NOTE)]).await?;
        self.step("and her health declaration", saved.status == StatusCode::SEE_OTHER);
        let twice = hr.fill("/workers/new", "/workers", &FORM, &WORKER).await?;
        self.step("the app's own UNIQUE still holds", twice.status == StatusCode::CONFLICT);
        let file = hr.get(&self.path).await?;
        let whole =
            WORKER.iter().skip(1).all(|(_, value)| file.text.contains(value)) && file.text.contains(NAME);
        self.step("the worker file shows all of it, as text", whole);
        Ok(())
    }

    async fn roster(&mut self, lead: &mut Browser) -> Result<(), Problem> {
        let page = lead.get("/roster").await?;
        let rows = page.text.matches("<tr>").count();
        let workers = super::seed::worker(5_000);
        let name = workers.fields.get("name").map(|name| name.to_string()).unwrap_or_default();
        let full = page.text.contains(&name) && rows > 50 && !page.text.contains("obh_");
        self.step("the roster shows the names to the shift lead", full);
        let last = WORKER[2].1;
        let json = lead.get("/api/roster").await?;
        let list: Value = serde_json::from_str(&json.text).unwrap_or_default();
        let phones = list["shifts"].as_array().map_or(0, Vec::len);
        self.step(
            "and the board's JSON does too",
            phones == 50 && !json.text.contains(last) && json.text.contains(&name),
        );
        let store = page.headers.get("cache-control").is_some_and(|value| value == "private, no-store");
        self.step("nobody keeps such a page", store && !page.headers.contains_key("etag"));
        let nobody = self.browser().get("/api/roster").await?;
        self.step("nobody is shown nothing", nobody.status == StatusCode::UNAUTHORIZED);
        Ok(())
    }

    async fn edit(&mut self, lead: &mut Browser) -> Result<(), Problem> {
        let edit = format!("{}/edit", self.path);
        let form = lead.get(&edit).await?;
        let masked = form.control("emergency_contact");
        self.step(
            "the edit form masks the emergency contact",
            masked.starts_with("obv_") && form.control("name") == WORKER[0].1,
        );
        let saved = lead.fill(&edit, &self.path.clone(), &FORM, &[("phone", "+4930231259778")]).await?;
        let file = lead.get(&self.path).await?;
        let unchanged = file.text.contains(WORKER[4].1) && file.text.contains("+4930231259778");
        self.step(
            "saving it changes the telephone number and not what it masks",
            saved.status == StatusCode::SEE_OTHER && unchanged,
        );
        let foreign = [("emergency_contact", masked.as_str())];
        let other = lead.fill("/workers/1/edit", "/workers/1", &FORM, &foreign).await?;
        self.step(
            "what masks one person's field is worth nothing in another's",
            other.status == StatusCode::CONFLICT,
        );
        Ok(())
    }

    async fn refused(&mut self, hr: &mut Browser) -> Result<(), Problem> {
        let kind = [("content-type", "application/x-www-form-urlencoded")];
        let body = "csrf=forged&name=Mallory&email=m%40example.org&phone=&birth_date=&emergency_contact=";
        let forged = hr.send(Method::POST, &self.path.clone(), &kind, body).await?;
        let file = hr.get(&self.path).await?;
        self.step(
            "a forged form is refused by the app, and the vault's values stay",
            forged.status == StatusCode::FORBIDDEN && file.text.contains(NAME),
        );
        Ok(())
    }

    async fn worker(&mut self) -> Result<ApiKey, Problem> {
        let find = json!({ "field": "email", "value": WORKER[1].1, "purpose": "sign-in" });
        let found = self.ask("find", &self.seeded.app.clone(), find).await?;
        found["persons"][0].as_str().unwrap_or_default().clone_into(&mut self.person);
        let key = json!({ "name": "own", "role": "person", "subject": self.person });
        let issued = self.ask("keys", &self.seeded.admin.clone(), key).await?;
        let key = issued["secret"].as_str().and_then(ApiKey::parse);
        let id = self.path.rsplit('/').next().unwrap_or_default().to_owned();
        let password = format!("P-{}", 10_000 + id.parse::<u32>().unwrap_or_default());
        let mut browser = self.browser();
        let signed_in = browser.sign_in(WORKER[1].1, &password).await?;
        let own = browser.get(&format!("{}/health", self.path)).await?;
        self.step("the worker signs in with her e-mail address", signed_in);
        self.step("and sees her own declaration", own.control("health_note") == NOTE);
        key.ok_or_else(|| Problem::new("the worker has no key"))
    }

    async fn ask(&mut self, path: &str, key: &ApiKey, body: Value) -> Result<Value, Problem> {
        let path = format!("/v1/tenants/{}/{path}", self.seeded.tenant);
        Ok(self.api.send(Method::POST, &path, Some(&key.reveal()), Some(&body)).await?.json())
    }

    async fn case(&self) -> Result<Page, Problem> {
        let id = self.path.rsplit('/').next().unwrap_or_default();
        self.staff("case").await?.get(&format!("/bem/{id}")).await
    }

    async fn consent(&mut self, worker: &ApiKey) -> Result<(), Problem> {
        let page = self.case().await?;
        let hidden = !page.text.contains(NOTE) && page.text.contains("[masked]");
        self.step(
            "the BEM page masks the health note without consent",
            page.status == StatusCode::OK && hidden,
        );
        let ask =
            json!({ "person": self.person, "purpose": "bem", "notice": self.seeded.notice, "days": 180 });
        let asked = self.ask("consents", &self.seeded.case_manager.clone(), ask).await?;
        let consent = asked["consent"].as_str().unwrap_or_default().to_owned();
        let shown =
            self.ask(&format!("consents/{consent}/show"), worker, json!({ "language": "de" })).await?;
        let give = json!({ "digest": shown["digest"] });
        self.ask(&format!("consents/{consent}/give"), worker, give).await?;
        let page = self.case().await?;
        self.step("shows it once she agrees", page.text.contains(NOTE));
        self.ask(&format!("consents/{consent}/withdraw"), worker, json!({})).await?;
        let page = self.case().await?;
        self.step(
            "and no more when she takes it back",
            !page.text.contains(NOTE) && page.text.contains("[masked]"),
        );
        Ok(())
    }

    async fn tokens(&mut self, lead: &mut Browser) -> Result<(), Problem> {
        let id = self.path.rsplit('/').next().unwrap_or_default();
        let raw = std::fs::read(&self.app.database)?;
        let raw =
            [raw, std::fs::read(self.app.database.with_extension("db-wal")).unwrap_or_default()].concat();
        let at = memchr::memmem::find(&raw, b"obh_").ok_or_else(|| Problem::new("the app has no tokens"))?;
        let token = String::from_utf8_lossy(&raw[at..at + 34]).into_owned();
        let kind = [("content-type", "application/json"), ("x-csrf-token", "x")];
        let body = json!({ "name": token.replace('o', "\\u006f") }).to_string().replace("\\\\", "\\");
        let stolen = lead.send(Method::PATCH, &format!("/api/workers/{id}"), &kind, body).await?;
        let query = lead.get(&format!("/roster?week={}", token.replace('_', "%255f"))).await?;
        self.step(
            "a token that comes from a client is refused, however it is written",
            stolen.status == StatusCode::BAD_REQUEST && query.status == StatusCode::BAD_REQUEST,
        );
        Ok(())
    }

    async fn erase(&mut self, worker: &ApiKey, lead: &mut Browser) -> Result<(), Problem> {
        let erased = self.ask(&format!("persons/{}/erasure", self.person), worker, json!({})).await?;
        let file = lead.get(&self.path).await?;
        let gone = file.text.contains("[erased]") && !file.text.contains("hrenfeld");
        self.step("after her erasure the app shows [erased]", erased["certificate"].is_string() && gone);
        Ok(())
    }

    /// Reads every byte that the app has stored.
    fn database(&mut self) -> Result<(), Problem> {
        let folder = self.app.database.parent().ok_or_else(|| Problem::new("the app has no folder"))?;
        let mut all = Vec::new();
        for file in std::fs::read_dir(folder)? {
            all.extend(std::fs::read(file?.path())?);
        }
        let holds = |text: &str| memchr::memmem::find(&all, text.as_bytes()).is_some();
        let open = WORKER.iter().map(|(_, value)| *value).chain([NOTE, "hrenfeld", "Rosamunde"]).any(holds);
        let seeded = (0..app::WORKERS).any(|number| {
            let worker = super::seed::worker(5_000 + number);
            worker.fields.values().any(|value| value.len() > 6 && holds(value))
        });
        let tokens = memchr::memmem::find_iter(&all, b"obh_").count();
        let what = format!("the app's own database holds tokens ({tokens}) and no value");
        // The control: what the app does store of its own is found.
        self.step(&what, !open && !seeded && tokens > 100 && holds("P-10001"));
        Ok(())
    }
}
