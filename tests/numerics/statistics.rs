//! Statistics against scikit-learn, SciPy and statsmodels, and against published results.

use std::collections::BTreeMap;

use burncam_evaluation::{
    Case, Intervals, MEASURES, MeanSd, Method, Resampling, Sample, Scores, bootstrap_intervals,
    corrected_t_test, intervals, spearman, wilson_interval,
};
use parity::folder;
use serde::Deserialize;

/// The distance that rounding may make: both sides compute in f64, in another order.
const ROUNDING: f64 = 1e-12;

#[derive(Deserialize)]
struct Golden {
    seed: u64,
    resamples: usize,
    cases: Vec<GoldenCase>,
    tests: Vec<GoldenTest>,
    proportions: Vec<Proportion>,
    student: Vec<Student>,
    maps: Vec<Maps>,
}

#[derive(Deserialize)]
struct GoldenCase {
    name: String,
    truth: Vec<usize>,
    probabilities: Vec<Vec<f32>>,
    positive: usize,
    units: Option<Vec<usize>>,
    scores: Vec<Option<f64>>,
    roc: Vec<[f64; 2]>,
    confusion: Vec<Vec<usize>>,
    intervals: Option<Vec<Option<[f64; 2]>>>,
    reported: Vec<Option<Reported>>,
    reported_of_images: Vec<Option<Reported>>,
}

/// The ends of an interval, how it is made, and the number of subjects or images.
#[derive(Deserialize)]
struct Reported(f64, f64, Method, usize);

#[derive(Deserialize)]
struct Proportion {
    share: f64,
    count: usize,
    level: f64,
    interval: [f64; 2],
}

#[derive(Deserialize)]
struct GoldenTest {
    first: Vec<f64>,
    second: Vec<f64>,
    ratio: f64,
    t: f64,
    p: f64,
}

#[derive(Deserialize)]
struct Student {
    t: f64,
    df: usize,
    p: f64,
}

#[derive(Deserialize)]
struct Maps {
    a: Vec<f32>,
    b: Vec<f32>,
    spearman: f64,
}

fn golden() -> Golden {
    let text = std::fs::read(folder().join("statistics.json")).expect("the golden");
    serde_json::from_slice(&text).expect("what tests/reference/report_statistics.py writes")
}

fn sample(case: &GoldenCase) -> Sample {
    let classes = case.probabilities[0].len();
    let likeliest = |probabilities: &[f32]| {
        (0..classes).rev().max_by(|&a, &b| probabilities[a].total_cmp(&probabilities[b]))
    };
    let cases = case.truth.iter().zip(&case.probabilities).map(|(&truth, probabilities)| Case {
        truth,
        predicted: likeliest(probabilities).expect("a class"),
        probabilities,
    });
    Sample::new(cases, classes, Some(case.positive))
}

fn close(found: Option<f64>, expected: Option<f64>, what: &str) {
    match (found, expected) {
        (None, None) => {}
        (Some(a), Some(b)) => assert!((a - b).abs() < ROUNDING, "{what}: {a}, expected {b}"),
        _ => panic!("{what}: {found:?}, expected {expected:?}"),
    }
}

#[test]
fn measures_are_those_of_scikit_learn() {
    let golden = golden();
    assert_eq!(golden.cases.len(), 13);
    for case in &golden.cases {
        let sample = sample(case);
        for ((name, found), &expected) in
            MEASURES.iter().zip(sample.scores().values()).zip(&case.scores)
        {
            close(found, expected, &format!("{}: {name}", case.name));
        }
        let confusion = sample.confusion();
        assert_eq!(confusion.counts, case.confusion, "{}", case.name);
    }
}

#[test]
fn curves_have_the_corners_of_scikit_learns() {
    let golden = golden();
    for case in &golden.cases {
        let roc = sample(case).roc();
        assert_eq!(roc.is_empty(), case.roc.is_empty(), "{}", case.name);
        // scikit-learn keeps some corners on straight lines.
        for corner in &roc {
            let same =
                |other: &[f64; 2]| corner.iter().zip(other).all(|(a, b)| (a - b).abs() < ROUNDING);
            assert!(case.roc.iter().any(same), "{}: {corner:?}", case.name);
        }
        let area: f64 =
            roc.windows(2).map(|w| (w[1][0] - w[0][0]) * (w[0][1] + w[1][1]) / 2.0).sum();
        if let Some(auc) = case.scores[4] {
            assert!((area - auc).abs() < ROUNDING, "{}: {area} {auc}", case.name);
        }
    }
}

#[test]
fn intervals_are_those_of_the_same_draws_in_numpy() {
    let golden = golden();
    let how = Resampling { resamples: golden.resamples, seed: golden.seed, level: 0.95 };
    let mut compared = 0;
    for case in &golden.cases {
        let (Some(units), Some(expected)) = (&case.units, &case.intervals) else { continue };
        let found = bootstrap_intervals(&sample(case), units, &how);
        for ((found, expected), name) in found.iter().zip(expected).zip(MEASURES) {
            let what = format!("{}: {name}", case.name);
            close(found.map(|[low, _]| low), expected.map(|[low, _]| low), &what);
            close(found.map(|[_, high]| high), expected.map(|[_, high]| high), &what);
            compared += 1;
        }
    }
    assert_eq!(compared, 7 * MEASURES.len());
}

#[test]
fn wilsons_intervals_are_those_of_statsmodels() {
    let golden = golden();
    assert_eq!(golden.proportions.len(), 60);
    for Proportion { share, count, level, interval } in golden.proportions {
        let found = wilson_interval(share, count, level);
        let what = format!("{share} of {count} at {level}");
        close(found.map(|[low, _]| low), Some(interval[0]), &what);
        close(found.map(|[_, high]| high), Some(interval[1]), &what);
    }
}

fn assert_reported(found: &Intervals, expected: &[Option<Reported>], name: &str) {
    assert_eq!(expected.len(), MEASURES.len());
    for ((found, expected), measure) in found.iter().zip(expected).zip(MEASURES) {
        let what = format!("{name}: {measure}");
        let Some(Reported(low, high, method, units)) = expected else {
            assert_eq!(*found, None, "{what}");
            continue;
        };
        let found = found.unwrap_or_else(|| panic!("{what}: no interval"));
        assert_eq!((found.method, found.units), (*method, *units), "{what}");
        close(Some(found.low), Some(*low), &what);
        close(Some(found.high), Some(*high), &what);
    }
}

/// Which interval each measure has is stated a second time in the script.
#[test]
fn reported_intervals_are_those_of_statsmodels_or_of_draws() {
    let golden = golden();
    let how = Resampling { resamples: golden.resamples, seed: golden.seed, level: 0.95 };
    for case in &golden.cases {
        let sample = sample(case);
        let of_subjects = intervals(&sample, case.units.as_deref(), &how);
        assert_reported(&of_subjects, &case.reported, &case.name);
        let of_images = intervals(&sample, None, &how);
        assert_reported(&of_images, &case.reported_of_images, &case.name);
    }
}

#[test]
fn tests_and_correlations_are_those_of_scipy() {
    let golden = golden();
    for test in &golden.tests {
        let found = corrected_t_test(&test.first, &test.second, test.ratio).expect("two folds");
        close(found.t, Some(test.t), "t");
        close(found.p, Some(test.p), "p");
    }
    for student in &golden.student {
        // Differences 1 ± e with the mean and spread that give t.
        let n = student.df + 1;
        let d = spread_out(student.t, n);
        let found = corrected_t_test(&d, &vec![0.0; n], 0.0).expect("two folds");
        let (t, p) = (found.t.expect("t"), found.p.expect("p"));
        assert!((t - student.t).abs() < 1e-9, "{t} {}", student.t);
        assert!((p - student.p).abs() < 1e-9, "{} {}: {p} {}", student.t, student.df, student.p);
    }
    for maps in &golden.maps {
        close(spearman(&maps.a, &maps.b), Some(maps.spearman), "spearman");
    }
}

/// `n` values whose one-sample t is `t`.
fn spread_out(t: f64, n: usize) -> Vec<f64> {
    let middle = (n as f64 - 1.0) / 2.0;
    let squares: f64 = (0..n).map(|i| (i as f64 - middle).powi(2)).sum();
    let error = (squares / (n as f64 - 1.0) / n as f64).sqrt();
    (0..n).map(|i| i as f64 - middle + t * error).collect()
}

/// One published fold: the model, the fold, the published figures, the counts.
#[derive(Deserialize)]
struct Published {
    model: String,
    fold: usize,
    images: usize,
    published_accuracy: f64,
    published_recall: f64,
    published_auc: f64,
    no_pain_right: usize,
    no_pain_wrong: usize,
    pain_right: usize,
    pain_wrong: usize,
}

const NO_PAIN: usize = 1;

impl Published {
    /// The fold's images with hard decisions, as the published figures were computed.
    fn scores(&self, positive: usize) -> Scores {
        const HARD: [[f32; 2]; 2] = [[1.0, 0.0], [0.0, 1.0]];
        let of = |truth, predicted, count| {
            std::iter::repeat_n(Case { truth, predicted, probabilities: &HARD[predicted] }, count)
        };
        let cases = of(0, 0, self.pain_right)
            .chain(of(0, 1, self.pain_wrong))
            .chain(of(1, 1, self.no_pain_right))
            .chain(of(1, 0, self.no_pain_wrong));
        let sample = Sample::new(cases, 2, Some(positive));
        assert_eq!(sample.len(), self.images);
        sample.scores()
    }
}

fn published() -> Vec<Published> {
    let file = folder().join("published_folds.csv");
    let mut reader = csv::Reader::from_path(file).expect("the table");
    reader.deserialize().collect::<Result<_, _>>().expect("50 rows")
}

/// Equal to the published four decimals.
fn as_published(found: Option<f64>, published: f64) -> bool {
    found.is_some_and(|found| (found - published).abs() < 0.000_051)
}

#[test]
fn published_sensitivity_is_the_recall_of_no_pain_and_published_auc_balanced_accuracy() {
    let rows = published();
    assert_eq!(rows.len(), 50);
    let mut other = Vec::new();
    for row in &rows {
        let scores = row.scores(NO_PAIN);
        assert!(
            as_published(scores.accuracy, row.published_accuracy),
            "{} {}",
            row.model,
            row.fold
        );
        assert!(
            as_published(scores.sensitivity, row.published_recall),
            "{} {}",
            row.model,
            row.fold
        );
        // From hard decisions the curve has one corner, and the area is the balanced accuracy.
        close(scores.auc, scores.balanced_accuracy, "auc of hard decisions");
        if !as_published(scores.balanced_accuracy, row.published_auc) {
            other.push((row.model.as_str(), row.fold));
        }
    }
    assert_eq!(other, [("ResNet50", 5), ("ResNet50", 7)]);
}

#[test]
fn published_means_and_the_recall_of_pain() {
    let rows = published();
    let mut models: BTreeMap<&str, Vec<&Published>> = BTreeMap::new();
    for row in &rows {
        models.entry(&row.model).or_default().push(row);
    }
    let percent = |value: f64| format!("{:.1}", value * 100.0);
    let line = |(model, rows): (&&str, &Vec<&Published>)| {
        let accuracy = MeanSd::compute(rows.iter().map(|row| row.scores(0).accuracy));
        let found: usize = rows.iter().map(|row| row.pain_right).sum();
        let missed: usize = rows.iter().map(|row| row.pain_wrong).sum();
        let recall = found as f64 / (found + missed) as f64;
        let [mean, sd] = [accuracy.mean, accuracy.sd].map(|value| percent(value.expect("folds")));
        format!("{model} {mean} ± {sd}, {} of Pain", percent(recall))
    };
    let lines: Vec<String> = models.iter().map(line).collect();
    let expected = [
        "InceptionV3 81.3 ± 5.5, 70.9 of Pain",
        "N-CNN 77.1 ± 6.9, 63.3 of Pain",
        "ResNet50 85.6 ± 7.5, 80.2 of Pain",
        "SENet50 86.1 ± 5.7, 81.9 of Pain",
        "VGG16 86.2 ± 7.6, 81.4 of Pain",
    ];
    assert_eq!(lines, expected);
}
