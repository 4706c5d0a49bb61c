//! The port table of a plugin.

use super::graph::{Graph, Id, number_of};
use super::units::Unit;
use super::uris::*;

/// Most ports of a plugin.
const MAX_PORTS: usize = 16_384;
/// Most named values of a port.
const MAX_SCALE_POINTS: usize = 4096;

/// Which way a port goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Into the plugin.
    Input,
    /// Out of it.
    Output,
}

/// What a port carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PortType {
    /// Sound.
    Audio,
    /// One number a quantum.
    Control,
    /// A number each frame.
    Cv,
    /// Atoms: events and messages.
    Atom,
    /// Something that this host does not know, such as the events of old: never connected.
    Other,
}

/// A port.
#[derive(Clone, Debug)]
pub struct Port {
    /// Word that stays.
    pub symbol: String,
    /// Name shown to people.
    pub name: String,
    /// Which way it goes.
    pub direction: Direction,
    /// What it carries.
    pub carries: PortType,
    /// Lowest value.
    pub min: Option<f64>,
    /// Highest value.
    pub max: Option<f64>,
    /// Value of a fresh instance.
    pub default: Option<f64>,
    /// IRIs of its properties.
    pub properties: Vec<String>,
    /// Names of values, in order of these.
    pub scale_points: Vec<(f64, String)>,
    /// Unit of its value.
    pub unit: Unit,
    /// IRI of its group.
    pub group: Option<String>,
    /// IRI of what it is for.
    pub designation: Option<String>,
    /// Whether it steers.
    pub is_side_chain: bool,
    /// Bytes that its buffer must have at least.
    pub minimum_bytes: Option<u64>,
    /// IRIs of the atoms that it understands.
    pub supports: Vec<String>,
}

impl Port {
    /// Whether it has a property.
    pub fn has(&self, property: &str) -> bool {
        self.properties.iter().any(|it| it == property)
    }

    /// Whether it is designated for something.
    pub fn is_for(&self, designation: &str) -> bool {
        self.designation.as_deref() == Some(designation)
    }

    /// Whether it goes this way and carries this.
    pub fn is(&self, direction: Direction, carries: PortType) -> bool {
        self.direction == direction && self.carries == carries
    }

    /// Whether it is an atom port for sequences of these atoms.
    pub fn takes(&self, atom: &str) -> bool {
        self.carries == PortType::Atom && self.supports.iter().any(|it| it == atom)
    }
}

/// Reads the ports of a plugin, each at its index.
pub fn read_ports(graph: &Graph, plugin: Id) -> Result<Vec<Port>, String> {
    let mut ports: Vec<Option<Port>> = Vec::new();
    let mut seen: Vec<Id> = Vec::new();
    for id in graph.objects(plugin, LV2_PORT) {
        let index = graph.number(id, LV2_INDEX).ok_or("a port has no index")?;
        if index < 0.0 || index >= MAX_PORTS as f64 || index.fract() != 0.0 {
            return Err(format!("{index} is no index of a port"));
        }
        let index = index as usize;
        if ports.len() <= index {
            ports.resize_with(index + 1, || None);
            seen.resize(index + 1, id);
        }
        match &ports[index] {
            Some(_) if seen[index] != id => return Err(format!("two ports have the index {index}")),
            Some(_) => {}
            None => {
                seen[index] = id;
                ports[index] = Some(read_port(graph, id).map_err(|why| format!("port {index} {why}"))?);
            }
        }
    }
    let all: Option<Vec<Port>> = ports.into_iter().collect();
    let ports = all.ok_or("the indices of its ports have a gap")?;
    let mut symbols: Vec<&str> = ports.iter().map(|port| port.symbol.as_str()).collect();
    symbols.sort_unstable();
    match symbols.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => Err(format!("two ports have the symbol {:?}", pair[0])),
        None => Ok(ports),
    }
}

fn read_port(graph: &Graph, id: Id) -> Result<Port, String> {
    let types = graph.iris(id, RDF_TYPE);
    let is = |class: &str| types.iter().any(|it| it == class);
    let direction = match (is(LV2_INPUT_PORT), is(LV2_OUTPUT_PORT)) {
        (true, false) => Direction::Input,
        (false, true) => Direction::Output,
        _ => return Err("is neither an input nor an output".to_owned()),
    };
    let carries = [
        (LV2_AUDIO_PORT, PortType::Audio),
        (LV2_CONTROL_PORT, PortType::Control),
        (LV2_CV_PORT, PortType::Cv),
        (ATOM_PORT, PortType::Atom),
    ];
    let symbol = graph.label(id, LV2_SYMBOL).ok_or("has no symbol")?;
    Ok(Port {
        symbol: symbol.to_owned(),
        name: graph.label(id, LV2_NAME).unwrap_or(symbol).to_owned(),
        direction,
        carries: carries.into_iter().find(|(class, _)| is(class)).map_or(PortType::Other, |(_, it)| it),
        min: graph.number(id, LV2_MINIMUM),
        max: graph.number(id, LV2_MAXIMUM),
        default: graph.number(id, LV2_DEFAULT),
        properties: graph.iris(id, LV2_PORT_PROPERTY),
        scale_points: scale_points(graph, id),
        unit: Unit::read(graph, id),
        group: graph.iris(id, PG_GROUP).into_iter().next(),
        designation: graph.iris(id, LV2_DESIGNATION).into_iter().next(),
        is_side_chain: graph.number(id, LV2_IS_SIDE_CHAIN).is_some_and(|it| it != 0.0),
        minimum_bytes: graph.number(id, RSZ_MINIMUM_SIZE).filter(|it| *it >= 0.0).map(|it| it as u64),
        supports: graph.iris(id, ATOM_SUPPORTS),
    })
}

/// The named values of a port or property, in order of the values.
pub fn scale_points(graph: &Graph, id: Id) -> Vec<(f64, String)> {
    let point = |point: Id| {
        let value = number_of(graph.node(graph.object(point, RDF_VALUE)?))?;
        Some((value, graph.label(point, RDFS_LABEL)?.to_owned()))
    };
    let mut points: Vec<(f64, String)> =
        graph.objects(id, LV2_SCALE_POINT).filter_map(point).take(MAX_SCALE_POINTS).collect();
    points.sort_by(|a, b| a.0.total_cmp(&b.0));
    points
}
