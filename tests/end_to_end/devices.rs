//! Where the program computes.

use crate::program::{Place, Run};

fn place() -> Place {
    let place = Place::new();
    place.face("Fold0/S01_sem_dor_01.png", "faces/Fold0/S01_sem_dor_01.png");
    place.face("Fold0/S02_dor_01.png", "faces/Fold1/S02_dor_01.png");
    place
}

fn ok(run: &Run) {
    assert!(!run.stderr.contains("panicked"), "{}", run.stderr);
    assert_eq!(run.code, 0, "{}", run.stderr);
}

/// What `devices --json` says.
fn devices(place: &Place) -> serde_json::Value {
    let run = place.burncam(&["devices", "--json"]);
    ok(&run);
    serde_json::from_str(&run.stdout).expect("JSON")
}

fn used(place: &Place) -> Vec<String> {
    let record: serde_json::Value =
        serde_json::from_str(&place.read("out/run.json")).expect("a record");
    let devices = record["devices"].as_array().expect("devices").iter();
    devices.map(|device| device["used"].as_str().expect("a kind").to_owned()).collect()
}

#[test]
fn auto_takes_what_devices_says_and_gpu_takes_hardware_or_fails_in_one_sentence() {
    let place = place();
    let devices = devices(&place);
    let hardware = devices["adapters"]
        .as_array()
        .expect("adapters")
        .iter()
        .any(|adapter| adapter["kind"] != "software");
    let auto = place.explain(&["--device", "auto"]);
    ok(&auto);
    let kind = if hardware { "gpu" } else { "cpu" };
    assert_eq!(used(&place), [kind]);
    assert!(auto.stderr.contains(&format!("Computing on the {kind}")), "{}", auto.stderr);

    let run = place.explain(&["--device", "gpu", "--overwrite"]);
    assert!(!run.stderr.contains("panicked"), "{}", run.stderr);
    if hardware {
        assert_eq!(run.code, 0, "{}", run.stderr);
    } else {
        assert_eq!(run.code, 2);
        assert!(run.stderr.contains("error: there is no GPU to compute on: "), "{}", run.stderr);
        assert!(run.stderr.contains("hint:"), "{}", run.stderr);
        assert_eq!(devices["auto"], "cpu");
    }
}

#[test]
fn several_devices_share_the_images_and_rows_keep_their_order() {
    let place = place();
    for face in ["S01_dor_02", "S02_sem_dor_02", "S03_dor_01"] {
        place.face("Fold0/S02_dor_01.png", &format!("faces/Fold1/{face}.png"));
    }
    let rows = |device: &str| -> Vec<(String, String)> {
        let run = place.explain(&["--device", device, "--batch", "1", "--overwrite"]);
        ok(&run);
        let rows = place.predictions();
        rows.iter().map(|row| (row["path"].clone(), row["logit_Pain"].clone())).collect()
    };
    assert_eq!(rows("cpu,cpu"), rows("cpu"));
    let run = place.explain(&["--device", "cpu,cpu", "--overwrite"]);
    ok(&run);
    assert_eq!(used(&place), ["cpu", "cpu"]);
}

#[test]
fn a_device_that_is_not_there_is_an_error_that_lists_what_is() {
    let place = place();
    for (device, word) in
        [("voodoo2", "no device `voodoo2`"), ("gpu:99", "no GPU number 99"), ("", "no device ``")]
    {
        let run = place.explain(&["--device", device]);
        assert_eq!(run.code, 2, "{}", run.stderr);
        assert!(run.stderr.contains(word), "{}", run.stderr);
        assert!(run.stderr.contains("burncam devices"), "{}", run.stderr);
    }
    assert!(!place.path("out").exists(), "a mistake leaves nothing behind");
}

#[test]
fn the_cpu_takes_eight_images_at_a_time_unless_told_and_no_half_precision() {
    let place = place();
    let options = |arguments: &[&str]| {
        ok(&place.explain(&[arguments, &["--overwrite"]].concat()));
        let record: serde_json::Value =
            serde_json::from_str(&place.read("out/run.json")).expect("a record");
        assert_eq!(record["devices"][0]["precision"], "f32");
        (record["batch"].as_u64(), record["batch_requested"].as_str().map(str::to_owned))
    };
    assert_eq!(options(&[]), (Some(8), Some("auto".to_owned())));
    assert_eq!(options(&["--batch", "3"]), (Some(3), Some("3".to_owned())));

    let run = place.explain(&["--precision", "f16", "--overwrite"]);
    assert_eq!(run.code, 2, "{}", run.stderr);
    assert!(run.stderr.contains("does not compute in f16"), "{}", run.stderr);
    assert!(run.stderr.contains("hint:"), "{}", run.stderr);
}
