use rtrb::Producer;

/// Something side B should tell the user. `Copy`: it crosses the border by value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Report {
    /// The output guard muted a node: a sample was not finite or over
    /// [`GUARD_LEVEL`](kmidi_core::limits::GUARD_LEVEL).
    GuardTripped {
        /// The node's slot in the node table.
        slot: u16,
        /// Whether the sample was NaN or infinite (otherwise it was too loud).
        non_finite: bool,
        /// In which quantum, from 0 on.
        quantum: u64,
    },
    /// A streamed song had no page ready; song time held until one came.
    Starved,
    /// The song came to its end and no other was queued.
    Ended {
        /// [`Timeline::id`](crate::Timeline::id) of the song.
        timeline: u64,
    },
    /// A song began: at once, or queued, at the exact frame where the one before it ended.
    Began {
        /// [`Timeline::id`](crate::Timeline::id) of the song.
        timeline: u64,
    },
}

/// The ring of reports from side A to side B; when it is full, reports are counted instead.
pub struct Reports {
    ring: Producer<Report>,
    dropped: u64,
}

impl Reports {
    /// `[side B]` Reports go to the consumer that belongs to `ring`.
    pub fn new(ring: Producer<Report>) -> Self {
        Reports { ring, dropped: 0 }
    }

    /// `[side A]` Sends a report, or counts it as dropped.
    pub fn push(&mut self, report: Report) {
        if self.ring.push(report).is_err() {
            self.dropped += 1;
        }
    }

    /// Reports that found the ring full.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }
}
