//! What the synthesiser sounds like, against formulas of the specification.

mod quanta;
mod rig;
