//! Where a rendered song ends: after its tail.

use kmidi_core::NodeInfo;

/// Below this a tail has died away: half a step of 16 bits.
pub(crate) const SILENCE: f32 = 1.0 / 65_536.0;
/// Silence that ends what no plugin delays; as much stays behind the last sound of a song.
const SILENCE_SECONDS: f64 = 0.5;
/// Silence that ends what plugins may delay: an echo can be seconds behind what it repeats.
const PLUGIN_SILENCE_SECONDS: f64 = 10.0;

/// How long to go on after the end of the song.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Tail {
    /// Until it is silent, at most this long.
    UntilSilent {
        /// In seconds.
        limit_seconds: f64,
    },
    /// Exactly this long.
    Seconds(f64),
}

impl Default for Tail {
    fn default() -> Self {
        Tail::UntilSilent { limit_seconds: 30.0 }
    }
}

impl Tail {
    /// Most frames behind the end.
    pub(crate) fn most_frames(self, sample_rate_hz: u32) -> u64 {
        let (Tail::UntilSilent { limit_seconds: seconds } | Tail::Seconds(seconds)) = self;
        frames(seconds, sample_rate_hz)
    }

    /// Silent frames behind the end of a file after which nothing more of these plugins is waited for; none where the
    /// length of its tail is given.
    pub(crate) fn silence_frames(self, tails: &Tails, sample_rate_hz: u32) -> Option<u64> {
        let without_plugins = || frames(SILENCE_SECONDS, sample_rate_hz);
        matches!(self, Tail::UntilSilent { .. })
            .then(|| tails.silence_frames(sample_rate_hz).unwrap_or_else(without_plugins))
    }

    /// Bytes of the silence that is held back at most, until it is known whether sound follows.
    pub(crate) fn held_bytes(self, channels: usize, sample_rate_hz: u32) -> u64 {
        match self {
            Tail::UntilSilent { .. } => {
                self.most_frames(sample_rate_hz) * (channels * size_of::<f32>()) as u64
            }
            Tail::Seconds(_) => 0,
        }
    }
}

fn frames(seconds: f64, sample_rate_hz: u32) -> u64 {
    (seconds * f64::from(sample_rate_hz)).round() as u64
}

/// What is known of the tails of plugins in a row.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tails {
    plugins: usize,
    /// What they say of themselves, added up.
    frames: u64,
}

impl Tails {
    pub fn of<'a>(nodes: impl Iterator<Item = &'a NodeInfo>) -> Self {
        nodes.fold(Tails::default(), |sum, node| Tails {
            plugins: sum.plugins + 1,
            frames: sum.frames + u64::from(node.tail_frames),
        })
    }

    /// Silent frames behind which no sound of theirs is waited for; none without plugins.
    fn silence_frames(&self, sample_rate_hz: u32) -> Option<u64> {
        (self.plugins > 0).then(|| frames(PLUGIN_SILENCE_SECONDS, sample_rate_hz).max(self.frames))
    }
}

/// Counts frames to the end of a render. It looks at single frames, so that the end does not
/// depend on the sizes of the blocks it is shown.
pub(crate) struct End {
    song_frames: u64,
    most_frames: u64,
    /// Silent frames that end the tail.
    silence: Option<Silence>,
    /// Frames that belong to the render.
    seen: u64,
    /// Silent frames up to now, those held back too.
    silent: u64,
    /// Silence that belongs to the render if there is sound behind it, a vector a channel.
    held: Vec<Vec<f32>>,
}

#[derive(Clone, Copy)]
struct Silence {
    /// Frames that stay behind the last sound.
    kept: u64,
    /// Frames behind the song and the last sound after which it is over.
    awaited: u64,
}

/// What of a block belongs to a render.
pub(crate) struct Taken {
    /// What was held back before it, a vector a channel; mostly empty.
    pub held: Vec<Vec<f32>>,
    /// Frames of the block, from its front.
    pub frames: usize,
    /// Whether nothing more belongs to it.
    pub is_over: bool,
}

impl End {
    /// A render of a song of so many frames.
    pub fn new(song_frames: u64, tail: Tail, sample_rate_hz: u32) -> Self {
        let kept = frames(SILENCE_SECONDS, sample_rate_hz);
        let silence = matches!(tail, Tail::UntilSilent { .. }).then_some(Silence { kept, awaited: 0 });
        let most_frames = song_frames.saturating_add(tail.most_frames(sample_rate_hz));
        End { song_frames, most_frames, silence, seen: 0, silent: 0, held: Vec::new() }
    }

    /// A render that ends after exactly so many frames.
    pub fn exactly(frames: u64) -> Self {
        End { song_frames: frames, most_frames: frames, silence: None, seen: 0, silent: 0, held: Vec::new() }
    }

    /// Waits for what these plugins may still give.
    pub fn wait_for(&mut self, tails: &Tails, sample_rate_hz: u32) {
        if let Some(silence) = &mut self.silence {
            silence.awaited = tails.silence_frames(sample_rate_hz).unwrap_or(0);
        }
    }

    /// Looks at the next frames.
    pub fn take(&mut self, channels: &[&[f32]]) -> Taken {
        let frames = channels.first().map_or(0, |channel| channel.len());
        if self.seen + (frames as u64) < self.song_frames.min(self.most_frames) {
            let loud = |channel: &&[f32]| channel.iter().rposition(|sample| sample.abs() >= SILENCE);
            self.seen += frames as u64;
            self.silent = match channels.iter().filter_map(loud).max() {
                Some(last) => (frames - 1 - last) as u64,
                None => self.silent + frames as u64,
            };
            return Taken { held: Vec::new(), frames, is_over: false };
        }
        let mut taken = Taken { held: Vec::new(), frames: 0, is_over: false };
        let mut looked_at = 0;
        while looked_at < frames && !self.is_over(looked_at - taken.frames) {
            let is_loud = channels.iter().any(|channel| channel[looked_at].abs() >= SILENCE);
            self.silent = if is_loud { 0 } else { self.silent + 1 };
            looked_at += 1;
            let waiting = looked_at - taken.frames;
            if self.silence.is_none_or(|it| self.silent <= it.kept) || self.place(waiting) <= self.song_frames
            {
                self.seen = self.place(waiting);
                taken.held.append(&mut self.held);
                taken.frames = looked_at;
            }
        }
        taken.is_over = self.is_over(looked_at - taken.frames);
        self.hold(channels, taken.frames, looked_at);
        taken
    }

    /// Where the next frame stands that has not been looked at, behind so many that wait in the block.
    fn place(&self, waiting: usize) -> u64 {
        self.seen + (self.held.first().map_or(0, Vec::len) + waiting) as u64
    }

    fn is_over(&self, waiting: usize) -> bool {
        let place = self.place(waiting);
        let Some(behind) = place.checked_sub(self.song_frames) else { return place >= self.most_frames };
        let has_died_away = |it: Silence| self.silent >= it.kept && self.silent.min(behind) >= it.awaited;
        place >= self.most_frames || self.silence.is_some_and(has_died_away)
    }

    fn hold(&mut self, channels: &[&[f32]], from: usize, to: usize) {
        if from < to {
            self.held.resize(channels.len(), Vec::new());
            self.held.iter_mut().zip(channels).for_each(|(held, it)| held.extend(&it[from..to]));
        }
    }

    /// Frames that belong to the render up to now.
    pub fn seen(&self) -> u64 {
        self.seen
    }

    /// How much of the song has been seen, 0 to 1.
    pub fn progress(&self) -> f64 {
        (self.seen as f64 / self.song_frames.max(1) as f64).min(1.0)
    }
}

#[cfg(test)]
#[allow(clippy::single_range_in_vec_init, reason = "they are ranges of frames that are heard")]
mod tests {
    use super::*;

    /// Plugins in a row that say they have tails of so many frames.
    fn tails(frames: &[u32]) -> Tails {
        let nodes: Vec<_> =
            frames.iter().map(|frames| NodeInfo { tail_frames: *frames, ..NodeInfo::default() }).collect();
        Tails::of(nodes.iter())
    }

    /// Frames of a render at 1000 Hz of a song of 2000 frames, `sound` of which are heard.
    fn check(tail: Tail, plugins: &[u32], sound: &[std::ops::Range<usize>], expected: u64) {
        let is_heard = |n: usize| sound.iter().any(|sound| sound.contains(&n));
        let place = |n: usize| if is_heard(n) { n as f32 } else { -1e-10 * n as f32 };
        let samples: Vec<f32> = (0..100_000).map(place).collect();
        for block in [1, 7, 64, 10_000] {
            let mut end = End::new(2000, tail, 1000);
            end.wait_for(&tails(plugins), 1000);
            let (mut given, mut is_over): (Vec<f32>, bool) = (vec![], false);
            for block in samples.chunks(block) {
                if is_over {
                    break;
                }
                let taken = end.take(&[&vec![0.0; block.len()], block]);
                given.extend(taken.held.get(1).into_iter().flatten());
                given.extend(&block[..taken.frames]);
                is_over = taken.is_over;
            }
            assert!(is_over && given == samples[..given.len()], "blocks of {block}");
            assert_eq!((given.len() as u64, end.seen()), (expected, expected), "blocks of {block}");
        }
    }

    #[test]
    fn the_end_does_not_depend_on_the_size_of_the_blocks() {
        let silent = Tail::UntilSilent { limit_seconds: 3.0 };
        check(silent, &[], &[1..2300], 2800);
        check(silent, &[], &[], 2000);
        check(silent, &[], &[1..1900], 2400);
        check(silent, &[], &[1..100_000], 5000);
        check(Tail::Seconds(0.0), &[], &[1..100_000], 2000);
        check(Tail::Seconds(1.5), &[], &[], 3500);
        check(Tail::Seconds(1.5), &[0], &[1..100_000], 3500);
    }

    #[test]
    fn an_echo_behind_a_gap_is_not_cut_off_and_the_silence_behind_it_is() {
        let silent = Tail::UntilSilent { limit_seconds: 30.0 };
        // A gap within the song and one behind it.
        check(silent, &[0], &[1..1000, 6000..6100, 15_000..15_300], 15_800);
        // The control: without plugins nothing is waited for.
        check(silent, &[], &[1..1000, 6000..6100], 2000);
        // Without anything behind it a render is as long as one without plugins.
        check(silent, &[0], &[1..2300], 2800);
        check(silent, &[0], &[1..1000], 2000);
        // A gap beyond ten seconds, unless the plugins say that their tails, in a row, are as long.
        check(silent, &[0], &[1..1000, 14_000..14_100], 2000);
        check(silent, &[6000, 7000], &[1..1000, 14_000..14_100], 14_600);
        check(silent, &[u32::MAX, u32::MAX], &[1..1000, 31_900..90_000], 32_000);
        check(silent, &[u32::MAX], &[1..1000, 32_000..90_000], 2000);
    }
}
