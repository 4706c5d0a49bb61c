//! How large the network of `transkun` is, and what its parts are called.

/// How large it is.
pub(crate) struct Sizes {
    /// Spectra that are listened to at once.
    pub frames: usize,
    /// Bands of each.
    pub bands: usize,
    /// Windows that each is seen through.
    pub windows: usize,
    /// Samples of a window.
    pub window: usize,
    /// Planes of the first convolution; the transformer has four times as many numbers for each place.
    pub planes: usize,
    /// Ways to look at all places; they share the width.
    pub heads: usize,
    pub layers: usize,
    /// Numbers between the two matrices of the parts that say how loud a note is, and when exactly.
    pub hidden: usize,
}

/// What events there are of: the pedals by their controllers, as numbers below 0, and the keys of the piano.
pub(crate) fn tracks() -> impl Iterator<Item = i16> {
    [-64, -67].into_iter().chain(21..=108)
}
pub(crate) const TRACKS: usize = 90;
/// Velocities that are told apart.
pub(crate) const VELOCITIES: usize = 128;
/// Groups of planes that are brought to the same level.
pub(super) const GROUPS: usize = 4;
/// Frames of a step of time.
pub(super) const STEP: usize = 8;

impl Sizes {
    /// Numbers for each place.
    pub const fn width(&self) -> usize {
        4 * self.planes
    }

    /// Numbers between the two matrices of a layer.
    pub const fn inner(&self) -> usize {
        4 * self.width()
    }

    /// Steps of time: each convolution but the last halves their number.
    pub const fn steps(&self) -> usize {
        (self.frames + STEP - 1).div_ceil(2).div_ceil(2).div_ceil(2)
    }

    /// Steps of pitch.
    pub const fn rows(&self) -> usize {
        (self.bands + 3).div_ceil(2).div_ceil(2)
    }

    /// Places of a step of time: one that stands for all bands, the bands, and the tracks.
    pub const fn places(&self) -> usize {
        1 + self.rows() + TRACKS
    }
}

/// A convolution after the first one.
pub(super) struct Halving {
    /// What it is called.
    pub convolution: &'static str,
    /// What brings its planes to the same level.
    pub norm: &'static str,
    /// Planes that go in and come out, as multiples of those of the first one.
    pub planes: [usize; 2],
    /// What it is moved by, in time and in pitch.
    pub strides: [i64; 2],
    /// What there is of silence around it: before in time and pitch, then behind.
    pub pads: [i64; 4],
}

/// What makes steps of frames and bands.
pub(super) const HALVINGS: [Halving; 4] = [
    Halving {
        convolution: "backbone.downConv.1",
        norm: "backbone.downConv.2",
        planes: [1, 2],
        strides: [2, 1],
        // One for each edge of the convolution, and what makes the steps whole.
        pads: [5, 3, 4, 2],
    },
    Halving {
        convolution: "backbone.downConv.5",
        norm: "backbone.downConv.6",
        planes: [2, 4],
        strides: [2, 2],
        pads: [1; 4],
    },
    Halving {
        convolution: "backbone.downConv.9",
        norm: "backbone.downConv.10",
        planes: [4, 4],
        strides: [2, 2],
        pads: [1; 4],
    },
    Halving {
        convolution: "backbone.downConv.13",
        norm: "backbone.downConv.14",
        planes: [4, 4],
        strides: [1, 1],
        pads: [1; 4],
    },
];

/// Parts that say where something is.
pub(super) const BANDS: &str = "backbone.posEmbedBuilder";
pub(super) const PLACES: [&str; 2] = ["backbone.posEmbedBuilderAttnTF", "backbone.posEmbedBuilderAttnTE"];
/// What makes frames of steps.
pub(super) const FRAMES: &str = "backbone.upConv1dSkip";
/// What scores are made by; here in three parts.
pub(super) const SCORES: &str = "scorer.map.0";
pub(super) const SCORE_PARTS: [&str; 3] = ["scorer.end", "scorer.begin", "scorer.alone"];
pub(super) const VELOCITY: &str = "velocityPredictor";
pub(super) const ENDS: &str = "refinedOFPredictor";

/// Along what places look at each other.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Along {
    Pitch,
    Time,
}

impl Along {
    pub const BOTH: [Along; 2] = [Along::Pitch, Along::Time];

    fn letter(self) -> char {
        match self {
            Along::Pitch => 'F',
            Along::Time => 'T',
        }
    }
}

/// What a layer's attention is called.
pub(super) fn attention(layer: usize, along: Along) -> String {
    format!("backbone.encoderLayers.{layer}.mhaBlock{}", along.letter())
}

/// What the two matrices behind it are called.
pub(super) fn inner(layer: usize, along: Along) -> String {
    format!("backbone.encoderLayers.{layer}.fnnBlock{}", along.letter())
}
