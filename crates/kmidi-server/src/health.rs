//! How the program is, part by part, in plain words.

use std::collections::BTreeMap;

use kmidi_memory::{BudgetStatus, Domain, MIB, Pressure};
use kmidi_session::PlayState;
use serde::Serialize;

use crate::source::{Playing, TroubledPart};

/// The part of a budget beyond which memory is in trouble; the alert rules have it too.
const FULL_PERCENT: u128 = 85;

/// How the program is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Health {
    /// The worst of the parts.
    pub status: Status,
    /// `memory` and `realtime`; where something is to play also `engine`, `device` and `song`.
    pub parts: BTreeMap<&'static str, Part>,
}

/// How a part of it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Part {
    /// In a word.
    pub status: Status,
    /// What is wrong, a sentence each; empty where nothing is.
    pub reasons: Vec<String>,
}

/// In a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// All is well.
    Ok,
    /// It goes on, but somebody should look.
    Degraded,
}

/// Whether what is to play can play.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Readiness {
    /// It can, or nothing is to play.
    Ready,
    /// Why it cannot, or not yet.
    NotReady(String),
}

impl Health {
    /// What these figures mean.
    pub fn of(memory: &kmidi_memory::Snapshot, playing: Option<&Playing>) -> Self {
        let mut parts = BTreeMap::new();
        let mut part = |name, reasons: Vec<String>| {
            parts.insert(name, Part { status: Status::of(reasons.is_empty()), reasons });
        };
        part("memory", memory_reasons(memory));
        part("realtime", realtime_reasons(memory));
        for (name, kind) in
            [("engine", TroubledPart::Engine), ("device", TroubledPart::Device), ("song", TroubledPart::Song)]
        {
            let Some(playing) = playing else { continue };
            let troubles = playing.troubles.iter().filter(|trouble| trouble.part == kind);
            part(name, troubles.map(|trouble| trouble.text.clone()).collect());
        }
        let is_well = parts.values().all(|part| part.status == Status::Ok);
        Health { status: Status::of(is_well), parts }
    }
}

impl Status {
    fn of(is_well: bool) -> Self {
        if is_well { Status::Ok } else { Status::Degraded }
    }
}

impl Readiness {
    /// Of what plays.
    pub fn of(playing: Option<&Playing>) -> Self {
        let Some(playing) = playing else { return Readiness::Ready };
        let mut troubles = playing.troubles.iter();
        if let Some(trouble) = troubles.find(|trouble| trouble.part == TroubledPart::Engine) {
            return Readiness::NotReady(trouble.text.clone());
        }
        match playing.snapshot.state {
            PlayState::Loading => Readiness::NotReady("the song and its sounds are being read".into()),
            PlayState::Playing | PlayState::Paused | PlayState::Ended => Readiness::Ready,
        }
    }
}

fn memory_reasons(memory: &kmidi_memory::Snapshot) -> Vec<String> {
    let of_domains = memory.domains.iter().map(|it| (it.domain.name(), it.budget));
    let budgets = of_domains.chain([("total", memory.total)]);
    let mut reasons: Vec<String> = budgets.filter_map(|(name, budget)| full(name, &budget)).collect();
    let short = match memory.pressure {
        Pressure::None | Pressure::Alert => None,
        Pressure::Cleanup => Some("memory is short: what can be had again is freed"),
        Pressure::Critical => Some("memory is very short: all that can be had again is freed"),
    };
    reasons.extend(short.map(str::to_owned));
    reasons
}

fn full(name: &str, budget: &BudgetStatus) -> Option<String> {
    let BudgetStatus { live_bytes, limit_bytes, .. } = *budget;
    let is_full = u128::from(live_bytes) * 100 > u128::from(limit_bytes) * FULL_PERCENT;
    let mib = |bytes: u64| bytes as f64 / MIB as f64;
    is_full.then(|| {
        let flag = if name == Domain::Program.name() { "total" } else { name };
        format!(
            "{:.1} of {:.1} MiB of the {name} budget are in use, more than {FULL_PERCENT} %: KMIDI_MEMORY_{}_MB sets it",
            mib(live_bytes),
            mib(limit_bytes),
            flag.to_uppercase()
        )
    })
}

fn realtime_reasons(memory: &kmidi_memory::Snapshot) -> Vec<String> {
    let kinds =
        [(memory.violations.allocations, "allocated memory"), (memory.violations.frees, "freed memory")];
    let counted = kinds.into_iter().filter(|(count, _)| *count > 0);
    counted.map(|(count, what)| format!("the audio callback {what}, {count} times since the start")).collect()
}

#[cfg(test)]
mod tests {
    use kmidi_memory::{DomainSnapshot, Tally, Violations};

    use super::*;
    use crate::source::Trouble;

    /// Nothing is wrong: 85 of 100 MiB, no more, in each budget.
    fn memory() -> kmidi_memory::Snapshot {
        let budget = BudgetStatus { limit_bytes: 100 * MIB, live_bytes: 85 * MIB, ..BudgetStatus::default() };
        let domain = |domain| DomainSnapshot { domain, budget, peak_bytes: 0, tally: Tally::default() };
        kmidi_memory::Snapshot {
            domains: Domain::ALL.map(domain).to_vec(),
            total: budget,
            pressure: Pressure::Alert,
            ..Default::default()
        }
    }

    fn playing(state: PlayState, troubles: &[(TroubledPart, &str)]) -> Playing {
        let trouble = |&(part, text): &(_, &str)| Trouble { part, text: text.into() };
        let snapshot = kmidi_session::Snapshot { state, ..Default::default() };
        Playing { snapshot, troubles: troubles.iter().map(trouble).collect() }
    }

    /// Only this part is degraded, and says this.
    fn check(memory: &kmidi_memory::Snapshot, playing: Option<&Playing>, part: &str, said: &[&str]) {
        let health = Health::of(memory, playing);
        assert_eq!(health.status, Status::of(said.is_empty()));
        for (name, it) in &health.parts {
            assert_eq!(it.status == Status::Degraded, *name == part, "{health:#?}");
        }
        let reasons = health.parts.get(part).map_or(vec![], |part| part.reasons.clone());
        assert_eq!(reasons.len(), said.len(), "{health:#?}");
        for (reason, said) in reasons.iter().zip(said) {
            assert!(reason.contains(said), "{reason}");
        }
    }

    #[test]
    fn what_is_within_its_bounds_is_ok() {
        let playing = playing(PlayState::Paused, &[]);
        check(&memory(), None, "", &[]);
        check(&memory(), Some(&playing), "", &[]);
        assert_eq!(Health::of(&memory(), None).parts.len(), 2);
        assert_eq!(Health::of(&memory(), Some(&playing)).parts.len(), 5);
    }

    #[test]
    fn a_full_budget_is_named() {
        for (n, domain) in Domain::ALL.into_iter().enumerate() {
            let mut memory = memory();
            memory.domains[n].budget.live_bytes += 1;
            check(&memory, None, "memory", &[&format!("the {domain} budget")]);
        }
        let mut memory = memory();
        memory.total.live_bytes += 1;
        check(&memory, None, "memory", &["85.0 of 100.0 MiB of the total budget"]);
    }

    #[test]
    fn a_budget_without_a_limit_is_never_full() {
        let mut memory = memory();
        memory.domains[0].budget =
            BudgetStatus { limit_bytes: u64::MAX, live_bytes: 1 << 50, ..memory.total };
        check(&memory, None, "", &[]);
    }

    #[test]
    fn pressure_and_violations_are_told() {
        let short = |pressure| kmidi_memory::Snapshot { pressure, ..memory() };
        check(&short(Pressure::Cleanup), None, "memory", &["memory is short"]);
        check(&short(Pressure::Critical), None, "memory", &["memory is very short"]);
        let mut violating = memory();
        violating.violations = Violations { allocations: 2, frees: 0 };
        check(&violating, None, "realtime", &["allocated memory, 2 times"]);
        violating.violations = Violations { allocations: 1, frees: 1 };
        check(&violating, None, "realtime", &["allocated", "freed"]);
    }

    #[test]
    fn a_part_in_trouble_says_which() {
        use TroubledPart::{Device, Engine, Song};
        for (part, name) in [(Engine, "engine"), (Device, "device"), (Song, "song")] {
            let playing = playing(PlayState::Playing, &[(part, "it is broken")]);
            check(&memory(), Some(&playing), name, &["it is broken"]);
        }
    }

    #[test]
    fn ready_is_what_can_play() {
        let not = |why: &str| Readiness::NotReady(why.into());
        let of = |playing| Readiness::of(Some(&playing));
        assert_eq!(Readiness::of(None), Readiness::Ready);
        assert_eq!(of(playing(PlayState::Playing, &[(TroubledPart::Song, "x")])), Readiness::Ready);
        let loading = of(playing(PlayState::Loading, &[]));
        assert_eq!(loading, not("the song and its sounds are being read"));
        assert_eq!(of(playing(PlayState::Playing, &[(TroubledPart::Engine, "gone")])), not("gone"));
    }
}
