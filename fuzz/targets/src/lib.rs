//! What is fuzzed: one function per parser of bytes that come from outside.
//!
//! A target takes any bytes, panics when a property does not hold, and says whether the bytes were accepted. The
//! fuzzer calls it through `fuzz/fuzz_targets`; [`smoke`] calls it in the ordinary tests, with seeds and mutants of
//! them, since the fuzzer needs a compiler that not every machine has.
//!
//! To add a target: 1. a function here, in the file of its kind, that calls one public pure function and asserts what
//! must hold of every result; 2. at least one seed that it accepts; 3. a line in [`TARGETS`]; 4. a file in
//! `fuzz/fuzz_targets` and its `[[bin]]` in `fuzz/Cargo.toml` (a test compares the three lists).
//! To keep an input that the fuzzer found: put it into `fuzz/targets/regressions/<target>/`.

pub mod declared;
pub mod gateway;
pub mod log;
pub mod shield;
pub mod signed;
pub mod smoke;
pub mod text;

/// One parser under test.
#[derive(Clone, Copy)]
pub struct Target {
    /// The name, which is also that of its fuzz binary.
    pub name: &'static str,
    /// Whether the bytes were accepted. Panics when a property does not hold.
    pub run: fn(&[u8]) -> bool,
    /// Inputs that it accepts.
    pub seeds: fn() -> Vec<Vec<u8>>,
}

/// All of them.
pub const TARGETS: &[Target] = &[
    Target { name: "storage_token", run: text::storage_token, seeds: text::storage_token_seeds },
    Target { name: "api_key", run: text::api_key, seeds: text::api_key_seeds },
    Target { name: "id", run: text::id, seeds: text::id_seeds },
    Target { name: "field_value", run: text::field_value, seeds: text::field_value_seeds },
    Target { name: "catalogue", run: declared::catalogue, seeds: declared::catalogue_seeds },
    Target { name: "tenant_config", run: declared::tenant_config, seeds: declared::tenant_config_seeds },
    Target { name: "envelope", run: signed::envelope, seeds: signed::envelope_seeds },
    Target { name: "key_document", run: signed::key_document, seeds: signed::key_document_seeds },
    Target { name: "certificate", run: signed::certificate, seeds: signed::certificate_seeds },
    Target { name: "root_file", run: signed::root_file, seeds: signed::root_file_seeds },
    Target { name: "leaf", run: log::leaf, seeds: log::leaf_seeds },
    Target { name: "checkpoint", run: log::checkpoint, seeds: log::checkpoint_seeds },
    Target { name: "verifier_key", run: log::verifier_key, seeds: log::verifier_key_seeds },
    Target { name: "tlog_proof", run: log::tlog_proof, seeds: log::tlog_proof_seeds },
    Target { name: "inclusion", run: log::inclusion, seeds: log::inclusion_seeds },
    Target { name: "consistency", run: log::consistency, seeds: log::consistency_seeds },
    Target { name: "incarnation", run: log::incarnation, seeds: log::incarnation_seeds },
    Target { name: "strict_head", run: gateway::strict_head, seeds: gateway::strict_head_seeds },
    Target { name: "client_token", run: gateway::client_token, seeds: gateway::client_token_seeds },
    Target { name: "answer", run: gateway::answer, seeds: gateway::answer_seeds },
    Target { name: "request_body", run: gateway::request_body, seeds: gateway::request_body_seeds },
    Target { name: "har", run: gateway::har, seeds: gateway::har_seeds },
    Target { name: "seclang", run: shield::seclang, seeds: shield::seclang_seeds },
    Target { name: "bodies", run: shield::bodies, seeds: shield::bodies_seeds },
    Target { name: "transformations", run: shield::transformations, seeds: shield::transformations_seeds },
    Target { name: "transaction", run: shield::transaction, seeds: shield::transaction_seeds },
    Target { name: "add_checkpoint", run: log::add_checkpoint, seeds: log::add_checkpoint_seeds },
];
