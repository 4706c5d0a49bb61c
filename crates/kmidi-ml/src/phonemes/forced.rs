//! Where symbols that are known lie in the frames: forced alignment, by Viterbi's algorithm.

use super::PhonemeError;
use super::frames::LogProbs;

/// Where one of the symbols lies.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Span {
    /// The first frame that says it.
    pub first_frame: usize,
    /// The last one.
    pub last_frame: usize,
    /// The highest probability that it has in these, 0 to 1.
    pub probability: f32,
}

/// Most frames times states: some seconds of computing.
const MAX_STEPS: usize = 3 << 27;

/// How a state was reached: from itself, from the state before it, from the one before that.
type Move = u8;

/// The likeliest way to say exactly `symbols` in this order, each in at least one frame, with nothing between
/// them or repeats of themselves; one [`Span`] for each. None where there are fewer frames than it takes.
///
/// Holds a row of scores for each so many frames and goes through these again for the way back, so that an
/// hour needs a few times what a minute needs, and not sixty times.
///
/// # Errors
/// The two together are too long, or `go_on` says that it is not wanted any more.
pub fn align(
    frames: LogProbs<'_>,
    symbols: &[u16],
    blank: u16,
    mut go_on: impl FnMut() -> Result<(), PhonemeError>,
) -> Result<Option<Vec<Span>>, PhonemeError> {
    let repeats = symbols.windows(2).filter(|pair| pair[0] == pair[1]).count();
    if symbols.is_empty() {
        return Ok(Some(vec![]));
    }
    if frames.len() < symbols.len() + repeats {
        return Ok(None);
    }
    let lattice = Lattice { frames, symbols, blank };
    if lattice.states().saturating_mul(frames.len()) > MAX_STEPS {
        let most = MAX_STEPS / frames.len() / 2;
        return Err(PhonemeError::TextTooLong { phones: symbols.len(), most });
    }
    let states = lattice.way(&mut go_on)?;
    Ok(Some(lattice.spans(&states)))
}

/// States are blanks and symbols in turn: blank, first symbol, blank, second symbol, and so on.
struct Lattice<'a> {
    frames: LogProbs<'a>,
    symbols: &'a [u16],
    blank: u16,
}

impl Lattice<'_> {
    fn states(&self) -> usize {
        self.symbols.len() * 2 + 1
    }

    fn symbol(&self, state: usize) -> u16 {
        if state % 2 == 0 { self.blank } else { self.symbols[state / 2] }
    }

    /// Whether a symbol may follow the one before it without a blank.
    fn may_skip(&self, state: usize) -> bool {
        state % 2 == 1 && state >= 3 && self.symbols[state / 2] != self.symbols[state / 2 - 1]
    }

    fn first_row(&self) -> Vec<f32> {
        let mut row = vec![f32::NEG_INFINITY; self.states()];
        row[0] = self.frames.frame(0)[usize::from(self.blank)];
        row[1] = self.frames.frame(0)[usize::from(self.symbols[0])];
        row
    }

    /// From the scores before a frame to those after it, and how each was reached.
    fn step(&self, row: &mut [f32], frame: usize, mut moved: impl FnMut(usize, Move)) {
        let log_probs = self.frames.frame(frame);
        // From the end: what is read is that of the frame before.
        for state in (0..row.len()).rev() {
            let mut best = (row[state], 0);
            if state >= 1 && row[state - 1] > best.0 {
                best = (row[state - 1], 1);
            }
            if self.may_skip(state) && row[state - 2] > best.0 {
                best = (row[state - 2], 2);
            }
            row[state] = best.0 + log_probs[usize::from(self.symbol(state))];
            moved(state, best.1);
        }
    }

    /// The state of each frame.
    fn way(&self, go_on: &mut impl FnMut() -> Result<(), PhonemeError>) -> Result<Vec<u32>, PhonemeError> {
        let stretch = (self.frames.len() as f64).sqrt().ceil() as usize;
        let mut row = self.first_row();
        // The scores at the first frame of each stretch.
        let mut kept = vec![row.clone()];
        for frame in 1..self.frames.len() {
            self.step(&mut row, frame, |_, _| ());
            if frame % stretch == 0 {
                go_on()?;
                kept.push(row.clone());
            }
        }
        let last = row.len() - 1;
        let mut state = if row[last] >= row[last - 1] { last } else { last - 1 };
        let mut way = vec![0; self.frames.len()];
        let mut moves = vec![0; stretch * row.len()];
        for (number, row) in kept.iter_mut().enumerate().rev() {
            go_on()?;
            let first = number * stretch;
            let end = (first + stretch).min(self.frames.len() - 1);
            // How the frames behind the first of this stretch were reached, the next one's first included.
            let width = row.len();
            for frame in first + 1..=end {
                let moves = &mut moves[(frame - first - 1) * width..][..width];
                self.step(row, frame, |state, it| moves[state] = it);
            }
            for frame in (first + 1..=end).rev() {
                way[frame] = state as u32;
                state -= usize::from(moves[(frame - first - 1) * width + state]);
            }
            way[first] = state as u32;
        }
        Ok(way)
    }

    fn spans(&self, way: &[u32]) -> Vec<Span> {
        let mut spans: Vec<Span> = Vec::with_capacity(self.symbols.len());
        for (frame, state) in way.iter().enumerate() {
            let state = *state as usize;
            if state % 2 == 0 {
                continue;
            }
            let probability = self.frames.frame(frame)[usize::from(self.symbol(state))].exp();
            match spans.get_mut(state / 2) {
                Some(span) => {
                    span.last_frame = frame;
                    span.probability = span.probability.max(probability);
                }
                None => spans.push(Span { first_frame: frame, last_frame: frame, probability }),
            }
        }
        spans
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn aligned(values: &[f32], count: usize, symbols: &[u16]) -> Option<Vec<Span>> {
        align(LogProbs::new(values, count), symbols, 0, || Ok(())).unwrap()
    }

    fn frames_of(path: &[u16], count: usize) -> Vec<f32> {
        let frame = |said: &u16| {
            (0..count as u16).map(|it| if it == *said { -0.1 } else { -5.0 }).collect::<Vec<_>>()
        };
        path.iter().flat_map(frame).collect()
    }

    #[test]
    fn symbols_are_found_where_they_are_said() {
        let values = frames_of(&[0, 0, 1, 1, 0, 2, 0, 0, 2, 2], 3);
        let spans = aligned(&values, 3, &[1, 2, 2]).unwrap();
        let frames: Vec<_> = spans.iter().map(|it| (it.first_frame, it.last_frame)).collect();
        assert_eq!(frames, [(2, 3), (5, 5), (8, 9)]);
    }

    #[test]
    fn too_few_frames_are_no_alignment_and_just_enough_are_one() {
        let values = frames_of(&[1, 0, 1], 3);
        assert!(aligned(&values, 3, &[1, 1]).is_some());
        assert!(aligned(&values[..6], 3, &[1, 1]).is_none(), "a repeat takes a blank");
        assert!(aligned(&values[..6], 3, &[1, 2]).is_some());
        assert!(aligned(&[], 3, &[1]).is_none());
        assert_eq!(aligned(&[], 3, &[]), Some(vec![]));
    }

    #[test]
    fn who_is_not_wanted_any_more_ends() {
        let values = frames_of(&[0; 100], 3);
        let result = align(LogProbs::new(&values, 3), &[1], 0, || Err(PhonemeError::Cancelled));
        assert!(matches!(result, Err(PhonemeError::Cancelled)));
    }

    #[test]
    fn what_would_take_minutes_is_refused() {
        let values = vec![-1.0; 40_000 * 3];
        let symbols: Vec<u16> = (0..20_000).map(|it| 1 + it % 2).collect();
        let result = align(LogProbs::new(&values, 3), &symbols, 0, || Ok(()));
        assert!(matches!(result, Err(PhonemeError::TextTooLong { .. })));
    }

    /// The best score by trying every way: what each frame says, as a state that never falls.
    fn best_score(values: &[f32], count: usize, symbols: &[u16]) -> f32 {
        fn go(lattice: &Lattice<'_>, frame: usize, state: usize) -> f32 {
            let own = lattice.frames.frame(frame)[usize::from(lattice.symbol(state))];
            if frame + 1 == lattice.frames.len() {
                let last = lattice.states() - 1;
                return if state + 1 >= last { own } else { f32::NEG_INFINITY };
            }
            let mut best = go(lattice, frame + 1, state);
            if state + 1 < lattice.states() {
                best = best.max(go(lattice, frame + 1, state + 1));
            }
            if state + 2 < lattice.states() && lattice.may_skip(state + 2) {
                best = best.max(go(lattice, frame + 1, state + 2));
            }
            own + best
        }
        let lattice = Lattice { frames: LogProbs::new(values, count), symbols, blank: 0 };
        go(&lattice, 0, 0).max(go(&lattice, 0, 1))
    }

    fn score(values: &[f32], count: usize, symbols: &[u16], spans: &[Span]) -> f32 {
        let said = |frame: usize| {
            let span = spans.iter().position(|it| (it.first_frame..=it.last_frame).contains(&frame));
            span.map_or(0, |it| symbols[it])
        };
        (0..values.len() / count).map(|frame| values[frame * count + usize::from(said(frame))]).sum()
    }

    proptest! {
        /// Every symbol has its frames, in order, none shared; a repeat has a blank before it; and no way is
        /// likelier.
        #[test]
        fn an_alignment_is_complete_monotone_and_the_likeliest(
            values in prop::collection::vec(-6.0_f32..0.0, 4 * 3..4 * 10),
            symbols in prop::collection::vec(1_u16..4, 1..5),
        ) {
            let values = &values[..values.len() / 4 * 4];
            let Some(spans) = aligned(values, 4, &symbols) else {
                let repeats = symbols.windows(2).filter(|it| it[0] == it[1]).count();
                prop_assert!(values.len() / 4 < symbols.len() + repeats);
                return Ok(());
            };
            prop_assert_eq!(spans.len(), symbols.len());
            prop_assert!(spans.iter().all(|it| it.first_frame <= it.last_frame && it.last_frame < values.len() / 4));
            for (at, pair) in spans.windows(2).enumerate() {
                let gap = usize::from(symbols[at] == symbols[at + 1]);
                prop_assert!(pair[0].last_frame + gap < pair[1].first_frame);
            }
            let (found, best) = (score(values, 4, &symbols, &spans), best_score(values, 4, &symbols));
            prop_assert!((found - best).abs() < 1e-3, "{found} of {best}");
        }
    }
}
