//! A figure as pixels.

use image::RgbImage;
use tiny_skia::{
    Color, FillRule, FilterQuality, IntSize, LineJoin, Paint, Path, PathBuilder, Pattern, Pixmap,
    Rect, SpreadMode, Stroke, StrokeDash, Transform,
};

use crate::scene::{Colour, Item, Line, POINT, Place, Scene, Text};

/// The figure as a picture of this size, in pixels, on white; none if it has no pixels, or more than memory can hold.
pub(crate) fn raster(scene: &Scene, width: u32, height: u32) -> Option<RgbImage> {
    let mut pixels = Pixmap::new(width, height)?;
    pixels.fill(Color::WHITE);
    let fit = Transform::from_scale(width as f32 / scene.width, height as f32 / scene.height);
    for item in &scene.items {
        draw(&mut pixels, scene, item, fit);
    }
    // The ground is white, so no pixel is transparent.
    let (rgba, _) = pixels.data().as_chunks::<4>();
    RgbImage::from_raw(width, height, rgba.iter().flat_map(|[r, g, b, _]| [*r, *g, *b]).collect())
}

fn draw(pixels: &mut Pixmap, scene: &Scene, item: &Item, fit: Transform) {
    match item {
        Item::Rectangle { place, fill } => {
            if let Some(place) = rectangle(place) {
                pixels.fill_rect(place, &paint(*fill), fit, None);
            }
        }
        Item::Picture { place, picture } => draw_picture(pixels, place, picture, fit),
        Item::Disc { centre: [x, y], radius, fill } => {
            let disc = PathBuilder::from_circle(*x, *y, *radius);
            filled(pixels, disc, *fill, fit);
        }
        Item::Line(line) => draw_line(pixels, line, fit),
        Item::Text(text) => draw_text(pixels, scene, text, fit),
    }
}

fn paint(colour: Colour) -> Paint<'static> {
    let [red, green, blue] = colour;
    let mut paint = Paint::default();
    paint.set_color_rgba8(red, green, blue, 255);
    paint
}

fn rectangle(place: &Place) -> Option<Rect> {
    Rect::from_xywh(place.left, place.top, place.width, place.height)
}

fn filled(pixels: &mut Pixmap, path: Option<Path>, colour: Colour, fit: Transform) {
    if let Some(path) = path {
        pixels.fill_path(&path, &paint(colour), FillRule::Winding, fit, None);
    }
}

fn draw_picture(pixels: &mut Pixmap, place: &Place, picture: &RgbImage, fit: Transform) {
    let (width, height) = picture.dimensions();
    let rgba = picture.pixels().flat_map(|pixel| [pixel.0[0], pixel.0[1], pixel.0[2], 255]);
    let own =
        IntSize::from_wh(width, height).and_then(|size| Pixmap::from_vec(rgba.collect(), size));
    let (Some(own), Some(room)) = (own, Rect::from_xywh(0.0, 0.0, width as f32, height as f32))
    else {
        return;
    };
    let (across, down) = (place.width / width as f32, place.height / height as f32);
    let fit = fit.pre_translate(place.left, place.top).pre_scale(across, down);
    // Without an enlargement pixels stay as they are.
    let is_exact = (fit.sx - 1.0).abs() < 1e-3 && (fit.sy - 1.0).abs() < 1e-3;
    let quality = if is_exact { FilterQuality::Nearest } else { FilterQuality::Bicubic };
    let shader = Pattern::new(own.as_ref(), SpreadMode::Pad, quality, 1.0, Transform::identity());
    pixels.fill_rect(room, &Paint { shader, ..Paint::default() }, fit, None);
}

fn draw_line(pixels: &mut Pixmap, line: &Line, fit: Transform) {
    let mut path = PathBuilder::new();
    for (place, [x, y]) in line.points.iter().enumerate() {
        match place {
            0 => path.move_to(*x, *y),
            _ => path.line_to(*x, *y),
        }
    }
    let Some(path) = path.finish() else { return };
    let dash = StrokeDash::new(line.dashes.clone(), 0.0);
    let stroke =
        Stroke { width: line.width, line_join: LineJoin::Round, dash, ..Stroke::default() };
    pixels.stroke_path(&path, &paint(line.colour), &stroke, fit, None);
}

fn draw_text(pixels: &mut Pixmap, scene: &Scene, text: &Text, fit: Transform) {
    let [x, y] = text.start(&scene.typeface);
    let place = fit.pre_translate(x, y);
    let place = if text.is_upright { place.pre_rotate(-90.0) } else { place };
    let path = scene.typeface.path(text.face, &text.text, text.size * POINT);
    filled(pixels, path, text.colour, place);
}
