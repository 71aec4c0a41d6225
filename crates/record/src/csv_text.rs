//! Text in a table that a spreadsheet may open.

use std::borrow::Cow;

/// What makes a spreadsheet take a cell for a formula when it stands first: the list of OWASP's
/// page "CSV Injection", with the wide forms of the same signs.
const FORMULA: [char; 11] =
    ['=', '+', '-', '@', '\t', '\r', '\n', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}'];

/// A cell that is text in a spreadsheet too: one that would be a formula gets a `'` in front. A
/// number stays a number.
pub(crate) fn cell(text: &str) -> Cow<'_, str> {
    if text.starts_with(FORMULA) && !is_number(text) {
        Cow::Owned(format!("'{text}"))
    } else {
        Cow::Borrowed(text)
    }
}

fn is_number(text: &str) -> bool {
    // `parse` also takes `-inf` and `+nan`.
    text.bytes().all(|byte| b"0123456789.eE+-".contains(&byte)) && text.parse::<f64>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::cell;

    #[test]
    fn formulas_become_text_and_numbers_stay() {
        for formula in [
            "=cmd()", "+1+1", "@x", "-2+3", "-x.png", "\t=1", "\r=1", "\n1", "-inf", "＝1", "-",
            "+",
        ] {
            assert_eq!(cell(formula), format!("'{formula}"));
        }
        for plain in ["-1", "+1.5", "-1e-7", "-.5", "", "a=b", "Fold0/=1.png", "'=1", "64.5%"] {
            assert_eq!(cell(plain), plain);
        }
    }
}
