//! WAV files of 32-bit floats.

use std::path::Path;

/// Writes interleaved samples.
pub fn write_wave(path: &Path, channels: u16, sample_rate_hz: u32, samples: &[f32]) {
    let data: Vec<u8> = samples.iter().flat_map(|it| it.to_le_bytes()).collect();
    let frame_bytes = 4 * channels;
    let mut file = b"RIFF".to_vec();
    file.extend((36 + data.len() as u32).to_le_bytes());
    file.extend(b"WAVEfmt ");
    file.extend(16u32.to_le_bytes());
    // IEEE float.
    file.extend(3u16.to_le_bytes());
    file.extend(channels.to_le_bytes());
    file.extend(sample_rate_hz.to_le_bytes());
    file.extend((sample_rate_hz * u32::from(frame_bytes)).to_le_bytes());
    file.extend(frame_bytes.to_le_bytes());
    file.extend(32u16.to_le_bytes());
    file.extend(b"data");
    file.extend((data.len() as u32).to_le_bytes());
    file.extend(data);
    std::fs::write(path, file).unwrap();
}

/// The interleaved samples of a file.
pub fn read_wave(path: &Path) -> Vec<f32> {
    let file = std::fs::read(path).unwrap();
    let mut rest = &file[12..];
    loop {
        let (name, len) = (&rest[..4], u32::from_le_bytes(rest[4..8].try_into().unwrap()) as usize);
        let chunk = &rest[8..8 + len];
        if name == b"data" {
            return chunk.chunks_exact(4).map(|it| f32::from_le_bytes(it.try_into().unwrap())).collect();
        }
        rest = &rest[8 + len.next_multiple_of(2)..];
    }
}
