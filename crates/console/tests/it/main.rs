//! The API over a whole house in a temporary folder: real store, ledger and shred store. One binary, since making RSA
//! keys takes a second.

#[path = "../../../vault/tests/world/mod.rs"]
mod world;

mod answers;
mod attacks;
mod authorization;
mod codes;
mod declarations;
mod door;
mod guest;
mod input;
mod leaving;
mod openapi;
mod pages;
mod portal;
mod property;
mod sessions;
mod shielded;
