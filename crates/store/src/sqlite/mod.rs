//! The embedded backend: two SQLite files, one writer thread each, read-only connections beside them.

mod cells;
mod connect;
#[cfg(test)]
mod cost;
mod data_plan;
mod data_reads;
mod decode;
mod engine;
mod fault;
mod house_reads;
mod key_plan;
mod key_reads;
mod lock;
mod migrate;
mod mover;
mod pool;
mod queue;
mod statement;
mod upkeep;
mod writer;

pub(crate) use engine::{Engine, Reads};
