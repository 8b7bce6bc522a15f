//! The description of the API is a golden file, and covers every route.

const GOLDEN: &str = include_str!("../../../docs/openapi.json");

#[test]
fn the_description_is_the_golden_file() {
    assert_eq!(
        console::openapi::text().trim(),
        GOLDEN.trim(),
        "write it anew: see the ignored test beside this"
    );
}

#[test]
#[ignore = "writes docs/openapi.json; run by hand when the API changes"]
fn write_the_golden_file() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/openapi.json");
    std::fs::write(path, console::openapi::text() + "\n").expect("written");
}

#[test]
fn every_route_is_described() {
    let routes = include_str!("../src/routes/mod.rs");
    let described: serde_json::Value = serde_json::from_str(GOLDEN).expect("JSON");
    let mut count = 0;
    for line in routes.lines().filter_map(|line| line.trim().strip_prefix(".route(\"")) {
        let (path, methods) = line.split_once('"').expect("a path");
        let whole = if path.starts_with("/v1") || !line.contains("(house::") {
            if path.starts_with("/v1") { path.to_owned() } else { format!("/v1/tenants/{{tenant}}{path}") }
        } else {
            path.replace("{*path}", "{path}")
        };
        for method in ["get", "post", "put", "patch", "delete"] {
            if methods.contains(&format!("{method}(")) {
                assert!(described["paths"][&whole][method].is_object(), "{method} {whole} is not described");
                count += 1;
            }
        }
    }
    assert!(count >= 31, "{count}");
}
