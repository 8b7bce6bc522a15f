//! Randomness from the operating system.

use model::Entropy;

/// The generator of the cryptographic library (CTR-DRBG per thread, seeded by the operating system).
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn fill(&self, into: &mut [u8]) {
        if aws_lc_rs::rand::fill(into).is_err() {
            // No caller can go on safely with predictable bytes (the contract of `Entropy`).
            std::process::abort();
        }
    }
}
