/// Where a server's figures come from. Asked on threads that may wait, but not for long.
pub trait Source: Send + Sync + 'static {
    /// The process's memory now. `[side B]`
    fn memory(&self) -> kmidi_memory::Snapshot;

    /// What plays in the process; None where nothing is meant to. `[side B]`
    fn playing(&self) -> Option<Playing>;
}

/// A session as a server shows it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Playing {
    /// What it does.
    pub snapshot: kmidi_session::Snapshot,
    /// What is wrong with it now; empty where nothing is.
    pub troubles: Vec<Trouble>,
}

/// Something that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// With what.
    pub part: TroubledPart,
    /// One sentence for the user.
    pub text: String,
}

/// What can be in trouble.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TroubledPart {
    /// Nothing plays, or not any more.
    Engine,
    /// The audio device.
    Device,
    /// A song or its sounds.
    Song,
}
