//! The decision as a whole: compared with a plain model over small worlds, held against properties, and printed.

mod golden;
mod naive;
mod properties;
mod small_world;
mod world;
