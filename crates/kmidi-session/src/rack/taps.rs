//! Channels of nodes, and the connections between them.

use kmidi_graph::{Graph, GraphError, NodeId};

/// One connection.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Link {
    /// Of two ports, whose channels are adapted.
    Ports(u16, u16),
    /// Of two channels, counted over all ports of their nodes; and its part of the gain.
    Channels { from: u16, to: u16, part: f32 },
}

impl Link {
    /// Makes the connection.
    pub fn connect(&self, graph: &mut Graph, from: NodeId, to: NodeId) -> Result<(), GraphError> {
        match *self {
            Link::Ports(out, into) => graph.connect_audio((from, out), (to, into)),
            Link::Channels { from: out, to: into, part } => {
                graph.connect_channel((from, out), (to, into), part)
            }
        }
    }
}

/// One or two channels of a node that go together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tap {
    pub port: u16,
    /// The first one, over all ports of the node.
    pub first: u16,
    pub count: u16,
    /// Whether the port has more.
    is_part: bool,
}

impl Tap {
    /// The first port of a node that has a stereo pair there.
    pub const MAIN: Tap = Tap::stereo(0);

    /// A port of a node that has only stereo pairs.
    pub const fn stereo(port: u16) -> Self {
        Tap { port, first: 2 * port, count: 2, is_part: false }
    }

    /// The ports of a side of a node. One with more than two channels is pairs of them, as far as that goes; an odd number of
    /// an instrument is single ones, as drums are.
    pub fn all(ports: &[u16], has_singles: bool) -> Vec<Self> {
        let (mut taps, mut first) = (vec![], 0);
        for (port, &channels) in (0..).zip(ports) {
            let step = if has_singles && channels > 2 && channels % 2 == 1 { 1 } else { 2 };
            let parts = (0..channels).step_by(step).map(|at| Tap {
                port,
                first: first + at,
                count: (channels - at).min(step as u16),
                is_part: channels > 2,
            });
            taps.extend(parts);
            first += channels;
        }
        taps
    }

    /// The connections from these channels to others.
    pub fn to(self, to: Tap) -> Vec<Link> {
        if !self.is_part && !to.is_part {
            return vec![Link::Ports(self.port, to.port)];
        }
        let link = |from: u16, into: u16, part| Link::Channels {
            from: self.first + from,
            to: to.first + into,
            part,
        };
        match (self.count, to.count) {
            (1, 1) => vec![link(0, 0, 1.0)],
            (1, _) => vec![link(0, 0, 1.0), link(0, 1, 1.0)],
            (_, 1) => vec![link(0, 0, 0.5), link(1, 0, 0.5)],
            _ => vec![link(0, 0, 1.0), link(1, 1, 1.0)],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_with_many_channels_are_pairs_and_of_drums_single_ones() {
        let all = |ports: &[u16], has_singles| {
            let taps = Tap::all(ports, has_singles);
            taps.iter().map(|tap| (tap.port, tap.first, tap.count, tap.is_part)).collect::<Vec<_>>()
        };
        assert_eq!(all(&[2, 1], true), [(0, 0, 2, false), (1, 2, 1, false)]);
        assert_eq!(all(&[4], false), [(0, 0, 2, true), (0, 2, 2, true)]);
        assert_eq!(all(&[3], false), [(0, 0, 2, true), (0, 2, 1, true)]);
        // As avldrums has them: five drums and two pairs.
        let drums = [(0, 0, 1, true), (0, 1, 1, true), (0, 2, 1, true), (0, 3, 1, true), (0, 4, 1, true)];
        assert_eq!(all(&[5, 2, 2], true), [&drums[..], &[(1, 5, 2, false), (2, 7, 2, false)]].concat());
        assert_eq!(all(&[], true), []);
    }

    #[test]
    fn parts_of_ports_are_connected_channel_by_channel() {
        let part = |first, count| Tap { port: 0, first, count, is_part: true };
        let link = |from, to, part| Link::Channels { from, to, part };
        assert_eq!(Tap::MAIN.to(Tap::stereo(1)), [Link::Ports(0, 1)]);
        assert_eq!(part(4, 1).to(Tap::stereo(1)), [link(4, 2, 1.0), link(4, 3, 1.0)]);
        assert_eq!(Tap::MAIN.to(part(2, 2)), [link(0, 2, 1.0), link(1, 3, 1.0)]);
        assert_eq!(part(2, 2).to(part(6, 1)), [link(2, 6, 0.5), link(3, 6, 0.5)]);
    }
}
