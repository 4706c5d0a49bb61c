//! Names of addresses in another process of the same program. They are looked up here: what it takes to read
//! a program's file is more than most that a player needs itself.

use std::collections::HashMap;
use std::fs;
use std::ops::Range;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use kmidi_memory::Site;
use serde::{Deserialize, Serialize};

use super::protocol::Call;

/// Addresses whose names are kept.
const KEPT: usize = 4096;

/// Which program a process runs, and where it has it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Image {
    /// The address of one certain function.
    anchor: usize,
    device: u64,
    inode: u64,
}

impl Image {
    pub fn own() -> Self {
        let anchor = Self::own as fn() -> Self as usize;
        // Without it nothing is the same program.
        let file = fs::metadata("/proc/self/exe").map(|file| (file.dev(), file.ino()));
        let (device, inode) = file.unwrap_or_default();
        Image { anchor, device, inode }
    }

    fn is_same_program(&self, other: &Self) -> bool {
        self.inode != 0 && (self.device, self.inode) == (other.device, other.inode)
    }
}

/// Names are looked up once: a screen asks for the same ones each second.
pub struct Symbols {
    own: Image,
    /// Where this process has the program.
    range: Range<usize>,
    known: HashMap<usize, Vec<Call>>,
}

impl Symbols {
    pub fn new() -> Self {
        Symbols { own: Image::own(), range: own_range().unwrap_or(0..0), known: HashMap::new() }
    }

    /// Whether a process with this image runs this very program: only then addresses have names.
    pub fn knows(&self, image: &Image) -> bool {
        image.is_same_program(&self.own)
    }

    /// The calls of a site of a process with this image, with those that the compiler has put into others.
    pub fn calls(&mut self, image: &Image, site: &Site) -> Vec<Call> {
        if self.known.len() > KEPT {
            self.known.clear();
        }
        let is_known = self.knows(image);
        let calls = site.frames.iter().filter(|&&frame| frame != 0).flat_map(|&frame| {
            let here = frame.wrapping_sub(image.anchor).wrapping_add(self.own.anchor);
            if !is_known || !self.range.contains(&here) {
                return vec![nameless(frame)];
            }
            self.known.entry(here).or_insert_with(|| calls(here)).clone()
        });
        calls.collect()
    }
}

/// An address of another library, or of another version of the program.
fn nameless(frame: usize) -> Call {
    Call { function: format!("{frame:#x}"), place: None }
}

fn calls(frame: usize) -> Vec<Call> {
    let mut calls = Vec::new();
    backtrace::resolve(std::ptr::without_provenance_mut(frame), |symbol| {
        let Some(name) = symbol.name() else { return };
        let function = qualified(format!("{name:#}"), symbol.filename());
        let place = symbol.filename().zip(symbol.lineno());
        let place = place.map(|(file, line)| format!("{}:{line}", file.display()));
        calls.push(Call { function, place });
    });
    if calls.is_empty() { vec![nameless(frame)] } else { calls }
}

/// A name with its modules. Of a function that the compiler has put into another one, a release build has the
/// bare name only: the rest is where its file is.
fn qualified(name: String, file: Option<&Path>) -> String {
    let is_bare = !name.split('<').next().is_some_and(|start| start.contains("::")) && !name.starts_with('<');
    let Some(file) = file.filter(|_| is_bare) else { return name };
    let parts: Vec<_> = file.iter().filter_map(|part| part.to_str()).collect();
    let modules = match parts.iter().rposition(|part| *part == "src") {
        Some(src) if src > 0 => [&parts[src - 1..src], &parts[src + 1..]].concat(),
        // The program itself has its files beside those of its crates.
        _ => match parts.iter().rposition(|part| part.starts_with("kmidi")) {
            Some(program) => parts[program..].to_vec(),
            None => return name,
        },
    };
    let module = |part: &&str| part.trim_end_matches(".rs").replace('-', "_");
    let modules = modules.iter().map(module).filter(|it| !["lib", "main", "mod"].contains(&it.as_str()));
    modules.chain([name]).collect::<Vec<_>>().join("::")
}

/// From the first to the last address of the program's file in this process.
fn own_range() -> Option<Range<usize>> {
    let program = fs::read_link("/proc/self/exe").ok()?;
    let program = program.to_str()?;
    let maps = fs::read_to_string("/proc/self/maps").ok()?;
    let mut lines = maps.lines().filter(|line| line.ends_with(program)).filter_map(|line| {
        let (start, end) = line.split_whitespace().next()?.split_once('-')?;
        Some((usize::from_str_radix(start, 16).ok()?, usize::from_str_radix(end, 16).ok()?))
    });
    let (start, end) = lines.next()?;
    Some(start..lines.next_back().map_or(end, |(_, end)| end))
}

#[cfg(test)]
mod tests {
    use kmidi_memory::Domain;

    use super::*;

    fn site(frames: &[usize]) -> Site {
        Site {
            frames: frames.to_vec(),
            domain: Domain::Program,
            allocations: 1,
            allocated_bytes: 1,
            live_blocks: 1,
            live_bytes: 1,
            peak_bytes: 1,
            oldest_s: None,
        }
    }

    #[test]
    fn bare_names_get_their_modules_from_their_files() {
        let check = |name: &str, file: &str, expected: &str| {
            assert_eq!(qualified(name.into(), Some(Path::new(file))), expected);
        };
        check("silence", "/x/plugins/kmidi-soundfont/src/fetch.rs", "kmidi_soundfont::fetch::silence");
        check("grow<u8>", "/rustc/0/library/alloc/src/raw_vec/mod.rs", "alloc::raw_vec::grow<u8>");
        check("run<a::B>", "/kmidi/crates/kmidi/commands/play.rs", "kmidi::commands::play::run<a::B>");
        check("read", "/x/crates/kmidi-song/src/lib.rs", "kmidi_song::read");
        check("a::b", "/x/src/c.rs", "a::b");
        check("<a::B as c::D>::e", "/x/src/c.rs", "<a::B as c::D>::e");
        assert_eq!(qualified("f".into(), None), "f");
    }

    #[test]
    fn a_function_of_another_process_of_this_program_is_found() {
        let here = a_function_of_another_process_of_this_program_is_found as fn() as usize + 1;
        let mut symbols = Symbols::new();
        // There the program lies elsewhere.
        const AWAY: usize = 0x7000;
        let own = Image::own();
        let there = Image { anchor: own.anchor + AWAY, ..own };
        let calls = symbols.calls(&there, &site(&[here + AWAY, 8]));
        let name = "a_function_of_another_process_of_this_program_is_found";
        assert!(calls[0].function.ends_with(name), "{calls:?}");
        assert!(calls[0].place.as_ref().is_some_and(|place| place.contains("symbols.rs:")), "{calls:?}");
        assert_eq!(calls.last(), Some(&nameless(8)), "no address of the program");
        let other = Image { inode: own.inode + 1, ..there };
        assert_eq!(symbols.calls(&other, &site(&[here])), [nameless(here)]);
    }
}
