//! Options from `burncam.toml` and from the record of an earlier run.

use std::fs;

use serde_json::Value;

use crate::program::{Place, weights};

/// Two faces in one fold, and a network beside them.
fn place() -> Place {
    let place = Place::new();
    place.face("Fold0/S02_dor_01.png", "study/faces/Fold0/S02_dor_01.png");
    place.face("Fold0/C03_rest_2.jpg", "study/faces/Fold0/C03_rest_2.jpg");
    place.write("study/net.h5", &fs::read(weights("NCNN_k2.h5")).expect("the golden network"));
    place
}

fn record(place: &Place, folder: &str) -> Value {
    serde_json::from_str(&place.read(&format!("{folder}/run.json"))).expect("a record")
}

const SETTINGS: &str = "\
# what every run of the study has
weights = \"net.h5\"
data = \"faces\"
classes = [\"Pain\", \"No_pain\"]
label_columns = \"image=1,class=2\"
alpha = 0.25
exact = true

[explain]
labels = \"labels.csv\"
";

/// With labels that contradict the names, so that their source shows.
const LABELS: &str = "S02_dor_01.png,No_pain\nC03_rest_2.jpg,Pain\n";

#[test]
fn options_come_from_a_file_beside_the_data_and_the_command_line_wins() {
    let place = place();
    place.write("study/burncam.toml", SETTINGS.as_bytes());
    place.write("study/labels.csv", LABELS.as_bytes());
    let run = place.burncam(&[
        "explain",
        "--data",
        "study/faces",
        "--out",
        "out",
        "--alpha",
        "0.75",
        "--exact=false",
    ]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let told = "Options from study/burncam.toml: --classes, --label-columns, --weights, --labels.";
    assert!(run.stderr.contains(told), "{}", run.stderr);
    let record = record(&place, "out");
    assert_eq!(record["options"]["--alpha"], 0.75);
    assert_eq!(record["options"]["--exact"], false);
    assert_eq!(record["labels"]["rule"], "study/labels.csv");
    assert_eq!(record["models"][0]["weights"][0]["path"], "study/net.h5");
    assert_eq!(record["settings"]["weights"], serde_json::json!(["study/net.h5"]));
    assert_eq!(record["working_folder"], "..");
    let labels: Vec<String> = place.predictions().iter().map(|row| row["label"].clone()).collect();
    assert_eq!(labels, ["Pain", "No_pain"]);
}

#[test]
fn a_file_by_name_or_here_will_do_and_a_file_among_the_images_is_none_of_them() {
    let place = place();
    place.write("study/mine.toml", b"weights = \"net.h5\"\ndata = \"faces\"\n");
    let run = place.burncam(&["explain", "--config", "study/mine.toml", "--out", "named"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let here = b"weights = [\"study/net.h5\"]\ndata = \"study/faces\"\nout = \"here\"\n";
    place.write("burncam.toml", here);
    let run = place.burncam(&["explain"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert_eq!(record(&place, "here")["counts"]["explained"], 2);
    place.write("study/faces/burncam.toml", b"weights = \"../net.h5\"\n");
    let run = place.burncam(&["explain", "--data", "study/faces", "--out", "inside"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(run.stderr.contains("study/faces/burncam.toml: --weights."), "{}", run.stderr);
    assert!(!run.stderr.contains("passed over"), "{}", run.stderr);
}

#[test]
fn what_a_file_has_and_the_command_does_not_take_is_an_error() {
    for (settings, said) in [
        (
            "wieghts = \"net.h5\"",
            "`wieghts` is no option of `explain`\nhint: did you mean `weights`?",
        ),
        (
            "purple-elephants = 3",
            "no option of `explain`\nhint: `burncam explain --help` lists them",
        ),
        ("alpha = \"much\"", "invalid value 'much' for '--alpha <A>'"),
        ("exact = 1", "`exact` is a switch, true or false"),
        ("config = \"other.toml\"", "`config` stands on the command line only"),
        ("top = 3\ntop = 4", "cannot read the options in burncam.toml"),
        (
            "label_columns = \"image=1\"\nlabel-columns = \"image=1\"",
            "`label-columns` is there twice",
        ),
        (
            "classes = [\"a,b\", \"c\"]",
            "`classes` takes one text, and `a,b` has a comma of its own",
        ),
        (
            "[explain]\nlayr = \"x\"",
            "`layr` is no option of `explain`\nhint: did you mean `layer`?",
        ),
    ] {
        let place = place();
        place.write("burncam.toml", settings.as_bytes());
        let run = place.burncam(&["explain", "--weights", "study/net.h5", "--out", "out"]);
        assert_eq!(run.code, 2, "{settings}: {}", run.stderr);
        assert!(run.stderr.contains("burncam.toml"), "{settings}: {}", run.stderr);
        assert!(run.stderr.contains(said), "{settings}: {}", run.stderr);
        assert!(!place.path("out").exists(), "{settings}");
    }
}

#[test]
fn a_run_is_done_again_from_its_record_wherever_that_is() {
    let place = place();
    let first = place.burncam(&[
        "explain",
        "--weights",
        "study/net.h5",
        "--data",
        "study/faces",
        "--out",
        "study/first",
        "--alpha",
        "0.6",
        "--labels",
        "tokens:Pain=dor;No_pain=rest",
        "--exact",
    ]);
    assert_eq!(first.code, 0, "{}", first.stderr);
    fs::rename(place.path("study"), place.path("moved")).expect("the study moves");
    // Its paths start where the study was.
    fs::create_dir(place.path("study")).expect("a folder");
    for name in ["net.h5", "faces"] {
        fs::rename(place.path("moved").join(name), place.path("study").join(name)).expect("back");
    }
    let again = place.burncam(&["explain", "--from", "moved/first/run.json", "--out", "again"]);
    assert_eq!(again.code, 0, "{}", again.stderr);
    let (a, b) = (record(&place, "moved/first"), record(&place, "again"));
    for same in ["options", "labels", "counts", "data"] {
        assert_eq!(a[same], b[same], "{same}");
    }
    let rows = |folder: &str| {
        let mut rows = place.predictions_in(folder);
        rows.iter_mut().for_each(|row| drop(row.remove("milliseconds")));
        rows
    };
    assert_eq!(rows("moved/first"), rows("again"));

    // Other weights under the old name are not taken for the same.
    let other = fs::read(weights("NCNN_k3.h5")).expect("another golden network");
    place.write("study/net.h5", &other);
    let run = place.burncam(&["explain", "--from", "again", "--out", "third"]);
    assert_eq!(run.code, 2, "{}", run.stderr);
    assert!(
        run.stderr.contains("study/net.h5 holds other weights than in the run"),
        "{}",
        run.stderr
    );
    assert!(!place.path("third").exists());
    let asked = ["explain", "--from", "again", "--weights", "study/net.h5", "--out", "third"];
    assert_eq!(place.burncam(&asked).code, 0);
}

#[test]
fn results_of_another_version_are_named() {
    let place = place();
    let explain = ["explain", "--weights", "study/net.h5", "--data", "study/faces", "--out", "out"];
    let run = place.burncam(&explain);
    assert_eq!(run.code, 0, "{}", run.stderr);
    for file in ["out/run.json", "out/report.json"] {
        let version = concat!('"', env!("CARGO_PKG_VERSION"), '"');
        let text = place.read(file).replace(version, "\"0.0.9\"");
        assert!(text.contains("0.0.9"), "{file}");
        place.write(file, text.as_bytes());
    }
    let said = "results of another Burncam than this one";
    for command in [
        &["report", "out"][..],
        &["explain", "--from", "out", "--out", "again"],
        &[&explain[..], &["--resume"]].concat(),
    ] {
        let run = place.burncam(command);
        assert_eq!(run.code, 0, "{command:?}: {}", run.stderr);
        assert!(run.stderr.contains(said), "{command:?}: {}", run.stderr);
        assert!(
            run.stderr.contains("out: 0.0.9") || run.stderr.contains("out/run.json: 0.0.9"),
            "{}",
            run.stderr
        );
    }
}
