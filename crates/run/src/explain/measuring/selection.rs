//! Which measures a run computes.

use anyhow::{Result, bail};
use burncam_trust::{Compute, MEASURES, Measure, Protocol};

/// The measures that `--sweep` computes with every baseline.
pub(super) const SWEPT: [&str; 2] = ["deletion", "insertion"];

/// The word for all measures.
const ALL: &str = "all";

/// The measures of a run.
pub(crate) struct Measures {
    /// In the order of the list.
    pub all: Vec<&'static Measure>,
    /// How they are computed.
    pub protocol: Protocol,
    /// Whether deletion and insertion are computed with every baseline, too.
    pub sweep: bool,
}

/// What a data set has beside its images.
#[derive(Clone, Copy)]
pub(crate) struct Annotations {
    pub masks: bool,
    pub regions: bool,
}

impl Measures {
    /// The measures of these names; `all` are all for which there is what they need.
    ///
    /// # Errors
    ///
    /// If there is no such measure, or what it needs is not there.
    pub(crate) fn new(
        names: &[String],
        protocol: Protocol,
        sweep: bool,
        there: Annotations,
    ) -> Result<Self> {
        let lacks_mask =
            |measure: &Measure| !there.masks && matches!(measure.compute, Compute::Mask(_));
        let lacks_regions = |measure: &Measure| {
            let needs = matches!(measure.compute, Compute::Regions(_) | Compute::RegionPair(_));
            !there.regions && needs
        };
        for name in names.iter().filter(|name| *name != ALL) {
            match burncam_trust::find(name) {
                None => {
                    let known: Vec<&str> = MEASURES.iter().map(|measure| measure.name).collect();
                    bail!(
                        "there is no measure `{name}`\nhint: the measures are {}, or all",
                        known.join(", ")
                    )
                }
                Some(measure) if lacks_mask(measure) => bail!(
                    "{name} compares maps with masks\nhint: --masks is the folder of masks, each called as its image"
                ),
                Some(measure) if lacks_regions(measure) => bail!(
                    "{name} is about regions of faces\nhint: --regions is a table of landmarks or a folder of label maps"
                ),
                Some(_) => {}
            }
        }
        let every = names.iter().any(|name| name == ALL);
        let is_wanted = |measure: &&&'static Measure| {
            let named = names.iter().any(|name| name == measure.name);
            named || every && !lacks_mask(measure) && !lacks_regions(measure)
        };
        let all: Vec<&Measure> = MEASURES.iter().filter(is_wanted).copied().collect();
        if sweep && !all.iter().any(|measure| SWEPT.contains(&measure.name)) {
            bail!("--sweep is about {}\nhint: name one with --measure", SWEPT.join(" and "));
        }
        Ok(Self { all, protocol, sweep })
    }

    /// Whether a measure compares with the image stored as JPEG.
    pub(crate) fn need_compressed(&self) -> bool {
        self.all.iter().any(|measure| measure.name == "jpeg-sensitivity")
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }
}
