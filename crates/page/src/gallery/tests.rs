//! What the page's script knows of measured maps.

use serde_json::{Value, json};

use crate::document::Report;
use crate::tests::{HOSTILE, changed, gallery, html, json_of, report};
use crate::text::Language;

fn plain() -> Report<'static> {
    report(&["NCNN", "VGG16"], &["A"], ["Pain", "No_pain"])
}

/// The first attribution of each result of an image.
fn attributions(json: &mut Value, image: usize) -> impl Iterator<Item = &mut Value> {
    let results = json["images"][image]["results"].as_array_mut().expect("results").iter_mut();
    results.filter_map(|result| result["attributions"].get_mut(0))
}

/// A report in which one image was measured, with a region of a hostile name.
fn measured() -> Report<'static> {
    changed(&plain(), |json| {
        for one in attributions(json, 2) {
            one["cell_max"] = json!(2.5);
            one["measured"] = json!({
                "measures": { "insertion": 0.987_654, "deletion": 0.25, "of another version": 1.0 },
                "regions": { "mouth": [0.5, 0.125], "eyes": [0.25, 0.0625], (HOSTILE[0]): [0.0, 0.25] },
                "peak_region": "mouth",
            });
        }
    })
    .expect("a report")
}

#[test]
fn nothing_is_added_where_nothing_was_measured() {
    let page = html(&plain(), Language::English);
    let data = gallery(&page);
    assert_eq!((&data["regions"], &data["measures"]), (&json!([]), &json!([])));
    for image in data["images"].as_array().expect("images") {
        assert!(image.get("w").is_none());
        for result in image["r"].as_array().expect("results") {
            assert!(["t", "w", "y", "z"].iter().all(|key| result.get(key).is_none()), "{result}");
        }
    }
    assert!(!page.contains("id=\"f-peak\"") && !page.contains("best-"));
    assert!(!json_of(&plain()).contains("\"measured\""));
}

#[test]
fn measured_maps_have_their_numbers_by_place() {
    let page = html(&measured(), Language::Portuguese);
    let data = gallery(&page);
    assert_eq!(data["regions"], json!(["olhos", "boca", HOSTILE[0]]));
    let names: Vec<&Value> =
        data["measures"].as_array().expect("measures").iter().map(|one| &one["name"]).collect();
    assert_eq!(names, ["deletion", "insertion"]);
    assert_eq!(
        (&data["measures"][0]["up"], &data["measures"][1]["up"]),
        (&json!(false), &json!(true))
    );
    let image = &data["images"][2];
    assert_eq!(image["w"], json!([[2, 0.25], [0, 0.0625], [1, 0.125]]));
    let result = &image["r"][1];
    assert_eq!(result["t"].to_string(), "[[0,0.25],[1,0.9877]]");
    assert_eq!(result["w"], json!([[0, 0.25], [1, 0.5]]));
    assert_eq!((&result["z"], &result["y"]), (&json!(1), &json!(2.5)));
    for part in ["id=\"f-peak\"", "value=\"best-deletion\"", "value=\"worst-insertion\""] {
        assert!(page.contains(part), "{part}");
    }
    assert!(!page.contains("best-of another version"));
}

#[test]
fn what_was_measured_is_read_back_and_has_to_be_numbers() {
    let report = measured();
    let again = changed(&report, |_| {}).expect("a report");
    assert_eq!(json_of(&again), json_of(&report));
    for (key, value) in
        [("measures", json!({ "deletion": 1e300 })), ("regions", json!({ "eyes": [0.5, 1e300] }))]
    {
        let error = changed(&report, |json| {
            attributions(json, 2).for_each(|one| one["measured"][key] = value.clone());
        });
        let error = error.expect_err(key).to_string();
        assert!(error.contains("does not fit"), "{error}");
    }
}

/// One method at two layers: `figure --columns` takes the names of explanations.
#[test]
fn the_names_of_explanations_tell_layers_apart() {
    let two_layers = changed(&plain(), |json| {
        for model in json["models"].as_array_mut().expect("models") {
            let mut second = model["explanations"][0].clone();
            (second["name"], second["explanation"]) = ("GradCAM_conv1".into(), 1.into());
            second["--layer"] = json!(["conv1"]);
            model["explanations"].as_array_mut().expect("explanations").push(second);
        }
        json["explanations"] = json!(["Grad-CAM", "Grad-CAM at conv1"]);
    })
    .expect("a report");
    let data = gallery(&html(&two_layers, Language::English));
    for model in data["models"].as_array().expect("models") {
        assert_eq!(model["explained"], json!([0, 1]));
        assert_eq!(model["names"], json!(["GradCAM", "GradCAM_conv1"]));
    }
}
