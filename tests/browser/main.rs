//! The page in a browser: no error, no request, filters, large view, keyboard, two widths, maps that it
//! draws, what was measured of them, its address, printing, and 5,000 images, or as many as `BURNCAM_MANY` says.
//!
//! A machine without Chromium ignores these tests and says so, unless `BURNCAM_REQUIRE_BROWSER` is
//! set. Pictures of the page are left in `target/tmp`.

mod chromium;
mod maps;
mod measured;
mod page;
mod screenshots;

use std::path::PathBuf;
use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};

/// If set, a machine without a browser fails.
const REQUIRED: &str = "BURNCAM_REQUIRE_BROWSER";

/// If set, there are no tests: pictures of the page that this names are written into the folder of the other.
const PAGE: &str = "BURNCAM_PAGE";
const PICTURES: &str = "BURNCAM_PICTURES";

fn main() -> ExitCode {
    let paths = [PAGE, PICTURES].map(|name| std::env::var_os(name).map(PathBuf::from));
    if let ([Some(page), Some(folder)], Some(browser)) = (&paths, chromium::find()) {
        screenshots::write(&browser, page, folder);
        return ExitCode::SUCCESS;
    }
    let arguments = Arguments { test_threads: Some(1), ..Arguments::from_args() };
    let browser = chromium::find();
    let required = std::env::var_os(REQUIRED).is_some();
    let tests = page::TESTS.iter().chain(maps::TESTS).chain(measured::TESTS);
    let trials = tests.map(|&(name, test)| match browser.clone() {
        Some(browser) => Trial::test(name, move || {
            test(&browser);
            Ok(())
        }),
        None => Trial::test(name, || Err("there is no chromium in the PATH".into()))
            .with_kind("no chromium")
            .with_ignored_flag(!required),
    });
    libtest_mimic::run(&arguments, trials.collect()).exit_code()
}
