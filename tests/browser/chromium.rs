//! A headless Chromium, driven through a pipe by its own protocol.
//!
//! The protocol is <https://chromedevtools.github.io/devtools-protocol/>: JSON messages, each ended
//! by a zero byte, on the file descriptors 3 and 4 of the browser.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

/// How long the browser may take for one answer.
const PATIENCE: Duration = Duration::from_secs(60);

/// Whether the page is there, with its first images.
const LOADED: &str =
    "document.readyState === 'complete' && document.getElementById('shown')?.textContent > ''";

/// Names that the browser goes by.
const NAMES: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];

/// Where the browser is, if there is one.
pub(crate) fn find() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    let places = NAMES.iter().flat_map(|name| folders.iter().map(move |folder| folder.join(name)));
    places.into_iter().find(|place| place.is_file())
}

/// A browser with one page open.
pub(crate) struct Chromium {
    child: Child,
    to: ChildStdin,
    from: Receiver<Value>,
    session: Option<String>,
    sent: u64,
    /// What happened so far, without being asked for.
    pub events: Vec<Value>,
    _profile: TempDir,
}

impl Chromium {
    /// Starts the browser with an empty page of this size.
    pub(crate) fn start(program: &Path, width: u32, height: u32) -> Self {
        let profile = tempfile::tempdir().expect("a folder for the profile");
        let mut child = Command::new("sh")
            .args(["-c", "exec \"$0\" \"$@\" 3<&0 4>&1 </dev/null >/dev/null 2>&1"])
            .arg(program)
            .args(["--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-pipe"])
            .args(["--no-first-run", "--disable-extensions", "--disable-background-networking"])
            .args(["--disable-component-update", "--disable-sync", "--lang=en"])
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a shell");
        let (to, out) = (child.stdin.take().expect("a pipe"), child.stdout.take().expect("a pipe"));
        let (send, from) = channel();
        std::thread::spawn(move || {
            for message in BufReader::new(out).split(0) {
                let Ok(message) = message else { return };
                let message = serde_json::from_slice(&message).expect("the browser speaks JSON");
                if send.send(message).is_err() {
                    return;
                }
            }
        });
        let mut browser =
            Self { child, to, from, session: None, sent: 0, events: Vec::new(), _profile: profile };
        let target = browser.call("Target.createTarget", json!({ "url": "about:blank" }));
        let attach = json!({ "targetId": target["targetId"], "flatten": true });
        let session = browser.call("Target.attachToTarget", attach);
        browser.session = session["sessionId"].as_str().map(str::to_owned);
        for domain in ["Page", "Runtime", "Network", "Log"] {
            browser.call(&format!("{domain}.enable"), json!({}));
        }
        browser.resize(width, height);
        browser
    }

    /// Calls a method of the protocol and gives its result.
    pub(crate) fn call(&mut self, method: &str, parameters: Value) -> Value {
        let result = self.answer(method, parameters);
        result.unwrap_or_else(|error| panic!("{method}: {error}"))
    }

    /// Calls a method of the protocol. The result, or the browser's error.
    fn answer(&mut self, method: &str, parameters: Value) -> Result<Value, Value> {
        self.sent += 1;
        let mut message = json!({ "id": self.sent, "method": method, "params": parameters });
        if let Some(session) = &self.session {
            message["sessionId"] = session.as_str().into();
        }
        let mut bytes = message.to_string().into_bytes();
        bytes.push(0);
        self.to.write_all(&bytes).and_then(|()| self.to.flush()).expect("the browser listens");
        loop {
            let message = self.from.recv_timeout(PATIENCE);
            let message = message.unwrap_or_else(|error| panic!("{method}: {error}"));
            if message["id"] == self.sent {
                let error = &message["error"];
                return if error.is_null() {
                    Ok(message["result"].clone())
                } else {
                    Err(error.clone())
                };
            }
            self.events.push(message);
        }
    }

    /// Opens a file and waits until it is loaded, pictures in view included.
    pub(crate) fn open(&mut self, page: &Path) {
        let url = format!("file://{}", page.display());
        self.call("Page.navigate", json!({ "url": url }));
        self.until(LOADED);
    }

    /// Loads the page again and waits until it is there.
    pub(crate) fn reload(&mut self) {
        // The old page is complete, too, until it is gone.
        self.value("window.isOld = true");
        self.call("Page.reload", json!({}));
        self.until(&format!("!window.isOld && {LOADED}"));
    }

    /// The value of an expression in the page.
    pub(crate) fn value(&mut self, expression: &str) -> Value {
        let value = self.evaluated(expression);
        value.unwrap_or_else(|error| panic!("{expression}: {error}"))
    }

    /// The value of an expression, or the error of a page that is left meanwhile.
    fn evaluated(&mut self, expression: &str) -> Result<Value, Value> {
        let parameters =
            json!({ "expression": expression, "returnByValue": true, "awaitPromise": true });
        let result = self.answer("Runtime.evaluate", parameters)?;
        assert!(result["exceptionDetails"].is_null(), "{expression}: {result:#}");
        Ok(result["result"]["value"].clone())
    }

    pub(crate) fn text(&mut self, expression: &str) -> String {
        let value = self.value(expression);
        value.as_str().unwrap_or_else(|| panic!("{expression} is {value}")).to_owned()
    }

    pub(crate) fn number(&mut self, expression: &str) -> f64 {
        let value = self.value(expression);
        value.as_f64().unwrap_or_else(|| panic!("{expression} is {value}"))
    }

    /// Waits until an expression is true, of the next page if this one is left meanwhile.
    pub(crate) fn until(&mut self, expression: &str) {
        let start = Instant::now();
        while self.evaluated(expression) != Ok(Value::Bool(true)) {
            assert!(start.elapsed() < PATIENCE, "it never came true: {expression}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Clicks the middle of the element that a selector finds first, with the mouse.
    pub(crate) fn click(&mut self, selector: &str) {
        let quoted = Value::from(selector).to_string();
        // Where it stays: the page may still move while pictures come and details open.
        let place = self.value(&format!(
            "(async () => {{
               const e = document.querySelector({quoted});
               for (let last = {{}}, tries = 0; ; tries++) {{
                 e.scrollIntoView({{ block: 'center', behavior: 'instant' }});
                 await new Promise(requestAnimationFrame);
                 const r = e.getBoundingClientRect(), x = r.x + r.width / 2, y = r.y + r.height / 2;
                 const isStill = x === last.x && y === last.y && e.contains(document.elementFromPoint(x, y));
                 if (isStill || tries > 300) return {{ x, y }};
                 last = {{ x, y }};
               }}
             }})()"
        ));
        for kind in ["mousePressed", "mouseReleased"] {
            let (x, y) = (&place["x"], &place["y"]);
            let event = json!({ "type": kind, "x": x, "y": y, "button": "left", "clickCount": 1 });
            self.call("Input.dispatchMouseEvent", event);
        }
    }

    /// Presses and releases a key.
    pub(crate) fn key(&mut self, key: &str) {
        let (code, number, text) = match key {
            "ArrowLeft" => ("ArrowLeft", 37, ""),
            "ArrowRight" => ("ArrowRight", 39, ""),
            "ArrowDown" => ("ArrowDown", 40, ""),
            "Escape" => ("Escape", 27, ""),
            "Enter" => ("Enter", 13, "\r"),
            "Tab" => ("Tab", 9, ""),
            "n" => ("KeyN", 78, "n"),
            "x" => ("KeyX", 88, "x"),
            other => panic!("no key {other}"),
        };
        for kind in ["keyDown", "keyUp"] {
            let text = if kind == "keyDown" { text } else { "" };
            let event = json!({
                "type": kind, "key": key, "code": code, "windowsVirtualKeyCode": number, "text": text,
            });
            self.call("Input.dispatchKeyEvent", event);
        }
    }

    /// Types text.
    pub(crate) fn write(&mut self, text: &str) {
        self.call("Input.insertText", json!({ "text": text }));
    }

    /// Makes the window this large.
    pub(crate) fn resize(&mut self, width: u32, height: u32) {
        let mobile = width < 600;
        let size =
            json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": mobile });
        self.call("Emulation.setDeviceMetricsOverride", size);
    }

    /// A picture of the window, or of the page from end to end, as base64 of a PNG.
    pub(crate) fn picture(&mut self, whole: bool) -> Vec<u8> {
        let parameters = json!({ "format": "png", "captureBeyondViewport": whole });
        let parameters = if whole {
            let sizes = self.call("Page.getLayoutMetrics", json!({}));
            let size = &sizes["cssContentSize"];
            let clip = json!({
                "x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1,
            });
            json!({ "format": "png", "captureBeyondViewport": true, "clip": clip })
        } else {
            parameters
        };
        let data = self.call("Page.captureScreenshot", parameters);
        unpacked(data["data"].as_str().expect("a picture"))
    }

    /// The page as a PDF.
    pub(crate) fn printed(&mut self) -> Vec<u8> {
        let data = self.call("Page.printToPDF", json!({ "printBackground": true }));
        unpacked(data["data"].as_str().expect("a document"))
    }

    /// Events of a kind, by what they say.
    pub(crate) fn happened(&self, method: &str) -> Vec<&Value> {
        let of = self.events.iter().filter(|event| event["method"] == method);
        of.map(|event| &event["params"]).collect()
    }
}

impl Drop for Chromium {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Base64 by RFC 4648.
fn unpacked(text: &str) -> Vec<u8> {
    let digit = |byte: u8| match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => panic!("no base64"),
    };
    let digits: Vec<u8> = text.bytes().filter(|&byte| byte != b'=').map(digit).collect();
    let bytes = digits.chunks(4).flat_map(|four| {
        let bits = four.iter().fold(0_u32, |bits, &digit| bits << 6 | u32::from(digit));
        let bits = bits << (6 * (4 - four.len()));
        bits.to_be_bytes()[1..four.len()].to_vec()
    });
    bytes.collect()
}
