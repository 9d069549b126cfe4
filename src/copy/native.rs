//! The engine that movebook brings itself.
