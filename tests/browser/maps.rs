//! Maps that the page draws, what it keeps of images, and pages that hold their pictures.

use std::fs;
use std::path::Path;

use burncam_evaluation::{Grid, Values, resample};
use burncam_page::{Language, Standalone, read_report, standalone_html};
use burncam_render::{Colormap, Scale};
use serde_json::Value;

use crate::chromium::Chromium;
use crate::page::{Test, cards, check, opened, run, save, shown};

pub(crate) const TESTS: &[(&str, Test)] = &[
    ("maps_have_the_colours_of_render", colours),
    ("the_address_holds_the_view", address),
    ("images_are_chosen_and_noted_by_keyboard", notes),
    ("numbers_lead_to_their_images", links),
    ("it_prints_what_is_shown", prints),
    ("a_page_with_its_pictures_asks_for_nothing", standalone),
];

/// Sets a field as a user would.
pub(crate) fn set(chromium: &mut Chromium, field: &str, value: &str) {
    chromium.value(&format!(
        "(() => {{ const e = document.getElementById('{field}'); e.value = '{value}'; \
         e.dispatchEvent(new Event('input', {{ bubbles: true }})); }})()"
    ));
}

/// A canvas that is drawn.
const CANVAS: &str = "document.querySelector('.card canvas')";

fn colours(browser: &Path) {
    let place = run();
    let report = fs::read(place.path().join("out/report.json")).expect("report.json");
    let report: Value = serde_json::from_slice(&report).expect("JSON");
    let mut chromium = opened(browser, &place, 1280, 900);
    set(&mut chromium, "f-model", "0");
    set(&mut chromium, "f-show", "alone");
    chromium.value(&format!("{CANVAS}.scrollIntoView({{ block: 'center' }})"));
    let drawn = format!("{CANVAS}.getContext('2d').getImageData(0, 0, 1, 1).data[3] === 255");
    chromium.until(&drawn);
    let name = chromium.text("document.querySelector('.card:has(canvas) strong').textContent");
    let images = report["images"].as_array().expect("images");
    let image = images.iter().find(|image| image["path"] == name.as_str()).expect("the image");
    let map = image["results"][0]["attributions"][0]["map"].clone();
    let grid: Grid = serde_json::from_value(map).expect("a map");
    for colormap in [Colormap::Viridis, Colormap::Magma, Colormap::Jet] {
        set(&mut chromium, "f-colours", colormap.name());
        let frame = "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))";
        chromium.until(frame);
        let pixels = chromium.value(&format!(
            "(() => {{ const c = {CANVAS}; return [c.height, c.width, [...c.getContext('2d').getImageData(0, 0, c.width, c.height).data]]; }})()"
        ));
        let side = |place: usize| pixels[place].as_u64().expect("a side") as usize;
        let (height, width) = (side(0), side(1));
        let shares = resample(&grid.shares(), (14, 14), (height, width));
        let scale = Scale { colormap, values: Values::Positive, top: 1.0 };
        let found = pixels[2].as_array().expect("pixels");
        assert_eq!(found.len(), 4 * height * width);
        for (pixel, share) in found.chunks(4).zip(shares) {
            let pixel = [0, 1, 2].map(|channel| pixel[channel].as_u64().expect("a level") as u8);
            let level = |by: f32| scale.colour(share + by / 255.0);
            let near = [0.0, -1.0, 1.0].into_iter().any(|by| level(by) == pixel);
            assert!(near, "{colormap}: {share} is {pixel:?} and not {:?}", level(0.0));
        }
    }
    // Nothing is over the photograph where the map has nothing.
    set(&mut chromium, "f-show", "over");
    chromium.value(&format!("{CANVAS}.scrollIntoView({{ block: 'center' }})"));
    let sum = format!(
        "(() => {{ const c = {CANVAS}; const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data; \
         let most = 0; for (let i = 3; i < d.length; i += 4) most = Math.max(most, d[i]); return most; }})()"
    );
    chromium.until(&format!("{sum} > 150"));
    set(&mut chromium, "f-opacity", "0");
    chromium.until(&format!("{sum} === 0"));
    // The browser logs that pixels are read often, which the page does not do.
    assert!(chromium.happened("Runtime.exceptionThrown").is_empty(), "{:#?}", chromium.events);
}

fn address(browser: &Path) {
    let place = run();
    let mut chromium = opened(browser, &place, 1280, 900);
    set(&mut chromium, "f-model", "0");
    set(&mut chromium, "f-outcome", "Wrong");
    set(&mut chromium, "f-colours", "jet");
    set(&mut chromium, "f-low", "60");
    chromium.until("location.hash.includes('low=60')");
    let (before, hash) = (shown(&mut chromium), chromium.text("location.hash"));
    for part in ["model=0", "outcome=Wrong", "colours=jet"] {
        assert!(hash.contains(part), "{hash}");
    }
    chromium.reload();
    assert_eq!(shown(&mut chromium), before);
    assert_eq!(chromium.text("document.getElementById('f-colours').value"), "jet");
    assert_eq!(chromium.value("document.getElementById('more').open"), true);
    // An image is part of the view; what is not there is left out.
    chromium.value("location.hash = '#model=7&outcome=None&status=%3Cb%3E'");
    chromium.until("document.getElementById('shown').textContent === '21 of 21 images'");
    chromium.click(".card .open");
    chromium.until("location.hash.includes('image=')");
    let title = chromium.text("document.getElementById('large-title').textContent");
    chromium.reload();
    chromium.until("document.getElementById('large').open");
    assert_eq!(chromium.text("document.getElementById('large-title').textContent"), title);
    check(&chromium, &place);
}

fn notes(browser: &Path) {
    let place = run();
    let mut chromium = opened(browser, &place, 1280, 900);
    chromium.value("document.querySelectorAll('.card .open')[1].focus()");
    chromium.key("x");
    chromium.key("ArrowRight");
    chromium.key("x");
    assert_eq!(chromium.text("document.getElementById('chosen').textContent"), "2 chosen");
    chromium.key("Enter");
    chromium.until("document.getElementById('large').open");
    chromium.until("document.querySelectorAll('#large .value').length > 0");
    chromium.key("n");
    chromium.write("=1+1, \"looks\" at the mouth");
    chromium.key("Tab");
    chromium.write("mouth, <b>odd</b>");
    chromium.key("Escape");
    chromium.until("!document.getElementById('large').open");
    assert_eq!(
        chromium.text("document.querySelector('.card .tags').textContent"),
        "mouth, <b>odd</b>"
    );
    set(&mut chromium, "f-tag", "mouth");
    assert_eq!(cards(&mut chromium), 1.0);
    chromium.reload();
    assert_eq!(chromium.text("document.getElementById('chosen').textContent"), "2 chosen");
    chromium.click("#choice-command");
    let command = chromium.text("document.getElementById('told').textContent");
    assert!(command.starts_with("cargo xtask figure RESULTS --images images.txt --columns "));
    chromium.click("#choice-none");
    assert_eq!(chromium.text("document.getElementById('chosen').textContent"), "0 chosen");
    check(&chromium, &place);
}

fn links(browser: &Path) {
    let place = run();
    let mut chromium = opened(browser, &place, 1280, 900);
    chromium.value("document.querySelectorAll('.detail').forEach(one => one.open = true)");
    let count = chromium.text("document.querySelector('.confusion td a').textContent");
    chromium.click(".confusion td a");
    chromium.until("document.getElementById('f-predicted').value !== ''");
    assert_eq!(shown(&mut chromium), format!("{count} of 21 images"));
    let bar = chromium.text("document.querySelector('.charts a').getAttribute('aria-label')");
    let count = bar.split(' ').next().expect("a count").to_owned();
    chromium.value(
        "document.querySelector('.charts a').dispatchEvent(new MouseEvent('click', { bubbles: true, cancelable: true }))",
    );
    chromium.until("document.getElementById('f-predicted').value === ''");
    assert_eq!(shown(&mut chromium), format!("{count} of 21 images"));
    check(&chromium, &place);
}

fn prints(browser: &Path) {
    let place = run();
    let mut chromium = opened(browser, &place, 1280, 900);
    set(&mut chromium, "f-name", "forest");
    let pages = |chromium: &mut Chromium, name: &str| {
        let pdf = chromium.printed();
        assert!(pdf.starts_with(b"%PDF"));
        save(name, &pdf);
        pdf.len()
    };
    let one = pages(&mut chromium, "page-one.pdf");
    set(&mut chromium, "f-name", "");
    let all = pages(&mut chromium, "page-all.pdf");
    assert!(all > one, "{one} {all}");
    check(&chromium, &place);
}

fn standalone(browser: &Path) {
    let place = run();
    let out = place.path().join("out");
    let report = read_report(&out.join("report.json")).expect("a report");
    let plan = Standalone::plan(&report, &out, 10).expect("images");
    let alone = tempfile::tempdir().expect("a folder");
    let page = alone.path().canonicalize().expect("a folder").join("page.html");
    let file = fs::File::create(&page).expect("a file");
    standalone_html(&report, &plan, Language::English, file).expect("a page");
    let size = fs::metadata(&page).expect("a file").len();
    assert!(size > plan.bytes() && plan.bytes() > 10_000, "{size} {}", plan.bytes());
    let mut chromium = Chromium::start(browser, 1280, 900);
    chromium.open(&page);
    assert!((4.0..=10.0).contains(&cards(&mut chromium)));
    chromium.value("[...document.images].forEach(image => { image.loading = 'eager' })");
    chromium.until("[...document.images].every(image => image.complete && image.naturalWidth > 1)");
    for request in chromium.happened("Network.requestWillBeSent") {
        let url = request["request"]["url"].as_str().expect("an address");
        assert!(url.starts_with("data:") || url.ends_with("/page.html"), "{url}");
    }
    assert!(chromium.happened("Log.entryAdded").is_empty());
    assert!(chromium.happened("Runtime.exceptionThrown").is_empty());
}
