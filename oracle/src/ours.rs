//! The shield's engine, loaded from the same texts as the oracle.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use shield::message::{Fields, Request};
use shield::{Collections, Context, Engine, Files, Head, Report, Transaction, Verdict};

use crate::rules::RuleText;

/// Members of persistent collections that are held.
const MEMBERS: usize = 1_000;

/// The shield with rules loaded.
pub struct Ours {
    engine: Arc<Engine>,
    collections: Arc<Collections>,
}

struct Texts<'a>(&'a [RuleText]);

impl Files for Texts<'_> {
    fn read(&self, name: &str) -> Option<Vec<u8>> {
        let found = self.0.iter().find(|text| text.name == name)?;
        Some(found.text.clone().into_bytes())
    }

    fn data(&self, from: &str, name: &str) -> Option<Vec<u8>> {
        fs::read(Path::new(from).parent()?.join(name)).ok()
    }

    fn matching(&self, _: &str, _: &str) -> Vec<String> {
        Vec::new()
    }
}

impl Ours {
    /// Loads rules in the order given.
    pub fn load(texts: &[RuleText]) -> Result<Self, String> {
        let names: Vec<String> = texts.iter().map(|text| text.name.clone()).collect();
        let engine = Engine::load(&Texts(texts), &names, 2).map_err(|faults| {
            let lines: Vec<String> = faults.iter().map(ToString::to_string).collect();
            lines.join("\n")
        })?;
        Ok(Self { engine: Arc::new(engine), collections: Arc::new(Collections::new(MEMBERS)) })
    }

    /// Runs one exchange; a request that is refused ends there, phase 5 apart.
    #[must_use]
    pub fn run(&self, request: &Request) -> Report {
        let mut transaction = self.transaction(request);
        let _verdict = phases(&mut transaction, request);
        transaction.finish()
    }

    /// The rules that matched and report; with `all`, also those that say `nolog`.
    #[must_use]
    pub fn ids(&self, request: &Request, all: bool) -> BTreeSet<u64> {
        // Rules that say `nolog` are noted only where matches are explained.
        let mut transaction = self.transaction(request);
        if all {
            transaction = transaction.explaining();
        }
        let _verdict = phases(&mut transaction, request);
        let matched = transaction.finish().matched;
        matched.iter().filter(|matched| all || matched.logged).map(|matched| matched.rule).collect()
    }

    /// What a rule matched, in all parts of its chain, variables of the rules themselves apart: the names of variables
    /// and the values as they came.
    #[must_use]
    pub fn matches(&self, request: &Request, rule: u64) -> Vec<(&'static str, Vec<u8>)> {
        let mut transaction = self.transaction(request).explaining();
        let _verdict = phases(&mut transaction, request);
        let _report = transaction.finish();
        let found = transaction.explained().into_iter().filter(|found| found.rule == rule);
        let seen = found.filter_map(|found| Some((found.variable?.name(), found.before)));
        seen.filter(|(variable, _)| *variable != "TX" && !variable.starts_with("MATCHED_VAR")).collect()
    }

    fn transaction(&self, request: &Request) -> Transaction {
        let context = Context {
            client: request.client,
            client_port: 40_000,
            server: std::net::Ipv4Addr::LOCALHOST.into(),
            server_port: 80,
            id: "oracle".to_owned(),
            now: 1_790_000_000,
        };
        Transaction::new(&self.engine, &self.collections, context)
    }
}

fn phases(transaction: &mut Transaction, request: &Request) -> Option<Verdict> {
    let headers = borrowed(&request.headers);
    let head = Head {
        method: &request.method,
        target: &request.uri,
        protocol: &request.protocol,
        headers: &headers,
    };
    if let Some(verdict) = transaction.request_head(&head) {
        return Some(verdict);
    }
    if let Some(verdict) = transaction.request_body(&request.body, true) {
        return Some(verdict);
    }
    let response = request.response.as_ref()?;
    let headers = borrowed(&response.headers);
    if let Some(verdict) = transaction.response_head(response.status, &response.protocol, &headers) {
        return Some(verdict);
    }
    if transaction.wants_answer() { transaction.response_window(&response.body, true) } else { None }
}

fn borrowed(fields: &Fields) -> Vec<(&[u8], &[u8])> {
    fields.iter().map(|(name, value)| (name.as_slice(), value.as_slice())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Oracle;

    const RULES: &str = "SecRuleEngine On\nSecRequestBodyAccess On\nSecResponseBodyAccess On\n\
        SecResponseBodyMimeType text/html\n\
        SecRule ARGS \"@contains a\" \"id:1,phase:2,pass,log\"\n\
        SecRule ARGS \"@contains b\" \"id:2,phase:2,deny,status:403,log\"\n\
        SecRule ARGS \"@contains c\" \"id:3,phase:2,pass,nolog\"\n\
        SecRule RESPONSE_BODY \"@contains d\" \"id:4,phase:4,pass,log\"\n\
        SecRule REQUEST_METHOD \"@streq GET\" \"id:5,phase:5,pass,log\"\n";

    #[test]
    fn both_find_the_same_in_small_rules() {
        let texts = [RuleText { name: "t.conf".to_owned(), text: RULES.to_owned() }];
        let (ours, mut oracle) = (Ours::load(&texts).expect("ours"), Oracle::load(&texts).expect("theirs"));
        for (query, status, expected) in [
            ("x=a", None, vec![1, 4, 5]),
            ("x=ab", Some(403), vec![1, 2, 5]),
            ("x=c", None, vec![4, 5]),
            ("", None, vec![4, 5]),
        ] {
            let mut request = Request::new("GET", &format!("/?{query}"));
            let mut response = shield::message::Response::new(200);
            response.headers = vec![(b"Content-Type".to_vec(), b"text/html".to_vec())];
            response.body = b"d".to_vec();
            request.response = Some(response);
            let theirs = oracle.run(&request, false).expect("an outcome");
            assert_eq!(theirs.matched(), expected, "{query}");
            assert_eq!(ours.ids(&request, false).into_iter().collect::<Vec<_>>(), expected, "{query}");
            let verdict = ours.run(&request).verdict;
            assert_eq!(verdict, status.map(Verdict::Deny));
            assert_eq!(theirs.refused.map(|(status, _)| status), status);
        }
        assert!(ours.ids(&Request::new("GET", "/?x=c"), true).contains(&3));
    }

    #[test]
    fn what_cannot_be_honoured_is_said() {
        let texts = [RuleText { name: "t.conf".to_owned(), text: "SecNonsense On\n".to_owned() }];
        let error = Ours::load(&texts).err().expect("an error");
        assert!(error.contains("t.conf"), "{error}");
    }
}
