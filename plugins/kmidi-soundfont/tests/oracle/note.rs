use basedrop::Shared;
use kmidi_soundfont::{GUARD_FRAMES, Generator as G, Preset, Zone};

use super::GRID;
use super::channel::Channel;
use super::curves::{Times, convex, triangle};

fn cents(cents: f64) -> f64 {
    2f64.powf(cents / 1200.0)
}

fn decibels(decibels: f64) -> f64 {
    10f64.powf(decibels / 20.0)
}

/// What controllers decide, all of it smoothed in the same way.
#[derive(Clone, Copy)]
struct Controls {
    /// Sample frames per frame without LFOs and envelope.
    speed: f64,
    gains: [f64; 2],
    cutoff: f64,
    resonance_db: f64,
    vibrato: f64,
    lfo_to_pitch: f64,
    envelope_to_pitch: f64,
    lfo_to_cutoff: f64,
    envelope_to_cutoff: f64,
    lfo_to_volume: f64,
}

impl Controls {
    fn between(a: &Self, b: &Self, part: f64) -> Self {
        let mix = |a: f64, b: f64| a + (b - a) * part;
        Controls {
            speed: mix(a.speed, b.speed),
            gains: [mix(a.gains[0], b.gains[0]), mix(a.gains[1], b.gains[1])],
            cutoff: mix(a.cutoff, b.cutoff),
            resonance_db: b.resonance_db,
            vibrato: mix(a.vibrato, b.vibrato),
            lfo_to_pitch: mix(a.lfo_to_pitch, b.lfo_to_pitch),
            envelope_to_pitch: mix(a.envelope_to_pitch, b.envelope_to_pitch),
            lfo_to_cutoff: mix(a.lfo_to_cutoff, b.lfo_to_cutoff),
            envelope_to_cutoff: mix(a.envelope_to_cutoff, b.envelope_to_cutoff),
            lfo_to_volume: mix(a.lfo_to_volume, b.lfo_to_volume),
        }
    }
}

#[derive(Clone, Copy, Default)]
struct Held {
    key: bool,
    sustain: bool,
    sostenuto: bool,
}

pub struct Note {
    preset: Shared<Preset>,
    zone: usize,
    pub channel: usize,
    pub key: u8,
    velocity: f64,
    rate: f64,
    start: u64,
    held: Held,
    /// Frame from which the release runs.
    release: Option<u64>,
    /// Frame and length of a fade that ends the note.
    fade: Option<(u64, f64)>,
    volume: Times,
    modulation: Times,
    /// (delay in frames, periods per frame)
    vibrato_lfo: (f64, f64),
    modulation_lfo: (f64, f64),
    from: Controls,
    to: Controls,
    position: f64,
    /// While the note loops: first and last frame of the loop.
    loop_frames: Option<(f64, f64)>,
    filter: Option<[f64; 2]>,
    last_sample: f64,
}

impl Note {
    pub fn start(
        channel: &Channel,
        index: usize,
        key: u8,
        velocity: f64,
        (preset, number): (&Shared<Preset>, usize),
        frame: u64,
        rate: f64,
    ) -> Option<Self> {
        let zone = &preset.zones[number];
        let value = |generator: G| f64::from(zone.generators[generator]);
        let velocity = if value(G::Velocity) >= 0.0 { value(G::Velocity) } else { velocity };
        let sounding_key = if value(G::Keynum) >= 0.0 { zone.generators[G::Keynum] as u8 } else { key };
        let all = |generator| total(zone, channel, key, sounding_key, velocity, generator);
        let wait = |timecents: f64| if timecents <= -12_000.0 { 0.0 } else { cents(timecents) * rate };
        let ramp = |timecents: f64| cents(timecents.max(-12_000.0)) * rate;
        let below_60 = 60.0 - f64::from(sounding_key);
        let volume = Times {
            delay: wait(all(G::DelayVolEnv)),
            attack: ramp(all(G::AttackVolEnv)),
            hold: wait(all(G::HoldVolEnv) + below_60 * all(G::KeynumToVolEnvHold)),
            decay: ramp(all(G::DecayVolEnv) + below_60 * all(G::KeynumToVolEnvDecay)),
            fall: (all(G::SustainVolEnv) / 1000.0).min(1.0),
            release: ramp(all(G::ReleaseVolEnv)),
        };
        let modulation = Times {
            delay: wait(all(G::DelayModEnv)),
            attack: wait(all(G::AttackModEnv)),
            hold: wait(all(G::HoldModEnv) + below_60 * all(G::KeynumToModEnvHold)),
            decay: ramp(all(G::DecayModEnv) + below_60 * all(G::KeynumToModEnvDecay)),
            fall: all(G::SustainModEnv) / 1000.0,
            release: ramp(all(G::ReleaseModEnv)),
        };
        let lfo = |delay, frequency| (wait(all(delay)), 440.0 * cents(all(frequency) - 6900.0) / rate);
        let frames = zone.sample.frames() as f64;
        let place = |at: f64| at.clamp(0.0, frames);
        let start = place(value(G::StartAddrsOffset) + 32_768.0 * value(G::StartAddrsCoarseOffset));
        let loop_start = place(
            f64::from(zone.sample.loop_start)
                + value(G::StartLoopAddrsOffset)
                + 32_768.0 * value(G::StartLoopAddrsCoarseOffset),
        );
        let loop_end = place(
            f64::from(zone.sample.loop_end)
                + value(G::EndLoopAddrsOffset)
                + 32_768.0 * value(G::EndLoopAddrsCoarseOffset),
        );
        let loops = zone.generators[G::SampleModes] & 1 == 1 && loop_end > loop_start;
        let controls = controls(zone, channel, key, velocity, rate);
        Some(Note {
            preset: preset.clone(),
            zone: number,
            channel: index,
            key,
            velocity,
            rate,
            start: frame,
            held: Held { key: true, ..Held::default() },
            release: None,
            fade: None,
            volume,
            modulation,
            vibrato_lfo: lfo(G::DelayVibLfo, G::FreqVibLfo),
            modulation_lfo: lfo(G::DelayModLfo, G::FreqModLfo),
            from: controls,
            to: controls,
            position: start,
            loop_frames: loops.then_some((loop_start, loop_end)),
            filter: None,
            last_sample: 0.0,
        })
    }

    pub fn exclusive_class(&self) -> i32 {
        self.preset.zones[self.zone].generators[G::ExclusiveClass]
    }

    pub fn choke(&mut self, frame: u64) {
        self.fade.get_or_insert((frame, (0.050 * self.rate).floor()));
    }

    pub fn silence(&mut self, frame: u64) {
        self.fade.get_or_insert((frame, (0.005 * self.rate).floor()));
    }

    pub fn key_up(&mut self, channel: &Channel, frame: u64) {
        if self.held.key {
            self.held.key = false;
            self.held.sustain = channel.is_down(64);
            self.release_if_free(frame);
        }
    }

    pub fn pedals(&mut self, channel: &Channel, controller: u8, frame: u64) {
        if self.release.is_some() {
            return;
        }
        match controller {
            64 | 121 if !channel.is_down(64) => self.held.sustain = false,
            66 if channel.is_down(66) => self.held.sostenuto |= self.held.key,
            66 | 121 => self.held.sostenuto = false,
            _ => return,
        }
        self.release_if_free(frame);
    }

    fn release_if_free(&mut self, frame: u64) {
        if !(self.held.key || self.held.sustain || self.held.sostenuto) && self.release.is_none() {
            // Ten milliseconds is the shortest note.
            self.release = Some(frame.max(self.start + (0.010 * self.rate) as u64));
        }
    }

    /// Left and right of one frame; `None` when the note is over. `grid`: controllers are read now.
    pub fn frame(
        &mut self,
        channel: &Channel,
        frame: u64,
        grid: Option<()>,
        since_grid: u64,
    ) -> Option<[f64; 2]> {
        let preset = self.preset.clone();
        let zone = &preset.zones[self.zone];
        if grid.is_some() && frame != self.start {
            self.from = self.to;
            self.to = controls(zone, channel, self.key, self.velocity, self.rate);
        }
        let now = Controls::between(&self.from, &self.to, since_grid as f64 / GRID as f64);
        let n = (frame - self.start) as f64;
        let released = self.release.filter(|&at| at <= frame).map(|at| (at - self.start) as f64);
        if released == Some(n) && zone.generators[G::SampleModes] & 3 == 3 {
            self.position = wrapped(self.position, self.loop_frames);
            self.loop_frames = None;
        }
        let level = match self.fade {
            Some((at, length)) if at <= frame => {
                let gone = (frame - at) as f64 / length;
                let release = released.filter(|&release| release <= (at - self.start) as f64);
                (gone < 1.0).then_some(self.level((at - self.start) as f64, release)? * (1.0 - gone))?
            }
            _ => self.level(n, released)?,
        };
        let vibrato = triangle(((n - self.vibrato_lfo.0) * self.vibrato_lfo.1).max(0.0));
        let lfo = triangle(((n - self.modulation_lfo.0) * self.modulation_lfo.1).max(0.0));
        let envelope = self.modulation_value(n, released);
        let sample = self.sample(zone)?;
        let sound = self.filtered(
            sample,
            now.cutoff + lfo * now.lfo_to_cutoff + envelope * now.envelope_to_cutoff,
            now.resonance_db,
        );
        let moved = vibrato * now.vibrato + lfo * now.lfo_to_pitch + envelope * now.envelope_to_pitch;
        self.position += now.speed * cents(moved);
        let gain = level * decibels(lfo * now.lfo_to_volume / 10.0);
        Some(now.gains.map(|side| side * gain * sound))
    }

    /// The volume envelope at the end of frame `n` of the note.
    fn level(&self, n: f64, released: Option<f64>) -> Option<f64> {
        let held = |t: f64| match self.volume.fallen(t) {
            Some(fallen) => decibels(-100.0 * fallen),
            None => self.volume.risen(t),
        };
        match released {
            None => {
                let over = self.volume.fallen(n + 1.0).is_some_and(|fallen| fallen >= 1.0);
                (!over).then(|| held(n + 1.0))
            }
            Some(at) => {
                let from = -20.0 * held(at).log10();
                let attenuation = from + 100.0 * (n - at + 1.0) / self.volume.release;
                (attenuation <= 100.0).then(|| decibels(-attenuation))
            }
        }
    }

    fn modulation_value(&self, n: f64, released: Option<f64>) -> f64 {
        let held = |t: f64| match self.modulation.fallen(t) {
            Some(fallen) => 1.0 - fallen,
            None => convex(self.modulation.risen(t)),
        };
        match released {
            None => held(n + 1.0),
            Some(at) => (held(at) - (n - at + 1.0) / self.modulation.release).max(0.0),
        }
    }

    /// The sample at the position; `None` beyond its end.
    fn sample(&self, zone: &Zone) -> Option<f64> {
        let end = zone.sample.frames() as f64
            + f64::from(zone.generators[G::EndAddrsOffset])
            + 32_768.0 * f64::from(zone.generators[G::EndAddrsCoarseOffset]);
        if self.loop_frames.is_none() && self.position >= end {
            return None;
        }
        let whole = self.position.floor();
        let x = self.position - whole;
        let at = |offset: f64| {
            let index = wrapped(whole + offset, self.loop_frames) as i64 + GUARD_FRAMES as i64;
            f64::from(zone.sample.data.get(index as usize).copied().unwrap_or(0.0))
        };
        let (a, b, c, d) = (at(-1.0), at(0.0), at(1.0), at(2.0));
        // The cubic through b and c with the slopes of central differences.
        let (slope_b, slope_c) = ((c - a) / 2.0, (d - b) / 2.0);
        let (x2, x3) = (x * x, x * x * x);
        Some(
            b * (2.0 * x3 - 3.0 * x2 + 1.0)
                + slope_b * (x3 - 2.0 * x2 + x)
                + c * (3.0 * x2 - 2.0 * x3)
                + slope_c * (x3 - x2),
        )
    }

    fn filtered(&mut self, input: f64, cutoff: f64, resonance_db: f64) -> f64 {
        let last = std::mem::replace(&mut self.last_sample, input);
        if self.filter.is_none() && (resonance_db > 0.0 || cutoff < 13_500.0) {
            self.filter = Some([0.0, last]);
        }
        let Some([band, low]) = &mut self.filter else { return input };
        // At the cutoff, `resonance_db` over a Butterworth filter.
        let q = 0.5f64.sqrt() * decibels(resonance_db);
        let hertz = 440.0 * cents(cutoff.max(1500.0) - 6900.0);
        let g = (std::f64::consts::PI * (hertz / self.rate).min(0.45)).tan();
        let high = (input - (1.0 / q + g) * *band - *low) / (1.0 + g / q + g * g);
        let new_band = *band + g * high;
        let new_low = *low + g * new_band;
        *band = new_band + g * high;
        *low = new_low + g * new_band;
        new_low
    }
}

/// A position gone round the loop.
fn wrapped(at: f64, loop_frames: Option<(f64, f64)>) -> f64 {
    match loop_frames {
        Some((start, end)) if at >= end => start + (at - start) % (end - start),
        _ => at,
    }
}

/// A generator with its modulators, within its range.
fn total(zone: &Zone, channel: &Channel, key: u8, sounding_key: u8, velocity: f64, generator: G) -> f64 {
    let scale = if generator == G::InitialAttenuation { 0.4 } else { 1.0 };
    let moved: f64 = zone
        .modulators
        .iter()
        .filter(|modulator| modulator.destination == generator)
        .map(|modulator| channel.modulator(modulator, key, sounding_key, velocity))
        .sum();
    let unbounded = matches!(generator, G::CoarseTune | G::FineTune | G::Pitch);
    let (low, high) = if unbounded { (i32::MIN, i32::MAX) } else { generator.range() };
    (scale * f64::from(zone.generators[generator]) + moved).clamp(f64::from(low), f64::from(high))
}

fn controls(zone: &Zone, channel: &Channel, key: u8, velocity: f64, rate: f64) -> Controls {
    let sounding_key = if zone.generators[G::Keynum] >= 0 { zone.generators[G::Keynum] as u8 } else { key };
    let all = |generator| total(zone, channel, key, sounding_key, velocity, generator);
    let root = match zone.generators[G::OverridingRootKey] {
        root @ 0..=127 => f64::from(root),
        _ => f64::from(zone.sample.root_key),
    };
    let pitch = (f64::from(sounding_key) - root) * all(G::ScaleTuning)
        + 100.0 * (all(G::CoarseTune) + channel.coarse_tune)
        + all(G::FineTune)
        + channel.fine_tune
        + all(G::Pitch)
        + f64::from(zone.sample.correction_cents);
    let resonance_db = all(G::InitialFilterQ) / 10.0;
    let gain = decibels(-all(G::InitialAttenuation) / 10.0 - resonance_db / 2.0);
    let angle = (all(G::Pan) / 1000.0 + 0.5) * std::f64::consts::FRAC_PI_2;
    let [left, right] = channel.balance();
    Controls {
        speed: cents(pitch) * f64::from(zone.sample.rate_hz) / rate,
        gains: [gain * left * angle.cos(), gain * right * angle.sin()],
        cutoff: all(G::InitialFilterFc),
        resonance_db,
        vibrato: all(G::VibLfoToPitch),
        lfo_to_pitch: all(G::ModLfoToPitch),
        envelope_to_pitch: all(G::ModEnvToPitch),
        lfo_to_cutoff: all(G::ModLfoToFilterFc),
        envelope_to_cutoff: all(G::ModEnvToFilterFc),
        lfo_to_volume: all(G::ModLfoToVolume),
    }
}
