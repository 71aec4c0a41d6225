//! From `--method` to methods and the values of their options.

use anyhow::{Result, anyhow, bail};
use burncam_attribution::{METHODS, Method, Peer, Score, Settings, find};

/// A method, with the values of its options.
#[derive(Debug, PartialEq)]
pub struct MethodRequest {
    /// The method.
    pub method: &'static Method,
    /// The values of its options.
    pub settings: Settings,
    /// Those that the user gave, in words: `samples=20`.
    pub words: String,
}

impl MethodRequest {
    /// The methods of a list that was split at its commas, each once with the same options. Options that are not given
    /// are a library's, if one is to be followed, else the method's own; `score` is that of methods that let one choose.
    ///
    /// # Errors
    ///
    /// If there is no such method or option, or the library does not have the method.
    pub fn all(list: &[String], peer: Option<Peer>, score: Option<Score>) -> Result<Vec<Self>> {
        let mut requests: Vec<Self> = Vec::new();
        for (name, options) in joined(list) {
            let Some(method) = find(&name) else {
                let known: Vec<&str> = METHODS.iter().map(|method| method.name).collect();
                bail!("--method: there is no `{name}`\nhint: the methods are {}", known.join(", "));
            };
            let refused = |reason: String| {
                anyhow!("--method {name}: {reason}\nhint: `methods` lists methods and options")
            };
            let mut base = Settings::defaults(method.options);
            if let Some(peer) = peer {
                let like = peer.options(method).map_err(|reason| anyhow!("--like: {reason}"))?;
                base.set(like).map_err(refused)?;
            }
            if let Some(score) = score.filter(|_| base.has("score")) {
                base.set(&format!("score={}", score.name())).map_err(refused)?;
            }
            let mut settings = base.clone();
            settings.set(&options).map_err(refused)?;
            if requests.iter().any(|other| other.method == method && other.settings == settings) {
                bail!("--method: {} is given twice", method.name);
            }
            let words = settings.difference(&base);
            requests.push(Self { method, settings, words });
        }
        Ok(requests)
    }
}

/// Methods and their options, of a list that was split at every comma: an option follows its method.
fn joined(pieces: &[String]) -> Vec<(String, String)> {
    let mut joined: Vec<(String, String)> = Vec::new();
    for piece in pieces.iter().map(|piece| piece.trim()) {
        let (name, option) = piece.split_once(':').unwrap_or((piece, ""));
        match joined.last_mut() {
            Some((_, options)) if !piece.contains(':') && piece.contains('=') => {
                options.push(',');
                options.push_str(piece);
            }
            _ => joined.push((name.to_owned(), option.to_owned())),
        }
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::joined;

    #[test]
    fn options_follow_their_method() {
        let split = |text: &str| text.split(',').map(str::to_owned).collect::<Vec<_>>();
        let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
        assert_eq!(joined(&split("a,b")), [pair("a", ""), pair("b", "")]);
        let expected = [pair("rise", "masks=9,p=0.4"), pair("grad-cam", "")];
        assert_eq!(joined(&split("rise:masks=9,p=0.4,grad-cam")), expected);
        assert_eq!(joined(&split("a=1")), [pair("a=1", "")]);
    }
}
