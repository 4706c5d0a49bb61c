use std::io::{self, IsTerminal, Stderr, Write};
use std::sync::Once;
use std::thread;

use crossterm::cursor::{Hide, Show};
use crossterm::execute;
use crossterm::terminal::{EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode};
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;

/// The terminal while a screen is on it. It is put back as it was on drop, and before a panic of
/// the thread that draws is printed.
pub struct Screen {
    terminal: Terminal<CrosstermBackend<Stderr>>,
}

/// Whether there is somebody to look at a screen and to press keys. Screens are drawn on stderr:
/// stdout belongs to results.
pub fn is_interactive() -> bool {
    let dumb = std::env::var_os("TERM").is_none_or(|term| term.is_empty() || term == "dumb");
    io::stderr().is_terminal() && io::stdin().is_terminal() && !dumb
}

impl Screen {
    pub fn enter() -> io::Result<Self> {
        restore_before_panic();
        enable_raw_mode()?;
        // From here on the drop of `screen` puts things back, also when the rest fails.
        let screen = Terminal::new(CrosstermBackend::new(io::stderr())).map(|terminal| Screen { terminal });
        if screen.is_err() {
            restore();
        }
        execute!(io::stderr(), EnterAlternateScreen, Hide).inspect_err(|_| restore())?;
        screen
    }

    pub fn draw(&mut self, draw: impl FnOnce(&mut ratatui::Frame)) -> io::Result<()> {
        self.terminal.draw(draw).map(|_| ())
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        restore();
    }
}

fn restore() {
    let _ = execute!(io::stderr(), LeaveAlternateScreen, Show);
    let _ = disable_raw_mode();
    let _ = io::stderr().flush();
}

fn restore_before_panic() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let drawing = thread::current().id();
        let print = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            // A job that panics elsewhere is reported as a message; the screen stays.
            if thread::current().id() == drawing {
                restore();
                print(panic);
            }
        }));
    });
}
