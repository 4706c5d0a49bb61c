//! Whether a plugin keeps the rules of the audio thread: it is run through phases while somebody counts what it does.
//!
//! A child process (`kmidi-probe`) runs one plugin with [`certify_for_parent`]; [`certify_all`] starts the children, puts
//! together what they tell, and grades it. What comes out is a [`Certificate`].

mod archive;
mod audio_thread;
mod bench;
mod grade;
mod instructions;
mod latency;
mod line;
mod measure;
mod parent;
mod plan;
mod repeats;
mod report;
mod states;
mod stimulus;
mod tally;
mod trial;

pub use archive::{Archive, ArchiveError, Summary};
pub use instructions::VALGRIND;
pub use parent::{Accused, CertifySettings, certify, certify_all};
pub use plan::{Level, Phase, Plan};
pub use report::{
    Burst, Certificate, Count, Failure, Grade, Outcome, PhaseInstructions, PhaseReport, Reason, Sound, Times,
    Violation,
};
pub use tally::{Deed, Held, Site, Tally, Watch};
pub use trial::certify_for_parent;

/// Of what is tried and how it is graded: a certificate of another version says nothing.
pub const CERTIFY_VERSION: u32 = 2;
