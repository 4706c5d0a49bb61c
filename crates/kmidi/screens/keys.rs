use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use kmidi_session::{Command, LoopRequest, Position, Snapshot};

/// What a key of the player's screen asks for; `None` if nothing.
pub fn command(key: KeyEvent, now: &Snapshot) -> Option<Command> {
    if key.kind == KeyEventKind::Release {
        return None;
    }
    if key.modifiers.contains(KeyModifiers::CONTROL) {
        return (key.code == KeyCode::Char('c')).then_some(Command::Quit);
    }
    Some(match key.code {
        KeyCode::Char(' ') => Command::TogglePause,
        KeyCode::Left => Command::Seek(Position::RelativeSeconds(-5.0)),
        KeyCode::Right => Command::Seek(Position::RelativeSeconds(5.0)),
        KeyCode::Up => Command::NudgeTempo(5),
        KeyCode::Down => Command::NudgeTempo(-5),
        KeyCode::Char('+' | '=') => Command::NudgeGainDb(1.0),
        KeyCode::Char('-') => Command::NudgeGainDb(-1.0),
        KeyCode::Char('l') => Command::SetLoop(now.looping.is_none().then(LoopRequest::default)),
        KeyCode::Char('f') => Command::NextSoundFont,
        KeyCode::Char('n') => Command::Next,
        KeyCode::Char('p') => Command::Previous,
        KeyCode::Char('q') => Command::Quit,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_ask_for_what_the_footer_says() {
        let mut now = Snapshot::default();
        let pressed = |code, now: &Snapshot| command(KeyEvent::new(code, KeyModifiers::NONE), now);
        assert_eq!(pressed(KeyCode::Char(' '), &now), Some(Command::TogglePause));
        assert_eq!(pressed(KeyCode::Up, &now), Some(Command::NudgeTempo(5)));
        assert_eq!(pressed(KeyCode::Char('+'), &now), Some(Command::NudgeGainDb(1.0)));
        assert_eq!(pressed(KeyCode::Char('l'), &now), Some(Command::SetLoop(Some(LoopRequest::default()))));
        now.looping = Some(kmidi_session::LoopSnapshot { from_seconds: 0.0, to_seconds: 1.0 });
        assert_eq!(pressed(KeyCode::Char('l'), &now), Some(Command::SetLoop(None)));
        assert_eq!(pressed(KeyCode::Char('f'), &now), Some(Command::NextSoundFont));
        assert_eq!(pressed(KeyCode::Char('x'), &now), None);
        let interrupt = KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL);
        assert_eq!(command(interrupt, &now), Some(Command::Quit));
    }
}
