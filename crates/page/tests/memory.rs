//! Reports take hardly more memory for many images than for few.
#![cfg(target_os = "linux")]

use std::io::{self, Write};

use burncam_evaluation::{Grid, Values};
use burncam_page::{Language, Settings, compute, gather, index_html, report_json};
use burncam_record::{
    Attribution, Classification, MapMeasures, Prediction, Predictions, Rows, Run, failures_csv,
    maps_csv, notebook_csv, predictions_csv,
};
use serde_json::json;

const FEW: usize = 1000;
const MANY: usize = 50_000;

/// What an image may take while reports are made, in bytes: its place in the list, and what the
/// statistics keep of it. Its row takes ten times as much.
const AN_IMAGE: f64 = 100.0;

fn classes() -> Vec<String> {
    ["Pain", "No_pain"].map(str::to_owned).to_vec()
}

fn run() -> Run {
    let counts = json!({ "explained": 1, "failed": 0, "right": 1, "wrong": 0, "unknown": 0, "by_status": {} });
    let run = json!({
        "burncam": "0.1.0", "status": "complete", "arguments": ["explain"],
        "started": "2026-02-28T23:59:59Z", "finished": "2026-03-01T00:00:03Z",
        "models": [{
            "name": "NCNN", "architecture": "ncnn", "variant": "keras", "weights": [], "input": {},
            "target": "predicted", "classes": classes(), "labels": "notebook",
            "explanations": [{ "name": "GradCAM", "title": "Grad-CAM", "--method": "grad-cam", "--layer": ["conv_2x2_"] }],
            "head": "Dense 2", "parameters": 14, "counts": counts, "accuracy": [], "seconds": 0.25,
        }],
        "devices": [],
        "data": { "path": "faces", "images": 1, "folds": [] },
        "warnings": [], "counts": counts, "seconds": 4.5,
        "platform": { "os": "linux", "arch": "x86_64", "cpus": 2 },
    });
    serde_json::from_value(run).expect("a record")
}

/// The rows of a run as if they came from a file.
fn row(index: usize) -> Prediction {
    let classes = classes();
    let first = ((index * 7919) % 49_999) as f32 / 49_999.0;
    let name = format!("S{:05}_{index:06}.png", index / 10);
    let predicted = classes[usize::from(first < 0.5)].clone();
    let raw: Vec<f32> = (0..144).map(|cell| ((cell * (index % 7 + 3)) % 17) as f32).collect();
    Prediction {
        model: "NCNN".to_owned(),
        path: format!("Fold{}/{name}", index % 10),
        fold: format!("Fold{}", index % 10),
        label: Some(classes[index / 3 % 2].clone()),
        classification: Some(Classification {
            predicted: predicted.clone(),
            confidence: first.max(1.0 - first),
            logits: vec![first, 1.0 - first],
            probabilities: vec![first, 1.0 - first],
            milliseconds: 1.0,
        }),
        attributions: vec![Attribution {
            explanation: "GradCAM".to_owned(),
            method: "grad-cam".to_owned(),
            layers: vec!["conv_2x2_".to_owned()],
            target: predicted,
            map: MapMeasures {
                height: 12,
                width: 12,
                min: 0.0,
                max: 16.0,
                argmax: Some((0, 4)),
                own_top: None,
                status: "ok".to_owned(),
            },
            overlay: Some(format!("NCNN_GradCAM/Fold{}/Right/NCNN_{name}", index % 10)),
            grid: Grid::from_map(&raw, (12, 12), Values::Positive),
            cell_max: None,
            top: None,
            thumbnail: Some(format!("thumbs/NCNN/{name}.jpg")),
            file: None,
        }],
        measurements: Vec::new(),
        eyes_and_mouth: None,
        error: None,
    }
}

/// Writes all that a run writes of its rows; gives the number of bytes.
fn reports(count: usize) -> u64 {
    let classes = classes();
    let mut to = Counter(0);
    let tables =
        [Predictions { classes: &classes, rows: Rows::new(count, |index| Ok(row(index))) }];
    let mut settings = Settings::default();
    settings.resampling.resamples = 20;
    let subject = |path: &str| Some(path.split_once("/S")?.1.split_once('_')?.0.to_owned());
    let mut report = gather(run(), &tables, settings, subject).expect("rows");
    compute(&mut report).expect("rows");
    report_json(&report, &mut to).expect("rows");
    index_html(&report, Language::English, &mut to).expect("rows");
    predictions_csv(&tables, None, &mut to).expect("rows");
    maps_csv(&tables, &mut to).expect("rows");
    failures_csv(&tables, &mut to).expect("rows");
    notebook_csv(&tables[0].rows, &mut to).expect("rows");
    to.0
}

/// Counts what is written.
struct Counter(u64);

impl Write for Counter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The most memory so far, in bytes.
fn most() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("a process");
    let most = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("its memory");
    let kib: f64 = most.trim().trim_end_matches(" kB").parse().expect("a number");
    kib * 1024.0
}

#[test]
fn memory_does_not_grow_with_the_reports() {
    let few = reports(FEW);
    let before = most();
    let many = reports(MANY);
    let more = most() - before;
    assert!(many > few * 30, "{few} and {many} bytes");
    let an_image = more / (MANY - FEW) as f64;
    let _ = writeln!(
        io::stderr(),
        "reports take {an_image:.0} bytes an image, and write {}",
        many / MANY as u64
    );
    assert!(an_image < AN_IMAGE, "{an_image} bytes an image");
}
