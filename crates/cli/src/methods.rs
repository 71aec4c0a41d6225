//! `burncam methods`: the methods of attribution.

use std::fmt::Write as _;
use std::process::ExitCode;

use anyhow::Result;
use burncam_attribution::{METHODS, Method, MethodOption, Passes, Sign, Taps, Values};

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
         Methods with one pass share it. `explain --method NAME,NAME` takes several.\n\n{}\n\
         `explain --method NAME:OPTION=VALUE,OPTION=VALUE` sets them; `--like LIBRARY` sets all as the library has them.",
        text::table(head, &cells),
        options()
    )
}

/// Every option of every method.
fn options() -> String {
    let head = [
        ("option", Column::Words),
        ("default", Column::Words),
        ("of", Column::Words),
        ("decides", Column::Words),
    ];
    let mut rows: Vec<([String; 2], Vec<&str>, &str)> = Vec::new();
    for method in METHODS {
        for option in method.options {
            let key = [name(option), option.default()];
            match rows.iter_mut().find(|(own, _, about)| *own == key && *about == option.about) {
                Some((_, methods, _)) => methods.push(method.name),
                None => rows.push((key, vec![method.name], option.about)),
            }
        }
    }
    let cells: Vec<_> = rows
        .into_iter()
        .map(|([name, default], methods, about)| {
            [name, default, methods.join(", "), about.to_owned()]
        })
        .collect();
    text::table(head, &cells)
}

/// `samples`, `unit=range|input`.
fn name(option: &MethodOption) -> String {
    match option.values {
        Values::Word(words) => format!("{}={}", option.name, words.join("|")),
        Values::Count(_) | Values::Number { .. } => option.name.to_owned(),
    }
}

fn markdown() -> String {
    let mut text =
        "| `--method` | Map of | Passes | Values | Shows | Options | `--like` |\n| --- | --- | --- | --- | --- | --- | --- |\n"
            .to_owned();
    for method in METHODS {
        let Method { name, title, summary, paper, url, .. } = method;
        let (place, passes, values) = (place(method), passes(method), values(method));
        let option = |option: &MethodOption| {
            format!(
                "`{}` ({}): {}",
                self::name(option).replace('|', "\\|"),
                option.default(),
                option.about
            )
        };
        let options: Vec<String> = method.options.iter().map(option).collect();
        let peers = method.peers.iter().filter(|(peer, _)| peer.options(method).is_ok());
        let peers: Vec<&str> = peers.map(|(peer, _)| peer.name()).collect();
        let (options, peers) = (options.join("; "), peers.join(", "));
        let _ = writeln!(
            text,
            "| `{name}` | {place} | {passes} | {values} | {title}: {summary} ([{paper}]({url})) | {options} | {peers} |"
        );
    }
    text
}

/// Where the map lies.
fn place(method: &Method) -> &'static str {
    match method.needs.taps {
        Taps::One if method.sign == Sign::Positive => "a layer",
        Taps::One => "a layer and the input",
        Taps::None | Taps::Offsets => "the input",
    }
}

fn passes(method: &Method) -> String {
    let default = |name: &str| {
        let option = method.options.iter().find(|option| option.name == name);
        option.map(MethodOption::default).unwrap_or_default()
    };
    match method.needs.passes {
        Passes::One => "1".to_owned(),
        Passes::Two => "2".to_owned(),
        Passes::Option(name) => default(name),
        Passes::Channels => "one a channel".to_owned(),
        Passes::ChannelsTimes(name) => format!("{} a channel", default(name)),
        Passes::Windows { .. } => "one a window".to_owned(),
    }
}

fn values(method: &Method) -> &'static str {
    match method.sign {
        Sign::Positive => "positive",
        Sign::Signed => "signed",
        Sign::Magnitude => "sizes",
    }
}
