//! Measures and controls against NumPy, SciPy and scikit-image: `tests/reference/measures/maps.py`.

use std::fs;
use std::path::Path;

use burncam_evaluation::Values;
use burncam_trust::{Compute, Evidence, Image, Network, Protocol, Score, control, find};
use serde_json::Value;

#[test]
fn measures_of_a_map() {
    for group in groups() {
        for row in group.rows("alone") {
            let Compute::Map(compute) = compute(&row[0]) else { panic!("{row:?}") };
            near(compute(&group.map(&row[1])).expect("defined"), &row[2], &row);
        }
    }
}

#[test]
fn measures_with_a_mask() {
    for group in groups() {
        for row in group.rows("masked") {
            let Compute::Mask(compute) = compute(&row[0]) else { panic!("{row:?}") };
            let (value, chance) =
                compute(&group.map(&row[1]), &group.mask(&row[2])).expect("defined");
            near(value, &row[3], &row);
            near(chance, &row[4], &row);
        }
    }
}

#[test]
fn measures_of_two_maps() {
    for group in groups() {
        for row in group.rows("paired") {
            let Compute::Pair(compute) = compute(&row[0]) else { panic!("{row:?}") };
            let (a, b) = (group.map(&row[1]), group.map(&row[2]));
            near(compute(&a, &b).expect("defined"), &row[3], &row);
            near(compute(&b, &a).expect("defined"), &row[3], &row);
        }
    }
}

#[test]
fn measures_that_ask_the_network() {
    for group in groups() {
        let image = group.image();
        let map = explain(&image.values, image.size);
        for (row, at_once) in group.rows("network").iter().zip([3, 10, 64]) {
            let Compute::Network(compute) = compute(&row[0]) else { panic!("{row:?}") };
            let mut explain = |copies: &[f32]| {
                assert!(copies.len() <= at_once * image.values.len(), "more than asked for");
                let copies = copies.chunks_exact(image.values.len());
                Ok(copies.map(|copy| Ok(explain(copy, image.size))).collect())
            };
            let mut network = Network {
                image: &image,
                whole: Score { logit: 1.0, probability: 0.5 },
                black: &[0.0; 2],
                seed: group.0["seed"].as_u64().expect("a seed"),
                at_once,
                protocol: &Protocol::default(),
                memory: burncam_trust::Memory::new(),
                shared: &mut burncam_trust::Memory::new(),
                compressed: &image.values,
                pass: &mut |_| panic!("no score is asked for"),
                explain: &mut explain,
            };
            let value = compute(&map, &mut network).expect("a network").expect("defined");
            near(value, &row[1], row);
        }
    }
}

#[test]
fn controls() {
    for group in groups() {
        let (image, seed) = (group.image(), group.0["seed"].as_u64().expect("a seed"));
        for (name, expected) in group.0["controls"].as_object().expect("controls") {
            let made = (control(name).expect("a control").make)(&image, seed);
            assert_eq!(made.size, image.size);
            for (made, expected) in made.values.iter().zip(numbers(expected)) {
                assert!((made - expected).abs() < 1e-6, "{name}: {made} and not {expected}");
            }
        }
    }
}

/// One size's maps, and what is expected of them.
struct Golden(Value);

impl Golden {
    fn rows(&self, kind: &str) -> Vec<Vec<Value>> {
        let rows = self.0[kind].as_array().expect("rows");
        rows.iter().map(|row| row.as_array().expect("a row").clone()).collect()
    }

    fn size(&self) -> [usize; 2] {
        [0, 1].map(|side| self.0["size"][side].as_u64().expect("a side") as usize)
    }

    fn map(&self, name: &Value) -> Evidence {
        let name = name.as_str().expect("a name");
        let kind = if name == "signed" { Values::Signed } else { Values::Sizes };
        Evidence::new(numbers(&self.0["maps"][name]), self.size(), kind).expect("finite")
    }

    fn mask(&self, name: &Value) -> Vec<bool> {
        let bits = self.0["masks"][name.as_str().expect("a name")].as_str().expect("bits");
        bits.bytes().map(|bit| bit == b'1').collect()
    }

    fn image(&self) -> Image {
        Image { values: numbers(&self.0["image"]), channels: 2, size: self.size() }
    }
}

fn groups() -> Vec<Golden> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/goldens/measures/maps.json");
    let text = fs::read_to_string(path).expect("goldens");
    serde_json::from_str::<Vec<Value>>(&text).expect("JSON").into_iter().map(Golden).collect()
}

fn numbers(values: &Value) -> Vec<f32> {
    let values = values.as_array().expect("numbers");
    values.iter().map(|value| value.as_f64().expect("a number") as f32).collect()
}

fn compute(name: &Value) -> &'static Compute {
    &find(name.as_str().expect("a name")).expect("a measure").compute
}

fn near(value: f64, expected: &Value, row: &[Value]) {
    let expected = expected.as_f64().expect("a number");
    assert!((value - expected).abs() < 1e-6, "{value} and not {expected}: {row:?}");
}

/// As `explain` of `maps.py`.
fn explain(image: &[f32], [height, width]: [usize; 2]) -> Evidence {
    let value = |place: usize| {
        let weight = 1.0 + (place % width) as f64 / width as f64;
        let mixed = f64::from(image[place]) + 0.5 * f64::from(image[height * width + place]);
        (mixed * mixed * weight) as f32
    };
    let values = (0..height * width).map(value).collect();
    Evidence::new(values, [height, width], Values::Sizes).expect("finite")
}
