//! Where an end is set to what one request, one client or all of them may take.

use crate::house::{House, token};
use gateway::messages::Outcome;

const FORM: &str = "Content-Type: application/x-www-form-urlencoded";

#[tokio::test(flavor = "multi_thread")]
async fn a_query_goes_on_as_it_came_or_nothing_is_taken_in() {
    let house = House::new().await;
    house.answers("200 OK\r\nx-user: lead; role=lead", "ok");
    // Written anew it would be three times as long, which no target holds.
    let slashes = "/".repeat(30_000);
    for query in ["a=~'(&&b=+%2f%2F&c", &format!("x={slashes}")] {
        house.app.got.lock().clear();
        let (head, _) = house.ask(&format!("POST /save/7?{query}"), &[FORM], "name=Kanarina").await;
        assert!(head.starts_with("HTTP/1.1 200"), "{head}");
        let got = house.app_got();
        assert!(got.starts_with(&format!("POST /save/7?{query} HTTP/1.1\r\n")), "{}", &got[..80]);
    }
    assert_eq!(*house.relay.settled.lock(), [Outcome::Accepted(None), Outcome::Accepted(None)]);

    // Where the rule reads the query, it is written anew.
    house.app.got.lock().clear();
    house.ask("POST /note/7?note=Kanarina&x=~", &[], "").await;
    let anew = format!("POST /note/7?note={}&x=%7E HTTP/1.1\r\n", token(100));
    assert!(house.app_got().starts_with(&anew), "{}", house.app_got());
    house.app.got.lock().clear();
    house.relay.submitted.lock().clear();
    house.relay.settled.lock().clear();
    let (head, body) = house.ask(&format!("POST /note/7?note=Kanarina&x={slashes}"), &[], "").await;
    assert!(head.starts_with("HTTP/1.1 414"), "{head}");
    assert!(String::from_utf8_lossy(&body).contains("\"target_too_long\""));
    assert!(house.relay.submitted.lock().is_empty() && house.relay.settled.lock().is_empty());
    assert_eq!(house.app_got(), "", "and no other place of the app has got it");
}
