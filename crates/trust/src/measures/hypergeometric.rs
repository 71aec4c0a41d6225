//! Expectations over draws without replacement.

/// The expectation of `value(h)`, where `h` is the number of marked places among `drawn` of `all`, `marked` of which
/// are marked, and every draw is as likely as another.
pub(super) fn expectation(
    all: usize,
    marked: usize,
    drawn: usize,
    value: impl Fn(usize) -> f64,
) -> f64 {
    let (fewest, most) = ((drawn + marked).saturating_sub(all), marked.min(drawn));
    // From the likeliest number outwards no weight overflows, and those that vanish do not count.
    let likeliest = (drawn + 1) as f64 * (marked + 1) as f64 / (all + 2) as f64;
    let likeliest = (likeliest as usize).clamp(fewest, most);
    // P(h + 1) / P(h)
    let ratio = |h: usize| {
        let more = (marked - h) as f64 * (drawn - h) as f64;
        more / ((h + 1) as f64 * (all + h + 1 - marked - drawn) as f64)
    };
    let (mut sum, mut weights) = (value(likeliest), 1.0);
    let mut weight = 1.0;
    for h in likeliest..most {
        weight *= ratio(h);
        sum += weight * value(h + 1);
        weights += weight;
    }
    weight = 1.0;
    for h in (fewest..likeliest).rev() {
        weight /= ratio(h);
        sum += weight * value(h);
        weights += weight;
    }
    sum / weights
}

#[cfg(test)]
mod tests {
    use super::expectation;

    #[test]
    fn the_mean_is_the_known_one() {
        for [all, marked, drawn] in
            [[10, 3, 4], [50_176, 5000, 5000], [7, 7, 3], [9, 0, 4], [9, 4, 0], [12, 10, 11]]
        {
            let mean = expectation(all, marked, drawn, |h| h as f64);
            let known = (marked * drawn) as f64 / all as f64;
            assert!((mean - known).abs() < 1e-9 * (1.0 + known), "{mean} {known}");
        }
    }
}
