//! `kmidi analyze`: what a song is made of.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow};
use clap::Args;
use kmidi_compose::analysis::{Analysis, NoteView, Part};
use kmidi_session::FileSource;
use kmidi_song::Song;

use crate::exit::Unreadable;
use crate::output::{print, print_json};

const AFTER_HELP: &str = "\
Without --key, --tempo, --chords or --sections all of it is printed; --json is always all of it.

The key is that whose profile (Krumhansl and Kessler 1982) fits the time that each tone sounds, with what the first and last
chord and the cadences say. Below a confidence of 0.2 the second key is as defensible: a loop of Am F C G is in A minor or in C.
Chords are read bar by bar; 3:G7 is a G7 that begins on the third beat, N.C. is no chord. Sections with the same letter are
the same music again. The drums (channel 10) tell about tempo and sections only.

EXAMPLES:
  kmidi analyze song.mid
  kmidi analyze song.mid --key --chords
  kmidi analyze song.mid --json | jq .key.name";

#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub struct Analyze {
    /// A MIDI file (- for standard input)
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Print the chords, bar by bar
    #[arg(long, short = 'c')]
    pub chords: bool,
    /// Print the key, and the keys that it goes through
    #[arg(long, short = 'k')]
    pub key: bool,
    /// Print the sections and the course of tension
    #[arg(long, short = 's')]
    pub sections: bool,
    /// Print tempo and meter
    #[arg(long, short = 't')]
    pub tempo: bool,
    /// Print one JSON object on stdout
    #[arg(long)]
    pub json: bool,
}

pub fn run(args: Analyze) -> Result<()> {
    let song = read_song(&args.file).map_err(Unreadable)?;
    let view =
        NoteView::from_song(&song).with_context(|| args.file.display().to_string()).map_err(Unreadable)?;
    let analysis = Analysis::of(&view);
    if args.json {
        return print_json(&analysis);
    }
    let text = format!("{}\n{}", args.file.display(), analysis.text(&parts(&args)));
    print(text.as_bytes())
}

fn parts(args: &Analyze) -> Vec<Part> {
    let all = [
        (args.key, Part::Key),
        (args.tempo, Part::Tempo),
        (args.sections, Part::Sections),
        (args.chords, Part::Chords),
    ];
    let any = all.iter().any(|it| it.0);
    all.into_iter().filter(|it| it.0 || !any).map(|it| it.1).collect()
}

/// Most bytes of a song that is held in memory as a whole.
const MAX_SONG_BYTES: u64 = 256 << 20;

/// A whole song, as what changes or analyses it needs it.
fn read_song(path: &Path) -> Result<Song> {
    let source = FileSource::open(path)?;
    let len = source.len_bytes();
    if len > MAX_SONG_BYTES {
        return Err(anyhow!("{}: {len} bytes; songs of up to {MAX_SONG_BYTES} are analysed", path.display()));
    }
    let mut bytes = vec![0; len as usize];
    let mut read = 0;
    while read < bytes.len() {
        match source.read_at(read as u64, &mut bytes[read..]).with_context(|| path.display().to_string())? {
            0 => break,
            count => read += count,
        }
    }
    let (song, _) = Song::from_smf(&bytes[..read]).with_context(|| path.display().to_string())?;
    Ok(song)
}
