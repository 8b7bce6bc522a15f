//! Patterns of `@rx`: from PCRE's syntax to a linear-time engine over bytes, and what a value must hold to match.
