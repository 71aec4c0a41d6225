//! A figure as PDF: text is text in embedded fonts, pictures have their own pixels.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use krilla::color::rgb;
use krilla::geom::{Path, PathBuilder, Point, Rect, Size, Transform};
use krilla::image::Image;
use krilla::metadata::Metadata;
use krilla::num::NormalizedF32;
use krilla::page::PageSettings;
use krilla::paint::{Fill, LineJoin, Stroke, StrokeDash};
use krilla::surface::Surface;
use krilla::text::{Font, GlyphId, KrillaGlyph};
use krilla::{Data, Document};

use crate::error::Error;
use crate::font::Source;
use crate::scene::{Colour, Item, Line, POINT, Place, Scene, Text};

/// How far the handles of a quarter of a circle are from its ends, as a share of the radius.
const HANDLE: f32 = 0.552_284_8;

/// The figure as a PDF file of one page.
///
/// # Errors
///
/// [`Error::Draw`] if the figure is larger than a page can be.
pub fn pdf(scene: &Scene) -> Result<Vec<u8>, Error> {
    let size = Size::from_wh(scene.width / POINT, scene.height / POINT);
    let size = size.ok_or_else(|| Error::Draw("the page has no size".to_owned()))?;
    let fonts = fonts(scene)?;
    let mut document = Document::new();
    document.set_metadata(
        Metadata::new()
            .title(scene.title.clone())
            .language(scene.language.to_owned())
            .creator("Burncam".to_owned()),
    );
    let mut page = document.start_page_with(PageSettings::new(size));
    let mut surface = page.surface();
    surface.push_transform(&Transform::from_scale(1.0 / POINT, 1.0 / POINT));
    for item in &scene.items {
        match item {
            Item::Rectangle { place, fill } => filled(&mut surface, rectangle(place), *fill),
            Item::Disc { centre, radius, fill } => {
                filled(&mut surface, disc(*centre, *radius), *fill);
            }
            Item::Picture { place, picture } => {
                let (width, height) = picture.dimensions();
                let rgba =
                    picture.pixels().flat_map(|pixel| [pixel.0[0], pixel.0[1], pixel.0[2], 255]);
                let image = Image::from_rgba8(rgba.collect(), width, height);
                if let Some(size) = Size::from_wh(place.width, place.height) {
                    surface.push_transform(&Transform::from_translate(place.left, place.top));
                    surface.draw_image(image, size);
                    surface.pop();
                }
            }
            Item::Line(line) => stroked(&mut surface, line),
            Item::Text(text) => written(&mut surface, text, scene, &fonts),
        }
    }
    surface.pop();
    surface.finish();
    page.finish();
    document.finish().map_err(|error| Error::Draw(format!("{error:?}")))
}

/// The fonts of which the figure has glyphs.
fn fonts(scene: &Scene) -> Result<BTreeMap<Source, Font>, Error> {
    let mut fonts = BTreeMap::new();
    for item in &scene.items {
        let Item::Text(text) = item else { continue };
        for one in scene.typeface.placed(text.face, &text.text) {
            if let Entry::Vacant(place) = fonts.entry(one.source) {
                let file = Data::from(scene.typeface.file(one.source).to_vec());
                let font = Font::new(file, 0)
                    .ok_or_else(|| Error::Draw("the font cannot be read".to_owned()))?;
                place.insert(font);
            }
        }
    }
    Ok(fonts)
}

fn fill([red, green, blue]: Colour) -> Fill {
    Fill { paint: rgb::Color::new(red, green, blue).into(), ..Fill::default() }
}

fn filled(surface: &mut Surface<'_>, path: Option<Path>, colour: Colour) {
    let Some(path) = path else { return };
    surface.set_stroke(None);
    surface.set_fill(Some(fill(colour)));
    surface.draw_path(&path);
}

fn rectangle(place: &Place) -> Option<Path> {
    let mut path = PathBuilder::new();
    path.push_rect(Rect::from_xywh(place.left, place.top, place.width, place.height)?);
    path.finish()
}

fn disc([x, y]: [f32; 2], radius: f32) -> Option<Path> {
    let (out, handle) = (radius, radius * HANDLE);
    let mut path = PathBuilder::new();
    path.move_to(x + out, y);
    path.cubic_to(x + out, y + handle, x + handle, y + out, x, y + out);
    path.cubic_to(x - handle, y + out, x - out, y + handle, x - out, y);
    path.cubic_to(x - out, y - handle, x - handle, y - out, x, y - out);
    path.cubic_to(x + handle, y - out, x + out, y - handle, x + out, y);
    path.close();
    path.finish()
}

fn stroked(surface: &mut Surface<'_>, line: &Line) {
    let mut path = PathBuilder::new();
    for (place, [x, y]) in line.points.iter().enumerate() {
        match place {
            0 => path.move_to(*x, *y),
            _ => path.line_to(*x, *y),
        }
    }
    let Some(path) = path.finish() else { return };
    let [red, green, blue] = line.colour;
    surface.set_fill(None);
    surface.set_stroke(Some(Stroke {
        paint: rgb::Color::new(red, green, blue).into(),
        width: line.width,
        line_join: LineJoin::Round,
        opacity: NormalizedF32::ONE,
        dash: (!line.dashes.is_empty())
            .then(|| StrokeDash { array: line.dashes.clone(), offset: 0.0 }),
        ..Stroke::default()
    }));
    surface.draw_path(&path);
}

fn written(surface: &mut Surface<'_>, text: &Text, scene: &Scene, fonts: &BTreeMap<Source, Font>) {
    let [x, y] = text.start(&scene.typeface);
    surface.set_stroke(None);
    surface.set_fill(Some(fill(text.colour)));
    surface.push_transform(&Transform::from_translate(x, y));
    if text.is_upright {
        surface.push_transform(&Transform::from_rotate(-90.0));
    }
    let (placed, mut right) = (scene.typeface.placed(text.face, &text.text), 0.0);
    let size = text.size * POINT;
    for run in placed.chunk_by(|one, next| one.source == next.source) {
        let glyphs: Vec<KrillaGlyph> = (run.iter())
            .map(|one| {
                let id = GlyphId::new(one.id.to_u32());
                KrillaGlyph::new(id, one.advance, 0.0, 0.0, 0.0, one.start..one.end, None)
            })
            .collect();
        if let Some(font) = fonts.get(&run[0].source) {
            let origin = Point::from_xy(right, 0.0);
            surface.draw_glyphs(origin, &glyphs, font.clone(), &text.text, size, false);
        }
        right += run.iter().map(|one| one.advance).sum::<f32>() * size;
    }
    if text.is_upright {
        surface.pop();
    }
    surface.pop();
}
