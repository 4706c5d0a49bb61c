//! Decodes the compressed samples of SF3.

use std::io::Cursor;

use symphonia::core::codecs::audio::{AudioDecoder, AudioDecoderOptions};
use symphonia::core::formats::{FormatOptions, FormatReader, TrackType};
use symphonia::core::io::MediaSourceStream;
use symphonia::default::codecs::VorbisDecoder;
use symphonia::default::formats::OggReader;

/// What could be decoded.
pub(crate) struct Decoded {
    /// Frames, full scale ±1.
    pub frames: Vec<f32>,
    /// The stream ends early, or is damaged somewhere.
    pub is_damaged: bool,
}

/// Why nothing was decoded.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// It is no mono Ogg Vorbis stream.
    NotVorbis,
    /// It has more frames than allowed.
    TooLong,
}

/// Frames of a stream, as the last page in its last bytes tells.
pub(crate) fn told_frames(tail: &[u8]) -> Option<u64> {
    const CAPTURE: &[u8] = b"OggS";
    // After the capture pattern, a version and the kind of page stands the number of its last frame.
    let page = tail.windows(CAPTURE.len()).rposition(|bytes| bytes == CAPTURE)?;
    let frames = tail.get(page + 6..)?.first_chunk()?;
    u64::try_from(i64::from_le_bytes(*frames)).ok()
}

/// Decodes a whole mono Ogg Vorbis stream of at most `limit_frames`. `[side B]`
pub(crate) fn decode(stream: Vec<u8>, limit_frames: u64) -> Result<Decoded, Refused> {
    // A codec is a large body of code fed with whatever a file holds. Should it ever panic, one sample
    // is silent and the music goes on.
    let decode = || decode_stream(stream, limit_frames);
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(decode)).unwrap_or(Err(Refused::NotVorbis))
}

fn decode_stream(stream: Vec<u8>, limit_frames: u64) -> Result<Decoded, Refused> {
    let source = MediaSourceStream::new(Box::new(Cursor::new(stream)), Default::default());
    let mut reader = OggReader::try_new(source, FormatOptions::default()).map_err(|_| Refused::NotVorbis)?;
    let track = reader.default_track(TrackType::Audio).ok_or(Refused::NotVorbis)?;
    let (id, stated) = (track.id, track.num_frames);
    let parameters = track.codec_params.as_ref().and_then(|it| it.audio()).ok_or(Refused::NotVorbis)?;
    if parameters.channels.as_ref().is_none_or(|channels| channels.count() != 1) {
        return Err(Refused::NotVorbis);
    }
    let mut decoder = VorbisDecoder::try_new(parameters, &AudioDecoderOptions::default())
        .map_err(|_| Refused::NotVorbis)?;
    let (mut frames, mut packet_frames) = (Vec::new(), Vec::new());
    let mut damaged = false;
    loop {
        let packet = match reader.next_packet() {
            Ok(Some(packet)) => packet,
            Ok(None) => break,
            Err(_) => {
                damaged = true;
                break;
            }
        };
        if packet.track_id != id {
            continue;
        }
        match decoder.decode(&packet) {
            Ok(buffer) => {
                packet_frames.resize(buffer.samples_interleaved(), 0.0f32);
                buffer.copy_to_slice_interleaved(&mut packet_frames);
                if (frames.len() + packet_frames.len()) as u64 > limit_frames {
                    return Err(Refused::TooLong);
                }
                frames.extend_from_slice(&packet_frames);
            }
            // What follows would stand at the wrong place.
            Err(_) => {
                damaged = true;
                break;
            }
        }
    }
    damaged |= stated.is_some_and(|stated| stated != frames.len() as u64);
    Ok(Decoded { frames, is_damaged: damaged })
}
