/// A file that cannot be read as a song at all.
#[derive(Debug, thiserror::Error)]
pub enum SongError {
    /// There is not one byte.
    #[error("the file is empty")]
    Empty,
    /// Nothing in it looks like a Standard MIDI File.
    #[error(
        "not a MIDI file: no MThd header and no MTrk track in it; expected a .mid, .midi, .kar or .rmi file"
    )]
    NotMidi,
    /// A header, and no track after it.
    #[error("the MIDI file has a header but no track: nothing to play")]
    NoTracks,
    /// The bytes could not be had.
    #[error("cannot read the file: {0}")]
    Io(#[from] std::io::Error),
}

/// A song that does not fit the file format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WriteError {
    /// More than 65,535 tracks.
    #[error("{0} tracks do not fit a Standard MIDI File (65535 do)")]
    Tracks(usize),
    /// The data of one event is 256 MiB or more.
    #[error("an event of {0} bytes does not fit a Standard MIDI File (2^28 - 1 bytes do)")]
    EventBytes(usize),
    /// A track is 4 GiB or more.
    #[error("a track of 4 GiB or more does not fit a Standard MIDI File")]
    TrackBytes,
}
