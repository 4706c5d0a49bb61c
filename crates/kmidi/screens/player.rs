use kmidi_session::{Message, OutputSnapshot, PlayState, Severity, Snapshot};
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Gauge, Paragraph, Wrap};

/// Lowest level a meter shows.
const METER_FLOOR_DBFS: f32 = -60.0;

const FOOTER: &str =
    " space pause  ←/→ 5 s  ↑/↓ tempo  +/- gain  l loop  f SoundFont  n/p next/previous  q quit";

/// Colours, or their absence where `NO_COLOR` is set.
#[derive(Clone, Copy, Debug)]
pub struct Theme {
    coloured: bool,
}

impl Theme {
    /// As <https://no-color.org> asks: none where `NO_COLOR` is set and not empty.
    pub fn from_environment() -> Self {
        Theme { coloured: std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()) }
    }

    /// Without any.
    pub fn plain() -> Self {
        Theme { coloured: false }
    }

    #[cfg(test)]
    pub fn coloured() -> Self {
        Theme { coloured: true }
    }

    pub fn style(self, colour: Color) -> Style {
        if self.coloured { Style::new().fg(colour) } else { Style::new() }
    }

    fn severity(self, severity: Severity) -> Style {
        match severity {
            Severity::Info => Style::new(),
            Severity::Warning => self.style(Color::Yellow),
            Severity::UnreadableInput | Severity::Failure => self.style(Color::Red),
        }
    }
}

/// Draws the whole screen; what does not fit is cut, most important first.
pub fn draw(frame: &mut Frame, now: &Snapshot, messages: &[Message], theme: Theme) {
    let channels = now.output.peak_dbfs.len().min(8) as u16;
    let [title, place, progress, _, meters, _, status, _, log, footer] = Layout::vertical([
        Constraint::Length(1),
        Constraint::Length(1),
        Constraint::Length(1),
        Constraint::Max(1),
        Constraint::Length(channels),
        Constraint::Max(1),
        Constraint::Length(2),
        Constraint::Max(1),
        Constraint::Fill(1),
        Constraint::Length(1),
    ])
    .areas(frame.area());
    frame.render_widget(title_line(now, theme), title);
    frame.render_widget(place_line(now), place);
    draw_progress(frame, now, theme, progress);
    draw_meters(frame, &now.output, theme, meters);
    frame.render_widget(Paragraph::new(status_lines(now, theme)), status);
    draw_messages(frame, messages, theme, log);
    frame.render_widget(Line::styled(FOOTER, Style::new().add_modifier(Modifier::DIM)), footer);
}

fn title_line(now: &Snapshot, theme: Theme) -> Line<'static> {
    let (sign, state) = match now.state {
        PlayState::Loading => ("…", "loading"),
        PlayState::Playing => ("▶", "playing"),
        PlayState::Paused => ("‖", "paused"),
        PlayState::Ended => ("■", "ended"),
    };
    let bold = Style::new().add_modifier(Modifier::BOLD);
    let mut spans = vec![Span::styled(format!(" {sign} {state:<8}"), theme.style(Color::Green).patch(bold))];
    if let Some(song) = &now.song {
        spans.push(Span::styled(song.name.clone(), bold));
        if song.of > 1 {
            spans.push(Span::raw(format!("  {}/{}", song.number, song.of)));
        }
        if let Some(title) = &song.title {
            spans.push(Span::raw(format!("  {title}")));
        }
    }
    Line::from(spans)
}

fn place_line(now: &Snapshot) -> Line<'static> {
    let place = &now.position;
    let mut text = format!(
        " {} / {}   bar {}:{}   {:.1} bpm   {}/{}",
        clock(place.seconds),
        clock(now.song.as_ref().map_or(0.0, |song| song.duration_seconds)),
        place.bar,
        place.beat,
        place.tempo_bpm,
        place.meter.0,
        place.meter.1,
    );
    if now.tempo_scale != 1.0 {
        text += &format!("   tempo ×{:.2}", now.tempo_scale);
    }
    if now.transpose != 0 {
        text += &format!("   {:+} semitones", now.transpose);
    }
    if let Some(range) = now.looping {
        text += &format!("   loop {} - {}", clock(range.from_seconds), clock(range.to_seconds));
    }
    for (name, channels) in [("muted", &now.muted), ("solo", &now.soloed)] {
        if !channels.is_empty() {
            let list: Vec<_> = channels.iter().map(u8::to_string).collect();
            text += &format!("   {name} {}", list.join(","));
        }
    }
    Line::raw(text)
}

fn draw_progress(frame: &mut Frame, now: &Snapshot, theme: Theme, area: Rect) {
    let duration = now.song.as_ref().map_or(0.0, |song| song.duration_seconds);
    let done = if duration > 0.0 { (now.position.seconds / duration).clamp(0.0, 1.0) } else { 0.0 };
    let gauge =
        Gauge::default().gauge_style(theme.style(Color::Cyan)).use_unicode(true).ratio(done).label("");
    frame.render_widget(gauge, indented(area));
}

pub(super) fn draw_meters(frame: &mut Frame, output: &OutputSnapshot, theme: Theme, area: Rect) {
    let levels = output.peak_dbfs.iter().zip(output.rms_dbfs.iter());
    for (row, (n, (&peak, &rms))) in area.rows().zip(levels.enumerate()) {
        let name = match (n, output.peak_dbfs.len()) {
            (0, 2) => "L".to_string(),
            (1, 2) => "R".to_string(),
            _ => (n + 1).to_string(),
        };
        let [label, bar, value] =
            Layout::horizontal([Constraint::Length(3), Constraint::Fill(1), Constraint::Length(11)])
                .areas(row);
        frame.render_widget(Line::raw(format!(" {name}")), label);
        frame.render_widget(meter(bar.width, peak, rms, theme), bar);
        frame.render_widget(Line::raw(format!("{peak:>6.1} dBFS")), value);
    }
}

/// Power as a bar, the peak as a mark beyond it.
fn meter(width: u16, peak_dbfs: f32, rms_dbfs: f32, theme: Theme) -> Line<'static> {
    let cells = |dbfs: f32| (((dbfs / -METER_FLOOR_DBFS) + 1.0).clamp(0.0, 1.0) * f32::from(width)) as usize;
    let (bar, mark) = (cells(rms_dbfs), cells(peak_dbfs));
    let colour = match peak_dbfs {
        p if p >= -0.1 => Color::Red,
        p if p >= -6.0 => Color::Yellow,
        _ => Color::Green,
    };
    let mut text = "█".repeat(bar);
    if mark > bar {
        text += &"─".repeat(mark - bar - 1);
        text.push('▌');
    }
    Line::styled(text, theme.style(colour))
}

fn status_lines(now: &Snapshot, theme: Theme) -> Vec<Line<'static>> {
    let (output, synth, losses) = (&now.output, &now.synth, &now.losses);
    let xruns = Span::styled(
        format!("xruns {}", output.xruns),
        if output.xruns > 0 { theme.style(Color::Red) } else { Style::new() },
    );
    let mut first = vec![
        Span::raw(format!(
            " voices {}/{}   DSP {:.0} %   ",
            synth.voices,
            synth.polyphony,
            output.dsp_load * 100.0
        )),
        xruns,
    ];
    for (count, what) in [
        (losses.dropped_events, "events dropped"),
        (losses.notes_off_the_keyboard, "notes off the keyboard"),
        (losses.starvations, "waits for the file"),
        (losses.guard_trips, "mutes by the guard"),
    ] {
        if count > 0 {
            first.push(Span::styled(format!("   {count} {what}"), theme.style(Color::Red)));
        }
    }
    if let Some(harmony) = harmony(now) {
        first.push(Span::styled(format!("   {harmony}"), Style::new().add_modifier(Modifier::BOLD)));
    }
    if now.gain_db != 0.0 {
        first.push(Span::raw(format!("   gain {:+.1} dB", now.gain_db)));
    }
    let latency_ms = 1000.0 * f64::from(output.latency_frames) / f64::from(output.sample_rate_hz.max(1));
    let mut device = format!(
        " {} {}   {} Hz   {} frames   latency {latency_ms:.1} ms   {}",
        output.backend,
        output.device,
        output.sample_rate_hz,
        output.period_frames,
        synth.sound_fonts.join(" over "),
    );
    if let Some(part) = synth.loading {
        device += &format!("   loading sounds: {:.0} %", part * 100.0);
    }
    vec![Line::from(first), Line::raw(device)]
}

/// The chord, and the key that it is heard in.
fn harmony(now: &Snapshot) -> Option<String> {
    match (&now.harmony.chord, &now.harmony.key) {
        (Some(chord), Some(key)) => Some(format!("{chord} in {key}")),
        (chord, key) => chord.as_ref().or(key.as_ref()).cloned(),
    }
}

/// The last messages, the newest at the bottom.
pub(super) fn draw_messages(frame: &mut Frame, messages: &[Message], theme: Theme, area: Rect) {
    let newest = &messages[messages.len().saturating_sub(usize::from(area.height))..];
    let lines: Vec<_> = newest
        .iter()
        .map(|message| Line::styled(format!(" {}", message.text), theme.severity(message.severity)))
        .collect();
    frame.render_widget(Paragraph::new(lines).wrap(Wrap { trim: false }), area);
}

fn indented(area: Rect) -> Rect {
    Rect { x: area.x + 1.min(area.width), width: area.width.saturating_sub(2), ..area }
}

/// Minutes, seconds and tenths; hours where there are any.
pub fn clock(seconds: f64) -> String {
    let tenths = (seconds.max(0.0) * 10.0) as u64;
    let (hours, minutes, rest) = (tenths / 36_000, tenths / 600 % 60, tenths % 600);
    if hours > 0 {
        format!("{hours}:{minutes:02}:{:02}.{}", rest / 10, rest % 10)
    } else {
        format!("{minutes}:{:02}.{}", rest / 10, rest % 10)
    }
}

#[cfg(test)]
mod tests {
    use kmidi_session::{
        HarmonySnapshot, LoopSnapshot, Losses, PositionSnapshot, SongSnapshot, SynthSnapshot,
    };
    use ratatui::Terminal;
    use ratatui::backend::TestBackend;

    use super::*;

    fn snapshot() -> Snapshot {
        Snapshot {
            state: PlayState::Playing,
            song: Some(SongSnapshot {
                name: "song.mid".into(),
                title: Some("A Title".into()),
                number: 2,
                of: 3,
                duration_seconds: 200.0,
                warnings: 0,
            }),
            position: PositionSnapshot { seconds: 83.46, bar: 42, beat: 3, tempo_bpm: 132.0, meter: (3, 4) },
            harmony: HarmonySnapshot {
                chord: Some("Am7/G".into()),
                key: Some("C major".into()),
                ..HarmonySnapshot::default()
            },
            looping: Some(LoopSnapshot { from_seconds: 10.0, to_seconds: 100.0 }),
            tempo_scale: 1.1,
            transpose: -2,
            muted: vec![1, 10],
            output: OutputSnapshot {
                backend: "jack".into(),
                device: "system".into(),
                sample_rate_hz: 48_000,
                period_frames: 256,
                latency_frames: 512,
                dsp_load: 0.123,
                xruns: 4,
                page_faults: None,
                peak_dbfs: vec![-3.0, -120.0],
                rms_dbfs: vec![-12.0, -120.0],
            },
            synth: SynthSnapshot {
                voices: 34,
                polyphony: 256,
                sound_fonts: vec!["top".into(), "bottom".into()],
                loading: Some(0.456),
                ..Default::default()
            },
            losses: Losses { dropped_events: 7, ..Losses::default() },
            ..Snapshot::default()
        }
    }

    fn drawn(width: u16, height: u16) -> Vec<String> {
        let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
        let messages = [
            Message { severity: Severity::Info, text: "an older message".into() },
            Message { severity: Severity::Warning, text: "the newest message".into() },
        ];
        terminal.draw(|f| draw(f, &snapshot(), &messages, Theme { coloured: true })).unwrap();
        let buffer = terminal.backend().buffer();
        (0..height)
            .map(|y| (0..width).map(|x| buffer[(x, y)].symbol()).collect::<String>().trim_end().to_string())
            .collect()
    }

    #[test]
    fn the_screen_shows_the_snapshot() {
        let rows = drawn(110, 14);
        let meter_bar = "█".repeat(76) + &"─".repeat(14) + "▌";
        let expected = [
            " ▶ playing song.mid  2/3  A Title".to_string(),
            " 1:23.4 / 3:20.0   bar 42:3   132.0 bpm   3/4   tempo ×1.10   -2 semitones   loop 0:10.0 - 1:40.0   muted 1,10"
                .chars()
                .take(110)
                .collect(),
            format!(" {}▏", "█".repeat(45)),
            String::new(),
            format!(" L {meter_bar}       -3.0 dBFS"),
            format!(" R {}-120.0 dBFS", " ".repeat(96)),
            String::new(),
            " voices 34/256   DSP 12 %   xruns 4   7 events dropped   Am7/G in C major".to_string(),
            " jack system   48000 Hz   256 frames   latency 10.7 ms   top over bottom   loading sounds: 46 %".to_string(),
            String::new(),
            " an older message".to_string(),
            " the newest message".to_string(),
            String::new(),
            FOOTER.to_string(),
        ];
        assert_eq!(rows, expected);
    }

    #[test]
    fn any_size_of_terminal_is_drawn() {
        for (width, height) in [(1, 1), (5, 40), (300, 3), (20, 6), (80, 24)] {
            drawn(width, height);
        }
        assert!(drawn(60, 8).iter().any(|row| row.contains("song.mid")));
    }

    #[test]
    fn no_colour_means_none_at_all() {
        let mut terminal = Terminal::new(TestBackend::new(80, 14)).unwrap();
        let coloured = |terminal: &Terminal<TestBackend>| {
            terminal
                .backend()
                .buffer()
                .content()
                .iter()
                .filter(|c| c.fg != Color::Reset || c.bg != Color::Reset)
                .count()
        };
        terminal.draw(|f| draw(f, &snapshot(), &[], Theme { coloured: true })).unwrap();
        assert!(coloured(&terminal) > 0);
        terminal.draw(|f| draw(f, &snapshot(), &[], Theme { coloured: false })).unwrap();
        assert_eq!(coloured(&terminal), 0);
    }

    #[test]
    fn clocks_have_hours_only_where_needed() {
        assert_eq!([clock(0.0), clock(59.99), clock(3725.25)], ["0:00.0", "0:59.9", "1:02:05.2"]);
    }
}
