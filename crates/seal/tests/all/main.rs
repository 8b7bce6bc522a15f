//! Tests of the crate from outside: only what callers can reach.

mod dsse;
mod keys;
mod memory;
mod permits;
mod place;
mod support;
mod trail;
mod vectors;
