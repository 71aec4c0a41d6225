//! Whether maps are better than their controls, in words.

use std::fmt::Write as _;
use std::io::Write as _;

use burncam_page::Language;
use burncam_run::ModelTrust;
use burncam_trust::{Assessment, Verdict, control, find};

use super::harmless::harmless;

/// Prints, for each method of a model, by which measures it is better than every control, and by which it is not.
pub(crate) fn verdicts(language: Language, models: &[ModelTrust]) {
    for model in models {
        let text = text(language, model);
        if !text.is_empty() {
            out!("\n{}", text.trim_end());
        }
    }
}

fn text(language: Language, model: &ModelTrust) -> String {
    let mut text = String::new();
    let judged: Vec<(&Assessment, &Verdict)> = (model.trust.assessments.iter())
        .filter_map(|one| Some((one, one.verdict.as_ref()?)))
        .collect();
    let mut names: Vec<&str> = judged.iter().map(|(one, _)| &*one.explanation).collect();
    names.dedup();
    for name in names {
        let own = || judged.iter().filter(|(one, _)| one.explanation == name);
        let (better, all) = (own().filter(|(_, verdict)| verdict.is_better).count(), own().count());
        let line = match language {
            Language::English => format!(
                "{} {name}: better than every control by {better} of {all} measures (over {}, p < 0.05 after Holm)",
                model.model, model.trust.unit
            ),
            Language::Portuguese => format!(
                "{} {name}: melhor que todos os controles em {better} de {all} medidas (por {}, p < 0,05 após Holm)",
                model.model,
                if model.trust.unit == "images" { "imagens" } else { "sujeitos" }
            ),
        };
        let _ = writeln!(text, "{line}");
        for (one, verdict) in own() {
            let _ = writeln!(text, "  {}", measure_line(language, one, verdict));
        }
    }
    for (one, is_sane) in model.trust.assessments.iter().filter_map(|one| Some((one, one.is_sane?)))
    {
        let _ = writeln!(text, "{} {}", model.model, sanity_line(language, one, is_sane));
    }
    text
}

fn sanity_line(language: Language, one: &Assessment, is_sane: bool) -> String {
    let title = find(&one.measure).map_or(&*one.measure, |measure| measure.title);
    let mean = one.mean.map_or_else(|| "-".to_owned(), |mean| language.number(mean.mean, 3));
    let words = match (language, is_sane) {
        (Language::English, true) => "passed, the maps change",
        (Language::English, false) => "not passed, the maps stay alike or are not defined",
        (Language::Portuguese, true) => "aprovado, os mapas mudam",
        (Language::Portuguese, false) => {
            "não aprovado, os mapas continuam parecidos ou não existem"
        }
    };
    format!("{}, {title}: {words} ({mean})", one.explanation)
}

fn measure_line(language: Language, one: &Assessment, verdict: &Verdict) -> String {
    let title = find(&one.measure).map_or(&*one.measure, |measure| measure.title);
    let best = control(&verdict.control).map_or(&*verdict.control, |control| control.title);
    let value = |value: Option<f64>| {
        value.map_or_else(|| "-".to_owned(), |value| language.number(value, 3))
    };
    let own = value(one.mean.map(|mean| mean.mean));
    let other = one.controls.iter().find(|control| control.control == verdict.control);
    let other = value(other.and_then(|control| control.mean));
    let interval = verdict.advantage.interval.map_or_else(String::new, |[low, high]| {
        format!(" ({} … {})", language.number(low, 3), language.number(high, 3))
    });
    let advantage = language.number(verdict.advantage.mean, 3);
    match (language, verdict.is_better) {
        (Language::English, true) => {
            format!("{title}: better, {own} beside {other} of {best}, by {advantage}{interval}")
        }
        (Language::English, false) => {
            format!("{title}: not better, {own} beside {other} of {best}, by {advantage}{interval}")
        }
        (Language::Portuguese, true) => {
            format!("{title}: melhor, {own} contra {other} de {best}, por {advantage}{interval}")
        }
        (Language::Portuguese, false) => {
            format!(
                "{title}: não melhor, {own} contra {other} de {best}, por {advantage}{interval}"
            )
        }
    }
}
