//! The frames of HTTP/1.1 as RFC 9112 wants them and nothing beside: what two programs could read in two ways is
//! refused before either reads it (RFC 9112 §11.2, request smuggling).
//!
//! A [`Strict`] stream stands between TLS and the HTTP library. It holds a head back until it has seen all of it, and
//! hands on either the very same bytes or, in their place, a request of its own to [`REFUSED_HOST`] that names the
//! reason and is answered with 400. What is wrong inside a body ends the connection.

use crate::problem::{self, Problem};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Most bytes of a head.
pub const HEAD_BYTES: usize = 64 << 10;
/// Most header lines.
pub const HEADER_LINES: usize = 100;
/// Most bytes of a line with a chunk's size.
const SIZE_DIGITS: u32 = 15;
/// The host of the request that stands for a refused one.
pub const REFUSED_HOST: &str = "refused.obhut.invalid";

/// Why a request is refused before it is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// A line that ends with LF alone, or CR elsewhere, or NUL.
    Line,
    /// The first line is not `METHOD target HTTP/1.x`.
    RequestLine,
    /// A header line that is folded, has space before its colon, or no name.
    HeaderLine,
    /// More header lines or bytes than allowed.
    Size,
    /// No `Host`, several, or another than in the target.
    Host,
    /// Several lengths, one that is no number, or one beside `Transfer-Encoding`.
    Length,
    /// Another transfer coding than one `chunked`.
    Coding,
    /// `CONNECT`, which a gateway has no use for.
    Method,
}

impl Refusal {
    /// A stable code.
    #[must_use]
    pub fn code(self) -> &'static str {
        self.problem().code()
    }

    /// How it is answered.
    pub(crate) fn problem(self) -> Problem {
        match self {
            Self::Line => problem::BAD_LINE_END,
            Self::RequestLine => problem::BAD_REQUEST_LINE,
            Self::HeaderLine => problem::BAD_HEADER_LINE,
            Self::Size => problem::HEAD_TOO_LARGE,
            Self::Host => problem::BAD_HOST,
            Self::Length => problem::BAD_CONTENT_LENGTH,
            Self::Coding => problem::BAD_TRANSFER_ENCODING,
            Self::Method => problem::BAD_METHOD,
        }
    }
}

/// How the body of a request is framed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyFrame {
    /// So many bytes.
    Length(u64),
    /// In chunks.
    Chunked,
}

/// Checks a whole head, from its first byte to the empty line.
///
/// # Errors
/// The first thing that is not as it must be.
pub fn check_head(head: &[u8]) -> Result<BodyFrame, Refusal> {
    let body = head.strip_suffix(b"\r\n\r\n").ok_or(Refusal::Line)?;
    let mut lines = Vec::new();
    let mut rest = body;
    while let Some(at) = memchr::memchr3(b'\r', b'\n', 0, rest) {
        if !rest[at..].starts_with(b"\r\n") {
            return Err(Refusal::Line);
        }
        lines.push(&rest[..at]);
        rest = &rest[at + 2..];
    }
    lines.push(rest);
    if lines.len() > HEADER_LINES + 1 {
        return Err(Refusal::Size);
    }
    let (first, headers) = lines.split_first().ok_or(Refusal::RequestLine)?;
    let (target, is_11) = check_request_line(first)?;
    let mut seen = Seen::default();
    for line in headers {
        let (name, value) = split_header(line)?;
        seen.take(name, value)?;
    }
    seen.conclude(target, is_11)
}

/// What of a head decides on its frame and on its host.
#[derive(Default)]
struct Seen<'a> {
    length: Option<u64>,
    chunked: bool,
    host: Option<&'a [u8]>,
}

impl<'a> Seen<'a> {
    fn take(&mut self, name: &[u8], value: &'a [u8]) -> Result<(), Refusal> {
        if name.eq_ignore_ascii_case(b"content-length") {
            let digits = !value.is_empty() && value.len() <= 18 && value.iter().all(u8::is_ascii_digit);
            let length =
                std::str::from_utf8(value).ok().filter(|_| digits).and_then(|text| text.parse().ok());
            if self.length.replace(length.ok_or(Refusal::Length)?).is_some() {
                return Err(Refusal::Length);
            }
        } else if name.eq_ignore_ascii_case(b"transfer-encoding") {
            if self.chunked || !value.eq_ignore_ascii_case(b"chunked") {
                return Err(Refusal::Coding);
            }
            self.chunked = true;
        } else if name.eq_ignore_ascii_case(b"host") {
            let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b".-:[]_".contains(byte);
            let fits = !value.is_empty() && value.iter().all(plain);
            if self.host.replace(value).is_some() || !fits {
                return Err(Refusal::Host);
            }
        }
        Ok(())
    }

    fn conclude(self, target: &[u8], is_11: bool) -> Result<BodyFrame, Refusal> {
        let host = self.host.ok_or(Refusal::Host)?;
        if !target.starts_with(b"/") && target != b"*" {
            let authority = absolute_authority(target).ok_or(Refusal::RequestLine)?;
            if !authority.eq_ignore_ascii_case(host) {
                return Err(Refusal::Host);
            }
        }
        match (self.length, self.chunked) {
            (Some(_), true) => Err(Refusal::Length),
            (None, true) if !is_11 => Err(Refusal::Coding),
            (None, true) => Ok(BodyFrame::Chunked),
            (length, false) => Ok(BodyFrame::Length(length.unwrap_or(0))),
        }
    }
}

fn absolute_authority(target: &[u8]) -> Option<&[u8]> {
    let rest = target.strip_prefix(b"https://").or_else(|| target.strip_prefix(b"http://"))?;
    let end = rest.iter().position(|byte| b"/?#".contains(byte)).unwrap_or(rest.len());
    Some(&rest[..end])
}

fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

fn check_request_line(line: &[u8]) -> Result<(&[u8], bool), Refusal> {
    let mut parts = line.split(|byte| *byte == b' ');
    let (method, target, version) = (parts.next(), parts.next(), parts.next());
    let (Some(method), Some(target), Some(version), None) = (method, target, version, parts.next()) else {
        return Err(Refusal::RequestLine);
    };
    let named = !method.is_empty() && method.len() <= 20 && method.iter().all(|byte| is_token(*byte));
    let aimed = !target.is_empty() && target.iter().all(|byte| (0x21..0x7f).contains(byte) && *byte != b'#');
    if !named || !aimed {
        return Err(Refusal::RequestLine);
    }
    if method == b"CONNECT" {
        return Err(Refusal::Method);
    }
    match version {
        b"HTTP/1.1" => Ok((target, true)),
        b"HTTP/1.0" => Ok((target, false)),
        _ => Err(Refusal::RequestLine),
    }
}

fn split_header(line: &[u8]) -> Result<(&[u8], &[u8]), Refusal> {
    let at = memchr::memchr(b':', line).ok_or(Refusal::HeaderLine)?;
    let name = &line[..at];
    if name.is_empty() || !name.iter().all(|byte| is_token(*byte)) {
        return Err(Refusal::HeaderLine);
    }
    let value = line[at + 1..].trim_ascii();
    let printable = |byte: &u8| *byte == b'\t' || (*byte >= 0x20 && *byte != 0x7f);
    if value.iter().all(printable) { Ok((name, value)) } else { Err(Refusal::HeaderLine) }
}

/// Where a connection stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Head,
    Body(u64),
    Chunk(Chunk),
    /// Refused: nothing more is read.
    Over,
    /// Upgraded: bytes of another protocol.
    Opaque,
}

/// Where a chunked body stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Chunk {
    /// So far this size, of so many digits.
    Size(u64, u32),
    SizeLf(u64),
    Data(u64),
    DataCr,
    DataLf,
    /// The end of a body without trailers.
    LastCr,
    LastLf,
}

impl Chunk {
    /// One byte on; `None` where the byte must not stand.
    fn next(self, byte: u8) -> Option<Option<Self>> {
        Some(Some(match (self, byte) {
            (Self::Size(size, digits), _) if byte.is_ascii_hexdigit() && digits < SIZE_DIGITS => {
                let digit = (byte as char).to_digit(16)?;
                Self::Size(size * 16 + u64::from(digit), digits + 1)
            }
            (Self::Size(size, 1..), b'\r') => Self::SizeLf(size),
            (Self::SizeLf(0), b'\n') => Self::LastCr,
            (Self::SizeLf(size), b'\n') => Self::Data(size),
            (Self::Data(1), _) => Self::DataCr,
            (Self::Data(left), _) => Self::Data(left - 1),
            (Self::DataCr, b'\r') => Self::DataLf,
            (Self::DataLf, b'\n') => Self::Size(0, 0),
            (Self::LastCr, b'\r') => Self::LastLf,
            (Self::LastLf, b'\n') => return Some(None),
            _ => return None,
        }))
    }
}

/// Watches the frames of one connection.
pub(crate) struct Frames {
    state: State,
    /// The head so far.
    held: Vec<u8>,
    /// How far the held head was searched for its end.
    searched: usize,
}

impl Frames {
    pub(crate) fn new() -> Self {
        Self { state: State::Head, held: Vec::new(), searched: 0 }
    }

    /// Takes what was read and appends to `out` what may be handed on.
    pub(crate) fn take(&mut self, mut read: &[u8], out: &mut Vec<u8>) -> io::Result<()> {
        while !read.is_empty() {
            match self.state {
                State::Over => return Ok(()),
                State::Opaque => {
                    out.extend_from_slice(read);
                    return Ok(());
                }
                State::Head => read = self.head(read, out),
                State::Body(left) => {
                    let taken = usize::try_from(left).unwrap_or(usize::MAX).min(read.len());
                    out.extend_from_slice(&read[..taken]);
                    read = &read[taken..];
                    let left = left - taken as u64;
                    self.state = if left == 0 { State::Head } else { State::Body(left) };
                }
                State::Chunk(chunk) => read = self.chunk(chunk, read, out)?,
            }
        }
        Ok(())
    }

    fn head<'a>(&mut self, read: &'a [u8], out: &mut Vec<u8>) -> &'a [u8] {
        let before = self.held.len();
        self.held.extend_from_slice(read);
        let from = self.searched.saturating_sub(3);
        self.searched = self.held.len();
        let Some(at) = memchr::memmem::find(&self.held[from..], b"\r\n\r\n") else {
            // A head whose lines end with LF alone would be waited for in vain.
            let wrong = if memchr::memmem::find(&self.held[from..], b"\n\n").is_some() {
                Some(Refusal::Line)
            } else {
                (self.held.len() > HEAD_BYTES).then_some(Refusal::Size)
            };
            if let Some(refusal) = wrong {
                self.refuse(refusal, out);
            }
            return &[];
        };
        let end = from + at + 4;
        if end > HEAD_BYTES {
            self.refuse(Refusal::Size, out);
            return &[];
        }
        match check_head(&self.held[..end]) {
            Ok(frame) => {
                out.extend_from_slice(&self.held[..end]);
                self.state = match frame {
                    BodyFrame::Length(0) => State::Head,
                    BodyFrame::Length(length) => State::Body(length),
                    BodyFrame::Chunked => State::Chunk(Chunk::Size(0, 0)),
                };
            }
            Err(refusal) => {
                self.refuse(refusal, out);
                return &[];
            }
        }
        self.held.clear();
        self.searched = 0;
        &read[end - before..]
    }

    fn chunk<'a>(&mut self, mut chunk: Chunk, read: &'a [u8], out: &mut Vec<u8>) -> io::Result<&'a [u8]> {
        let mut at = 0;
        while at < read.len() {
            if let Chunk::Data(left) = chunk {
                let skip = usize::try_from(left - 1).unwrap_or(usize::MAX).min(read.len() - at);
                at += skip;
                chunk = Chunk::Data(left - skip as u64);
                if at == read.len() {
                    break;
                }
            }
            let next = chunk.next(read[at]).ok_or(io::ErrorKind::InvalidData)?;
            at += 1;
            match next {
                Some(next) => chunk = next,
                None => {
                    self.state = State::Head;
                    out.extend_from_slice(&read[..at]);
                    return Ok(&read[at..]);
                }
            }
        }
        self.state = State::Chunk(chunk);
        out.extend_from_slice(read);
        Ok(&[])
    }

    fn refuse(&mut self, refusal: Refusal, out: &mut Vec<u8>) {
        self.state = State::Over;
        self.held = Vec::new();
        let request =
            format!("GET /{} HTTP/1.1\r\nhost: {REFUSED_HOST}\r\nconnection: close\r\n\r\n", refusal.code());
        out.extend_from_slice(request.as_bytes());
    }
}

/// Told by the service when a connection becomes one of another protocol.
#[derive(Clone, Default)]
pub(crate) struct Upgraded(std::sync::Arc<std::sync::atomic::AtomicBool>);

impl Upgraded {
    pub(crate) fn set(&self) {
        self.0.store(true, std::sync::atomic::Ordering::Release);
    }

    fn get(&self) -> bool {
        self.0.load(std::sync::atomic::Ordering::Acquire)
    }
}

/// A stream whose requests are framed strictly.
pub(crate) struct Strict<S> {
    inner: S,
    frames: Frames,
    upgraded: Upgraded,
    buffer: Box<[u8]>,
    ready: Vec<u8>,
    given: usize,
}

impl<S> Strict<S> {
    pub(crate) fn new(inner: S, upgraded: Upgraded) -> Self {
        let buffer = vec![0; 16 << 10].into_boxed_slice();
        Self { inner, frames: Frames::new(), upgraded, buffer, ready: Vec::new(), given: 0 }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Strict<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        loop {
            if this.given < this.ready.len() {
                let taken = into.remaining().min(this.ready.len() - this.given);
                into.put_slice(&this.ready[this.given..this.given + taken]);
                this.given += taken;
                if this.given == this.ready.len() {
                    this.ready.clear();
                    this.given = 0;
                }
                return Poll::Ready(Ok(()));
            }
            if this.frames.state == State::Over {
                // Not an end: a library that sees one gives the answer up. It closes by itself once that is sent.
                return Poll::Pending;
            }
            let mut read = ReadBuf::new(&mut this.buffer);
            ready!(Pin::new(&mut this.inner).poll_read(cx, &mut read))?;
            if read.filled().is_empty() {
                return Poll::Ready(Ok(()));
            }
            if this.upgraded.get() && this.frames.state == State::Head && this.frames.held.is_empty() {
                this.frames.state = State::Opaque;
            }
            this.frames.take(read.filled(), &mut this.ready)?;
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Strict<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, from: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().inner).poll_write(cx, from)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        from: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().inner).poll_write_vectored(cx, from)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn pass(bytes: &[u8], pieces: usize) -> io::Result<Vec<u8>> {
        let (mut frames, mut out) = (Frames::new(), Vec::new());
        for piece in bytes.chunks(pieces) {
            frames.take(piece, &mut out)?;
        }
        Ok(out)
    }

    fn refused(head: &str) -> Option<Refusal> {
        check_head(head.as_bytes()).err()
    }

    const GOOD: &str = "POST /a?b=c HTTP/1.1\r\nHost: a.example\r\nContent-Length: 5\r\n\r\nhello";
    const CHUNKED: &str = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0a\r\n0123456789\r\n0\r\n\r\n";

    #[test]
    fn what_is_well_framed_passes_unchanged_however_it_is_cut() {
        let both = [GOOD, CHUNKED, GOOD].concat();
        for pieces in [1, 2, 3, 7, 64, both.len()] {
            assert_eq!(pass(both.as_bytes(), pieces).expect("framed"), both.as_bytes());
        }
    }

    #[test]
    fn what_two_programs_could_read_in_two_ways_is_refused() {
        let with = |lines: &str| format!("POST / HTTP/1.1\r\nHost: a\r\n{lines}\r\n\r\n");
        for (lines, why) in [
            ("Content-Length: 5\r\nTransfer-Encoding: chunked", Refusal::Length),
            ("Transfer-Encoding: chunked\r\nContent-Length: 5", Refusal::Length),
            ("Content-Length: 5\r\nContent-Length: 5", Refusal::Length),
            ("Content-Length: 5, 5", Refusal::Length),
            ("Content-Length: +5", Refusal::Length),
            ("Content-Length: 0x5", Refusal::Length),
            ("Content-Length:", Refusal::Length),
            ("Content-Length: 99999999999999999999", Refusal::Length),
            ("Transfer-Encoding: gzip, chunked", Refusal::Coding),
            ("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity", Refusal::Coding),
            ("Transfer-Encoding: xchunked", Refusal::Coding),
            ("Transfer-Encoding: \"chunked\"", Refusal::Coding),
            ("Transfer-Encoding : chunked", Refusal::HeaderLine),
            (" Transfer-Encoding: chunked", Refusal::HeaderLine),
            ("X: a\r\n b: c", Refusal::HeaderLine),
            ("X: a\r\n\tb", Refusal::HeaderLine),
            ("nocolon", Refusal::HeaderLine),
            (": empty", Refusal::HeaderLine),
            ("X: a\nY: b", Refusal::Line),
            ("X: a\rY: b", Refusal::Line),
            ("X: a\0b", Refusal::Line),
            ("X: a\x0bb", Refusal::HeaderLine),
            ("Host: b", Refusal::Host),
        ] {
            assert_eq!(refused(&with(lines)), Some(why), "{lines:?}");
        }
        for (head, why) in [
            ("GET / HTTP/1.1\r\n\r\n", Refusal::Host),
            ("GET / HTTP/1.1\r\nHost: a b\r\n\r\n", Refusal::Host),
            ("GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", Refusal::Host),
            ("GET https://b/ HTTP/1.1\r\nHost: a\r\n\r\n", Refusal::Host),
            ("GET https://b@a/ HTTP/1.1\r\nHost: a\r\n\r\n", Refusal::Host),
            ("GET  / HTTP/1.1\r\nHost: a\r\n\r\n", Refusal::RequestLine),
            ("GET /\tHTTP/1.1\r\nHost: a\r\n\r\n", Refusal::RequestLine),
            ("GET / HTTP/1.1 \r\nHost: a\r\n\r\n", Refusal::RequestLine),
            ("GET / HTTP/2.0\r\nHost: a\r\n\r\n", Refusal::RequestLine),
            ("GET /#f HTTP/1.1\r\nHost: a\r\n\r\n", Refusal::RequestLine),
            ("GET /ü HTTP/1.1\r\nHost: a\r\n\r\n", Refusal::RequestLine),
            ("G(T / HTTP/1.1\r\nHost: a\r\n\r\n", Refusal::RequestLine),
            ("CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n", Refusal::Method),
            ("POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", Refusal::Coding),
            ("\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", Refusal::RequestLine),
        ] {
            assert_eq!(refused(head), Some(why), "{head:?}");
        }
        assert_eq!(refused(&with("Content-Length: 5")), None);
        assert_eq!(refused("GET https://a/x HTTP/1.1\r\nHost: A\r\n\r\n"), None);
    }

    #[test]
    fn a_bad_chunk_ends_the_connection() {
        let head = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
        for chunks in [
            "5;ext=1\r\nhello\r\n0\r\n\r\n",
            "5 \r\nhello\r\n0\r\n\r\n",
            "5\nhello\r\n0\r\n\r\n",
            "0x5\r\nhello\r\n0\r\n\r\n",
            "-1\r\n",
            "\r\nhello",
            "5\r\nhelloX\r\n",
            "5\r\nhello\n0\r\n\r\n",
            "0\r\nTrailer: x\r\n\r\n",
            "ffffffffffffffff\r\n",
        ] {
            assert!(pass([head, chunks].concat().as_bytes(), 1_000).is_err(), "{chunks:?}");
        }
    }

    #[test]
    fn a_refused_head_becomes_one_request_of_ours_and_nothing_follows() {
        let sent = ["GET / HTTP/1.1\nHost: a\n\n", GOOD].concat();
        let out = String::from_utf8(pass(sent.as_bytes(), 5).expect("no fault")).expect("text");
        assert!(out.starts_with("GET /bad_line_end HTTP/1.1\r\nhost: refused.obhut.invalid\r\n"), "{out}");
        assert_eq!(out.matches("HTTP/1.1").count(), 1);
        let endless = format!("GET / HTTP/1.1\r\nHost: a\r\nX: {}", "y".repeat(HEAD_BYTES));
        let out = String::from_utf8(pass(endless.as_bytes(), 999).expect("no fault")).expect("text");
        assert!(out.starts_with("GET /head_too_large "));
    }

    proptest! {
        #[test]
        fn cutting_changes_nothing(bytes in proptest::collection::vec(any::<u8>(), 0..200), at in 1_usize..40) {
            let whole = [CHUNKED.as_bytes(), &bytes].concat();
            let (one, other) = (pass(&whole, whole.len()), pass(&whole, at));
            prop_assert_eq!(one.map_err(|error| error.kind()), other.map_err(|error| error.kind()));
        }
    }
}
