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

/// The context of each found token, in order. A page that the tokeniser cannot read without doubt has none that may be
/// filled.
pub(super) fn contexts(html: &[u8], found: &[Found], attributes: &[String]) -> Vec<Context> {
    let mut ends: Vec<[Option<Context>; 2]> = vec![[None; 2]; found.len()];
    {
        let places = RefCell::new(Places { html, found, ends: &mut ends });
        let element = element!("*", |element| {
            places.borrow_mut().element(element, attributes);
            Ok(())
        });
        let every_text = doc_text!(|chunk| {
            let range = chunk.source_location().bytes();
            places.borrow_mut().text(range, chunk.text_type());
            Ok(())
        });
        // To the tokeniser these are text like any other; a browser runs them all the same.
        let foreign = text!("svg script, svg style, math script, math style", |chunk| {
            places.borrow_mut().never(chunk.source_location().bytes());
            Ok(())
        });
        // What stands in a text area is what its form sends.
        let area = text!("textarea", |chunk| {
            places.borrow_mut().control(chunk.source_location().bytes(), chunk.text_type());
            Ok(())
        });
        let memory = MemorySettings::new().with_max_allowed_memory_usage(html.len() * 2 + MEMORY);
        let settings = Settings::new()
            .append_element_content_handler(element)
            .append_element_content_handler(foreign)
            .append_element_content_handler(area)
            .append_document_content_handler(every_text)
            .with_memory_settings(memory)
            .with_strict(true);
        let mut rewriter = HtmlRewriter::new(settings, |_: &[u8]| {});
        if rewriter.write(html).and_then(|()| rewriter.end()).is_err() {
            return vec![Context::Never; found.len()];
        }
    }
    let both = |ends: &[Option<Context>; 2]| match ends {
        [Some(one), Some(other)] if one == other => *one,
        _ => Context::Never,
    };
    ends.iter().map(both).collect()
}

struct Places<'a> {
    html: &'a [u8],
    found: &'a [Found],
    /// The context of the first and of the last byte of each: a text can come in two pieces.
    ends: &'a mut [[Option<Context>; 2]],
}

impl Places<'_> {
    /// The numbers of those that touch `range`.
    fn touching(&self, range: &Range<usize>) -> Range<usize> {
        let from = self.found.partition_point(|found| found.end <= range.start);
        let to = self.found.partition_point(|found| found.start < range.end);
        from..to.max(from)
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
        if self.touching(&whole).is_empty() {
            return;
        }
        let tag = element.tag_name();
        let is_html = element.namespace_uri() == "http://www.w3.org/1999/xhtml";
        for attribute in element.attributes() {
            let Some(location) = attribute.value_source_location() else { continue };
            let range = location.bytes();
            let touched = self.touching(&range);
            if touched.is_empty() {
                continue;
            }
            let quoted = self.is_quoted(&range);
            for number in touched {
                let found = self.found[number];
                let inside = range.start <= found.start && found.end <= range.end;
                let context = if inside && quoted && is_html {
                    let value = &self.html[range.clone()];
                    let at = found.start - range.start..found.end - range.start;
                    attribute_context(element, &tag, &attribute.name(), value, at, attributes)
                } else {
                    Context::Never
                };
                self.set(number, &range, context);
            }
        }
    }

    /// Whether the value stands between quotes of one kind.
    fn is_quoted(&self, range: &Range<usize>) -> bool {
        let before = range.start.checked_sub(1).and_then(|at| self.html.get(at));
        let after = self.html.get(range.end);
        before == after && matches!(before, Some(b'"' | b'\''))
    }
}

fn attribute_context(
    element: &Element<'_, '_>,
    tag: &str,
    name: &str,
    value: &[u8],
    at: Range<usize>,
    attributes: &[String],
) -> Context {
    match name {
        "value" => match tag {
            "input" => {
                let kind = element.get_attribute("type").unwrap_or_default().to_ascii_lowercase();
                let never = matches!(kind.as_str(), "password" | "file" | "image");
                if never { Context::Never } else { Context::Control }
            }
            "option" | "button" | "data" | "meter" | "progress" | "li" => Context::Control,
            _ => Context::Never,
        },
        "href" if matches!(tag, "a" | "area") => address(value, at, true),
        "src" if tag == "img" => address(value, at, false),
        "action" if tag == "form" => address(value, at, false),
        "formaction" if matches!(tag, "input" | "button") => address(value, at, false),
        "content" if tag == "meta" && element.get_attribute("http-equiv").is_none() => Context::Markup,
        "datetime" if tag == "time" => Context::Markup,
        name if TEXTUAL.contains(&name) => Context::Markup,
        name if is_declarable(name) && attributes.iter().any(|one| one == name) => Context::Markup,
        _ => Context::Never,
    }
}

/// What a rule may add: never what a browser runs or loads.
fn is_declarable(name: &str) -> bool {
    !name.starts_with("on")
        && !matches!(name, "style" | "srcdoc" | "src" | "href" | "srcset" | "action" | "is")
}

/// A token within an address: as a value of the query of a path of this app, or as all of a `mailto:` or `tel:`. Never
/// towards another host, which would learn it, and never where it could become a scheme or a path.
fn address(value: &[u8], at: Range<usize>, may_dial: bool) -> Context {
    let (before, after) = (&value[..at.start], &value[at.end..]);
    let dialled = may_dial
        && (before.eq_ignore_ascii_case(b"mailto:") || before.eq_ignore_ascii_case(b"tel:"))
        && (after.is_empty() || (after.starts_with(b"?") && before.len() == 7));
    if dialled {
        return Context::Address;
    }
    let Some(query) = memchr::memchr(b'?', before) else { return Context::Never };
    let path = &before[..query];
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"/_-.~%".contains(byte);
    let local = path.is_empty() || !path.starts_with(b"//");
    let ended = memchr::memchr(b'#', before).is_some();
    if local && !ended && path.iter().all(plain) { Context::Address } else { Context::Never }
}

/// A text in markup: between tags, in a quoted attribute, in a text area.
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
