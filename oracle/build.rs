//! Compiles the shim over libmodsecurity's C++ interface, and says what is missing where it cannot.

use std::path::Path;

const HEADER: &str = "modsecurity/rule_message.h";
const FOLDERS: [&str; 2] = ["/usr/include", "/usr/local/include"];

fn main() {
    println!("cargo::rerun-if-changed=shim/shim.cc");
    println!("cargo::rerun-if-changed=shim/shim.h");
    if !FOLDERS.iter().any(|folder| Path::new(folder).join(HEADER).is_file()) {
        println!(
            "cargo::error=libmodsecurity is not installed: there is no {HEADER} in {}; \
             on Debian: apt install libmodsecurity-dev g++",
            FOLDERS.join(" or ")
        );
        return;
    }
    cc::Build::new().cpp(true).std("c++17").file("shim/shim.cc").warnings(false).compile("obhut_oracle_shim");
    println!("cargo::rustc-link-lib=modsecurity");
}
