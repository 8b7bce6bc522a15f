//! Operators: what is asked of a transformed value.
