use std::fmt;

#[cfg(not(loom))]
use crate::heap::with_route;
#[cfg(not(loom))]
use crate::local::{self, Local};

/// What memory is for; each has a budget of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
#[repr(u8)]
pub enum Domain {
    /// The program itself: screens, settings, what nobody asked a budget for.
    Program,
    /// What the engine owns: all that the audio callback touches.
    Audio,
    /// Models and their tensors.
    Models,
    /// Songs, samples, analyses: what jobs of side B make.
    Working,
}

impl Domain {
    /// All of them, in the order of their numbers.
    pub const ALL: [Domain; Self::COUNT] = [Domain::Program, Domain::Audio, Domain::Models, Domain::Working];
    /// How many there are.
    pub const COUNT: usize = 4;

    /// The name that flags, variables and reports use.
    pub const fn name(self) -> &'static str {
        match self {
            Domain::Program => "program",
            Domain::Audio => "audio",
            Domain::Models => "models",
            Domain::Working => "working",
        }
    }
}

#[cfg(not(loom))]
impl Domain {
    /// The domain that the calling thread's allocations are charged to.
    pub fn current() -> Self {
        Self::ALL[Local::domain_of(local::with(Local::route))]
    }

    /// Charges what the calling thread allocates inside `work` to this domain. Nests; a panic inside
    /// restores the domain from before.
    ///
    /// ```
    /// use kmidi_memory::Domain;
    ///
    /// let nested = Domain::Working.charge(|| Domain::Models.charge(Domain::current));
    /// assert_eq!((nested, Domain::current()), (Domain::Models, Domain::Program));
    /// ```
    pub fn charge<T>(self, work: impl FnOnce() -> T) -> T {
        with_route(|route| Local::with_domain(route, self), work)
    }

    /// Charges whatever the calling thread allocates from here on to this domain, as long as nothing nearer says
    /// otherwise: for threads of a pool that work for one purpose only.
    ///
    /// ```
    /// use kmidi_memory::Domain;
    ///
    /// let worker = std::thread::spawn(|| {
    ///     Domain::Models.charge_thread();
    ///     (Domain::Working.charge(Domain::current), Domain::current())
    /// });
    /// assert_eq!(worker.join().unwrap(), (Domain::Working, Domain::Models));
    /// assert_eq!(Domain::current(), Domain::Program);
    /// ```
    pub fn charge_thread(self) {
        local::with(|local| local.set_route(Local::with_domain(local.route(), self)));
    }
}

impl fmt::Display for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(not(loom))]
/// Has what the report of a panic allocates - with a backtrace tens of MiB, which stay - charged to the program,
/// not to the job that panicked. Called by binaries, once.
pub fn charge_panics_to_the_program() {
    let report = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| Domain::Program.charge(|| report(panic))));
}
