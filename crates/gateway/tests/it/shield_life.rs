//! Rules that change while requests are under way.

use crate::house::{House, shielded};
use crate::limits::Slow;
use crate::shield_in::{BASE, RULE, told};
use std::time::Duration;

const GATEWAY: &str = "[gateway]\nlisten = []\nupstream = \"http://UPSTREAM\"\ntimeout = 60\n[shield]\n";

#[tokio::test(flavor = "multi_thread")]
async fn a_reload_drops_no_request_and_holds_for_the_next() {
    let app = Slow::answering("200 OK").await;
    let house = std::sync::Arc::new(House::shielding(GATEWAY, BASE, app.address).await);
    let mut running = Vec::new();
    for _ in 0..64 {
        let house = house.clone();
        running.push(tokio::spawn(async move { house.get("/elsewhere?q=attack-here").await.0 }));
    }
    app.has(64).await;
    house.gateway.reload(shielded(GATEWAY, app.address, &format!("{BASE}{RULE}")));
    let (head, _) = house.get("/elsewhere?q=attack-here").await;
    assert!(head.starts_with("HTTP/1.1 403"), "the new rules hold at once: {head}");
    app.go.add_permits(64);
    for one in running {
        let head =
            tokio::time::timeout(Duration::from_secs(20), one).await.expect("in time").expect("an answer");
        assert!(head.starts_with("HTTP/1.1 200"), "under way it ends under the old ones: {head}");
    }
    assert_eq!(told(&house).len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_rules_remember_outlives_a_reload() {
    let counting = r#"
SecAction "id:101,phase:1,pass,nolog,initcol:ip=%{REMOTE_ADDR},setvar:ip.seen=+1"
SecRule IP:seen "@gt 3" "id:102,phase:1,deny,status:429"
"#;
    let house = House::shielded("[shield]\n", &format!("{BASE}{counting}")).await;
    for number in 1..=5 {
        house.answers("200 OK", "fine");
        let (head, _) = house.get("/elsewhere").await;
        assert_eq!(head.starts_with("HTTP/1.1 429"), number > 3, "{number}: {head}");
        house.gateway.reload(shielded(GATEWAY, house.upstream, &format!("{BASE}{counting}")));
    }
}
