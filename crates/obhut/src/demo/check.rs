//! `obhut demo --check`: the story of one worker, driven over HTTPS from the outside, one line per step.

use super::seed::Seeded;
use crate::canary::{self, Search};
use crate::client::{Answer, Client, trusting};
use crate::config::Config;
use crate::serve::Running;
use crate::system::{Problem, say};
use crate::verify::{self, Verdict};
use http::{Method, StatusCode};
use ledger::verify::{KeyKind, VerifierKey, directory};
use model::token::ApiKey;
use seal::PublicKeys;
use serde_json::{Value, json};

/// The worker of the story. The values are the canaries that must lie nowhere in clear.
const WORKER: [(&str, &str); 6] = [
    ("name", "Kanarina Vogelsang-Öztürk"),
    ("email", "kanarina.vogelsang@werk-sued.example"),
    ("phone", "+493023125999"),
    ("birth_date", "1983-11-07"),
    ("emergency_contact", "Gustav Vogelsang, Bruder, +493023126999"),
    ("health_note", "Bandscheibenvorfall L5/S1, Reha bis Februar"),
];
const REFERENCE: &str = "personnel-kanarina-77";

/// The story so far.
struct Story<'a> {
    client: Client,
    config: &'a Config,
    seeded: &'a Seeded,
    failed: u32,
    person: String,
    worker: Option<ApiKey>,
}

/// Tells the whole story. How many steps failed.
pub(crate) async fn run(config: &Config, running: &Running, seeded: &Seeded) -> Result<u32, Problem> {
    let tls = trusting(&config.tls_cert.with_file_name("authority.pem"))?;
    let client = Client::connect(running.address, tls).await?;
    let mut story = Story { client, config, seeded, failed: 0, person: String::new(), worker: None };
    story.put().await?;
    story.rostering("rostering reads the name, the health note is redacted").await?;
    let consent = story.ask().await?;
    story.give(&consent).await?;
    story.accesses().await?;
    story.withdraw(&consent).await?;
    story.export().await?;
    story.erase().await?;
    story.canaries(running).await?;
    story.ledger(running).await?;
    Ok(story.failed)
}

impl Story<'_> {
    fn step(&mut self, what: &str, ok: bool) {
        say(&format!("  {} {what}", if ok { "ok    " } else { "failed" }));
        self.failed += u32::from(!ok);
    }

    async fn send(
        &mut self,
        method: Method,
        path: &str,
        key: &ApiKey,
        body: Option<Value>,
    ) -> Result<Answer, Problem> {
        let path = format!("/v1/tenants/{}/{path}", self.seeded.tenant);
        self.client.send(method, &path, Some(&key.reveal()), body.as_ref()).await
    }

    async fn post(&mut self, path: &str, key: &ApiKey, body: Value) -> Result<Answer, Problem> {
        self.send(Method::POST, path, key, Some(body)).await
    }

    async fn get(&mut self, path: &str, key: &ApiKey) -> Result<Answer, Problem> {
        self.send(Method::GET, path, key, None).await
    }

    fn worker_key(&self) -> Result<ApiKey, Problem> {
        self.worker.clone().ok_or_else(|| Problem::new("the worker has no key"))
    }

    async fn put(&mut self) -> Result<(), Problem> {
        let fields: serde_json::Map<String, Value> =
            WORKER.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
        let answer =
            self.post("persons", &self.seeded.app, json!({ "ref": REFERENCE, "fields": fields })).await?;
        let body = answer.json();
        body["person"].as_str().unwrap_or_default().clone_into(&mut self.person);
        let tokens = body["tokens"].as_object().map_or(0, serde_json::Map::len);
        self.step(
            "a worker is stored; the app gets six tokens",
            answer.status == StatusCode::CREATED && tokens == 6,
        );
        let key = json!({ "name": "Kanarina's phone", "role": "person", "subject": self.person });
        let answer = self.post("keys", &self.seeded.admin, key).await?;
        self.worker = answer.json()["secret"].as_str().and_then(ApiKey::parse);
        self.step("the worker gets a key of her own", self.worker.is_some());
        let token = body["tokens"]["name"].clone();
        let answer = self
            .post(
                "reveal",
                &self.seeded.shift_lead,
                json!({ "purpose": "rostering", "items": [{ "token": token }] }),
            )
            .await?;
        self.step(
            "the token of the name leads to the name",
            answer.json()["items"][0][0]["value"] == WORKER[0].1,
        );
        let find = json!({ "field": "email", "value": WORKER[1].1.to_uppercase(), "purpose": "sign-in" });
        let found = self.post("find", &self.seeded.app, find).await?.json();
        self.step("the app finds her by e-mail", found["persons"] == json!([self.person]));
        Ok(())
    }

    async fn read(&mut self, key: &ApiKey, purpose: &str, fields: &[&str]) -> Result<Value, Problem> {
        let items = json!([{ "person": self.person, "fields": fields }]);
        let answer = self.post("reveal", key, json!({ "purpose": purpose, "items": items })).await?;
        Ok(answer.json()["items"][0].clone())
    }

    async fn rostering(&mut self, what: &str) -> Result<(), Problem> {
        let read = self.read(&self.seeded.shift_lead, "rostering", &["name", "health_note"]).await?;
        let ok = read[0]["value"] == WORKER[0].1
            && read[1]["decision"] == "redact"
            && read[1].get("value").is_none_or(Value::is_null);
        self.step(what, ok);
        Ok(())
    }

    async fn ask(&mut self) -> Result<String, Problem> {
        let read = self.read(&self.seeded.case_manager, "bem", &["health_note"]).await?;
        self.step(
            "the case manager cannot read the health note without consent",
            read[0]["decision"] == "deny" && read[0]["reason"] == "no_permission",
        );
        let ask = json!({
            "person": self.person, "purpose": "bem", "notice": self.seeded.notice, "days": 180
        });
        let answer = self.post("consents", &self.seeded.case_manager, ask).await?;
        let consent = answer.json()["consent"].as_str().unwrap_or_default().to_owned();
        self.step("the case manager asks for it", answer.json()["state"] == "requested");
        Ok(consent)
    }

    async fn give(&mut self, consent: &str) -> Result<(), Problem> {
        let worker = self.worker_key()?;
        let give = json!({ "digest": "00".repeat(32) });
        let unseen = self.post(&format!("consents/{consent}/give"), &worker, give).await?;
        self.step("nobody can agree to a notice that was not shown", unseen.status.is_client_error());
        let shown = self
            .post(&format!("consents/{consent}/show"), &worker, json!({ "language": "de" }))
            .await?
            .json();
        let text = shown["text"].as_str().unwrap_or_default();
        let digest = data_encoding::HEXLOWER.encode(&seal::sha256(text.as_bytes()));
        self.step(
            "the worker is shown the exact notice",
            !text.is_empty() && shown["digest"] == json!(digest),
        );
        let give = json!({ "digest": digest });
        let forged =
            self.post(&format!("consents/{consent}/give"), &self.seeded.case_manager, give.clone()).await?;
        self.step("the case manager cannot agree for her", forged.status == StatusCode::FORBIDDEN);
        let given = self.post(&format!("consents/{consent}/give"), &worker, give).await?;
        self.step("the worker gives consent", given.json()["state"] == "given");
        let read = self.read(&self.seeded.case_manager, "bem", &["health_note"]).await?;
        self.step("the case manager reads the health note", read[0]["value"] == WORKER[5].1);
        self.rostering("rostering still does not").await
    }

    async fn accesses(&mut self) -> Result<(), Problem> {
        let worker = self.worker_key()?;
        let list = self.get(&format!("persons/{}/accesses", self.person), &worker).await?.json();
        let entries = list["accesses"].as_array().cloned().unwrap_or_default();
        let bem = entries.iter().any(|one| {
            one["event"] == "read"
                && one["actor"] == "BEM team"
                && one["purpose"].as_str().is_some_and(|purpose| purpose.contains("167"))
                && one["fields"].to_string().contains("health_note")
        });
        let lead = entries.iter().any(|one| one["event"] == "read" && one["actor"] == "shift lead, hall 3");
        self.step("the worker sees who read what, and why", bem && lead);
        let path = format!("persons/{}/accesses", self.seeded.first_person);
        let other = self.get(&path, &worker).await?;
        self.step("but not who read about others", other.status.is_client_error());
        Ok(())
    }

    async fn withdraw(&mut self, consent: &str) -> Result<(), Problem> {
        let worker = self.worker_key()?;
        let answer = self.post(&format!("consents/{consent}/withdraw"), &worker, json!({})).await?;
        self.step("the worker takes her consent back", answer.json()["state"] == "withdrawn");
        let read = self.read(&self.seeded.case_manager, "bem", &["health_note"]).await?;
        self.step(
            "the next read says no_permission to the case manager",
            read[0]["decision"] == "deny" && read[0]["reason"] == "no_permission",
        );
        let read = self.read(&self.seeded.officer, "bem", &["health_note"]).await?;
        self.step(
            "and consent_withdrawn to the privacy officer",
            read[0]["decision"] == "deny" && read[0]["reason"] == "consent_withdrawn",
        );
        Ok(())
    }

    async fn export(&mut self) -> Result<(), Problem> {
        let worker = self.worker_key()?;
        let all = self.get(&format!("persons/{}/export", self.person), &worker).await?.json().to_string();
        let own = WORKER.iter().filter(|(name, _)| *name != "emergency_contact");
        let mut whole = own.clone().count() == 5;
        for (_, value) in own {
            whole &= all.contains(value);
        }
        self.step("she exports all her data", whole && all.contains("withdraw"));
        self.step("without what speaks of a third person", !all.contains("Gustav"));
        Ok(())
    }

    async fn erase(&mut self) -> Result<(), Problem> {
        let worker = self.worker_key()?;
        let path = format!("persons/{}/erasure", self.person);
        let erased = self.post(&path, &worker, json!({})).await?;
        self.step("she is erased", erased.status.is_success() && erased.json()["certificate"].is_string());
        let read = self.read(&self.seeded.shift_lead, "rostering", &["name"]).await?;
        self.step("nobody reads her any more", read[0]["decision"] == "deny");
        let gone = self.get(&format!("persons/{}/export", self.person), &worker).await?;
        self.step("her own key opens nothing any more", gone.status.is_client_error());
        let certificate = self.get(&path, &self.seeded.officer).await?.body;
        let keys = self.client.send(Method::GET, "/.well-known/obhut/keys", None, None).await?.body;
        self.certificate(&certificate, &keys);
        Ok(())
    }

    fn certificate(&mut self, certificate: &[u8], keys: &[u8]) {
        let Ok(trusted) = PublicKeys::from_json(keys) else {
            self.step("the key document is readable", false);
            return;
        };
        let valid = verify::certificate(certificate, Some(&trusted))
            .is_ok_and(|(verdict, _)| verdict == Verdict::Valid);
        self.step("the certificate is valid for who trusts the key", valid);
        let consistent =
            verify::certificate(certificate, None).is_ok_and(|(verdict, _)| verdict == Verdict::Consistent);
        self.step("and consistent for who does not", consistent);
        let mut flipped = certificate.to_vec();
        let mut fooled = 0;
        for bit in 0..flipped.len() * 8 {
            flipped[bit / 8] ^= 1 << (bit % 8);
            let verdict = verify::certificate(&flipped, Some(&trusted));
            fooled += u32::from(verdict.is_ok_and(|(verdict, _)| verdict == Verdict::Valid));
            flipped[bit / 8] ^= 1 << (bit % 8);
        }
        self.step(&format!("after any of {} flipped bits it is not valid", flipped.len() * 8), fooled == 0);
    }

    /// Searches every byte on disk, after the job has swept what the erasure left and the files are truncated.
    async fn canaries(&mut self, running: &Running) -> Result<(), Problem> {
        let opened = running.opened().ok_or_else(|| Problem::new("the house is not open"))?.clone();
        let folder = self.config.data.clone();
        let searched = tokio::task::spawn_blocking(move || -> Result<_, Problem> {
            opened.vault.ledger().make_provable().map_err(Problem::from_error("the ledger"))?;
            let deadline = std::time::Duration::from_secs(5);
            opened.store.checkpoint_truncate(deadline).map_err(Problem::from_error("the store"))?;
            let mut canaries: Vec<&str> = WORKER.iter().map(|(_, value)| *value).collect();
            canaries.extend([
                REFERENCE,
                "Vogelsang",
                "Bandscheibenvorfall",
                "kanarina.vogelsang",
                "health_note",
            ]);
            let search = Search::new(&canaries).map_err(Problem::from_error("the search"))?;
            let clean = search.folder(&folder)?;
            let planted_in = folder.join("planted");
            std::fs::create_dir(&planted_in)?;
            let planted = canary::plant(WORKER[5].1, &planted_in)?;
            let control = search.folder(&planted_in)?;
            std::fs::remove_dir_all(&planted_in)?;
            Ok((clean, planted, control))
        });
        let (clean, planted, control) = searched.await.map_err(Problem::from_error("the search"))??;
        for found in &clean.found {
            say(&format!("         canary {} as {} in {}", found.canary, found.form, found.file.display()));
        }
        self.step(
            &format!("no value, name or reference lies open in {} files, {} bytes", clean.files, clean.bytes),
            clean.found.is_empty() && clean.files > 5,
        );
        let mut files: Vec<_> = control.found.iter().map(|found| &found.file).collect();
        files.sort_unstable();
        files.dedup();
        self.step(&format!("the same search finds all {planted} planted disguises"), files.len() == planted);
        Ok(())
    }

    async fn ledger(&mut self, running: &Running) -> Result<(), Problem> {
        let opened = running.opened().ok_or_else(|| Problem::new("the house is not open"))?.clone();
        let (folder, origin) = (self.config.ledger_folder(), self.config.origin.clone());
        let verified = tokio::task::spawn_blocking(move || -> Result<_, Problem> {
            opened.vault.ledger().make_provable().map_err(Problem::from_error("the ledger"))?;
            let public = opened.signing.ed25519_public();
            let key = VerifierKey { name: origin, kind: KeyKind::Ed25519, public };
            Ok(directory(&folder, &[key], &[])?)
        });
        let report = verified.await.map_err(Problem::from_error("the ledger"))??;
        let what = format!("the whole ledger verifies, {} entries", report.entries);
        self.step(&what, report.findings.is_empty() && report.entries > 40);
        Ok(())
    }
}
