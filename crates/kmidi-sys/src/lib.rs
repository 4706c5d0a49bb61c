//! The few system calls and instructions that safe Rust lacks. Knows nothing of audio.
#![deny(clippy::undocumented_unsafe_blocks)]
#![warn(missing_docs)]

mod child;
mod clock;
mod crash;
mod denormals;
mod environment;
mod file_lock;
mod limits;
#[cfg(unix)]
mod mapped;
mod memory;
mod scheduling;
#[cfg(target_os = "linux")]
mod unnamed_file;
mod usage;

pub use child::end_with_parent;
pub use clock::{monotonic_ns, sleep_until_ns};
pub use crash::name_who_crashes;
pub use denormals::{FloatModes, FlushDenormals};
pub use environment::hide_the_screen_from_plugins;
pub use file_lock::{FileLock, lock_file};
pub use limits::{Resource, limit};
#[cfg(unix)]
pub use mapped::MappedFile;
pub use memory::{
    ProcessMemory, SystemMemory, leave_unmapped, prefault_code, prefault_stack, process_memory, system_memory,
};
pub use scheduling::{Scheduling, scheduling, set_deadline, set_fifo};
#[cfg(target_os = "linux")]
pub use unnamed_file::{create_unnamed, name_file};
pub use usage::{ThreadUsage, page_faults_of, process_cpu_time, thread_cpu_time, thread_id, thread_usage};
