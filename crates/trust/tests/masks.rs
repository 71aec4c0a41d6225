//! What measures with a mask say of the best map, the worst one and shuffled ones.

use burncam_evaluation::{Random, Values};
use burncam_trust::{Compute, Evidence, Undefined, find};
use proptest::prelude::*;

const NAMES: [&str; 4] = ["pointing-game", "energy-inside", "rank-accuracy", "iou"];

proptest! {
    #[test]
    fn the_mask_itself_scores_1_and_its_reverse_0(mask in mask()) {
        let map = map(mask.iter().map(|&inside| f32::from(u8::from(inside))).collect());
        let reverse = self::map(map.values.iter().map(|value| 1.0 - value).collect());
        for name in NAMES {
            let (value, chance) = measured(name, &map, &mask)?;
            prop_assert!((value - 1.0).abs() < 1e-12 && chance < 1.0, "{name}: {value} {chance}");
        }
        for name in ["pointing-game", "energy-inside"] {
            prop_assert_eq!(measured(name, &reverse, &mask)?.0, 0.0, "{}", name);
        }
        // The reverse has too few places outside a large mask, and fills up with those inside.
        if mask.iter().filter(|&&inside| inside).count() * 2 <= mask.len() {
            for name in ["rank-accuracy", "iou"] {
                prop_assert_eq!(measured(name, &reverse, &mask)?.0, 0.0, "{}", name);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    /// Few different values, so that many places are equal; the mean of 4000 shuffles is within five standard errors.
    #[test]
    fn shuffled_maps_score_what_chance_gives(
        mask in mask(), levels in 2_usize..40, seed in any::<u64>(),
    ) {
        let mut random = Random::new(seed);
        let mut values: Vec<f32> = mask.iter().map(|_| random.below(levels) as f32).collect();
        values[0] = levels as f32;
        let mut sums = [[0.0; 2]; 4];
        let times = 4000;
        for _ in 0..times {
            for last in (1..values.len()).rev() {
                values.swap(last, random.below(last + 1));
            }
            let map = map(values.clone());
            for (name, [sum, squares]) in NAMES.iter().zip(&mut sums) {
                let (value, _) = measured(name, &map, &mask)?;
                *sum += value;
                *squares += value * value;
            }
        }
        for (name, [sum, squares]) in NAMES.iter().zip(sums) {
            let (_, chance) = measured(name, &map(values.clone()), &mask)?;
            let mean = sum / f64::from(times);
            let error = ((squares / f64::from(times) - mean * mean) / f64::from(times)).sqrt();
            prop_assert!((mean - chance).abs() < 5.0 * error + 1e-9, "{name}: {mean} {chance}");
        }
    }
}

/// Quantus 0.6 takes an empty mask for a hit of the pointing game.
#[test]
fn no_mask_is_no_hit() {
    let map = map(vec![0.0, 1.0, 2.0]);
    for name in NAMES {
        assert_eq!(value(name, &map, &[false; 3]), Err(Undefined::EmptyMask), "{name}");
        assert_eq!(value(name, &map, &[true; 3]), Err(Undefined::FullMask), "{name}");
    }
}

#[test]
fn maps_that_put_nothing_first_have_no_value() {
    let mask = [true, false, false];
    for name in NAMES {
        assert_eq!(value(name, &map(vec![0.0, -0.0, 0.0]), &mask), Err(Undefined::EmptyMap));
        assert_eq!(value(name, &map(vec![0.5; 3]), &mask), Err(Undefined::ConstantMap));
    }
    let against = map(vec![-1.0, -2.0, 0.0]);
    assert_eq!(value("energy-inside", &against, &mask), Err(Undefined::EmptyMap));
}

#[test]
fn equal_highest_places_share_the_hit() {
    let map = map(vec![3.0, 3.0, 3.0, 1.0]);
    let (value, chance) =
        value("pointing-game", &map, &[true, false, false, false]).expect("defined");
    assert!((value - 1.0 / 3.0).abs() < 1e-15 && chance == 0.25);
}

/// Some places are in, some are not.
fn mask() -> impl Strategy<Value = Vec<bool>> {
    let mixed = |mask: &Vec<bool>| mask.contains(&true) && mask.contains(&false);
    prop::collection::vec(any::<bool>(), 2..60).prop_filter("places of both", mixed)
}

fn map(values: Vec<f32>) -> Evidence {
    let size = [1, values.len()];
    Evidence::new(values, size, Values::Signed).expect("finite")
}

fn value(name: &str, map: &Evidence, mask: &[bool]) -> Result<(f64, f64), Undefined> {
    let Some(Compute::Mask(compute)) = find(name).map(|measure| &measure.compute) else {
        panic!("{name} is no measure with a mask")
    };
    compute(map, mask)
}

fn measured(name: &str, map: &Evidence, mask: &[bool]) -> Result<(f64, f64), TestCaseError> {
    value(name, map, mask).map_err(|undefined| TestCaseError::fail(format!("{name}: {undefined}")))
}
