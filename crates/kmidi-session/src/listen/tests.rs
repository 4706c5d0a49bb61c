use std::f32::consts::SQRT_2;
use std::f64::consts::TAU;
use std::fs::{self, File};
use std::io::Write;
use std::path::PathBuf;

use kmidi_device::files::{AudioFileWriter, AudioSpec, Container, SampleFormat};
use kmidi_memory::{Domain, Scope};

use super::*;

/// A WAV file of floats, whose channels `sample` gives.
fn wav(
    folder: &Path,
    rate_hz: u32,
    channels: u16,
    frames: usize,
    sample: impl Fn(usize, u16) -> f32,
) -> PathBuf {
    let path = folder.join(format!("{rate_hz}-{channels}-{frames}.wav"));
    let spec = hound::WavSpec {
        channels,
        sample_rate: rate_hz,
        bits_per_sample: 32,
        sample_format: hound::SampleFormat::Float,
    };
    let mut writer = hound::WavWriter::create(&path, spec).unwrap();
    for frame in 0..frames {
        (0..channels).for_each(|channel| writer.write_sample(sample(frame, channel)).unwrap());
    }
    writer.finalize().unwrap();
    path
}

fn sine(frame: usize, rate_hz: u32) -> f32 {
    (frame as f64 * TAU * 440.0 / f64::from(rate_hz)).sin() as f32 * 0.5
}

/// All of a file, in pieces of a length that divides nothing.
fn all(listening: &mut Listening) -> Vec<f32> {
    let mut sound = vec![];
    let mut piece = [0.0; 777];
    loop {
        let frames = listening.read(&mut piece).unwrap();
        sound.extend(&piece[..frames]);
        if frames < piece.len() {
            assert_eq!(listening.read(&mut piece).unwrap(), 0, "the end is the end");
            return sound;
        }
    }
}

fn open(path: &Path, rate_hz: u32) -> (Vec<f32>, Heard) {
    let mut listening = Listening::open(path, rate_hz).unwrap();
    assert_eq!(listening.sample_rate_hz(), rate_hz);
    let sound = all(&mut listening);
    (sound, listening.heard())
}

#[test]
fn any_rate_and_number_of_channels_is_the_same_tone_at_the_rate_that_is_wanted() {
    let folder = tempfile::tempdir().unwrap();
    for (rate_hz, channels) in [(8_000, 1), (22_050, 2), (44_100, 3), (48_000, 6), (96_000, 8), (16_000, 1)] {
        let file = wav(folder.path(), rate_hz, channels, rate_hz as usize, |frame, _| sine(frame, rate_hz));
        let (sound, heard) = open(&file, 16_000);
        assert_eq!(sound.len(), 16_000, "{rate_hz} Hz, {channels} channels");
        assert_eq!((heard.channels, heard.frames), (usize::from(channels), u64::from(rate_hz)));
        assert_eq!(heard.to_string(), "");
        let error =
            (4_000..12_000).map(|frame| (sound[frame] - sine(frame, 16_000)).abs()).fold(0.0, f32::max);
        assert!(error < 1e-3, "{rate_hz} Hz, {channels} channels: {error}");
        let later = (4_000..12_000).map(|frame| (sound[frame] - sine(frame + 1, 16_000)).abs());
        assert!(later.fold(0.0, f32::max) > 0.05, "a frame too late is seen");
    }
}

/// What is heard of each channel where it alone sounds, relative to the left one.
fn parts(folder: &Path, kind: &str, channels: u16) -> Vec<f32> {
    let heard = |alone: u16| {
        let path = folder.join(format!("{channels}-{alone}.{kind}"));
        let spec = AudioSpec { sample_rate_hz: 16_000, channels, format: SampleFormat::Int24 };
        let mut writer = AudioFileWriter::create(&path, Container::of(&path).unwrap(), spec).unwrap();
        let sound: Vec<_> = (0..channels).map(|it| vec![if it == alone { 0.5 } else { 0.0 }; 1000]).collect();
        writer.write(&sound).unwrap();
        writer.finish().unwrap();
        let (sound, _) = open(&path, 16_000);
        assert!(sound.iter().all(|it| *it == sound[0]), "channel {alone} of {channels}");
        sound[0]
    };
    let heard: Vec<f32> = (0..channels).map(heard).collect();
    assert!((heard.iter().sum::<f32>() - 0.5).abs() < 1e-5, "no louder than the loudest channel");
    heard.iter().map(|it| it / heard[0]).collect()
}

#[test]
fn surround_sound_is_mixed_as_bs_775_says_and_what_is_for_low_frequencies_only_is_not_heard() {
    let folder = tempfile::tempdir().unwrap();
    // The recommendation's row for mono is 0.7071 L + 0.7071 R + C + 0.5 Ls + 0.5 Rs: over 0.7071, in the files' order.
    let surround: &[f32] = &[1.0, 1.0, SQRT_2, 0.0, FRAC_1_SQRT_2, FRAC_1_SQRT_2];
    let plain = [1.0; 4];
    for kind in ["wav", "flac"] {
        for (channels, wanted) in [(6, surround), (1, &plain[..1]), (2, &plain[..2])] {
            let parts = parts(folder.path(), kind, channels);
            assert!(parts.iter().zip(wanted).all(|(a, b)| (a - b).abs() < 1e-4), "{kind}: {parts:?}");
        }
    }
    // Four of which a WAV file says nothing, and which a FLAC file says to be left, right and two surrounds.
    assert_eq!(parts(folder.path(), "wav", 4), plain);
    assert!((parts(folder.path(), "flac", 4)[2] - FRAC_1_SQRT_2).abs() < 1e-4);
}

#[test]
fn one_clipped_channel_is_told_though_the_mix_is_not_clipped() {
    let folder = tempfile::tempdir().unwrap();
    let share = |channels: u16, clipped: u16| {
        let sample = |frame: usize, channel: u16| {
            let wave = sine(frame, 44_100);
            if channel == clipped { (wave * 8.0).clamp(-1.0, 1.0) } else { wave * 0.5 }
        };
        let mut listening =
            Listening::open(&wav(folder.path(), 44_100, channels, 44_100, sample), 16_000).unwrap();
        let sound = all(&mut listening);
        assert!(sound.iter().all(|it| it.abs() < FULL_SCALE || channels == 1));
        listening.clipped_share()
    };
    for (channels, clipped) in [(1, 0), (2, 0), (2, 1), (6, 4)] {
        assert!((0.8..0.9).contains(&share(channels, clipped)), "{channels} {clipped}");
    }
    // The controls: none is clipped, or only the one that is not heard.
    assert_eq!((share(2, 9), share(6, 3)), (0.0, 0.0));
}

#[test]
fn nothing_and_next_to_nothing_are_right() {
    let folder = tempfile::tempdir().unwrap();
    for rate_hz in [16_000, 44_100] {
        let empty = wav(folder.path(), rate_hz, 2, 0, |_, _| 0.0);
        assert_eq!(open(&empty, 16_000).0.len(), 0);
        let short = wav(folder.path(), rate_hz, 2, rate_hz as usize / 10, |frame, _| sine(frame, rate_hz));
        let listening = Listening::open(&short, 16_000).unwrap();
        assert_eq!(listening.frames(), Some(1600));
        assert_eq!(open(&short, 16_000).0.len(), 1600);
    }
    let no_sound = folder.path().join("empty.wav");
    fs::write(&no_sound, "").unwrap();
    assert!(matches!(Listening::open(&no_sound, 16_000), Err(ReadError::NotAudio { .. })));
    assert!(matches!(Listening::open(Path::new("/nonexistent.wav"), 16_000), Err(ReadError::Io { .. })));
}

#[test]
fn what_is_no_number_is_silent_and_told() {
    let folder = tempfile::tempdir().unwrap();
    let bad = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 1e30];
    let sample = |frame: usize, channel: u16| match frame {
        100..104 if channel == 1 => bad[frame - 100],
        _ => 0.5,
    };
    let file = wav(folder.path(), 44_100, 2, 44_100, sample);
    let (sound, heard) = open(&file, 16_000);
    assert!(sound.iter().all(|sample| sample.abs() <= 1.0), "nothing of it is left");
    assert_eq!((heard.not_numbers, heard.too_loud), (3, 1));
    let told = heard.to_string();
    assert!(told.starts_with("3 samples are no numbers") && told.contains("; 1 samples are far too large"));
    let (sound, _) = open(&wav(folder.path(), 16_000, 1, 1000, |_, _| f32::NAN), 16_000);
    assert!(sound == [0.0; 1000]);
}

#[test]
fn a_channel_that_is_upside_down_does_not_silence_the_other() {
    let folder = tempfile::tempdir().unwrap();
    let inverted = |frame: usize, channel: u16| sine(frame, 16_000) * if channel == 1 { -1.0 } else { 1.0 };
    let (sound, heard) = open(&wav(folder.path(), 16_000, 2, 16_000, inverted), 16_000);
    let peak = sound.iter().fold(0.0_f32, |peak, it| peak.max(it.abs()));
    assert!((peak - 0.5).abs() < 0.01 && heard.peak == peak, "{peak}");
    assert_eq!(heard.cancelled_frames, 16_000);
    assert!(heard.to_string().contains("cancel each other for 1.00 s"), "{heard}");
    // The control: both the same way up.
    let (_, heard) = open(&wav(folder.path(), 16_000, 2, 15_000, |frame, _| sine(frame, 16_000)), 16_000);
    assert_eq!((heard.cancelled_frames, heard.to_string()), (0, String::new()));
}

#[test]
fn a_file_that_ends_too_soon_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let file = wav(folder.path(), 16_000, 1, 16_000, |frame, _| sine(frame, 16_000));
    let bytes = fs::read(&file).unwrap();
    let cut = folder.path().join("cut.wav");
    fs::write(&cut, &bytes[..bytes.len() / 2]).unwrap();
    let (sound, heard) = open(&cut, 16_000);
    assert!((7_000..=8_000).contains(&sound.len()), "{}", sound.len());
    assert_eq!(heard.loss.missing_frames, 16_000 - sound.len() as u64);
    assert_eq!(
        heard.to_string(),
        format!("it is cut off: {:.2} s of 1.00 s are there", sound.len() as f64 / 16_000.0)
    );
}

const LONG_RATE_HZ: u32 = 8_000;

/// Silence of 16 bits, as a file that has a hole for it: it takes no room on the disk.
fn silence(folder: &Path, seconds: u32) -> PathBuf {
    let path = folder.join("long.wav");
    let data_bytes = LONG_RATE_HZ * 2 * seconds;
    let mut file = File::create(&path).unwrap();
    let mut header = b"RIFF".to_vec();
    header.extend((data_bytes + 36).to_le_bytes());
    header.extend(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
    header.extend(LONG_RATE_HZ.to_le_bytes());
    header.extend((LONG_RATE_HZ * 2).to_le_bytes());
    header.extend(b"\x02\0\x10\0data");
    header.extend(data_bytes.to_le_bytes());
    file.write_all(&header).unwrap();
    file.set_len(u64::from(data_bytes) + 44).unwrap();
    path
}

/// The most that reading so many seconds takes, and how many frames there are.
fn peak_bytes(seconds: u32, rate_hz: u32) -> (u64, u64) {
    let folder = tempfile::tempdir().unwrap();
    let file = silence(folder.path(), seconds);
    Domain::Working.charge(|| {
        let mut piece = vec![0.0; 16_000];
        let scope = Scope::start();
        let before = kmidi_memory::tally(Domain::Working).live_bytes();
        let mut listening = Listening::open(&file, rate_hz).unwrap();
        let mut frames = 0;
        loop {
            let read = listening.read(&mut piece).unwrap();
            frames += read as u64;
            if read < piece.len() {
                break;
            }
        }
        assert_eq!(listening.frames(), Some(frames));
        assert_eq!(listening.heard().to_string(), "");
        let peak = scope.finish().of(Domain::Working).peak_bytes - before;
        assert!(peak <= listening.bytes() + (1 << 20), "{peak} of {} bytes", listening.bytes());
        (peak, frames)
    })
}

#[test]
fn three_hours_take_no_more_memory_than_ten_seconds() {
    const HOURS: u32 = 3 * 3600;
    let (peak, frames) = peak_bytes(HOURS, LONG_RATE_HZ);
    assert_eq!(frames, u64::from(LONG_RATE_HZ * HOURS));
    let short = peak_bytes(10, LONG_RATE_HZ).0;
    assert!(peak <= short + (128 << 10), "{short} and {peak} bytes");
    // At another rate, which takes longer.
    let (short, long) = (peak_bytes(10, 22_050).0, peak_bytes(300, 22_050).0);
    assert!(long <= short + (128 << 10), "{short} and {long} bytes");
}

#[test]
fn damage_within_a_file_is_passed_over_and_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.flac");
    let spec = AudioSpec { sample_rate_hz: 16_000, channels: 1, format: SampleFormat::Int16 };
    let mut writer = AudioFileWriter::create(&path, Container::of(&path).unwrap(), spec).unwrap();
    let sound: Vec<f32> = (0..64_000).map(|frame| sine(frame, 16_000)).collect();
    writer.write(&[sound]).unwrap();
    writer.finish().unwrap();
    let whole = open(&path, 16_000);
    assert_eq!((whole.0.len(), whole.1.to_string()), (64_000, String::new()));
    let mut bytes = fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle..middle + 200].fill(0x55);
    fs::write(&path, bytes).unwrap();
    let (sound, heard) = open(&path, 16_000);
    assert!(sound.iter().all(|sample| sample.is_finite()));
    assert!(heard.loss.silent_frames > 0 && sound.len() == 64_000, "{heard:?}");
    assert_ne!(heard.to_string(), "");
}
