//! The columns of a figure: the original, and explanations of networks.

use burncam_page::{ModelReport, Report};

use crate::error::Error;

/// The column of originals, on the command line.
const ORIGINAL: &str = "original";

/// Columns of one network where a report has no other.
const OF_ONE: usize = 4;

/// A column of a figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Column {
    /// The images as they are.
    Original,
    /// The maps of a network.
    Maps(Maps),
}

/// An explanation of a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Maps {
    /// The network's place among the report's models.
    pub model: usize,
    /// The explanation's place among the network's.
    pub explanation: usize,
}

/// The columns that are asked for, as `original,VGG16:grad-cam,VGG16:layer-cam`. Without, the original and the first
/// explanation of each network; of one network alone, its first four.
///
/// # Errors
///
/// [`Error::Asked`] if a network or an explanation is not in the report, or a method has several.
pub fn columns(report: &Report<'_>, asked: Option<&str>) -> Result<Vec<Column>, Error> {
    let Some(asked) = asked else {
        return Ok(std::iter::once(Column::Original)
            .chain(usual(report).into_iter().map(Column::Maps))
            .collect());
    };
    let mut columns = Vec::new();
    for name in asked.split(',').map(str::trim).filter(|name| !name.is_empty()) {
        if name.eq_ignore_ascii_case(ORIGINAL) {
            columns.push(Column::Original);
        } else {
            columns.extend(maps(report, name)?.into_iter().map(Column::Maps));
        }
    }
    if columns.is_empty() {
        return Err(Error::Asked(format!("--columns names no column\nhint: {}", hint(report))));
    }
    Ok(columns)
}

/// The explanations that figures show unless others are asked for.
pub(crate) fn usual(report: &Report<'_>) -> Vec<Maps> {
    let most = if report.models.len() == 1 { OF_ONE } else { 1 };
    let of = |(model, one): (usize, &ModelReport)| {
        (0..one.explanations.len().min(most)).map(move |explanation| Maps { model, explanation })
    };
    report.models.iter().enumerate().flat_map(of).collect()
}

/// The explanations that a name stands for: `VGG16:grad-cam`, `VGG16` for its first one, or `grad-cam` for that of all
/// networks.
pub(crate) fn maps(report: &Report<'_>, name: &str) -> Result<Vec<Maps>, Error> {
    if let Some(model) = model(report, name) {
        return match report.models[model].explanations.is_empty() {
            true => Err(unknown(report, name)),
            false => Ok(vec![Maps { model, explanation: 0 }]),
        };
    }
    // A network's name may hold a colon.
    for (at, _) in name.match_indices(':') {
        if let Some(model) = model(report, &name[..at]) {
            return Ok(vec![explanation(report, model, &name[at + 1..])?]);
        }
    }
    let has = |model: &usize| !matching_explanations(&report.models[*model], name).is_empty();
    let models: Vec<usize> = (0..report.models.len()).filter(has).collect();
    if models.is_empty() {
        return Err(unknown(report, name));
    }
    models.into_iter().map(|model| explanation(report, model, name)).collect()
}

/// The network of a name.
pub(crate) fn model(report: &Report<'_>, name: &str) -> Option<usize> {
    let exact = report.models.iter().position(|model| model.name == name);
    exact.or_else(|| report.models.iter().position(|one| one.name.eq_ignore_ascii_case(name)))
}

/// The explanations of a network that a name stands for. Its own name or title stands for one, a method's for all of
/// its layers.
fn matching_explanations(model: &ModelReport, name: &str) -> Vec<usize> {
    let all = || model.explanations.iter().enumerate();
    let is_own = |one: &str| one.eq_ignore_ascii_case(name);
    let own = all().find(|(_, one)| is_own(&one.spec.name) || is_own(&one.spec.title));
    match own {
        Some((place, _)) => vec![place],
        None => {
            let of_method = all().filter(|(_, one)| is_own(&one.spec.method));
            of_method.map(|(place, _)| place).collect()
        }
    }
}

fn explanation(report: &Report<'_>, model: usize, name: &str) -> Result<Maps, Error> {
    match matching_explanations(&report.models[model], name).as_slice() {
        [] => Err(unknown(report, name)),
        [explanation] => Ok(Maps { model, explanation: *explanation }),
        several => {
            let own = &report.models[model];
            let names: Vec<String> = several
                .iter()
                .map(|place| format!("{}:{}", own.name, own.explanations[*place].spec.name))
                .collect();
            Err(Error::Asked(format!(
                "{} has several maps of `{name}`\nhint: name one of them: {}",
                own.name,
                names.join(", ")
            )))
        }
    }
}

fn unknown(report: &Report<'_>, name: &str) -> Error {
    Error::Asked(format!("the report has no maps of `{name}`\nhint: {}", hint(report)))
}

/// The columns that there are.
fn hint(report: &Report<'_>) -> String {
    /// Names that a hint lists.
    const LISTED: usize = 20;
    let of = |one: &ModelReport| -> Vec<String> {
        one.explanations.iter().map(|maps| format!("{}:{}", one.name, maps.spec.name)).collect()
    };
    let all: Vec<String> = report.models.iter().flat_map(of).collect();
    let more = if all.len() > LISTED { ", …" } else { "" };
    let shown = &all[..all.len().min(LISTED)];
    format!("the columns are {ORIGINAL}, {}{more}", shown.join(", "))
}
