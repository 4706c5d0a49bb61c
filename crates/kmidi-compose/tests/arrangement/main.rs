//! The listening proof: what makes arrangements worth hearing, measured in the scores.

mod affects;
mod measure;
mod parts;
mod pieces;
mod plans;
mod tune;
