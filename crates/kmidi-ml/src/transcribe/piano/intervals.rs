//! The likeliest events of a track: intervals that do not overlap, found over all that there could be.

/// An interval, by its first and its last frame. It may begin where another ends.
pub(super) type Interval = (usize, usize);

/// What is best from each frame of a track on.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Choices {
    /// The end of the interval that begins there, or none.
    ends: Vec<Option<u16>>,
    /// Whether there is one of that frame alone.
    alone: Vec<bool>,
}

impl Choices {
    /// From the scores of all intervals: a row for each frame that one may begin at, which counts from the frame behind it on, for each
    /// frame of its length; and of those of one frame. What is not in an interval scores 0.
    pub fn best(scores: &[f32], alone: &[f32]) -> Self {
        let frames = alone.len();
        let mut best = vec![0.0_f32; frames];
        let mut ends = vec![None; frames];
        for begin in (0..frames).rev() {
            let mut most = best.get(begin + 1).copied().unwrap_or(0.0);
            let row = &scores[begin * frames..(begin + 1) * frames];
            for (length, (score, behind)) in row[begin..].iter().zip(&best[begin..]).enumerate().skip(1) {
                let with_it = behind + score * length as f32;
                if with_it > most {
                    most = with_it;
                    // A segment has some hundreds of frames.
                    ends[begin] = Some((begin + length) as u16);
                }
            }
            best[begin] = most + alone[begin].max(0.0);
        }
        Choices { ends, alone: alone.iter().map(|score| *score > 0.0).collect() }
    }

    /// The intervals from a frame on.
    pub fn path(&self, from: usize) -> Vec<Interval> {
        let last = self.alone.len() - 1;
        let (mut at, mut path) = (from, Vec::new());
        while at < last {
            if self.alone[at] {
                path.push((at, at));
            }
            match self.ends[at] {
                None => at += 1,
                Some(end) => {
                    path.push((at, usize::from(end)));
                    at = usize::from(end);
                }
            }
        }
        if self.alone[last] {
            path.push((last, last));
        }
        path
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The best sum over all sets of intervals, by trying all of them.
    fn tried(scores: &[f32], alone: &[f32], from: usize) -> f32 {
        let frames = alone.len();
        let own = alone[from].max(0.0);
        if from + 1 == frames {
            return own;
        }
        let interval =
            |end: usize| scores[from * frames + end] * (end - from) as f32 + tried(scores, alone, end);
        own + (from + 1..frames).map(interval).fold(tried(scores, alone, from + 1), f32::max)
    }

    fn sum(scores: &[f32], alone: &[f32], path: &[Interval]) -> f32 {
        let score = |(begin, end): &Interval| match begin == end {
            true => alone[*begin],
            false => scores[begin * alone.len() + end] * (end - begin) as f32,
        };
        path.iter().map(score).sum()
    }

    #[test]
    fn the_path_has_the_best_sum_that_there_is() {
        let mut state = 7_u32;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / (1 << 24) as f32 - 0.6
        };
        let mut found = 0;
        for _ in 0..200 {
            let frames = 9;
            let scores: Vec<f32> = (0..frames * frames).map(|_| next()).collect();
            let alone: Vec<f32> = (0..frames).map(|_| next()).collect();
            let choices = Choices::best(&scores, &alone);
            for from in 0..frames {
                let path = choices.path(from);
                let (ours, best) = (sum(&scores, &alone, &path), tried(&scores, &alone, from));
                assert!((ours - best).abs() < 1e-4, "{ours} {best}");
                assert!(path.iter().all(|it| it.0 >= from && it.1 >= it.0 && it.1 < frames));
                assert!(path.windows(2).all(|pair| pair[0].1 <= pair[1].0), "{path:?}");
                found += path.len();
            }
        }
        assert!(found > 1000, "{found}");
    }

    #[test]
    fn where_nothing_scores_there_is_nothing() {
        let choices = Choices::best(&[-1.0; 16], &[-1.0; 4]);
        assert_eq!(choices.path(0), []);
        // From behind the end on there is nothing to choose but the last frame.
        assert_eq!(Choices::best(&[-1.0; 16], &[1.0; 4]).path(9), [(3, 3)]);
        // Two that touch are better than one over both.
        let mut scores = [-1.0; 16];
        (scores[1], scores[7]) = (2.0, 1.0);
        assert_eq!(Choices::best(&scores, &[-1.0; 4]).path(0), [(0, 1), (1, 3)]);
    }
}
