//! Tests of the ledger from outside. `support::fault` is the disk that forgets.

mod damage;
mod faults;
mod foreign;
mod kill;
mod life;
mod offline;
mod support;
mod vectors;
mod witness;
