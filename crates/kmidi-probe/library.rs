//! What the file of a library says of its code: functions by symbol tables, lines where it has debug information.

use std::path::Path;
use std::sync::Arc;

use gimli::{Dwarf, EndianArcSlice, RunTimeEndian, SectionId};
use object::{Object, ObjectSection, ObjectSymbol, SymbolKind};

type Reader = EndianArcSlice<RunTimeEndian>;

/// Largest file that is read.
const MAX_BYTES: u64 = 1 << 30;

/// A library as its file has it.
pub struct Library {
    debug: Option<addr2line::Context<Reader>>,
    functions: Vec<Function>,
}

struct Function {
    start: u64,
    bytes: u64,
    name: String,
}

/// Who is at an address.
#[derive(Default)]
pub struct Code {
    /// The innermost function of those that were inlined, as people write its name.
    pub function: Option<String>,
    /// File and line.
    pub line: Option<String>,
}

impl Library {
    /// Reads it; `None` if that cannot be done.
    pub fn read(path: &Path) -> Option<Self> {
        if std::fs::metadata(path).ok()?.len() > MAX_BYTES {
            return None;
        }
        let bytes = std::fs::read(path).ok()?;
        let file = object::File::parse(bytes.as_slice()).ok()?;
        Some(Library { debug: debug(&file), functions: functions(&file) })
    }

    /// What is at an address of the file.
    pub fn code(&self, address: u64) -> Code {
        let mut code = self.debug.as_ref().and_then(|debug| innermost(debug, address)).unwrap_or_default();
        if code.function.is_none() {
            let after = self.functions.partition_point(|it| it.start <= address);
            let function = after.checked_sub(1).map(|index| &self.functions[index]);
            let function = function.filter(|it| it.bytes == 0 || address < it.start + it.bytes);
            code.function = function.map(|it| in_words(&it.name));
        }
        code
    }
}

/// A name as people write it.
pub fn in_words(name: &str) -> String {
    addr2line::demangle_auto(name.into(), None).into_owned()
}

fn debug(file: &object::File<'_>) -> Option<addr2line::Context<Reader>> {
    let endian = if file.is_little_endian() { RunTimeEndian::Little } else { RunTimeEndian::Big };
    let section = |id: SectionId| {
        let data =
            file.section_by_name(id.name()).and_then(|section| section.data().ok()).unwrap_or_default();
        Ok::<_, gimli::Error>(Reader::new(Arc::from(data), endian))
    };
    addr2line::Context::from_dwarf(Dwarf::load(section).ok()?).ok()
}

/// All functions by their addresses. A library that was stripped has only what it exports.
fn functions(file: &object::File<'_>) -> Vec<Function> {
    let symbols = file.symbols().chain(file.dynamic_symbols());
    let code = symbols.filter(|it| it.kind() == SymbolKind::Text && it.is_definition());
    let function = |symbol: object::Symbol<'_, '_>| {
        let name = symbol.name().ok().filter(|name| !name.is_empty())?.to_owned();
        Some(Function { start: symbol.address(), bytes: symbol.size(), name })
    };
    let mut functions: Vec<Function> = code.filter_map(function).collect();
    functions.sort_by_key(|it| (it.start, it.bytes));
    functions
}

fn innermost(debug: &addr2line::Context<Reader>, address: u64) -> Option<Code> {
    let mut frames = debug.find_frames(address).skip_all_loads().ok()?;
    let frame = frames.next().ok()??;
    let function = frame.function.and_then(|it| Some(it.demangle().ok()?.into_owned()));
    let line = frame.location.and_then(|it| {
        let file = Path::new(it.file?).file_name()?.to_string_lossy();
        Some(format!("{file}:{}", it.line?))
    });
    Some(Code { function, line })
}
