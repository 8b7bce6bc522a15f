//! Routes and rules as tables say them.

use super::*;

fn tables(text: &str) -> (Vec<RouteTable>, Vec<RelayTable>) {
    let tables: crate::config::Tables = toml::from_str(text).expect("tables");
    (tables.route, tables.relay)
}

fn build(text: &str) -> Result<Routes, String> {
    let (routes, relays) = tables(text);
    Routes::build(&routes, &relays, None).map_err(|error| error.to_string())
}

fn find<'a>(routes: &'a Routes, method: &str, path: &str) -> Option<(&'a str, Params)> {
    let path = segments(path)?;
    let (route, params) = routes.of(&method.parse().expect("a method"), &path)?;
    Some((&*route.name, params))
}

/// What only looks somebody up goes to the app as it was typed, where it is not of its kind: it is no text by itself.
#[test]
fn what_is_stored_counts_as_text_and_what_looks_up_does_not() {
    let text = r#"
        [[route]]
        name = "enter"
        path = "/enter"
        texts = ["form:note"]
        [[relay]]
        routes = ["enter"]
        in = { person = { field = "form:id" }, fields = { "json:/story" = "story" }, lookup = { "form:user" = "email" }, accept = ["303 /"] }
    "#;
    let mut want = Texts::default();
    want.json("/story");
    want.form("note");
    let routes = build(text).expect("routes");
    let (route, _) = routes.of(&Method::POST, &["enter".to_owned()]).expect("a route");
    assert_eq!(route.texts(&Method::POST).as_deref(), Some(&want));
    let mut declared = Texts::default();
    declared.form("note");
    assert_eq!(route.texts(&Method::GET).as_deref(), Some(&declared), "no rule takes them with this method");
    let tables: crate::config::Tables = toml::from_str(text).expect("tables");
    let mut told = Texts::default();
    told.form("note");
    told.json("/story");
    assert_eq!(tables.texts("enter").as_deref(), Some(&told));
    assert_eq!(tables.texts("leave"), None);
}

const ROUTES: &str = r#"
    [[route]]
    name = "new"
    path = "/workers/new"
    [[route]]
    name = "worker"
    path = "/workers/{id}"
    methods = ["GET"]
    [[route]]
    name = "save"
    path = "/workers/{id}"
    methods = ["POST"]
    [[route]]
    name = "rest"
    path = "/{rest...}"
"#;

#[test]
fn the_route_that_means_one_thing_comes_first() {
    let routes = build(ROUTES).expect("fits");
    for (method, path, name) in [
        ("GET", "/workers/new", "new"),
        ("GET", "/workers/7", "worker"),
        ("HEAD", "/workers/7", "worker"),
        ("POST", "/workers/7", "save"),
        ("GET", "/workers/7/edit", "rest"),
        ("DELETE", "/workers/7", "rest"),
        ("GET", "/workers/%37", "worker"),
    ] {
        assert_eq!(find(&routes, method, path).expect("one").0, name, "{method} {path}");
    }
    let (_, params) = find(&routes, "GET", "/workers/%C3%BC%20a").expect("one");
    assert_eq!(params["id"], "ü a");
}

#[test]
fn paths_that_can_be_read_in_two_ways_are_none() {
    for path in [
        "/a//b",
        "/a/../b",
        "/a/%2e%2e/b",
        "/a/./b",
        "/a%2fb",
        "/a%5cb",
        "/a\\b",
        "/a%00",
        "/a;b=c",
        "/a%",
        "/%zz",
        "/%25",
    ] {
        assert_eq!(segments(path), None, "{path}");
    }
    assert_eq!(segments("/a/").map(|all| all.len()), Some(2));
}

#[test]
fn what_some_apps_take_for_a_ruled_path_is_near_it() {
    let relay = "[[relay]]\nroutes = [\"save\", \"list\"]\nin = { lookup = { \"form:a\" = \"n\" } }";
    let list = "[[route]]\nname = \"list\"\npath = \"/workers\"\nmethods = [\"POST\"]\n";
    let export = "[[route]]\nname = \"export\"\npath = \"/workers/{id}/export.csv\"\n";
    let text = format!(
        "{ROUTES}{list}{export}{relay}\n[[relay]]\nroutes = [\"export\"]\nin = {{ lookup = {{ \"form:a\" = \"n\" }} }}"
    );
    let routes = build(&text).expect("fits");
    let near = |path: &str| routes.is_nearly_ruled(&Method::POST, &segments(path).expect("a path"));
    for path in [
        "/workers/",
        "/Workers",
        "/workers.json",
        "/workers.XML/",
        "/workers.html5",
        "/workers.",
        "/workers%20",
        "/workers/7.json/",
        "/workers/7/Export.csv",
        "/workers/7/export.csv.gz",
    ] {
        assert!(near(path), "{path}");
    }
    for path in [
        "/workers.tar-gz",
        "/workers-json",
        "/.json",
        "/workers/7/export",
        "/workers/7/export.txt",
        "/other.json",
    ] {
        assert!(!near(path), "{path}");
    }
    assert!(!near("/workers/new"), "a route of its own says what it is");
    assert!(near("/workers/New"));
}

#[test]
fn what_does_not_fit_says_where_and_what() {
    for (text, says) in [
        ("[[relay]]\nroutes = [\"x\"]", "no [[route]] of this name"),
        ("[[relay]]\nroutes = [\"save\"]\nin = { fields = { \"form:a\" = \"name\" } }", "does not say whose"),
        (
            "[[relay]]\nroutes = [\"save\"]\nin = { person = { path = \"no\" }, fields = { \"form:a\" = \"name\" } }",
            "no {no}",
        ),
        (
            "[[relay]]\nroutes = [\"save\"]\nin = { person = { principal = true, path = \"id\" }, fields = { \"form:a\" = \"name\" } }",
            "exactly one",
        ),
        (
            "[[relay]]\nroutes = [\"save\"]\nin = { person = { path = \"id\" }, fields = { \"a\" = \"name\" } }",
            "form:name",
        ),
        (
            "[[relay]]\nroutes = [\"save\"]\nin = { person = { new = \"location:/workers\" }, fields = { \"form:a\" = \"name\" } }",
            "`new`",
        ),
        (
            "[[relay]]\nroutes = [\"save\"]\nin = { person = { path = \"id\" }, accept = [\"404\"], fields = { \"form:a\" = \"n\" } }",
            "accept",
        ),
        (
            "[[relay]]\nroutes = [\"save\"]\nout = { purpose = \"p\", fields = [], form = \"none\" }",
            "does not exist",
        ),
        (
            "[[relay]]\nroutes = [\"save\"]\nout = { purpose = \"p\", fields = [], person = \"path:no\" }",
            "path:NAME",
        ),
        ("[[route]]\nname = \"save\"\npath = \"/x\"", "another route"),
        ("[[route]]\nname = \"y\"\npath = \"x\"", "`path`"),
        ("[[route]]\nname = \"y\"\npath = \"/{a...}/b\"", "`path`"),
    ] {
        let error = build(&format!("{ROUTES}{text}")).expect_err(text);
        assert!(error.contains(says), "{error} / {says}");
    }
}
