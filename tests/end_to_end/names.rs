//! Names that would be markup, formulas or commands where they are not shown as text.
#![cfg(unix)]

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;

use crate::program::{Place, faces, files};

/// Paths of images. A name cannot hold a slash, so a folder that is a fold gives it.
const HOSTILE: [&[u8]; 13] = [
    b"<script>alert(1)</script>.png",
    b"\"><img src=x onerror=alert(1)>/\"><img src=x onerror=alert(1)>.png",
    b"=cmd()|' /C calc'!A0.png",
    b"=cmd()|' /=cmd().png",
    b"=cmd()|' /+1+1.png",
    b"=cmd()|' /-2+3.png",
    b"=cmd()|' /@x.png",
    b"</script>.png",
    b"&amp;/&amp;.png",
    b"&amp;/line\xe2\x80\xa8end, \xe2\x80\xaegnp.exe.png",
    b"&amp;/two\nlines;\r\t\"quoted\".png",
    b"&amp;/\x1b[2J\x1b]0;owned\x07\x7f\xc2\x9b.png",
    b"&amp;/not UTF-8: \xff\xfe.png",
];

/// What a run calls an image: bytes that are no UTF-8 stand as `\\xFF`.
fn shown(name: &[u8]) -> String {
    let text = |chunk: std::str::Utf8Chunk<'_>| {
        let odd: String = chunk.invalid().iter().map(|byte| format!("\\x{byte:02X}")).collect();
        format!("{}{odd}", chunk.valid())
    };
    name.utf8_chunks().map(text).collect()
}

/// Classes from a file.
const CLASSES: [&str; 2] = ["=1+1</script><script>alert(2)</script>", "@b\u{1b}[2J\u{202e}\""];

/// The faces under hostile names; the one with commands for a terminal is no image.
fn place() -> Place {
    let place = Place::new();
    let face = fs::read(faces().join("Fold0/S02_dor_01.png")).expect("a golden face");
    for name in HOSTILE {
        let path = place.path("faces").join(OsStr::from_bytes(name));
        let bytes = if name.contains(&0x1b) { &face[..100] } else { &face };
        fs::create_dir_all(path.parent().expect("a fold")).expect("a folder");
        fs::write(path, bytes).expect("a file");
    }
    place.write("classes.json", serde_json::to_string(&CLASSES).expect("text").as_bytes());
    let mut labels = csv::Writer::from_path(place.path("labels.csv")).expect("a file");
    for (at, name) in HOSTILE.iter().enumerate() {
        labels
            .write_record([String::from_utf8_lossy(name).as_ref(), CLASSES[at % 2]])
            .expect("a row");
    }
    labels.flush().expect("a file");
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

    let names: BTreeSet<String> = HOSTILE.iter().map(|name| shown(name)).collect();
    let predictions = table(&place, "out/predictions.csv", b',');
    let paths: BTreeSet<String> = predictions
        .iter()
        .map(|row| row[1].strip_prefix('\'').unwrap_or(&row[1]).to_owned())
        .collect();
    assert_eq!(paths, names);
    assert_eq!(table(&place, "out/failures.csv", b',').len(), 1);
    assert_eq!(table(&place, "out/NCNN_GradCAM/NCNN.csv", b';').len(), HOSTILE.len() - 1);

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
