//! Whether a page is valid HTML: what the tokenizer of the standard accepts, elements closed where
//! they were opened, and the rules that a page of tables and pictures can break.

use std::collections::{BTreeMap, BTreeSet};

use html5gum::{DefaultEmitter, HtmlString, Token, Tokenizer};

/// Elements without an end.
const VOID: [&str; 8] = ["meta", "link", "img", "input", "br", "hr", "col", "wbr"];

/// Elements that may not stand in a paragraph, a button, a heading or a caption.
const BLOCKS: [&str; 16] = [
    "p", "div", "table", "ul", "ol", "details", "figure", "section", "form", "nav", "h1", "h2",
    "h3", "dialog", "header", "main",
];
const INLINE_ONLY: [&str; 8] = ["p", "button", "h1", "h2", "h3", "span", "label", "code"];

/// Elements that a label has to name, and those that need words or a label.
const CONTROLS: [&str; 3] = ["input", "select", "textarea"];
const WORDED: [&str; 5] = ["button", "label", "summary", "option", "legend"];

/// An element that begins: its name and attributes.
pub(super) type Element = (String, BTreeMap<String, String>);

fn text(bytes: &HtmlString) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Every element of the page in order.
///
/// # Panics
///
/// If the page is not valid.
pub(super) fn elements(page: &str) -> Vec<Element> {
    assert!(page.starts_with("<!DOCTYPE html>"));
    let mut emitter = DefaultEmitter::default();
    emitter.naively_switch_states(true);
    let (mut open, mut found): (Vec<String>, Vec<Element>) = (Vec::new(), Vec::new());
    // Of elements that need words and have none yet: how deep they lie.
    let mut wordless: Vec<usize> = Vec::new();
    for token in Tokenizer::new_with_emitter(page, emitter) {
        match token.expect("text in memory") {
            Token::Error(error) => panic!("{error:?} after {:?}", found.last()),
            Token::StartTag(tag) => {
                let name = text(&tag.name);
                let inside = open.iter().find(|outer| INLINE_ONLY.contains(&outer.as_str()));
                if let Some(outer) = inside.filter(|_| BLOCKS.contains(&name.as_str())) {
                    panic!("<{name}> inside <{outer}> after {:?}", found.last());
                }
                let attributes = tag.attributes.iter().map(|(k, v)| (text(k), text(&v.value)));
                let attributes: BTreeMap<String, String> = attributes.collect();
                let is_named = ["aria-label", "aria-labelledby"]
                    .into_iter()
                    .any(|name| attributes.get(name).is_some_and(|words| !words.trim().is_empty()));
                if CONTROLS.contains(&name.as_str()) && !is_named {
                    let label = open.iter().any(|outer| outer == "label");
                    assert!(label, "<{name}> without a label: {attributes:?}");
                }
                if WORDED.contains(&name.as_str()) && !is_named {
                    wordless.push(open.len());
                }
                if !VOID.contains(&name.as_str()) && !tag.self_closing {
                    open.push(name.clone());
                }
                found.push((name, attributes));
            }
            Token::EndTag(tag) => {
                let name = text(&tag.name);
                assert_eq!(open.pop().as_deref(), Some(name.as_str()), "after {:?}", found.last());
                assert!(wordless.last() != Some(&open.len()), "<{name}> without words");
            }
            Token::String(words) if !text(&words.value).trim().is_empty() => wordless.clear(),
            _ => {}
        }
    }
    assert!(open.is_empty(), "not closed: {open:?}");
    check(&found);
    found
}

fn check(found: &[Element]) {
    let mut ids = BTreeSet::new();
    for (name, attributes) in found {
        if let Some(id) = attributes.get("id") {
            assert!(ids.insert(id.as_str()), "two elements with id {id}");
        }
        if name == "img" {
            let alt = attributes.get("alt").map_or("", String::as_str);
            assert!(!alt.is_empty(), "an image without alternative text: {attributes:?}");
        }
        if name == "svg" {
            assert!(
                attributes.contains_key("aria-label")
                    && ["img", "group"].contains(&&*attributes["role"])
            );
        }
        if name == "button" {
            assert!(attributes.contains_key("type"), "{attributes:?}");
        }
        if name == "th" {
            assert!(attributes.contains_key("scope"), "{attributes:?}");
        }
    }
    for (name, attributes) in found {
        for reference in ["for", "aria-labelledby"] {
            if let Some(id) = attributes.get(reference) {
                assert!(ids.contains(id.as_str()), "{name} {reference}={id}");
            }
        }
        let target = attributes.get("href").and_then(|href| href.strip_prefix('#'));
        // With `=` it is a view of the gallery.
        if let Some(id) = target.filter(|target| !target.contains('=')) {
            assert!(ids.contains(id), "a link to #{id}");
        }
    }
    let once = |wanted: &str| found.iter().filter(|(name, _)| name == wanted).count() == 1;
    assert!(["html", "head", "body", "main", "h1"].into_iter().all(once));
}

#[test]
fn mistakes_are_found() {
    let page = |body: &str| {
        format!(
            "<!DOCTYPE html><html lang=\"en\"><head><title>t</title></head><body><main><h1>h</h1>{body}\
             </main></body></html>"
        )
    };
    assert_eq!(elements(&page("<p>a<img alt=\"x\"></p>")).len(), 8);
    for wrong in [
        "<p><div></div></p>",
        "<p>",
        "</p>",
        "<b><i></b></i>",
        "<img src=\"x\">",
        "<a href=\"#no\">x</a>",
        "<p id=\"a\"></p><p id=\"a\"></p>",
        "<p a=\"1\" a=\"2\"></p>",
        "<th>x</th>",
        "<",
        "<h1>again</h1>",
        "<input>",
        "<label>a</label><select><option>b</option></select>",
        "<label><input></label>",
        "<button type=\"button\"> </button>",
        "<details><summary><b></b></summary></details>",
    ] {
        let page = page(wrong);
        assert!(std::panic::catch_unwind(|| elements(&page)).is_err(), "{wrong}");
    }
}
