use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// Answers so far, by route and status. There are as many routes as the program has, and one for all others: a
/// client cannot make this grow.
pub struct Counters {
    answers: Mutex<BTreeMap<(String, u16), u64>>,
}

impl Counters {
    /// Nothing yet, but each of these routes is there from the start: a scraper sees the first answer as a step.
    pub fn new(routes: &[&str]) -> Self {
        let none = routes.iter().map(|route| ((String::from(*route), 200), 0));
        Counters { answers: Mutex::new(none.collect()) }
    }

    pub fn count(&self, route: String, status: u16) {
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        *answers.entry((route, status)).or_default() += 1;
    }

    pub fn read(&self) -> BTreeMap<(String, u16), u64> {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
