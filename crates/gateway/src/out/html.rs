//! Where tokens stand in HTML, as a browser reads it (WHATWG HTML §13.2.5).

use super::Context;
use crate::find::Found;
use lol_html::html_content::{Element, TextType};
use lol_html::{HtmlRewriter, MemorySettings, Settings, doc_text, element, text};
use std::cell::RefCell;
use std::fmt::Write;
use std::ops::Range;
use zeroize::Zeroizing;

/// Most memory of the tokeniser beside the page.
const MEMORY: usize = 4 << 20;
/// Most elements in places where hardly any page has some. For each, the tokeniser looks at all that are open around it.
const ODD: usize = 10_000;
/// What holds no markup, or runs: to the tokeniser text like any other where it takes them for parts of a drawing or a
/// formula, on whose end it and a browser do not always agree.
const RAW: &str = "script, style, xmp, iframe, noembed, noframes, noscript, plaintext";
/// What would stand within them then.
const WITHIN_RAW: &str = "script *, style *, xmp *, iframe *, noembed *, noframes *, noscript *, plaintext *";
/// Drawings and formulas in each other.
const NESTED: &str = "svg svg, svg math, math svg, math math";
/// Everything after whose start tag a browser reads on in another way (WHATWG HTML §13.2.5).
const SWITCHING: [&str; 10] =
    ["script", "style", "xmp", "iframe", "noembed", "noframes", "noscript", "plaintext", "title", "textarea"];
/// Attributes that show as text and mean nothing else.
const TEXTUAL: [&str; 9] = [
    "title",
    "alt",
    "placeholder",
    "label",
    "aria-label",
    "aria-description",
    "aria-valuetext",
    "summary",
    "abbr",
];

/// Where the tokens of a page stand.
pub(super) struct Places {
    /// The context of each, in order.
    pub(super) contexts: Vec<Context>,
    /// The places, in order, where a browser drops a line break that comes first (WHATWG HTML §13.2.6.4.7).
    pub(super) openings: Vec<usize>,
}

/// The places of the found tokens. A page that the tokeniser cannot read without doubt has none that may be filled.
pub(super) fn places(html: &[u8], found: &[Found], attributes: &[String]) -> Places {
    let reading = RefCell::new(Reading::new(html, found));
    {
        let element = element!("*", |element| {
            reading.borrow_mut().element(element, attributes);
            Ok(())
        });
        let every_text = doc_text!(|chunk| {
            let range = chunk.source_location().bytes();
            reading.borrow_mut().text(range, chunk.text_type());
            Ok(())
        });
        let raw = text!(RAW, |chunk| {
            reading.borrow_mut().never(chunk.source_location().bytes());
            Ok(())
        });
        let within_raw = element!(WITHIN_RAW, |element| {
            reading.borrow_mut().never(element.source_location().bytes());
            reading.borrow_mut().odd()
        });
        let nested = element!(NESTED, |_| {
            reading.borrow_mut().nested = true;
            reading.borrow_mut().odd()
        });
        // What stands in a text area is what its form sends.
        let area = text!("textarea", |chunk| {
            reading.borrow_mut().control(chunk.source_location().bytes(), chunk.text_type());
            Ok(())
        });
        let memory = MemorySettings::new().with_max_allowed_memory_usage(html.len() * 2 + MEMORY);
        let settings = Settings::new()
            .append_element_content_handler(element)
            .append_element_content_handler(raw)
            .append_element_content_handler(within_raw)
            .append_element_content_handler(nested)
            .append_element_content_handler(area)
            .append_document_content_handler(every_text)
            .with_memory_settings(memory)
            .with_strict(true);
        let mut rewriter = HtmlRewriter::new(settings, |_: &[u8]| {});
        if rewriter.write(html).and_then(|()| rewriter.end()).is_err() {
            return Places { contexts: vec![Context::Never; found.len()], openings: Vec::new() };
        }
    }
    reading.into_inner().places()
}

struct Reading<'a> {
    html: &'a [u8],
    found: &'a [Found],
    /// The context of the first and of the last byte of each: a text can come in two pieces.
    ends: Vec<[Option<Context>; 2]>,
    openings: Vec<usize>,
    /// Whether the page's addresses may be another host's.
    leads_elsewhere: bool,
    /// Whether a drawing closed itself (`<svg/>`), which the tokeniser does not notice until the next element of a page.
    unended: bool,
    /// Whether drawings stand in each other, of which the tokeniser leaves one where a browser leaves all.
    nested: bool,
    odd: usize,
    /// From here on the tokeniser and a browser may read two different pages.
    lost: usize,
}

impl<'a> Reading<'a> {
    fn new(html: &'a [u8], found: &'a [Found]) -> Self {
        Self {
            html,
            found,
            ends: vec![[None; 2]; found.len()],
            openings: Vec::new(),
            leads_elsewhere: false,
            unended: false,
            nested: false,
            odd: 0,
            lost: usize::MAX,
        }
    }

    fn places(self) -> Places {
        let both = |(ends, found): (&[Option<Context>; 2], &Found)| match ends {
            _ if found.end > self.lost => Context::Never,
            [Some(Context::Address), Some(_)] if self.leads_elsewhere => Context::Never,
            [Some(one), Some(other)] if one == other => *one,
            _ => Context::Never,
        };
        let contexts = self.ends.iter().zip(self.found).map(both).collect();
        Places { contexts, openings: self.openings }
    }
}

impl Reading<'_> {
    /// The numbers of those that touch `range`.
    fn touching(&self, range: &Range<usize>) -> Range<usize> {
        let from = self.found.partition_point(|found| found.end <= range.start);
        let to = self.found.partition_point(|found| found.start < range.end);
        from..to.max(from)
    }

    /// Counts an element in an odd place, and gives the page up when there are too many.
    fn odd(&mut self) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        self.odd += 1;
        if self.odd > ODD { Err("too many elements in odd places".into()) } else { Ok(()) }
    }

    fn set(&mut self, number: usize, range: &Range<usize>, context: Context) {
        let found = self.found[number];
        for (end, at) in self.ends[number].iter_mut().zip([found.start, found.end - 1]) {
            let stays = matches!(
                (*end, context),
                (Some(Context::Never), _) | (Some(Context::Control), Context::Markup)
            );
            if range.contains(&at) && !stays {
                *end = Some(context);
            }
        }
    }

    fn never(&mut self, range: Range<usize>) {
        for number in self.touching(&range) {
            self.set(number, &range, Context::Never);
        }
    }

    fn control(&mut self, range: Range<usize>, kind: TextType) {
        let touched = if kind == TextType::RCData { self.touching(&range) } else { 0..0 };
        for number in touched {
            self.set(number, &range, Context::Control);
        }
    }

    fn text(&mut self, range: Range<usize>, kind: TextType) {
        let context = match kind {
            TextType::Data => Context::Markup,
            TextType::RCData => Context::Markup,
            _ => Context::Never,
        };
        for number in self.touching(&range) {
            self.set(number, &range, context);
        }
    }

    fn element(&mut self, element: &Element<'_, '_>, attributes: &[String]) {
        let whole = element.source_location().bytes();
        let tag = element.tag_name();
        let is_html = element.namespace_uri() == "http://www.w3.org/1999/xhtml";
        self.follow(element, &tag, is_html, &whole);
        if self.touching(&whole).is_empty() {
            return;
        }
        for attribute in element.attributes() {
            let Some(location) = attribute.value_source_location() else { continue };
            let range = location.bytes();
            let touched = self.touching(&range);
            if touched.is_empty() {
                continue;
            }
            let value = &self.html[range.clone()];
            let takes = if self.is_quoted(&range) && is_html {
                Takes::of(element, &tag, &attribute.name(), value, attributes)
            } else {
                Takes::Never
            };
            for number in touched {
                let found = self.found[number];
                let inside = range.start <= found.start && found.end <= range.end;
                let context = if inside {
                    takes.context(value, found.start - range.start..found.end - range.start)
                } else {
                    Context::Never
                };
                self.set(number, &range, context);
            }
        }
    }

    /// Keeps account of what later places depend on.
    fn follow(&mut self, element: &Element<'_, '_>, tag: &str, is_html: bool, whole: &Range<usize>) {
        match tag {
            "textarea" | "pre" | "listing" => self.openings.push(whole.end),
            "base" => {
                let base = element.get_attribute("href").unwrap_or_default();
                self.leads_elsewhere |= !is_local(base.as_bytes());
            }
            "svg" | "math" if element.is_self_closing() => self.unended = true,
            _ if is_html => self.unended = false,
            _ if (self.unended || self.nested) && SWITCHING.contains(&tag) => {
                self.lost = self.lost.min(whole.start);
            }
            _ => {}
        }
    }

    /// Whether the value stands between quotes of one kind.
    fn is_quoted(&self, range: &Range<usize>) -> bool {
        let before = range.start.checked_sub(1).and_then(|at| self.html.get(at));
        let after = self.html.get(range.end);
        before == after && matches!(before, Some(b'"' | b'\''))
    }
}

/// What an attribute takes, looked at once for all tokens in it.
enum Takes {
    Never,
    Markup,
    Control,
    Address(Address),
}

impl Takes {
    fn of(element: &Element<'_, '_>, tag: &str, name: &str, value: &[u8], attributes: &[String]) -> Self {
        match name {
            "value" => match tag {
                "input" => {
                    let kind = element.get_attribute("type").unwrap_or_default().to_ascii_lowercase();
                    let never = matches!(kind.as_str(), "password" | "file" | "image");
                    if never { Self::Never } else { Self::Control }
                }
                "option" | "button" | "data" | "meter" | "progress" | "li" => Self::Control,
                _ => Self::Never,
            },
            "href" if matches!(tag, "a" | "area") => Self::Address(Address::of(value, true)),
            "src" if tag == "img" => Self::Address(Address::of(value, false)),
            "action" if tag == "form" => Self::Address(Address::of(value, false)),
            "formaction" if matches!(tag, "input" | "button") => Self::Address(Address::of(value, false)),
            "content" if tag == "meta" && is_description(element) => Self::Markup,
            "datetime" if tag == "time" => Self::Markup,
            name if TEXTUAL.contains(&name) => Self::Markup,
            name if is_declarable(name) && attributes.iter().any(|one| one == name) => Self::Markup,
            _ => Self::Never,
        }
    }

    /// The context of what stands at `at` in `value`.
    fn context(&self, value: &[u8], at: Range<usize>) -> Context {
        match self {
            Self::Never => Context::Never,
            Self::Markup => Context::Markup,
            Self::Control => Context::Control,
            Self::Address(address) => address.context(value, at),
        }
    }
}

/// Whether a `meta` only says something about the page: neither a header of its own nor an order to the browser.
fn is_description(element: &Element<'_, '_>) -> bool {
    let told = ["description", "author", "keywords", "application-name"];
    let says = |name: String| {
        let name = name.to_ascii_lowercase();
        told.contains(&name.as_str()) || name.starts_with("og:") || name.starts_with("twitter:")
    };
    element.get_attribute("http-equiv").is_none() && element.get_attribute("name").is_none_or(says)
}

/// What a rule may add: never what a browser runs, loads or obeys, nor what the usual libraries take for code.
pub(super) fn is_declarable(name: &str) -> bool {
    const OBEYED: [&str; 34] = [
        "action",
        "allow",
        "archive",
        "attributename",
        "background",
        "by",
        "cite",
        "classid",
        "codebase",
        "content",
        "data",
        "data-bind",
        "formaction",
        "from",
        "href",
        "http-equiv",
        "imagesrcset",
        "integrity",
        "is",
        "longdesc",
        "manifest",
        "name",
        "nonce",
        "ping",
        "poster",
        "rel",
        "sandbox",
        "src",
        "srcdoc",
        "srcset",
        "style",
        "target",
        "to",
        "values",
    ];
    const CODE: [&str; 11] =
        ["on", "v-", "x-", "ng-", "hx-", "data-on", "data-v-", "data-x-", "data-ng-", "data-hx-", "xlink:"];
    let plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
    plain && !OBEYED.contains(&name) && !CODE.iter().any(|start| name.starts_with(start))
}

/// An address takes a token as a value of the query of a path of this app, or as all of a `mailto:` or `tel:`. Never
/// towards another host, which would learn it, and never where it could become a scheme or a path.
struct Address {
    may_dial: bool,
    /// The query of a path of this app, without its `?`; empty where there is none.
    query: Range<usize>,
}

impl Address {
    fn of(value: &[u8], may_dial: bool) -> Self {
        let mark = memchr::memchr(b'?', value).filter(|mark| is_local(&value[..*mark]));
        let query = mark.map_or(0..0, |mark| {
            let end = memchr::memchr(b'#', value).unwrap_or(value.len());
            mark + 1..end
        });
        Self { may_dial, query }
    }

    fn context(&self, value: &[u8], at: Range<usize>) -> Context {
        let (before, after) = (&value[..at.start], &value[at.end..]);
        let dialled = self.may_dial
            && (before.eq_ignore_ascii_case(b"mailto:") || before.eq_ignore_ascii_case(b"tel:"))
            && (after.is_empty() || (after.starts_with(b"?") && before.len() == 7));
        let queried = self.query.start <= at.start && at.start < self.query.end;
        if dialled || queried { Context::Address } else { Context::Never }
    }
}

/// Whether an address is a path of this app, whatever a browser makes of it.
fn is_local(path: &[u8]) -> bool {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"/_-.~%".contains(byte);
    !path.starts_with(b"//") && path.iter().all(plain)
}

/// A text in markup: between tags, in a quoted attribute, in a text area. A carriage return is written so that it stays
/// one (§13.2.3.5); U+0000 cannot be written at all, and what a browser makes of it differs from place to place.
pub(super) fn escaped(text: &str) -> Zeroizing<String> {
    let mut out = Zeroizing::new(String::with_capacity(text.len() + text.len() / 4));
    for char in text.chars() {
        match char {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '`' => out.push_str("&#96;"),
            '\r' => out.push_str("&#13;"),
            '\0' => out.push('\u{fffd}'),
            other => out.push(other),
        }
    }
    out
}

/// A text in an address: everything but what is unreserved (RFC 3986 §2.3) as percent signs.
pub(super) fn percent(text: &str) -> Zeroizing<String> {
    let mut out = Zeroizing::new(String::with_capacity(text.len() * 3));
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~@+".contains(&byte) {
            // `+` and `@` as a mail program and a telephone want them; in a query `+` would read as a space.
            if byte == b'+' { out.push_str("%2B") } else { out.push(byte as char) }
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}
