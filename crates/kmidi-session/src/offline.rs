//! A song played as fast as possible, with no device: what renders, stems and checks have in common.

use std::io;
use std::sync::Arc;

use arrayvec::ArrayVec;
use basedrop::Shared;
use kmidi_core::SongTime;
use kmidi_core::limits::MAX_MIDI_PORTS;
use kmidi_device::{CallbackSizes, Offline};
use kmidi_graph::BorderFull;
use kmidi_host::Activation;
use kmidi_memory::{MIB, audio_heap};
use kmidi_rt::{Engine, When};
use kmidi_soundfont::{Preset, PresetKey};

use crate::chain::LinkError;
use crate::command::silent_mask;
use crate::feed::Feed;
use crate::fx::{FxPlugin, listen, told};
use crate::job::{JobContext, JobError, Need};
use crate::rack::{self, RackConfig, Sides};
use crate::reader::SongReader;
use crate::rig::{CHANNELS, Rig, RigConfig, RigError, SoundSettings};
use crate::song::OpenSong;
use crate::tail::{End, Tails};

/// What one pass over the song plays. Shared by passes that run side by side.
#[derive(Clone)]
pub(crate) struct Score {
    pub song: OpenSong,
    pub presets: Arc<[(PresetKey, Shared<Preset>)]>,
    pub sound: SoundSettings,
    /// The plugins; each pass has its own instances, and ends them on its thread.
    pub rack: RackConfig,
    /// Whether no sample exceeds full scale.
    pub has_ceiling: bool,
    /// Port and channel that alone are heard.
    pub only: Option<(u8, u8)>,
    pub sample_rate_hz: u32,
    pub quantum_frames: u32,
    /// A song of more events than this comes in pages.
    pub resident_events: u64,
    pub from: SongTime,
    pub to: Option<SongTime>,
}

/// Why a pass ended early.
#[derive(Debug)]
pub(crate) enum PassError<E> {
    Rig(RigError),
    /// The song cannot be read any more.
    Song(io::Error),
    /// Not wanted any more, or without room.
    Job(JobError),
    /// There are not all plugins.
    Plugin(LinkError),
    /// What the sink of the sound says.
    Sink(E),
}

impl<E> From<RigError> for PassError<E> {
    fn from(error: RigError) -> Self {
        PassError::Rig(error)
    }
}

impl<E> From<LinkError> for PassError<E> {
    fn from(error: LinkError) -> Self {
        PassError::Plugin(error)
    }
}

impl<E> From<BorderFull> for PassError<E> {
    fn from(error: BorderFull) -> Self {
        PassError::Rig(error.into())
    }
}

impl<E> From<JobError> for PassError<E> {
    fn from(error: JobError) -> Self {
        PassError::Job(error)
    }
}

impl<E> From<io::Error> for PassError<E> {
    fn from(error: io::Error) -> Self {
        PassError::Song(error)
    }
}

/// What a pass counted.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Counts {
    pub plugins: Vec<FxPlugin>,
    /// What plugins said.
    pub messages: Vec<String>,
    /// Frames by which the sound was late; they are taken off the front.
    pub latency_frames: u64,
    pub frames: u64,
    /// The highest sample, before the ceiling lowered it.
    pub peak: f32,
    pub most_voices: u32,
    pub voice_samples: u64,
    pub stolen_voices: u64,
    pub dropped_events: u64,
    pub notes_off_the_keyboard: u64,
    pub guard_trips: u64,
    pub ceiling_frames: u64,
}

impl Score {
    /// Frames from the start to the end of the song at its speed.
    pub fn frames(&self) -> u64 {
        let end = self.song.end(self.sample_rate_hz);
        let end = self.to.map_or(end, |to| to.min(end));
        let length = SongTime((end.0 - self.from.0).max(0));
        self.sound.tempo_scale.frames_until(length).0 as u64
    }

    /// Channels that are not heard on any port.
    pub fn silent(&self) -> u16 {
        silent_mask(&self.sound.muted, &self.sound.soloed)
    }

    /// What a pass needs besides its engine: what is read ahead of the song, and blocks.
    pub fn need(&self) -> Need {
        Need::working(MIB, format!("rendering {}", self.song.name))
    }

    /// Plays the song through callbacks of the lengths that `sizes` gives, until `end` says so, and
    /// hands every block to `sink`, a slice for each channel. A job with the [`need`](Self::need) of it.
    pub fn pass<E>(
        &self,
        sizes: &mut CallbackSizes,
        mut end: End,
        context: &JobContext,
        mut sink: impl FnMut(&[&[f32]], &End) -> Result<(), E>,
    ) -> Result<Counts, PassError<E>> {
        let mut driver = Offline::new(CHANNELS);
        let Begun { mut engine, mut rig, mut feed, mut plugins, messages } = self.begin()?;
        let latency_frames = u64::from(rig.handle.compiler().latency_frames());
        let mut counts = Counts { latency_frames, plugins: told(&plugins), messages, ..Counts::default() };
        let mut late = latency_frames;
        let tails = Tails::of(plugins.iter().map(|it| it.plugin().node_info()));
        end.wait_for(&tails, self.sample_rate_hz);
        loop {
            context.check()?;
            feed.pump()?;
            let frames = sizes.next().expect("callback sizes do not end");
            let block = driver.run(&mut engine, frames);
            let skipped = late.min(frames as u64) as usize;
            late -= skipped as u64;
            let block: ArrayVec<&[f32], CHANNELS> =
                block.channels.iter().map(|channel| &channel[skipped..]).collect();
            let taken = end.take(&block);
            let held = taken.held.iter().map(|channel| &channel[..]).collect();
            let block = block.iter().map(|channel| &channel[..taken.frames]).collect();
            for block in [held, block].iter().filter(|block: &&ArrayVec<&[f32], CHANNELS>| !block.is_empty())
            {
                counts.peak =
                    block.iter().map(|channel| kmidi_core::peak(channel)).fold(counts.peak, f32::max);
                sink(block, &end).map_err(PassError::Sink)?;
            }
            counts.most_voices = counts.most_voices.max(rig.synth.status().voices);
            rig.handle.collect();
            for plugin in &mut plugins {
                plugin.idle();
                plugin.each().for_each(|it| listen(it, &mut counts.messages));
            }
            if taken.is_over {
                break;
            }
        }
        let status = rig.handle.status();
        counts.frames = end.seen();
        counts.voice_samples = rig.synth.status().voice_samples;
        counts.stolen_voices = rig.synth.status().voices_stolen;
        counts.dropped_events = status.drops.song + status.drops.graph;
        counts.notes_off_the_keyboard = status.notes_off_the_keyboard;
        counts.guard_trips = status.guard_trips;
        counts.ceiling_frames = status.ceiling_frames;
        counts.peak = counts.peak.max(status.ceiling_peak);
        Ok(counts)
    }

    /// An engine that plays the song from its first frame on.
    fn begin<E>(&self) -> Result<Begun, PassError<E>> {
        let (sample_rate_hz, quantum_frames) = (self.sample_rate_hz, self.quantum_frames);
        let (has_ceiling, compensation) = (self.has_ceiling, self.rack.compensation);
        let activation = Activation { sample_rate_hz, quantum_frames, offline: true };
        let links = rack::offline::load(&self.rack, &activation)?;
        let config = RigConfig {
            sample_rate_hz,
            quantum_frames,
            live_in: false,
            channels_in: 0,
            channels_out: CHANNELS as u16,
            midi_out: false,
            has_ceiling,
            compensation,
        };
        let (mut plugins, mut messages) = (vec![], vec![]);
        let (mut rig, engine) = Rig::with(config, &self.sound, |graph, parts| {
            (plugins, messages) = rack::offline::wire(&self.rack, links, graph, parts)?;
            Ok(())
        })?;
        let feed = audio_heap("the song", || self.load(&mut rig)).map_err(RigError::from)??;
        Ok(Begun { engine, rig, feed, plugins, messages })
    }

    /// Gives the engine all that it plays.
    fn load<E>(&self, rig: &mut Rig) -> Result<Feed, PassError<E>> {
        for (key, preset) in self.presets.iter() {
            rig.synth.install(*key, preset.clone()).expect("a fresh synthesiser has room for every key");
        }
        rig.apply(&self.sound, self.song.melodic)?;
        if let Some((port, channel)) = self.only {
            for other in 0..MAX_MIDI_PORTS as u8 {
                let silent = if other == port { !(1 << channel) } else { u16::MAX };
                rig.handle.mute(other, silent)?;
            }
        }
        let (index, source) = (self.song.index.clone(), self.song.source.clone());
        let reader = SongReader::new(index, source, self.sample_rate_hz)?;
        let (mut feed, timeline) = Feed::open(reader, self.to, 1, self.resident_events)?;
        let locate = feed.locate(self.from, None)?;
        rig.handle.set_timeline(Some(timeline), locate, When::Now)?;
        rig.handle.play()?;
        Ok(feed)
    }
}

/// What plays a song.
struct Begun {
    // In the order in which they end: plugins when their audio halves have.
    engine: Engine,
    rig: Rig,
    feed: Feed,
    plugins: Vec<Sides>,
    /// To be told to the user.
    messages: Vec<String>,
}

#[cfg(test)]
mod tests {
    use basedrop::Collector;
    use kmidi_memory::Budgets;

    use super::*;
    use crate::feed::RESIDENT_EVENTS;
    use crate::job::Cancel;
    use crate::pool::Pool;
    use crate::presets;
    use crate::sound_bank::SoundBank;

    const RATE_HZ: u32 = 48_000;

    fn score(file: &str) -> Score {
        let path = format!("{}/../../tests/data/midi/{file}", env!("CARGO_MANIFEST_DIR"));
        let song = OpenSong::open_here(path.as_ref(), &Budgets::default(), &Default::default()).unwrap();
        let bank = Arc::new(
            SoundBank::open_here(&[], &Collector::new().handle(), &Budgets::default(), &Cancel::default())
                .unwrap(),
        );
        let wanted = presets::wanted(&song, presets::Notes::AsWritten);
        let set = presets::load_all(
            &Pool::new(2, &Budgets::default()).unwrap(),
            &bank,
            &wanted,
            &Cancel::default(),
            |_| (),
        );
        Score {
            song,
            presets: set.presets.into(),
            sound: SoundSettings::default(),
            rack: RackConfig::default(),
            has_ceiling: true,
            only: None,
            sample_rate_hz: RATE_HZ,
            quantum_frames: 64,
            resident_events: RESIDENT_EVENTS,
            from: SongTime::from_frames(kmidi_core::Frames(480_000)),
            to: None,
        }
    }

    fn rendered(score: &Score, callback_frames: usize) -> Vec<u32> {
        let mut bits = vec![];
        let end = End::exactly(3 * u64::from(RATE_HZ));
        let sizes = &mut CallbackSizes::Constant(callback_frames);
        let play = |context| {
            score.pass::<()>(sizes, end, &context, |block, _| {
                bits.extend(block[0].iter().map(|sample| sample.to_bits()));
                Ok(())
            })
        };
        let counts =
            JobContext::run(&Budgets::default(), score.need(), &Cancel::default(), play).unwrap().unwrap();
        assert!(counts.peak > 0.01 && counts.guard_trips == 0, "{counts:?}");
        bits
    }

    #[test]
    fn a_song_in_pages_sounds_the_same_as_a_whole_one_to_the_bit() {
        let whole = score("freedoom/freedoom1_D_E1M1.mid");
        let in_pages = Score { resident_events: 0, ..whole.clone() };
        let reference = rendered(&whole, 512);
        assert!(reference == rendered(&in_pages, 512));
        assert!(reference == rendered(&in_pages, 441));
        let other = Score { from: SongTime::from_frames(kmidi_core::Frames(480_001)), ..whole };
        assert!(reference != rendered(&other, 512), "one frame further on must be seen");
    }
}
