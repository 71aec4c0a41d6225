//! Integrated gradients: each pixel times its mean gradient on the way from an empty image.

use burncam_net::Tap;

use super::baseline::BASELINE;
use crate::{
    AttributionError, Explanation, Inference, Likeness, Maps, Method, MethodOption, Needs, Passes,
    Peer, Sign,
};

pub(super) static INTEGRATED_GRADIENTS: Method = Method {
    name: "integrated-gradients",
    title: "Integrated gradients",
    folder: "IntegratedGradients",
    summary: "each pixel times its mean gradient on the way from an empty image",
    paper: "Sundararajan et al., Axiomatic Attribution for Deep Networks, ICML 2017",
    url: "https://arxiv.org/abs/1703.01365",
    needs: Needs { passes: Passes::Option("steps"), ..Needs::COPIES },
    sign: Sign::Signed,
    options: &[STEPS, RULE, BASELINE],
    peers: &[
        (Peer::Captum, Likeness::Options("")),
        (Peer::Xplique, Likeness::Options("rule=trapezoid")),
    ],
    attribute,
};

const STEPS: MethodOption = MethodOption::count("steps", 50, "points of the way");
const RULE: MethodOption = MethodOption::word(
    "rule",
    &["gauss-legendre", "trapezoid"],
    "how the integral is computed: by Gauss and Legendre's points, or by points equally far from each other",
);

/// By default the way begins where everything that enters the network is 0, what the preprocessing makes of the mean
/// colour, or of black. The integral is Gauss and Legendre's, as in Captum, so the values of a map sum closely to what
/// the logit has gained.
fn attribute(
    inference: &mut Inference<'_>,
    explanation: &Explanation,
) -> Result<Maps, AttributionError> {
    let (images, steps) = (inference.images(), explanation.settings.count("steps"));
    let baseline = explanation.settings.number("baseline") as f32;
    let way = images - baseline;
    let points = match explanation.settings.is("rule", "trapezoid") {
        true => trapezoid(steps),
        false => gauss_legendre(steps),
    };
    let mut sum = None;
    for (place, weight) in points {
        let image = way.clone() * place as f32 + baseline;
        let gradients = inference.gradients_of(image, &Tap::Input)? * weight as f32;
        sum = Some(match sum {
            None => gradients,
            Some(sum) => sum + gradients,
        });
    }
    let sum = sum.ok_or(AttributionError::Layers { count: 0 })?;
    Ok(Maps::sum_of_products(way, sum))
}

/// Points in 0..=1 and their weights: half at both ends.
fn trapezoid(count: usize) -> Vec<(f64, f64)> {
    if count == 1 {
        return vec![(0.0, 1.0)];
    }
    let last = count - 1;
    let weight = |index| if index == 0 || index == last { 0.5 } else { 1.0 };
    (0..count).map(|i| (i as f64 / last as f64, weight(i) / last as f64)).collect()
}

/// Points in 0..1 and their weights, by Newton's method on the Legendre polynomial.
fn gauss_legendre(count: usize) -> Vec<(f64, f64)> {
    let point = |index: usize| {
        let mut x = (std::f64::consts::PI * (index as f64 + 0.75) / (count as f64 + 0.5)).cos();
        loop {
            let (mut before, mut value) = (1.0, x);
            for order in 2..=count {
                let order = order as f64;
                (before, value) =
                    (value, ((2.0 * order - 1.0) * x * value - (order - 1.0) * before) / order);
            }
            let slope = count as f64 * (x * value - before) / (x * x - 1.0);
            let step = value / slope;
            x -= step;
            if step.abs() < 1e-15 {
                return ((1.0 + x) / 2.0, 1.0 / ((1.0 - x * x) * slope * slope));
            }
        }
    };
    (0..count).rev().map(point).collect()
}

#[cfg(test)]
mod tests {
    use super::gauss_legendre;

    #[test]
    fn polynomials_are_integrated() {
        for count in [1, 2, 5, 50] {
            let points = gauss_legendre(count);
            for power in 0..(2 * count).min(20) as i32 {
                let sum: f64 = points.iter().map(|(x, weight)| weight * x.powi(power)).sum();
                assert!((sum - 1.0 / f64::from(power + 1)).abs() < 1e-13, "{count} {power} {sum}");
            }
        }
    }
}
