//! A figure as SVG. Text is outlines, so that every program draws it alike, and is said in labels.

use std::fmt::Write as _;

use burncam_page::data_uri;

use crate::font::Typeface;
use crate::scene::{Colour, Item, POINT, Place, Scene, Text};

/// The figure as an SVG file.
#[must_use]
pub fn svg(scene: &Scene) -> String {
    let (width, height) = (number(scene.width), number(scene.height));
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}mm\" height=\"{height}mm\" \
         viewBox=\"0 0 {width} {height}\" role=\"img\" xml:lang=\"{}\">\n<title>{}</title>\n\
         <rect width=\"{width}\" height=\"{height}\" fill=\"#ffffff\"/>\n",
        scene.language,
        escaped(&scene.title),
    );
    for item in &scene.items {
        write(&mut svg, item, &scene.typeface);
        svg.push('\n');
    }
    svg.push_str("</svg>\n");
    svg
}

fn write(svg: &mut String, item: &Item, typeface: &Typeface) {
    // Writing to a string cannot fail.
    let _ = match item {
        Item::Rectangle { place, fill } => {
            write!(svg, "<rect {} fill=\"{}\"/>", attributes(place), hex(*fill))
        }
        Item::Picture { place, picture } => write!(
            svg,
            "<image {} preserveAspectRatio=\"none\" href=\"{}\"/>",
            attributes(place),
            data_uri(picture.clone())
        ),
        Item::Disc { centre: [x, y], radius, fill } => write!(
            svg,
            "<circle cx=\"{}\" cy=\"{}\" r=\"{}\" fill=\"{}\"/>",
            number(*x),
            number(*y),
            number(*radius),
            hex(*fill)
        ),
        Item::Line(line) => {
            let points: Vec<String> =
                line.points.iter().map(|[x, y]| format!("{},{}", number(*x), number(*y))).collect();
            let dashes: Vec<String> = line.dashes.iter().map(|length| number(*length)).collect();
            let dashes = match dashes.as_slice() {
                [] => String::new(),
                some => format!(" stroke-dasharray=\"{}\"", some.join(" ")),
            };
            write!(
                svg,
                "<polyline points=\"{}\" fill=\"none\" stroke=\"{}\" stroke-width=\"{}\" \
                 stroke-linejoin=\"round\"{dashes}/>",
                points.join(" "),
                hex(line.colour),
                number(line.width)
            )
        }
        Item::Text(text) => write_text(svg, text, typeface),
    };
}

fn write_text(svg: &mut String, text: &Text, typeface: &Typeface) -> std::fmt::Result {
    let [x, y] = text.start(typeface);
    let turn = if text.is_upright { " rotate(-90)" } else { "" };
    write!(
        svg,
        "<path role=\"img\" aria-label=\"{}\" transform=\"translate({} {}){turn}\" fill=\"{}\" d=\"{}\"/>",
        escaped(&text.text),
        number(x),
        number(y),
        hex(text.colour),
        typeface.svg_outlines(text.face, &text.text, text.size * POINT)
    )
}

fn attributes(place: &Place) -> String {
    let Place { left, top, width, height } = place;
    let [x, y, width, height] = [left, top, width, height].map(|value| number(*value));
    format!("x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\"")
}

/// A length to a thousandth of a millimetre.
fn number(value: f32) -> String {
    ((f64::from(value) * 1000.0).round() / 1000.0 + 0.0).to_string()
}

fn hex([red, green, blue]: Colour) -> String {
    format!("#{red:02x}{green:02x}{blue:02x}")
}

/// Text as it may stand in an element or an attribute. XML has no control characters.
fn escaped(text: &str) -> String {
    let text =
        text.replace(|c: char| c.is_control() || c == '\u{fffe}' || c == '\u{ffff}', "\u{fffd}");
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
