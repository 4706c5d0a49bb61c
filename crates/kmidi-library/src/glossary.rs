//! What things are in other words than those that name them: how an instrument is played and where it comes from, what an effect
//! is for. So a question finds what it describes and does not name, by words and, as vectors stand for these words too, by meaning.
//!
//! The programs of General MIDI, all of them; the classes of LV2's plugins and the features of CLAP's that say what a plugin does,
//! and what VST3 calls the same. Nothing of it is stored with an item: an index that is written anew has what stands here then.

use crate::words::terms;
use crate::{Item, ItemKind};

mod instruments;

/// What an item is in other words; nothing where its name and kind do not say what it is.
pub(crate) fn of(item: &Item) -> String {
    match item.kind {
        ItemKind::Preset | ItemKind::Plugin => match program(&item.part) {
            Some((bank, program)) => instruments::of(bank, program).to_owned(),
            None => effects(item),
        },
        ItemKind::Audio | ItemKind::Midi => String::new(),
    }
}

/// Bank and program of a SoundFont's preset, from its part.
fn program(part: &str) -> Option<(u16, u8)> {
    let (bank, program) = part.split_once(':')?;
    Some((bank.parse().ok()?, program.parse().ok()?))
}

/// What a plugin's name and classes say that it is for, each thing once.
fn effects(item: &Item) -> String {
    // Behind its kind and classes come its vendor and parameters, which have words of all kinds.
    let mut parts = item.text.split(". ");
    let (kind, classes) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let mut found: Vec<&str> = vec![];
    let mut term = String::new();
    for text in [item.name.as_str(), kind, classes] {
        terms(text, &mut term, &mut |term| {
            let known = EFFECTS.iter().filter(|(words, _)| words.contains(&term));
            for (_, said) in known {
                if !found.contains(said) {
                    found.push(said);
                }
            }
        });
    }
    found.join(". ")
}

/// Words by which a plugin says what it is, and what that is.
const EFFECTS: [(&[&str], &str); 45] = [
    (
        &["reverb", "reverberation", "reverberator"],
        "sound of a room, hall, church or cave, ambience, space behind a sound",
    ),
    (&["delay", "echo"], "repeats what it hears later, echoes, repetitions"),
    (&["chorus", "ensemble"], "makes one voice many, thickens, slow detuned copies"),
    (&["flanger", "flange"], "sweeping comb filter, jet engine, whoosh, swirling modulation"),
    (&["phaser", "phase"], "sweeping notches, swirling modulation"),
    (&["tremolo"], "volume that goes up and down, pulsating loudness"),
    (&["vibrato"], "pitch that goes up and down, wavering"),
    (&["rotary", "leslie"], "rotating loudspeaker horn of an electric organ, spinning speaker"),
    (
        &["compressor", "compression", "compander"],
        "evens out loudness, makes loud parts quieter, dynamics control, punch",
    ),
    (
        &["limiter", "maximizer", "maximiser"],
        "holds peaks below a ceiling, prevents clipping, makes a mix louder",
    ),
    (&["expander"], "makes quiet parts quieter, more contrast in loudness"),
    (&["gate"], "silences noise in pauses, mutes what is quieter than a threshold"),
    (&["deesser", "desser", "esser"], "removes sharp hissing s sounds, sibilance of a voice"),
    (&["transient", "transients"], "shapes attacks, sharpens or softens the beginning of drum hits"),
    (&["dynamics"], "controls loudness"),
    (&["distortion", "fuzz"], "dirty, harsh, clipped, overdriven sound"),
    (&["overdrive", "saturation", "saturator", "saturate"], "warm dirt, driven amplifier, added harmonics"),
    (&["waveshaper", "shaper"], "bends the waveform, added harmonics, distortion"),
    (&["amplifier", "amp"], "guitar amplifier, gain, louder"),
    (&["tube", "valve"], "vacuum tube amplifier, warm analog distortion"),
    (&["cabinet"], "guitar loudspeaker box"),
    (
        &["bitcrusher", "crusher", "crush", "decimator", "lofi"],
        "old digital sound, few bits, low sample rate, gritty",
    ),
    (&["simulator", "vinyl", "tape"], "imitates old equipment, vintage record or tape, crackle and wear"),
    (&["exciter", "enhancer"], "adds brilliance and presence, brighter"),
    (
        &["eq", "equalizer", "equaliser", "parametric", "paraeq"],
        "tone control, raises or lowers bass, mids and treble",
    ),
    (&["filter", "vcf"], "lets some frequencies through and takes others away, cutoff and resonance"),
    (&["lowpass", "lpf"], "takes away high frequencies, muffled, darker"),
    (&["highpass", "hpf"], "takes away low frequencies, rumble, thinner"),
    (&["bandpass"], "leaves a band of frequencies, telephone-like"),
    (&["comb"], "metallic resonance"),
    (&["wah", "autowah"], "vowel-like sweeping filter, funk guitar pedal"),
    (
        &["pitch", "pitchshifter", "harmonizer", "harmoniser"],
        "moves sound to a higher or lower note, transposes, octaves, detunes",
    ),
    (&["autotune", "retune"], "corrects a singer's intonation, voice on the right pitch"),
    (&["vocoder", "talkbox"], "talking synthesizer, robot voice"),
    (&["ringmod", "ring", "modulator"], "multiplies with a tone, metallic, bell-like"),
    (
        &["spatial", "stereo", "panner", "pan", "surround"],
        "place between left and right, width of the stereo image",
    ),
    (&["spectral"], "works on single frequencies"),
    (
        &["analyser", "analyzer", "meter", "metering", "scope", "spectrum"],
        "shows level, loudness or frequencies, measures",
    ),
    (&["tuner"], "tells which note is played and whether it is in tune"),
    (&["arpeggiator", "arp"], "plays a held chord note after note, pattern"),
    (&["chord", "chords"], "plays several notes for one key"),
    (&["sequencer"], "plays a pattern of notes in a loop, step by step"),
    (&["drum", "drums", "drumkit"], "beats, rhythm, kick, snare and cymbals, percussion"),
    (&["sampler", "looper"], "plays recordings, records and repeats"),
    (&["organ"], "keyboard with pipes or drawbars, church, rock, gospel"),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn item(kind: ItemKind, part: &str, name: &str, text: &str) -> Item {
        let (part, name, text) = (part.to_owned(), name.to_owned(), text.to_owned());
        Item { kind, part, name, text, key: None, bpm: None, duration_seconds: None }
    }

    #[test]
    fn a_preset_is_said_by_its_program_and_a_plugin_by_its_name_and_classes() {
        let said = |part: &str| of(&item(ItemKind::Preset, part, "No name", "text. text"));
        assert!(said("0:107").contains("Japan") && said("8:107").contains("Japan"));
        assert!(said("128:0").contains("cymbal") && said("0:0").contains("hammer"));
        assert_eq!(said("0:128"), "", "there is no such program");
        let plugin = |name: &str, text: &str| of(&item(ItemKind::Plugin, "clap:x", name, text));
        assert!(plugin("Thing", "audio effect. Flanger. Somebody").contains("jet"));
        assert!(plugin("ZamGate", "audio effect. . Somebody").contains("silences"));
        assert_eq!(
            plugin("Thing", "audio effect. . Somebody clap plugin. Delay, Reverb"),
            "",
            "parameters do not count"
        );
        assert_eq!(of(&item(ItemKind::Midi, "", "Reverb", "delay. echo")), "");
    }

    #[test]
    fn every_program_is_said_in_its_own_words() {
        let all: Vec<&str> = (0..128).map(|program| instruments::of(0, program)).collect();
        for (program, said) in all.iter().enumerate() {
            assert!((20..160).contains(&said.len()), "{program}: {said}");
            assert_eq!(all.iter().filter(|it| it == &said).count(), 1, "{program}: {said}");
        }
        let lacks = |said: &str| said.split(' ').any(|word| ["without", "no", "not"].contains(&word));
        let said = all.into_iter().chain(EFFECTS.iter().map(|it| it.1));
        assert_eq!(said.filter(|it| lacks(it)).collect::<Vec<_>>(), [""; 0], "what it lacks would be found");
        assert!(lacks("guitar without distortion"));
    }
}
