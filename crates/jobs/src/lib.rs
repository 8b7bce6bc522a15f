//! Background work that survives its process: a job is a row in the data file with a kind and a payload; whoever
//! works on it holds a lease, and when the lease ends without an outcome somebody else takes it up.
//!
//! This crate knows no job by name. A job may run more than once (a process may die between its last step and the
//! note that it is done), so each must be able to. A long one works in steps: it returns [`Outcome::Again`] with a
//! payload that says where to go on, at the latest when [`Context::is_stopping`] says so.
//!
//! To add a job: 1. a type with [`Job`], its kind a constant; 2. its payload: ids and numbers, postcard, never
//! personal data; 3. [`Registry::add`] where the program is wired; 4. a plan that queues it
//! (`DataOp::InsertJob`), or a [`Schedule`]; 5. a test that runs it twice.

mod backoff;
mod job;
mod runner;
mod worker;

pub use backoff::Backoff;
pub use job::{Context, Job, Outcome, Running};
pub use runner::{Options, Registry, RegistryError, Runner, Schedule, Status};
pub use worker::PANICKED;
