//! A rack that is played live: its slots, its levels, and how the machine copes.

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use kmidi_session::rack_file::{Rack, RackSlot};
use kmidi_session::{Message, PluginSnapshot, PluginState, RackCommand, RackEvent, Snapshot};
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::player::{Theme, draw_messages, draw_meters};

const FOOTER: &str = " ↑/↓ slot  b bypass  +/- gain  s save  r read the file again  q end (and save)";

/// Messages that are kept to be shown.
const MESSAGES: usize = 200;
/// What a press of + or - adds to the gain, in decibels.
const GAIN_STEP_DB: f32 = 1.0;

/// What the screen remembers between pictures.
#[derive(Debug, Default)]
pub struct View {
    pub selected: usize,
    pub messages: Vec<Message>,
    /// What a knob moved last.
    pub moved: Option<String>,
}

impl View {
    /// Takes note of what has happened.
    pub fn take(&mut self, event: &RackEvent) {
        let info = |text: &str| Message { severity: kmidi_session::Severity::Info, text: text.to_owned() };
        let message = match event {
            RackEvent::Message(message) => message.clone(),
            RackEvent::Ready => info("the rack plays"),
            RackEvent::Saved => info("saved"),
            RackEvent::Reloaded => info("the file was read again"),
            RackEvent::Parameter { slot, symbol, value } => {
                self.moved = Some(format!("{slot}: {symbol} = {value:.4}"));
                return;
            }
            RackEvent::Closed => return,
        };
        if self.messages.len() == MESSAGES {
            self.messages.remove(0);
        }
        self.messages.push(message);
    }
}

/// What a key asks for.
#[derive(Debug, PartialEq)]
pub enum Key {
    Nothing,
    End,
    Command(RackCommand),
}

/// What a key of this screen does.
pub fn command(key: KeyEvent, view: &mut View, rack: &Rack) -> Key {
    if key.kind == KeyEventKind::Release {
        return Key::Nothing;
    }
    if key.modifiers.contains(KeyModifiers::CONTROL) {
        return if key.code == KeyCode::Char('c') { Key::End } else { Key::Nothing };
    }
    let last = rack.slots.len().saturating_sub(1);
    view.selected = view.selected.min(last);
    match key.code {
        KeyCode::Up => view.selected = view.selected.saturating_sub(1),
        KeyCode::Down => view.selected = (view.selected + 1).min(last),
        KeyCode::Char('b') => {
            let slot = rack.slots.get(view.selected).map(|slot| slot.name.clone());
            return slot.map_or(Key::Nothing, |slot| Key::Command(RackCommand::ToggleBypass { slot }));
        }
        KeyCode::Char('+' | '=') => return Key::Command(RackCommand::NudgeGain { step_db: GAIN_STEP_DB }),
        KeyCode::Char('-') => return Key::Command(RackCommand::NudgeGain { step_db: -GAIN_STEP_DB }),
        KeyCode::Char('s') => return Key::Command(RackCommand::Save),
        KeyCode::Char('r') => return Key::Command(RackCommand::Reload),
        KeyCode::Char('q') => return Key::End,
        _ => {}
    }
    Key::Nothing
}

/// Draws the whole screen; what does not fit is cut, most important first.
pub fn draw(frame: &mut Frame, now: &Snapshot, rack: &Rack, changed: bool, view: &View, theme: Theme) {
    let channels = now.output.peak_dbfs.len().min(8) as u16;
    let [title, slots, _, meters, _, status, _, log, footer] = Layout::vertical([
        Constraint::Length(1),
        Constraint::Max(rack.slots.len().max(1) as u16),
        Constraint::Max(1),
        Constraint::Length(channels),
        Constraint::Max(1),
        Constraint::Length(2),
        Constraint::Max(1),
        Constraint::Fill(1),
        Constraint::Length(1),
    ])
    .areas(frame.area());
    frame.render_widget(title_line(rack, changed, theme), title);
    // The selected slot is always among those that fit.
    let height = usize::from(slots.height).max(1);
    let first = (view.selected + 1).saturating_sub(height);
    let lines = rack.slots.iter().enumerate().skip(first).take(height);
    let lines: Vec<Line> =
        lines.map(|(at, slot)| slot_line(slot, now.plugins.get(at), at == view.selected, theme)).collect();
    frame.render_widget(Paragraph::new(lines), slots);
    draw_meters(frame, &now.output, theme, meters);
    frame.render_widget(Paragraph::new(status_lines(now, rack, view, theme)), status);
    draw_messages(frame, &view.messages, theme, log);
    frame.render_widget(Line::styled(FOOTER, Style::new().add_modifier(Modifier::DIM)), footer);
}

fn title_line(rack: &Rack, changed: bool, theme: Theme) -> Line<'static> {
    let bold = Style::new().add_modifier(Modifier::BOLD);
    let count = match rack.slots.len() {
        1 => "1 slot".to_owned(),
        count => format!("{count} slots"),
    };
    let mut spans = vec![Span::styled(format!(" ▶ live   {count}"), theme.style(Color::Green).patch(bold))];
    if changed {
        spans.push(Span::styled("   not saved", theme.style(Color::Yellow)));
    }
    Line::from(spans)
}

fn slot_line(
    slot: &RackSlot,
    plugin: Option<&PluginSnapshot>,
    selected: bool,
    theme: Theme,
) -> Line<'static> {
    let loading = PluginState::Loading;
    let (word, colour) = match plugin.map_or(&loading, |it| &it.state) {
        PluginState::Loading => ("loading", Color::Cyan),
        PluginState::Active if slot.bypassed => ("bypass", Color::Yellow),
        PluginState::Active => ("on", Color::Green),
        PluginState::Failed { .. } => ("failed", Color::Red),
        PluginState::Missing { .. } => ("missing", Color::Red),
    };
    let name = plugin.map_or_else(|| slot.plugin.to_string(), |it| it.name.clone());
    let (low, high) = slot.zone.keys;
    let mut text = format!("{:<16.16} {:<28.28}", slot.name, name);
    if (low, high) != (0, 127) {
        text += &format!("  keys {low}-{high}");
    }
    if slot.zone.transpose != 0 {
        text += &format!("  {:+} semitones", slot.zone.transpose);
    }
    if let Some(frames) = plugin.map(|it| it.latency_frames).filter(|frames| *frames > 0) {
        text += &format!("  {frames} frames late");
    }
    let mark = if selected { " > " } else { "   " };
    let style = if selected { Style::new().add_modifier(Modifier::BOLD) } else { Style::new() };
    Line::from(vec![
        Span::styled(mark, style),
        Span::styled(format!("{word:<8}"), theme.style(colour)),
        Span::styled(text, style),
    ])
}

fn status_lines(now: &Snapshot, rack: &Rack, view: &View, theme: Theme) -> Vec<Line<'static>> {
    let (output, losses) = (&now.output, &now.losses);
    let bad = |count: u64| if count > 0 { theme.style(Color::Red) } else { Style::new() };
    let mut first = vec![
        Span::raw(format!(" DSP {:.0} %   ", output.dsp_load * 100.0)),
        Span::styled(format!("xruns {}", output.xruns), bad(output.xruns)),
    ];
    for (count, what) in
        [(losses.dropped_events, "events dropped"), (losses.guard_trips, "mutes by the guard")]
    {
        if count > 0 {
            first.push(Span::styled(format!("   {count} {what}"), bad(count)));
        }
    }
    first.push(Span::raw(format!("   gain {:+.1} dB", rack.gain_db)));
    first.extend(view.moved.iter().map(|moved| Span::raw(format!("   {moved}"))));
    let latency_ms = 1000.0 * f64::from(output.latency_frames) / f64::from(output.sample_rate_hz.max(1));
    let device = format!(
        " {} {}   {} Hz   {} frames   latency {latency_ms:.1} ms",
        output.backend, output.device, output.sample_rate_hz, output.period_frames
    );
    vec![Line::from(first), Line::raw(device)]
}

#[cfg(test)]
mod tests {
    use kmidi_session::{OutputSnapshot, Severity};
    use ratatui::Terminal;
    use ratatui::backend::TestBackend;

    use super::*;

    fn rack() -> Rack {
        let slot = |name: &str, plugin: &str| RackSlot::new(name.to_owned(), plugin.parse().unwrap());
        let mut bass = slot("bass", "clap:a");
        (bass.zone.keys, bass.zone.transpose, bass.bypassed) = ((0, 59), -12, true);
        Rack { gain_db: -3.0, slots: vec![bass, slot("room", "lv2:urn:b")] }
    }

    fn now() -> Snapshot {
        let plugin = |name: &str, state| PluginSnapshot { name: name.into(), state, ..Default::default() };
        let missing = PluginState::Missing { reason: String::new() };
        Snapshot {
            plugins: vec![plugin("A Bass", PluginState::Active), plugin("lv2:urn:b", missing)],
            output: OutputSnapshot {
                backend: "jack".into(),
                device: "system".into(),
                sample_rate_hz: 48_000,
                period_frames: 256,
                latency_frames: 512,
                peak_dbfs: vec![-3.0, -120.0],
                rms_dbfs: vec![-12.0, -120.0],
                ..Default::default()
            },
            ..Snapshot::default()
        }
    }

    fn drawn(width: u16, height: u16, view: &View) -> Vec<String> {
        let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
        terminal.draw(|frame| draw(frame, &now(), &rack(), true, view, Theme::plain())).unwrap();
        let buffer = terminal.backend().buffer();
        let row = |y| (0..width).map(|x| buffer[(x, y)].symbol()).collect::<String>().trim_end().to_string();
        (0..height).map(row).collect()
    }

    #[test]
    fn the_screen_shows_slots_levels_and_what_happened() {
        let mut view = View { selected: 1, ..View::default() };
        let text = "a warning".to_owned();
        view.take(&RackEvent::Message(Message { severity: Severity::Warning, text }));
        view.take(&RackEvent::Parameter { slot: "bass".into(), symbol: "cutoff".into(), value: 0.5 });
        view.take(&RackEvent::Saved);
        let rows = drawn(90, 14, &view);
        assert_eq!(rows[0], " ▶ live   2 slots   not saved");
        assert_eq!(rows[1], format!("   bypass  {:<16} {:<28}  keys 0-59  -12 semitones", "bass", "A Bass"));
        assert_eq!(rows[2], format!(" > missing {:<16} lv2:urn:b", "room"));
        assert!(rows[4].starts_with(" L █") && rows[5].starts_with(" R"), "{rows:#?}");
        assert_eq!(rows[7], " DSP 0 %   xruns 0   gain -3.0 dB   bass: cutoff = 0.5000");
        assert_eq!(rows[8], " jack system   48000 Hz   256 frames   latency 10.7 ms");
        assert_eq!(rows[10..12], [" a warning", " saved"]);
        assert_eq!(rows[13], FOOTER);
        for (width, height) in [(1, 1), (5, 40), (300, 3), (20, 6)] {
            drawn(width, height, &view);
        }
    }

    #[test]
    fn keys_do_what_the_footer_says() {
        let mut view = View::default();
        let pressed = |code, view: &mut View| command(KeyEvent::new(code, KeyModifiers::NONE), view, &rack());
        assert_eq!(pressed(KeyCode::Down, &mut view), Key::Nothing);
        assert_eq!(pressed(KeyCode::Down, &mut view), Key::Nothing);
        let bypass = RackCommand::ToggleBypass { slot: "room".into() };
        assert_eq!(pressed(KeyCode::Char('b'), &mut view), Key::Command(bypass));
        pressed(KeyCode::Up, &mut view);
        let bypass = RackCommand::ToggleBypass { slot: "bass".into() };
        assert_eq!(pressed(KeyCode::Char('b'), &mut view), Key::Command(bypass));
        let louder = RackCommand::NudgeGain { step_db: 1.0 };
        assert_eq!(pressed(KeyCode::Char('+'), &mut view), Key::Command(louder));
        assert_eq!(pressed(KeyCode::Char('s'), &mut view), Key::Command(RackCommand::Save));
        assert_eq!(pressed(KeyCode::Char('q'), &mut view), Key::End);
        assert_eq!(pressed(KeyCode::Char('x'), &mut view), Key::Nothing);
        let empty = Rack::default();
        assert_eq!(
            command(KeyEvent::new(KeyCode::Char('b'), KeyModifiers::NONE), &mut view, &empty),
            Key::Nothing
        );
    }
}
