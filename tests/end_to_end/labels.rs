//! True classes, by every rule.

use crate::program::{Place, Run};

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
