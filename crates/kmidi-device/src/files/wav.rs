use super::SampleFormat;

/// Bytes before the samples.
pub(super) const fn header_bytes(format: SampleFormat) -> u64 {
    match format {
        SampleFormat::Int16 | SampleFormat::Int24 => 80,
        SampleFormat::Float32 => 94,
    }
}

/// The bytes before the samples of a WAV file that holds `data_bytes` of them.
///
/// The sizes of RIFF are 32 bits wide. Room is kept for the chunk that RF64 (EBU Tech 3306) puts
/// first, so that a file which grows beyond 4 GiB only has to change its header.
pub(super) fn header(sample_rate_hz: u32, channels: u16, format: SampleFormat, data_bytes: u64) -> Vec<u8> {
    let frame_bytes = channels * format.bytes();
    let frames = data_bytes / u64::from(frame_bytes);
    let riff_bytes = header_bytes(format) - 8 + data_bytes + data_bytes % 2;
    let small = u32::try_from(riff_bytes).is_ok();
    let or_unknown =
        |bytes: u64| u32::try_from(bytes).ok().filter(|_| small).unwrap_or(u32::MAX).to_le_bytes();

    let mut header = Vec::with_capacity(header_bytes(format) as usize);
    header.extend(if small { b"RIFF" } else { b"RF64" });
    header.extend(or_unknown(riff_bytes));
    header.extend(b"WAVE");

    header.extend(if small { b"JUNK" } else { b"ds64" });
    header.extend(28u32.to_le_bytes());
    for size in [riff_bytes, data_bytes, frames] {
        header.extend(if small { 0 } else { size }.to_le_bytes());
    }
    header.extend(0u32.to_le_bytes());

    let float = format == SampleFormat::Float32;
    header.extend(b"fmt ");
    header.extend(if float { 18u32 } else { 16 }.to_le_bytes());
    header.extend(if float { 3u16 } else { 1 }.to_le_bytes());
    header.extend(channels.to_le_bytes());
    header.extend(sample_rate_hz.to_le_bytes());
    header.extend((sample_rate_hz * u32::from(frame_bytes)).to_le_bytes());
    header.extend(frame_bytes.to_le_bytes());
    header.extend((8 * format.bytes()).to_le_bytes());
    if float {
        header.extend(0u16.to_le_bytes());
        header.extend(b"fact");
        header.extend(4u32.to_le_bytes());
        header.extend(or_unknown(frames));
    }

    header.extend(b"data");
    header.extend(or_unknown(data_bytes));
    debug_assert_eq!(header.len() as u64, header_bytes(format));
    header
}

#[cfg(test)]
mod tests {
    use super::*;

    fn u32_at(bytes: &[u8], at: usize) -> u32 {
        u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap())
    }

    fn u64_at(bytes: &[u8], at: usize) -> u64 {
        u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap())
    }

    #[test]
    fn a_file_beyond_4_gib_says_its_size_in_64_bits() {
        let frames = 600_000_000u64;
        for format in [SampleFormat::Int16, SampleFormat::Int24, SampleFormat::Float32] {
            let data_bytes = frames * 2 * u64::from(format.bytes());
            let header = header(48_000, 2, format, data_bytes);
            let large = data_bytes > u64::from(u32::MAX);
            assert_eq!(large, format == SampleFormat::Float32, "the control: only one of them is large");
            if !large {
                assert_eq!(&header[..4], b"RIFF");
                assert_eq!(u64::from(u32_at(&header, 4)), header.len() as u64 - 8 + data_bytes);
                continue;
            }
            assert_eq!((&header[..4], u32_at(&header, 4)), (&b"RF64"[..], u32::MAX));
            assert_eq!((&header[12..16], u32_at(&header, 16)), (&b"ds64"[..], 28));
            let sizes = [20, 28, 36].map(|at| u64_at(&header, at));
            assert_eq!(sizes, [header.len() as u64 - 8 + data_bytes, data_bytes, frames]);
            assert_eq!(u32_at(&header, header.len() - 4), u32::MAX);
        }
    }
}
