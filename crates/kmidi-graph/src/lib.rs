//! The graph as side B edits it, its compiler, and side B's end of the border to the engine.
//!
//! [`Graph`] is what can be edited; [`Compiler`] turns it, pass by pass, into the flat schedule the
//! engine runs; [`engine`] makes an engine and the [`EngineHandle`] through which it is told and asked.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod compile;
mod graph;
mod handle;

pub use compile::{Compensation, CompileError, Compiler};
pub use graph::{Graph, GraphError, NodeId, NodeKind};
pub use handle::{BorderFull, ConfigError, EngineHandle, SetGraphError, engine};

use kmidi_core::NodeInfo;
use kmidi_core::limits::{MAX_LATENCY_FRAMES, MAX_NODE_CHANNELS};

/// Whether a node keeps within the limits.
fn limits_of_node(info: &NodeInfo) -> Result<(), GraphError> {
    for ports in [&info.audio_inputs, &info.audio_outputs] {
        if ports.iter().map(|&channels| usize::from(channels)).sum::<usize>() > MAX_NODE_CHANNELS {
            return Err(GraphError::TooMany { what: "channels of one node", limit: MAX_NODE_CHANNELS });
        }
    }
    if info.latency_frames as usize > MAX_LATENCY_FRAMES {
        return Err(GraphError::TooMany { what: "frames of latency", limit: MAX_LATENCY_FRAMES });
    }
    Ok(())
}
