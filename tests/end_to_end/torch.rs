//! PyTorch's files as a user has them: N-CNN of darkrubiks/AI-Assessment-of-Pain-in-Newborns.

use serde_json::Value;

use crate::program::{Place, Run, goldens};

fn torch(name: &str) -> String {
    goldens().join("torch/files").join(name).display().to_string()
}

fn place() -> Place {
    let place = Place::new();
    for face in ["S01_sem_dor_01.png", "S02_dor_01.png"] {
        place.face(&format!("Fold0/{face}"), &format!("faces/Fold0/{face}"));
    }
    place
}

fn explain(place: &Place, arguments: &[&str]) -> Run {
    let weights = torch("ncnn.pt");
    let fixed = ["explain", "--weights", &weights, "--data", "faces", "--out", "out"];
    let run = place.burncam(&[&fixed, arguments].concat());
    assert_eq!(run.code, 0, "{}", run.stderr);
    run
}

#[test]
fn a_state_dict_is_explained() {
    let place = place();
    let run = explain(&place, &[]);
    assert!(run.stderr.contains("the file holds weights only"), "{}", run.stderr);
    let rows = place.predictions();
    // What torch_files.py printed, by the network's one output.
    assert_eq!((rows.len(), rows[1]["predicted"].as_str()), (2, "Pain"));
    let logit: f32 = rows[1]["logit_Pain"].parse().expect("a number");
    assert!((logit - 2.493_838).abs() < 1e-4, "{logit}");
    assert_eq!(
        (rows[1]["layer"].as_str(), rows[1]["map_height"].as_str()),
        ("merge_branch.1", "11")
    );
    assert_eq!(rows[1]["label"], "Pain");
}

#[test]
fn preprocessing_can_be_named_or_given_in_numbers() {
    let logit = |arguments: &[&str]| {
        let place = place();
        explain(&place, arguments);
        let run: Value = serde_json::from_str(&place.read("out/run.json")).expect("JSON");
        let input = run.pointer("/models/0/input").or(run.pointer("/input")).expect("the input");
        (place.predictions()[1]["logit_Pain"].clone(), input["divisor"].clone())
    };
    let (own, divisor) = logit(&[]);
    assert_eq!(divisor, 255.0);
    assert_eq!(logit(&["--preprocess", "unit"]).0, own);
    let (named, divisor) = logit(&["--preprocess", "inception"]);
    assert!(named != own && divisor == 127.5, "{named}");
    assert_eq!(logit(&["--preprocess", "divide=127.5;mean=1"]).0, named);
    let refused = place().burncam(&["explain", "--preprocess", "vgg"]);
    assert!(refused.code == 2 && refused.stderr.contains("torchvision, inception, caffe"));
}

#[test]
fn classes_come_from_a_file_and_the_likeliest_stand_alone() {
    let place = place();
    let index = br#"{"1": ["n2", "crying"], "0": ["n1", "calm"]}"#;
    place.write("classes.json", index);
    explain(&place, &["--classes", "classes.json", "--top", "1"]);
    let rows = place.predictions();
    assert_eq!(
        (rows[1]["top_1_class"].as_str(), rows[1]["predicted"].as_str()),
        ("crying", "crying")
    );
    assert!(!rows[1].contains_key("logit_calm") && !rows[1].contains_key("top_2_class"));
    place.write("classes.txt", b"calm\ncrying\nasleep\n");
    let weights = torch("ncnn.pt");
    let run = place.burncam(&[
        "explain",
        "--weights",
        &weights,
        "--data",
        "faces",
        "--classes",
        "classes.txt",
    ]);
    assert!(run.code == 2 && run.stderr.contains("gives 3 names"), "{}", run.stderr);
}

#[test]
fn a_checkpoint_is_inspected() {
    let run = Place::new().burncam(&["inspect", &torch("ncnn_checkpoint.pth")]);
    assert_eq!((run.code, run.stderr.as_str()), (0, ""));
    let shown = run.stdout.replace(&goldens().display().to_string(), "GOLDENS");
    insta::assert_snapshot!("torch_checkpoint", shown);
}

/// Against what `dump_torch.py` wrote for `Fold0/S02_dor_01.png`.
#[test]
fn layers_are_compared_with_pytorchs() {
    for name in ["ncnn.pt", "ncnn_legacy.pth"] {
        let (weights, reference) = (torch(name), torch("ncnn_activations.npz"));
        let arguments = ["compare", "--weights", &weights, "--reference", &reference];
        let run = Place::new().burncam(&arguments);
        // The legacy file holds halves.
        let (code, says) = match name {
            "ncnn.pt" => (0, "Compared 6 layers and the logits: all within the tolerance"),
            _ => (1, "past the tolerance of 1e-4, first center_branch.6"),
        };
        assert_eq!(run.code, code, "{}", run.stderr);
        assert!(run.stdout.contains(says), "{}", run.stdout);
    }
}
