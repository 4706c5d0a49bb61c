//! What the synthesiser sounds like, against the oracle and against formulas.

mod generators;
#[path = "../oracle/mod.rs"]
mod oracle;
mod quanta;
mod rig;
