//! How the pictures of a run are made.

use anyhow::{Result, bail};
use burncam_render::Colormap;

use crate::{Norm, Overlay, PictureOptions};

/// How pictures are made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PictureSettings {
    /// How overlays are drawn.
    pub overlay: Overlay,
    /// Their colours.
    pub colormap: Colormap,
    /// The top of their scale.
    pub norm: Norm,
    /// Whether raw maps are written.
    pub maps: bool,
    /// Weight of the map in the overlay.
    pub alpha: f32,
    /// Whether the page's small pictures are written.
    pub thumbnails: bool,
}

impl PictureSettings {
    /// Checks what was asked for.
    pub(crate) fn new(asked: &PictureOptions, alpha: f32, thumbnails: bool) -> Result<Self> {
        if asked.overlay == Overlay::Notebook {
            let which = match (asked.colormap, asked.norm) {
                (Some(_), _) => Some("--colormap"),
                (_, Some(_)) => Some("--norm"),
                _ => None,
            };
            if let Some(option) = which {
                bail!(
                    "{option} is for clean overlays: the notebook's are jet, and their colours are \
                     stretched for each image\nhint: add --overlay clean"
                );
            }
        } else if alpha > 1.0 {
            bail!("--alpha is a share of 1 with --overlay clean, and {alpha} is more");
        }
        let norm = asked.norm.unwrap_or(Norm::Image);
        let colormap = match asked.overlay {
            Overlay::Notebook => Colormap::Jet,
            Overlay::Clean => asked.colormap.unwrap_or(Colormap::Viridis),
        };
        let maps = asked.maps.is_some() || matches!(norm, Norm::Fold | Norm::Run);
        Ok(Self { overlay: asked.overlay, colormap, norm, maps, alpha, thumbnails })
    }

    /// Whether overlays can be drawn only when all maps are known.
    pub(crate) fn later(&self) -> bool {
        matches!(self.norm, Norm::Fold | Norm::Run)
    }

    /// The name of an image's overlay: the image's, or for clean overlays that of a PNG.
    pub(crate) fn file_name(&self, image: &str) -> String {
        let png = image.to_lowercase().ends_with(".png");
        if self.overlay == Overlay::Notebook || png {
            image.to_owned()
        } else {
            format!("{image}.png")
        }
    }
}
