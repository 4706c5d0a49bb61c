//! The engine as its users see it: a handle on one side, callbacks on the other.

mod rig;

mod behind;
mod callbacks;
mod musical;
mod places;
mod stuck;
mod time;
