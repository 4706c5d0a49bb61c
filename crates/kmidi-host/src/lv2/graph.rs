//! What the Turtle files of a bundle say, as a graph in memory.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use oxrdf::{NamedOrBlankNode, Term, Triple};
use oxttl::TurtleParser;

use super::uris::{RDF_FIRST, RDF_REST, RDF_TYPE};
use crate::LoadError;

/// Largest Turtle file that is read, in bytes.
const MAX_FILE_BYTES: u64 = 64 << 20;
/// Most statements of one bundle.
const MAX_TRIPLES: usize = 4 << 20;

/// A node of a [`Graph`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Id(u32);

/// What a node is.
#[derive(Clone, Debug)]
pub enum Node {
    /// A name.
    Iri(String),
    /// Something without a name.
    Blank,
    /// A value.
    Literal {
        /// As it is written.
        text: String,
        /// Language tag.
        language: Option<String>,
        /// IRI of its type.
        datatype: String,
    },
}

/// Statements of one or several files.
#[derive(Default)]
pub struct Graph {
    nodes: Vec<Node>,
    iris: HashMap<String, Id>,
    subjects: Vec<Id>,
    statements: HashMap<Id, Vec<(Id, Id)>>,
    files: HashSet<PathBuf>,
    triples: usize,
}

impl Graph {
    /// Adds what a file says; a file that was added before is passed over.
    pub fn add_file(&mut self, path: &Path) -> Result<(), LoadError> {
        if !self.files.insert(path.to_owned()) {
            return Ok(());
        }
        self.parse(path).map_err(|why| LoadError::Bundle { path: path.to_owned(), why })
    }

    fn parse(&mut self, path: &Path) -> Result<(), String> {
        let text = read_limited(path)?;
        let base = file_url(path);
        let parser = TurtleParser::new().lenient().with_base_iri(&base).map_err(|error| error.to_string())?;
        let mut blanks = HashMap::new();
        for triple in parser.for_slice(&text) {
            self.triples += 1;
            if self.triples > MAX_TRIPLES {
                return Err(format!("the bundle has over {MAX_TRIPLES} statements"));
            }
            self.add(triple.map_err(|error| error.to_string())?, &mut blanks);
        }
        Ok(())
    }

    fn add(&mut self, triple: Triple, blanks: &mut HashMap<String, Id>) {
        let subject = match triple.subject {
            NamedOrBlankNode::NamedNode(node) => self.iri_node(node.into_string()),
            NamedOrBlankNode::BlankNode(node) => self.blank_node(node.into_string(), blanks),
        };
        let predicate = self.iri_node(triple.predicate.into_string());
        let object = match triple.object {
            Term::NamedNode(node) => self.iri_node(node.into_string()),
            Term::BlankNode(node) => self.blank_node(node.into_string(), blanks),
            Term::Literal(literal) => {
                let language = literal.language().map(str::to_owned);
                let datatype = literal.datatype().as_str().to_owned();
                self.push(Node::Literal { text: literal.value().to_owned(), language, datatype })
            }
            #[allow(unreachable_patterns, reason = "oxrdf has a further kind of term with a feature")]
            _ => return,
        };
        let statements = self.statements.entry(subject).or_insert_with(|| {
            self.subjects.push(subject);
            Vec::new()
        });
        statements.push((predicate, object));
    }

    fn push(&mut self, node: Node) -> Id {
        self.nodes.push(node);
        Id(self.nodes.len() as u32 - 1)
    }

    fn iri_node(&mut self, iri: String) -> Id {
        if let Some(id) = self.iris.get(&iri) {
            return *id;
        }
        let id = self.push(Node::Iri(iri.clone()));
        self.iris.insert(iri, id);
        id
    }

    fn blank_node(&mut self, label: String, blanks: &mut HashMap<String, Id>) -> Id {
        if let Some(id) = blanks.get(&label) {
            return *id;
        }
        let id = self.push(Node::Blank);
        blanks.insert(label, id);
        id
    }

    /// The node of a name, if any statement has it.
    pub fn id(&self, iri: &str) -> Option<Id> {
        self.iris.get(iri).copied()
    }

    /// What a node is.
    pub fn node(&self, id: Id) -> &Node {
        &self.nodes[id.0 as usize]
    }

    /// The name of a node that has one.
    pub fn iri(&self, id: Id) -> Option<&str> {
        match self.node(id) {
            Node::Iri(iri) => Some(iri),
            _ => None,
        }
    }

    /// The text of a literal, or the name of a node.
    pub fn text(&self, id: Id) -> Option<&str> {
        match self.node(id) {
            Node::Iri(iri) => Some(iri),
            Node::Literal { text, .. } => Some(text),
            Node::Blank => None,
        }
    }

    /// All statements about a node, predicate and object.
    pub fn about(&self, subject: Id) -> &[(Id, Id)] {
        self.statements.get(&subject).map_or(&[], Vec::as_slice)
    }

    /// The objects of a node's statements with a predicate, in the order of the files.
    pub fn objects<'a>(&'a self, subject: Id, predicate: &str) -> impl Iterator<Item = Id> + use<'a> {
        let predicate = self.id(predicate);
        self.about(subject).iter().filter(move |(it, _)| Some(*it) == predicate).map(|(_, object)| *object)
    }

    /// The first of [`Graph::objects`].
    pub fn object(&self, subject: Id, predicate: &str) -> Option<Id> {
        self.objects(subject, predicate).next()
    }

    /// Names among the objects.
    pub fn iris(&self, subject: Id, predicate: &str) -> Vec<String> {
        let mut iris: Vec<String> = Vec::new();
        for iri in self.objects(subject, predicate).filter_map(|id| self.iri(id)) {
            if !iris.iter().any(|it| it == iri) {
                iris.push(iri.to_owned());
            }
        }
        iris
    }

    /// A number; booleans are 0 and 1.
    pub fn number(&self, subject: Id, predicate: &str) -> Option<f64> {
        self.objects(subject, predicate).find_map(|id| number_of(self.node(id)))
    }

    /// A text for people: the one without a language, else the English one, else the first.
    pub fn label(&self, subject: Id, predicate: &str) -> Option<&str> {
        let literals = || {
            self.objects(subject, predicate).filter_map(|id| match self.node(id) {
                Node::Literal { text, language, .. } => Some((text.as_str(), language.as_deref())),
                _ => None,
            })
        };
        let is_english = |tag: &str| tag.split('-').next().is_some_and(|it| it.eq_ignore_ascii_case("en"));
        let plain = literals().find(|(_, language)| language.is_none());
        let english = || literals().find(|(_, language)| language.is_some_and(is_english));
        plain.or_else(english).or_else(|| literals().next()).map(|(text, _)| text)
    }

    /// Whether a node is of a class.
    pub fn is_a(&self, subject: Id, class: &str) -> bool {
        let class = self.id(class);
        class.is_some() && self.objects(subject, RDF_TYPE).any(|it| Some(it) == class)
    }

    /// Every node that has a statement with this predicate and object, in the order of the files.
    pub fn subjects_with(&self, predicate: &str, object: &str) -> Vec<Id> {
        let (Some(predicate), Some(object)) = (self.id(predicate), self.id(object)) else {
            return Vec::new();
        };
        let says = |subject: &&Id| self.about(**subject).contains(&(predicate, object));
        self.subjects.iter().filter(says).copied().collect()
    }

    /// The items of a list `( ... )`, at most `limit` of them.
    pub fn list(&self, head: Id, limit: usize) -> Vec<Id> {
        let mut items = Vec::new();
        let mut at = head;
        while let (Some(item), true) = (self.object(at, RDF_FIRST), items.len() < limit) {
            items.push(item);
            match self.object(at, RDF_REST) {
                Some(rest) => at = rest,
                None => break,
            }
        }
        items
    }
}

/// A literal as a number.
pub fn number_of(node: &Node) -> Option<f64> {
    let Node::Literal { text, .. } = node else { return None };
    match text.trim() {
        "true" => Some(1.0),
        "false" => Some(0.0),
        text => text.parse::<f64>().ok().filter(|number| number.is_finite()),
    }
}

fn read_limited(path: &Path) -> Result<Vec<u8>, String> {
    let text = |error: std::io::Error| error.to_string();
    let metadata = std::fs::metadata(path).map_err(text)?;
    if !metadata.is_file() {
        return Err("it is not a file".to_owned());
    }
    let mut bytes = Vec::new();
    File::open(path).map_err(text)?.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes).map_err(text)?;
    match bytes.len() as u64 > MAX_FILE_BYTES {
        true => Err(format!("it has over {MAX_FILE_BYTES} bytes")),
        false => Ok(bytes),
    }
}

/// A path as `file://` URL.
pub fn file_url(path: &Path) -> String {
    use std::os::unix::ffi::OsStrExt;
    let mut url = String::from("file://");
    for &byte in path.as_os_str().as_bytes() {
        match byte {
            b'A'..=b'Z'
            | b'a'..=b'z'
            | b'0'..=b'9'
            | b'/'
            | b'.'
            | b'-'
            | b'_'
            | b'~'
            | b'+'
            | b'='
            | b',' => {
                url.push(char::from(byte));
            }
            _ => url.push_str(&format!("%{byte:02X}")),
        }
    }
    url
}

/// The path that a `file:` URL names.
pub fn path_of(url: &str) -> Option<PathBuf> {
    use std::os::unix::ffi::OsStringExt;
    let path = url.strip_prefix("file://localhost").or_else(|| url.strip_prefix("file://"));
    let path = path.or_else(|| url.strip_prefix("file:"))?.as_bytes();
    let mut bytes = Vec::with_capacity(path.len());
    let mut at = 0;
    while at < path.len() {
        let hex = path.get(at + 1..at + 3).and_then(|hex| str::from_utf8(hex).ok());
        let code = hex.and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match (path[at], code) {
            (b'%', Some(code)) => {
                bytes.push(code);
                at += 3;
            }
            (byte, _) => {
                bytes.push(byte);
                at += 1;
            }
        }
    }
    let is_path = bytes.first() == Some(&b'/') && !bytes.contains(&0);
    is_path.then(|| PathBuf::from(std::ffi::OsString::from_vec(bytes)))
}
