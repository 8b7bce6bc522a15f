//! Storage tokens and API keys as text.
