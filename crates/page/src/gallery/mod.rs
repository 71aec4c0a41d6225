//! What the page's script needs of every image.

mod image;
mod lists;
#[cfg(test)]
mod tests;

use std::io::Write;

use crate::document::Report;
use crate::occurrences::Occurrences;
use crate::standalone::Standalone;
use crate::text::Language;
use burncam_record::Error;

pub(super) use lists::class_places;

/// Writes the gallery as JSON that may stand in a `script` element, image by image: all, or those of a page that holds
/// its pictures.
pub(super) fn write(
    report: &Report<'_>,
    seen: &Occurrences,
    standalone: Option<&Standalone>,
    language: Language,
    mut to: impl Write,
) -> Result<(), Error> {
    let lookup = image::Lookup::new(report, seen);
    let is_there = |place: usize| standalone.is_none_or(|page| page.place(place).is_some());
    let images = report.compared_images().enumerate().filter(|(place, _)| is_there(*place));
    let images = images.map(|(_, image)| {
        let image = image?;
        let image = image::view(report, &image, &lookup, standalone);
        Ok(in_script(serde_json::to_string(&image)?))
    });
    let lists = lists::view(report, seen, standalone, language);
    with_images(&in_script(serde_json::to_string(&lists)?), images, &mut to)
}

/// No `</script>`, no `<!--`: neither can end the element that the JSON stands in. No control
/// characters, which HTML does not have.
fn in_script(json: String) -> String {
    let is_odd = |c: char| c == '<' || c.is_control();
    if !json.contains(is_odd) {
        return json;
    }
    let escaped = |c: char| match is_odd(c) {
        true => format!("\\u{:04x}", u32::from(c)),
        false => c.to_string(),
    };
    json.chars().map(escaped).collect()
}

/// Writes an object with one field more: the list of `images`.
pub(super) fn with_images(
    object: &str,
    images: impl Iterator<Item = Result<String, Error>>,
    to: &mut impl Write,
) -> Result<(), Error> {
    to.write_all(object.strip_suffix('}').unwrap_or(object).as_bytes())?;
    to.write_all(b",\"images\":[")?;
    for (place, image) in images.enumerate() {
        let comma = if place == 0 { "" } else { "," };
        write!(to, "{comma}{}", image?)?;
    }
    Ok(to.write_all(b"]}")?)
}
