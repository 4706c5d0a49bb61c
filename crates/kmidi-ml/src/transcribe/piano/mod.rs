//! The notes and pedals of a piano, by transkun (Yan & Duan, "Scoring intervals using non-hierarchical transformer for automatic piano
//! transcription", 2024).
//!
//! The network scores every interval that a key could be down for; the likeliest ones that do not overlap are found for each key by
//! itself ([`intervals`]). Two small networks say then how loud each is, and when exactly it begins and ends.

mod events;
mod intervals;
mod segments;
mod spectra;

use kmidi_memory::JobContext;

use self::events::{Event, Events};
use self::intervals::{Choices, Interval};
use self::segments::Segments;
use self::spectra::Spectra;
use super::{OnProgress, TranscribeError, Transcription, constant};
use crate::MonoSource;
use crate::convert::{PIANO, TRACKS, VELOCITIES};
use crate::model::{Input, Model, ModelError, Tensor};

/// What the model hears.
pub const SAMPLE_RATE_HZ: u32 = 44_100;
/// What hearing a piano takes at most beyond its model, its source and the notes that it finds.
pub const WORKING_BYTES: u64 = 32 << 20;

/// Samples from a frame to the next.
const HOP: usize = 1024;
const FRAME_SECONDS: f64 = HOP as f64 / SAMPLE_RATE_HZ as f64;
/// Samples of a segment: what the network was trained on. In shorter ones it misses notes.
const SEGMENT: usize = 16 * SAMPLE_RATE_HZ as usize;
/// Silence before and behind the recording.
const PAD: usize = 8 * SAMPLE_RATE_HZ as usize;
/// Samples from a segment to the next: whole frames.
const STEP: usize = (SEGMENT - PAD).div_ceil(HOP) * HOP;
/// Frames of a segment.
const FRAMES: usize = PIANO.frames;
const _: () = assert!(FRAMES == SEGMENT.div_ceil(HOP) + 1);
/// An event that lasts until here may go on.
const LAST_FRAME: usize = (SEGMENT + HOP / 2) / HOP;
/// The frame that the recording begins at.
const FIRST_FRAME: usize = PAD / HOP;
/// Numbers for each frame of a track.
const WIDTH: usize = PIANO.width();
/// Events that are asked about at once.
const PAIRS: usize = 64;

/// Hears the notes and pedals of a piano.
///
/// A segment of sixteen seconds is listened to at once, and a new one begins every eight seconds; memory does not grow with the length
/// but for the notes. A second of it takes one to two seconds of one processor; silence takes none.
///
/// # Errors
/// [`TranscribeError`].
pub fn piano(
    model: &Model,
    source: &mut dyn MonoSource,
    job: &JobContext,
    on_progress: OnProgress<'_>,
) -> Result<Transcription, TranscribeError> {
    let found_hz = source.sample_rate_hz();
    if found_hz != SAMPLE_RATE_HZ {
        return Err(TranscribeError::SampleRate { expected_hz: SAMPLE_RATE_HZ, found_hz });
    }
    let mut pianist = Pianist::new(model)?;
    let mut segments = Segments::new(source);
    let mut events = Events::new();
    while let Some(segment) = segments.next()? {
        job.check()?;
        let heard = pianist.hear(segment, job)?;
        for (track, heard) in heard.into_iter().enumerate() {
            events.add(track, heard.into_iter().map(|event| event.later(segments.begin_seconds())).collect());
        }
        on_progress(segments.progress());
    }
    let (notes, pedals) = events.finish();
    let seconds = segments.progress().frames as f64 / f64::from(SAMPLE_RATE_HZ);
    let mut transcription = Transcription { notes, pedals, seconds, cuts: 0 };
    transcription.sort();
    Ok(transcription)
}

impl Event {
    /// So much later, but not before the recording.
    fn later(self, seconds: f64) -> Self {
        let start_seconds = (self.start_seconds + seconds).max(0.0);
        let end_seconds = (self.end_seconds + seconds).max(start_seconds);
        Event { start_seconds, end_seconds, ..self }
    }
}

/// The model, and what is known from one segment to the next.
struct Pianist<'a> {
    model: &'a Model,
    spectra: Spectra,
    /// For each track, the frame of the next segment that is still open.
    open_from: Vec<usize>,
    /// What is best in a segment of nothing but zeros, once there was one: recordings have many.
    silence: Option<Vec<Choices>>,
    pairs: Vec<f32>,
}

impl<'a> Pianist<'a> {
    fn new(model: &'a Model) -> Result<Self, TranscribeError> {
        Ok(Pianist {
            model,
            spectra: Spectra::new(model)?,
            open_from: vec![FIRST_FRAME; TRACKS],
            silence: None,
            pairs: Vec::with_capacity(PAIRS * 3 * WIDTH),
        })
    }

    /// The events of each track, in seconds of the segment.
    fn hear(&mut self, segment: &[f32], job: &JobContext) -> Result<Vec<Vec<Event>>, TranscribeError> {
        let is_silent = segment.iter().all(|sample| *sample == 0.0);
        if is_silent && self.is_known_to_be_silent() {
            self.open_from.fill(0);
            return Ok(vec![Vec::new(); TRACKS]);
        }
        let shape = [1, PIANO.windows, FRAMES, PIANO.bands];
        let spectra = [Input::f32("spectra", &shape, self.spectra.of(segment))];
        let [tracks] = run(self.model, &spectra, [("tracks", TRACKS * PIANO.steps() * WIDTH)])?;
        let (mut heard, mut silence) = (Vec::with_capacity(TRACKS), Vec::new());
        for (number, track) in tracks.f32s().chunks_exact(PIANO.steps() * WIDTH).enumerate() {
            job.check()?;
            let (choices, context) = self.choices(track)?;
            let path = choices.path(self.open_from[number]);
            let events = self.events(&path, &context)?;
            // What has ended is not listened to again.
            let ended = path.iter().zip(&events).rev().find(|(_, event)| event.has_offset);
            self.open_from[number] = ended.map_or(0, |((_, end), _)| end.saturating_sub(STEP / HOP));
            heard.push(events);
            if is_silent {
                silence.push(choices);
            }
        }
        if is_silent {
            self.silence = Some(silence);
        }
        Ok(heard)
    }

    /// Whether nothing would be heard in a segment of zeros.
    fn is_known_to_be_silent(&self) -> bool {
        let is_empty = |(choices, from): (&Choices, &usize)| choices.path(*from).is_empty();
        self.silence.as_ref().is_some_and(|silence| silence.iter().zip(&self.open_from).all(is_empty))
    }

    /// What is best for a track, and what its events are judged by.
    fn choices(&self, track: &[f32]) -> Result<(Choices, Tensor), TranscribeError> {
        let shape = [PIANO.steps(), WIDTH];
        let outputs = [("scores", FRAMES * FRAMES), ("alone", FRAMES), ("context", FRAMES * WIDTH)];
        let [scores, alone, context] = run(self.model, &[Input::f32("track", &shape, track)], outputs)?;
        Ok((Choices::best(scores.f32s(), alone.f32s()), context))
    }

    /// How loud the events of a track are, and when they begin and end.
    fn events(&mut self, path: &[Interval], context: &Tensor) -> Result<Vec<Event>, TranscribeError> {
        let of = |frame: usize| &context.f32s()[frame * WIDTH..(frame + 1) * WIDTH];
        let (mut events, mut last_end) = (Vec::with_capacity(path.len()), 0.0);
        for path in path.chunks(PAIRS) {
            self.pairs.clear();
            for (begin, end) in path {
                let (begin, end) = (of(*begin), of(*end));
                self.pairs.extend(begin.iter().chain(end));
                self.pairs.extend(begin.iter().zip(end).map(|(begin, end)| begin * end));
            }
            let shape = [path.len(), 3 * WIDTH];
            let outputs = [("velocities", path.len() * VELOCITIES), ("times", path.len() * 4)];
            let [velocities, times] = run(self.model, &[Input::f32("pairs", &shape, &self.pairs)], outputs)?;
            let times = times.f32s().as_chunks::<4>().0;
            for ((interval, velocities), times) in
                path.iter().zip(velocities.f32s().chunks(VELOCITIES)).zip(times)
            {
                let event = event(*interval, velocities, *times, last_end);
                last_end = event.end_seconds;
                events.push(event);
            }
        }
        Ok(events)
    }
}

/// An event, which does not begin before the last one of its track ended.
fn event((begin, end): Interval, velocities: &[f32], times: [f32; 4], last_end: f64) -> Event {
    let [begin_within, end_within, has_onset, has_offset] = times;
    let start_seconds = ((begin as f64 + within(begin_within)) * FRAME_SECONDS).max(last_end);
    let likeliest =
        velocities.iter().enumerate().fold((0, f32::NEG_INFINITY), |best, (velocity, likelihood)| {
            if *likelihood > best.1 { (velocity, *likelihood) } else { best }
        });
    Event {
        start_seconds,
        end_seconds: ((end as f64 + within(end_within)) * FRAME_SECONDS).max(start_seconds + 1e-8),
        velocity: likeliest.0 as u8,
        // Only of what is at the edge of a segment it is asked whether it goes on beyond it.
        has_onset: begin > 0 || has_onset > 0.0,
        has_offset: end < LAST_FRAME || has_offset > 0.0,
    }
}

/// Where within its frame something is, from half a frame before to half a frame behind: the mean of a continuous Bernoulli
/// distribution, by its logit.
fn within(logit: f32) -> f64 {
    let logit = f64::from(logit);
    let share = (1.0 / (1.0 + (-logit).exp())).clamp(f64::from(f32::EPSILON), 1.0 - f64::from(f32::EPSILON));
    let off = share - 0.5;
    let mean = match off.abs() <= 1e-3 {
        // Where the formula divides by next to nothing.
        true => 0.5 + (1.0 / 3.0 + 16.0 / 45.0 * off * off) * off,
        false => share / (2.0 * share - 1.0) + 1.0 / ((1.0 - share).ln() - share.ln()),
    };
    ((mean - 0.5) / 0.99).clamp(-0.5, 0.5)
}

/// Runs a part of the network; each output must have so many numbers.
fn run<const N: usize>(
    model: &Model,
    inputs: &[Input<'_>],
    outputs: [(&str, usize); N],
) -> Result<[Tensor; N], TranscribeError> {
    let tensors = model.run(inputs, &outputs.map(|output| output.0))?;
    let found = tensors.iter().map(|tensor| tensor.f32s().len());
    if let Some((found, (name, count))) = found.zip(outputs).find(|(found, output)| *found != output.1) {
        let reason = format!("{name} has {found} numbers, not {count}");
        return Err(ModelError::Run { model: model.entry().name, reason }.into());
    }
    // As many as were asked for.
    tensors
        .try_into()
        .map_err(|_| ModelError::Run { model: model.entry().name, reason: "outputs".to_owned() }.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_as_likely_early_as_late_is_in_the_middle_of_its_frame() {
        assert_eq!(within(0.0), 0.0);
        assert!((within(2.0) + within(-2.0)).abs() < 1e-9 && within(2.0) > 0.1);
        assert!(within(80.0) <= 0.5 && within(80.0) > 0.4 && within(-80.0) >= -0.5);
        // The formula goes on where its series ends.
        assert!((within(0.0039) - within(0.0041)).abs() < 1e-4);
    }

    #[test]
    fn an_event_begins_where_the_last_one_ended_and_is_not_empty() {
        let velocities: Vec<f32> =
            (0..VELOCITIES).map(|velocity| if velocity == 90 { 1.0 } else { 0.0 }).collect();
        let heard = event((10, 10), &velocities, [-9.0, -9.0, -1.0, -1.0], 0.3);
        assert_eq!((heard.start_seconds, heard.velocity), (0.3, 90));
        assert!(heard.end_seconds > heard.start_seconds && heard.has_onset && heard.has_offset);
        let edges = event((0, FRAMES - 1), &velocities, [0.0, 0.0, -1.0, -1.0], 0.0);
        assert!(!edges.has_onset && !edges.has_offset);
        let within = event((0, FRAMES - 1), &velocities, [0.0, 0.0, 1.0, 1.0], 0.0);
        assert!(within.has_onset && within.has_offset);
    }
}
