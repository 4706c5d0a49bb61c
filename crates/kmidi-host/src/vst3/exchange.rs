//! Values of parameters on their way between the two halves and the plugin's own calls of the host.
//!
//! Each parameter has a place with its latest value, and marks that say who has yet to hear of it: a flood of changes
//! costs no more room than one. Nothing here waits, so that any thread may use it at any time.

use std::sync::atomic::{AtomicBool, AtomicI32, AtomicU64, Ordering};

use super::range::Range;

/// Which places have changed for one listener. `[side A]` except [`Marks::new`].
pub struct Marks {
    any: AtomicBool,
    words: Box<[AtomicU64]>,
}

impl Marks {
    fn new(places: usize) -> Self {
        let words = (0..places.div_ceil(64)).map(|_| AtomicU64::new(0)).collect();
        Marks { any: AtomicBool::new(false), words }
    }

    /// Marks a place.
    pub fn set(&self, place: usize) {
        if let Some(word) = self.words.get(place / 64) {
            word.fetch_or(1 << (place % 64), Ordering::Release);
            self.any.store(true, Ordering::Release);
        }
    }

    /// Whether a place may be marked.
    pub fn any(&self) -> bool {
        self.any.load(Ordering::Acquire)
    }

    /// Takes every mark away and calls `each` with its place.
    pub fn take(&self, mut each: impl FnMut(usize)) {
        // A load first: this is asked in every quantum and seldom true.
        if !self.any() || !self.any.swap(false, Ordering::AcqRel) {
            return;
        }
        for (at, word) in self.words.iter().enumerate() {
            let mut bits = word.swap(0, Ordering::AcqRel);
            while bits != 0 {
                each(at * 64 + bits.trailing_zeros() as usize);
                bits &= bits - 1;
            }
        }
    }

    /// Takes every mark away.
    pub fn clear(&self) {
        self.take(|_| {});
    }
}

/// The values of all parameters and who has yet to hear of them.
pub struct Exchange {
    /// Ids in order.
    ids: Box<[u32]>,
    /// What people count in.
    ranges: Box<[Range]>,
    values: Box<[AtomicU64]>,
    /// To be given to the plugin's processor with its next quantum.
    pub to_processor: Marks,
    /// To be given to the plugin's controller.
    pub to_controller: Marks,
    /// To be told to whoever uses the plugin.
    pub to_user: Marks,
    /// `RestartFlags` that the plugin has asked for.
    restart: AtomicI32,
    /// It says that its state is another one.
    pub dirty: AtomicBool,
}

impl Exchange {
    /// For parameters with these ids, values as VST3 has them, and ranges.
    pub fn new(parameters: impl IntoIterator<Item = (u32, f64, Range)>) -> Self {
        let mut parameters: Vec<_> = parameters.into_iter().collect();
        parameters.sort_by_key(|it| it.0);
        parameters.dedup_by_key(|it| it.0);
        Exchange {
            ids: parameters.iter().map(|it| it.0).collect(),
            ranges: parameters.iter().map(|it| it.2).collect(),
            values: parameters.iter().map(|it| AtomicU64::new(it.1.to_bits())).collect(),
            to_processor: Marks::new(parameters.len()),
            to_controller: Marks::new(parameters.len()),
            to_user: Marks::new(parameters.len()),
            restart: AtomicI32::new(0),
            dirty: AtomicBool::new(false),
        }
    }

    /// Number of places. `[side A]`
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// The place of a parameter. `[side A]`
    pub fn place(&self, id: u32) -> Option<usize> {
        self.ids.binary_search(&id).ok()
    }

    /// The id at a place. `[side A]`
    pub fn id(&self, place: usize) -> u32 {
        self.ids.get(place).copied().unwrap_or(u32::MAX)
    }

    /// What people count in at a place. `[side A]`
    pub fn range(&self, place: usize) -> Range {
        self.ranges.get(place).copied().unwrap_or(Range::NORMALISED)
    }

    /// The latest value at a place, as VST3 has it. `[side A]`
    pub fn value(&self, place: usize) -> f64 {
        self.values.get(place).map_or(0.0, |value| f64::from_bits(value.load(Ordering::Acquire)))
    }

    /// Stores a value; mark the place for those who are to hear of it. `[side A]`
    pub fn store(&self, place: usize, value: f64) {
        if let Some(kept) = self.values.get(place) {
            kept.store(value.to_bits(), Ordering::Release);
        }
    }

    /// Notes what the plugin asks for. `[side A]`
    pub fn ask_restart(&self, flags: i32) {
        self.restart.fetch_or(flags, Ordering::AcqRel);
    }

    /// Takes those of `flags` that the plugin has asked for.
    pub fn take_restart(&self, flags: i32) -> i32 {
        self.restart.fetch_and(!flags, Ordering::AcqRel) & flags
    }
}

/// A value as VST3 has them: from 0 to 1; `None` if it is no number. `[side A]`
pub fn normalised(value: f64) -> Option<f64> {
    (!value.is_nan()).then(|| value.clamp(0.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_changes_of_a_parameter_are_heard_once_with_the_last_value() {
        let exchange = Exchange::new(
            [(900, 0.1), (5, 0.2), (5, 0.9), (u32::MAX, 0.3)]
                .map(|(id, value)| (id, value, Range::NORMALISED)),
        );
        assert_eq!(exchange.place(6), None);
        let place = exchange.place(900).unwrap();
        for value in [0.4, 0.5, 0.6] {
            exchange.store(place, value);
            exchange.to_user.set(place);
        }
        let mut heard = Vec::new();
        exchange.to_user.take(|at| heard.push((exchange.id(at), exchange.value(at))));
        exchange.to_user.take(|at| heard.push((exchange.id(at), exchange.value(at))));
        assert_eq!(heard, [(900, 0.6)]);
        exchange.to_processor.take(|_| panic!("nobody marked it"));
    }

    #[test]
    fn every_place_of_a_large_table_has_its_own_mark() {
        let exchange = Exchange::new((0..2080).map(|id| (id, 0.0, Range::NORMALISED)));
        for place in (0..2080).step_by(3) {
            exchange.to_processor.set(place);
        }
        exchange.to_processor.set(usize::MAX);
        let mut taken = Vec::new();
        exchange.to_processor.take(|place| taken.push(place));
        assert_eq!(taken, (0..2080).step_by(3).collect::<Vec<_>>());
    }

    #[test]
    fn a_listener_beside_the_writer_always_hears_the_last_value() {
        const ROUNDS: u32 = 200_000;
        let exchange = Exchange::new((0..130).map(|id| (id, 0.0, Range::NORMALISED)));
        let is_done = AtomicBool::new(false);
        let mut heard = vec![0.0; 130];
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for round in 1..=ROUNDS {
                    let place = (round % 130) as usize;
                    exchange.store(place, f64::from(round));
                    exchange.to_user.set(place);
                }
                is_done.store(true, Ordering::Release);
            });
            loop {
                let is_last = is_done.load(Ordering::Acquire);
                exchange.to_user.take(|place| heard[place] = exchange.value(place));
                if is_last {
                    break;
                }
            }
        });
        for (place, &heard) in heard.iter().enumerate() {
            assert_eq!(heard, exchange.value(place), "place {place}");
            assert!(heard > f64::from(ROUNDS - 130));
        }
    }

    #[test]
    fn restarts_are_taken_once_and_apart() {
        let exchange = Exchange::new([]);
        exchange.ask_restart(0b1001);
        exchange.ask_restart(0b0100);
        assert_eq!(exchange.take_restart(0b1000), 0b1000);
        assert_eq!(exchange.take_restart(0b1000), 0);
        assert_eq!(exchange.take_restart(-1), 0b0101);
    }

    #[test]
    fn what_is_no_number_is_no_value() {
        assert_eq!(normalised(f64::NAN), None);
        assert_eq!(normalised(f64::INFINITY), Some(1.0));
        assert_eq!(normalised(-3.0), Some(0.0));
    }
}
