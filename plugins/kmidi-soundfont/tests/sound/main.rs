//! What the synthesiser sounds like, against the oracle and against formulas.

mod against;
mod behaviour;
mod effects;
mod generators;
mod interpolation;
mod measure;
mod modulators;
#[path = "../oracle/mod.rs"]
mod oracle;
mod quanta;
mod residual;
mod rig;
mod system;
