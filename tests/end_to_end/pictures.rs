//! Clean overlays, scales and raw maps.

use std::fs;

use image::RgbImage;

use crate::program::{Place, Run, faces, files, picture, weights};

fn place() -> Place {
    let place = Place::new();
    place.face("Fold0/S01_sem_dor_01.png", "faces/A/S01_sem_dor_01.png");
    place.face("Fold0/S02_dor_01.png", "faces/A/S02_dor_01.png");
    place.face("Fold0/S01_sem_dor_01.png", "faces/B/S01_sem_dor_01.png");
    place.face("Fold0/C04_stick.jpeg", "faces/B/C04_stick.jpeg");
    place
}

fn explain(place: &Place, out: &str, more: &[&str]) -> Run {
    let net = weights("NCNN_k2.h5");
    let fixed = ["explain", "--weights", &net, "--data", "faces", "--out", out];
    place.burncam(&[&fixed[..], more].concat())
}

/// Every overlay in `All` by its path there.
fn overlays(place: &Place, out: &str) -> Vec<(String, RgbImage)> {
    overlays_of(place, out, "GradCAM")
}

fn overlays_of(place: &Place, out: &str, explanation: &str) -> Vec<(String, RgbImage)> {
    let folder = place.path(&format!("{out}/NCNN_{explanation}/All"));
    let open = |path: String| {
        let picture = picture(&folder.join(&path));
        (path, picture)
    };
    files(&folder).into_iter().map(open).collect()
}

#[test]
fn a_clean_overlay_has_the_photographs_own_size() {
    let place = place();
    let run = explain(&place, "out", &["--overlay", "clean"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let found = overlays(&place, "out");
    assert_eq!(found.len(), 4);
    for (path, picture) in &found {
        let name = path.rsplit('/').next().expect("a name").trim_start_matches("NCNN_");
        assert!(path.ends_with(".png"), "{path}");
        let name = name.replace("B_", "").replace(".jpeg.png", ".jpeg");
        let own = crate::program::picture(&faces().join("Fold0").join(&name));
        assert_eq!(picture.height(), own.height(), "{path}");
        assert!(picture.width() > own.width(), "{path}: the colour bar");
    }
    let run: serde_json::Value = serde_json::from_str(&place.read("out/run.json")).expect("JSON");
    let options = &run["options"];
    assert_eq!(
        [&options["--overlay"], &options["--colormap"], &options["--norm"]],
        ["clean", "viridis", "image"]
    );
    for row in place.predictions() {
        assert!(place.path(&format!("out/{}", row["overlay"])).is_file(), "{}", row["overlay"]);
    }
}

#[test]
fn one_image_in_two_folds_looks_alike_on_one_scale_only() {
    let place = place();
    let twins = |out: &str, norm: &str| {
        let run = explain(&place, out, &["--overlay", "clean", "--norm", norm]);
        assert_eq!(run.code, 0, "{}", run.stderr);
        let found = overlays(&place, out).into_iter();
        let twins: Vec<RgbImage> =
            found.filter(|(path, _)| path.contains("S01")).map(|(_, picture)| picture).collect();
        assert_eq!(twins.len(), 2);
        twins[0] == twins[1]
    };
    assert!(twins("image", "image"));
    assert!(twins("run", "run"));
    assert!(twins("none", "none"));
    assert!(!twins("fold", "fold"), "the folds' largest values differ");
    let table = |out: &str| {
        let mut reader =
            csv::Reader::from_path(place.path(&format!("{out}/predictions.csv"))).expect("a table");
        let column = |name: &str, reader: &mut csv::Reader<fs::File>| {
            reader
                .headers()
                .expect("headings")
                .iter()
                .position(|heading| heading == name)
                .expect(name)
        };
        let columns = ["overlay", "map_max", "confidence"].map(|name| column(name, &mut reader));
        let rows = reader.into_records().map(|row| row.expect("a row"));
        rows.map(|row| columns.map(|column| row[column].to_owned())).collect::<Vec<_>>()
    };
    assert_eq!(table("run"), table("image"), "only the pictures differ");
    assert!(files(&place.path("fold/NCNN_GradCAM/maps")).len() == 4);
    assert!(!place.path("image/NCNN_GradCAM/maps").exists());
}

/// Pixels left of the colour bar that are much redder than blue, and the other way round.
fn red_and_blue(picture: &RgbImage) -> [usize; 2] {
    let photograph = picture.width() - picture.width() / 4;
    let pixels = || picture.enumerate_pixels().filter(|(x, _, _)| *x < photograph);
    let much = |a: u8, b: u8| i16::from(a) > i16::from(b) + 60;
    let count = |is: &dyn Fn([u8; 3]) -> bool| pixels().filter(|(_, _, p)| is(p.0)).count();
    [count(&|[red, _, blue]| much(red, blue)), count(&|[red, _, blue]| much(blue, red))]
}

#[test]
fn signed_maps_have_two_colours_and_positive_ones_stay_as_they_are() {
    let place = place();
    let methods = ["--method", "grad-cam,input-x-gradient,saliency"];
    for style in ["notebook", "clean"] {
        let overlay = ["--overlay", style];
        let run = explain(&place, style, &[&methods[..], &overlay].concat());
        assert_eq!(run.code, 0, "{}", run.stderr);
        let alone = format!("{style}-alone");
        assert_eq!(explain(&place, &alone, &overlay).code, 0);
        assert_eq!(overlays(&place, style), overlays(&place, &alone));
    }
    for (path, picture) in overlays_of(&place, "clean", "InputXGradient") {
        let [red, blue] = red_and_blue(&picture);
        assert!(red > 50 && blue > 50, "{path}: {red} red and {blue} blue");
    }
    // Blue is not in the photographs that lie below the notebook's overlays.
    for (path, picture) in overlays_of(&place, "notebook", "InputXGradient") {
        assert!(red_and_blue(&picture)[1] > 5, "{path}");
    }
    let record = place.read("clean/run.json");
    for values in ["positive", "signed", "sizes"] {
        assert!(record.contains(&format!("\"values\": \"{values}\"")), "{values}");
    }
    let page = place.read("clean/index.html");
    assert!(page.contains("Red speaks for the class, blue against it."));
}

/// One image in two folds, with a map that has a value for each pixel.
#[test]
fn signed_maps_and_sizes_share_scales_too() {
    let place = place();
    let methods = ["--method", "input-x-gradient,saliency", "--overlay", "clean", "--norm"];
    for (norm, alike) in [("run", true), ("none", true), ("fold", false)] {
        let run = explain(&place, norm, &[&methods[..], &[norm]].concat());
        assert_eq!(run.code, 0, "{}", run.stderr);
        for explanation in ["InputXGradient", "Saliency"] {
            let found = overlays_of(&place, norm, explanation).into_iter();
            let twins: Vec<RgbImage> = found
                .filter(|(path, _)| path.contains("S01"))
                .map(|(_, picture)| picture)
                .collect();
            assert_eq!(twins[0] == twins[1], alike, "{explanation}, {norm}");
        }
    }
}

#[test]
fn maps_of_pixels_are_stored_at_the_inputs_size() {
    let place = place();
    let saliency = ["--method", "saliency", "--maps", "npy"];
    assert_eq!(explain(&place, "out", &saliency).code, 0);
    let file = place.path("out/NCNN_Saliency/maps/A/S02_dor_01.png.npy");
    let bytes = fs::read(file).expect("a map");
    assert_eq!(npyz::NpyFile::new(&bytes[..]).expect("a NumPy file").shape(), [120, 120]);
}

#[test]
fn raw_maps_are_what_the_table_sums_up() {
    let place = place();
    assert_eq!(explain(&place, "out", &["--maps", "npy"]).code, 0);
    for row in place.predictions() {
        let name = row["path"].rsplit('/').next().expect("a name");
        let path = place.path(&format!("out/NCNN_GradCAM/maps/{}/{name}.npy", row["fold"]));
        let bytes = fs::read(&path).expect("a map");
        let file = npyz::NpyFile::new(&bytes[..]).expect("a NumPy file");
        assert_eq!(file.shape(), [12, 12]);
        let map: Vec<f32> = file.into_vec().expect("float32");
        let max = map.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        assert_eq!(row["map_max"].parse::<f32>().expect("a number"), max);
    }
}

#[test]
fn maps_that_cannot_be_read_are_crossed_out() {
    let place = place();
    let net = weights("NCNN_k2_dead.h5");
    for norm in ["image", "run"] {
        let run = place.burncam(&[
            "explain",
            "--weights",
            &net,
            "--data",
            "faces",
            "--out",
            norm,
            "--overlay",
            "clean",
            "--norm",
            norm,
        ]);
        assert_eq!(run.code, 0, "{}", run.stderr);
        for (path, picture) in overlays(&place, norm) {
            assert!(picture.pixels().all(|p| p.0[0] == p.0[1] && p.0[1] == p.0[2]), "{path}");
        }
    }
}

#[test]
fn options_that_change_nothing_are_refused() {
    let place = place();
    for (more, says) in [
        (&["--colormap", "magma"][..], "--colormap is for clean overlays"),
        (&["--norm", "run"], "--norm is for clean overlays"),
        (&["--overlay", "clean", "--norm", "run", "--shard", "1/2"], "--shard explains a part"),
        (&["--overlay", "clean", "--alpha", "1.5"], "share of 1"),
        (&["--overlay", "clean", "--colormap", "rainbow"], "viridis, magma, turbo, jet"),
    ] {
        let run = explain(&place, "out", more);
        assert_eq!(run.code, 2);
        assert!(run.stderr.contains(says), "{}", run.stderr);
        assert!(!place.path("out").exists());
    }
}
