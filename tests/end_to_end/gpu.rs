//! The program on a graphics adapter, as a user runs it.
//!
//! A machine without an adapter ignores these tests and says why, unless `BURNCAM_REQUIRE_GPU` is
//! set. A software adapter will do: it runs the same kernels.
#![allow(clippy::print_stdout)]

#[allow(dead_code)]
mod program;

use std::path::Path;
use std::process::ExitCode;

use libtest_mimic::{Arguments, Failed, Trial};
use program::{Place, Run};
use serde_json::Value;

/// If set, a machine without an adapter fails.
const REQUIRED: &str = "BURNCAM_REQUIRE_GPU";

/// How far map figures may be from the CPU's, as a share of the CPU's.
const MAP: f64 = 1e-3;

/// How far overlays may be from the CPU's, in levels of 255: a value that is rounded to the next
/// of 256 colours.
const LEVELS: u8 = 4;

type Test = fn(&str) -> Result<(), Failed>;

const TESTS: [(&str, Test); 4] = [
    ("devices_and_auto", devices_and_auto),
    ("verify", verify),
    ("the_demo_is_explained_as_on_the_cpu", demo),
    ("half_precision", half_precision),
];

fn main() -> ExitCode {
    let arguments = Arguments { test_threads: Some(1), ..Arguments::from_args() };
    let run = Place::new().burncam(&["devices", "--json"]);
    let report: Value = serde_json::from_str(&run.stdout).unwrap_or_default();
    // A name may hold commas; a device is found by a part of it.
    let name = report["adapters"][0]["name"].as_str().and_then(|name| name.split(' ').next());
    let required = std::env::var_os(REQUIRED).is_some();
    let trials = TESTS.map(|(test, check)| match name.map(str::to_owned) {
        Some(name) => {
            let kind = name.clone();
            Trial::test(test, move || check(&name)).with_kind(kind)
        }
        None => Trial::test(test, || Err("no graphics adapter".into()))
            .with_kind("no graphics adapter")
            .with_ignored_flag(!required),
    });
    libtest_mimic::run(&arguments, trials.into()).exit_code()
}

fn ok(run: &Run) -> Result<(), Failed> {
    match run.code == 0 && !run.stderr.contains("panicked") {
        true => Ok(()),
        false => Err(format!("exit code {}\n{}{}", run.code, run.stdout, run.stderr).into()),
    }
}

fn equal<T: PartialEq + std::fmt::Debug>(found: T, expected: T) -> Result<(), Failed> {
    match found == expected {
        true => Ok(()),
        false => Err(format!("{found:?} is not {expected:?}").into()),
    }
}

/// `devices` lists the adapter, and `auto` takes it unless it is a program on the CPU.
fn devices_and_auto(name: &str) -> Result<(), Failed> {
    let place = Place::new();
    let table = place.burncam(&["devices"]);
    ok(&table)?;
    let report: Value = serde_json::from_str(&place.burncam(&["devices", "--json"]).stdout)?;
    let kinds = report["adapters"].as_array().ok_or("no adapters")?.iter();
    let hardware = kinds.filter(|adapter| adapter["kind"] != "software").count() > 0;
    equal(table.stdout.contains(name), true)?;
    equal(report["auto"] == "cpu", !hardware)?;
    let reason = report["reason"].as_str().unwrap_or_default();
    equal(reason.contains("is a software rasteriser"), !hardware)
}

/// The self-test passes with N-CNN; `tests/gpu` has the others, against Keras.
fn verify(name: &str) -> Result<(), Failed> {
    let run = Place::new().burncam(&["verify", "--device", name, "--model", "ncnn"]);
    ok(&run)?;
    println!("{}", run.stdout);
    equal(run.stdout.contains("passed") && !run.stdout.contains("FAILED"), true)
}

/// Explains the demo's images into `out`.
fn explain(place: &Place, out: &str, arguments: &[&str]) -> Result<Value, Failed> {
    let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../assets/demo");
    let (weights, faces) = (demo.join("NCNN.h5"), demo.join("faces"));
    let (weights, faces) = (weights.display().to_string(), faces.display().to_string());
    let fixed = ["explain", "--weights", &weights, "--data", &faces, "--out", out];
    ok(&place.burncam(&[&fixed, arguments].concat()))?;
    Ok(serde_json::from_str(&place.read(&format!("{out}/run.json")))?)
}

/// The same classes, map figures within a thousandth, and overlays that look the same.
fn demo(name: &str) -> Result<(), Failed> {
    let place = Place::new();
    explain(&place, "cpu", &[])?;
    let record = explain(&place, "gpu", &["--device", name])?;
    equal(record["batch_requested"].as_str(), Some("auto"))?;
    equal(record["batch"].as_u64().is_some_and(|batch| batch.is_power_of_two()), true)?;
    let verified = record["devices"][0]["verified"].as_str().unwrap_or_default();
    equal(verified.starts_with("the same classes"), true)?;

    let (own, cpu) = (place.predictions_in("gpu"), place.predictions_in("cpu"));
    equal(own.len(), cpu.len())?;
    let (mut map, mut levels) = (0.0_f64, 0);
    for (own, cpu) in own.iter().zip(&cpu) {
        for same in ["path", "predicted", "outcome", "map_status", "overlay"] {
            equal(&own[same], &cpu[same])?;
        }
        let largest: f64 = cpu["map_max"].parse()?;
        for figure in ["map_min", "map_max"] {
            let (own, cpu): (f64, f64) = (own[figure].parse()?, cpu[figure].parse()?);
            map = map.max((own - cpu).abs() / largest);
        }
        let picture = |out: &str| program::picture(&place.path(out).join(&cpu["overlay"]));
        let (own, cpu) = (picture("gpu"), picture("cpu"));
        let pairs = own.as_raw().iter().zip(cpu.as_raw());
        levels = levels.max(pairs.map(|(a, b)| a.abs_diff(*b)).max().unwrap_or(u8::MAX));
    }
    println!(
        "{} images: maps within {map:.1e} (allowed {MAP:.0e}), overlays within {levels} levels \
         (allowed {LEVELS})",
        own.len()
    );
    equal(map <= MAP && levels <= LEVELS, true)
}

/// The same classes in half precision, where the adapter has it; else an error that says so.
fn half_precision(name: &str) -> Result<(), Failed> {
    let place = Place::new();
    let report: Value = serde_json::from_str(&place.burncam(&["devices", "--json"]).stdout)?;
    if report["adapters"][0]["half"] == false {
        let run = place.burncam(&["verify", "--device", name, "--precision", "f16"]);
        equal((run.code, run.stderr.contains("does not compute in f16")), (2, true))?;
        return Ok(());
    }
    explain(&place, "cpu", &[])?;
    let half = ["--device", name, "--precision", "f16", "--batch", "16"];
    let record = explain(&place, "gpu", &half)?;
    let device = &record["devices"][0];
    equal(device["precision"].as_str(), Some("f16"))?;
    equal(&record["batch_requested"], &Value::from("16"))?;
    equal(&record["batch"], &Value::from(16))?;
    let predicted = |out| -> Vec<String> {
        place.predictions_in(out).iter().map(|row| row["predicted"].clone()).collect()
    };
    equal(predicted("gpu"), predicted("cpu"))
}
