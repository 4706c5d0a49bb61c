//! What tests and the benchmark share: songs that are written, and vectors that need no model.

#![allow(dead_code, reason = "each user takes what it needs")]

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use kmidi_library::{
    DIMENSIONS, Embed, EmbedError, IndexJobError, IndexReport, IndexSettings, Indexer, Plugins, Searcher,
};
use kmidi_memory::{Budgets, Cancel, JobContext, Limits, MIB, Need};

/// A vector for each word, by its hash, added up: texts with words in common are alike. Input for tests, no model.
pub struct Hashing {
    pub calls: u64,
    pub id: &'static str,
    /// Words that it says it knows.
    pub known: &'static [&'static str],
}

impl Hashing {
    pub fn new() -> Self {
        Hashing { calls: 0, id: "hashing 1", known: &[] }
    }
}

impl Embed for Hashing {
    fn id(&self) -> &str {
        self.id
    }

    fn knows(&self, word: &str) -> bool {
        self.known.contains(&word)
    }

    fn embed(&mut self, text: &str) -> Result<[f32; DIMENSIONS], EmbedError> {
        self.calls += 1;
        Ok(vector(text))
    }
}

pub fn vector(text: &str) -> [f32; DIMENSIONS] {
    let mut sum = [0.0; DIMENSIONS];
    for word in text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()) {
        let mut state = word.bytes().fold(0xcbf2_9ce4_8422_2325u64, |hash, byte| {
            (hash ^ u64::from(byte.to_ascii_lowercase())).wrapping_mul(0x0100_0000_01b3)
        });
        for number in &mut sum {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            *number += (state >> 40) as f32 / (1u64 << 23) as f32 - 1.0;
        }
    }
    sum
}

/// The same, and keeps what it was asked for.
#[derive(Default)]
pub struct Recording(HashMap<String, [f32; DIMENSIONS]>);

impl Embed for Recording {
    fn id(&self) -> &str {
        "hashing 1"
    }

    fn knows(&self, _: &str) -> bool {
        true
    }

    fn embed(&mut self, text: &str) -> Result<[f32; DIMENSIONS], EmbedError> {
        let vector = vector(text);
        // Each song of a pack has a number of its own at the end of its name, with which its text begins.
        let name = text.split('.').next().unwrap();
        self.0.insert(name.rsplit(' ').next().unwrap().to_owned(), vector);
        Ok(vector)
    }
}

impl Recording {
    /// The vectors of a pack's items in their order, of length 1.
    pub fn vectors(&self, searcher: &Searcher) -> Vec<[f32; DIMENSIONS]> {
        let vector = |item| {
            let name = searcher.found(item).unwrap().name;
            unit(self.0[name.rsplit(' ').next().unwrap()])
        };
        (0..searcher.index().items()).map(vector).collect()
    }
}

/// Of length 1.
pub fn unit(vector: [f32; DIMENSIONS]) -> [f32; DIMENSIONS] {
    let length = vector.iter().map(|number| number * number).sum::<f32>().sqrt();
    vector.map(|number| number / length)
}

/// A MIDI file with a name, a tempo and a scale upwards from a key.
pub fn song(name: &str, bpm: u32, key: u8) -> Vec<u8> {
    let mut track = vec![0, 0xff, 0x03, name.len() as u8];
    track.extend(name.as_bytes());
    let micros = (60_000_000 / bpm).to_be_bytes();
    track.extend([0, 0xff, 0x51, 3, micros[1], micros[2], micros[3]]);
    for step in [0, 4, 7, 12, 7, 4, 0] {
        track.extend([0, 0x90, key + step, 100, 96, 0x80, key + step, 0]);
    }
    track.extend([0, 0xff, 0x2f, 0]);
    let mut bytes = b"MThd\0\0\0\x06\0\0\0\x01\0\x60MTrk".to_vec();
    bytes.extend((track.len() as u32).to_be_bytes());
    bytes.extend(track);
    bytes
}

pub fn write(path: &Path, bytes: &[u8]) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

/// A folder of songs, and where its index is.
pub struct Place {
    pub folder: tempfile::TempDir,
}

impl Place {
    pub fn new() -> Self {
        Place { folder: tempfile::tempdir().unwrap() }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        // As an index names it.
        self.folder.path().canonicalize().unwrap().join(name)
    }

    pub fn sounds(&self) -> PathBuf {
        self.path("sounds")
    }

    pub fn index(&self) -> PathBuf {
        self.path("library.index")
    }

    pub fn song(&self, name: &str, bpm: u32) {
        write(&self.sounds().join(name), &song("", bpm, 60));
    }

    pub fn indexer(&self) -> Indexer {
        Indexer::open(&self.index(), IndexSettings::default()).unwrap()
    }

    /// Indexes the folder of sounds by words and likeness.
    pub fn add(&self) -> IndexReport {
        add(self.indexer(), &[self.sounds()], Some(&mut Hashing::new())).unwrap()
    }
}

pub fn add(
    indexer: Indexer,
    folders: &[PathBuf],
    model: Option<&mut dyn Embed>,
) -> Result<IndexReport, IndexJobError> {
    in_a_job(|job| indexer.add(folders, Plugins::default(), model, job, &mut |_| {}))
}

pub fn remove(indexer: Indexer, paths: &[PathBuf]) -> Result<IndexReport, IndexJobError> {
    in_a_job(|job| indexer.remove(paths, job))
}

pub fn compact(indexer: Indexer) -> Result<IndexReport, IndexJobError> {
    in_a_job(|job| indexer.compact(job))
}

pub fn in_a_job<T>(work: impl FnOnce(&JobContext) -> T) -> T {
    let (budgets, cancel) = (Budgets::new(Limits::default()), Cancel::default());
    JobContext::run(&budgets, Need::working(MIB, "test"), &cancel, |job| work(&job)).unwrap()
}

/// What a sample pack is made of: General MIDI's programs and drums, in the words that people describe sounds with.
pub const ADJECTIVES: [&str; 40] = [
    "Warm",
    "Slow",
    "Bright",
    "Dark",
    "Soft",
    "Hard",
    "Deep",
    "Thin",
    "Wide",
    "Dry",
    "Wet",
    "Lush",
    "Gritty",
    "Clean",
    "Dirty",
    "Airy",
    "Metallic",
    "Wooden",
    "Vintage",
    "Modern",
    "Distorted",
    "Mellow",
    "Punchy",
    "Fat",
    "Glassy",
    "Hollow",
    "Noisy",
    "Smooth",
    "Plucked",
    "Bowed",
    "Evolving",
    "Short",
    "Long",
    "Muted",
    "Open",
    "Tight",
    "Loose",
    "Cinematic",
    "Analog",
    "Digital",
];

pub const SOUNDS: [(&str, &str); 125] = [
    ("Pianos", "Grand Piano"),
    ("Pianos", "Bright Piano"),
    ("Pianos", "Honky Tonk Piano"),
    ("Pianos", "Rhodes"),
    ("Pianos", "DX Electric Piano"),
    ("Pianos", "Harpsichord"),
    ("Pianos", "Clavinet"),
    ("Pianos", "Upright Piano"),
    ("Mallets", "Celesta"),
    ("Mallets", "Glockenspiel"),
    ("Mallets", "Music Box"),
    ("Mallets", "Vibraphone"),
    ("Mallets", "Marimba"),
    ("Mallets", "Xylophone"),
    ("Mallets", "Tubular Bells"),
    ("Mallets", "Dulcimer"),
    ("Organs", "Drawbar Organ"),
    ("Organs", "Percussive Organ"),
    ("Organs", "Rock Organ"),
    ("Organs", "Church Organ"),
    ("Organs", "Reed Organ"),
    ("Organs", "Accordion"),
    ("Organs", "Harmonica"),
    ("Organs", "Bandoneon"),
    ("Guitars", "Nylon Guitar"),
    ("Guitars", "Steel Guitar"),
    ("Guitars", "Jazz Guitar"),
    ("Guitars", "Electric Guitar"),
    ("Guitars", "Palm Muted Guitar"),
    ("Guitars", "Overdriven Guitar"),
    ("Guitars", "Guitar Harmonics"),
    ("Guitars", "Twelve String Guitar"),
    ("Basses", "Upright Bass"),
    ("Basses", "Finger Bass"),
    ("Basses", "Pick Bass"),
    ("Basses", "Fretless Bass"),
    ("Basses", "Slap Bass"),
    ("Basses", "Synth Bass"),
    ("Basses", "Sub Bass"),
    ("Basses", "Acid Bass"),
    ("Strings", "Violin"),
    ("Strings", "Viola"),
    ("Strings", "Cello"),
    ("Strings", "Contrabass"),
    ("Strings", "Tremolo Strings"),
    ("Strings", "Pizzicato Strings"),
    ("Strings", "Harp"),
    ("Strings", "Timpani"),
    ("Strings", "String Ensemble"),
    ("Strings", "Slow Strings"),
    ("Strings", "Synth Strings"),
    ("Voices", "Choir Aahs"),
    ("Voices", "Voice Oohs"),
    ("Voices", "Synth Vox"),
    ("Voices", "Soprano"),
    ("Hits", "Orchestra Hit"),
    ("Brass", "Trumpet"),
    ("Brass", "Trombone"),
    ("Brass", "Tuba"),
    ("Brass", "Flugelhorn"),
    ("Brass", "French Horn"),
    ("Brass", "Brass Section"),
    ("Brass", "Synth Brass"),
    ("Reeds", "Soprano Sax"),
    ("Reeds", "Alto Sax"),
    ("Reeds", "Tenor Sax"),
    ("Reeds", "Baritone Sax"),
    ("Reeds", "Oboe"),
    ("Reeds", "English Horn"),
    ("Reeds", "Bassoon"),
    ("Reeds", "Clarinet"),
    ("Pipes", "Piccolo"),
    ("Pipes", "Flute"),
    ("Pipes", "Recorder"),
    ("Pipes", "Pan Flute"),
    ("Pipes", "Bottle Blow"),
    ("Pipes", "Shakuhachi"),
    ("Pipes", "Whistle"),
    ("Pipes", "Ocarina"),
    ("Leads", "Square Lead"),
    ("Leads", "Saw Lead"),
    ("Leads", "Calliope Lead"),
    ("Leads", "Chiff Lead"),
    ("Leads", "Charang"),
    ("Leads", "Voice Lead"),
    ("Leads", "Fifths Lead"),
    ("Leads", "Bass and Lead"),
    ("Pads", "New Age Pad"),
    ("Pads", "Warm Pad"),
    ("Pads", "Polysynth Pad"),
    ("Pads", "Choir Pad"),
    ("Pads", "Bowed Glass Pad"),
    ("Pads", "Metal Pad"),
    ("Pads", "Halo Pad"),
    ("Pads", "Sweep Pad"),
    ("Effects", "Rain"),
    ("Effects", "Soundtrack"),
    ("Effects", "Crystal"),
    ("Effects", "Atmosphere"),
    ("Effects", "Goblins"),
    ("Effects", "Echo Drops"),
    ("Effects", "Riser"),
    ("Effects", "Impact"),
    ("World", "Sitar"),
    ("World", "Banjo"),
    ("World", "Shamisen"),
    ("World", "Koto"),
    ("World", "Kalimba"),
    ("World", "Bagpipe"),
    ("World", "Fiddle"),
    ("World", "Shanai"),
    ("Drums", "Kick"),
    ("Drums", "Snare"),
    ("Drums", "Rimshot"),
    ("Drums", "Hand Clap"),
    ("Drums", "Closed Hi-Hat"),
    ("Drums", "Open Hi-Hat"),
    ("Drums", "Crash Cymbal"),
    ("Drums", "Ride Bell"),
    ("Drums", "Floor Tom"),
    ("Drums", "Cowbell"),
    ("Drums", "Bongo"),
    ("Drums", "Conga"),
    ("Drums", "Shaker"),
    ("Drums", "Tambourine"),
];

/// Writes `count` songs with such names, each a tempo and a key, below `folder`.
pub fn write_pack(folder: &Path, count: usize) {
    for (number, (group, sound)) in SOUNDS.iter().cycle().take(count).enumerate() {
        let adjective = ADJECTIVES[number / SOUNDS.len() % ADJECTIVES.len()];
        let bpm = 60 + (number * 7 % 120) as u32;
        let name = format!("{adjective} {sound} {bpm}bpm {number:04}.mid");
        write(&folder.join(group).join(name), &song(sound, bpm, 48 + (number % 12) as u8));
    }
}

/// Questions as people ask them: a thousand, of which a part comes again.
pub fn questions() -> Vec<String> {
    let mut all = vec![];
    for number in 0..1000usize {
        let sound = SOUNDS[number * 31 % SOUNDS.len()].1.to_lowercase();
        let adjective = ADJECTIVES[number * 17 % ADJECTIVES.len()].to_lowercase();
        all.push(match number % 5 {
            0 => format!("{adjective} {sound}"),
            1 => sound,
            2 => format!("{adjective} slow pad"),
            3 => format!("{sound} for a {adjective} song"),
            _ => "warm slow pad".to_owned(),
        });
    }
    all
}
