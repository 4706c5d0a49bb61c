//! The two engines: what each wants a note to be. What becomes of that is decided by the law.

use super::law::{Ghost, Hand, Strike, Stroke, Touch};
use super::pulse::Bars;
use super::settings::{Algorithm, Feel, Humanize};
use super::{Drum, Pulse};
use crate::random::Random;

/// Ticks of the figures below, of which a quarter note has so many.
const REFERENCE_TICKS: f64 = 480.0;

/// Places of a whole note that a note is taken to stand at.
const SIXTEENTHS: u8 = 16;

/// Plays the notes of one track.
pub(crate) struct Player<'a> {
    settings: &'a Humanize,
    pulse: &'a Pulse,
    bars: Bars<'a>,
    random: Random,
    /// The feel changes something.
    shaped: bool,
    uniform: Uniform,
    drummer: Drummer,
    /// Ticks of a tick of the reference.
    scale: f64,
}

struct Uniform {
    dropout: f64,
    most_ticks: f64,
    late_ticks: f64,
    velocity_factor: f64,
    most_velocity: u32,
}

struct Drummer {
    wander: Wander,
    sigma_ticks: f64,
    most_ticks: f64,
    late_ticks: f64,
    velocity_mean: f64,
    velocity_sd: f64,
}

impl<'a> Player<'a> {
    /// For the track with this number, counted from 0: each has chances of its own.
    pub fn new(settings: &'a Humanize, pulse: &'a Pulse, track: u64) -> Self {
        let scale = f64::from(pulse.ticks_per_quarter()) / REFERENCE_TICKS;
        let seed = settings.seed.wrapping_add(track.wrapping_mul(0xd129_0d3b_37bd_2f17));
        Player {
            settings,
            pulse,
            bars: Bars::new(pulse),
            random: Random::new(seed),
            shaped: settings.feel != Feel::default(),
            uniform: Uniform::new(settings, scale),
            drummer: Drummer::new(settings.complexity, settings.vulnerability, scale),
            scale,
        }
    }

    fn uniform(&mut self, velocity: u8) -> Option<Stroke> {
        let Uniform { dropout, most_ticks, late_ticks, velocity_factor, most_velocity } = self.uniform;
        if dropout > 0.0 && self.random.chance(dropout) {
            return None;
        }
        let shift = if self.scale < 1.0 {
            // Ticks are coarse: what is less than one counts until it is rounded.
            (late_ticks + most_ticks * (2.0 * self.random.unit() - 1.0)).round() as i32
        } else {
            late_ticks as i32 + self.random.around_zero(most_ticks as u32)
        };
        let played = (f64::from(velocity) * velocity_factor) as i32 + self.random.around_zero(most_velocity);
        Some(Stroke { shift, velocity: self.limited(f64::from(played)), ghost: None })
    }

    fn drummer(&mut self, velocity: u8, drum: Option<Drum>) -> Option<Stroke> {
        // Only a drummer's lapses are lapses; a melody without a note is another melody.
        let dropout = drum.map_or(0.0, |drum| self.settings.dropout() * (1.0 - drum.protection()));
        if dropout > 0.0 && self.random.chance(dropout) {
            return None;
        }
        let off = self.drummer.wander.next(&mut self.random);
        let Drummer { sigma_ticks, most_ticks, late_ticks, velocity_mean, velocity_sd, .. } = self.drummer;
        let sigma = sigma_ticks * self.settings.looseness.of(drum);
        let wander = (off * sigma).clamp(-most_ticks, most_ticks);
        let played = f64::from(velocity) + velocity_mean + self.random.normal() * velocity_sd;
        let velocity = self.limited(played);
        let ghost = self.ghost(velocity, drum);
        Some(Stroke { shift: (wander + late_ticks).round() as i32, velocity, ghost })
    }

    fn ghost(&mut self, velocity: u8, drum: Option<Drum>) -> Option<Ghost> {
        let takes = self.settings.ghosts > 0.0 && drum.is_some_and(Drum::takes_ghosts);
        if !takes || !self.random.chance(self.settings.ghosts) {
            return None;
        }
        let quarter = i32::from(self.pulse.ticks_per_quarter());
        let off = self.random.around_zero((10.0 * self.scale) as u32);
        // A sixteenth later, at two fifths of the velocity, for a moment.
        let velocity = (f64::from(velocity) * 0.4).max(1.0) as u8;
        Some(Ghost { after: quarter / 4 + off, length: quarter / 16, velocity })
    }

    fn limited(&self, velocity: f64) -> u8 {
        let (softest, loudest) = self.settings.velocities;
        velocity.clamp(f64::from(softest), f64::from(loudest)) as u8
    }

    /// Adds what does not depend on chance but on the place in the bar.
    #[inline(never)]
    fn shape(&mut self, stroke: &mut Stroke, strike: Strike, drum: Option<Drum>) {
        let feel = &self.settings.feel;
        let quarter = f64::from(self.pulse.ticks_per_quarter());
        let mut shift = feel.depth * quarter / 8.0;
        if feel.swing > 0.0 {
            let place = self.bars.place(strike.tick, SIXTEENTHS);
            let near = (strike.tick - place.grid).abs() as f64 <= self.pulse.slot_ticks(SIXTEENTHS) / 4.0;
            if place.offbeat && near {
                shift += self.pulse.swing_ticks(feel.swing);
            }
        }
        if let Some(drum) = drum {
            shift += self.pulse.ticks_of(feel.pocket.milliseconds(drum), strike.tick);
        }
        stroke.shift += shift.round() as i32;
        let accent = feel.accents[self.bars.quarter(strike.tick) % feel.accents.len()];
        let mut factor = accent;
        if feel.velocity_variation > 0.0 {
            factor *= 1.0 + feel.velocity_variation * (2.0 * self.random.unit() - 1.0);
        }
        stroke.velocity = self.limited((f64::from(stroke.velocity) * factor).round());
    }
}

/// How far a drummer is off, from stroke to stroke: normally distributed with standard deviation 1, and with the long-range
/// correlations that people have (Hennig et al. 2011, PLoS ONE 6(10) e26457): a spectrum that falls about as 1/f.
///
/// A sum of normal values of which each next one is drawn half as often (Voss; McCartney's way to do it): one drawing of new values
/// each time.
#[derive(Default)]
struct Wander {
    strokes: u32,
    slow: [f64; SLOW_VALUES],
    sum: f64,
}

/// The slowest value changes every 512 strokes: in half a minute to a minute of music.
const SLOW_VALUES: usize = 9;
/// Of ten values whose sum is taken.
const ROOT_OF_A_TENTH: f64 = 0.316_227_766_016_837_94;

impl Wander {
    #[inline]
    fn next(&mut self, random: &mut Random) -> f64 {
        if self.strokes == 0 {
            self.slow = std::array::from_fn(|_| random.normal());
            self.sum = self.slow.iter().sum();
        }
        self.strokes = self.strokes.wrapping_add(1).max(1);
        if let Some(slow) = self.slow.get_mut(self.strokes.trailing_zeros() as usize) {
            let new = random.normal();
            self.sum += new - *slow;
            *slow = new;
        }
        (self.sum + random.normal()) * ROOT_OF_A_TENTH
    }
}

impl Uniform {
    fn new(settings: &Humanize, scale: f64) -> Self {
        let complexity = settings.complexity;
        let from_middle = settings.vulnerability - 0.5;
        let weight = if from_middle > 0.0 { 0.4 } else { 0.2 };
        Uniform {
            dropout: settings.dropout(),
            most_ticks: 12.0 * scale * complexity,
            late_ticks: 2.0 * scale,
            velocity_factor: 1.0 - from_middle * weight,
            most_velocity: (15.0 * complexity) as u32,
        }
    }
}

impl Drummer {
    fn new(complexity: f64, vulnerability: f64, scale: f64) -> Self {
        let (velocity_mean, velocity_sd) = match vulnerability {
            ..0.3 => (10.0, 5.0),
            0.3..0.6 => (0.0, 10.0 + 30.0 * (vulnerability - 0.3)),
            _ => (-20.0 * vulnerability, 10.0 + 20.0 * vulnerability),
        };
        let most_ticks = 35.0 * scale;
        Drummer {
            wander: Wander::default(),
            sigma_ticks: most_ticks * complexity,
            most_ticks,
            late_ticks: 5.0 * scale,
            velocity_mean,
            velocity_sd,
        }
    }
}

impl Hand for Player<'_> {
    #[inline]
    fn touch(&mut self, strike: Strike) -> Touch {
        if !self.settings.channels.contains(strike.channel) {
            return Touch::Leave;
        }
        let drum = Drum::of(strike.channel, strike.key);
        let stroke = match self.settings.algorithm {
            Algorithm::Uniform => self.uniform(strike.velocity),
            Algorithm::Drummer => self.drummer(strike.velocity, drum),
        };
        let Some(mut stroke) = stroke else { return Touch::Drop };
        if self.shaped {
            self.shape(&mut stroke, strike, drum);
        }
        Touch::Play(stroke)
    }
}
