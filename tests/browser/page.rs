//! What the page does.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use serde_json::Value;
use tempfile::TempDir;

use crate::chromium::Chromium;

pub(crate) type Test = fn(&Path);

pub(crate) const TESTS: &[(&str, Test)] = &[
    ("it_loads_without_errors_and_asks_for_nothing_else", loads),
    ("filters_choose_images", filters),
    ("the_large_view_opens_by_mouse_and_keyboard", large_view),
    ("models_stand_side_by_side", side_by_side),
    ("it_fits_a_desktop_and_a_phone", widths),
    ("names_are_text", names),
    #[cfg(unix)]
    ("hostile_names_run_nothing", hostile),
    ("five_thousand_images_do_not_freeze_it", many),
];

/// A name that would be markup if it were not shown as text; a path cannot hold a slash.
const HOSTILE: &str = "<img src=x onerror=alert(1)> & 50% #1?.png";

fn goldens() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/goldens")
}

pub(crate) fn burncam(folder: &Path, arguments: &[&str]) {
    let output = Command::new(env!("CARGO_BIN_EXE_burncam"))
        .args(arguments)
        .current_dir(folder)
        .output()
        .expect("the program starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// A run of two models over the golden faces, one with a hostile name; every map of one model is
/// unreadable.
pub(crate) fn run() -> TempDir {
    run_with(&[])
}

/// The same with more arguments.
pub(crate) fn run_with(more: &[&str]) -> TempDir {
    let place = tempfile::tempdir().expect("a folder");
    for fold in ["Fold0", "Fold1", "Fold2", "Fold9"] {
        let to = place.path().join("faces").join(fold);
        fs::create_dir_all(&to).expect("a folder");
        for file in fs::read_dir(goldens().join("faces").join(fold)).expect("golden faces") {
            let file = file.expect("a file").path();
            fs::copy(&file, to.join(file.file_name().expect("a name"))).expect("a copy");
        }
    }
    let face = goldens().join("faces/Fold0/S02_dor_01.png");
    fs::copy(face, place.path().join("faces/Fold0").join(HOSTILE)).expect("a copy");
    let nets = ["NCNN_k2.h5", "NCNN_k2_dead.h5"].map(|net| goldens().join("h5").join(net));
    let [one, dead] = nets.map(|net| net.display().to_string());
    let arguments =
        ["explain", "--weights", &one, &dead, "--data", "faces", "--out", "out", "--device", "cpu"];
    burncam(place.path(), &[&arguments[..], more].concat());
    place
}

pub(crate) fn opened(browser: &Path, place: &TempDir, width: u32, height: u32) -> Chromium {
    let mut chromium = Chromium::start(browser, width, height);
    chromium.open(&place.path().canonicalize().expect("a folder").join("out/index.html"));
    chromium
}

/// Cards that are there.
pub(crate) fn cards(chromium: &mut Chromium) -> f64 {
    chromium.number("document.querySelectorAll('.card').length")
}

/// How many images there are, in words.
pub(crate) fn shown(chromium: &mut Chromium) -> String {
    chromium.text("document.getElementById('shown').textContent")
}

/// Chooses in a list by keyboard, `steps` below the first entry.
fn choose(chromium: &mut Chromium, list: &str, steps: usize) {
    chromium.value(&format!("document.getElementById('{list}').focus()"));
    for _ in 0..steps {
        chromium.key("ArrowDown");
    }
}

/// Nothing went wrong so far, and nothing outside the run's folder was asked for.
pub(crate) fn check(chromium: &Chromium, place: &TempDir) {
    assert!(chromium.happened("Runtime.exceptionThrown").is_empty(), "{:#?}", chromium.events);
    assert!(chromium.happened("Runtime.consoleAPICalled").is_empty(), "{:#?}", chromium.events);
    assert!(
        chromium.happened("Log.entryAdded").is_empty(),
        "{:#?}",
        chromium.happened("Log.entryAdded")
    );
    assert!(chromium.happened("Page.javascriptDialogOpening").is_empty());
    assert!(chromium.happened("Network.loadingFailed").is_empty());
    let folder = place.path().canonicalize().expect("a folder").join("out");
    let own = format!("file://{}/", folder.display());
    let requests = chromium.happened("Network.requestWillBeSent");
    assert!(requests.len() > 1, "the page and its pictures");
    for request in requests {
        let url = request["request"]["url"].as_str().expect("an address");
        assert!(url.starts_with(&own) || url.starts_with("data:"), "{url}");
    }
}

fn loads(browser: &Path) {
    let place = run();
    let mut chromium = opened(browser, &place, 1280, 900);
    assert_eq!(cards(&mut chromium), 21.0);
    chromium.value("document.querySelectorAll('details').forEach(one => one.open = true)");
    let images = "[...document.images]";
    chromium.value(&format!("{images}.forEach(image => {{ image.loading = 'eager' }})"));
    chromium.until(&format!("{images}.every(image => image.complete)"));
    assert_eq!(chromium.value(&format!("{images}.every(image => image.naturalWidth > 1)")), true);
    assert_eq!(chromium.value(&format!("{images}.every(image => image.alt.length > 3)")), true);
    assert!(chromium.number("document.images.length") > 40.0);
    check(&chromium, &place);
}

fn filters(browser: &Path) {
    let place = run();
    let mut chromium = opened(browser, &place, 1280, 900);
    assert_eq!(shown(&mut chromium), "21 of 21 images");
    chromium.click("#more summary");
    choose(&mut chromium, "f-fold", 1);
    assert_eq!(shown(&mut chromium), "5 of 21 images");
    assert_eq!(
        chromium.value("[...document.querySelectorAll('.card strong')].every(e => e.textContent.startsWith('Fold0/'))"),
        true
    );
    chromium.click("#filters button[type=reset]");
    chromium.until("document.getElementById('shown').textContent === '21 of 21 images'");
    // Model, class and prediction, against what the table says.
    choose(&mut chromium, "f-model", 1);
    choose(&mut chromium, "f-outcome", 2);
    let model = chromium.text("document.getElementById('f-model').selectedOptions[0].textContent");
    let fits = |row: &&Value| row["model"] == model.as_str() && row["outcome"] == "Wrong";
    let wrong = table(&place).iter().filter(fits).count();
    assert!(wrong > 0);
    assert_eq!(cards(&mut chromium), wrong as f64);
    assert_eq!(chromium.value("[...document.querySelectorAll('.card .Right')].length"), 0);
    chromium.click("#filters button[type=reset]");
    chromium.until("document.getElementById('shown').textContent === '21 of 21 images'");
    chromium.click("#f-name");
    chromium.write("FOREST");
    assert_eq!(shown(&mut chromium), "1 of 21 images");
    chromium.click("#filters button[type=reset]");
    chromium.until("document.getElementById('shown').textContent === '21 of 21 images'");
    // Order by confidence of the first model.
    choose(&mut chromium, "f-model", 1);
    choose(&mut chromium, "f-sort", 1);
    let confidences = "[...document.querySelectorAll('.card .badge')].map(e => parseFloat(e.title.match(/\\(([\\d.]+)/)[1]))";
    assert_eq!(
        chromium.value(&format!("{confidences}.every((c, i, all) => i === 0 || all[i - 1] >= c)")),
        true
    );
    assert_eq!(chromium.value(&format!("{confidences}.length")), 21);
    // From the section on maps that must not be read.
    chromium.click(".only[data-status=all_nonpositive]");
    chromium.until("document.getElementById('f-status').value === 'all_nonpositive'");
    chromium.until("document.querySelectorAll('.card').length > 0 && [...document.querySelectorAll('.card')].every(card => card.querySelector('.unread'))");
    check(&chromium, &place);
}

fn table(place: &TempDir) -> Vec<Value> {
    let report = fs::read(place.path().join("out/report.json")).expect("report.json");
    let report: Value = serde_json::from_slice(&report).expect("JSON");
    let results = |image: &Value| image["results"].as_array().expect("results").clone();
    let images = report["images"].as_array().expect("images");
    let name = |result: &Value| {
        report["models"][result["model"].as_u64().expect("a model") as usize]["name"].clone()
    };
    let row =
        |result: Value| serde_json::json!({ "model": name(&result), "outcome": result["outcome"] });
    images.iter().flat_map(results).map(row).collect()
}

fn large_view(browser: &Path) {
    let place = run();
    let mut chromium = opened(browser, &place, 1280, 900);
    let open = "document.getElementById('large').open";
    let title = "document.getElementById('large-title').textContent";
    let name =
        |place: usize| format!("document.querySelectorAll('.card strong')[{place}].textContent");
    let names = [0, 1, 2, 3].map(|place| chromium.text(&name(place)));
    chromium.click(".card:nth-child(2)");
    chromium.until(open);
    assert_eq!(chromium.text(title), names[1]);
    chromium.until("[...document.querySelectorAll('#large img')].every(image => image.complete && image.naturalWidth > 300)");
    save("large-1280.png", &chromium.picture(false));
    chromium.key("ArrowRight");
    assert_eq!(chromium.text(title), names[2]);
    chromium.key("ArrowLeft");
    chromium.key("ArrowLeft");
    assert_eq!(chromium.text(title), names[0]);
    assert_eq!(chromium.value("document.getElementById('large-previous').disabled"), true);
    chromium.click("#large-next");
    chromium.click("#large-next");
    assert_eq!(chromium.text(title), names[2]);
    chromium.key("Escape");
    assert_eq!(chromium.value(open), false);
    let focused = "document.activeElement.querySelector('strong')?.textContent ?? ''";
    assert_eq!(chromium.text(focused), names[2], "the keyboard goes on where the view was");
    chromium.key("ArrowRight");
    chromium.key("Enter");
    chromium.until(open);
    assert_eq!(chromium.text(title), names[3]);
    let fits =
        "document.querySelector('#large .maps').getBoundingClientRect().bottom <= innerHeight";
    assert_eq!(chromium.value(fits), true, "maps are seen without scrolling");
    chromium.click("#large-close");
    chromium.until(&format!("!{open}"));
    assert_eq!(chromium.text(focused), names[3]);
    check(&chromium, &place);
}

fn side_by_side(browser: &Path) {
    let place = run();
    let mut chromium = opened(browser, &place, 1280, 900);
    assert_eq!(chromium.number("document.querySelectorAll('.card:first-child .tile').length"), 3.0);
    choose(&mut chromium, "f-model", 2);
    assert_eq!(chromium.number("document.querySelectorAll('.card:first-child .tile').length"), 2.0);
    assert_eq!(chromium.number("document.querySelectorAll('section.model').length"), 2.0);
    assert_eq!(chromium.value("document.getElementById('compared') !== null"), true);
    check(&chromium, &place);
}

fn widths(browser: &Path) {
    let place = run();
    let mut chromium = opened(browser, &place, 1280, 900);
    for width in [1280, 390] {
        chromium.resize(width, 900);
        let wide = format!(
            "[...document.querySelectorAll('body *')].filter(e => !e.closest('.scroll, .picture') && \
             e.getBoundingClientRect().right > {width}).map(e => e.outerHTML.slice(0, 80)).join('; ')"
        );
        assert_eq!(chromium.text(&wide), "", "what is wider than {width} pixels");
        let overflow =
            "document.scrollingElement.scrollWidth - document.documentElement.clientWidth";
        assert_eq!(chromium.value(overflow), 0, "{width}");
        chromium.value("[...document.images].forEach(image => { image.loading = 'eager' })");
        chromium.until("[...document.images].every(image => image.complete)");
        save(&format!("page-{width}.png"), &chromium.picture(true));
    }
    chromium.click(".card");
    chromium.until("document.getElementById('large').open");
    save("large-390.png", &chromium.picture(false));
    let wide = "document.getElementById('large').getBoundingClientRect().width";
    assert!(chromium.number(wide) <= 390.0);
    check(&chromium, &place);
}

fn names(browser: &Path) {
    let place = run();
    let mut chromium = opened(browser, &place, 1280, 900);
    chromium.click("#f-name");
    chromium.write("onerror");
    assert_eq!(cards(&mut chromium), 1.0);
    assert_eq!(
        chromium.text("document.querySelector('.card strong').textContent"),
        format!("Fold0/{HOSTILE}")
    );
    chromium.until("[...document.querySelectorAll('.card img')].every(image => image.complete && image.naturalWidth > 300)");
    chromium.click(".card");
    chromium.until("document.getElementById('large').open");
    let overlay = chromium.text("document.querySelector('#large a').href");
    assert!(
        overlay.ends_with("_%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E%20%26%2050%25%20%231%3F.png"),
        "{overlay}"
    );
    assert_eq!(chromium.value("document.querySelectorAll('img[onerror]').length"), 0);
    check(&chromium, &place);
}

/// Every name that would be markup, in every view.
#[cfg(unix)]
fn hostile(browser: &Path) {
    use parity::hostile::{PATHS, shown};
    let place = tempfile::tempdir().expect("a folder");
    let face = fs::read(goldens().join("faces/Fold0/S02_dor_01.png")).expect("a golden face");
    parity::hostile::write(place.path(), &face);
    let weights = goldens().join("h5/NCNN_k2.h5").display().to_string();
    let arguments = ["explain", "--weights", &weights, "--data", "faces", "--out", "out"];
    let classes = ["--device=cpu", "--classes=classes.json", "--labels=labels.csv"];
    let output = Command::new(env!("CARGO_BIN_EXE_burncam"))
        .args([&arguments[..], &classes].concat())
        .current_dir(place.path())
        .output()
        .expect("the program starts");
    assert_eq!(output.status.code(), Some(1), "one image is broken");
    let mut chromium = opened(browser, &place, 1280, 900);
    chromium.value("document.querySelectorAll('details').forEach(one => one.open = true)");
    let names =
        "JSON.stringify([...document.querySelectorAll('.card strong')].map(e => e.textContent))";
    let names: std::collections::BTreeSet<String> =
        serde_json::from_str(&chromium.text(names)).expect("names");
    assert_eq!(names, PATHS.iter().map(|path| shown(path)).collect());
    chromium.value("[...document.images].forEach(image => { image.loading = 'eager' })");
    chromium.until("[...document.images].every(image => image.complete)");
    let missing = "[...document.images].filter(image => image.naturalWidth < 2).map(image => image.src).join()";
    assert_eq!(chromium.text(missing), "");
    chromium.click(".card");
    for _ in PATHS {
        chromium.until("document.getElementById('large').open");
        chromium.key("ArrowRight");
    }
    assert_eq!(chromium.number("document.scripts.length"), 2.0, "the page's own");
    let handlers = "[...document.querySelectorAll('*')].filter(e => [...e.attributes].some(a => a.name.startsWith('on'))).length";
    assert_eq!(chromium.number(handlers), 0.0);
    check(&chromium, &place);
}

/// How many images the page of very many has, if not 5,000.
const MANY: &str = "BURNCAM_MANY";

/// The page of 5,000 images: those of a run again and again under other names.
fn many(browser: &Path) {
    let count: usize = std::env::var(MANY).map_or(5000, |text| text.parse().expect("a number"));
    let place = run();
    let path = place.path().join("out/report.json");
    let mut report: Value =
        serde_json::from_slice(&fs::read(&path).expect("report.json")).expect("JSON");
    let images = report["images"].as_array().expect("images").clone();
    let again = (0..count).map(|number| {
        let mut image = images[number % images.len()].clone();
        image["path"] =
            format!("{}/{number:05}.png", image["fold"].as_str().expect("a fold")).into();
        image
    });
    report["images"] = again.collect();
    fs::write(&path, report.to_string()).expect("a file");
    let clock = Instant::now();
    burncam(place.path(), &["report", "out"]);
    let written = clock.elapsed().as_secs_f64();
    let size = fs::metadata(place.path().join("out/index.html")).expect("the page").len();
    let clock = Instant::now();
    let mut chromium = opened(browser, &place, 1280, 900);
    let opening = clock.elapsed().as_secs_f64();
    assert_eq!(cards(&mut chromium), 48.0, "a page of the gallery");
    let timed = |change: &str| {
        format!(
            "(() => {{ const start = performance.now(); {change}; document.body.offsetHeight; return performance.now() - start; }})()"
        )
    };
    let change = |field: &str, value: &str| {
        timed(&format!(
            "const e = document.getElementById('{field}'); e.value = '{value}'; e.dispatchEvent(new Event('input', {{ bubbles: true }}))"
        ))
    };
    let filter = chromium.number(&change("f-outcome", "Wrong"));
    let sort = chromium.number(&change("f-sort", "low"));
    let turn = chromium.number(&timed("document.getElementById('next').click()"));
    let memory = chromium.number("performance.memory.usedJSHeapSize / 1048576");
    let _ = writeln!(
        std::io::stderr(),
        "{count} images, 2 models: written in {written:.1} s, page {:.1} MB, opened in {opening:.1} s; \
         filter {filter:.0} ms, sort {sort:.0} ms, next page {turn:.0} ms; script memory {memory:.0} MiB",
        size as f64 / 1e6
    );
    // Half a second is what a person takes for a freeze; a busy machine gets four times that.
    for (what, milliseconds) in [("filter", filter), ("sort", sort), ("next page", turn)] {
        assert!(milliseconds < 2000.0, "{what}: {milliseconds} ms");
    }
    assert!(size < 2000 * count as u64, "{size} bytes");
}

pub(crate) fn save(name: &str, png: &[u8]) {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    fs::write(folder.join(name), png).expect("the folder for tests");
}
