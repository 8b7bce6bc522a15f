//! `obhut bench gateway --memory` as a person runs it, in its short form: a gateway in a process of its own, clients that
//! take their time, and what it held for them.

use serde_json::Value;
use std::process::Command;

#[test]
fn what_a_gateway_holds_does_not_grow_with_what_passes() {
    let words = ["bench", "gateway", "--memory", "--smoke", "--json"];
    let ran = Command::new(env!("CARGO_BIN_EXE_obhut")).args(words).output().expect("runs");
    let (out, err) = (String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
    assert!(ran.status.success(), "{out}{err}");
    let cases: Vec<Value> = out.lines().map(|line| serde_json::from_str(line).expect("a case")).collect();
    let clients: Vec<_> =
        cases.iter().map(|case| (case["case"].as_str(), case["clients"].as_u64())).collect();
    let expected = [
        ("slow senders", 100),
        ("slow readers", 100),
        ("slow readers, HTTP/2", 100),
        ("slow streams, HTTP/2", 100),
        ("download", 1),
        ("upload", 1),
    ];
    assert_eq!(clients, expected.map(|(name, count)| (Some(name), Some(count))));
    for case in &cases {
        let kib = |name: &str| case[name].as_u64().unwrap_or_else(|| panic!("{name} in {case}"));
        // A house with its key derivation is never smaller; less would be the memory of another process.
        assert!(kib("before_kib") > 4_000 && kib("after_kib") > 4_000, "{case}");
        assert!(kib("peak_kib") >= kib("before_kib"), "{case}");
        assert_eq!(case["flat"], kib("peak_kib") - kib("before_kib") <= kib("allowed_kib"), "{case}");
    }
    let slow = &cases[1];
    assert!(slow["per_client_kib"].as_f64().is_some_and(|kib| kib > 1.0), "a client costs nothing: {slow}");
}
