//! What was measured of maps, maps with a sign, and what controls are called.

use std::fs;
use std::path::{Path, PathBuf};

use burncam_evaluation::{Grid, Values, resample};
use burncam_render::{Colormap, Scale};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::chromium::Chromium;
use crate::maps::set;
use crate::page::{Test, burncam, check, opened, run_with, shown};

pub(crate) const TESTS: &[(&str, Test)] = &[
    ("images_are_filtered_and_ordered_by_what_was_measured", filtered),
    ("the_large_view_has_shares_by_region", shares),
    ("maps_with_a_sign_have_the_scale_that_was_chosen", signed),
    ("the_command_of_a_figure_tells_layers_apart", command),
    ("every_control_has_a_name", controls),
];

/// Grad-CAM at two layers, and maps with a sign.
const METHODS: [&str; 4] =
    ["--method", "grad-cam,input-x-gradient", "--layer", "conv_2x2_,concatenate"];

fn report_path(place: &TempDir) -> PathBuf {
    place.path().join("out/report.json")
}

fn report(place: &TempDir) -> Value {
    let bytes = fs::read(report_path(place)).expect("report.json");
    serde_json::from_slice(&bytes).expect("JSON")
}

/// A run whose first network's maps are measured, by made-up numbers: the deletion of the image at place `n` is `n`
/// hundredths, and every third map is highest at the eyes. Others are highest at the mouth.
fn measured() -> TempDir {
    let place = run_with(&METHODS);
    let mut json = report(&place);
    let images = json["images"].as_array_mut().expect("images");
    for (number, image) in images.iter_mut().enumerate() {
        let maps = image["results"][0]["attributions"].as_array_mut().expect("maps");
        for map in maps {
            let peak = if number % 3 == 0 { "eyes" } else { "mouth" };
            map["measured"] = json!({
                "measures": { "deletion": number as f64 / 100.0 },
                "regions": { "eyes": [0.25, 0.0625], "mouth": [0.5, 0.125] },
                "peak_region": peak,
            });
        }
    }
    fs::write(report_path(&place), json.to_string()).expect("a file");
    burncam(place.path(), &["report", "out"]);
    place
}

/// The names of the cards, in order.
fn names(chromium: &mut Chromium) -> Vec<String> {
    let names =
        "JSON.stringify([...document.querySelectorAll('.card strong')].map(e => e.textContent))";
    serde_json::from_str(&chromium.text(names)).expect("names")
}

fn filtered(browser: &Path) {
    let place = measured();
    let paths: Vec<String> = report(&place)["images"]
        .as_array()
        .expect("images")
        .iter()
        .map(|image| image["path"].as_str().expect("a path").to_owned())
        .collect();
    let mut chromium = opened(browser, &place, 1280, 900);
    assert_eq!(names(&mut chromium), paths);
    set(&mut chromium, "f-peak", "0");
    assert_eq!(shown(&mut chromium), "7 of 21 images");
    let at_eyes: Vec<String> = paths.iter().step_by(3).cloned().collect();
    assert_eq!(names(&mut chromium), at_eyes);
    // A small deletion is better.
    set(&mut chromium, "f-sort", "worst-deletion");
    let reversed: Vec<String> = at_eyes.iter().rev().cloned().collect();
    assert_eq!(names(&mut chromium), reversed);
    let value = chromium.text("document.querySelector('.card').textContent");
    assert!(value.contains("Deletion 0.180"), "{value}");
    chromium
        .until("location.hash.includes('peak=0') && location.hash.includes('sort=worst-deletion')");
    chromium.reload();
    assert_eq!(names(&mut chromium), reversed);
    assert_eq!(chromium.value("document.getElementById('more').open"), true);
    set(&mut chromium, "f-sort", "best-deletion");
    assert_eq!(names(&mut chromium), at_eyes);
    // The second network was not measured.
    set(&mut chromium, "f-model", "1");
    assert_eq!(shown(&mut chromium), "0 of 21 images");
    check(&chromium, &place);
}

fn shares(browser: &Path) {
    let place = measured();
    let mut chromium = opened(browser, &place, 1280, 900);
    set(&mut chromium, "f-model", "0");
    chromium.click(".card .open");
    chromium.until("document.getElementById('large').open");
    let rows = "JSON.stringify([...document.querySelectorAll('#large .shares tbody tr')].map(row => \
                [...row.cells].map(cell => cell.textContent.replace(/\\u00a0/g, ' '))))";
    let rows: Vec<Vec<String>> = serde_json::from_str(&chromium.text(rows)).expect("rows");
    let eyes = ["eyes", "25.0 %peak", "25.0 %peak", "25.0 %peak", "6.3 %"];
    let mouth = ["mouth", "50.0 %", "50.0 %", "50.0 %", "12.5 %"];
    assert_eq!(rows, [eyes, mouth]);
    let heads = "document.querySelectorAll('#large .shares thead th').length";
    assert_eq!(chromium.number(heads), 5.0);
    let wide = "document.querySelectorAll('#large .share')[3].offsetWidth / document.querySelector('#large .share').offsetWidth";
    let wide = chromium.number(wide);
    assert!((1.8..2.2).contains(&wide), "a share twice as large has a bar {wide} times as long");
    let numbers = chromium.text("document.querySelector('#large .numbers').textContent");
    assert!(numbers.contains("Deletion0.000, smaller is better"), "{numbers}");
    chromium.resize(390, 900);
    let sizes = "(() => { const e = document.getElementById('large'); return e.scrollWidth - e.clientWidth; })()";
    assert_eq!(chromium.number(sizes), 0.0, "the table scrolls, and not the view");
    check(&chromium, &place);
}

fn signed(browser: &Path) {
    let place = run_with(&METHODS);
    let json = report(&place);
    let explanations = json["explanations"].as_array().expect("explanations");
    let explanation = explanations.iter().position(|title| title == "Input x gradient");
    let explanation = explanation.expect("maps with a sign");
    let images = json["images"].as_array().expect("images");
    let map_of = |image: &Value| -> Value {
        let maps = image["results"][0]["attributions"].as_array().expect("maps");
        maps.iter().find(|map| map["explanation"] == explanation).expect("a map").clone()
    };
    let top = |image: &Value| map_of(image)["cell_max"].as_f64();
    let most = images.iter().filter_map(top).fold(0.0, f64::max);
    let weak = images.iter().filter(|image| top(image).is_some_and(|top| top < 0.7 * most));
    let weak = weak.min_by(|a, b| top(b).unwrap_or(0.0).total_cmp(&top(a).unwrap_or(0.0)));
    let weak = weak.expect("a map that is weaker than others");
    let factor = (top(weak).expect("a number") / most) as f32;
    let grid: Grid = serde_json::from_value(map_of(weak)["map"].clone()).expect("a map");
    let mut chromium = opened(browser, &place, 1280, 900);
    for (field, value) in [
        ("f-model", "0"),
        ("f-explanation", explanation.to_string().as_str()),
        ("f-show", "alone"),
        ("f-name", weak["path"].as_str().expect("a path")),
    ] {
        set(&mut chromium, field, value);
    }
    let canvas = "document.querySelector('.card canvas')";
    chromium.value(&format!("{canvas}.scrollIntoView({{ block: 'center' }})"));
    let drawn = format!("{canvas}.getContext('2d').getImageData(0, 0, 1, 1).data[3] === 255");
    chromium.until(&drawn);
    for (scale, factor) in [("map", 1.0), ("network", factor), ("all", factor), ("map", 1.0)] {
        set(&mut chromium, "f-scale", scale);
        let frame = "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))";
        chromium.until(frame);
        compare(&mut chromium, canvas, &grid, factor);
        let bar =
            chromium.text("[...document.querySelectorAll('#bars figure')].at(-1).textContent");
        assert!(bar.starts_with("−101signed"), "{bar}");
        assert_eq!(bar.contains("of all maps"), scale != "map", "{bar}");
    }
    assert!(chromium.happened("Runtime.exceptionThrown").is_empty(), "{:#?}", chromium.events);
}

/// The canvas has the cells times the factor, in the colours of render.
fn compare(chromium: &mut Chromium, canvas: &str, grid: &Grid, factor: f32) {
    let pixels = chromium.value(&format!(
        "(() => {{ const c = {canvas}; return [c.height, c.width, [...c.getContext('2d').getImageData(0, 0, c.width, c.height).data]]; }})()"
    ));
    let side = |place: usize| pixels[place].as_u64().expect("a side") as usize;
    let (height, width) = (side(0), side(1));
    let cells: Vec<f32> = grid.shares().iter().map(|share| share * factor).collect();
    let shares = resample(&cells, (14, 14), (height, width));
    let scale = Scale { colormap: Colormap::Viridis, values: Values::Signed, top: 1.0 };
    let found = pixels[2].as_array().expect("pixels");
    assert_eq!(found.len(), 4 * height * width);
    for (pixel, share) in found.chunks(4).zip(shares) {
        let pixel = [0, 1, 2].map(|channel| pixel[channel].as_u64().expect("a level") as u8);
        let level = |by: f32| scale.colour(share + by / 127.5);
        let near = [0.0, -1.0, 1.0].into_iter().any(|by| level(by) == pixel);
        assert!(near, "{share} is {pixel:?} and not {:?}", level(0.0));
    }
}

fn command(browser: &Path) {
    let place = run_with(&METHODS);
    let mut chromium = opened(browser, &place, 1280, 900);
    set(&mut chromium, "f-model", "0");
    chromium.click("#choice-all");
    chromium.click("#choice-command");
    let command = chromium.text("document.getElementById('told').textContent");
    let columns = command.split(" --columns ").nth(1).and_then(|rest| rest.split(' ').next());
    let columns = columns.expect("columns").trim_matches('\'').to_owned();
    let names: Vec<&str> = columns.split(',').collect();
    assert_eq!(names.len(), 4, "{columns}");
    assert!(
        names[1].ends_with(":GradCAM") && names[2].ends_with(":GradCAM_concatenate"),
        "{columns}"
    );
    burncam(place.path(), &["figure", "out", "--columns", &columns, "--out", "figure.svg"]);
    let figure = fs::read_to_string(place.path().join("figure.svg")).expect("a figure");
    assert!(figure.contains("<svg"), "{columns}");
    check(&chromium, &place);
}

fn controls(browser: &Path) {
    let place = measured();
    let mut chromium = opened(browser, &place, 1280, 900);
    let nameless = "[...document.querySelectorAll('input, select, textarea, button')].filter(e => \
                    !e.getAttribute('aria-label') && !e.textContent.trim() && \
                    ![...(e.labels ?? [])].some(label => label.textContent.trim())).map(e => e.outerHTML).join()";
    assert_eq!(chromium.text(nameless), "");
    chromium.click(".card .open");
    chromium.until("document.getElementById('large').open");
    assert_eq!(chromium.text(nameless), "", "in the large view");
    // Where the keyboard is can be seen.
    chromium.key("Tab");
    let outline = "getComputedStyle(document.activeElement).outlineStyle";
    assert_eq!(chromium.text(outline), "solid");
    check(&chromium, &place);
}
