//! The reasons, in the order in which they are tried.

use shield::body::Processor;
use shield::message::Request;

use super::rewrite::{self, parsed};
use super::variant::Variant;
use super::{Proof, Reason, Side};

/// All reasons.
pub const REASONS: &[Reason] = &[
    Reason {
        name: "request-body",
        why: "libmodsecurity fills REQUEST_BODY beside the processors for multipart and XML; here these bodies are looked at by their parts alone",
        alone: Some(Side::Oracle),
        rules: &[],
        concerns: is_multipart_or_xml,
        proof: Proof::Rules(Variant::WithoutRequestBody),
    },
    Reason {
        name: "multi-match",
        why: "in libmodsecurity a rule with multiMatch reports before the rest of its chain has matched",
        alone: Some(Side::Oracle),
        rules: &[942_131],
        concerns: |_| true,
        proof: Proof::Rules(Variant::WithoutMultiMatch),
    },
    Reason {
        name: "part-header",
        why: "in libmodsecurity MULTIPART_PART_HEADERS keep the line end, which a pattern to the end of the value then takes in",
        alone: Some(Side::Oracle),
        rules: &[922_110],
        concerns: is_multipart,
        proof: Proof::Rules(Variant::WithoutLineEnd),
    },
    Reason {
        name: "map",
        why: "urlDecodeUni has the map of code page 20127 here; libmodsecurity takes the low byte unless it is given one",
        alone: None,
        rules: &[],
        concerns: |_| true,
        proof: Proof::Rules(Variant::WithMap),
    },
    Reason {
        name: "absolute-target",
        why: "libmodsecurity leaves scheme and host of a target in absolute form in REQUEST_FILENAME",
        alone: None,
        rules: &[],
        concerns: |_| true,
        proof: Proof::Request(rewrite::origin_form, Side::Engine),
    },
    Reason {
        name: "escaped-mark",
        why: "REQUEST_FILENAME of libmodsecurity ends at a question mark that was escaped; here the path is cut first and decoded then",
        alone: None,
        rules: &[],
        concerns: |_| true,
        proof: Proof::Request(rewrite::without_escaped_mark, Side::Oracle),
    },
    Reason {
        name: "line-ends",
        why: "libmodsecurity loses the line ends in values of a multipart body",
        alone: None,
        rules: &[],
        concerns: is_multipart,
        proof: Proof::Request(rewrite::without_line_ends, Side::Oracle),
    },
    Reason {
        name: "xml-pieces",
        why: "XML:/* holds all the text of a document as one value; here each piece of it is looked at as well",
        alone: None,
        rules: &[],
        concerns: |_| true,
        proof: Proof::Request(rewrite::in_one_element, Side::Oracle),
    },
    Reason {
        name: "exponent",
        why: "libinjection, as libmodsecurity 3.0.9 holds it, gives up at a number with an exponent without digits, as 1.e(1)",
        alone: Some(Side::Engine),
        rules: &[942_100],
        concerns: |_| true,
        proof: Proof::Request(rewrite::without_exponents, Side::Engine),
    },
    Reason {
        name: "event-names",
        why: "@detectXSS of libmodsecurity takes each name that begins with on for that of an event; here it must begin as one does",
        alone: Some(Side::Oracle),
        rules: &[941_100, 941_101],
        concerns: |_| true,
        proof: Proof::Request(rewrite::without_event_names, Side::Engine),
    },
    Reason {
        name: "base64",
        why: "base64Decode of libmodsecurity makes nothing of a value that is no Base64; here such a value stays as it is",
        alone: Some(Side::Engine),
        rules: &[],
        concerns: |_| true,
        proof: Proof::Rules(Variant::WithoutBase64),
    },
    Reason {
        name: "padding",
        why: "base64Decode of libmodsecurity loses the last characters of what has no padding",
        alone: Some(Side::Engine),
        rules: &[],
        concerns: |_| true,
        proof: Proof::Request(rewrite::padded, Side::Engine),
    },
    Reason {
        name: "media-type",
        why: "a type that ends in +json is JSON here; the settings of the oracle want letters and digits before it",
        alone: None,
        rules: &[901_340, 920_539, 920_540],
        concerns: |request| processor(request) == Some(Processor::Json),
        proof: Proof::Rules(Variant::WithMediaTypes),
    },
    Reason {
        name: "combined-size",
        why: "ARGS_COMBINED_SIZE of libmodsecurity does not count the arguments of a multipart body",
        alone: Some(Side::Engine),
        rules: &[920_390],
        concerns: is_multipart,
        proof: Proof::Unheld,
    },
    Reason {
        name: "phrases",
        why: "libmodsecurity's @pm steps back once where a phrase breaks off: with var/cpanel and /sys/ in the list, it misses config.ini in var/config.ini",
        alone: Some(Side::Engine),
        rules: &[],
        concerns: |_| true,
        proof: Proof::Rules(Variant::WithPatterns),
    },
    Reason {
        name: "doubtful-part",
        why: "what readers of multipart may take for a field or for a file is looked at as both here, and what was found before an error stays",
        alone: Some(Side::Engine),
        rules: &[],
        concerns: is_doubtful,
        proof: Proof::Unheld,
    },
];

/// Whether a rule compares, or reports, scores and nothing else.
pub(super) fn reads_scores(rule: u64) -> bool {
    matches!(rule, 949_000..950_000 | 959_000..960_000 | 980_000..981_000)
}

fn processor(request: &Request) -> Option<Processor> {
    Processor::of(request.header(b"content-type")?)
}

fn is_multipart(request: &Request) -> bool {
    processor(request) == Some(Processor::Multipart)
}

fn is_multipart_or_xml(request: &Request) -> bool {
    matches!(processor(request), Some(Processor::Multipart | Processor::Xml))
}

fn is_doubtful(request: &Request) -> bool {
    parsed(request).is_some_and(|(processor, parsed)| {
        let flags = parsed.multipart;
        let doubt = flags.ambiguous || flags.header_folding || flags.invalid_quoting;
        processor == Processor::Multipart && (doubt || parsed.error.is_some())
    })
}
