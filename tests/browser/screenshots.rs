//! Pictures of the page for the documentation: `cargo xtask pictures`.

use std::fs;
use std::path::Path;

use crate::chromium::Chromium;

/// A picture's file, the window's size, and what is done to the page before.
type Shot = (&'static str, [u32; 2], &'static str);

const LARGE: &str = "document.querySelector('.card:nth-child(2) button').click()";

const SHOTS: [Shot; 5] = [
    ("page.png", [1280, 800], "window.scrollTo(0, 0)"),
    ("gallery.png", [1280, 760], "document.getElementById('filters').scrollIntoView()"),
    ("large.png", [1280, 900], LARGE),
    ("trust.png", [1280, 1000], "document.getElementById('trust').scrollIntoView()"),
    ("phone.png", [400, 800], "window.scrollTo(0, 0)"),
];

/// Writes pictures of the page at `page` into a folder.
pub(crate) fn write(browser: &Path, page: &Path, folder: &Path) {
    for (name, [width, height], before) in SHOTS {
        let mut chromium = Chromium::start(browser, width, height);
        chromium.open(page);
        chromium.value(before);
        // Pictures load, and maps are drawn, as they come into sight.
        chromium.value("new Promise(done => setTimeout(done, 1500))");
        fs::write(folder.join(name), chromium.picture(false)).expect("a picture");
    }
}
