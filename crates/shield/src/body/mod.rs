//! Body processors: from the bytes of a request to arguments, files and flags. Each is strict and bounded.
