//! The memory of a running kmidi: both heaps against their budgets, and who takes it.

use kmidi_memory::{BudgetStatus, Domain, DomainSnapshot, MIB, Pressure};
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Paragraph, Sparkline};

use super::player::{Theme, clock};
use crate::control::protocol::{NamedSite, Status};

const FOOTER: &str = " r free what can be had again  q quit";

/// Parts of a budget from which its bar is yellow, and red.
const TIGHT: f64 = 0.7;
const SHORT: f64 = 0.95;

/// What is drawn.
#[derive(Clone, Debug, Default)]
pub struct Picture {
    pub status: Status,
    pub hot: Vec<NamedSite>,
    /// What the last key did.
    pub message: String,
}

/// Draws the whole screen; what does not fit is cut, most important first.
pub fn draw(frame: &mut Frame, picture: &Picture, theme: Theme) {
    let memory = &picture.status.memory;
    let [title, side_a, side_b, total, state, region, leases, hot, footer] = Layout::vertical([
        Constraint::Length(1),
        Constraint::Length(1),
        Constraint::Length(3),
        Constraint::Length(1),
        Constraint::Length(1),
        Constraint::Length(1),
        Constraint::Max(1 + memory.holders.len().clamp(1, 5) as u16),
        Constraint::Fill(1),
        Constraint::Length(1),
    ])
    .areas(frame.area());
    frame.render_widget(title_line(&picture.status), title);
    let of_side_a = |it: &&DomainSnapshot| it.domain == Domain::Audio;
    for (area, is_side_a) in [(side_a, true), (side_b, false)] {
        let domains = memory.domains.iter().filter(|it| of_side_a(it) == is_side_a);
        for (row, it) in area.rows().zip(domains) {
            let series = picture.status.series.get(it.domain as usize).map_or(&[][..], Vec::as_slice);
            // The program has a part of what all have together.
            let limit = it.budget.limit_bytes.min(memory.total.limit_bytes);
            let name = format!("{} {}", if is_side_a { 'A' } else { 'B' }, it.domain);
            draw_budget(frame, row, &name, &it.budget, limit, it.peak_bytes, series, theme);
        }
    }
    let peak = memory.total_peak_bytes;
    let all = sum(&picture.status.series);
    draw_budget(frame, total, "  total", &memory.total, memory.total.limit_bytes, peak, &all, theme);
    frame.render_widget(state_line(&picture.status, theme), state);
    frame.render_widget(region_line(&picture.status, theme), region);
    frame.render_widget(Paragraph::new(lease_lines(&picture.status)), leases);
    frame.render_widget(Paragraph::new(hot_lines(&picture.hot, hot)), hot);
    let dim = Style::new().add_modifier(Modifier::DIM);
    let text = if picture.message.is_empty() {
        FOOTER.to_owned()
    } else {
        format!("{FOOTER}   {}", picture.message)
    };
    frame.render_widget(Line::styled(text, dim), footer);
}

/// In MiB; one digit behind the point is enough where there is room for it.
fn mib(bytes: u64) -> String {
    let mib = bytes as f64 / MIB as f64;
    if mib >= 1000.0 { format!("{mib:.0}") } else { format!("{mib:.1}") }
}

fn title_line(status: &Status) -> Line<'static> {
    let process = status.memory.process;
    let bold = Style::new().add_modifier(Modifier::BOLD);
    // The command comes last: it may be long.
    Line::from(vec![
        Span::raw(format!(
            " {}   {}   RSS {} MiB, files {}   ",
            status.who.pid,
            clock(status.who.uptime_seconds),
            mib(process.rss_anon_bytes),
            mib(process.rss_file_bytes)
        )),
        Span::styled(status.who.command.clone(), bold),
    ])
}

#[expect(clippy::too_many_arguments, reason = "a row of a table")]
fn draw_budget(
    frame: &mut Frame,
    row: Rect,
    name: &str,
    budget: &BudgetStatus,
    limit: u64,
    peak_bytes: u64,
    series: &[(f64, f64)],
    theme: Theme,
) {
    let numbers = format!(" {:>6}/{:<5} peak {:<6} ", mib(budget.live_bytes), mib(limit), mib(peak_bytes));
    let [label, bar, value, spark] = Layout::horizontal([
        Constraint::Length(11),
        Constraint::Fill(2),
        Constraint::Length(numbers.chars().count() as u16),
        Constraint::Fill(1),
    ])
    .areas(row);
    frame.render_widget(Line::raw(format!(" {name}")), label);
    frame.render_widget(bar_line(bar.width, budget, limit, theme), bar);
    frame.render_widget(Line::raw(numbers), value);
    let newest = &series[series.len().saturating_sub(spark.width.into())..];
    let bytes: Vec<u64> = newest.iter().map(|(_, bytes)| *bytes as u64).collect();
    frame.render_widget(Sparkline::default().data(bytes).style(theme.style(Color::Cyan)), spark);
}

/// What is in use, and behind it what was promised.
fn bar_line(width: u16, budget: &BudgetStatus, limit: u64, theme: Theme) -> Line<'static> {
    let part = |bytes: u64| (bytes as f64 / limit.max(1) as f64).clamp(0.0, 1.0);
    let cells = |bytes: u64| (part(bytes) * f64::from(width)).round() as usize;
    let taken = budget.live_bytes.saturating_add(budget.promised_bytes);
    let (live, promised) = (cells(budget.live_bytes), cells(taken));
    let colour = match part(taken) {
        part if part >= SHORT => Color::Red,
        part if part >= TIGHT => Color::Yellow,
        _ => Color::Green,
    };
    let free = usize::from(width).saturating_sub(promised);
    Line::from(vec![
        Span::styled("█".repeat(live) + &"▒".repeat(promised.saturating_sub(live)), theme.style(colour)),
        Span::styled("·".repeat(free), Style::new().add_modifier(Modifier::DIM)),
    ])
}

/// The series of all domains together.
fn sum(series: &[Vec<(f64, f64)>]) -> Vec<(f64, f64)> {
    let length = series.iter().map(Vec::len).min().unwrap_or(0);
    let newest = |it: &Vec<(f64, f64)>, i: usize| it[it.len() - length + i];
    (0..length).map(|i| (newest(&series[0], i).0, series.iter().map(|it| newest(it, i).1).sum())).collect()
}

fn state_line(status: &Status, theme: Theme) -> Line<'static> {
    let memory = &status.memory;
    let bad = |count: u64| if count > 0 { theme.style(Color::Red) } else { Style::new() };
    let pressure = match memory.pressure {
        Pressure::None => Style::new(),
        Pressure::Alert => theme.style(Color::Yellow),
        Pressure::Cleanup | Pressure::Critical => theme.style(Color::Red),
    };
    let violations = memory.violations.allocations + memory.violations.frees;
    Line::from(vec![
        Span::styled(format!(" pressure {}", memory.pressure.name()), pressure),
        Span::styled(format!("   refused {}", memory.total.refused), bad(memory.total.refused)),
        Span::styled(format!("   violations {violations}"), bad(violations)),
    ])
}

fn region_line(status: &Status, theme: Theme) -> Line<'static> {
    let region = status.memory.region;
    let bad = if region.spills > 0 { theme.style(Color::Red) } else { Style::new() };
    Line::from(vec![
        Span::raw(format!(
            " audio region: {} of {} MiB there",
            mib(region.populated_bytes as u64),
            mib(region.reserved_bytes as u64)
        )),
        Span::styled(format!("   spills {}", region.spills), bad),
    ])
}

fn lease_lines(status: &Status) -> Vec<Line<'static>> {
    let holders = &status.memory.holders;
    let mut lines = vec![Line::styled(format!(" leases {}", holders.len()), Modifier::BOLD)];
    let mut largest: Vec<_> = holders.iter().collect();
    largest.sort_by_key(|holder| std::cmp::Reverse(holder.bytes));
    let line =
        |it: &&kmidi_memory::Holder| format!(" {:>8} {:<8} {}", mib(it.bytes), it.domain.name(), it.name);
    lines.extend(largest.iter().map(line).map(Line::raw));
    lines
}

fn hot_lines(hot: &[NamedSite], area: Rect) -> Vec<Line<'static>> {
    let mut lines = vec![Line::styled(" hot sites, MiB in use", Modifier::BOLD)];
    for named in hot.iter().take(usize::from(area.height).saturating_sub(1)) {
        let calls = crate::commands::mem::text::first_calls(&named.calls);
        let calls: Vec<_> = calls.iter().map(|call| call.function.as_str()).collect();
        let (site, calls) = (&named.site, calls.join(" < "));
        lines.push(Line::raw(format!(" {:>8} {:<8} {calls}", mib(site.live_bytes), site.domain.name())));
    }
    lines
}

#[cfg(test)]
mod tests {
    use kmidi_memory::{Holder, ProcessMemory, RegionStatus, Site, Snapshot, Violations};
    use ratatui::Terminal;
    use ratatui::backend::TestBackend;

    use super::*;
    use crate::control::protocol::{Call, Who};

    fn budget(live_mib: u64, promised_mib: u64, limit_mib: u64) -> BudgetStatus {
        BudgetStatus {
            limit_bytes: limit_mib * MIB,
            live_bytes: live_mib * MIB,
            promised_bytes: promised_mib * MIB,
            leases: 1,
            refused: 3,
        }
    }

    fn picture() -> Picture {
        let domain = |domain, budget| DomainSnapshot {
            domain,
            budget,
            peak_bytes: 50 * MIB,
            tally: Default::default(),
        };
        let memory = Snapshot {
            process: ProcessMemory {
                rss_anon_bytes: 100 * MIB,
                rss_file_bytes: 20 * MIB,
                ..Default::default()
            },
            domains: vec![
                domain(Domain::Program, BudgetStatus { limit_bytes: u64::MAX, ..budget(7, 0, 1) }),
                domain(Domain::Audio, budget(32, 0, 64)),
                domain(Domain::Models, budget(0, 0, 512)),
                domain(Domain::Working, budget(64, 64, 128)),
            ],
            total: budget(103, 64, 700),
            total_peak_bytes: 110 * MIB,
            foreign: vec![],
            holders: vec![Holder { domain: Domain::Working, name: "song.mid".into(), bytes: 64 * MIB }],
            region: RegionStatus {
                reserved_bytes: 64 << 20,
                populated_bytes: 33 << 20,
                highest_bytes: 0,
                spills: 2,
            },
            violations: Violations { allocations: 4, frees: 1 },
            pressure: Pressure::Alert,
        };
        let who = Who { pid: 4711, command: "play song.mid".into(), uptime_seconds: 83.0 };
        let series = vec![(0..50).map(|n| (f64::from(n), f64::from(n))).collect(); 4];
        let site = Site {
            frames: vec![1],
            domain: Domain::Working,
            allocations: 1,
            allocated_bytes: MIB,
            live_blocks: 1,
            live_bytes: 5 * MIB,
            peak_bytes: MIB,
            oldest_s: None,
        };
        let call = |name: &str| Call { function: name.into(), place: None };
        let calls = vec![call("alloc::f"), call("kmidi_song::read"), call("kmidi::main")];
        let hot = vec![NamedSite { site, calls }; 3];
        Picture { status: Status { who, memory, series }, hot, message: "asked".into() }
    }

    fn drawn(width: u16, height: u16, theme: Theme) -> (Vec<String>, usize) {
        let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
        terminal.draw(|frame| draw(frame, &picture(), theme)).unwrap();
        let buffer = terminal.backend().buffer();
        let row = |y| (0..width).map(|x| buffer[(x, y)].symbol()).collect::<String>().trim_end().to_string();
        let coloured = buffer.content().iter().filter(|it| it.fg != Color::Reset || it.bg != Color::Reset);
        ((0..height).map(row).collect(), coloured.count())
    }

    #[test]
    fn the_screen_shows_the_snapshot() {
        let (rows, _) = drawn(90, 16, Theme::plain());
        let bar = |live: usize, promised: usize| {
            let free = 35 - live - promised;
            "█".repeat(live) + &"▒".repeat(promised) + &"·".repeat(free)
        };
        let without_spark = |row: &str| row.chars().take(72).collect::<String>().trim_end().to_string();
        assert_eq!(rows[0], " 4711   1:23.0   RSS 100.0 MiB, files 20.0   play song.mid");
        assert_eq!(without_spark(&rows[1]), format!(" A audio   {}   32.0/64.0  peak 50.0", bar(18, 0)));
        assert_eq!(without_spark(&rows[4]), format!(" B working {}   64.0/128.0 peak 50.0", bar(18, 17)));
        assert!(rows[1].ends_with('█') && rows[5].ends_with('█'), "sparklines rise: {rows:#?}");
        assert_eq!(rows[6], " pressure alert   refused 3   violations 5");
        assert_eq!(rows[7], " audio region: 33.0 of 64.0 MiB there   spills 2");
        assert_eq!(rows[8..10], [" leases 1", "     64.0 working  song.mid"]);
        assert_eq!(
            rows[10..12],
            [" hot sites, MiB in use", "      5.0 working  kmidi_song::read < kmidi::main"]
        );
        assert_eq!(rows[15], format!("{FOOTER}   asked"));
    }

    #[test]
    fn any_size_of_terminal_is_drawn_and_60_by_15_is_enough() {
        for (width, height) in [(1, 1), (5, 40), (300, 3), (20, 6), (200, 60)] {
            drawn(width, height, Theme::plain());
        }
        let (rows, _) = drawn(60, 15, Theme::plain());
        for part in
            ["A audio", "B models", "peak 50.0", "pressure alert", "song.mid", "kmidi_song::read", "q quit"]
        {
            assert!(rows.iter().any(|row| row.contains(part)), "{part} in {rows:#?}");
        }
    }

    #[test]
    fn no_colour_means_none_at_all() {
        assert_eq!(drawn(80, 20, Theme::plain()).1, 0);
        assert!(drawn(80, 20, Theme::coloured()).1 > 0);
    }
}
