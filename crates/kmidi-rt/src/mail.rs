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

/// The law of the hand-over: a box may be taken only if it and those that are held can all go home.
/// Side B only ever makes room on the way home, so what is true now stays true.
fn may_take(room_home: usize, held: usize) -> bool {
    room_home > held
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
        match self.mail.peek().ok()? {
            Mail::Swap(_) if !may_take(self.home.slots(), held) => None,
            _ => self.mail.pop().ok(),
        }
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

/// Run with `RUSTFLAGS="--cfg loom" cargo test -p kmidi-rt --release model`.
#[cfg(all(test, loom))]
mod model {
    use super::*;
    use loom::sync::atomic::{AtomicUsize, Ordering};
    use loom::sync::{Arc, Mutex};
    use loom::thread;

    /// What the law has to rely on in a ring for one producer and one consumer.
    struct Ring {
        slots: Vec<Mutex<Option<Box<u32>>>>,
        pushed: AtomicUsize,
        popped: AtomicUsize,
    }

    impl Ring {
        fn new(slots: usize) -> Self {
            let slots = (0..slots).map(|_| Mutex::new(None)).collect();
            Ring { slots, pushed: AtomicUsize::new(0), popped: AtomicUsize::new(0) }
        }

        /// Room, as the producer sees it.
        fn room(&self) -> usize {
            let used = self.pushed.load(Ordering::Relaxed) - self.popped.load(Ordering::Acquire);
            self.slots.len() - used
        }

        fn push(&self, value: Box<u32>) -> Result<(), Box<u32>> {
            if self.room() == 0 {
                return Err(value);
            }
            let at = self.pushed.load(Ordering::Relaxed);
            *self.slots[at % self.slots.len()].lock().unwrap() = Some(value);
            self.pushed.store(at + 1, Ordering::Release);
            Ok(())
        }

        fn pop(&self) -> Option<Box<u32>> {
            let at = self.popped.load(Ordering::Relaxed);
            if at == self.pushed.load(Ordering::Acquire) {
                return None;
            }
            let value = self.slots[at % self.slots.len()].lock().unwrap().take();
            self.popped.store(at + 1, Ordering::Release);
            value
        }
    }

    /// Side B sends three boxes and fetches what has come home whenever it likes; side A takes a box
    /// if `law` lets it, holds one back (as a queued song), and sends the others home, where there is room for
    /// two. In the end every box has come home.
    fn hand_over(law: fn(usize, usize) -> bool) {
        loom::model(move || {
            let (mail, home) = (Arc::new(Ring::new(3)), Arc::new(Ring::new(2)));
            let side_a = {
                let (mail, home) = (mail.clone(), home.clone());
                thread::spawn(move || {
                    let mut held = None;
                    for _ in 0..3 {
                        if law(home.room(), usize::from(held.is_some()))
                            && let Some(taken) = mail.pop()
                            && let Some(replaced) = held.replace(taken)
                        {
                            home.push(replaced).expect("no way home for a box");
                        }
                    }
                    if let Some(held) = held {
                        home.push(held).expect("no way home for the box that was held");
                    }
                })
            };
            let mut fetched = 0;
            for number in 0..3 {
                mail.push(Box::new(number)).expect("the ring has room for all");
            }
            fetched += usize::from(home.pop().is_some());
            side_a.join().unwrap();
            while home.pop().is_some() {
                fetched += 1;
            }
            while mail.pop().is_some() {
                fetched += 1;
            }
            assert_eq!(fetched, 3);
        });
    }

    #[test]
    fn no_interleaving_leaves_side_a_with_a_box_it_cannot_send_home() {
        hand_over(may_take);
    }

    #[test]
    #[should_panic(expected = "no way home")]
    fn without_the_law_one_does() {
        hand_over(|_, _| true);
    }
}
