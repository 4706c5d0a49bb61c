//! Parameters that are no ports: properties that patch messages set and tell.

use super::graph::{Graph, Id};
use super::ports::scale_points;
use super::units::Unit;
use super::uris::*;

/// Most properties of a plugin.
const MAX_PROPERTIES: usize = 4096;

/// How the value of a property is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ValueType {
    /// 32-bit floating point.
    Float,
    /// 64-bit floating point.
    Double,
    /// 32-bit integer.
    Int,
    /// 64-bit integer.
    Long,
    /// Yes or no.
    Bool,
}

/// A property with a number.
#[derive(Clone, Debug)]
pub struct Property {
    /// Its URI.
    pub uri: String,
    /// Name shown to people.
    pub name: String,
    /// How its value is written.
    pub value_type: ValueType,
    /// Whether the host may set it.
    pub is_writable: bool,
    /// Lowest value.
    pub min: Option<f64>,
    /// Highest value.
    pub max: Option<f64>,
    /// Value of a fresh instance.
    pub default: Option<f64>,
    /// Names of values, in order of these.
    pub scale_points: Vec<(f64, String)>,
    /// Unit of its value.
    pub unit: Unit,
}

/// Reads the properties with numbers: texts and paths are state, not parameters.
pub fn read_properties(graph: &Graph, plugin: Id) -> Vec<Property> {
    let writable: Vec<Id> = graph.objects(plugin, PATCH_WRITABLE).collect();
    let mut all = writable.clone();
    all.extend(graph.objects(plugin, PATCH_READABLE));
    let mut properties: Vec<Property> = Vec::new();
    for id in all.into_iter().take(MAX_PROPERTIES) {
        let Some(property) = read_property(graph, plugin, id, writable.contains(&id)) else { continue };
        if !properties.iter().any(|it| it.uri == property.uri) {
            properties.push(property);
        }
    }
    properties
}

fn read_property(graph: &Graph, plugin: Id, id: Id, is_writable: bool) -> Option<Property> {
    let uri = graph.iri(id)?;
    let of_state = graph.object(plugin, STATE_STATE).and_then(|state| graph.number(state, uri));
    Some(Property {
        uri: uri.to_owned(),
        name: graph.label(id, RDFS_LABEL).unwrap_or_else(|| last_word(uri)).to_owned(),
        value_type: value_type(graph, id, uri)?,
        is_writable,
        min: graph.number(id, LV2_MINIMUM),
        max: graph.number(id, LV2_MAXIMUM),
        default: graph.number(id, LV2_DEFAULT).or(of_state),
        scale_points: scale_points(graph, id),
        unit: Unit::read(graph, id),
    })
}

fn value_type(graph: &Graph, id: Id, uri: &str) -> Option<ValueType> {
    let range = graph.iris(id, RDFS_RANGE).into_iter().next();
    let Some(range) = range else {
        // The vocabulary of common parameters, all floating point, is described in a bundle that need not be there.
        return uri.starts_with(PARAM).then_some(ValueType::Float);
    };
    let tail = range.strip_prefix(ATOM).or_else(|| range.strip_prefix(XSD))?;
    Some(match tail {
        "Float" | "float" => ValueType::Float,
        "Double" | "double" | "decimal" => ValueType::Double,
        "Int" | "int" | "integer" => ValueType::Int,
        "Long" | "long" => ValueType::Long,
        "Bool" | "boolean" => ValueType::Bool,
        _ => return None,
    })
}

/// What stands behind the last `#`, `/` or `:` of a URI.
pub fn last_word(uri: &str) -> &str {
    uri.rsplit(['#', '/', ':']).find(|word| !word.is_empty()).unwrap_or(uri)
}
