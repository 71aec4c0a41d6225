//! The faithfulness measures against `tests/reference/measures/faithfulness.py`, and what holds for
//! every map.

use burncam_evaluation::Values;
use burncam_trust::{
    Baseline, Compute, Evidence, Group, Image, MEASURES, Measure, Memory, Network, Protocol, Scale,
    Score, Undefined, curve, find,
};
use proptest::prelude::*;
use serde_json::Value;

const GOLDENS: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/goldens/measures/faithfulness.json");

const BLACK: [f32; 3] = [-1.5, -1.25, -1.0];

const BASELINES: [(&str, Baseline); 5] = [
    ("mean", Baseline::Mean),
    ("zero", Baseline::Zero),
    ("black", Baseline::Black),
    ("blur", Baseline::Blur),
    ("noisy-linear", Baseline::NoisyLinear),
];

/// The summands `w * x^2` of the logit, `[channels, height, width]`.
fn summands(image: &[f32]) -> impl Iterator<Item = f64> {
    let weight = |index: usize| (index as f64 * 0.7 + 0.3).sin() * 0.125;
    image.iter().enumerate().map(move |(index, &x)| weight(index) * f64::from(x).powi(2))
}

fn score(image: &[f32]) -> Score {
    let logit = summands(image).sum::<f64>() + 0.25;
    Score { logit, probability: 1.0 / (1.0 + (-logit).exp()) }
}

fn explained(image: &[f32], size: [usize; 2]) -> Result<Evidence, Undefined> {
    let mut sums = vec![0.0; size[0] * size[1]];
    let places = sums.len();
    summands(image).enumerate().for_each(|(index, summand)| sums[index % places] += 2.0 * summand);
    Evidence::new(sums.into_iter().map(|sum| sum as f32).collect(), size, Values::Positive)
}

/// What a measure makes of the toy network and a map; no more than `at_once` copies may come.
fn measured(
    measure: &Measure,
    map: &Evidence,
    image: &Image,
    protocol: Protocol,
    at_once: usize,
    score: fn(&[f32]) -> Score,
) -> Result<f64, Undefined> {
    with_memory(measure, map, image, protocol, at_once, score).0
}

/// The same, and what the measure has left for others.
fn with_memory(
    measure: &Measure,
    map: &Evidence,
    image: &Image,
    protocol: Protocol,
    at_once: usize,
    score: fn(&[f32]) -> Score,
) -> (Result<f64, Undefined>, Memory) {
    let length = image.values.len();
    let mut pass = |copies: &[f32]| {
        assert!(copies.len() <= at_once * length && copies.len().is_multiple_of(length));
        Ok(copies.chunks_exact(length).map(score).collect())
    };
    let mut explain = |copies: &[f32]| {
        Ok(copies.chunks_exact(length).map(|copy| explained(copy, image.size)).collect())
    };
    let mut network = Network {
        image,
        whole: score(&image.values),
        black: &BLACK,
        seed: 77,
        at_once,
        memory: Memory::new(),
        shared: &mut Memory::new(),
        compressed: &image.values,
        protocol: &protocol,
        pass: &mut pass,
        explain: &mut explain,
    };
    let value = match measure.compute {
        Compute::Map(compute) => compute(map),
        Compute::Network(compute) => compute(map, &mut network).expect("the network works"),
        _ => panic!("no measure of faithfulness"),
    };
    (value, network.memory)
}

fn named(name: &str) -> &'static Measure {
    find(name).expect("a measure")
}

fn group() -> impl Iterator<Item = &'static Measure> {
    MEASURES.iter().copied().filter(|measure| measure.group == Group::Faithfulness)
}

fn numbers(value: &Value) -> Vec<f32> {
    value.as_array().expect("numbers").iter().map(|v| v.as_f64().expect("one") as f32).collect()
}

fn size(case: &Value) -> [usize; 2] {
    [0, 1].map(|axis| case["size"][axis].as_u64().expect("a side") as usize)
}

#[test]
fn the_measures_are_those_of_the_reference() {
    let text = std::fs::read_to_string(GOLDENS).expect("the goldens");
    let goldens: Value = serde_json::from_str(&text).expect("JSON");
    let mut compared = 0;
    for case in goldens["cases"].as_array().expect("cases") {
        let image = Image { values: numbers(&case["image"]), channels: 3, size: size(case) };
        for row in case["values"].as_array().expect("rows") {
            let name = row["map"].as_str().expect("a name");
            let kind = if name == "signed" { Values::Signed } else { Values::Positive };
            let map = Evidence::new(numbers(&case["maps"][name]), image.size, kind);
            let map = map.expect("a finite map");
            let baseline = BASELINES.into_iter().find(|(name, _)| row["baseline"] == *name);
            let logit = row["scale"] == "logit";
            let protocol = Protocol {
                scale: if logit { Scale::Logit } else { Scale::Probability },
                baseline: baseline.expect("a baseline").1,
                ..Protocol::default()
            };
            for (measure, value) in row["measures"].as_object().expect("measures") {
                let value = value.as_f64().expect("a number");
                let own = measured(named(measure), &map, &image, protocol, 16, score);
                let own = own.unwrap_or_else(|undefined| panic!("{measure}: {undefined}"));
                let difference = (own - value).abs() / value.abs().max(1.0);
                assert!(difference < 1e-6, "{measure} of {row}: {own}");
                compared += 1;
            }
        }
    }
    assert_eq!(compared, 2 * 5 * (5 * 2 * 3 + 2 * 3 + 5 * 6));
}

fn image(size: [usize; 2]) -> Image {
    let value = |index: usize| ((index * index) as f32 * 0.37).sin() + (index % 5) as f32 * 0.2;
    Image { values: (0..3 * size[0] * size[1]).map(value).collect(), channels: 3, size }
}

fn map(values: Vec<f32>, size: [usize; 2], kind: Values) -> Evidence {
    Evidence::new(values, size, kind).expect("finite values")
}

#[test]
fn maps_without_an_order_have_no_value() {
    let (size, image) = ([6, 5], image([6, 5]));
    for measure in group() {
        let one = |value| {
            let map = map(vec![value; 30], size, Values::Positive);
            measured(measure, &map, &image, Protocol::default(), 4, score)
        };
        assert_eq!(one(0.0), Err(Undefined::EmptyMap), "{}", measure.name);
        let masks = ["average-drop", "increase", "gain", "complexity"].contains(&measure.name);
        let constant = one(2.0);
        assert!(if masks { constant.is_ok() } else { constant == Err(Undefined::ConstantMap) });
    }
}

#[test]
fn scores_that_a_measure_cannot_use() {
    let values = (0..30_u8).map(f32::from).collect();
    let map = map(values, [6, 5], Values::Positive);
    let with = |measure, score| {
        measured(named(measure), &map, &image([6, 5]), Protocol::default(), 4, score)
    };
    let same = |_: &[f32]| Score { logit: 1.0, probability: 0.75 };
    assert_eq!(with("faithfulness-correlation", same), Err(Undefined::EqualScores));
    assert_eq!(with("road", same), Ok(0.0));
    assert!(with("deletion", same).is_ok_and(|area| (area - 0.75).abs() < 1e-12));
    let zero = |_: &[f32]| Score { logit: f64::NEG_INFINITY, probability: 0.0 };
    assert_eq!(with("average-drop", zero), Err(Undefined::ZeroScore));
    assert_eq!(with("gain", zero), Ok(0.0));
    let broken = |_: &[f32]| Score { logit: f64::NAN, probability: f64::NAN };
    for name in ["deletion", "insertion", "road", "gain", "adcc", "faithfulness-correlation"] {
        assert_eq!(with(name, broken), Err(Undefined::NotFinite), "{name}");
    }
}

/// The share of pixels that are not 0 in the first channel.
fn kept(image: &[f32]) -> Score {
    let places = image.len() / 3;
    let count = image[..places].iter().filter(|&&value| value != 0.0).count();
    Score { logit: count as f64, probability: count as f64 / places as f64 }
}

#[test]
fn a_curve_has_the_scores_of_its_measure() {
    let values = (0..30_u8).map(f32::from).collect();
    let (map, image) = (map(values, [6, 5], Values::Positive), image([6, 5]));
    let constant = Evidence::new(vec![2.0; 30], [6, 5], Values::Positive).expect("a finite map");
    for measure in group() {
        let (value, memory) = with_memory(measure, &map, &image, Protocol::default(), 4, score);
        let (value, curve) = (value.expect("a value"), curve(measure, &memory));
        let shares: Vec<f64> = curve.iter().map(|[share, _]| *share).collect();
        match measure.name {
            "deletion" | "insertion" => {
                let trapezoid =
                    |pair: &[[f64; 2]]| (pair[1][0] - pair[0][0]) * (pair[0][1] + pair[1][1]) / 2.0;
                let area: f64 = curve.windows(2).map(trapezoid).sum();
                assert!((area - value).abs() < 1e-3, "{}: {area} {value}", measure.name);
                assert_eq!([shares[0], shares[15]], [0.0, 1.0]);
                let whole = curve[if measure.name == "deletion" { 0 } else { 15 }][1];
                assert!((whole - score(&image.values).probability).abs() < 1e-6);
            }
            "road-most" | "road-least" => {
                let mean = curve.iter().map(|[_, score]| score).sum::<f64>() / 9.0;
                assert!((mean - value).abs() < 1e-5, "{}: {mean} {value}", measure.name);
                assert_eq!(shares, [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]);
            }
            name => assert_eq!(curve, [[0.0; 2]; 0], "{name}"),
        }
        let (_, memory) = with_memory(measure, &constant, &image, Protocol::default(), 4, score);
        assert!(burncam_trust::curve(measure, &memory).is_empty(), "{}", measure.name);
    }
}

#[test]
fn exact_counts_go_where_most_values_are_equal() {
    let size = [8, 5];
    let ones = Image { values: vec![1.0; 120], channels: 3, size };
    let mut values = vec![0.0; 40];
    values[17] = 3.0;
    let map = map(values, size, Values::Positive);
    let protocol = Protocol { baseline: Baseline::Zero, steps: 16, ..Protocol::default() };
    // The score is the share that is left, so the area below the diagonal is a half.
    for name in ["deletion", "insertion"] {
        let area = measured(named(name), &map, &ones, protocol, 3, kept).expect("a value");
        assert!((area - 0.5).abs() < 1e-12, "{name}: {area}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Where the steps divide the pixels and no values are equal, the images of an insertion are
    /// those of the deletion of the opposite map, in the opposite order.
    #[test]
    fn an_insertion_is_the_deletion_of_the_opposite(
        order in Just((1..=40).collect::<Vec<i8>>()).prop_shuffle(),
        baseline in 0..BASELINES.len(),
    ) {
        let (size, image) = ([8, 5], image([8, 5]));
        let protocol = Protocol { baseline: BASELINES[baseline].1, ..Protocol::default() };
        let one = |name, sign: f32| {
            let values = order.iter().map(|&value| sign * f32::from(value)).collect();
            measured(named(name), &map(values, size, Values::Signed), &image, protocol, 7, score)
        };
        let [insertion, deletion] = [one("insertion", 1.0), one("deletion", -1.0)];
        prop_assert!((insertion.expect("a value") - deletion.expect("a value")).abs() < 1e-12);
    }

    /// Only the order counts, and equal values are ordered row by row.
    #[test]
    fn equal_values_go_row_by_row(
        values in prop::collection::vec(0_u8..4, 54),
        baseline in 0..BASELINES.len(),
    ) {
        prop_assume!(values.iter().any(|&value| value != values[0]));
        let (size, image) = ([9, 6], image([9, 6]));
        let protocol = Protocol { baseline: BASELINES[baseline].1, ..Protocol::default() };
        let tied = values.iter().map(|&value| f32::from(value)).collect();
        let split = |(place, &value): (usize, &u8)| f32::from(value) - place as f32 / 128.0;
        let untied = values.iter().enumerate().map(split).collect();
        let [tied, untied] = [tied, untied].map(|values| map(values, size, Values::Signed));
        for name in ["deletion", "insertion", "road", "road-most", "road-least"] {
            let one = |map| measured(named(name), map, &image, protocol, 5, score);
            prop_assert_eq!(one(&tied), one(&untied), "{}", name);
        }
    }

    /// How many copies go at once does not change a bit, and values are in the measure's range.
    #[test]
    fn batches_do_not_matter(
        values in prop::collection::vec(-1.0_f32..1.0, 99),
        baseline in 0..BASELINES.len(),
    ) {
        let (size, image) = ([11, 9], image([11, 9]));
        let protocol = Protocol { baseline: BASELINES[baseline].1, ..Protocol::default() };
        let map = map(values, size, Values::Positive);
        for measure in group() {
            let [one, seven] =
                [1, 7].map(|at_once| measured(measure, &map, &image, protocol, at_once, score));
            prop_assert_eq!(one, seven, "{}", measure.name);
            let [least, most] = measure.range;
            prop_assert!(one.is_ok_and(|value| (least..=most).contains(&value)));
        }
    }
}
