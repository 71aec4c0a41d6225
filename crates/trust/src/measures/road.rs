//! ROAD.

use crate::copies::{mask, scores_without};
use crate::order::descending;
use crate::{
    Baseline, Better, Compute, Evidence, Group, Measure, Measured, Network, NetworkError, Undefined,
};

pub(super) static ROAD: Measure = Measure {
    name: "road",
    title: "ROAD",
    group: Group::Faithfulness,
    question: "Does the score suffer more when the pixels that the map ranks highest are painted \
               over than when those that it ranks lowest are?",
    formula: "(mean score with the least relevant p % removed - mean score with the most relevant \
              p % removed) / 2, p = 10, 20 .. 90; removed pixels are filled in from their \
              neighbours, with little noise",
    source: "Rong, Leemann, Borisov, Kasneci, Kasneci, ROAD, ICML 2022",
    url: "https://arxiv.org/abs/2202.00449",
    misleads: "Filling in blurs: coarse maps leave large holes that vanish smoothly, fine maps \
               leave pixels that can be guessed from their neighbours, so maps of different \
               coarseness do not compare fairly. Near 0 the map ranks no better than chance.",
    better: Some(Better::Higher),
    range: [f64::NEG_INFINITY, f64::INFINITY],
    limit: None,
    compute: Compute::Network(road),
};

fn road(map: &Evidence, network: &mut Network<'_>) -> Measured {
    let most = match mean_score(map, network, End::Most)? {
        Ok(most) => most,
        Err(undefined) => return Ok(Err(undefined)),
    };
    Ok(mean_score(map, network, End::Least)?.map(|least| (least - most) / 2.0))
}

/// Which pixels are removed first.
#[derive(Clone, Copy)]
pub(crate) enum End {
    /// Those of the largest values.
    Most,
    /// Those of the smallest values.
    Least,
}

impl End {
    /// What the scores are remembered as.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Most => "scores without the most relevant",
            Self::Least => "scores without the least relevant",
        }
    }
}

/// The mean score with 10, 20 .. 90 % of the pixels removed, always by ROAD's imputation. Counts
/// are exact, half a pixel rounded up, and both ends are of one order: without the `p` % of the
/// most relevant pixels, those are left that are the `100 - p` % of the least relevant.
pub(super) fn mean_score(map: &Evidence, network: &mut Network<'_>, end: End) -> Measured {
    let scores = network.remembered(end.name(), |network| imputed_scores(map, network, end))?;
    Ok(scores.map(|scores| scores.iter().sum::<f64>() / scores.len() as f64))
}

fn imputed_scores(
    map: &Evidence,
    network: &mut Network<'_>,
    end: End,
) -> Result<Result<Vec<f64>, Undefined>, NetworkError> {
    let order = match descending(map) {
        Ok(order) => order,
        Err(undefined) => return Ok(Err(undefined)),
    };
    let places = order.len();
    let removed = |step: usize| {
        let count = (places * (step + 1) + 5) / 10;
        match end {
            End::Most => mask(places, &order[..count]),
            End::Least => mask(places, &order[places - count..]),
        }
    };
    scores_without(network, Baseline::NoisyLinear, 9, removed)
}
