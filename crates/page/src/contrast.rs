//! Whether the colours of the page can be told apart: WCAG 2.2, level AA, 1.4.3 and 1.4.11.

use std::collections::BTreeMap;

const STYLE: &str = include_str!("style.css");

/// The least contrast of text, and of what else has to be seen.
const TEXT: f64 = 4.5;
const GRAPHIC: f64 = 3.0;

type Rgb = [u8; 3];

/// A rule of a style sheet: its selector, and its properties by name.
struct Rule<'a> {
    selector: &'a str,
    properties: BTreeMap<&'a str, &'a str>,
}

/// The rules of a style sheet, those inside of `@media` as well.
fn rules(css: &str) -> Vec<Rule<'_>> {
    let mut rules = Vec::new();
    for block in css.split('}') {
        let Some((before, body)) = block.rsplit_once('{') else { continue };
        let selector = before.rsplit('{').next().unwrap_or_default().trim();
        let properties = body.split(';').filter_map(|one| one.split_once(':'));
        let properties = properties.map(|(name, value)| (name.trim(), value.trim())).collect();
        rules.push(Rule { selector, properties });
    }
    rules
}

/// A colour in `#rgb` or `#rrggbb`, also behind `var(--name)`.
fn colour(value: &str, variables: &BTreeMap<&str, &str>) -> Option<Rgb> {
    let name = value.strip_prefix("var(").and_then(|rest| rest.strip_suffix(')'));
    let value = match name {
        Some(name) => variables.get(name).unwrap_or_else(|| panic!("no colour {name}")),
        None => value,
    };
    let digits = value.strip_prefix('#')?;
    let level = |text: &str| u8::from_str_radix(text, 16).ok();
    match digits.len() {
        3 => {
            let level = |at: usize| Some(level(digits.get(at..=at)?)? * 17);
            Some([level(0)?, level(1)?, level(2)?])
        }
        6 => {
            let level = |at: usize| level(digits.get(at..at + 2)?);
            Some([level(0)?, level(2)?, level(4)?])
        }
        _ => None,
    }
}

fn luminance(colour: Rgb) -> f64 {
    let linear = |level: u8| {
        let share = f64::from(level) / 255.0;
        match share <= 0.04045 {
            true => share / 12.92,
            false => ((share + 0.055) / 1.055).powf(2.4),
        }
    };
    let [red, green, blue] = colour.map(linear);
    0.2126 * red + 0.7152 * green + 0.0722 * blue
}

fn contrast(a: Rgb, b: Rgb) -> f64 {
    let (a, b) = (luminance(a), luminance(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

/// A colour, and the rule that has it.
type Named<'a> = (&'a str, Rgb);

/// The colours of text and of backgrounds. Any text may stand on any background, unless one rule has both.
struct Colours<'a> {
    text: Vec<Named<'a>>,
    backgrounds: Vec<Named<'a>>,
    /// Text and background of one rule.
    own: Vec<(&'a str, Rgb, Rgb)>,
    /// Two colours of a mark that lies on photographs.
    marks: Vec<(&'a str, Rgb, Rgb)>,
    /// Borders of what can be used or says something, and what is drawn without text.
    graphics: Vec<Named<'a>>,
}

/// What everything stands on, unless it has a background of its own.
const PAGE: &str = "body";
const FORMS: &str = "form, #choice";

/// Lines that only keep things apart.
const DECORATION: &str = "var(--line)";

fn colours<'a>(rules: &[Rule<'a>]) -> Colours<'a> {
    let root = rules.iter().find(|rule| rule.selector == ":root").expect("the page's own colours");
    let variables = &root.properties;
    let of = |value: &str| colour(value, variables);
    let mut all =
        Colours { text: vec![], backgrounds: vec![], own: vec![], marks: vec![], graphics: vec![] };
    for rule in rules {
        let value = |name: &str| rule.properties.get(name).copied();
        let every = |text: &'a str| text.split([' ', ',']).filter_map(of);
        let background = value("background");
        // A mark has a light and a dark colour, since photographs are both.
        let pair =
            [value("border"), value("outline")].map(|one| one.and_then(|one| every(one).next()));
        if let [Some(border), Some(outline)] = pair {
            all.marks.push((rule.selector, border, outline));
            continue;
        }
        if let Some(gradient) = background.filter(|one| one.contains("gradient(")) {
            let found: Vec<Rgb> = every(gradient).collect();
            all.marks.extend(
                found
                    .windows(2)
                    .filter(|two| two[0] != two[1])
                    .map(|two| (rule.selector, two[0], two[1])),
            );
            continue;
        }
        let (text, background) =
            (value("color").and_then(of), background.and_then(|one| every(one).next()));
        let is_drawn = rule.selector.contains("::") || value("height").is_some();
        match (text, background) {
            (Some(text), Some(background)) => all.own.push((rule.selector, text, background)),
            (Some(text), None) => all.text.push((rule.selector, text)),
            (None, Some(background)) if is_drawn => all.graphics.push((rule.selector, background)),
            (None, Some(background)) => all.backgrounds.push((rule.selector, background)),
            (None, None) => {}
        }
        if let (PAGE, Some(text), Some(background)) = (rule.selector, text, background) {
            all.text.push((PAGE, text));
            all.backgrounds.push((PAGE, background));
        }
        let borders = ["border", "border-left", "border-color", "outline", "accent-color"];
        let drawn = borders.into_iter().filter_map(value).filter(|one| !one.contains(DECORATION));
        let drawn = drawn.filter_map(|one| every(one).next()).map(|colour| (rule.selector, colour));
        all.graphics.extend(drawn);
    }
    all
}

/// The pairs that are too much alike.
fn failures(css: &str) -> Vec<String> {
    let rules = rules(css);
    let all = colours(&rules);
    let mut failures = Vec::new();
    let mut check = |(name, colour): Named<'_>, (on, background): Named<'_>, least: f64| {
        let found = contrast(colour, background);
        if found < least {
            failures.push(format!("{name} on {on}: {found:.2} is less than {least}"));
        }
    };
    for background in &all.backgrounds {
        all.text.iter().for_each(|text| check(*text, *background, TEXT));
    }
    all.own.iter().for_each(|(name, text, on)| check((name, *text), (name, *on), TEXT));
    all.marks.iter().for_each(|(name, one, other)| check((name, *one), (name, *other), GRAPHIC));
    let plain = |one: &&Named<'_>| [PAGE, FORMS].contains(&one.0);
    for background in all.backgrounds.iter().filter(plain) {
        all.graphics.iter().for_each(|graphic| check(*graphic, *background, GRAPHIC));
    }
    failures
}

#[test]
fn ratios_are_those_of_the_standard() {
    assert!((contrast([0; 3], [255; 3]) - 21.0).abs() < 1e-9);
    assert!((contrast([0x77; 3], [255; 3]) - 4.478).abs() < 1e-3);
    assert!((contrast([255, 0, 0], [255; 3]) - 3.998).abs() < 1e-3);
}

#[test]
fn colours_that_are_too_much_alike_are_told() {
    let css = ":root { --ink: #777; --line: #ccc; } body { background: #fff; } p { color: var(--ink); } \
               form, #choice { background: #f4f4f2; } @media print { a { color: #fff; background: #bbb; } } \
               input { border: 1px solid #aaa; } \
               b { border: 1px solid #fff; outline: 1px solid #ddd; } hr { border: 1px solid var(--line); }";
    let found = failures(css).join("\n");
    for part in
        ["p on body: 4.48", "p on form, #choice", "a on a: 1.9", "input on body: 2.3", "b on b"]
    {
        assert!(found.contains(part), "{part} in {found}");
    }
    assert!(!found.contains("hr"), "{found}");
}

#[test]
fn text_and_controls_can_be_read() {
    let rules = rules(STYLE);
    let all = colours(&rules);
    let counts = [&all.text, &all.backgrounds, &all.graphics].map(Vec::len);
    assert!(counts[0] > 10 && counts[1] > 5 && counts[2] > 10, "{counts:?}");
    let found = failures(STYLE);
    assert!(found.is_empty(), "{}", found.join("\n"));
    assert!(!STYLE.contains("prefers-color-scheme"), "a dark page has colours of its own");
}

#[test]
fn focus_is_seen_and_nothing_moves_unasked() {
    let rules = rules(STYLE);
    let focus = rules.iter().find(|rule| rule.selector == ":focus-visible").expect("a rule");
    assert!(focus.properties.contains_key("outline"));
    let hides = |rule: &&Rule<'_>| {
        let outline = rule.properties.get("outline");
        outline.is_some_and(|one| one.starts_with('0') || one.starts_with("none"))
    };
    assert_eq!(rules.iter().find(hides).map(|rule| rule.selector), None);
    let calm = STYLE.split_once("prefers-reduced-motion: reduce) {").expect("a rule").1;
    let calm = calm.split_once('}').expect("its end").0;
    for property in ["animation: none", "transition: none", "scroll-behavior: auto"] {
        assert!(calm.contains(property), "{property}");
    }
}
