//! One value of a plugin's state, and such values as Turtle has them (presets, default states).

use super::atom;
use super::graph::{Graph, Id, Node, number_of};
use super::urid::{map_str, urids};
use super::uris::*;

/// Most values of a state.
pub const MAX_ENTRIES: usize = 65_536;

/// A value under its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// URI of the key.
    pub key: String,
    /// URI of the value's type.
    pub kind: String,
    /// `LV2_State_Flags`
    pub flags: u32,
    /// The body of the value as an atom; URIDs in it are those of this process.
    pub bytes: Vec<u8>,
}

/// The values that a node of a description has as state.
pub fn entries_of(graph: &Graph, state: Id) -> Vec<Entry> {
    let entry = |(key, value): &(Id, Id)| {
        let key = graph.iri(*key).filter(|key| *key != RDF_TYPE)?;
        let (kind, bytes) = value_of(graph, *value)?;
        let flags = super::abi::STATE_IS_POD | super::abi::STATE_IS_PORTABLE;
        Some(Entry { key: key.to_owned(), kind: kind.to_owned(), flags, bytes })
    };
    graph.about(state).iter().filter_map(entry).take(MAX_ENTRIES).collect()
}

fn value_of(graph: &Graph, id: Id) -> Option<(&'static str, Vec<u8>)> {
    match graph.node(id) {
        Node::Iri(iri) => Some(match super::graph::path_of(iri) {
            Some(path) => (ATOM_PATH, c_bytes(path.to_str()?)),
            None => (ATOM_URID, map_str(iri).to_ne_bytes().to_vec()),
        }),
        Node::Blank => vector_of(graph, id).map(|bytes| (ATOM_VECTOR, bytes)),
        node => literal_of(node),
    }
}

fn literal_of(node: &Node) -> Option<(&'static str, Vec<u8>)> {
    let Node::Literal { text, datatype, .. } = node else { return None };
    let number = || number_of(node);
    if datatype == ATOM_PATH {
        return Some((ATOM_PATH, c_bytes(text)));
    }
    Some(match datatype.strip_prefix(XSD).unwrap_or("string") {
        "float" => (ATOM_FLOAT, (number()? as f32).to_ne_bytes().to_vec()),
        "double" | "decimal" => (ATOM_DOUBLE, number()?.to_ne_bytes().to_vec()),
        "int" | "integer" => (ATOM_INT, (number()? as i32).to_ne_bytes().to_vec()),
        "long" => (ATOM_LONG, text.trim().parse::<i64>().ok()?.to_ne_bytes().to_vec()),
        "boolean" => (ATOM_BOOL, (number()? as i32).to_ne_bytes().to_vec()),
        "base64Binary" => (ATOM_CHUNK, base64(text)?),
        "anyURI" => (ATOM_URI, c_bytes(text)),
        _ => (ATOM_STRING, c_bytes(text)),
    })
}

/// `[ a atom:Vector ; atom:childType atom:Int ; rdf:value ( 1 2 3 ) ]` as the body of a vector.
fn vector_of(graph: &Graph, id: Id) -> Option<Vec<u8>> {
    if !graph.is_a(id, ATOM_VECTOR) {
        return None;
    }
    let kind = graph.iris(id, ATOM_CHILD_TYPE).into_iter().next()?;
    let is_long = [ATOM_DOUBLE, ATOM_LONG].contains(&kind.as_str());
    let mut body = Vec::new();
    body.extend(if is_long { 8u32 } else { 4 }.to_ne_bytes());
    body.extend(map_str(&kind).to_ne_bytes());
    for item in graph.list(graph.object(id, RDF_VALUE)?, MAX_ENTRIES) {
        let number = number_of(graph.node(item))?;
        match kind.as_str() {
            ATOM_FLOAT => body.extend((number as f32).to_ne_bytes()),
            ATOM_DOUBLE => body.extend(number.to_ne_bytes()),
            ATOM_INT | ATOM_BOOL => body.extend((number as i32).to_ne_bytes()),
            ATOM_LONG => body.extend((number as i64).to_ne_bytes()),
            _ => return None,
        }
    }
    Some(body)
}

fn c_bytes(text: &str) -> Vec<u8> {
    [text.as_bytes(), &[0]].concat()
}

fn base64(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let (mut bits, mut count) = (0u32, 0);
    for byte in text.bytes().filter(|byte| !byte.is_ascii_whitespace() && *byte != b'=') {
        let six = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = (bits << 6) | u32::from(six);
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count) as u8);
        }
    }
    Some(bytes)
}

impl Entry {
    /// The number that it is.
    pub fn number(&self) -> Option<f64> {
        atom::number(map_str(&self.kind), &self.bytes)
    }

    /// URID of its type.
    pub fn kind_id(&self) -> u32 {
        // The types of this host are mapped first, so that their numbers are known to it.
        urids();
        map_str(&self.kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_read_as_written_by_others() {
        for (text, bytes) in
            [("", &b""[..]), ("TQ==", b"M"), ("TWE=", b"Ma"), ("TWFu\n", b"Man"), ("/+8=", b"\xff\xef")]
        {
            assert_eq!(base64(text).as_deref(), Some(bytes));
        }
        assert_eq!(base64("T!"), None);
    }
}
