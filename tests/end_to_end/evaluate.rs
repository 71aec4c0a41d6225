//! Whether maps may be believed: measures, their controls, and what they come to.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::program::{Place, weights};

/// Three faces of the demo and their masks.
fn place() -> Place {
    let place = Place::new();
    for name in ["Fold0/S01_sem_dor_01.png", "Fold0/S02_dor_01.png", "Fold1/S05_dor_01.png"] {
        for folder in ["faces", "masks"] {
            let demo = concat!(env!("CARGO_MANIFEST_DIR"), "/../../assets/demo");
            let picture = std::fs::read(format!("{demo}/{folder}/{name}")).expect("of the demo");
            place.write(&format!("{folder}/{name}"), &picture);
        }
    }
    place
}

const FEW: [&str; 2] = ["--measure", "deletion,gini,energy-inside,spearman"];

#[test]
fn every_map_and_control_is_measured() {
    let (place, weights) = (place(), weights("NCNN_k2.h5"));
    let fixed = ["evaluate", "--weights", &weights, "--data", "faces", "--masks", "masks"];
    let methods = ["--method", "grad-cam,layer-cam"];
    let run = place.burncam(&[&fixed[..], &FEW, &methods, &["--out", "out"]].concat());
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(run.stdout.contains("NCNN GradCAM: better than every control by"), "{}", run.stdout);
    let table = place.read("out/measures.csv");
    let mut reader = csv::Reader::from_reader(table.as_bytes());
    let rows: Vec<csv::StringRecord> = reader.records().map(|row| row.expect("a row")).collect();
    // Of each image two maps, four controls and two maps of the untrained network by three measures, and one pair.
    assert_eq!(rows.len(), 3 * ((2 + 4 + 2) * 3 + 1));
    let controls: BTreeSet<&str> = rows.iter().map(|row| &row[7]).collect();
    let expected = ["", "canny", "centred-gaussian", "random", "sobel", "untrained"];
    assert_eq!(controls, BTreeSet::from(expected));
    for row in &rows {
        let value: f64 = row[9].parse().expect("a value");
        assert!((-1.0..=1.0).contains(&value) && row[11].is_empty(), "{row:?}");
        assert_eq!(&row[8] == "energy-inside", !row[10].is_empty(), "{row:?}");
    }
    let document: Value = serde_json::from_str(&place.read("out/measures.json")).expect("JSON");
    let model = &document["models"][0];
    assert_eq!((model["model"].as_str(), model["unit"].as_str()), (Some("NCNN"), Some("images")));
    let all = model["assessments"].as_array().expect("assessments");
    for one in all.iter().filter(|one| one["explanation"] == "GradCAM") {
        let of = |row: &&csv::StringRecord| {
            &row[6] == "GradCAM"
                && row[7].is_empty()
                && row[8] == *one["measure"].as_str().expect("")
        };
        let values: Vec<f64> =
            rows.iter().filter(of).map(|row| row[9].parse().expect("a value")).collect();
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        assert!((one["mean"]["mean"].as_f64().expect("a mean") - mean).abs() < 1e-12, "{one}");
        assert_eq!(one["verdict"].is_null(), one["measure"] == "gini", "{one}");
        assert_eq!(one["controls"].as_array().map(Vec::len), Some(5), "{one}");
    }
    // A batch of another size gives the same to the last digit, and so does a run that goes on.
    let again = ["--batch", "1", "--out", "again"];
    assert_eq!(place.burncam(&[&fixed[..], &FEW, &methods, &again].concat()).code, 0);
    assert_eq!(place.read("again/measures.csv"), table);
    let other = ["--measure", "gini", "--out", "again", "--resume"];
    let run = place.burncam(&[&fixed[..], &methods, &other].concat());
    assert_eq!(run.code, 2);
    assert!(run.stderr.contains("--measure"), "{}", run.stderr);
}

#[test]
fn measures_that_cannot_be_are_refused() {
    let (place, weights) = (place(), weights("NCNN_k2.h5"));
    let fixed = ["explain", "--weights", &weights, "--data", "faces", "--out", "out"];
    for (more, words) in [
        (&["--measure", "sharpness"][..], "there is no measure `sharpness`"),
        (&["--measure", "iou"], "--masks is the folder of masks"),
        (&["--measure", "iou", "--masks", "faces/Fold0"], "has no mask of any image"),
        (&["--measure", "gini", "--removal-steps", "0"], "--removal-steps"),
    ] {
        let run = place.burncam(&[&fixed[..], more].concat());
        assert_eq!(run.code, 2, "{more:?}");
        assert!(run.stderr.contains(words), "{more:?}: {}", run.stderr);
    }
}

#[test]
fn measures_are_listed() {
    let place = Place::new();
    let run = place.burncam(&["measures"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    for measure in burncam_trust::MEASURES {
        assert!(run.stdout.contains(measure.question), "{}", measure.name);
    }
    let run = place.burncam(&["measures", "--markdown"]);
    let document = include_str!("../../docs/trust.md");
    assert!(document.ends_with(&run.stdout), "docs/trust.md ends with what `measures` prints");
}
