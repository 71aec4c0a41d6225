//! The page's templates and its script, and how values are written into them.

use minijinja::value::Kwargs;
use minijinja::{AutoEscape, Environment, ErrorKind, UndefinedBehavior, Value, escape_formatter};

use crate::homes;
use crate::text::Language;
use burncam_record::Error;

/// The page's script: its files in one function, so that a name of one is known to all.
pub(super) const SCRIPT: &str = concat!(
    "\"use strict\";\n(() => {\n",
    include_str!("script/base.js"),
    include_str!("script/grids.js"),
    include_str!("script/view.js"),
    include_str!("script/tiles.js"),
    include_str!("script/gallery.js"),
    include_str!("script/regions.js"),
    include_str!("script/large.js"),
    include_str!("script/notes.js"),
    include_str!("script/start.js"),
    "})();\n",
);

/// The page's templates by their names.
const TEMPLATES: [(&str, &str); 11] = [
    ("page.html", include_str!("html/page.html")),
    ("first.html", include_str!("html/first.html")),
    ("gallery.html", include_str!("html/gallery.html")),
    ("mean_maps.html", include_str!("html/mean_maps.html")),
    ("regions.html", include_str!("html/regions.html")),
    ("trust.html", include_str!("html/trust.html")),
    ("unreadable.html", include_str!("html/unreadable.html")),
    ("statistics.html", include_str!("html/statistics.html")),
    ("compared.html", include_str!("html/compared.html")),
    ("run.html", include_str!("html/run.html")),
    ("formulas.html", include_str!("html/formulas.html")),
];

/// Templates with the words, filters and escapes that they use.
pub(super) fn environment(language: Language) -> Result<Environment<'static>, Error> {
    let mut environment = Environment::new();
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    environment.set_formatter(|out, state, value| match value.as_str() {
        // HTML has no control characters but these.
        Some(text) if !value.is_safe() && text.contains(is_control) => {
            escape_formatter(out, state, &Value::from(text.replace(is_control, "\u{fffd}")))
        }
        _ => escape_formatter(out, state, value),
    });
    environment.set_undefined_behavior(UndefinedBehavior::SemiStrict);
    for (name, text) in TEMPLATES {
        environment.add_template(name, text).map_err(page_error)?;
    }
    environment.add_function("t", move |key: &str, values: Kwargs| {
        let values = arguments(&values)?;
        let values: Vec<(&str, &str)> =
            values.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        language.say(key, &values).ok_or_else(|| {
            minijinja::Error::new(ErrorKind::InvalidOperation, format!("no words for `{key}`"))
        })
    });
    let or_dash = |value: Option<f64>, text: &dyn Fn(f64) -> String| {
        value.filter(|value| value.is_finite()).map_or_else(|| "–".to_owned(), text)
    };
    environment.add_filter("no_home", |text: &str| homes::without_homes(text, None));
    environment.add_filter("num", move |value: Option<f64>, digits: usize| {
        or_dash(value, &|value| language.number(value, digits))
    });
    environment.add_filter("pct", move |value: Option<f64>| {
        or_dash(value, &|value| format!("{}\u{a0}%", language.number(value * 100.0, 1)))
    });
    environment.add_filter("p", move |value: Option<f64>| {
        or_dash(value, &|value| match value < 0.001 {
            true => format!("< {}", language.number(0.001, 3)),
            false => language.number(value, 3),
        })
    });
    Ok(environment)
}

pub(super) fn page_error(error: minijinja::Error) -> Error {
    Error::Page(error.into())
}

pub(super) fn is_control(c: char) -> bool {
    c.is_control() && !matches!(c, '\n' | '\t')
}

fn arguments(values: &Kwargs) -> Result<Vec<(String, String)>, minijinja::Error> {
    let names: Vec<String> = values.args().map(str::to_owned).collect();
    names
        .into_iter()
        .map(|name| {
            let value: Value = values.get(&name)?;
            Ok((name, value.to_string()))
        })
        .collect()
}
