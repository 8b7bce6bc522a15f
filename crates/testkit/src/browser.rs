//! A real browser: Chromium without a window, driven over WebDriver (W3C) by its own `chromedriver`.
//!
//! Each [`Browser`] has a profile of its own that goes with it. Whatever happens to a test, its browser is ended: by
//! [`Browser::end`], or when it is dropped. Tests that need one are marked `#[ignore]` and run in a group of their own,
//! which says loudly when there is no browser.

use fantoccini::error::{CmdError, NewSessionError};
use fantoccini::wd::{Capabilities, WebDriverCompatibleCommand};
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

/// Longest wait for the driver to say where it listens, and for each command.
const LONG: Duration = Duration::from_secs(60);

/// Why there is no browser, or no answer from it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BrowserError {
    /// `chromedriver` could not be started or did not say where it listens.
    #[error("chromedriver did not start")]
    NoDriver(#[source] Option<std::io::Error>),
    /// There is no session: usually no Chromium, or one of another version than its driver.
    #[error("no session")]
    NoSession(#[from] NewSessionError),
    /// A command failed.
    #[error("the browser could not do it")]
    Command(#[from] CmdError),
    /// No answer within a minute.
    #[error("the browser does not answer")]
    Silent,
}

/// How a page is looked at.
#[derive(Clone, Debug)]
pub struct Look {
    /// CSS pixels.
    pub width: u32,
    /// CSS pixels.
    pub height: u32,
    /// Whether the system asks for dark colours.
    pub dark: bool,
    /// Whether pages may run scripts.
    pub scripts: bool,
}

impl Default for Look {
    fn default() -> Self {
        Self { width: 1280, height: 900, dark: false, scripts: true }
    }
}

/// A running browser with one tab.
pub struct Browser {
    client: Client,
    driver: Driver,
    _profile: tempfile::TempDir,
}

/// The processes, which end with it.
struct Driver {
    process: Child,
    browser: Option<rustix::process::Pid>,
}

impl Drop for Driver {
    fn drop(&mut self) {
        if let Some(browser) = self.browser {
            // Gone already when the session was closed.
            let _ = rustix::process::kill_process(browser, rustix::process::Signal::KILL);
        }
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Driver {
    /// The driver on a free port, which it says itself.
    fn start() -> Result<(Self, u16), BrowserError> {
        let mut process = Command::new("chromedriver")
            .arg("--port=0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| BrowserError::NoDriver(Some(error)))?;
        let output = process.stdout.take();
        let driver = Self { process, browser: None };
        let (tell, told) = mpsc::channel();
        // Reads on to the end, so that the driver never waits for somebody to listen.
        std::thread::spawn(move || {
            for line in output.into_iter().flat_map(|output| BufReader::new(output).lines()) {
                let Ok(line) = line else { return };
                if let Some((_, port)) = line.split_once("started successfully on port ")
                    && let Ok(port) = port.trim_end_matches('.').parse::<u16>()
                {
                    let _ = tell.send(port);
                }
            }
        });
        let port = told.recv_timeout(LONG).map_err(|_| BrowserError::NoDriver(None))?;
        Ok((driver, port))
    }
}

impl Browser {
    /// Starts one in a fresh profile, in `language` (`de`, `en`). It takes certificates that nobody vouches for: those of
    /// tests.
    ///
    /// # Errors
    /// When there is no `chromedriver` or no Chromium.
    pub async fn start(language: &str) -> Result<Self, BrowserError> {
        let profile = tempfile::tempdir().map_err(|error| BrowserError::NoDriver(Some(error)))?;
        let (mut driver, port) = Driver::start()?;
        let wishes = capabilities(&profile.path().to_string_lossy(), language);
        let mut builder = ClientBuilder::new(HttpConnector::new());
        builder.capabilities(wishes);
        let address = format!("http://127.0.0.1:{port}");
        let client = tokio::time::timeout(LONG, builder.connect(&address)).await;
        let client = client.map_err(|_| BrowserError::Silent)??;
        driver.browser = client
            .capabilities()
            .and_then(|given| given.get("goog:processID"))
            .and_then(Value::as_i64)
            .and_then(|number| i32::try_from(number).ok())
            .and_then(rustix::process::Pid::from_raw);
        Ok(Self { client, driver, _profile: profile })
    }

    /// Closes the tab and ends the browser.
    ///
    /// # Errors
    /// When it did not close by itself. Its processes are ended all the same.
    pub async fn end(self) -> Result<(), BrowserError> {
        let Self { client, driver, _profile } = self;
        let closed = bounded(client.close()).await;
        drop(driver);
        closed
    }

    /// Size, colours and scripts from now on.
    ///
    /// # Errors
    /// When the browser fails.
    pub async fn look(&self, look: &Look) -> Result<(), BrowserError> {
        let metrics = json!({
            "width": look.width, "height": look.height, "deviceScaleFactor": 1, "mobile": false,
        });
        self.devtools("Emulation.setDeviceMetricsOverride", metrics).await?;
        let scheme = if look.dark { "dark" } else { "light" };
        // Without motion, so that what is looked at is not halfway between two colours.
        let media = json!({ "features": [
            { "name": "prefers-color-scheme", "value": scheme },
            { "name": "prefers-reduced-motion", "value": "reduce" },
        ] });
        self.devtools("Emulation.setEmulatedMedia", media).await?;
        let off = json!({ "value": !look.scripts });
        self.devtools("Emulation.setScriptExecutionDisabled", off).await?;
        Ok(())
    }

    /// Opens an address and waits until it has loaded.
    ///
    /// # Errors
    /// When the browser fails.
    pub async fn open(&self, address: &str) -> Result<(), BrowserError> {
        bounded(self.client.goto(address)).await
    }

    /// Where the tab is now.
    ///
    /// # Errors
    /// When the browser fails.
    pub async fn address(&self) -> Result<String, BrowserError> {
        Ok(bounded(self.client.current_url()).await?.to_string())
    }

    /// Presses the first element that fits the CSS selector, as a person would: it must be in view and uncovered.
    ///
    /// # Errors
    /// When there is none, or something lies over it.
    pub async fn press(&self, selector: &str) -> Result<(), BrowserError> {
        let element = bounded(self.client.find(Locator::Css(selector))).await?;
        bounded(element.click()).await
    }

    /// Presses what leads to another page, and waits until that one is there.
    ///
    /// # Errors
    /// When there is no such element, or no other page within a minute.
    pub async fn press_through(&self, selector: &str) -> Result<(), BrowserError> {
        self.run("window.__before = true", vec![]).await?;
        self.press(selector).await?;
        let arrived = "return window.__before === undefined && document.readyState === 'complete'";
        for _ in 0..1_200 {
            // Between two pages there is none to ask.
            if matches!(self.run(arrived, vec![]).await, Ok(Value::Bool(true))) {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Err(BrowserError::Silent)
    }

    /// Types into the first element that fits the CSS selector.
    ///
    /// # Errors
    /// When there is none.
    pub async fn write(&self, selector: &str, text: &str) -> Result<(), BrowserError> {
        let element = bounded(self.client.find(Locator::Css(selector))).await?;
        bounded(element.send_keys(text)).await
    }

    /// Runs the body of a function within the page and gives what it returns.
    ///
    /// # Errors
    /// When the script throws.
    pub async fn run(&self, script: &str, arguments: Vec<Value>) -> Result<Value, BrowserError> {
        bounded(self.client.execute(script, arguments)).await
    }

    /// Runs the body of a function that calls its last argument when it is done.
    ///
    /// # Errors
    /// When the script throws, or does not end within a minute.
    pub async fn run_until_done(&self, script: &str, arguments: Vec<Value>) -> Result<Value, BrowserError> {
        bounded(self.client.execute_async(script, arguments)).await
    }

    /// The tab as a PNG.
    ///
    /// # Errors
    /// When the browser fails.
    pub async fn picture(&self) -> Result<Vec<u8>, BrowserError> {
        bounded(self.client.screenshot()).await
    }

    /// A command of the DevTools protocol.
    ///
    /// # Errors
    /// When the browser refuses it.
    pub async fn devtools(&self, method: &str, parameters: Value) -> Result<Value, BrowserError> {
        let body = json!({ "cmd": method, "params": parameters });
        bounded(self.client.issue_cmd(Extra { path: "goog/cdp/execute", body })).await
    }

    /// What pages wrote to the console, and what the browser refused, since the last call.
    ///
    /// # Errors
    /// When the browser fails.
    pub async fn console(&self) -> Result<Vec<String>, BrowserError> {
        let entries = self.log("browser").await?;
        Ok(entries.iter().filter_map(|entry| entry["message"].as_str().map(str::to_owned)).collect())
    }

    /// The addresses of everything that was asked of the network since the last call.
    ///
    /// # Errors
    /// When the browser fails.
    pub async fn asked(&self) -> Result<Vec<String>, BrowserError> {
        let entries = self.log("performance").await?;
        let one = |entry: &Value| -> Option<String> {
            let event: Value = serde_json::from_str(entry["message"].as_str()?).ok()?;
            let event = &event["message"];
            match event["method"].as_str()? {
                "Network.requestWillBeSent" => Some(event["params"]["request"]["url"].as_str()?.to_owned()),
                "Network.webSocketCreated" => Some(event["params"]["url"].as_str()?.to_owned()),
                _ => None,
            }
        };
        Ok(entries.iter().filter_map(one).collect())
    }

    async fn log(&self, kind: &str) -> Result<Vec<Value>, BrowserError> {
        let body = json!({ "type": kind });
        let entries = bounded(self.client.issue_cmd(Extra { path: "se/log", body })).await?;
        Ok(entries.as_array().cloned().unwrap_or_default())
    }
}

async fn bounded<T>(work: impl Future<Output = Result<T, CmdError>>) -> Result<T, BrowserError> {
    match tokio::time::timeout(LONG, work).await {
        Ok(done) => Ok(done?),
        Err(_) => Err(BrowserError::Silent),
    }
}

fn capabilities(profile: &str, language: &str) -> Capabilities {
    let arguments = [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--hide-scrollbars",
    ];
    let mut arguments: Vec<String> = arguments.iter().map(|&word| word.to_owned()).collect();
    arguments.push(format!("--user-data-dir={profile}"));
    arguments.push(format!("--lang={language}"));
    let wishes = json!({
        "browserName": "chrome",
        "acceptInsecureCerts": true,
        "unhandledPromptBehavior": "ignore",
        "timeouts": { "script": 60_000, "pageLoad": 60_000 },
        "goog:chromeOptions": {
            "args": arguments,
            "prefs": { "intl.accept_languages": language, "intl.selected_languages": language },
        },
        "goog:loggingPrefs": { "browser": "ALL", "performance": "ALL" },
    });
    wishes.as_object().cloned().unwrap_or_default()
}

/// A command of Chromium's own beside the standard.
#[derive(Debug)]
struct Extra {
    path: &'static str,
    body: Value,
}

impl WebDriverCompatibleCommand for Extra {
    fn endpoint(&self, base: &url::Url, session: Option<&str>) -> Result<url::Url, url::ParseError> {
        base.join(&format!("session/{}/{}", session.unwrap_or_default(), self.path))
    }

    fn method_and_body(&self, _: &url::Url) -> (http::Method, Option<String>) {
        (http::Method::POST, Some(self.body.to_string()))
    }
}
