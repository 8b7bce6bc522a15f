//! Variables: what a rule looks at.

use super::fault::Reason;

macro_rules! variables {
    ($($(#[$doc:meta])* $name:ident = $text:literal $kind:ident,)*) => {
        /// A variable or collection of SecLang that the engine fills.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum Variable { $($(#[$doc])* $name,)* }

        impl Variable {
            /// All of them, in the order of their discriminants.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// Its name in SecLang.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// Whether it has members with names of their own.
            #[must_use]
            pub fn is_collection(self) -> bool {
                match self { $(Self::$name => variables!(@$kind),)* }
            }
        }
    };
    (@one) => { false };
    (@many) => { true };
}

variables! {
    /// Arguments of query and body.
    Args = "ARGS" many,
    /// Bytes of all names and values of arguments.
    ArgsCombinedSize = "ARGS_COMBINED_SIZE" one,
    /// Arguments of the query.
    ArgsGet = "ARGS_GET" many,
    /// Names of the arguments of the query.
    ArgsGetNames = "ARGS_GET_NAMES" many,
    /// Names of all arguments.
    ArgsNames = "ARGS_NAMES" many,
    /// Arguments of the body.
    ArgsPost = "ARGS_POST" many,
    /// Names of the arguments of the body.
    ArgsPostNames = "ARGS_POST_NAMES" many,
    /// First word of `Authorization`.
    AuthType = "AUTH_TYPE" one,
    /// 0: the engine has no clock.
    Duration = "DURATION" one,
    /// What `setenv` set in this transaction.
    Env = "ENV" many,
    /// File names that the client gave, by the name of the form's field.
    Files = "FILES" many,
    /// Bytes of all files.
    FilesCombinedSize = "FILES_COMBINED_SIZE" one,
    /// Names of the form's fields that hold files.
    FilesNames = "FILES_NAMES" many,
    /// Bytes of each file.
    FilesSizes = "FILES_SIZES" many,
    /// Headers and body of the request.
    FullRequest = "FULL_REQUEST" one,
    /// Bytes of `FULL_REQUEST`.
    FullRequestLength = "FULL_REQUEST_LENGTH" one,
    /// Collection of the whole house.
    Global = "GLOBAL" many,
    /// Lowest number of severity of the rules that matched.
    HighestSeverity = "HIGHEST_SEVERITY" one,
    /// 1 when the request's body was larger than the limit.
    InboundDataError = "INBOUND_DATA_ERROR" one,
    /// Collection of the client's address.
    Ip = "IP" many,
    /// Value that matched last.
    MatchedVar = "MATCHED_VAR" one,
    /// Name of what matched last.
    MatchedVarName = "MATCHED_VAR_NAME" one,
    /// Values that matched in this chain.
    MatchedVars = "MATCHED_VARS" many,
    /// Names of what matched in this chain.
    MatchedVarsNames = "MATCHED_VARS_NAMES" many,
    /// The boundary was quoted.
    MultipartBoundaryQuoted = "MULTIPART_BOUNDARY_QUOTED" one,
    /// White space in the boundary.
    MultipartBoundaryWhitespace = "MULTIPART_BOUNDARY_WHITESPACE" one,
    /// Lines end in CRLF and in LF.
    MultipartCrlfLfLines = "MULTIPART_CRLF_LF_LINES" one,
    /// Bytes after the last boundary.
    MultipartDataAfter = "MULTIPART_DATA_AFTER" one,
    /// Bytes before the first boundary.
    MultipartDataBefore = "MULTIPART_DATA_BEFORE" one,
    /// More files than the limit.
    MultipartFileLimitExceeded = "MULTIPART_FILE_LIMIT_EXCEEDED" one,
    /// File names of parts.
    MultipartFilename = "MULTIPART_FILENAME" many,
    /// A header of a part is folded.
    MultipartHeaderFolding = "MULTIPART_HEADER_FOLDING" one,
    /// A header is folded in a wrong way.
    MultipartInvalidHeaderFolding = "MULTIPART_INVALID_HEADER_FOLDING" one,
    /// A part that cannot be read.
    MultipartInvalidPart = "MULTIPART_INVALID_PART" one,
    /// Quotes in `Content-Disposition` are wrong.
    MultipartInvalidQuoting = "MULTIPART_INVALID_QUOTING" one,
    /// A line ends in LF alone.
    MultipartLfLine = "MULTIPART_LF_LINE" one,
    /// A semicolon is missing in `Content-Type`.
    MultipartMissingSemicolon = "MULTIPART_MISSING_SEMICOLON" one,
    /// Names of parts.
    MultipartName = "MULTIPART_NAME" many,
    /// Header lines of parts, by the name of the part.
    MultipartPartHeaders = "MULTIPART_PART_HEADERS" many,
    /// Any of the faults of multipart.
    MultipartStrictError = "MULTIPART_STRICT_ERROR" one,
    /// Something that looks like a boundary in a part.
    MultipartUnmatchedBoundary = "MULTIPART_UNMATCHED_BOUNDARY" one,
    /// 1 when the answer was larger than the limit.
    OutboundDataError = "OUTBOUND_DATA_ERROR" one,
    /// Path of the request.
    PathInfo = "PATH_INFO" one,
    /// What follows `?`, as it came.
    QueryString = "QUERY_STRING" one,
    /// The client's address.
    RemoteAddr = "REMOTE_ADDR" one,
    /// The client's address; names are not looked up.
    RemoteHost = "REMOTE_HOST" one,
    /// The client's port.
    RemotePort = "REMOTE_PORT" one,
    /// User of Basic authentication.
    RemoteUser = "REMOTE_USER" one,
    /// 1 when the body could not be read.
    ReqbodyError = "REQBODY_ERROR" one,
    /// Why the body could not be read.
    ReqbodyErrorMsg = "REQBODY_ERROR_MSG" one,
    /// `URLENCODED`, `MULTIPART`, `JSON`, `XML` or empty.
    ReqbodyProcessor = "REQBODY_PROCESSOR" one,
    /// 1 when the body's processor failed.
    ReqbodyProcessorError = "REQBODY_PROCESSOR_ERROR" one,
    /// Why the body's processor failed.
    ReqbodyProcessorErrorMsg = "REQBODY_PROCESSOR_ERROR_MSG" one,
    /// What follows the last slash of the path.
    RequestBasename = "REQUEST_BASENAME" one,
    /// The body as it came.
    RequestBody = "REQUEST_BODY" one,
    /// Bytes of the body.
    RequestBodyLength = "REQUEST_BODY_LENGTH" one,
    /// Cookies.
    RequestCookies = "REQUEST_COOKIES" many,
    /// Names of cookies.
    RequestCookiesNames = "REQUEST_COOKIES_NAMES" many,
    /// Path without query.
    RequestFilename = "REQUEST_FILENAME" one,
    /// Headers.
    RequestHeaders = "REQUEST_HEADERS" many,
    /// Names of headers.
    RequestHeadersNames = "REQUEST_HEADERS_NAMES" many,
    /// Method, target and protocol.
    RequestLine = "REQUEST_LINE" one,
    /// Method.
    RequestMethod = "REQUEST_METHOD" one,
    /// `HTTP/1.1` and the like.
    RequestProtocol = "REQUEST_PROTOCOL" one,
    /// Path and query, decoded once.
    RequestUri = "REQUEST_URI" one,
    /// Target as it came.
    RequestUriRaw = "REQUEST_URI_RAW" one,
    /// Collection of a resource, named by `setrsc`.
    Resource = "RESOURCE" many,
    /// Body of the answer.
    ResponseBody = "RESPONSE_BODY" one,
    /// Bytes of the answer's body.
    ResponseContentLength = "RESPONSE_CONTENT_LENGTH" one,
    /// Media type of the answer, without parameters.
    ResponseContentType = "RESPONSE_CONTENT_TYPE" one,
    /// Headers of the answer.
    ResponseHeaders = "RESPONSE_HEADERS" many,
    /// Names of the headers of the answer.
    ResponseHeadersNames = "RESPONSE_HEADERS_NAMES" many,
    /// Protocol of the answer.
    ResponseProtocol = "RESPONSE_PROTOCOL" one,
    /// Status of the answer.
    ResponseStatus = "RESPONSE_STATUS" one,
    /// Facts of the rule that runs: `id`, `msg`, `severity`.
    Rule = "RULE" many,
    /// Address that the client reached.
    ServerAddr = "SERVER_ADDR" one,
    /// Host of the request, without port.
    ServerName = "SERVER_NAME" one,
    /// Port that the client reached.
    ServerPort = "SERVER_PORT" one,
    /// Collection of a session, named by `setsid`.
    Session = "SESSION" many,
    /// Name of the session's collection.
    SessionId = "SESSIONID" one,
    /// Protocol and status of the answer.
    StatusLine = "STATUS_LINE" one,
    /// `HH:MM:SS`, UTC.
    Time = "TIME" one,
    /// Day of the month.
    TimeDay = "TIME_DAY" one,
    /// Seconds since 1970.
    TimeEpoch = "TIME_EPOCH" one,
    /// Hour, 0 to 23, UTC.
    TimeHour = "TIME_HOUR" one,
    /// Minute.
    TimeMin = "TIME_MIN" one,
    /// Month, 1 to 12.
    TimeMon = "TIME_MON" one,
    /// Second.
    TimeSec = "TIME_SEC" one,
    /// Day of the week, 0 is Sunday.
    TimeWday = "TIME_WDAY" one,
    /// Year.
    TimeYear = "TIME_YEAR" one,
    /// Variables of the transaction.
    Tx = "TX" many,
    /// Name of the transaction.
    UniqueId = "UNIQUE_ID" one,
    /// 1 when an argument held a wrong percent-encoding.
    UrlencodedError = "URLENCODED_ERROR" one,
    /// Collection of a user, named by `setuid`.
    User = "USER" many,
    /// Name of the user's collection.
    UserId = "USERID" one,
    /// `default`.
    WebAppId = "WEBAPPID" one,
    /// Text and attributes of an XML body.
    Xml = "XML" many,
}

impl Variable {
    /// How many there are.
    pub const COUNT: usize = Self::ALL.len();

    /// The variable of that name, in any case.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|variable| variable.name().eq_ignore_ascii_case(name)).or_else(|| {
            // Names of version 2 for things that version 3 calls otherwise.
            match name.to_ascii_uppercase().as_str() {
                "REQUEST_BODY_SIZE" => Some(Self::RequestBodyLength),
                _ => None,
            }
        })
    }

    /// A collection that lives longer than one transaction.
    #[must_use]
    pub fn is_persistent(self) -> bool {
        matches!(self, Self::Ip | Self::Session | Self::User | Self::Global | Self::Resource)
    }
}

/// Which members of a variable are meant.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Select {
    /// All of them.
    All,
    /// Those of this name, compared without case, in lower case here.
    Name(Box<[u8]>),
    /// Those whose name matches this pattern of PCRE.
    Pattern(Box<str>),
}

/// What a target does in the list of a rule.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Role {
    /// Its values are looked at.
    Look,
    /// The number of its values is looked at (`&`).
    Count,
    /// What it names is left out (`!`).
    Leave,
}

/// One entry of a rule's list of targets.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Target {
    /// What the entry does.
    pub role: Role,
    /// The variable.
    pub variable: Variable,
    /// Which of its members.
    pub select: Select,
}

/// Reads a list such as `ARGS|!ARGS:password|&REQUEST_HEADERS:Host|TX:/^x_/`.
///
/// # Errors
/// The piece that is not understood, and why.
pub fn targets(list: &str) -> Result<Vec<Target>, (String, Reason)> {
    split(list).into_iter().map(|piece| target(piece).map_err(|reason| (piece.to_owned(), reason))).collect()
}

/// Cuts at `|`, save inside a pattern between slashes.
fn split(list: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut start = 0;
    let mut pattern = false;
    let mut previous = 0_u8;
    for (at, &byte) in list.as_bytes().iter().enumerate() {
        match byte {
            b'/' if pattern && previous != b'\\' => {
                let rest = &list[at + 1..];
                pattern = !(rest.is_empty() || rest.starts_with(['|', '\'', ',']));
            }
            b'/' if !pattern && (previous == b':' || previous == b'\'') && !is_xpath(&list[start..at]) => {
                pattern = true
            }
            b'|' | b',' if !pattern => {
                pieces.push(&list[start..at]);
                start = at + 1;
            }
            _ => {}
        }
        previous = byte;
    }
    pieces.push(&list[start..]);
    pieces.into_iter().map(str::trim).filter(|piece| !piece.is_empty()).collect()
}

/// What follows `XML:` is XPath, not a pattern.
fn is_xpath(before: &str) -> bool {
    before.trim_start_matches(['!', '&', ' ']).to_ascii_uppercase().starts_with("XML:")
}

fn target(piece: &str) -> Result<Target, Reason> {
    let (role, rest) = match piece.as_bytes().first() {
        Some(b'!') => (Role::Leave, &piece[1..]),
        Some(b'&') => (Role::Count, &piece[1..]),
        _ => (Role::Look, piece),
    };
    let (name, key) = match rest.split_once(':').or_else(|| rest.split_once('.')) {
        Some((name, key)) => (name, Some(key)),
        None => (rest, None),
    };
    let variable = Variable::parse(name.trim()).ok_or(Reason::UnknownVariable)?;
    let Some(key) = key else { return Ok(Target { role, variable, select: Select::All }) };
    if !variable.is_collection() {
        return Err(Reason::NotACollection);
    }
    let key = key.trim();
    let key = key.strip_prefix('\'').and_then(|key| key.strip_suffix('\'')).unwrap_or(key);
    if variable == Variable::Xml {
        return xpath(key).map(|select| Target { role, variable, select });
    }
    let select = match key.strip_prefix('/').and_then(|inner| inner.strip_suffix('/')) {
        Some(pattern) if !pattern.is_empty() => Select::Pattern(pattern.replace("\\/", "/").into()),
        _ => Select::Name(key.to_ascii_lowercase().into_bytes().into()),
    };
    Ok(Target { role, variable, select })
}

/// The two paths that rules use: all text, and all values of attributes. Others are refused at load.
fn xpath(path: &str) -> Result<Select, Reason> {
    match path {
        "/*" | "/*/text()" | "//text()" => Ok(Select::Name(b"text".as_slice().into())),
        "//@*" | "/*/@*" => Ok(Select::Name(b"attributes".as_slice().into())),
        _ => Err(Reason::XPath),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(variable: Variable, select: Select) -> Target {
        Target { role: Role::Look, variable, select }
    }

    #[test]
    fn lists_are_read() {
        let list =
            targets("REQUEST_COOKIES|!REQUEST_COOKIES:/__utm|x/|ARGS:Foo|&args|XML:/*|XML://@*").unwrap();
        assert_eq!(list[0], look(Variable::RequestCookies, Select::All));
        assert_eq!(list[1].role, Role::Leave);
        assert_eq!(list[1].select, Select::Pattern("__utm|x".into()));
        assert_eq!(list[2], look(Variable::Args, Select::Name(b"foo".as_slice().into())));
        assert_eq!(list[3].role, Role::Count);
        assert_eq!(list[4], look(Variable::Xml, Select::Name(b"text".as_slice().into())));
        assert_eq!(list[5], look(Variable::Xml, Select::Name(b"attributes".as_slice().into())));
    }

    #[test]
    fn what_is_not_understood_is_named() {
        assert_eq!(targets("ARGS|NO_SUCH").unwrap_err(), ("NO_SUCH".into(), Reason::UnknownVariable));
        assert_eq!(targets("REQUEST_LINE:x").unwrap_err().1, Reason::NotACollection);
        assert_eq!(targets("XML:/soap:Envelope").unwrap_err().1, Reason::XPath);
    }
}
