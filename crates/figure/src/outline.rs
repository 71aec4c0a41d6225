//! The outlines of text, for formats that have no text.

use std::fmt::Write as _;

use skrifa::MetadataProvider;
use skrifa::instance::{LocationRef, Size};
use skrifa::outline::{DrawSettings, OutlinePen};
use tiny_skia::{Path, PathBuilder};

use crate::font::{Face, Typeface};

impl Typeface {
    /// The outlines of a text that starts at the origin, as the data of an SVG path; `size` is in millimetres.
    pub(crate) fn svg_outlines(&self, face: Face, text: &str, size: f32) -> String {
        let mut data = SvgData(String::new());
        self.trace(face, text, size, &mut data);
        data.0
    }

    /// The same as a path; none if nothing is drawn.
    pub(crate) fn path(&self, face: Face, text: &str, size: f32) -> Option<Path> {
        let mut path = PathBuilder::new();
        self.trace(face, text, size, &mut path);
        path.finish()
    }

    fn trace(&self, face: Face, text: &str, size: f32, sink: &mut impl Sink) {
        let mut right = 0.0;
        for one in self.placed(face, text) {
            if let Some(outline) = self.font(one.source).outline_glyphs().get(one.id) {
                let settings = DrawSettings::unhinted(Size::new(size), LocationRef::default());
                // An outline that cannot be drawn is left out; the program's own font has none.
                let _ = outline.draw(settings, &mut Pen { sink: &mut *sink, right });
            }
            right += one.advance * size;
        }
    }
}

/// Where outlines go, y downwards.
trait Sink {
    fn move_to(&mut self, to: [f32; 2]);
    fn line_to(&mut self, to: [f32; 2]);
    fn quad_to(&mut self, handle: [f32; 2], to: [f32; 2]);
    fn curve_to(&mut self, handles: [[f32; 2]; 2], to: [f32; 2]);
    fn close(&mut self);
}

/// Moves a glyph's outline to its place. Fonts have y upwards.
struct Pen<'a, S> {
    sink: &'a mut S,
    right: f32,
}

impl<S> Pen<'_, S> {
    fn at(&self, x: f32, y: f32) -> [f32; 2] {
        [self.right + x, -y]
    }
}

impl<S: Sink> OutlinePen for Pen<'_, S> {
    fn move_to(&mut self, x: f32, y: f32) {
        self.sink.move_to(self.at(x, y));
    }

    fn line_to(&mut self, x: f32, y: f32) {
        self.sink.line_to(self.at(x, y));
    }

    fn quad_to(&mut self, cx: f32, cy: f32, x: f32, y: f32) {
        self.sink.quad_to(self.at(cx, cy), self.at(x, y));
    }

    fn curve_to(&mut self, ax: f32, ay: f32, bx: f32, by: f32, x: f32, y: f32) {
        self.sink.curve_to([self.at(ax, ay), self.at(bx, by)], self.at(x, y));
    }

    fn close(&mut self) {
        self.sink.close();
    }
}

/// The data of an SVG path.
struct SvgData(String);

impl SvgData {
    fn command(&mut self, name: char, points: &[[f32; 2]]) {
        self.0.push(name);
        for (place, number) in points.as_flattened().iter().enumerate() {
            // A thousandth of a millimetre is finer than any press prints.
            let number = (number * 1000.0).round() / 1000.0 + 0.0;
            let blank = if place == 0 { "" } else { " " };
            let _ = write!(self.0, "{blank}{number}");
        }
    }
}

impl Sink for SvgData {
    fn move_to(&mut self, to: [f32; 2]) {
        self.command('M', &[to]);
    }

    fn line_to(&mut self, to: [f32; 2]) {
        self.command('L', &[to]);
    }

    fn quad_to(&mut self, handle: [f32; 2], to: [f32; 2]) {
        self.command('Q', &[handle, to]);
    }

    fn curve_to(&mut self, [first, second]: [[f32; 2]; 2], to: [f32; 2]) {
        self.command('C', &[first, second, to]);
    }

    fn close(&mut self) {
        self.0.push('Z');
    }
}

impl Sink for PathBuilder {
    fn move_to(&mut self, [x, y]: [f32; 2]) {
        self.move_to(x, y);
    }

    fn line_to(&mut self, [x, y]: [f32; 2]) {
        self.line_to(x, y);
    }

    fn quad_to(&mut self, [cx, cy]: [f32; 2], [x, y]: [f32; 2]) {
        self.quad_to(cx, cy, x, y);
    }

    fn curve_to(&mut self, [[ax, ay], [bx, by]]: [[f32; 2]; 2], [x, y]: [f32; 2]) {
        self.cubic_to(ax, ay, bx, by, x, y);
    }

    fn close(&mut self) {
        self.close();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outlines_lie_above_the_baseline_and_side_by_side() {
        let typeface = Typeface::default();
        let outlines = |text: &str| typeface.svg_outlines(Face::Regular, text, 3.0);
        assert_eq!(outlines(" "), "");
        let one = outlines("I");
        assert!(one.starts_with('M') && one.ends_with('Z') && one.contains('-'), "{one}");
        assert!(outlines("II").starts_with(&one));
        let bounds = typeface.path(Face::Regular, "I", 3.0).expect("outlines").bounds();
        assert!(bounds.bottom() <= 0.0 && bounds.top() > -3.0 && bounds.left() >= 0.0);
        assert!(typeface.path(Face::Regular, " ", 3.0).is_none());
    }
}
