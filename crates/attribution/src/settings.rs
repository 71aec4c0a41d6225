//! Options of methods, and the values that an explanation gives them.

use std::fmt;

/// An option of a method.
#[derive(Debug, PartialEq)]
pub struct MethodOption {
    /// The name on the command line: `samples`.
    pub name: &'static str,
    /// The values it takes, and the default.
    pub values: Values,
    /// What it decides, in one line.
    pub about: &'static str,
}

/// The values that an option takes, and its default.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Values {
    /// A whole number of at least 1.
    Count(usize),
    /// A number between two.
    Number {
        /// The default.
        default: f64,
        /// The smallest and the largest that make sense.
        range: [f64; 2],
    },
    /// One of these words, the first by default.
    Word(&'static [&'static str]),
}

impl MethodOption {
    /// A whole number of at least 1.
    #[must_use]
    pub const fn count(name: &'static str, default: usize, about: &'static str) -> Self {
        Self { name, values: Values::Count(default), about }
    }

    /// A number in a range.
    #[must_use]
    pub const fn number(
        name: &'static str,
        default: f64,
        range: [f64; 2],
        about: &'static str,
    ) -> Self {
        Self { name, values: Values::Number { default, range }, about }
    }

    /// One of a few words, the first by default.
    #[must_use]
    pub const fn word(
        name: &'static str,
        words: &'static [&'static str],
        about: &'static str,
    ) -> Self {
        Self { name, values: Values::Word(words), about }
    }

    /// The default as it is written: `50`, `range`.
    #[must_use]
    pub fn default(&self) -> String {
        self.written(self.default_number())
    }

    fn default_number(&self) -> f64 {
        match self.values {
            Values::Count(default) => default as f64,
            Values::Number { default, .. } => default,
            Values::Word(_) => 0.0,
        }
    }

    fn written(&self, value: f64) -> String {
        match self.values {
            Values::Word(words) => words.get(value as usize).copied().unwrap_or("").to_owned(),
            Values::Count(_) | Values::Number { .. } => value.to_string(),
        }
    }

    fn read(&self, text: &str) -> Result<f64, String> {
        let (name, number) = (self.name, text.parse::<f64>().ok());
        match self.values {
            Values::Count(_) => number
                .filter(|number| (1.0..=MOST).contains(number) && number.fract() == 0.0)
                .ok_or_else(|| format!("{name} is a whole number of 1 to {MOST}, not `{text}`")),
            Values::Number { range: [least, most], .. } => number
                .filter(|number| (least..=most).contains(number))
                .ok_or_else(|| format!("{name} is a number of {least} to {most}, not `{text}`")),
            Values::Word(words) => words
                .iter()
                .position(|word| word.eq_ignore_ascii_case(text))
                .map(|place| place as f64)
                .ok_or_else(|| format!("{name} is {}, not `{text}`", words.join(" or "))),
        }
    }
}

/// The largest count: passes of an image that would take days.
const MOST: f64 = 1e6;

/// The values of a method's options.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    options: &'static [MethodOption],
    values: Vec<f64>,
}

impl Settings {
    /// The defaults of options.
    #[must_use]
    pub fn defaults(options: &'static [MethodOption]) -> Self {
        Self { options, values: options.iter().map(MethodOption::default_number).collect() }
    }

    /// Sets `name=value`, several with commas between.
    ///
    /// # Errors
    ///
    /// If there is no such option, or it does not take the value.
    pub fn set(&mut self, text: &str) -> Result<(), String> {
        for one in text.split(',').map(str::trim).filter(|one| !one.is_empty()) {
            let (name, value) = one
                .split_once('=')
                .ok_or_else(|| format!("`{one}` is no option; options are `name=value`"))?;
            let (name, value) = (name.trim(), value.trim());
            let Some(place) = self.options.iter().position(|option| option.name == name) else {
                let names: Vec<&str> = self.options.iter().map(|option| option.name).collect();
                return Err(match names.as_slice() {
                    [] => format!("it has no options, and `{name}` was given"),
                    names => format!("it has no option `{name}`; it has {}", names.join(", ")),
                });
            };
            self.values[place] = self.options[place].read(value)?;
        }
        Ok(())
    }

    /// Whether there is an option of this name.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.options.iter().any(|option| option.name == name)
    }

    /// The value of an option.
    ///
    /// # Panics
    ///
    /// If the method does not declare it.
    #[must_use]
    pub fn number(&self, name: &str) -> f64 {
        let place = self.options.iter().position(|option| option.name == name);
        self.values[place.unwrap_or_else(|| panic!("the method declares no option {name}"))]
    }

    /// The value of an option that counts.
    ///
    /// # Panics
    ///
    /// If the method does not declare it.
    #[must_use]
    pub fn count(&self, name: &str) -> usize {
        self.number(name) as usize
    }

    /// Whether an option has this word.
    ///
    /// # Panics
    ///
    /// If the method does not declare the option, or it has no such word.
    #[must_use]
    pub fn is(&self, name: &str, word: &str) -> bool {
        let value = self.number(name) as usize;
        let option = self.options.iter().find(|option| option.name == name);
        let Some(Values::Word(words)) = option.map(|option| &option.values) else {
            panic!("{name} has no words");
        };
        words.iter().position(|own| *own == word).expect("a word of the option") == value
    }
}

impl Settings {
    /// The options whose value is another than in `base`: `samples=20,unit=input`.
    #[must_use]
    pub fn difference(&self, base: &Self) -> String {
        let both = self.options.iter().zip(self.values.iter().zip(&base.values));
        let changed: Vec<String> = both
            .filter(|(_, (value, base))| value != base)
            .map(|(option, (value, _))| format!("{}={}", option.name, option.written(*value)))
            .collect();
        changed.join(",")
    }
}

/// The options whose value is not the default.
impl fmt::Display for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.difference(&Self::defaults(self.options)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    static OPTIONS: &[MethodOption] = &[
        MethodOption::count("samples", 50, "noisy copies"),
        MethodOption::number("noise", 0.15, [0.0, 10.0], "deviation"),
        MethodOption::word("unit", &["range", "input"], "of what"),
    ];

    #[test]
    fn values_are_set_by_name() {
        let mut settings = Settings::defaults(OPTIONS);
        assert_eq!((settings.count("samples"), settings.number("noise")), (50, 0.15));
        assert_eq!(settings.to_string(), "");
        settings.set("samples=20, unit=INPUT").expect("good options");
        assert!(settings.is("unit", "input") && !settings.is("unit", "range"));
        assert_eq!(settings.to_string(), "samples=20,unit=input");
    }

    #[test]
    fn other_values_are_refused() {
        for bad in ["samples=0", "samples=1.5", "samples=x", "noise=-1", "noise=nan", "unit=share"]
            .into_iter()
            .chain(["samples", "copies=3", "samples=1e9"])
        {
            assert!(Settings::defaults(OPTIONS).set(bad).is_err(), "{bad}");
        }
        let error = Settings::defaults(&[]).set("a=1").expect_err("no options");
        assert_eq!(error, "it has no options, and `a` was given");
    }
}
