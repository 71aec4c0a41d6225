//! Figures as other programs draw them: the PDF by `pdftoppm`, the SVG by `rsvg-convert`, beside the PNG.
//!
//! A machine without one of them ignores its test and says so, unless `BURNCAM_REQUIRE_RENDERERS` is set.

#[allow(dead_code)]
mod program;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use libtest_mimic::{Arguments, Failed, Trial};
use program::{Place, picture, weights};

/// If set, a machine without the programs fails.
const REQUIRED: &str = "BURNCAM_REQUIRE_RENDERERS";

/// Pixels an inch.
const DPI: &str = "150";

/// How far pixels are from the PNG's: on average, and the share of those that are further than `FAR`. Programs draw the
/// edges of letters and pictures differently.
const MEAN: f64 = 5.0;
const FAR: u8 = 64;
const FAR_SHARE: f64 = 0.02;

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let required = std::env::var_os(REQUIRED).is_some();
    let renderers: [(&str, &str, Draw); 2] = [
        ("a_pdf_is_drawn_like_its_png", "pdftoppm", pdftoppm),
        ("an_svg_is_drawn_like_its_png", "rsvg-convert", rsvg_convert),
    ];
    let trials = renderers.map(|(test, program, draw)| match find(program) {
        Some(program) => Trial::test(test, move || drawn(&program, draw)),
        None => Trial::test(test, move || Err(format!("there is no {program} in the PATH").into()))
            .with_kind(format!("no {program}"))
            .with_ignored_flag(!required),
    });
    libtest_mimic::run(&arguments, trials.into()).exit_code()
}

/// The command that draws the figure of this name without ending, into a PNG.
type Draw = fn(&Path, &Path, &Path) -> Command;

fn pdftoppm(program: &Path, figure: &Path, to: &Path) -> Command {
    let mut command = Command::new(program);
    command.args(["-r", DPI, "-png", "-singlefile"]);
    // It adds the ending itself.
    command.arg(figure.with_extension("pdf")).arg(to.with_extension(""));
    command
}

fn rsvg_convert(program: &Path, figure: &Path, to: &Path) -> Command {
    let mut command = Command::new(program);
    command.args(["--dpi-x", DPI, "--dpi-y", DPI, "--output"]).arg(to);
    command.arg(figure.with_extension("svg"));
    command
}

fn find(program: &str) -> Option<PathBuf> {
    let folders = std::env::var_os("PATH")?;
    std::env::split_paths(&folders).map(|folder| folder.join(program)).find(|place| place.is_file())
}

fn drawn(program: &Path, draw: Draw) -> Result<(), Failed> {
    let place = Place::new();
    place.face("Fold0/S01_sem_dor_01.png", "faces/A/S01_sem_dor_01.png");
    place.face("Fold0/S02_dor_01.png", "faces/A/S02_dor_01.png");
    place.write("dead.h5", &std::fs::read(weights("NCNN_k2_dead.h5"))?);
    place.write("live.h5", &std::fs::read(weights("NCNN_k2.h5"))?);
    let networks = ["explain", "--weights", "live.h5", "dead.h5", "--data", "faces"];
    let run = place.burncam(&[&networks[..], &["--out", "out"]].concat());
    if run.code != 0 {
        return Err(run.stderr.into());
    }
    for kind in ["", "--mean", "--curves"] {
        let kinds = Some(kind).filter(|kind| !kind.is_empty());
        let out = ["--out", "f.svg", "--out", "f.pdf", "--out", "f.png"];
        let fixed = ["figure", "out", "--width", "150", "--dpi", DPI];
        let arguments: Vec<&str> = fixed.into_iter().chain(out).chain(kinds).collect();
        let run = place.burncam(&arguments);
        if run.code != 0 {
            return Err(run.stderr.into());
        }
        let (figure, to) = (place.path("f"), place.path("drawn.png"));
        let output = draw(program, &figure, &to).output()?;
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).into_owned().into());
        }
        alike(&place.path("f.png"), &to).map_err(|what| format!("figure {kind}: {what}"))?;
    }
    Ok(())
}

/// Whether two pictures are of one size, to a pixel, and alike.
fn alike(own: &Path, other: &Path) -> Result<(), String> {
    let (own, other) = (picture(own), picture(other));
    let ((width, height), (x, y)) = (own.dimensions(), other.dimensions());
    if width.abs_diff(x) > 1 || height.abs_diff(y) > 1 {
        return Err(format!("{width} × {height} pixels, and {x} × {y}"));
    }
    let (width, height) = (width.min(x), height.min(y));
    let (mut sum, mut far) = (0.0, 0);
    for y in 0..height {
        for x in 0..width {
            let pair = own.get_pixel(x, y).0.into_iter().zip(other.get_pixel(x, y).0);
            let apart = pair.map(|(a, b)| a.abs_diff(b)).max().unwrap_or_default();
            sum += f64::from(apart);
            far += u32::from(apart > FAR);
        }
    }
    let count = f64::from(width) * f64::from(height);
    let (mean, share) = (sum / count, f64::from(far) / count);
    if mean > MEAN || share > FAR_SHARE {
        return Err(format!("{mean:.2} levels apart on average, {share:.4} of the pixels far"));
    }
    Ok(())
}
