//! libmodsecurity with rules loaded: exchanges in, outcomes out.

use std::collections::BTreeSet;
use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::ptr::{self, NonNull};
use std::sync::{Mutex, PoisonError};

use shield::message::{Fields, Request};

use crate::ffi;
use crate::rules::RuleText;

/// What libmodsecurity found in one exchange.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// One per rule that matched and reports, in order of evaluation; a rule with `multiMatch` stands once per match.
    pub messages: Vec<Message>,
    /// The status with which the request is refused, and the phase (1 to 5) in which that was decided; `None` when it
    /// passes.
    pub refused: Option<(u16, u8)>,
    /// The last phase that ran, 1 to 5.
    pub reached: u8,
}

impl Outcome {
    /// The ids of the rules that matched, in order of evaluation.
    #[must_use]
    pub fn matched(&self) -> Vec<u64> {
        self.messages.iter().map(|message| message.rule).collect()
    }

    /// The ids of the rules that matched, each once.
    #[must_use]
    pub fn ids(&self) -> BTreeSet<u64> {
        self.messages.iter().map(|message| message.rule).collect()
    }

    /// The lines that a server would write into its error log.
    #[must_use]
    pub fn log(&self) -> String {
        let mut log = String::new();
        for message in &self.messages {
            log.push_str(&message.log);
            log.push('\n');
        }
        log
    }
}

/// What one rule reports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Id of the rule; of a chain, that of its first rule.
    pub rule: u64,
    /// Phase of the rule, 1 to 5.
    pub phase: u8,
    /// `severity`, 0 (emergency) to 7 (debug).
    pub severity: u8,
    /// Whether this rule refused the request.
    pub disruptive: bool,
    /// What was compared with what, with operator, parameter, variable and (cut to about 100 bytes) value.
    pub matched: Vec<u8>,
    /// `logdata` with its macros filled in, whole.
    pub data: Vec<u8>,
    /// `msg` with its macros filled in.
    pub message: Vec<u8>,
    /// The file of the rule, as it was named when it was loaded.
    pub file: String,
    /// The line of the rule in its file.
    pub line: u32,
    /// The line of the server's error log.
    pub log: String,
}

impl Message {
    /// The variable that matched, for example `ARGS:a`; of a chain, that of its last rule. Empty for an action without
    /// an operator.
    #[must_use]
    pub fn variable(&self) -> &[u8] {
        between(&self.matched, b"' against variable `", b"' (Value: `")
    }

    /// The value that matched, as libmodsecurity shows it: cut to about 100 bytes, bytes that are no text as `\\xhh`.
    #[must_use]
    pub fn value(&self) -> &[u8] {
        let rest = after(&self.matched, b"' (Value: `").unwrap_or_default();
        rest.strip_suffix(b"' )").unwrap_or(rest)
    }
}

fn after<'a>(text: &'a [u8], mark: &[u8]) -> Option<&'a [u8]> {
    let at = text.windows(mark.len()).position(|window| window == mark)?;
    text.get(at + mark.len()..)
}

fn between<'a>(text: &'a [u8], first: &[u8], second: &[u8]) -> &'a [u8] {
    let Some(rest) = after(text, first) else {
        return &[];
    };
    let end = rest.windows(second.len()).position(|window| window == second).unwrap_or(rest.len());
    rest.get(..end).unwrap_or_default()
}

/// Held while rules are read: the library's parser keeps its state outside of the engine.
static READING: Mutex<()> = Mutex::new(());

/// libmodsecurity with rules loaded.
///
/// One exchange runs at a time: collections (`initcol`) are the library's own and live as long as this value.
pub struct Oracle {
    engine: NonNull<ffi::Engine>,
    rules: usize,
}

impl Oracle {
    /// Loads rules in the order given. The error names file and line in libmodsecurity's words.
    pub fn load(texts: &[RuleText]) -> Result<Self, String> {
        #[expect(unsafe_code, reason = "the shim is C++")]
        // SAFETY: takes nothing; the pointer is owned by the value made of it and freed in `drop`.
        let engine = unsafe { ffi::oracle_new() };
        let engine = NonNull::new(engine).ok_or("libmodsecurity did not start")?;
        let mut oracle = Self { engine, rules: 0 };
        for text in texts {
            oracle.rules += oracle.add(text)?;
        }
        Ok(oracle)
    }

    /// Rules that were read, chained rules counted each.
    #[must_use]
    pub fn rules(&self) -> usize {
        self.rules
    }

    /// Name and version of the library.
    #[must_use]
    pub fn version(&self) -> String {
        #[expect(unsafe_code, reason = "the shim is C++")]
        // SAFETY: the engine is alive, and its version is a NUL-terminated text that lives as long as the engine.
        let version = unsafe { CStr::from_ptr(ffi::oracle_version(self.engine.as_ptr())) };
        version.to_string_lossy().into_owned()
    }

    /// Runs one exchange and gathers what was found.
    ///
    /// Without `all_phases` a refused request ends as it does in a server: its remaining phases are left out, phase 5
    /// apart. Method, target and protocol go through C strings, so they end at their first NUL.
    pub fn run(&mut self, request: &Request, all_phases: bool) -> Result<Outcome, String> {
        let mut messages: Vec<Message> = Vec::new();
        let context: *mut c_void = ptr::from_mut(&mut messages).cast();
        let decision = self.exchange(request, all_phases, Some(gather), context)?;
        Ok(outcome(messages, &decision))
    }

    /// Runs one exchange and gathers nothing but the decision: for measurements.
    pub fn decide(&mut self, request: &Request) -> Result<Option<(u16, u8)>, String> {
        let decision = self.exchange(request, false, None, ptr::null_mut())?;
        Ok(outcome(Vec::new(), &decision).refused)
    }

    fn add(&mut self, text: &RuleText) -> Result<usize, String> {
        let rules =
            CString::new(text.text.as_str()).map_err(|_| format!("{}: a NUL in the rules", text.name))?;
        let name = CString::new(text.name.as_str()).map_err(|_| "a NUL in the name of a file".to_owned())?;
        let _reading = READING.lock().unwrap_or_else(PoisonError::into_inner);
        #[expect(unsafe_code, reason = "the shim is C++")]
        // SAFETY: the engine is alive and borrowed alone; both texts end in NUL and are not kept.
        let read = unsafe { ffi::oracle_add(self.engine.as_ptr(), rules.as_ptr(), name.as_ptr()) };
        usize::try_from(read).map_err(|_| format!("{}: {}", text.name, self.error()))
    }

    fn error(&self) -> String {
        #[expect(unsafe_code, reason = "the shim is C++")]
        // SAFETY: the engine is alive; its error is a NUL-terminated text, valid until the next call, and copied here.
        let error = unsafe { CStr::from_ptr(ffi::oracle_error(self.engine.as_ptr())) };
        error.to_string_lossy().into_owned()
    }

    fn exchange(
        &mut self,
        request: &Request,
        all_phases: bool,
        sink: Option<ffi::Sink>,
        context: *mut c_void,
    ) -> Result<ffi::Decision, String> {
        let client = c_text(request.client.to_string().as_bytes());
        let method = c_text(&request.method);
        let uri = c_text(&request.uri);
        let version = c_text(version_of(&request.protocol));
        let headers = fields(&request.headers);
        let answer = request.response.as_ref();
        let response_protocol = c_text(answer.map_or(b"", |answer| &answer.protocol));
        let response_headers = answer.map(|answer| fields(&answer.headers)).unwrap_or_default();
        let exchange = ffi::Exchange {
            client: client.as_ptr(),
            uri: uri.as_ptr(),
            method: method.as_ptr(),
            version: version.as_ptr(),
            headers: headers.as_ptr(),
            header_count: headers.len(),
            body: request.body.as_slice().into(),
            has_response: c_int::from(answer.is_some()),
            status: answer.map_or(200, |answer| c_int::from(answer.status)),
            response_protocol: response_protocol.as_ptr(),
            response_headers: response_headers.as_ptr(),
            response_header_count: response_headers.len(),
            response_body: answer.map_or(b"".as_slice(), |answer| &answer.body).into(),
            all_phases: c_int::from(all_phases),
        };
        let mut decision = ffi::Decision::default();
        #[expect(unsafe_code, reason = "the shim is C++")]
        // SAFETY: the engine is alive and borrowed alone; every pointer in `exchange` points into values that live to
        // the end of this function, with the lengths beside them; `context` is what `sink` expects, see `run`.
        let ended = unsafe {
            ffi::oracle_run(self.engine.as_ptr(), &raw const exchange, sink, context, &raw mut decision)
        };
        if ended == 0 { Ok(decision) } else { Err(self.error()) }
    }
}

impl Drop for Oracle {
    fn drop(&mut self) {
        #[expect(unsafe_code, reason = "the shim is C++")]
        // SAFETY: the pointer came from `oracle_new` and is freed here alone.
        unsafe {
            ffi::oracle_free(self.engine.as_ptr());
        }
    }
}

#[expect(unsafe_code, reason = "the library holds no state of the thread that made it")]
// SAFETY: libmodsecurity is used from worker threads by servers; an engine may move between threads as long as one
// thread at a time uses it, which `&mut self` sees to.
unsafe impl Send for Oracle {}

/// Takes one message from the shim; `context` is the list of `run`.
#[expect(unsafe_code, reason = "called by the shim, which is C++")]
unsafe extern "C" fn gather(context: *mut c_void, message: *const ffi::Message) {
    // SAFETY: `run` passes a `Vec<Message>` that nothing else touches during the call, and the shim passes a message
    // that is valid during the call.
    let (messages, found) = unsafe { (&mut *context.cast::<Vec<Message>>(), &*message) };
    let copy = |bytes: ffi::Bytes| -> Vec<u8> {
        if bytes.length == 0 {
            return Vec::new();
        }
        // SAFETY: the shim's bytes are those of a `std::string` that is alive during the call.
        unsafe { std::slice::from_raw_parts(bytes.data, bytes.length) }.to_vec()
    };
    let text = |bytes: ffi::Bytes| String::from_utf8_lossy(&copy(bytes)).into_owned();
    messages.push(Message {
        rule: u64::try_from(found.rule).unwrap_or(0),
        phase: u8::try_from(found.phase).unwrap_or(0),
        severity: u8::try_from(found.severity).unwrap_or(u8::MAX),
        disruptive: found.disruptive != 0,
        matched: copy(found.matched),
        data: copy(found.data),
        message: copy(found.message),
        file: text(found.file),
        line: u32::try_from(found.line).unwrap_or(0),
        log: text(found.log),
    });
}

fn outcome(messages: Vec<Message>, decision: &ffi::Decision) -> Outcome {
    let small = |number: c_int| u8::try_from(number).unwrap_or(0);
    let refused = (decision.disruptive != 0)
        .then(|| (u16::try_from(decision.status).unwrap_or(0), small(decision.phase)));
    Outcome { messages, refused, reached: small(decision.reached) }
}

/// `1.1` of `HTTP/1.1`; libmodsecurity puts `HTTP/` before what it is given.
fn version_of(protocol: &[u8]) -> &[u8] {
    protocol.strip_prefix(b"HTTP/").unwrap_or(protocol)
}

/// The text up to its first NUL, as C wants it.
fn c_text(text: &[u8]) -> CText {
    let end = text.iter().position(|&byte| byte == 0).unwrap_or(text.len());
    let mut bytes = text.get(..end).unwrap_or_default().to_vec();
    bytes.push(0);
    CText(bytes)
}

/// Bytes that end in NUL.
struct CText(Vec<u8>);

impl CText {
    fn as_ptr(&self) -> *const c_char {
        self.0.as_ptr().cast()
    }
}

fn fields(fields: &Fields) -> Vec<ffi::Header> {
    fields
        .iter()
        .map(|(name, value)| ffi::Header { name: name.as_slice().into(), value: value.as_slice().into() })
        .collect()
}

#[cfg(test)]
mod tests {
    use shield::message::Response;

    use super::*;

    fn load(rules: &str) -> Result<Oracle, String> {
        let text = format!("SecRuleEngine On\nSecRequestBodyAccess On\nSecResponseBodyAccess On\n{rules}");
        Oracle::load(&[RuleText { name: "test.conf".to_owned(), text }])
    }

    fn loaded(rules: &str) -> Oracle {
        load(rules).expect("rules")
    }

    #[test]
    fn broken_rules_are_named_by_file_and_line() {
        let error = load("SecNonsense On\n").err().expect("an error");
        assert!(error.contains("test.conf") && error.contains("Line: 4"), "{error}");
    }

    #[test]
    fn a_match_is_reported_with_its_variable_value_and_data() {
        let mut oracle = loaded(
            "SecRule ARGS \"@rx (\\w+)=\" \"id:7,phase:1,pass,log,capture,severity:2,msg:'m %{TX.1}',logdata:'%{MATCHED_VAR}'\"\n",
        );
        assert_eq!(oracle.rules(), 1);
        let outcome = oracle.run(&Request::new("GET", "/?a=x%3D%ff%00y"), false).expect("an outcome");
        let [message] = outcome.messages.as_slice() else { panic!("one message in {outcome:?}") };
        assert_eq!((message.rule, message.phase, message.severity, message.line), (7, 1, 2, 4));
        assert_eq!((message.variable(), message.data.as_slice()), (&b"ARGS:a"[..], &b"x=\xff\0y"[..]));
        assert_eq!((message.message.as_slice(), message.value()), (&b"m x"[..], &b"x=\\xff\\x00y"[..]));
        assert!(outcome.log().contains("[id \"7\"]"), "{}", outcome.log());
        assert_eq!((outcome.refused, outcome.reached), (None, 5));
    }

    #[test]
    fn a_refused_request_ends_or_goes_on_as_asked() {
        let rule = |id: u64, phase: u8, does: &str| {
            format!("SecRule REMOTE_ADDR \"@unconditionalMatch\" \"id:{id},phase:{phase},{does},log\"\n")
        };
        let rules = [
            rule(1, 1, "deny,status:418"),
            rule(2, 2, "pass"),
            rule(3, 3, "deny,status:500"),
            rule(5, 5, "pass"),
        ];
        let mut oracle = loaded(&rules.concat());
        let mut request = Request::new("POST", "/").with_body("x");
        request.response = Some(Response::new(200));
        let short = oracle.run(&request, false).expect("an outcome");
        assert_eq!((short.matched(), short.refused), (vec![1, 5], Some((418, 1))));
        let long = oracle.run(&request, true).expect("an outcome");
        assert_eq!((long.matched(), long.refused), (vec![1, 2, 3, 5], Some((418, 1))));
        assert_eq!(
            long.messages.iter().map(|message| message.disruptive).collect::<Vec<_>>(),
            [true, false, true, false]
        );
        assert_eq!(oracle.decide(&request), Ok(Some((418, 1))));
    }

    #[test]
    fn rules_without_log_report_when_they_are_turned() {
        let hidden = "SecAction \"id:1,phase:1,pass,nolog\"\nSecAction \"id:2,phase:1,pass,noauditlog\"\n";
        let request = Request::new("GET", "/");
        assert_eq!(loaded(hidden).run(&request, false).expect("an outcome").matched(), Vec::<u64>::new());
        let shown = crate::rules::report_all(hidden);
        assert_eq!(loaded(&shown).run(&request, false).expect("an outcome").matched(), [1, 2]);
    }

    #[test]
    fn targets_end_at_nul_and_fields_do_not() {
        let mut oracle = loaded(
            "SecRule REQUEST_URI_RAW|REQUEST_HEADERS \"@unconditionalMatch\" \"id:1,phase:1,pass,log,multiMatch,logdata:'%{MATCHED_VAR}'\"\n",
        );
        let mut request = Request::new("GET", "/a\0b");
        request.headers = vec![(b"X".to_vec(), b"c\0d".to_vec()), (Vec::new(), Vec::new())];
        let outcome = oracle.run(&request, false).expect("an outcome");
        let data: Vec<&[u8]> = outcome.messages.iter().map(|message| message.data.as_slice()).collect();
        assert_eq!(data, [b"/a".as_slice(), b"c\0d", b""]);
    }

    #[test]
    fn a_large_body_passes_and_one_transaction_leaves_nothing_to_the_next() {
        let mut oracle = loaded(
            "SecRule ARGS \"@contains needle\" \"id:1,phase:2,pass,log,setvar:tx.seen=1\"\n\
             SecRule TX:seen \"@eq 1\" \"id:2,phase:5,pass,log\"\n",
        );
        let form = |body: String| {
            Request::new("POST", "/")
                .with_header("Content-Type", "application/x-www-form-urlencoded")
                .with_body(body)
        };
        let large = form(format!("a={}needle", "x".repeat(2 << 20)));
        assert_eq!(oracle.run(&large, false).expect("an outcome").matched(), [1, 2]);
        assert_eq!(oracle.run(&form("a=1".into()), false).expect("an outcome").matched(), Vec::<u64>::new());
    }
}
