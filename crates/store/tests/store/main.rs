//! Tests of the store from outside. One binary, so that it links once.

mod conformance;
mod crash;
mod erasure;
mod fixture;
mod full;
mod opening;
mod readers;
mod suite;
