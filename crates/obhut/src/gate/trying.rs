//! `obhut rules try` (to come).
