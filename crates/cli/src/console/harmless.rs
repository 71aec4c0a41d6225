//! Text from files that does nothing to a terminal but stand there.

use std::borrow::Cow;

/// Whether a character moves, hides or turns around what a terminal shows: control characters, ESC
/// among them, line ends of Unicode, and what changes the direction of writing.
fn does_something(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// The text with such characters as `\u001b`, which is right in JSON too. Lines and tabs stay.
pub(crate) fn harmless(text: &str) -> Cow<'_, str> {
    escaped(text, |c| does_something(c) && c != '\n' && c != '\t')
}

/// The same on one line: a name with a line end must not look like two.
pub(crate) fn on_one_line(text: &str) -> Cow<'_, str> {
    escaped(text, does_something)
}

fn escaped(text: &str, which: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.contains(&which) {
        return Cow::Borrowed(text);
    }
    let one = |c| if which(c) { format!("\\u{:04x}", u32::from(c)) } else { String::from(c) };
    Cow::Owned(text.chars().map(one).collect())
}

#[cfg(test)]
mod tests {
    use super::{harmless, on_one_line};

    #[test]
    fn nothing_reaches_the_terminal_but_text() {
        for (name, shown) in [
            ("\u{1b}[2J\u{1b}]0;x\u{7}.png", "\\u001b[2J\\u001b]0;x\\u0007.png"),
            ("a\u{202e}gnp.exe", "a\\u202egnp.exe"),
            ("a\rb\u{7f}\u{9b}2J\u{2028}\u{2066}", "a\\u000db\\u007f\\u009b2J\\u2028\\u2066"),
            ("Fold0/São João 顔 👶.png", "Fold0/São João 顔 👶.png"),
        ] {
            assert_eq!(harmless(name), shown);
            assert_eq!(on_one_line(name), shown);
        }
        assert_eq!(harmless("a\n\tb"), "a\n\tb");
        assert_eq!(on_one_line("a\n\tb"), "a\\u000a\\u0009b");
    }

    #[test]
    fn json_stays_json() {
        let name = "\u{1b}\u{9b}\u{202e}\u{7f}\n\"";
        let text = serde_json::to_string_pretty(&[name]).expect("text");
        let read: Vec<String> = serde_json::from_str(&harmless(&text)).expect("JSON");
        assert_eq!(read, [name]);
    }
}
