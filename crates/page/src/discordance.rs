//! On how many images only one of two networks is right.

use std::collections::BTreeMap;

use crate::document::{Discordance, ImageReport};
use burncam_evaluation::{Outcome, holm, mcnemar};

/// Counts of pairs of models, image by image.
#[derive(Default)]
pub(super) struct DiscordanceSums(BTreeMap<[usize; 2], [usize; 4]>);

impl DiscordanceSums {
    /// Adds an image: each pair of models that were judged on it.
    pub(super) fn add(&mut self, image: &ImageReport) {
        let judged = image.results.iter().filter_map(|result| match result.outcome {
            Some(Outcome::Right) => Some((result.model, true)),
            Some(Outcome::Wrong) => Some((result.model, false)),
            _ => None,
        });
        let mut judged: Vec<(usize, bool)> = judged.collect();
        judged.sort_unstable();
        for (place, &(first, a)) in judged.iter().enumerate() {
            for &(second, b) in &judged[place + 1..] {
                let counts = self.0.entry([first, second]).or_default();
                counts[usize::from(!a) * 2 + usize::from(!b)] += 1;
            }
        }
    }

    /// The pairs with their tests.
    pub(super) fn finish(self) -> Vec<Discordance> {
        let one = |([first, second], counts): ([usize; 2], [usize; 4])| {
            let [both, first_only, second_only, none] = counts;
            let p = mcnemar(first_only, second_only);
            let images = both + first_only + second_only + none;
            Discordance { first, second, images, first_only, second_only, p, p_holm: None }
        };
        let mut all: Vec<Discordance> = self.0.into_iter().map(one).collect();
        let p: Vec<f64> = all.iter().filter_map(|pair| pair.p).collect();
        let mut corrected = holm(&p).into_iter();
        for pair in &mut all {
            pair.p_holm = pair.p.and_then(|_| corrected.next());
        }
        all
    }
}
