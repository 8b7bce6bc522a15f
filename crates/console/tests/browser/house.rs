//! A console before a house with people in it, reached over TLS by a browser.

use crate::shielded::Shield;
use crate::world::{NOTICE, NOTICE_TEXT, World};
use console::{Console, Settings};
use model::PersonId;
use model::principal::Role;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use std::sync::Arc;
use testkit::browser::Browser;
use tokio::net::TcpListener;
use tokio::sync::watch;
use vault::consent::AskRequest;
use vault::keys::NewKey;

pub(crate) struct House {
    pub(crate) world: World,
    /// Somebody whose data were read, who allowed something, and who is asked for something else.
    pub(crate) person: PersonId,
    pub(crate) shield: Arc<Shield>,
    address: String,
    _stop: watch::Sender<bool>,
}

impl House {
    pub(crate) async fn open() -> Self {
        let world = World::new().await;
        let person = world.worker(1).await;
        world.consented(person).await;
        world.value(&world.lead, "rostering", person, "name").await;
        world.value(&world.lead, "rostering", person, "health_note").await;
        world.value(&world.manager, "bem", person, "health_note").await;
        let ledger = world.ledger.clone();
        let provable = tokio::task::spawn_blocking(move || ledger.make_provable().expect("provable"));
        provable.await.expect("no panic");
        let console = Console::sealed(Settings::default());
        console.open(world.vault.clone());
        let shield = Shield::new(world.tenant, &world.clock);
        console.watch_attacks(shield.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = format!("https://localhost:{}", listener.local_addr().expect("an address").port());
        let (stop, stopped) = watch::channel(false);
        tokio::spawn(console::serve(listener, certificate(), console, stopped));
        let house = Self { world, person, shield, address, _stop: stop };
        house.ask("bem").await;
        house
    }

    /// Asks the person for her consent.
    pub(crate) async fn ask(&self, purpose: &str) {
        let ask = AskRequest {
            person: self.person,
            purpose: purpose.to_owned(),
            recipient: None,
            notice: NOTICE,
            days: Some(365),
        };
        let world = &self.world;
        let asked = world.vault.ask_consent(&world.ctx(&world.manager), world.tenant, &ask).await;
        asked.expect("asked");
    }

    pub(crate) fn at(&self, path: &str) -> String {
        format!("{}{path}", self.address)
    }

    /// A link that signs somebody in, once.
    pub(crate) async fn link(&self, role: Role) -> String {
        let world = &self.world;
        let subject = Some(self.person).filter(|_| role == Role::Person);
        let expires = Some(model::Clock::now(&world.clock).plus_ms(3_600_000));
        let new = NewKey { name: format!("{role:?}"), role, subject, expires, zone: Vec::new() };
        let issued = world.vault.issue_link(&world.ctx(&world.admin), world.tenant, new).await;
        self.at(&format!("/sign-in/{}", issued.expect("a link").secret.reveal()))
    }

    /// Signs in as a person at a screen does: opens the link, presses the button.
    pub(crate) async fn sign_in(&self, browser: &Browser, role: Role) -> String {
        browser.devtools("Network.clearBrowserCookies", serde_json::json!({})).await.expect("no cookies");
        let link = self.link(role).await;
        browser.open(&link).await.expect("the door");
        browser.press_through("main form .btn").await.expect("pressed");
        let here = browser.address().await.expect("an address");
        assert!(here.ends_with(if role == Role::Person { "/my" } else { "/console" }), "{here}");
        link
    }

    /// The notice, as it has to be shown.
    pub(crate) fn notice(&self) -> &'static str {
        NOTICE_TEXT
    }
}

fn certificate() -> Arc<rustls::ServerConfig> {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).expect("a certificate");
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).expect("a key");
    let chain = vec![CertificateDer::from(made.cert.der().to_vec())];
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let server = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .expect("fits");
    Arc::new(server)
}
