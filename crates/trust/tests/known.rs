//! Maps whose measures are known, and maps that have none.

use std::collections::BTreeSet;

use burncam_evaluation::{Random, Values};
use burncam_trust::{
    CONTROLS, Compute, Evidence, Image, MEASURES, Network, Protocol, Score, Undefined, find,
};
use proptest::prelude::*;

proptest! {
    #[test]
    fn one_place_is_as_concentrated_as_can_be(places in 2_usize..200, place in 0_usize..200) {
        let mut values = vec![0.0; places];
        values[place % places] = 3.0;
        let map = map(values, [1, places]);
        let known = (places as f64 - 1.0) / places as f64;
        prop_assert!((alone("gini", &map).expect("defined") - known).abs() < 1e-12);
        prop_assert_eq!(alone("entropy", &map), Ok(0.0));
        prop_assert_eq!(alone("relative-entropy", &map), Ok(0.0));
    }

    #[test]
    fn equal_places_are_not_concentrated(places in 2_usize..200, value in 0.001_f32..1000.0) {
        let map = map(vec![value; places], [1, places]);
        prop_assert!(alone("gini", &map).expect("defined").abs() < 1e-12);
        let entropy = alone("entropy", &map).expect("defined");
        prop_assert!((entropy - (places as f64).ln()).abs() < 1e-9);
        prop_assert!((alone("relative-entropy", &map).expect("defined") - 1.0).abs() < 1e-12);
    }

    #[test]
    fn a_map_agrees_with_itself(values in prop::collection::vec(0.0_f32..1.0, 12 * 13)) {
        let map = map(values, [12, 13]);
        for name in ["spearman", "ssim", "top-decile-overlap"] {
            let value = paired(name, &map, &map).expect("defined");
            prop_assert!((value - 1.0).abs() < 1e-12, "{name}: {value}");
        }
    }
}

/// Quantus 0.6 has NaN for the complexity of such a map.
#[test]
fn an_empty_map_has_no_concentration() {
    for name in ["gini", "entropy", "relative-entropy", "border-share"] {
        assert_eq!(alone(name, &map(vec![0.0; 12], [3, 4])), Err(Undefined::EmptyMap), "{name}");
    }
    assert_eq!(alone("relative-entropy", &map(vec![2.0], [1, 1])), Err(Undefined::ConstantMap));
}

#[test]
fn the_border_of_a_flat_map_is_its_share_of_the_area() {
    let flat = map(vec![1.0; 32 * 48], [32, 48]);
    let share = alone("border-share", &flat).expect("defined");
    assert!((share - (1.0 - 28.0 * 42.0 / (32.0 * 48.0))).abs() < 1e-12, "{share}");
    assert_eq!(alone("border-share", &map(vec![1.0; 4], [2, 2])), Ok(1.0));
}

#[test]
fn constant_maps_agree_with_none() {
    let (flat, empty) = (map(vec![1.0; 6], [2, 3]), map(vec![0.0; 6], [2, 3]));
    let ramp = map((0..6).map(|value| value as f32).collect(), [2, 3]);
    for name in ["spearman", "ssim", "top-decile-overlap"] {
        for (a, b) in [(&flat, &ramp), (&ramp, &flat)] {
            assert_eq!(paired(name, a, b), Err(Undefined::ConstantMap), "{name}");
        }
        assert_eq!(paired(name, &ramp, &empty), Err(Undefined::EmptyMap), "{name}");
    }
}

#[test]
fn a_map_that_moves_along_is_not_sensitive_to_shifts() {
    let image = image(|place| ((place * 37) % 11) as f32);
    let first = |copy: &[f32]| Ok(map(copy[..30].to_vec(), [5, 6]));
    let value = asked("shift-sensitivity", &image, &first);
    assert_eq!(value, Ok(0.0));
    assert!(asked("max-sensitivity", &image, &first) >= asked("mean-sensitivity", &image, &first));
}

#[test]
fn what_cannot_be_asked_of_the_network_has_no_value() {
    let names = ["max-sensitivity", "mean-sensitivity", "shift-sensitivity"];
    let varied = image(|place| place as f32);
    for name in names {
        let empty = |copy: &[f32]| Ok(map(vec![0.0; copy.len() / 2], [5, 6]));
        assert_eq!(asked(name, &varied, &empty), Err(Undefined::EmptyMap), "{name}");
        let broken = |copy: &[f32]| match copy == varied.values {
            true => Ok(map(vec![1.0; 30], [5, 6])),
            false => Err(Undefined::NotFinite),
        };
        assert_eq!(asked(name, &varied, &broken), Err(Undefined::NotFinite), "{name}");
    }
    let ones = |_: &[f32]| Ok(map(vec![1.0; 30], [5, 6]));
    for name in &names[..2] {
        assert_eq!(asked(name, &image(|_| 0.5), &ones), Err(Undefined::ConstantImage), "{name}");
    }
    assert_eq!(asked("shift-sensitivity", &image(|_| 0.5), &ones), Ok(0.0));
}

#[test]
fn controls_know_the_image_alone() {
    let flat = image(|_| 0.3);
    for control in CONTROLS {
        let made = (control.make)(&flat, 7);
        assert_eq!((made.size, made.values.len()), ([5, 6], 30));
        assert_eq!(made, (control.make)(&flat, 7), "{}", control.name);
        let is_empty = made.values.iter().all(|&value| value == 0.0);
        assert_eq!(is_empty, ["sobel", "canny"].contains(&control.name), "{}", control.name);
    }
    let mut random = Random::new(7);
    let drawn = (CONTROLS[0].make)(&flat, 7).values;
    assert!(drawn.iter().all(|&value| value == random.share()));
}

#[test]
fn names_are_unique_and_texts_are_whole() {
    let names: BTreeSet<_> = MEASURES.iter().map(|measure| measure.name).collect();
    assert_eq!(names.len(), MEASURES.len());
    for measure in MEASURES {
        let texts = [measure.formula, measure.source, measure.misleads, measure.title];
        assert!(texts.iter().all(|text| !text.is_empty()), "{}", measure.name);
        assert!(measure.question.ends_with('?') && measure.url.starts_with("https://"));
        assert!(measure.range[0] < measure.range[1], "{}", measure.name);
    }
}

/// Two channels of 5 x 6.
fn image(value: impl Fn(usize) -> f32) -> Image {
    Image { values: (0..60).map(value).collect(), channels: 2, size: [5, 6] }
}

fn map(values: Vec<f32>, size: [usize; 2]) -> Evidence {
    Evidence::new(values, size, Values::Sizes).expect("finite")
}

fn alone(name: &str, map: &Evidence) -> Result<f64, Undefined> {
    match find(name).map(|measure| &measure.compute) {
        Some(Compute::Map(compute)) => compute(map),
        _ => panic!("{name} is no measure of a map"),
    }
}

fn paired(name: &str, a: &Evidence, b: &Evidence) -> Result<f64, Undefined> {
    match find(name).map(|measure| &measure.compute) {
        Some(Compute::Pair(compute)) => compute(a, b),
        _ => panic!("{name} is no measure of two maps"),
    }
}

fn asked(
    name: &str,
    image: &Image,
    explain: &dyn Fn(&[f32]) -> Result<Evidence, Undefined>,
) -> Result<f64, Undefined> {
    let Some(Compute::Network(compute)) = find(name).map(|measure| &measure.compute) else {
        panic!("{name} asks no network")
    };
    let map = explain(&image.values)?;
    let mut network = Network {
        image,
        whole: Score { logit: 1.0, probability: 0.5 },
        black: &[0.0; 2],
        seed: 5,
        at_once: 4,
        protocol: &Protocol::default(),
        memory: burncam_trust::Memory::new(),
        shared: &mut burncam_trust::Memory::new(),
        compressed: &image.values,
        pass: &mut |_| panic!("no score is asked for"),
        explain: &mut |copies| Ok(copies.chunks_exact(60).map(explain).collect()),
    };
    compute(&map, &mut network).expect("a network")
}
