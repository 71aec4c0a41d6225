//! Networks that prepare their own input, as a user runs them.

use std::collections::HashMap;

use serde_json::{Value, json};

use crate::program::Place;

/// A place with Keras's files and one face, of 320 x 320 pixels.
fn place() -> Place {
    let place = Place::new();
    place.unpack_fronts();
    place.face("Fold0/S02_dor_01.png", "faces/Fold0/S02_dor_01.png");
    place
}

fn explained(place: &Place, weights: &str, more: &[&str]) -> HashMap<String, String> {
    let arguments = ["explain", "--weights", weights, "--data", "faces", "--out", "out"];
    let run = place.burncam(&[&arguments[..], &["--overwrite"], more].concat());
    assert_eq!(run.code, 0, "{weights}: {}", run.stderr);
    place.predictions().remove(0)
}

/// The logits of the one row.
fn logits(row: &HashMap<String, String>) -> [f64; 2] {
    ["Pain", "No_pain"].map(|class| row[&format!("logit_{class}")].parse().expect("a number"))
}

#[test]
fn what_a_network_does_itself_is_shown() {
    let place = place();
    for (name, file) in [("resized", "k3/nearest_nested.h5"), ("any_size", "k2/bilinear_open.h5")] {
        let run = place.burncam(&["inspect", file]);
        assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{file}");
        // The layers stand between.
        let parts: Vec<&str> = run.stdout.split("\n\n").collect();
        let shown = [parts[0], parts[2]].join("\n\n");
        insta::assert_snapshot!(format!("front_{name}"), shown);
    }
}

/// The size that the file declares comes first, by `--resize`; without one, that has no say.
#[test]
fn images_go_through_the_networks_own_size() {
    let place = place();
    for (file, has_a_say) in [("k2/bilinear.h5", true), ("k2/bilinear_open.h5", false)] {
        let expected: Value = serde_json::from_str(&place.read("k2/logits.json")).expect("JSON");
        let expected = &expected[file.trim_start_matches("k2/")];
        let found = logits(&explained(&place, file, &[]));
        for (class, found) in found.iter().enumerate() {
            let expected = expected[class].as_f64().expect("a number");
            assert!((found - expected).abs() < 1e-5, "{file}: {found} and {expected}");
        }
        let other = logits(&explained(&place, file, &["--resize", "bilinear"]));
        assert_eq!(other != found, has_a_say, "{file}");

        let run = place.burncam(&["convert", "--weights", file, "--out", "a.bpk", "--overwrite"]);
        assert_eq!(run.code, 0, "{file}: {}", run.stderr);
        assert_eq!(logits(&explained(&place, "a.bpk", &[])), found, "{file}");
    }
    let record: Value = serde_json::from_str(&place.read("out/run.json")).expect("JSON");
    let (input, third) = (&record["models"][0]["input"], json!(0.406_f32));
    assert_eq!(input["resizing"], json!({ "from": null, "interpolation": "bilinear" }));
    assert_eq!(input["steps"][1]["standardize"]["mean"][2], third);
    let warnings = record["warnings"].to_string();
    assert!(warnings.contains("`--resize` changes nothing"), "{warnings}");
}
