//! Long texts, cut to what people read.

use std::borrow::Cow;

/// The most characters of a message, and of its end where it is cut.
const LONGEST_MESSAGE: usize = 2_000;
const LONGEST_END: usize = 400;

/// A message, or its beginning and its end where it is longer than anybody reads: it may quote a name of
/// megabytes, and a hint stands at its end.
#[must_use]
pub fn bounded(text: &str) -> Cow<'_, str> {
    let Some((begins, _)) = text.char_indices().nth(LONGEST_MESSAGE) else {
        return Cow::Borrowed(text);
    };
    let (begin, rest) = text.split_at(begins);
    let end = rest.char_indices().nth_back(LONGEST_END).map_or("", |(at, _)| &rest[at..]);
    Cow::Owned(format!("{begin} … {end}"))
}
