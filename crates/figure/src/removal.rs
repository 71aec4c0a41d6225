//! How scores change as pixels are removed from images: deletion, insertion and ROAD.

use burncam_page::{ModelReport, Report};
use burncam_trust::{Profile, Trust};

use crate::chart::{Chart, MOST, Stroke};
use crate::look::Look;
use crate::scene::Scene;

/// The measures that have a curve, and what their axis across is.
const MEASURES: [(&str, &str); 4] = [
    ("deletion", "axis_removed"),
    ("insertion", "axis_inserted"),
    ("road-most", "axis_removed"),
    ("road-least", "axis_removed"),
];

/// Curves of maps whose intervals can be told apart.
const MOST_INTERVALS: usize = 4;

/// A measure's curves.
pub(crate) struct Removal {
    measure: &'static str,
    across: &'static str,
    maps: Vec<Curve>,
    controls: Vec<Curve>,
}

/// A mean score at each share of pixels.
struct Curve {
    name: String,
    /// The measure's mean.
    value: Option<f64>,
    /// Share of pixels, mean score, and its interval.
    points: Vec<(f64, f64, Option<[f64; 2]>)>,
}

/// The curves of a report, by measure; none of what was not measured.
pub(crate) fn removals(report: &Report<'_>, look: &Look) -> Vec<Removal> {
    let of_measure = |(measure, across): (&'static str, &'static str)| {
        let (mut maps, mut controls) = (Vec::new(), Vec::new());
        for model in &report.models {
            let Some(trust) = &model.trust else { continue };
            let owner = (report.models.len() > 1).then_some(model.name.as_str());
            for profile in trust.profiles.iter().filter(|one| one.measure == measure) {
                let curve = curve(profile, trust, name(profile, model, owner, look));
                if curve.points.len() > 1 && profile.class.is_empty() {
                    if profile.control.is_empty() { &mut maps } else { &mut controls }.push(curve);
                }
            }
        }
        // More controls than can be told apart say nothing.
        controls.truncate(MOST);
        (!maps.is_empty()).then_some(Removal { measure, across, maps, controls })
    };
    MEASURES.into_iter().filter_map(of_measure).collect()
}

/// The points of a profile that are shares of pixels; others are baselines.
fn curve(profile: &Profile, trust: &Trust, name: String) -> Curve {
    let point = |point: &burncam_trust::Point| {
        let share: f64 = point.condition.parse().ok()?;
        let mean = point.mean.filter(|_| (0.0..=1.0).contains(&share))?;
        Some((share, mean.mean, mean.interval))
    };
    let own = |one: &&burncam_trust::Assessment| {
        one.measure == profile.measure && one.explanation == profile.explanation
    };
    let value = match profile.control.is_empty() {
        true => trust.assessments.iter().find(own).and_then(|one| one.mean).map(|mean| mean.mean),
        false => None,
    };
    let mut points: Vec<_> = profile.points.iter().filter_map(point).collect();
    points.sort_by(|one, other| one.0.total_cmp(&other.0));
    Curve { name, value, points }
}

/// What a curve is called: the explanation or the control, and the network where there are several.
fn name(profile: &Profile, model: &ModelReport, owner: Option<&str>, look: &Look) -> String {
    let mut specs = model.explanations.iter().map(|one| &one.spec);
    let title = specs.find(|spec| spec.name == profile.explanation).map(|spec| spec.title.as_str());
    let explanation = title.unwrap_or(&profile.explanation);
    let control = || match look.say(&format!("control_{}", profile.control), &[]) {
        title if title.is_empty() => profile.control.clone(),
        title => title,
    };
    let own = match (profile.explanation.as_str(), profile.control.as_str()) {
        (_, "") => explanation.to_owned(),
        ("", _) => control(),
        _ => format!("{explanation}, {}", control()),
    };
    match owner {
        Some(owner) => format!("{owner}, {own}"),
        None => own,
    }
}

impl Removal {
    /// How many curves have a colour of their own.
    pub(crate) fn lines(&self) -> usize {
        self.maps.len()
    }

    /// Draws the curves, those of controls in grey below; the baseline of the next line of the legend.
    pub(crate) fn draw(&self, scene: &mut Scene, chart: Chart, look: &Look) -> f32 {
        let chart = Chart { range: self.range(), ..chart };
        let title = look.say(&format!("measure_{}", self.measure), &[]);
        let words = [title, look.say(self.across, &[]), look.say("axis_score", &[])];
        chart.axes(scene, words, look);
        let controls = self.controls.iter().enumerate();
        let controls = controls.map(|(place, curve)| (curve, Stroke::grey(place)));
        let controls: Vec<_> = controls.collect();
        let maps: Vec<_> = self
            .maps
            .iter()
            .enumerate()
            .map(|(place, curve)| (curve, Stroke::coloured(place)))
            .collect();
        for (curve, stroke) in controls.iter().chain(&maps) {
            let points = curve.points.iter().map(|(share, mean, _)| chart.at([*share, *mean]));
            scene.add(stroke.line(points.collect()));
        }
        if maps.len() <= MOST_INTERVALS {
            for (curve, stroke) in &maps {
                for (share, _, interval) in &curve.points {
                    if let Some([low, high]) = interval {
                        let [least, most] = chart.range;
                        let end = |end: f64| chart.at([*share, end.clamp(least, most)]);
                        scene.rule(end(*low), end(*high), 0.15, stroke.colour);
                    }
                }
            }
        }
        let mut baseline = chart.below();
        for (curve, stroke) in maps.iter().chain(&controls) {
            let value = curve.value.map(|value| look.language.number(value, 3)).unwrap_or_default();
            baseline = chart.legend(scene, baseline, [&curve.name, &value], stroke, look);
        }
        baseline
    }

    /// From 0 to 1, where probabilities are; else the whole numbers around all values.
    fn range(&self) -> [f64; 2] {
        let (mut low, mut high) = (0.0_f64, 1.0_f64);
        for (_, mean, interval) in
            self.maps.iter().chain(&self.controls).flat_map(|curve| &curve.points)
        {
            // An interval of probabilities may reach beyond them.
            let ends = interval.filter(|_| !(0.0..=1.0).contains(mean)).unwrap_or([*mean; 2]);
            (low, high) = (low.min(ends[0].floor()), high.max(ends[1].ceil()));
        }
        [low, high]
    }
}
