//! Names that would be markup, formulas or commands where they are not shown as text.
#![cfg(unix)]

use std::collections::BTreeSet;
use std::fs;

use parity::hostile::{PATHS, shown, write};

use crate::program::{Place, faces, files};

fn place() -> Place {
    let place = Place::new();
    write(&place.path(""), &fs::read(faces().join("Fold0/S02_dor_01.png")).expect("a golden face"));
    place
}

/// Whether a spreadsheet would compute this cell.
fn is_formula(cell: &str) -> bool {
    cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']) && cell.parse::<f64>().is_err()
}

/// The cells of a table without its header; every row has as many.
fn table(place: &Place, file: &str, delimiter: u8) -> Vec<Vec<String>> {
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter)
        .from_path(place.path(file))
        .expect("a table");
    let rows: Vec<Vec<String>> = reader.deserialize().map(|row| row.expect("a row")).collect();
    for cell in rows.iter().flatten() {
        assert!(!is_formula(cell), "{file}: {cell:?}");
    }
    rows
}

/// Of a long name the middle is left out, and the models' differ there only.
#[test]
fn models_with_long_names_have_folders_of_their_own() {
    let place = Place::new();
    place.face("Fold0/S02_dor_01.png", "faces/A/S02_dor_01.png");
    let bytes = fs::read(crate::program::weights("NCNN_k2.h5")).expect("a checkpoint");
    let names = ["1", "2"].map(|n| format!("NCNN_{}{n}{}.h5", "a".repeat(70), "b".repeat(70)));
    names.iter().for_each(|name| place.write(name, &bytes));
    let fixed = ["explain", "--data", "faces", "--out", "out", "--weights"];
    let run = place.burncam(&[&fixed[..], &[&names[0], &names[1]]].concat());
    assert_eq!(run.code, 0, "{}", run.stderr);
    let overlays: BTreeSet<String> =
        place.predictions().into_iter().map(|row| row["overlay"].clone()).collect();
    assert_eq!(overlays.len(), 2);
    assert!(overlays.iter().all(|path| place.path("out").join(path).is_file()), "{overlays:?}");
}

#[test]
fn hostile_names_are_text_everywhere() {
    let place = place();
    let run = place.explain(&[
        "--classes",
        "classes.json",
        "--labels",
        "labels.csv",
        "--subject",
        "(.)[^/]*$",
        "--positive",
        "\u{1b}[2J",
    ]);
    assert_eq!(run.code, 1, "{}", run.stderr);
    for text in [&run.stdout, &run.stderr] {
        let bad = text
            .chars()
            .find(|&c| c.is_control() && c != '\n' || ('\u{2028}'..='\u{202e}').contains(&c));
        assert_eq!(bad, None, "{text:?}");
    }
    let told = "&amp;/\\u001b[2J\\u001b]0;owned\\u0007\\u007f\\u009b.png: ";
    assert!(run.stdout.contains(told), "{}", run.stdout);

    let names: BTreeSet<String> = PATHS.iter().map(|name| shown(name)).collect();
    let predictions = table(&place, "out/predictions.csv", b',');
    let paths: BTreeSet<String> = predictions
        .iter()
        .map(|row| row[1].strip_prefix('\'').unwrap_or(&row[1]).to_owned())
        .collect();
    assert_eq!(paths, names);
    assert_eq!(table(&place, "out/failures.csv", b',').len(), 1);
    assert_eq!(table(&place, "out/NCNN_GradCAM/NCNN.csv", b';').len(), PATHS.len() - 1);

    let report: serde_json::Value =
        serde_json::from_str(&place.read("out/report.json")).expect("JSON");
    let images = report["images"].as_array().expect("images").iter();
    let paths: BTreeSet<String> =
        images.map(|image| image["path"].as_str().expect("a path").to_owned()).collect();
    assert_eq!(paths, names);

    let page = place.read("out/index.html");
    assert_eq!(page.matches("<script").count(), 2, "the page's own");
    assert_eq!(page.matches("</script").count(), 2);
    assert!(!page.contains("<img src=x") && page.contains("&lt;&#x2f;script&gt;"));
}

#[test]
fn nothing_is_written_outside_the_output_folder() {
    let place = place();
    let before = files(&place.path("faces"));
    let run =
        place.explain(&["--classes", "classes.json", "--labels", "labels.csv", "--maps", "npy"]);
    assert_eq!(run.code, 1, "{}", run.stderr);
    assert_eq!(files(&place.path("faces")), before);
    let beside = fs::read_dir(place.path("")).expect("a folder");
    let beside: BTreeSet<_> = beside.map(|entry| entry.expect("an entry").file_name()).collect();
    let expected = ["cache", "classes.json", "faces", "labels.csv", "out"].map(Into::into);
    assert!(beside.is_subset(&BTreeSet::from(expected)), "{beside:?}");
    for row in place.predictions().iter().filter(|row| row["error"].is_empty()) {
        assert!(place.path("out").join(&row["overlay"]).is_file(), "{row:?}");
    }
}
