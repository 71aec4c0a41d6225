//! `burncam measures`: the measures of maps, and the controls.

use std::fmt::Write as _;
use std::process::ExitCode;

use anyhow::Result;
use burncam_trust::{Better, CONTROLS, Compute, Group, MEASURES, Measure};

use crate::args::Measures;
use crate::console;

/// Prints every measure, or docs/trust.md.
pub(crate) fn run(args: &Measures) -> Result<ExitCode> {
    console::result(&if args.markdown { markdown() } else { table() })?;
    Ok(ExitCode::SUCCESS)
}

fn table() -> String {
    let mut text = String::new();
    for measure in MEASURES {
        let needs = match measure.compute {
            Compute::Mask(_) => " (--masks)",
            Compute::Regions(_) => " (--regions)",
            Compute::Pair(_) => " (two methods)",
            Compute::RegionPair(_) => " (--regions, two methods)",
            Compute::Map(_) | Compute::Network(_) | Compute::Against(..) => "",
        };
        let _ = writeln!(text, "{:24} {}{needs}", measure.name, measure.question);
    }
    let _ = writeln!(text, "\nControls, of which every measure is computed, too:");
    for control in CONTROLS {
        let _ = writeln!(text, "{:24} {}", control.name, control.about);
    }
    let _ = writeln!(text, "{:24} {UNTRAINED}", "untrained");
    text
}

const UNTRAINED: &str = "The same method on the network with weights as before any training.";

const GROUPS: [(Group, &str); 8] = [
    (Group::Faithfulness, "Faithfulness: does what the map shows decide the score?"),
    (Group::Composite, "Composites: several measures in one"),
    (Group::Sanity, "Sanity: does the map depend on the network and on the class?"),
    (Group::Robustness, "Robustness: does the map stay where the image hardly changes?"),
    (Group::Concentration, "Concentration: of how few places does the map consist?"),
    (Group::Regions, "Regions: where on the face does the map lie?"),
    (Group::GroundTruth, "Ground truth: does the map lie where it should?"),
    (Group::Agreement, "Agreement: do two maps agree?"),
];

fn markdown() -> String {
    let mut text = String::new();
    for (group, title) in GROUPS {
        let own: Vec<&Measure> =
            MEASURES.iter().copied().filter(|measure| measure.group == group).collect();
        if own.is_empty() {
            continue;
        }
        let _ = writeln!(text, "## {title}\n");
        for measure in own {
            let limit = measure.limit;
            let better = match measure.better {
                _ if limit.is_some() => {
                    "Smaller is better: passed if the interval ends below 0.5, and at least half of the images have a value."
                }
                Some(Better::Higher) => "Larger is better.",
                Some(Better::Lower) => "Smaller is better.",
                None => "No value is better by itself.",
            };
            let range = match measure.range {
                [least, most] if least.is_finite() && most.is_finite() => {
                    format!(", from {least} to {most}")
                }
                [least, _] if least.is_finite() => format!(", {least} or more"),
                _ => String::new(),
            };
            let Measure { name, title, question, formula, source, url, misleads, .. } = measure;
            let _ = writeln!(
                text,
                "### {title} (`{name}`)\n\n- {question}\n- `{formula}`{range}. {better}\n\
                 - Source: [{source}]({url})\n- {misleads}\n"
            );
        }
    }
    let _ = writeln!(text, "## Controls\n");
    for control in CONTROLS {
        let _ = writeln!(text, "- {} (`{}`): {}", control.title, control.name, control.about);
    }
    let _ = writeln!(text, "- Untrained network (`untrained`): {UNTRAINED}");
    text
}
