//! What clients see.

use super::Conductor;
use crate::snapshot::{
    HarmonySnapshot, LoopSnapshot, Losses, OutputSnapshot, PositionSnapshot, Snapshot, SongSnapshot,
    SynthSnapshot, dbfs,
};
use crate::song_info::title;

impl Conductor {
    pub(super) fn take_snapshot(&self) -> Snapshot {
        let sound = &self.config.sound;
        let rate = self.rig.as_ref().map_or(1, |rig| rig.config.sample_rate_hz);
        let range = self.current.as_ref().and_then(|part| part.looping);
        Snapshot {
            state: self.state,
            song: self.song_snapshot(),
            position: self.position_snapshot(),
            harmony: self.harmony_snapshot(),
            looping: range.map(|range| LoopSnapshot {
                from_seconds: range.start.seconds(rate),
                to_seconds: range.end.seconds(rate),
            }),
            tempo_scale: sound.tempo_scale.as_f64(),
            transpose: sound.transpose,
            gain_db: sound.gain_db,
            muted: sound.muted.clone(),
            soloed: sound.soloed.clone(),
            output: self.output_snapshot(),
            synth: self.synth_snapshot(),
            plugins: self.rack.snapshot(),
            losses: self.losses(),
        }
    }

    pub(super) fn song_snapshot(&self) -> Option<SongSnapshot> {
        let part = self.current.as_ref()?;
        let index = &part.song.index;
        let name = self.config.songs.get(part.number)?.file_name();
        Some(SongSnapshot {
            name: name.map_or_else(|| part.song.name.clone(), |name| name.to_string_lossy().into_owned()),
            title: title(index),
            number: part.number + 1,
            of: self.slots.len(),
            duration_seconds: index.tempo_map.seconds(index.end),
            warnings: index.warnings.total(),
        })
    }

    fn position_snapshot(&self) -> PositionSnapshot {
        let (Some(part), Some(rig)) = (&self.current, &self.rig) else { return PositionSnapshot::default() };
        let rate = rig.config.sample_rate_hz;
        let position = self.position();
        let tick = part.song.index.tempo_map.ticks(position, rate);
        let place = part.song.index.meter_map.position(tick);
        let meter = part.song.index.meter_map.meter(tick);
        PositionSnapshot {
            seconds: position.seconds(rate),
            bar: place.bar,
            beat: place.beat,
            tempo_bpm: part.song.index.tempo_map.tempo(tick).bpm() * self.config.sound.tempo_scale.as_f64(),
            meter: (meter.numerator, meter.denominator()),
        }
    }

    fn harmony_snapshot(&self) -> HarmonySnapshot {
        let follower = self.rig.as_ref().and_then(|rig| rig.follower.as_ref());
        let heard = follower.map(|follower| follower.reading()).unwrap_or_default();
        HarmonySnapshot {
            chord: heard.chord_symbol(),
            chord_confidence: heard.chord.map_or(0.0, |chord| chord.confidence),
            key: heard.key.map(|key| key.to_string()),
            key_confidence: heard.key.map_or(0.0, |key| key.confidence),
        }
    }

    fn output_snapshot(&self) -> OutputSnapshot {
        let Some(device) = &self.device else { return OutputSnapshot::default() };
        let status = self.manager.status();
        let levels = self.rig.as_ref().map(|rig| rig.handle.status().levels).unwrap_or_default();
        // Not the device itself while the null clock stands in for it.
        let calling = status.calling.unwrap_or(device.backend);
        OutputSnapshot {
            backend: calling.to_string(),
            device: device.name.clone(),
            sample_rate_hz: device.sample_rate_hz,
            period_frames: device.period_frames,
            latency_frames: device.latency_frames,
            dsp_load: status.load,
            xruns: status.xruns,
            page_faults: self.page_faults,
            peak_dbfs: levels.iter().map(|level| dbfs(level.peak)).collect(),
            rms_dbfs: levels.iter().map(|level| dbfs(level.rms)).collect(),
        }
    }

    fn synth_snapshot(&self) -> SynthSnapshot {
        let status = self.rig.as_ref().map(|rig| rig.synth.status()).unwrap_or_default();
        SynthSnapshot {
            sound_fonts: self.stack.bank.as_ref().map_or(vec![], |bank| bank.names()),
            loading: self.swap.as_ref().unwrap_or(&self.stack).progress(),
            voices: status.voices,
            polyphony: self.config.sound.polyphony as u32,
            stolen_voices: status.voices_stolen,
            missing_programs: self.missing_programs,
        }
    }

    fn losses(&self) -> Losses {
        let status = self.rig.as_ref().map(|rig| rig.handle.status()).unwrap_or_default();
        let device = self.manager.status();
        let midi = device.midi_in_dropped + device.midi_out_dropped;
        Losses {
            dropped_events: status.drops.song + status.drops.graph + status.drops.midi + midi,
            notes_off_the_keyboard: status.notes_off_the_keyboard,
            starvations: self.starvations,
            guard_trips: status.guard_trips,
            plugin_muted_frames: self.rack.muted_frames(),
        }
    }
}
