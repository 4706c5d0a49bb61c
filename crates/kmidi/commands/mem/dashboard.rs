use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow};
use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use ratatui::Terminal;
use ratatui::backend::TestBackend;

use super::args;
use crate::commands::play::pressed_keys;
use crate::control::client::Attached;
use crate::control::protocol::{NamedSite, Order, Relieved, Request, Sites, Status};
use crate::control::symbols::Symbols;
use crate::exit::{Unreadable, on_signals};
use crate::output::{print, print_json};
use crate::screens::memory::{self, Picture};
use crate::screens::player::Theme;
use crate::screens::terminal::{self, Screen};

/// Places that are asked for: as many as a tall terminal shows.
const HOT: usize = 40;
/// The picture that `--once` prints where there is no terminal to measure.
const COLUMNS_AND_ROWS: (u16, u16) = (100, 30);
/// Between two looks at what the user wants.
const TICK: Duration = Duration::from_millis(50);

pub fn run(args: &args::Dashboard) -> Result<()> {
    let attached = Attached::find(args.attach.pid)?;
    if args.attach.json {
        return print_json(&attached.ask::<Status>(&Request::Snapshot {})?);
    }
    if args.once {
        let hot = hot(&attached, &mut Symbols::new())?;
        let picture = Picture { hot, status: status(&attached)?, message: String::new() };
        return print(text(&picture)?.as_bytes());
    }
    if !terminal::is_interactive() {
        return Err(
            Unreadable(anyhow!("a terminal is needed; without one: kmidi mem dashboard --once")).into()
        );
    }
    show(&attached, Duration::from_secs_f64(args.interval))
}

fn status(attached: &Attached) -> Result<Status> {
    attached.ask(&Request::Snapshot {})
}

fn hot(attached: &Attached, symbols: &mut Symbols) -> Result<Vec<NamedSite>> {
    let sites: Sites = attached.ask(&Request::Sites { top: HOT, by: Order::Bytes })?;
    Ok(sites.named(symbols).sites)
}

/// The picture without colours, as lines.
fn text(picture: &Picture) -> Result<String> {
    let (columns, rows) = crossterm::terminal::size()
        .ok()
        .filter(|_| std::io::IsTerminal::is_terminal(&std::io::stdout()))
        .unwrap_or(COLUMNS_AND_ROWS);
    let mut terminal = Terminal::new(TestBackend::new(columns, rows))?;
    terminal.draw(|frame| memory::draw(frame, picture, Theme::plain()))?;
    let buffer = terminal.backend().buffer();
    // The last line names keys.
    let lines = (0..rows.saturating_sub(1)).map(|y| {
        let line: String = (0..columns).map(|x| buffer[(x, y)].symbol()).collect();
        line.trim_end().to_owned() + "\n"
    });
    let text: String = lines.collect();
    Ok(text.trim_end().to_owned() + "\n")
}

/// What a key asks for.
enum Wish {
    Quit,
    Relieve,
}

fn wish(key: KeyEvent) -> Option<Wish> {
    let is_control = key.modifiers.contains(KeyModifiers::CONTROL);
    match key.code {
        _ if key.kind == KeyEventKind::Release => None,
        KeyCode::Char('c') if is_control => Some(Wish::Quit),
        KeyCode::Char('q') => Some(Wish::Quit),
        KeyCode::Char('r') => Some(Wish::Relieve),
        _ => None,
    }
}

fn show(attached: &Attached, interval: Duration) -> Result<()> {
    let interrupted = Arc::new(AtomicBool::new(false));
    let told = interrupted.clone();
    on_signals(move || told.store(true, Ordering::Relaxed))?;
    let mut picture = Picture { status: status(attached)?, ..Picture::default() };
    let mut symbols = Symbols::new();
    let theme = Theme::from_environment();
    let mut screen = Screen::enter()?;
    let keys = pressed_keys()?;
    let mut next = Instant::now();
    while !interrupted.load(Ordering::Relaxed) {
        // Also between two looks: the terminal may have another size.
        screen.draw(|frame| memory::draw(frame, &picture, theme))?;
        if Instant::now() >= next {
            match (status(attached), hot(attached, &mut symbols)) {
                (Ok(status), Ok(hot)) => (picture.status, picture.hot) = (status, hot),
                // It has ended.
                (Err(error), _) | (_, Err(error)) => {
                    drop(screen);
                    eprintln!("kmidi: {}", crate::exit::describe(&error));
                    return Ok(());
                }
            }
            next = Instant::now() + interval;
        }
        for key in keys.recv_timeout(TICK).into_iter().chain(keys.try_iter()) {
            match wish(key) {
                Some(Wish::Quit) => return Ok(()),
                Some(Wish::Relieve) => {
                    let asked = attached.ask::<Relieved>(&Request::Relieve {});
                    picture.message = if asked.is_ok() { "asked for".into() } else { "not heard".into() };
                }
                None => {}
            }
        }
    }
    Ok(())
}
