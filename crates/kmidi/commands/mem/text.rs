//! Numbers and calls as people read them.

use kmidi_memory::MIB;

use crate::control::protocol::Call;

/// Calls that are shown of a stack.
const CALLS: usize = 3;

/// What every allocation goes through.
const PLUMBING: &[&str] =
    &["kmidi_memory::", "alloc::", "core::", "std::", "__rust", "_Unwind", "mi_", "__libc"];

/// In MiB, with one digit behind the point.
pub fn mib(bytes: u64) -> String {
    format!("{:.1}", bytes as f64 / MIB as f64)
}

/// A limit; what has none is a dash.
pub fn limit(bytes: u64) -> String {
    if bytes == u64::MAX { "-".into() } else { mib(bytes) }
}

/// Whether a function is the program's own, and not of the part that counts.
fn is_ours(call: &Call) -> bool {
    let name = call.function.trim_start_matches('<');
    name.starts_with("kmidi") && !name.starts_with("kmidi_memory") && !name.contains("::__rust")
}

fn is_plumbing(call: &Call) -> bool {
    let name = call.function.trim_start_matches('<');
    PLUMBING.iter().any(|plumbing| name.starts_with(plumbing))
}

/// The first calls that are the program's own; where there are none, those that say most.
pub fn first_calls(calls: &[Call]) -> Vec<&Call> {
    let mut first: Vec<_> = calls.iter().filter(|call| is_ours(call)).take(CALLS).collect();
    if first.is_empty() {
        first = calls.iter().filter(|call| !is_plumbing(call)).take(CALLS).collect();
    }
    if first.is_empty() {
        first = calls.iter().rev().take(CALLS).collect();
    }
    first
}

/// A call with the end of its place.
pub fn call(call: &Call) -> String {
    let Some(place) = &call.place else { return call.function.clone() };
    let parts: Vec<_> = place.rsplit('/').take(3).collect();
    let place = parts.into_iter().rev().collect::<Vec<_>>().join("/");
    format!("{} ({place})", call.function)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_calls_are_ours_if_there_are_any() {
        let check = |functions: &[&str], expected: &[&str]| {
            let calls: Vec<_> =
                functions.iter().map(|it| Call { function: (*it).into(), place: None }).collect();
            let shown: Vec<_> = first_calls(&calls).iter().map(|call| call.function.as_str()).collect();
            assert_eq!(shown, expected);
        };
        check(
            &[
                "kmidi_memory::heap::look",
                "alloc::vec::f",
                "kmidi_song::read",
                "<kmidi_x::Y as Z>::g",
                "main",
            ],
            &["kmidi_song::read", "<kmidi_x::Y as Z>::g"],
        );
        check(&["kmidi_memory::heap::look", "alloc::vec::f", "ratatui::draw"], &["ratatui::draw"]);
        check(&["alloc::vec::f", "std::main"], &["std::main", "alloc::vec::f"]);
    }

    #[test]
    fn places_are_shortened() {
        let long = Call { function: "f".into(), place: Some("/a/b/c/src/d.rs:7".into()) };
        assert_eq!(call(&long), "f (c/src/d.rs:7)");
    }
}
