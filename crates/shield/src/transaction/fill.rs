//! From a request and its answer to the variables that rules look at.

use super::closely::unquoted;
use super::tx::write_number;
use super::values::EMPTY;
use super::{Entry, Head, Refusal, Transaction};
use crate::Pairs;
use crate::body::{BodyError, Escapes, Flags, Parsed, Processor, charset, query};
use crate::request::{cookies, target};
use crate::seclang::Variable;
use time::OffsetDateTime;

impl Transaction {
    /// Sets a variable that has one value.
    fn set(&mut self, variable: Variable, value: &[u8]) {
        let value = self.values.intern(value);
        let entries = &mut self.entries[variable as usize];
        entries.clear();
        entries.push(Entry { name: EMPTY, value });
    }

    fn set_number(&mut self, variable: Variable, number: u64) {
        let mut text = std::mem::take(&mut self.text);
        text.clear();
        write_number(&mut text, i64::try_from(number).unwrap_or(i64::MAX));
        self.set(variable, &text);
        self.text = text;
    }

    fn flag(&mut self, variable: Variable, on: bool) {
        self.set(variable, if on { b"1" } else { b"0" });
    }

    /// Adds a member and, under the second variable, its name.
    fn add(&mut self, variable: Variable, names: Variable, name: &[u8], value: &[u8]) {
        let entry = Entry { name: self.values.intern(name), value: self.values.intern(value) };
        self.entries[variable as usize].push(entry);
        self.entries[names as usize].push(Entry { name: entry.name, value: entry.name });
    }

    /// Whether any rule looks at a variable or puts it into a text.
    fn is_used(&self, variable: Variable) -> bool {
        self.engine.used[variable as usize]
    }

    pub(super) fn fill_connection(&mut self) {
        // A variable that is not a collection always has a value, if an empty one: `!@endsWith` of a missing name holds.
        for variable in Variable::ALL.iter().filter(|variable| !variable.is_collection()) {
            self.entries[*variable as usize].push(Entry { name: EMPTY, value: EMPTY });
        }
        let (client, server) = (self.context.client.to_string(), self.context.server.to_string());
        self.set(Variable::RemoteAddr, client.as_bytes());
        self.set(Variable::RemoteHost, client.as_bytes());
        self.set(Variable::ServerAddr, server.as_bytes());
        self.set_number(Variable::RemotePort, self.context.client_port.into());
        self.set_number(Variable::ServerPort, self.context.server_port.into());
        let id = std::mem::take(&mut self.context.id);
        self.set(Variable::UniqueId, id.as_bytes());
        self.context.id = id;
        self.set(Variable::WebAppId, b"default");
        self.fill_time();
        for variable in [
            Variable::InboundDataError,
            Variable::OutboundDataError,
            Variable::ReqbodyError,
            Variable::ReqbodyProcessorError,
        ] {
            self.flag(variable, false);
        }
    }

    fn fill_time(&mut self) {
        let Ok(now) = OffsetDateTime::from_unix_timestamp(i64::try_from(self.context.now).unwrap_or(0))
        else {
            return;
        };
        self.set_number(Variable::TimeEpoch, self.context.now);
        if self.is_used(Variable::Time) {
            let text = format!("{:02}:{:02}:{:02}", now.hour(), now.minute(), now.second());
            self.set(Variable::Time, text.as_bytes());
        }
        for (variable, number) in [
            (Variable::TimeDay, u64::from(now.day())),
            (Variable::TimeHour, u64::from(now.hour())),
            (Variable::TimeMin, u64::from(now.minute())),
            (Variable::TimeMon, u64::from(u8::from(now.month()))),
            (Variable::TimeSec, u64::from(now.second())),
            (Variable::TimeWday, u64::from(now.weekday().number_days_from_sunday())),
            (Variable::TimeYear, u64::try_from(now.year()).unwrap_or(0)),
        ] {
            if self.is_used(variable) {
                self.set_number(variable, number);
            }
        }
    }

    pub(super) fn fill_head(&mut self, head: &Head<'_>) -> Result<(), Refusal> {
        let limits = self.engine.settings.limits;
        if head.headers.len() > limits.headers {
            return Err(Refusal::TooMuch);
        }
        self.set(Variable::RequestMethod, head.method);
        self.set(Variable::RequestProtocol, head.protocol);
        let line = [head.method, b" ", head.target, b" ", head.protocol].concat();
        self.set(Variable::RequestLine, &line);
        self.set(Variable::RequestUriRaw, head.target);
        let parts = target(head.target);
        self.set(Variable::RequestUri, &parts.uri);
        self.set(Variable::RequestFilename, parts.filename());
        self.set(Variable::PathInfo, parts.filename());
        if !parts.basename().is_empty() {
            self.set(Variable::RequestBasename, parts.basename());
        }
        let mut arguments = Pairs::default();
        let mut escapes = Escapes::default();
        if let Some(text) = parts.query {
            self.set(Variable::QueryString, text);
            escapes = query(text, &limits, &mut arguments).map_err(|_| Refusal::TooMuch)?;
        }
        self.flag(Variable::UrlencodedError, escapes != Escapes::default());
        self.add_arguments(&arguments, Variable::ArgsGet, Variable::ArgsGetNames);
        self.set_number(Variable::ArgsCombinedSize, arguments.size() as u64);
        self.fill_headers(head)
    }

    pub(super) fn add_arguments(&mut self, arguments: &Pairs, variable: Variable, names: Variable) {
        for (name, value) in arguments.iter() {
            let entry = Entry { name: self.values.intern(name), value: self.values.intern(value) };
            let named = Entry { name: entry.name, value: entry.name };
            for (variable, entry) in
                [(variable, entry), (Variable::Args, entry), (names, named), (Variable::ArgsNames, named)]
            {
                self.entries[variable as usize].push(entry);
            }
        }
    }

    fn fill_headers(&mut self, head: &Head<'_>) -> Result<(), Refusal> {
        let limits = self.engine.settings.limits;
        let mut jar = Pairs::default();
        let mut typed = false;
        for &(name, value) in head.headers {
            self.add(Variable::RequestHeaders, Variable::RequestHeadersNames, name, value);
            if name.eq_ignore_ascii_case(b"cookie") {
                cookies(value, &limits, &mut jar).map_err(|_| Refusal::TooMuch)?;
            } else if name.eq_ignore_ascii_case(b"host") {
                // An address of version 6 stands in brackets, which its colons lie within.
                let from = value.iter().rposition(|&byte| byte == b']').unwrap_or(0);
                let end =
                    value[from..].iter().position(|&byte| byte == b':').map_or(value.len(), |at| from + at);
                self.set(Variable::ServerName, &value[..end]);
            } else if name.eq_ignore_ascii_case(b"authorization") {
                let mut words = value.splitn(2, |&byte| byte == b' ');
                let kind = words.next().unwrap_or_default();
                self.set(Variable::AuthType, kind);
                // RFC 7617: user and password, of which the user alone is kept.
                if kind.eq_ignore_ascii_case(b"basic")
                    && let Ok(pair) =
                        data_encoding::BASE64.decode(words.next().unwrap_or_default().trim_ascii())
                {
                    self.set(
                        Variable::RemoteUser,
                        pair.split(|&byte| byte == b':').next().unwrap_or_default(),
                    );
                }
            } else if name.eq_ignore_ascii_case(b"content-type") {
                if std::mem::replace(&mut typed, true) && self.mode == crate::seclang::Mode::On {
                    // Two types: each reader takes another.
                    return Err(Refusal::Ambiguous);
                }
                self.body.processor = Processor::of(value).or(self.body.processor);
            }
        }
        for (name, value) in jar.iter() {
            self.add(Variable::RequestCookies, Variable::RequestCookiesNames, name, value);
            if self.body.closely
                && let Some(value) = unquoted(value, &limits)
            {
                self.add(Variable::RequestCookies, Variable::RequestCookiesNames, name, &value);
            }
        }
        self.set_processor_name();
        Ok(())
    }

    pub(super) fn set_processor_name(&mut self) {
        if let Some(processor) = self.body.processor {
            self.set(Variable::ReqbodyProcessor, processor.name().as_bytes());
        } else {
            self.set(Variable::ReqbodyProcessor, b"");
        }
    }

    /// The body, where bodies are read.
    pub(super) fn fill_body(&mut self, body: &[u8], whole: bool) -> Result<(), Refusal> {
        self.flag(Variable::InboundDataError, !whole);
        self.set_number(Variable::RequestBodyLength, body.len() as u64);
        if !self.body.access {
            return Ok(());
        }
        let limits = self.engine.settings.limits;
        let content_type = self.header(b"content-type").to_vec();
        let mut parsed = match self.body.processor {
            Some(processor) if !body.is_empty() => processor.parse(body, &content_type, &limits),
            _ => Parsed::default(),
        };
        let error = parsed.error;
        if error.is_some_and(BodyError::is_limit) {
            return Err(Refusal::TooMuch);
        }
        // A multipart body that was cut has no end, and its parts can be looked at. Half a document of JSON or XML cannot be
        // told from a broken one, which different readers would read differently.
        let error = match error {
            Some(BodyError::FinalBoundaryMissing) if !whole => None,
            Some(_) if !whole => return Err(Refusal::BodyTooLarge),
            error => error,
        };
        if !body.is_empty() && !self.body.decoded && self.is_encoded() {
            return Err(Refusal::Encoded);
        }
        self.body.doubtful = error.is_some() || is_doubtful(&parsed.multipart);
        let raw = !matches!(self.body.processor, Some(Processor::Multipart | Processor::Xml))
            || self.body.force
            || parsed.error.is_some();
        if raw && !body.is_empty() && self.is_used(Variable::RequestBody) {
            self.set(Variable::RequestBody, body);
        }
        if self.body.closely {
            // What is unusual and no more is no error, and neither is the end that a cut body lacks.
            let flags = &mut parsed.multipart;
            flags.strict_error = error.is_some() || Flags { boundary_quoted: false, ..*flags }.is_strict();
        }
        self.add_arguments(&parsed.args, Variable::ArgsPost, Variable::ArgsPostNames);
        if self.body.closely {
            self.fill_other_readings(body, &content_type)?;
        }
        let size = parsed.args.size() as u64 + self.number_of(Variable::ArgsCombinedSize);
        self.set_number(Variable::ArgsCombinedSize, size);
        if parsed.escapes != Escapes::default() {
            self.flag(Variable::UrlencodedError, true);
        }
        self.flag(Variable::ReqbodyError, error.is_some());
        self.flag(Variable::ReqbodyProcessorError, error.is_some());
        if let (Some(error), Some(processor)) = (error, self.body.processor) {
            let message = format!("{} parsing error: {error}", processor.name());
            self.set(Variable::ReqbodyErrorMsg, message.as_bytes());
            self.set(Variable::ReqbodyProcessorErrorMsg, message.as_bytes());
        }
        self.fill_files(&parsed);
        self.fill_xml(&parsed);
        self.fill_full_request(body);
        self.body.foreign = self.is_foreign(body, &content_type);
        Ok(())
    }

    /// Whether the body is said to be in a character set in which ASCII is something else: by its type, or by the field in
    /// which forms say so, wherever that stands.
    fn is_foreign(&self, body: &[u8], content_type: &[u8]) -> bool {
        let says_so = |entry: &Entry| {
            self.values.get(entry.name).eq_ignore_ascii_case(charset::FIELD)
                && !charset::is_plain(self.values.get(entry.value))
        };
        !body.is_empty() && charset::names_other(content_type)
            || self.entries[Variable::Args as usize].iter().any(says_so)
    }

    /// Whether the body is compressed: nobody here can look into it, and many apps unpack it.
    fn is_encoded(&self) -> bool {
        let mut headers = self.entries[Variable::RequestHeaders as usize].iter();
        headers.any(|entry| {
            let value = self.values.get(entry.value).trim_ascii();
            self.values.get(entry.name).eq_ignore_ascii_case(b"content-encoding")
                && !value.is_empty()
                && !value.eq_ignore_ascii_case(b"identity")
        })
    }

    fn header(&self, name: &[u8]) -> &[u8] {
        let mut headers = self.entries[Variable::RequestHeaders as usize].iter();
        let found = headers.find(|entry| self.values.get(entry.name).eq_ignore_ascii_case(name));
        found.map_or(b"", |entry| self.values.get(entry.value))
    }

    fn number_of(&self, variable: Variable) -> u64 {
        u64::try_from(crate::operator::number(self.first(variable))).unwrap_or(0)
    }

    fn fill_files(&mut self, parsed: &Parsed) {
        self.set_number(Variable::FilesCombinedSize, parsed.files_size());
        for file in &parsed.files {
            self.add(Variable::Files, Variable::FilesNames, &file.field, &file.filename);
            let (name, value) = (self.values.intern(&file.field), self.values.intern(&file.filename));
            self.entries[Variable::MultipartFilename as usize].push(Entry { name: value, value });
            self.text.clear();
            write_number(&mut self.text, i64::try_from(file.size).unwrap_or(i64::MAX));
            let text = std::mem::take(&mut self.text);
            let size = self.values.intern(&text);
            self.text = text;
            self.entries[Variable::FilesSizes as usize].push(Entry { name, value: size });
        }
        for (part, line) in parsed.part_headers.iter() {
            let entry = Entry { name: self.values.intern(part), value: self.values.intern(line) };
            self.entries[Variable::MultipartPartHeaders as usize].push(entry);
        }
        if self.body.processor == Some(Processor::Multipart) {
            for (name, _) in parsed.args.iter() {
                let name = self.values.intern(name);
                self.entries[Variable::MultipartName as usize].push(Entry { name, value: name });
            }
            for at in 0..self.entries[Variable::FilesNames as usize].len() {
                let entry = self.entries[Variable::FilesNames as usize][at];
                self.entries[Variable::MultipartName as usize].push(entry);
            }
            self.fill_multipart_flags(parsed);
        }
    }

    fn fill_multipart_flags(&mut self, parsed: &Parsed) {
        let flags = &parsed.multipart;
        for (variable, on) in [
            (Variable::MultipartBoundaryQuoted, flags.boundary_quoted),
            (Variable::MultipartBoundaryWhitespace, flags.boundary_whitespace),
            (Variable::MultipartDataBefore, flags.data_before),
            (Variable::MultipartDataAfter, flags.data_after),
            (Variable::MultipartHeaderFolding, flags.header_folding),
            (Variable::MultipartInvalidHeaderFolding, flags.invalid_header_folding),
            (Variable::MultipartInvalidPart, flags.invalid_part),
            (Variable::MultipartInvalidQuoting, flags.invalid_quoting),
            (Variable::MultipartLfLine, flags.lf_line),
            (Variable::MultipartCrlfLfLines, flags.crlf_lf_lines),
            (Variable::MultipartMissingSemicolon, flags.missing_semicolon),
            (Variable::MultipartFileLimitExceeded, flags.file_limit_exceeded),
            (Variable::MultipartUnmatchedBoundary, flags.unmatched_boundary),
            (Variable::MultipartStrictError, flags.strict_error),
        ] {
            self.flag(variable, on);
        }
    }

    fn fill_xml(&mut self, parsed: &Parsed) {
        let Some(xml) = &parsed.xml else { return };
        let (text, attributes) = (self.values.intern(b"text"), self.values.intern(b"attributes"));
        let value = self.values.intern(&xml.text);
        self.entries[Variable::Xml as usize].push(Entry { name: text, value });
        // Each element's text by itself, too: a word in front of an attack would hide it from rules that look at beginnings.
        if xml.pieces.len() > 1 {
            for piece in &xml.pieces {
                let value = self.values.intern(xml.text.get(piece.clone()).unwrap_or_default());
                self.entries[Variable::Xml as usize].push(Entry { name: text, value });
            }
        }
        for (_, value) in xml.attributes.iter() {
            let value = self.values.intern(value);
            self.entries[Variable::Xml as usize].push(Entry { name: attributes, value });
        }
    }

    fn fill_full_request(&mut self, body: &[u8]) {
        if !self.is_used(Variable::FullRequest) && !self.is_used(Variable::FullRequestLength) {
            return;
        }
        let mut full = Vec::new();
        for entry in &self.entries[Variable::RequestHeaders as usize] {
            full.extend_from_slice(self.values.get(entry.name));
            full.extend_from_slice(b": ");
            full.extend_from_slice(self.values.get(entry.value));
            full.push(b'\n');
        }
        full.extend_from_slice(b"\n\n");
        full.extend_from_slice(body);
        self.set_number(Variable::FullRequestLength, full.len() as u64);
        self.set(Variable::FullRequest, &full);
    }

    pub(super) fn fill_answer(&mut self, status: u16, protocol: &[u8], headers: &[(&[u8], &[u8])]) {
        self.set_number(Variable::ResponseStatus, status.into());
        self.set(Variable::ResponseProtocol, protocol);
        let line = [protocol, b" ", status.to_string().as_bytes()].concat();
        self.set(Variable::StatusLine, &line);
        // All of them, however many: the app's are what it is.
        for &(name, value) in headers {
            self.add(Variable::ResponseHeaders, Variable::ResponseHeadersNames, name, value);
            if name.eq_ignore_ascii_case(b"content-type") {
                let media = value.split(|&byte| byte == b';').next().unwrap_or_default();
                self.set(Variable::ResponseContentType, media.trim_ascii());
            } else if name.eq_ignore_ascii_case(b"content-length") {
                self.set(Variable::ResponseContentLength, value);
            }
        }
    }

    pub(super) fn fill_window(&mut self, window: &[u8], last: bool) {
        self.flag(Variable::OutboundDataError, !last);
        self.set(Variable::ResponseBody, window);
        if self.first(Variable::ResponseContentLength).is_empty() && last {
            self.set_number(Variable::ResponseContentLength, window.len() as u64);
        }
    }
}

/// Whether readers of a multipart body may see other parts than were seen here. A quoted boundary is unusual and no more:
/// clients of some languages send it.
fn is_doubtful(flags: &Flags) -> bool {
    let Flags { boundary_quoted: _, strict_error: _, .. } = flags;
    flags.strict_error && Flags { boundary_quoted: false, strict_error: false, ..*flags } != Flags::default()
        || flags.unmatched_boundary
}
