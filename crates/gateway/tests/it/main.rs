//! The gateway from the outside: a real TLS client before it, a real server behind it that answers as it is told and
//! keeps every byte that it gets.

mod attacks;
mod bodies;
mod documents;
mod house;
mod keys;
mod limits;
mod principals;
mod protocols;
mod shield_in;
mod shield_life;
mod shield_out;
mod smuggling;
