use kmidi_core::TempoScale;
use rtrb::{Consumer, Producer};

use crate::notes::ChannelMasks;
use crate::song::{Locate, TimelineSwap};
use crate::swap::GraphSwap;

/// What side B sends to side A.
pub enum Mail {
    /// A small change, by value.
    Control(Control),
    /// Anything that owns memory.
    Swap(Box<Swap>),
}

/// A change that takes effect with the next quantum.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Control {
    /// Song time runs.
    Play,
    /// Song time stands still; sounding notes are ended and pedals lifted.
    Pause,
    /// Speed against the written tempo.
    SetTempoScale(TempoScale),
    /// Exactly these channels of a MIDI port of the song are mute.
    Mute {
        /// MIDI port.
        port: u8,
        /// A bit per channel.
        channels: u16,
    },
    /// New notes of these channels are played higher or lower.
    Transpose {
        /// Semitones, up if positive.
        semitones: i8,
        /// Which channels; not the drums.
        channels: ChannelMasks,
    },
    /// Level of the master output, linear; smoothed.
    MasterGain(f32),
    /// A parameter of a node.
    Parameter {
        /// The node's slot.
        slot: u16,
        /// Which; the node's own numbering.
        id: u32,
        /// In the node's own range.
        value: f64,
    },
    /// Ends all sound at once, on every channel of every port, live notes too.
    Panic,
}

/// The one kind of box that crosses the border, complete and with every capacity it will need. The
/// same box comes home with what it replaced, to be dropped by side B.
#[derive(Default)]
pub struct Swap {
    /// Another graph.
    pub graph: Option<GraphSwap>,
    /// Another song.
    pub timeline: Option<TimelineSwap>,
    /// Another place in the song.
    pub locate: Option<Locate>,
}

/// Side A's end of the border. `[side A]`
///
/// A box is taken only when the way home has room for it, and for a box that side A still holds:
/// so sending one home never fails, and side A never drops one.
pub(crate) struct Mailbox {
    mail: Consumer<Mail>,
    home: Producer<Box<Swap>>,
}

impl Mailbox {
    /// `[side B]`
    pub fn new(mail: Consumer<Mail>, home: Producer<Box<Swap>>) -> Self {
        Mailbox { mail, home }
    }

    /// The next piece of mail, unless it is a box that could not go home. `held` boxes have been
    /// taken and not yet sent home.
    pub fn next(&mut self, held: usize) -> Option<Mail> {
        if let Mail::Swap(_) = self.mail.peek().ok()?
            && self.home.slots() <= held
        {
            return None;
        }
        self.mail.pop().ok()
    }

    /// Sends a box home. [`Mailbox::next`] has made sure of the room.
    pub fn send_home(&mut self, swap: Box<Swap>) {
        let sent = self.home.push(swap);
        debug_assert!(sent.is_ok(), "a box was taken without a way home");
        // Leaking is the lesser evil, should that ever be wrong: no memory is freed on side A.
        if let Err(rtrb::PushError::Full(swap)) = sent {
            std::mem::forget(swap);
        }
    }
}
