//! `burncam methods`: the methods of attribution.

use std::fmt::Write as _;
use std::process::ExitCode;

use anyhow::Result;
use burncam_attribution::{Gradient, METHODS, Method, Passes, Sign, Taps};

use crate::args::Methods;
use crate::console;
use crate::text::{self, Column};

/// Lists the methods, the default first.
pub(crate) fn run(args: &Methods) -> Result<ExitCode> {
    console::result(&if args.markdown { markdown() } else { plain() })?;
    Ok(ExitCode::SUCCESS)
}

fn plain() -> String {
    let head = [
        ("method", Column::Words),
        ("map of", Column::Words),
        ("passes", Column::Words),
        ("values", Column::Words),
        ("shows", Column::Words),
        ("published", Column::Words),
    ];
    let cells: Vec<_> = METHODS
        .iter()
        .map(|method| {
            [
                method.name.to_owned(),
                place(method).to_owned(),
                passes(method),
                values(method).to_owned(),
                method.summary.to_owned(),
                method.paper.to_owned(),
            ]
        })
        .collect();
    format!(
        "{}\npasses: how often an image goes through the network; a method at a layer goes behind it only.\n\
         Methods with one pass share it. `explain --method NAME,NAME` takes several.",
        text::table(head, &cells)
    )
}

fn markdown() -> String {
    let mut text =
        "| `--method` | Map of | Passes | Values | Shows |\n| --- | --- | --- | --- | --- |\n"
            .to_owned();
    for method in METHODS {
        let Method { name, title, summary, paper, url, .. } = method;
        let (place, passes, values) = (place(method), passes(method), values(method));
        let _ = writeln!(
            text,
            "| `{name}` | {place} | {passes} | {values} | {title}: {summary} ([{paper}]({url})) |"
        );
    }
    text
}

/// Where the map lies.
fn place(method: &Method) -> &'static str {
    match (method.needs.taps, method.needs.gradient) {
        (Taps::None, _) => "the input",
        (_, Gradient::Input) => "a layer and the input",
        _ => "a layer",
    }
}

fn passes(method: &Method) -> String {
    match method.needs.passes {
        Passes::One => "1".to_owned(),
        Passes::Many(count) => count.to_string(),
        Passes::OfChannels => "one a channel".to_owned(),
    }
}

fn values(method: &Method) -> &'static str {
    match method.sign {
        Sign::Positive => "positive",
        Sign::Signed => "signed",
        Sign::Magnitude => "sizes",
    }
}
