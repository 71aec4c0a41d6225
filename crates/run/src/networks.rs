//! The networks that are known, and those that are asked for.

use anyhow::{Context, Result};
use burncam_models::ARCHS;
use burncam_net::{Arch, GRAPH};
use burncam_weights::Wanted;

/// Every network: those that Burncam comes with, then those that were ported.
pub fn known() -> Vec<&'static Arch> {
    ARCHS.into_iter().chain(burncam_ported::ARCHS.iter().copied()).collect()
}

/// What `--model` names, if it is given: `vgg16`, `vgg16:keras-applications`, or `graph`.
pub fn wanted(name: Option<&str>) -> Result<Option<Wanted>> {
    let find = |name: &str| {
        if name == GRAPH.name {
            return Ok(Wanted { arch: &GRAPH, variant: None });
        }
        let (model, variant) = match name.split_once(':') {
            Some((model, variant)) => (model, Some(variant)),
            None => (name, None),
        };
        let ported = || known().into_iter().find(|arch| arch.name == model);
        let arch = burncam_models::find(model).or_else(ported).with_context(|| {
            let known: Vec<&str> = known().iter().map(|arch| arch.name).collect();
            format!("there is no model `{model}`\nhint: the models are {}", known.join(", "))
        })?;
        let variant = variant.map(|asked| {
            let found = arch.variants.iter().find(|variant| variant.name == asked);
            found.with_context(|| {
                let known: Vec<&str> = arch.variants.iter().map(|variant| variant.name).collect();
                let known = known.join(", ");
                format!("{} has no variant `{asked}`\nhint: its variants are {known}", arch.title)
            })
        });
        Ok(Wanted { arch, variant: variant.transpose()? })
    };
    name.map(find).transpose()
}
