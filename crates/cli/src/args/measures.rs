//! Options of measures of maps.

use std::path::PathBuf;

use burncam_trust::{Baseline, Protocol, Scale};
use clap::builder::TypedValueParser;
use clap::{Args, ValueHint};

use super::named;

/// Which measures of maps are computed, and how.
#[derive(Args, Debug)]
pub(crate) struct MeasureArgs {
    /// Measure whether maps may be believed: names with commas between, or all [default: none; of `evaluate`, all].
    ///
    /// Every measure is also computed of controls that a map has to beat: a random map, a centred Gaussian, edges, and
    /// the same method on a network that has learned nothing. `measures` lists measures and controls.
    #[arg(long, value_name = "NAME,...", value_delimiter = ',', help_heading = "Measures")]
    pub measure: Vec<String>,

    /// Folder of masks that say where evidence should lie: pictures that are white there, in folders and with names
    /// as the images'.
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath, help_heading = "Measures")]
    pub masks: Option<PathBuf>,

    /// The number from which on a pixel of a mask is inside. Needed where a mask has more than two.
    #[arg(
        long,
        value_name = "N",
        value_parser = clap::value_parser!(u8).range(1..),
        help_heading = "Measures"
    )]
    pub mask_level: Option<u8>,

    /// Where the regions of the faces are: a table of landmarks, or a folder of label maps.
    ///
    /// A table (CSV) has a row for each image, and 5, 68 (iBUG) or 106 (Face++) points, told by its header. A folder has
    /// a picture for each image, whose grey values are regions, and regions.json, which names them: {"brow": 1, "eyes": 2}.
    #[arg(long, value_name = "PATH", value_hint = ValueHint::AnyPath, help_heading = "Measures")]
    pub regions: Option<PathBuf>,

    /// What of the class measures read: its probability or its logit.
    #[arg(long, value_name = "SCORE", default_value = "probability", value_parser = scale(), help_heading = "Measures")]
    pub measure_score: Scale,

    /// What removed places become: the image's mean colour; zero where it enters the network; black; the image
    /// blurred; or what neighbours say, with little noise.
    #[arg(long, value_name = "WHAT", default_value = "mean", value_parser = baseline(), help_heading = "Measures")]
    pub baseline: Baseline,

    /// Also compute deletion and insertion with every baseline: does the order of methods depend on it?
    #[arg(long, help_heading = "Measures")]
    pub sweep: bool,

    /// Steps from the whole image to the empty one.
    #[arg(
        long,
        value_name = "N",
        default_value_t = 20,
        value_parser = clap::value_parser!(u16).range(1..=1000),
        help_heading = "Measures"
    )]
    pub removal_steps: u16,
}

impl MeasureArgs {
    /// How measures are computed.
    pub(crate) fn protocol(&self) -> Protocol {
        let steps = usize::from(self.removal_steps);
        Protocol { scale: self.measure_score, baseline: self.baseline, steps }
    }
}

fn scale() -> impl TypedValueParser<Value = Scale> {
    named(Scale::ALL.map(|scale| (scale.name(), "")))
}

fn baseline() -> impl TypedValueParser<Value = Baseline> {
    named(Baseline::ALL.map(|baseline| (baseline.name(), "")))
}
