//! Regions of a face against tests/reference/measures/regions.py, and what holds of any.

use burncam_evaluation::Values;
use burncam_trust::Evidence;
use burncam_trust::regions::{
    FACE_REGIONS, Landmarks, Point, RegionShare, Regions, Scheme, Similarity, peak_region,
    polygon_mask, read_region_names, region_shares, warp,
};
use proptest::prelude::*;
use serde::Deserialize;

#[derive(Deserialize)]
struct Goldens {
    polygons: Vec<Polygon>,
    faces: Vec<Face>,
    similarities: Vec<Fit>,
    warps: Vec<Warp>,
}

#[derive(Deserialize)]
struct Polygon {
    corners: Vec<Point>,
    size: [usize; 2],
    mask: Vec<(u8, usize)>,
}

#[derive(Deserialize)]
struct Face {
    scheme: String,
    points: Vec<Point>,
    size: [usize; 2],
    labels: Vec<(u8, usize)>,
    shares: Vec<(String, f64, f64, Option<f64>)>,
    signed: Vec<(String, f64, f64, Option<f64>)>,
    peak: String,
}

#[derive(Deserialize)]
struct Fit {
    from: [Point; 3],
    to: [Point; 3],
    scale: f64,
    rotation: f64,
    shift: Point,
}

#[derive(Deserialize)]
struct Warp {
    eyes_and_mouth: [Point; 3],
    size: [usize; 2],
    target: [usize; 2],
    values: Vec<f64>,
    valid: Vec<(u8, usize)>,
}

fn goldens() -> Goldens {
    let json = include_str!("../../../tests/goldens/measures/regions.json");
    serde_json::from_str(json).expect("goldens")
}

fn unpacked(runs: &[(u8, usize)]) -> Vec<u8> {
    runs.iter().flat_map(|&(label, count)| std::iter::repeat_n(label, count)).collect()
}

/// The values that the reference draws.
fn drawn(size: [usize; 2], signed: bool) -> Vec<f32> {
    let level = |place: usize| ((place * 7919 + place * place * 31) % 256) as f32;
    let zero = if signed { 128.0 } else { 0.0 };
    (0..size[0] * size[1]).map(|place| (level(place) - zero) / 64.0).collect()
}

fn evidence(values: Vec<f32>, size: [usize; 2], kind: Values) -> Evidence {
    Evidence::new(values, size, kind).expect("finite values")
}

fn close(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-6 * b.abs().max(1.0)
}

fn landmarks(scheme: &str, points: Vec<Point>) -> Landmarks {
    let scheme = if scheme == "five" { Scheme::Five } else { Scheme::Ibug68 };
    Landmarks::new(scheme, points).expect("landmarks")
}

#[test]
fn polygons_are_filled_as_the_reference_fills_them() {
    for Polygon { corners, size, mask } in goldens().polygons {
        let filled: Vec<u8> = polygon_mask(&corners, size).into_iter().map(u8::from).collect();
        assert_eq!(filled, unpacked(&mask), "{corners:?}");
    }
}

#[test]
fn faces_have_the_reference_s_regions_and_shares() {
    for face in goldens().faces {
        let landmarks = landmarks(&face.scheme, face.points);
        let regions = Regions::from_landmarks(&landmarks, face.size).expect("regions");
        assert_eq!(regions.labels(), unpacked(&face.labels), "{} {:?}", face.scheme, face.size);
        let signed = evidence(drawn(face.size, true), face.size, Values::Signed);
        let positive = evidence(drawn(face.size, false), face.size, Values::Positive);
        for (map, expected) in [(&positive, face.shares), (&signed, face.signed)] {
            let shares = region_shares(map, &regions).expect("shares");
            assert_eq!(shares.len(), expected.len());
            for (share, (name, mass, area, density)) in shares.iter().zip(expected) {
                assert_eq!((&share.name, share.density.is_some()), (&name, density.is_some()));
                assert!(close(share.mass, mass) && close(share.area, area), "{share:?} {mass}");
                assert!(close(share.density.unwrap_or(0.0), density.unwrap_or(0.0)));
            }
        }
        assert_eq!(peak_region(&signed, &regions), Ok(face.peak.as_str()));
    }
}

#[test]
fn similarities_are_umeyama_s() {
    for Fit { from, to, scale, rotation, shift } in goldens().similarities {
        let fit = Similarity::fit(&from, &to).expect("a similarity");
        assert!(close(fit.scale, scale) && close(fit.rotation, rotation), "{fit:?}");
        assert!(close(fit.shift[0], shift[0]) && close(fit.shift[1], shift[1]), "{fit:?}");
    }
}

#[test]
fn maps_are_warped_as_the_reference_warps_them() {
    for Warp { eyes_and_mouth: [left, right, mouth], size, target, values, valid } in
        goldens().warps
    {
        let landmarks = landmarks("five", vec![left, right, mouth, mouth, mouth]);
        let similarity = Similarity::to_mean_face(&landmarks, target).expect("a similarity");
        let warped = warp(&drawn(size, true), size, &similarity, target);
        let inside: Vec<u8> = warped.valid.iter().copied().map(u8::from).collect();
        assert_eq!(inside, unpacked(&valid));
        for (&value, expected) in warped.values.iter().zip(values) {
            assert!(close(value.into(), expected), "{value} {expected}");
        }
    }
}

#[test]
fn face_plus_plus_and_ibug_agree_on_a_face() {
    let points = goldens().faces.swap_remove(0).points;
    let between = |a: usize, b: usize| [0, 1].map(|axis| (points[a][axis] + points[b][axis]) / 2.0);
    let outline = (0..33).map(|i: usize| between(i / 2, i.div_ceil(2)));
    let mut all: Vec<Point> = outline.collect();
    let eyebrow = |first: usize| {
        (first..first + 5)
            .chain((first + 1..first + 5).rev())
            .map(|i| points[i])
            .collect::<Vec<_>>()
    };
    all.extend([eyebrow(17), eyebrow(22)].concat());
    let nose = [27, 27, 31, 31, 31, 32, 33, 34, 35, 35, 35, 27, 28, 29, 30];
    all.extend(nose.map(|i| points[i]));
    for eye in [36, 42] {
        let order = [0, 1, 1, 2, 3, 4, 4, 5, 0, 0];
        all.extend(order.map(|i: usize| points[eye + i]));
    }
    let inner = [60, 61, 62, 63, 64, 65, 66, 67];
    all.extend((48..60).chain(inner).map(|i| points[i]));
    let size = [96, 80];
    let many = Landmarks::new(Scheme::FacePlusPlus106, all).expect("106 points");
    let many = Regions::from_landmarks(&many, size).expect("regions");
    let few = Regions::from_landmarks(&landmarks("ibug68", points.clone()), size).expect("regions");
    let same = many.labels().iter().zip(few.labels()).filter(|(a, b)| a == b).count();
    assert!(same as f64 > 0.98 * many.labels().len() as f64, "{same}");
    for name in FACE_REGIONS {
        assert!(many.mask(name).is_some_and(|mask| mask.contains(&true)), "{name}");
    }
}

#[test]
fn label_maps_need_a_name_for_each_value() {
    let names = read_region_names(r#"{"eyes": 128, "brow": 64}"#).expect("names");
    let regions = Regions::from_pixels(&[0, 64, 128, 128], [2, 2], &names).expect("regions");
    assert_eq!(regions.names(), ["background", "brow", "eyes"]);
    assert_eq!(regions.labels(), [0, 1, 2, 2]);
    for (pixels, size, part) in [
        (vec![0, 64, 3, 3], [2, 2], "3 (2 pixels)"),
        (vec![0, 64], [2, 2], "has 2 values"),
        (vec![], [usize::MAX, 2], "too large"),
    ] {
        let error = Regions::from_pixels(&pixels, size, &names).expect_err(part).to_string();
        assert!(error.contains(part), "{error}");
    }
}

/// Any number that is finite, also absurd ones, and often the same.
fn coordinate() -> impl Strategy<Value = f64> {
    prop_oneof![
        -10.0..40.0,
        Just(5.0),
        Just(0.0),
        Just(f64::MAX),
        Just(-f64::MAX),
        Just(1e300),
        Just(f64::MIN_POSITIVE),
        any::<f64>().prop_filter("finite", |value| value.is_finite()),
    ]
}

fn points(count: usize) -> impl Strategy<Value = Vec<Point>> {
    prop_oneof![
        prop::collection::vec([coordinate(), coordinate()], count),
        [coordinate(), coordinate()].prop_map(move |point| vec![point; count]),
        prop::collection::vec([0.0..30.0, 0.0..30.0], count),
    ]
}

fn any_landmarks() -> impl Strategy<Value = Landmarks> {
    let schemes = [Scheme::Five, Scheme::Ibug68, Scheme::FacePlusPlus106];
    prop::sample::select(schemes.to_vec()).prop_flat_map(|scheme| {
        points(scheme.points())
            .prop_map(move |points| Landmarks::new(scheme, points).expect("finite landmarks"))
    })
}

proptest! {
    #[test]
    fn any_landmarks_have_regions_or_an_error(landmarks in any_landmarks(), size in [0_usize..20, 0_usize..20]) {
        if let Ok(regions) = Regions::from_landmarks(&landmarks, size) {
            prop_assert_eq!(regions.labels().len(), size[0] * size[1]);
            let names = regions.names().len();
            prop_assert!(regions.labels().iter().all(|&label| usize::from(label) < names));
        }
        if let Some(similarity) = Similarity::to_mean_face(&landmarks, size) {
            let warped = warp(&[1.0; 12], [3, 4], &similarity, size);
            prop_assert!(warped.values.iter().all(|value| value.is_finite()));
        }
        let _ = polygon_mask(landmarks.points(), size);
    }

    #[test]
    fn shares_sum_to_1(
        landmarks in points(68),
        values in prop::collection::vec(-9.0_f32..9.0, 30 * 30),
        kind in prop::sample::select(Values::ALL.to_vec()),
    ) {
        let landmarks = Landmarks::new(Scheme::Ibug68, landmarks).expect("finite landmarks");
        if let Ok(regions) = Regions::from_landmarks(&landmarks, [30, 30]) {
            let shares = region_shares(&evidence(values, [30, 30], kind), &regions).expect("shares");
            let sum = |share: fn(&RegionShare) -> f64| shares.iter().map(share).sum::<f64>();
            prop_assert!((sum(|share| share.mass) - 1.0).abs() < 1e-9);
            prop_assert!((sum(|share| share.area) - 1.0).abs() < 1e-9);
            let same = evidence(vec![0.7; 30 * 30], [30, 30], kind);
            for share in region_shares(&same, &regions).expect("shares") {
                prop_assert!(share.density.is_none_or(|density| (density - 1.0).abs() < 1e-9));
            }
        }
    }

    #[test]
    fn a_known_similarity_is_recovered(
        from in [[0.0..100.0, 0.0..100.0], [200.0..300.0, 0.0..100.0], [0.0..300.0, 200.0..300.0]],
        scale in 0.01..100.0,
        rotation in -3.1..3.1,
        shift in [-500.0..500.0, -500.0..500.0],
    ) {
        let known = Similarity { scale, rotation, shift };
        let fit = Similarity::fit(&from, &from.map(|point| known.apply(point))).expect("a similarity");
        prop_assert!((fit.scale / scale - 1.0).abs() < 1e-9);
        prop_assert!((fit.rotation - rotation).abs() < 1e-9);
        let [x, y] = fit.invert(fit.apply([3.0, 4.0]));
        prop_assert!((x - 3.0).abs() < 1e-6 && (y - 4.0).abs() < 1e-6);
        prop_assert!((fit.shift[0] - shift[0]).abs() < 1e-6 * (1.0 + scale * 300.0));
    }
}
