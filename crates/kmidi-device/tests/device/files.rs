use std::fs;
use std::path::Path;

use kmidi_device::files::{AudioFileWriter, AudioSpec, Container, FileError, SampleFormat, Written};

/// Two channels that differ, at full scale and near silence.
fn audio(frames: usize) -> Vec<Vec<f32>> {
    let wave = |step: f32| (0..frames).map(|frame| (frame as f32 * step).sin() * 0.9).collect();
    vec![wave(0.031), wave(0.0173)]
}

fn write(path: &Path, format: SampleFormat, audio: &[Vec<f32>]) -> Result<Written, FileError> {
    let spec = AudioSpec { sample_rate_hz: 48_000, channels: audio.len() as u16, format };
    let mut writer = AudioFileWriter::create(path, Container::of(path)?, spec)?;
    // Blocks of odd lengths, as a render gives them.
    let mut start = 0;
    for size in [1, 441, 1024, 63].iter().cycle() {
        let end = (start + size).min(audio[0].len());
        let block: Vec<&[f32]> = audio.iter().map(|channel| &channel[start..end]).collect();
        writer.write(&block)?;
        start = end;
        if start == audio[0].len() {
            break;
        }
    }
    writer.finish()
}

/// Interleaved samples of the file by a reader that is not ours.
fn read(path: &Path) -> Vec<f64> {
    if Container::of(path).unwrap() == Container::Flac {
        let mut reader = claxon::FlacReader::open(path).unwrap();
        let scale = f64::from(1u32 << (reader.streaminfo().bits_per_sample - 1));
        assert_eq!(reader.streaminfo().sample_rate, 48_000);
        return reader.samples().map(|sample| f64::from(sample.unwrap()) / scale).collect();
    }
    let mut reader = hound::WavReader::open(path).unwrap();
    let spec = reader.spec();
    assert_eq!(spec.sample_rate, 48_000);
    if spec.sample_format == hound::SampleFormat::Float {
        return reader.samples::<f32>().map(|sample| f64::from(sample.unwrap())).collect();
    }
    let scale = f64::from(1u32 << (spec.bits_per_sample - 1));
    reader.samples::<i32>().map(|sample| f64::from(sample.unwrap()) / scale).collect()
}

/// What another program reads is what was written, within `steps` of the format.
fn check(name: &str, format: SampleFormat, largest_error: f64) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    let audio = audio(30_001);
    let written = write(&path, format, &audio).unwrap();
    assert_eq!(written, Written { frames: 30_001, clipped_samples: 0 });
    let read = read(&path);
    assert_eq!(read.len(), 2 * 30_001);
    for (position, sample) in read.iter().enumerate() {
        let error = (sample - f64::from(audio[position % 2][position / 2])).abs();
        assert!(error <= largest_error, "sample {position} is off by {error}");
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing else is left");
}

#[test]
fn wav_is_read_by_others() {
    check("a.wav", SampleFormat::Float32, 0.0);
    check("a.wav", SampleFormat::Int24, 0.5001 / 8_388_608.0);
    check("a.wav", SampleFormat::Int16, 1.5001 / 32_768.0);
}

#[test]
fn flac_is_read_by_others() {
    check("a.flac", SampleFormat::Int24, 0.5001 / 8_388_608.0);
    check("a.flac", SampleFormat::Int16, 1.5001 / 32_768.0);
}

#[test]
fn the_same_audio_gives_the_same_file_also_with_dither() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str| {
        let path = folder.path().join(name);
        write(&path, SampleFormat::Int16, &audio(5000)).unwrap();
        fs::read(path).unwrap()
    };
    assert_eq!(write("a.wav"), write("b.wav"));
    assert_eq!(write("a.flac"), write("b.flac"));
}

#[test]
fn a_wav_of_an_odd_number_of_bytes_is_padded() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.wav");
    write(&path, SampleFormat::Int24, &audio(5)[..1]).unwrap();
    let bytes = fs::read(&path).unwrap();
    assert_eq!(bytes.len() % 2, 0);
    assert_eq!(u32::from_le_bytes(bytes[4..8].try_into().unwrap()) as usize, bytes.len() - 8);
    assert_eq!(read(&path).len(), 5);
}

#[test]
fn a_full_disk_is_an_error_with_a_name() {
    // The device that is always full; small and large: at the first write, at the last flush.
    for frames in [10, 200_000] {
        let spec = AudioSpec { sample_rate_hz: 48_000, channels: 2, format: SampleFormat::Int16 };
        for container in [Container::Wav, Container::Flac] {
            let mut writer = AudioFileWriter::create(Path::new("/dev/full"), container, spec).unwrap();
            let result = writer.write(&audio(frames)).and_then(|()| writer.finish());
            assert!(matches!(result, Err(FileError::DiskFull { .. })), "{result:?}");
        }
    }
}

#[test]
fn what_a_container_cannot_hold_is_refused_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let flac = folder.path().join("a.flac");
    let spec = AudioSpec { sample_rate_hz: 48_000, channels: 2, format: SampleFormat::Float32 };
    assert!(matches!(
        AudioFileWriter::create(&flac, Container::Flac, spec),
        Err(FileError::NotForFlac { .. })
    ));
    let spec = AudioSpec { channels: 9, format: SampleFormat::Int16, ..spec };
    assert!(matches!(
        AudioFileWriter::create(&flac, Container::Flac, spec),
        Err(FileError::NotForFlac { .. })
    ));
    assert!(matches!(Container::of(Path::new("a.mp3")), Err(FileError::UnknownContainer { .. })));
    let none = AudioSpec { channels: 2, ..spec };
    let empty = AudioFileWriter::create(&flac, Container::Flac, none).unwrap().finish();
    assert!(matches!(empty, Err(FileError::NotForFlac { .. })));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

/// The encoder must not keep what it has written: a render may be hours long.
#[test]
#[cfg(target_os = "linux")]
fn memory_does_not_grow_with_the_length_of_a_flac_file() {
    let resident_kib = || {
        let status = fs::read_to_string("/proc/self/status").unwrap();
        let line = status.lines().find(|line| line.starts_with("RssAnon:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap()
    };
    let spec = AudioSpec { sample_rate_hz: 48_000, channels: 2, format: SampleFormat::Int24 };
    let mut writer = AudioFileWriter::create(Path::new("/dev/null"), Container::Flac, spec).unwrap();
    let second = audio(48_000);
    let minute = |writer: &mut AudioFileWriter| (0..60).for_each(|_| writer.write(&second).unwrap());
    minute(&mut writer);
    let after_one = resident_kib();
    (0..5).for_each(|_| minute(&mut writer));
    let grown = resident_kib().saturating_sub(after_one);
    // 5 minutes are 84 MiB of samples. Other tests run beside this one.
    assert!(grown < 8 << 10, "grew by {grown} KiB");
}

/// Set in the child that is killed while it writes.
const ENDLESS: &str = "KMIDI_TEST_WRITES_TO";

#[test]
fn kill_9_leaves_the_old_file_and_nothing_else() {
    if let Some(path) = std::env::var_os(ENDLESS) {
        let spec = AudioSpec { sample_rate_hz: 48_000, channels: 2, format: SampleFormat::Float32 };
        let mut writer = AudioFileWriter::create(Path::new(&path), Container::Wav, spec).unwrap();
        let second = audio(48_000);
        loop {
            writer.write(&second).unwrap();
            println!("{} frames", writer.frames());
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("song.wav");
    fs::write(&path, "old").unwrap();
    let mut child = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "files::kill_9_leaves_the_old_file_and_nothing_else", "--nocapture"])
        .env(ENDLESS, &path)
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = std::io::BufRead::lines(std::io::BufReader::new(child.stdout.take().unwrap()));
    assert!(lines.any(|line| line.unwrap().ends_with(" frames")), "it writes");
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"old");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

/// A real file system that is too small: everything up to the last flush can fail.
#[test]
#[cfg(target_os = "linux")]
fn a_disk_that_fills_up_keeps_the_old_file() {
    let folder = tempfile::tempdir().unwrap();
    let mount = |program: &str, arguments: &[&str]| {
        let status = std::process::Command::new(program).args(arguments).arg(folder.path()).output();
        status.is_ok_and(|output| output.status.success())
    };
    if !mount("mount", &["-t", "tmpfs", "-o", "size=64k", "tmpfs"]) {
        let required = std::env::var_os("KMIDI_REQUIRE_SERVERS").is_some_and(|value| value == "1");
        assert!(!required, "a small file system cannot be mounted");
        println!("SKIPPED: a small file system cannot be mounted here");
        return;
    }
    let results: Vec<_> = ["a.wav", "a.flac"]
        .map(|name| {
            let path = folder.path().join(name);
            fs::write(&path, "old").unwrap();
            let result = write(&path, SampleFormat::Int16, &audio(100_000));
            (result, fs::read(&path).unwrap(), fs::read_dir(folder.path()).unwrap().count())
        })
        .into_iter()
        .collect();
    let fits = write(&folder.path().join("small.wav"), SampleFormat::Int16, &audio(1000));
    assert!(mount("umount", &[]));
    for (position, (result, old, entries)) in results.into_iter().enumerate() {
        assert!(matches!(result, Err(FileError::DiskFull { .. })), "{result:?}");
        assert_eq!((&*old, entries), (&b"old"[..], position + 1));
    }
    fits.unwrap();
}
