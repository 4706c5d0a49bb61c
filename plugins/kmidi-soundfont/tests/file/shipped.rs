//! The SoundFont that is shipped: every program and the kit sound, about as loud as in FluidR3 GM, in our
//! synthesiser and in FluidSynth.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use kmidi_core::{
    AudioBuffer, AudioPorts, Event, EventBuffer, ProcessContext, Processor, SysExPool, TimedEvent, Transport,
};
use kmidi_soundfont::{PresetKey, SoundFont, SynthConfig, synth};

use crate::open;

const ORIGINAL: &str = "/usr/share/sounds/sf2/FluidR3_GM.sf2";
/// Rate of everything here, in Hz.
const RATE: usize = 44_100;
/// How long each sound is held, and how long after its start the next begins, in seconds.
const HELD: f64 = 0.5;
const SLOT: f64 = 0.625;
/// Notes that are tried of each program, together.
const CHORD: [u8; 3] = [48, 60, 72];
/// Keys of the kit.
const KIT: std::ops::RangeInclusive<u8> = 27..=87;
/// How far a sound may be from the original's level, in dB.
const TOLERANCE_DB: f64 = 3.0;
/// Below this it is silence, in dBFS.
const SILENCE_DB: f64 = -70.0;

/// Samples that some programs play without their loop, which therefore stays where the original has it.
const ALSO_UNLOOPED: [&str; 2] = ["Sbrass C5(L)", "Triangle"];

fn shipped() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../assets/soundfonts/kmidi-gm.sf3")
}

/// One sound of the test song: a program with a chord, or a key of the kit.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Sound {
    Program(u8),
    Drum(u8),
}

fn sounds() -> Vec<Sound> {
    (0..128).map(Sound::Program).chain(KIT.map(Sound::Drum)).collect()
}

impl Sound {
    /// Status byte without its channel, and data, at the start and at the end.
    fn events(self) -> (Vec<Event>, Vec<Event>) {
        let (channel, keys) = match self {
            Sound::Program(_) => (0, CHORD.to_vec()),
            Sound::Drum(key) => (9, vec![key]),
        };
        let mut start = Vec::new();
        if let Sound::Program(program) = self {
            start.push(Event::ProgramChange { channel, program });
        }
        start.extend(keys.iter().map(|&key| Event::note_on(channel, key, 100)));
        // What rings on must not be heard in the next slot.
        (start, vec![Event::ControlChange { channel, controller: 120, value: 0 }])
    }
}

/// Level (dBFS, both channels) and peak of each slot.
fn levels(sound: &[[f32; 2]]) -> Vec<(f64, f32)> {
    let slot = (SLOT * RATE as f64) as usize;
    let levels = sound.chunks(slot).take(sounds().len()).map(|slot| {
        let power: f64 = slot.iter().flatten().map(|&x| f64::from(x).powi(2)).sum();
        let peak = slot.iter().flatten().fold(0.0, |peak: f32, x| peak.max(x.abs()));
        (10.0 * (power / slot.len() as f64).max(1e-20).log10(), peak)
    });
    levels.collect()
}

/// What our synthesiser makes of all sounds.
fn play_here(font: &SoundFont) -> Vec<[f32; 2]> {
    let config = SynthConfig { reverb: false, chorus: false, ..SynthConfig::new(RATE as u32) };
    let (mut handle, mut synth) = synth(config);
    for program in 0..128 {
        let preset = font.load_preset(0, program, None).unwrap();
        assert!(handle.install(PresetKey::melodic(0, program), preset).is_ok());
    }
    assert!(handle.install(PresetKey::drum(0), font.load_preset(128, 0, None).unwrap()).is_ok());
    let (transport, mut sysex) = (Transport::default(), SysExPool::new());
    let mut events_out = EventBuffer::with_capacity(1);
    let slot = (SLOT * RATE as f64) as usize;
    let held = (HELD * RATE as f64) as usize;
    let mut sound = Vec::new();
    for (start, end) in sounds().into_iter().map(Sound::events) {
        for (events, frames) in [(start, held), (end, slot - held)] {
            let events: Vec<TimedEvent> =
                events.into_iter().map(|event| TimedEvent { time: 0, port: 0, event }).collect();
            let mut outputs = [AudioBuffer::silent(frames), AudioBuffer::silent(frames)];
            synth.process(&mut ProcessContext {
                frames: frames as u32,
                transport: &transport,
                audio: AudioPorts { inputs: &[], outputs: &mut outputs, silent_inputs: 0, silent_outputs: 0 },
                events_in: &events,
                events_out: &mut events_out,
                sysex: &mut sysex,
            });
            sound.extend(outputs[0].iter().zip(outputs[1].iter()).map(|(&left, &right)| [left, right]));
        }
    }
    let status = handle.status();
    assert_eq!((status.presets_missing, status.notes_without_preset, status.voices_refused), (0, 0, 0));
    sound
}

/// The test song as a Standard MIDI File: 1000 ticks a second.
fn song() -> Vec<u8> {
    let mut track = Vec::new();
    let mut now = 0;
    let mut at = |time: f64, event: Event| {
        let tick = (time * 1000.0) as u32;
        let delta = tick - std::mem::replace(&mut now, tick);
        track.extend([(delta >> 7) as u8 | 0x80, delta as u8 & 0x7f]);
        match event {
            Event::ProgramChange { channel, program } => track.extend([0xc0 | channel, program]),
            Event::ControlChange { channel, controller, value } => {
                track.extend([0xb0 | channel, controller, value])
            }
            Event::NoteOn { channel, key, .. } => track.extend([0x90 | channel, key, 100]),
            other => panic!("not in this song: {other:?}"),
        }
    };
    let count = sounds().len();
    for (slot, sound) in sounds().into_iter().enumerate() {
        let (start, end) = sound.events();
        start.into_iter().for_each(|event| at(slot as f64 * SLOT, event));
        end.into_iter().for_each(|event| at(slot as f64 * SLOT + HELD, event));
    }
    at(count as f64 * SLOT, Event::ControlChange { channel: 0, controller: 120, value: 0 });
    track.extend([0, 0xff, 0x2f, 0]);
    let mut file = b"MThd\0\0\0\x06\0\0\0\x01".to_vec();
    // 500 ticks a quarter note of half a second, which is the tempo without a tempo event.
    file.extend(500u16.to_be_bytes());
    file.extend(b"MTrk");
    file.extend((track.len() as u32).to_be_bytes());
    file.extend(track);
    file
}

/// What FluidSynth makes of all sounds; `None` if it is not installed.
fn play_in_fluidsynth(font: &Path) -> Option<Vec<[f32; 2]>> {
    let folder = tempfile::tempdir().unwrap();
    let (midi, raw) = (folder.path().join("song.mid"), folder.path().join("sound.raw"));
    std::fs::write(&midi, song()).unwrap();
    let output = Command::new("fluidsynth")
        .args(["-ni", "-g", "0.2", "-R", "0", "-C", "0", "-r", "44100", "-T", "raw", "-O", "float", "-F"])
        .args([&*raw, font, &*midi])
        .stdin(Stdio::null())
        .output();
    let Ok(output) = output else {
        eprintln!("SKIPPED: fluidsynth is not installed");
        return None;
    };
    let said = String::from_utf8_lossy(&output.stderr);
    // It goes on with another SoundFont if it cannot read this one.
    assert!(output.status.success() && !said.contains("rror") && !said.contains("ailed"), "{said}");
    let bytes = std::fs::read(raw).unwrap();
    let value = |bytes: &[u8]| f32::from_le_bytes(bytes.try_into().unwrap());
    Some(bytes.as_chunks::<8>().0.iter().map(|frame| [value(&frame[..4]), value(&frame[4..])]).collect())
}

fn check_that_all_sound(levels: &[(f64, f32)]) {
    for (sound, (level, peak)) in sounds().iter().zip(levels) {
        assert!(*level > SILENCE_DB, "{sound:?} is silent: {level:.1} dBFS");
        assert!(*peak < 1.0, "{sound:?} clips: {peak}");
    }
}

/// Sounds whose level differs by more than `tolerance_db`.
fn different(levels: &[(f64, f32)], original: &[(f64, f32)], tolerance_db: f64) -> Vec<String> {
    let pairs = sounds().into_iter().zip(levels.iter().zip(original));
    let far = pairs.filter(|(_, (it, original))| (it.0 - original.0).abs() > tolerance_db);
    far.map(|(sound, (it, original))| format!("{sound:?}: {:.1} not {:.1} dBFS", it.0, original.0)).collect()
}

#[test]
fn shipped_every_program_and_the_kit_sound_here() {
    let font = open(File::open(shipped()).expect("the SoundFont is shipped")).unwrap();
    assert_eq!(font.presets().len(), 129);
    let shipped = levels(&play_here(&font));
    check_that_all_sound(&shipped);
    assert_eq!(font.warnings().kept(), []);
    let Ok(original) = File::open(ORIGINAL) else {
        eprintln!("SKIPPED: {ORIGINAL} is not installed");
        return;
    };
    let original = levels(&play_here(&open(original).unwrap()));
    assert_eq!(different(&shipped, &original, TOLERANCE_DB), [""; 0]);
    assert!(!different(&shipped, &original, 0.01).is_empty(), "control: the two are not the same file");
}

#[test]
fn shipped_every_program_and_the_kit_sound_in_fluidsynth() {
    let Some(sound) = play_in_fluidsynth(&shipped()) else { return };
    let shipped = levels(&sound);
    check_that_all_sound(&shipped);
    if !Path::new(ORIGINAL).exists() {
        eprintln!("SKIPPED: {ORIGINAL} is not installed");
        return;
    }
    let original = levels(&play_in_fluidsynth(Path::new(ORIGINAL)).expect("it was there"));
    assert_eq!(different(&shipped, &original, TOLERANCE_DB), [""; 0]);
}

/// Every sample is one that a note can reach, and its loop is as Vorbis left it.
#[test]
fn shipped_loops_are_seamless() {
    let font = open(File::open(shipped()).expect("the SoundFont is shipped")).unwrap();
    let mut loops = 0;
    for info in font.presets() {
        let preset = font.load_preset(info.bank, info.program, None).unwrap();
        for zone in preset
            .zones
            .iter()
            .filter(|zone| zone.generators[kmidi_soundfont::Generator::SampleModes] & 1 == 1)
        {
            let sample = &zone.sample;
            let frames = &sample.data[kmidi_soundfont::GUARD_FRAMES..][..sample.frames()];
            let (start, end) = (sample.loop_start as usize, sample.loop_end as usize);
            assert!(end > start && end + 3 <= frames.len(), "{}", sample.name);
            // Interpolation at the end of the loop sees its start: they have to agree.
            let before = start.min(3);
            let (a, b) = (&frames[start - before..start + 3], &frames[end - before..end + 3]);
            let step: f64 =
                a.iter().zip(b).map(|(a, b)| f64::from(a - b).powi(2)).sum::<f64>() / a.len() as f64;
            let power: f64 = frames[start..end].iter().map(|&x| f64::from(x).powi(2)).sum::<f64>();
            let step_db = 10.0 * (step / (power / (end - start) as f64).max(1e-9)).log10();
            let limit_db = if ALSO_UNLOOPED.contains(&&*sample.name) { -14.0 } else { -28.0 };
            assert!(step_db < limit_db, "{}: {step_db:.0} dB", sample.name);
            loops += 1;
        }
    }
    assert!(loops > 1000, "{loops}");
}
