//! How much is parsed out of one request, and why parsing ends.

/// What is read out of one request at most, in counts and bytes. Whatever is above ends the parsing with an error; that the
/// request is then refused is the engine's part.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Arguments of a query, and of a body; also attributes of an XML document.
    pub arguments: usize,
    /// Bytes of the names and values of a query's arguments together, and of a body's; also the text of an XML document.
    pub argument_bytes: usize,
    /// How deep the values of a JSON document and the elements of an XML document may lie in one another.
    pub depth: usize,
    /// Parts of a multipart body.
    pub parts: usize,
    /// Header lines of one part.
    pub part_headers: usize,
    /// Bytes of one header of a part, its continuation lines included.
    pub part_header_bytes: usize,
    /// Header lines of a request.
    pub headers: usize,
    /// Cookies of a request.
    pub cookies: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            arguments: 1000,
            argument_bytes: 1 << 20,
            depth: 64,
            parts: 256,
            part_headers: 16,
            part_header_bytes: 4096,
            headers: 128,
            cookies: 256,
        }
    }
}

/// Why a query, a cookie header or a body was not parsed to its end. What was found before stays.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BodyError {
    /// [`Limits::arguments`].
    #[error("too many arguments")]
    TooManyArguments,
    /// [`Limits::argument_bytes`].
    #[error("too many bytes of arguments")]
    TooManyBytes,
    /// [`Limits::depth`].
    #[error("nested too deeply")]
    TooDeep,
    /// [`Limits::parts`].
    #[error("too many parts")]
    TooManyParts,
    /// [`Limits::part_headers`].
    #[error("too many headers in a part")]
    TooManyPartHeaders,
    /// [`Limits::part_header_bytes`].
    #[error("a header of a part is too long")]
    PartHeaderTooLong,
    /// [`Limits::cookies`].
    #[error("too many cookies")]
    TooManyCookies,
    /// The text is not what its encoding says: no UTF-8, or half a character of UTF-16.
    #[error("the encoding is invalid")]
    InvalidEncoding,
    /// An encoding that is not read, or two that contradict each other.
    #[error("the encoding is not supported")]
    UnsupportedEncoding,
    /// No JSON (RFC 8259).
    #[error("the JSON is malformed")]
    Json,
    /// Something follows the JSON document.
    #[error("something follows the JSON document")]
    AfterJson,
    /// No well-formed XML.
    #[error("the XML is malformed")]
    Xml,
    /// A document type declaration: where external entities and their like begin.
    #[error("the XML declares a document type")]
    DocumentType,
    /// A reference to an entity that XML does not define itself.
    #[error("the XML refers to an unknown entity")]
    UnknownEntity,
    /// A `Content-Type` from which different readers would take different boundaries, or none.
    #[error("the boundary parameter is missing or ambiguous")]
    BoundaryParameter,
    /// A line that begins like a boundary and goes on as none does, or comes where none may.
    #[error("a boundary is malformed")]
    Boundary,
    /// A multipart body without a boundary.
    #[error("no boundary was found")]
    NoBoundary,
    /// A multipart body that just ends.
    #[error("the final boundary is missing")]
    FinalBoundaryMissing,
    /// A header of a part that is none, has bytes that none may have, or comes twice.
    #[error("a header of a part is malformed")]
    PartHeader,
    /// A part whose `Content-Disposition` is missing or not to be understood in one way alone.
    #[error("the Content-Disposition of a part is missing or malformed")]
    Disposition,
}

impl BodyError {
    /// Whether a limit was exceeded; all else is malformed.
    #[must_use]
    pub const fn is_limit(self) -> bool {
        matches!(
            self,
            Self::TooManyArguments
                | Self::TooManyBytes
                | Self::TooDeep
                | Self::TooManyParts
                | Self::TooManyPartHeaders
                | Self::PartHeaderTooLong
                | Self::TooManyCookies
        )
    }
}
