//! The rules of ARCHITECTURE.md that a machine can check, each shown to catch a planted breach.
#![forbid(unsafe_code)]

mod tidy {
    pub mod arrows;
    pub mod invariants;
    pub mod licences;
    pub mod sources;
    pub mod tree;
}
