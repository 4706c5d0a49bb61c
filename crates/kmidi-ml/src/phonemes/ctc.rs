//! Symbols from frames: connectionist temporal classification (Graves et al., 2006).
//!
//! A frame says a symbol or nothing (the blank); repeats without a blank between them are one symbol.

use std::collections::HashMap;

use super::frames::{LogProbs, log_add};

/// A symbol where it was found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spike {
    /// Which.
    pub symbol: u16,
    /// The first frame that says it.
    pub first_frame: usize,
    /// The last one.
    pub last_frame: usize,
    /// The highest probability that it has in these, 0 to 1.
    pub probability: f32,
}

/// What is said of symbols beside what the frames say.
#[derive(Clone, Copy, Debug)]
pub struct Bias {
    /// The symbol that says nothing.
    pub blank: u16,
    /// Added to its logarithm.
    pub blank_bias: f32,
}

impl Bias {
    fn of(&self, symbol: usize, log_prob: f32) -> f32 {
        if symbol == usize::from(self.blank) { log_prob + self.blank_bias } else { log_prob }
    }
}

/// The best symbol of each frame, repeats and blanks taken out.
pub fn greedy(frames: LogProbs<'_>, bias: Bias) -> Vec<Spike> {
    let mut spikes: Vec<Spike> = vec![];
    let mut before = bias.blank;
    for (index, frame) in frames.frames().enumerate() {
        let mut best = (0, f32::NEG_INFINITY);
        for (symbol, log_prob) in frame.iter().enumerate() {
            let log_prob = bias.of(symbol, *log_prob);
            // The first of equals.
            if log_prob > best.1 {
                best = (symbol, log_prob);
            }
        }
        let symbol = best.0 as u16;
        if symbol != bias.blank {
            let probability = frame[best.0].exp();
            match spikes.last_mut() {
                Some(last) if symbol == before => {
                    last.last_frame = index;
                    last.probability = last.probability.max(probability);
                }
                _ => spikes.push(Spike { symbol, first_frame: index, last_frame: index, probability }),
            }
        }
        before = symbol;
    }
    spikes
}

/// A symbol that is less likely than this in a frame lengthens no prefix there.
const LEAST_LOG_PROB: f32 = -9.0;

/// How likely a prefix is.
#[derive(Clone, Copy, Debug)]
struct Likelihood {
    /// If the last frame said nothing.
    blank: f32,
    /// If it said the prefix's last symbol.
    symbol: f32,
}

impl Likelihood {
    const NONE: Likelihood = Likelihood { blank: f32::NEG_INFINITY, symbol: f32::NEG_INFINITY };

    fn total(&self) -> f32 {
        log_add(self.blank, self.symbol)
    }
}

/// Prefixes as a tree: each knows what it lengthens. The root is empty.
struct Tree {
    nodes: Vec<(u32, u16)>,
    longer: HashMap<(u32, u16), u32>,
}

const ROOT: u32 = 0;

impl Tree {
    fn new() -> Self {
        Tree { nodes: vec![(ROOT, u16::MAX)], longer: HashMap::new() }
    }

    fn last(&self, node: u32) -> Option<u16> {
        (node != ROOT).then(|| self.nodes[node as usize].1)
    }

    fn longer(&mut self, node: u32, symbol: u16) -> u32 {
        let Tree { nodes, longer } = self;
        *longer.entry((node, symbol)).or_insert_with(|| {
            nodes.push((node, symbol));
            (nodes.len() - 1) as u32
        })
    }

    fn symbols(&self, mut node: u32) -> Vec<u16> {
        let mut symbols = vec![];
        while node != ROOT {
            let (parent, symbol) = self.nodes[node as usize];
            symbols.push(symbol);
            node = parent;
        }
        symbols.reverse();
        symbols
    }
}

/// The likeliest sequence of symbols, over all ways that frames can say it, as far as a search that keeps
/// `width` prefixes a frame finds it.
pub fn beam(frames: LogProbs<'_>, bias: Bias, width: usize) -> Vec<u16> {
    let mut tree = Tree::new();
    let mut kept = vec![(ROOT, Likelihood { blank: 0.0, symbol: f32::NEG_INFINITY })];
    for frame in frames.frames() {
        let blank = bias.of(bias.blank.into(), frame[usize::from(bias.blank)]);
        let likely = |it: &(usize, &f32)| *it.1 > LEAST_LOG_PROB && it.0 != usize::from(bias.blank);
        let candidates: Vec<(u16, f32)> =
            frame.iter().enumerate().filter(likely).map(|(symbol, p)| (symbol as u16, *p)).collect();
        let mut next: HashMap<u32, Likelihood> = HashMap::new();
        for (node, now) in &kept {
            let last = tree.last(*node);
            let same = next.entry(*node).or_insert(Likelihood::NONE);
            same.blank = log_add(same.blank, now.total() + blank);
            if let Some(last) = last {
                same.symbol = log_add(same.symbol, now.symbol + frame[usize::from(last)]);
            }
            for (symbol, p) in &candidates {
                // The same symbol again needs a blank before it.
                let before = if last == Some(*symbol) { now.blank } else { now.total() };
                let longer = next.entry(tree.longer(*node, *symbol)).or_insert(Likelihood::NONE);
                longer.symbol = log_add(longer.symbol, before + p);
            }
        }
        kept.clear();
        kept.extend(next);
        // Equals in the order in which they were found, so that it is the same each time.
        kept.sort_unstable_by(|a, b| b.1.total().total_cmp(&a.1.total()).then(a.0.cmp(&b.0)));
        kept.truncate(width.max(1));
    }
    tree.symbols(kept[0].0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const BIAS: Bias = Bias { blank: 0, blank_bias: 0.0 };

    fn symbols(spikes: &[Spike]) -> Vec<u16> {
        spikes.iter().map(|it| it.symbol).collect()
    }

    /// Frames that each say one symbol with that probability, and the others alike.
    fn saying(path: &[u16], probability: f32, count: usize) -> Vec<f32> {
        let rest = ((1.0 - probability) / (count - 1) as f32).ln();
        let frame = |said: &u16| {
            let said = usize::from(*said);
            (0..count).map(move |it| if it == said { probability.ln() } else { rest }).collect::<Vec<_>>()
        };
        path.iter().flat_map(frame).collect()
    }

    #[test]
    fn repeats_are_one_and_a_blank_parts_them() {
        let values = saying(&[0, 1, 1, 0, 1, 2, 2, 0, 0], 0.9, 3);
        let spikes = greedy(LogProbs::new(&values, 3), BIAS);
        assert_eq!(symbols(&spikes), [1, 1, 2]);
        let frames: Vec<_> = spikes.iter().map(|it| (it.first_frame, it.last_frame)).collect();
        assert_eq!(frames, [(1, 2), (4, 4), (5, 6)]);
        assert!((spikes[0].probability - 0.9).abs() < 1e-6);
    }

    #[test]
    fn nothing_is_said_in_no_frames_and_in_blank_ones() {
        for path in [&[][..], &[0, 0, 0]] {
            let values = saying(path, 0.9, 3);
            assert!(greedy(LogProbs::new(&values, 3), BIAS).is_empty());
            assert!(beam(LogProbs::new(&values, 3), BIAS, 4).is_empty());
        }
    }

    #[test]
    fn a_beam_finds_what_many_ways_say_where_greedy_takes_the_one_best_way() {
        // The best way says nothing (0.6 * 0.6); three others say 1 (0.64 together).
        let frame = [0.6_f32.ln(), 0.4_f32.ln()];
        let values = [frame, frame].concat();
        assert!(greedy(LogProbs::new(&values, 2), BIAS).is_empty());
        assert_eq!(beam(LogProbs::new(&values, 2), BIAS, 8), [1]);
    }

    #[test]
    fn a_bias_against_the_blank_wins_close_frames() {
        let values = [0.51_f32.ln(), 0.49_f32.ln()];
        assert!(greedy(LogProbs::new(&values, 2), BIAS).is_empty());
        let bias = Bias { blank_bias: -0.1, ..BIAS };
        assert_eq!(symbols(&greedy(LogProbs::new(&values, 2), bias)), [1]);
    }

    fn normalised(weights: &[f32], count: usize) -> Vec<f32> {
        let frame = |frame: &[f32]| {
            let sum: f32 = frame.iter().sum();
            frame.iter().map(|it| (it / sum).ln()).collect::<Vec<_>>()
        };
        weights.chunks_exact(count).flat_map(frame).collect()
    }

    fn collapsed(path: &[u16]) -> Vec<u16> {
        let mut out = vec![];
        let mut before = 0;
        for symbol in path {
            if *symbol != 0 && *symbol != before {
                out.push(*symbol);
            }
            before = *symbol;
        }
        out
    }

    /// By the definition: every way through the frames.
    fn likelihoods(values: &[f32], count: usize) -> HashMap<Vec<u16>, f64> {
        let frames = values.len() / count;
        let mut sums = HashMap::new();
        for number in 0..count.pow(frames as u32) {
            let path: Vec<u16> =
                (0..frames).map(|at| (number / count.pow(at as u32) % count) as u16).collect();
            let log: f64 = path
                .iter()
                .enumerate()
                .map(|(at, it)| f64::from(values[at * count + usize::from(*it)]))
                .sum();
            *sums.entry(collapsed(&path)).or_insert(0.0) += log.exp();
        }
        sums
    }

    proptest! {
        /// Where every frame is nearly sure, the best way is the best sequence: then, and only then, a beam of
        /// one must say what greedy says.
        #[test]
        fn a_beam_of_one_is_greedy_where_frames_are_sure(path in prop::collection::vec(0_u16..5, 0..60)) {
            let values = saying(&path, 0.95, 5);
            let frames = LogProbs::new(&values, 5);
            let greedy = symbols(&greedy(frames, BIAS));
            prop_assert_eq!(&greedy, &collapsed(&path));
            prop_assert_eq!(beam(frames, BIAS, 1), greedy);
        }

        /// A beam that keeps everything finds the likeliest sequence of all.
        #[test]
        fn a_wide_beam_finds_the_likeliest_sequence(weights in prop::collection::vec(0.05_f32..1.0, 3..=15)) {
            let values = normalised(&weights[..weights.len() / 3 * 3], 3);
            let sums = likelihoods(&values, 3);
            let best = sums.values().copied().fold(0.0, f64::max);
            let found = beam(LogProbs::new(&values, 3), BIAS, 10_000);
            prop_assert!(sums[&found] > best - 1e-5, "{found:?} has {} of {best}", sums[&found]);
        }
    }
}
