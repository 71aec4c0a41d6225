//! True classes, by every rule.

use serde_json::{Value, json};

use crate::program::{Place, Run, goldens, weights};

/// Image name, label and outcome of each row.
fn labelled(place: &Place) -> Vec<(String, String, String)> {
    let cell = |row: &std::collections::HashMap<String, String>, column: &str| row[column].clone();
    let rows = place.predictions();
    rows.iter().map(|r| (cell(r, "path"), cell(r, "label"), cell(r, "outcome"))).collect()
}

fn labels(rows: &[(String, String, String)]) -> Vec<(&str, &str)> {
    rows.iter().map(|(path, label, _)| (path.as_str(), label.as_str())).collect()
}

fn ok(run: &Run) {
    assert_eq!(run.code, 0, "{}", run.stderr);
}

fn place() -> Place {
    let place = Place::new();
    for (face, to) in [
        ("Fold0/S01_sem_dor_01.png", "faces/A/S01_sem_dor_01.png"),
        ("Fold9/assembly_dor.png", "faces/A/assembly_dor.png"),
        ("Fold9/U07_SEM_DOR.PNG", "faces/B/U07_SEM_DOR.PNG"),
        ("Fold9/forest_dor.png", "faces/B/C01_cry_1.png"),
    ] {
        place.face(face, to);
    }
    place
}

#[test]
fn the_notebooks_rule_warns_where_whole_words_say_otherwise() {
    let place = place();
    let run = place.explain(&[]);
    ok(&run);
    assert_eq!(
        labels(&labelled(&place)),
        [
            ("A/S01_sem_dor_01.png", "No_pain"),
            ("A/assembly_dor.png", "No_pain"),
            ("B/C01_cry_1.png", "Pain"),
            ("B/U07_SEM_DOR.PNG", "Pain"),
        ]
    );
    assert_eq!(
        run.stderr.matches("warning: the notebook's label rule").count(),
        1,
        "{}",
        run.stderr
    );
    for (image, read) in [
        ("A/assembly_dor.png: taken for No_pain", "Pain"),
        ("B/C01_cry_1.png: taken for Pain", "No_pain"),
        ("B/U07_SEM_DOR.PNG: taken for Pain", "No_pain"),
    ] {
        let line = format!("{image}, whole words say {read}");
        assert!(run.stderr.contains(&line), "{line} in {}", run.stderr);
    }
    assert!(!run.stderr.contains("S01_sem_dor_01"), "{}", run.stderr);
}

#[test]
fn whole_words_label_and_the_rest_is_unknown_in_its_own_folder() {
    let place = place();
    let run = place.explain(&["--labels", "tokens:No_pain=sem,rest;Pain=dor,stick"]);
    ok(&run);
    let rows = labelled(&place);
    assert_eq!(
        labels(&rows),
        [
            ("A/S01_sem_dor_01.png", "No_pain"),
            ("A/assembly_dor.png", "Pain"),
            ("B/C01_cry_1.png", ""),
            ("B/U07_SEM_DOR.PNG", "No_pain"),
        ]
    );
    assert_eq!(rows[2].2, "Unknown");
    assert!(place.path("out/NCNN_GradCAM/B/Unknown/NCNN_C01_cry_1.png").is_file());
    assert!(place.path("out/NCNN_GradCAM/All/Unknown/NCNN_C01_cry_1.png").is_file());
    let report = place.read("out/NCNN_GradCAM/NCNN.csv");
    let row = report.lines().find(|line| line.contains("C01_cry_1")).expect("its row");
    assert!(row.starts_with("B;C01_cry_1;unknown;") && row.ends_with(";Unknown"), "{row}");
}

#[test]
fn class_folders_label() {
    let place = Place::new();
    place.face("Fold0/S01_sem_dor_01.png", "faces/F0/no_pain/a.png");
    place.face("Fold0/S02_dor_01.png", "faces/F1/Pain/a.png");
    place.face("Fold0/S02_dor_01.png", "faces/F1/other/b.png");
    ok(&place.explain(&["--labels", "dirs"]));
    assert_eq!(
        labels(&labelled(&place)),
        [("F0/no_pain/a.png", "No_pain"), ("F1/Pain/a.png", "Pain"), ("F1/other/b.png", "")]
    );
}

fn record(place: &Place) -> Value {
    serde_json::from_str(&place.read("out/run.json")).expect("a record")
}

/// The layout of torchvision's ImageFolder and of image_dataset_from_directory.
#[test]
fn folders_that_are_called_as_classes_label_by_default() {
    let place = Place::new();
    place.face("Fold0/S02_dor_01.png", "faces/Pain/p1.png");
    place.face("Fold0/S01_sem_dor_01.png", "faces/No_pain/n1.png");
    let run = place.explain(&[]);
    ok(&run);
    let rows = labelled(&place);
    assert_eq!(labels(&rows), [("No_pain/n1.png", "No_pain"), ("Pain/p1.png", "Pain")]);
    // What the network says of the two faces is in goldens/NCNN/rows.json.
    let outcomes: Vec<&str> = rows.iter().map(|(.., outcome)| outcome.as_str()).collect();
    let predicted: Vec<String> =
        place.predictions().iter().map(|row| row["predicted"].clone()).collect();
    for ((outcome, predicted), (_, label, _)) in outcomes.iter().zip(&predicted).zip(&rows) {
        assert_eq!(*outcome, if predicted == label { "Right" } else { "Wrong" });
    }
    for says in [
        "True classes: `dirs`, since the folders No_pain, Pain are named after classes (--labels auto).",
        "Images by true class: Pain 1, No_pain 1; without a true class 0.",
    ] {
        assert_eq!(run.stderr.matches(says).count(), 1, "{says} in {}", run.stderr);
    }
    let record = record(&place);
    for (pointer, value) in [
        ("/labels/requested", json!("auto")),
        ("/labels/rule", "dirs".into()),
        ("/models/0/labels", "dirs".into()),
        ("/models/0/images_per_class", json!([1, 1])),
        ("/models/0/images_unlabelled", 0.into()),
        ("/models/0/classes_from", "the notebook's order".into()),
        ("/data/folds", json!(["faces"])),
    ] {
        assert_eq!(record.pointer(pointer), Some(&value), "{pointer} of {record:#}");
    }
}

#[test]
fn class_folders_lie_below_splits_too_and_other_images_are_listed() {
    let place = Place::new();
    for to in ["train/no-pain/a.png", "val/PAIN/b.png", "test/c.png"] {
        place.face("Fold0/S02_dor_01.png", &format!("faces/{to}"));
    }
    let run = place.explain(&["--labels", "auto"]);
    ok(&run);
    assert_eq!(
        labels(&labelled(&place)),
        [("test/c.png", ""), ("train/no-pain/a.png", "No_pain"), ("val/PAIN/b.png", "Pain")]
    );
    assert_eq!(record(&place)["data"]["folds"], json!(["test", "train", "val"]));
    assert!(run.stderr.contains("no true class for 1 image by `--labels dirs`"), "{}", run.stderr);
    assert!(run.stderr.contains("without a true class 1."), "{}", run.stderr);
}

#[test]
fn names_of_one_class_only_give_none() {
    let place = Place::new();
    place.face("Fold0/S02_dor_01.png", "faces/A/p1.png");
    place.face("Fold0/S01_sem_dor_01.png", "faces/B/n1.png");
    let run = place.explain(&[]);
    ok(&run);
    let rows = labelled(&place);
    assert_eq!(labels(&rows), [("A/p1.png", ""), ("B/n1.png", "")]);
    assert!(rows.iter().all(|(.., outcome)| outcome == "Unknown"), "{rows:?}");
    assert_eq!(run.stderr.matches("warning: no true classes").count(), 1, "{}", run.stderr);
    for way in
        ["--labels dirs,", "--labels 'tokens:No_pain=sem,rest;Pain=dor'", "--labels labels.csv"]
    {
        assert!(run.stderr.contains(way), "{way} in {}", run.stderr);
    }
    assert_eq!(record(&place)["labels"]["rule"], "none");
    // The rule itself does what it did.
    let run = place.explain(&["--labels", "notebook", "--overwrite"]);
    ok(&run);
    assert_eq!(labels(&labelled(&place)), [("A/p1.png", "Pain"), ("B/n1.png", "Pain")]);
    let says = "all images with a true class (2) are Pain";
    assert!(run.stderr.contains(says), "{}", run.stderr);
    let run = place.explain(&["--labels", "none", "--overwrite"]);
    ok(&run);
    assert!(!run.stderr.contains("no true class"), "{}", run.stderr);
}

#[test]
fn folders_of_other_names_are_classes_only_when_that_is_said() {
    let place = Place::new();
    place.face("Fold0/S02_dor_01.png", "faces/dogs/1.png");
    place.face("Fold0/S01_sem_dor_01.png", "faces/cats/2.png");
    let run = place.explain(&[]);
    ok(&run);
    assert_eq!(labels(&labelled(&place)), [("cats/2.png", ""), ("dogs/1.png", "")]);
    // Python's `sorted(["dogs", "cats"])`.
    let says = "have cats = 0, dogs = 1: then add --classes cats,dogs";
    assert!(run.stderr.contains(says), "{}", run.stderr);
    let run = place.explain(&["--classes", "cats,dogs", "--overwrite"]);
    ok(&run);
    assert_eq!(labels(&labelled(&place)), [("cats/2.png", "cats"), ("dogs/1.png", "dogs")]);
    assert!(!run.stderr.contains("does not name its classes"), "{}", run.stderr);
}

#[test]
fn some_folders_called_as_classes_are_no_rule() {
    let place = Place::new();
    for (face, to) in [
        ("Fold0/S02_dor_01.png", "Pain/S02_dor_01.png"),
        ("Fold0/S01_sem_dor_01.png", "calm/S01_sem_dor_01.png"),
    ] {
        place.face(face, &format!("faces/{to}"));
    }
    let run = place.explain(&[]);
    ok(&run);
    assert!(labelled(&place).iter().all(|(_, label, _)| label.is_empty()));
    let says = "the folder Pain is named after classes, but calm is not; `--labels dirs` takes";
    assert!(run.stderr.contains(says), "{}", run.stderr);
    ok(&place.explain(&["--labels", "dirs", "--overwrite"]));
    assert_eq!(
        labels(&labelled(&place)),
        [("Pain/S02_dor_01.png", "Pain"), ("calm/S01_sem_dor_01.png", "")]
    );
}

#[test]
fn assumed_names_are_told_with_the_remedy() {
    let place = place();
    let run = place.explain(&[]);
    let says = "the file does not name its classes: output 0 is taken for Pain and output 1 for \
                No_pain, as in the notebook. Loaders that sort folders, such as ImageFolder and \
                image_dataset_from_directory, have No_pain = 0 and Pain = 1: then add --classes \
                No_pain,Pain";
    assert_eq!(run.stderr.matches(says).count(), 1, "{}", run.stderr);
    let run = place.explain(&["--classes", "No_pain,Pain", "--overwrite"]);
    ok(&run);
    assert!(!run.stderr.contains("does not name its classes"), "{}", run.stderr);
    assert_eq!(record(&place)["models"][0]["classes_from"], "--classes");
}

/// A dataset of one fold in class folders, and a network of its own for each fold.
#[test]
fn networks_of_folds_explain_class_folders() {
    let place = Place::new();
    let bytes = std::fs::read(weights("NCNN_k2.h5")).expect("a checkpoint");
    for (fold, class) in [("F0", "Pain"), ("F1", "No_pain")] {
        place.face("Fold0/S02_dor_01.png", &format!("faces/{fold}/{class}/1.png"));
        place.write(&format!("nets/N_{fold}.h5"), &bytes);
    }
    let explain = ["explain", "--weights", "nets/N_{fold}.h5", "--data", "faces", "--out", "out"];
    ok(&place.burncam(&explain));
    assert_eq!(
        labels(&labelled(&place)),
        [("F0/Pain/1.png", "Pain"), ("F1/No_pain/1.png", "No_pain")]
    );
}

#[test]
fn a_label_file_of_any_order_labels() {
    let place = place();
    let table =
        ",diagnosis,age,file_name\n0,No pain,3,assembly_dor.png\n1,pain,4,A/S01_sem_dor_01.png\n";
    place.write("labels.csv", table.as_bytes());
    let run = place.explain(&["--labels", "labels.csv"]);
    ok(&run);
    let rows = labelled(&place);
    assert_eq!((rows[0].1.as_str(), rows[1].1.as_str()), ("Pain", "No_pain"));
    let says = "True classes: labels.csv, images in `file_name`, classes in `diagnosis`.";
    assert!(run.stderr.contains(says), "{}", run.stderr);
    // Numbers need an order that somebody gives.
    place.write("labels.csv", b"label,file_name\n1,assembly_dor.png\n0,A/S01_sem_dor_01.png\n");
    let run = place.explain(&["--labels", "labels.csv", "--overwrite"]);
    assert_eq!(run.code, 2);
    assert!(run.stderr.contains("--classes Pain,No_pain where 0 is Pain"), "{}", run.stderr);
    let order = ["--labels", "labels.csv", "--classes", "No_pain,Pain", "--overwrite"];
    let run = place.explain(&order);
    ok(&run);
    let rows = labelled(&place);
    assert_eq!((rows[0].1.as_str(), rows[1].1.as_str()), ("No_pain", "Pain"));
    assert!(run.stderr.contains("0 is No_pain, 1 is Pain."), "{}", run.stderr);
    // Two that could be it.
    let table = "image,label,diagnosis\nassembly_dor.png,Pain,No_pain\n";
    place.write("labels.csv", table.as_bytes());
    let run = place.explain(&["--labels", "labels.csv", "--overwrite"]);
    assert_eq!(run.code, 2);
    assert!(run.stderr.contains("`label` or `diagnosis`"), "{}", run.stderr);
    let chosen = ["--labels", "labels.csv", "--label-columns", "class=diagnosis", "--overwrite"];
    ok(&place.explain(&chosen));
    assert_eq!(labelled(&place)[1].1, "No_pain");
    let run = place.explain(&["--label-columns", "class=label", "--overwrite"]);
    assert!(run.code == 2 && run.stderr.contains("needs a label file"), "{}", run.stderr);
}

#[test]
fn a_label_file_labels_by_path_or_name() {
    let place = place();
    let table = "image;class\nA/assembly_dor.png;Pain\nC01_cry_1.png;no_pain\n";
    place.write("labels.csv", table.as_bytes());
    ok(&place.explain(&["--labels", "labels.csv"]));
    assert_eq!(
        labels(&labelled(&place)),
        [
            ("A/S01_sem_dor_01.png", ""),
            ("A/assembly_dor.png", "Pain"),
            ("B/C01_cry_1.png", "No_pain"),
            ("B/U07_SEM_DOR.PNG", ""),
        ]
    );
}

#[test]
fn classes_can_be_named() {
    let place = place();
    place.write("labels.csv", b"C01_cry_1.png,calm\n");
    ok(&place.explain(&["--labels", "labels.csv", "--classes", "hurt,calm"]));
    assert_eq!(labelled(&place)[2].1, "calm");
    assert!(place.predictions()[0].contains_key("probability_calm"));
}

#[test]
fn a_spreadsheets_label_file_is_read() {
    let place = place();
    let table = "\u{feff}sep=;\r\nImagem;Classe\r\n\"A/assembly_dor.png\";Pain\r\nC01_cry_1;no_pain\r\n;;\r\n";
    place.write("labels.csv", table.as_bytes());
    ok(&place.explain(&["--labels", "labels.csv"]));
    assert_eq!(labelled(&place)[1].1, "Pain");
    assert_eq!(labelled(&place)[2].1, "No_pain");
}

#[test]
fn a_label_file_that_labels_nothing_is_an_error() {
    let place = place();
    for (table, says) in [
        ("x.png;Pain\n", "labels none of the images"),
        ("A/assembly_dor.png;Pian\n", "no class `Pian`"),
        ("image;class\n", "labels none"),
        ("A/assembly_dor.png\n", "two columns"),
    ] {
        place.write("labels.csv", table.as_bytes());
        let run = place.explain(&["--labels", "labels.csv"]);
        assert_eq!(run.code, 2, "{table}");
        assert!(run.stderr.contains(says), "{table}: {}", run.stderr);
    }
    place.write("labels.csv", b"cora\xe7\xe3o.png;Pain\n");
    let run = place.explain(&["--labels", "labels.csv"]);
    assert!(run.stderr.contains("not in UTF-8"), "{}", run.stderr);
}

/// `goldens/class_names.zip` was made by `tests/reference/class_names.py`; whatever the image, PyTorch
/// gives the second output the probability that it printed.
#[test]
fn a_training_checkpoints_own_names_are_taken() {
    let place = Place::new();
    let archive = std::fs::File::open(goldens().join("class_names.zip")).expect("the archive");
    zip::ZipArchive::new(archive).expect("a zip").extract(place.path("")).expect("room");
    place.face("Fold0/S02_dor_01.png", "faces/Pain/p1.png");
    place.face("Fold0/S01_sem_dor_01.png", "faces/No_pain/n1.png");
    let explain = |file: &str, more: &[&str]| {
        let fixed =
            ["explain", "--weights", file, "--data", "faces", "--out", "out", "--overwrite"];
        place.burncam(&[&fixed, more].concat())
    };
    for (file, predicted, other, entry) in [
        ("image_folder.pth", "Pain", "No_pain", "the file's class_to_idx"),
        ("reversed.pth", "No_pain", "Pain", "the file's idx_to_class"),
    ] {
        let run = explain(file, &[]);
        ok(&run);
        assert!(!run.stderr.contains("does not name its classes"), "{}", run.stderr);
        for row in place.predictions() {
            assert_eq!(row["predicted"], predicted, "{file}");
            let probability: f64 =
                row[&format!("probability_{predicted}")].parse().expect("a number");
            assert!((probability - 0.880_797_028_541_564_9).abs() < 1e-6, "{probability}");
            let own = if row["path"].starts_with(predicted) { "Right" } else { "Wrong" };
            assert_eq!(row["outcome"], own, "{file}: {}", row["path"]);
        }
        let record = record(&place);
        assert_eq!(record["models"][0]["classes_from"], entry);
        let mut classes = [predicted, other];
        classes.reverse();
        assert_eq!(record["models"][0]["classes"], json!(classes));
        let run = place.burncam(&["inspect", file]);
        assert!(run.stdout.contains(&format!("({entry})")), "{}", run.stdout);
        assert!(!run.stdout.contains("to_idx: not") && !run.stdout.contains("class: not"));
    }
    for (file, says) in [
        ("disagree.pth", "`classes` has calm, crying, and `class_to_idx` has crying, calm"),
        ("three.pth", "has 3 names (calm, crying, asleep), and the network has 2 classes"),
    ] {
        let run = explain(file, &[]);
        assert!(run.code == 2 && run.stderr.contains(says), "{}", run.stderr);
        assert!(run.stderr.contains("hint: --classes"), "{}", run.stderr);
        ok(&explain(file, &["--classes", "No_pain,Pain"]));
        assert_eq!(place.predictions()[0]["predicted"], "Pain");
    }
}
