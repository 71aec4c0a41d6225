//! How pictures are made.

use burncam_render::Colormap;
use burncam_run::{MapFormat, Norm, Overlay, PictureOptions};
use clap::Args;
use clap::builder::TypedValueParser;

use super::values::named;

/// How pictures are made, as asked for.
#[derive(Args, Debug, Clone)]
pub(crate) struct PictureArgs {
    /// How overlays are drawn: `notebook`, to the last bit; or `clean`: the map interpolated as
    /// numbers over the grey photograph at its own size, a line at half of the scale, and a colour
    /// bar with its numbers. A clean overlay is a PNG.
    #[arg(long, value_name = "STYLE", default_value = Overlay::Notebook.name(), value_parser = overlay(), help_heading = "Output")]
    pub overlay: Overlay,

    /// The colours of clean overlays: viridis and magma read in grey; turbo, jet [default: viridis].
    #[arg(long, value_name = "MAP", help_heading = "Output")]
    pub colormap: Option<Colormap>,

    /// What the top of the scale of clean overlays is: the largest value of the image's own map, of
    /// all maps of its fold or of the run, so that pictures can be compared; or `none`, 1 of the raw
    /// map. With `fold` and `run`, raw maps are written as with --maps npy [default: image].
    #[arg(long, value_name = "SCALE", value_parser = norm(), help_heading = "Output")]
    pub norm: Option<Norm>,

    /// Write each raw map, in NumPy's format, into the folder `maps` of its model.
    #[arg(long, value_name = "FORMAT", value_parser = map_format(), help_heading = "Output")]
    pub maps: Option<MapFormat>,
}

impl PictureArgs {
    /// The same without a command line.
    pub(crate) fn options(&self) -> PictureOptions {
        let Self { overlay, colormap, norm, maps } = *self;
        PictureOptions { overlay, colormap, norm, maps }
    }
}

fn overlay() -> impl TypedValueParser<Value = Overlay> {
    named([("notebook", "As the notebook does"), ("clean", "To be read")])
}

fn norm() -> impl TypedValueParser<Value = Norm> {
    named([
        ("image", "The largest value of the map"),
        ("fold", "That of all maps of the fold"),
        ("run", "That of all maps of the model"),
        ("none", "The value 1"),
    ])
}

fn map_format() -> impl TypedValueParser<Value = MapFormat> {
    named([("npy", "NumPy's")])
}
