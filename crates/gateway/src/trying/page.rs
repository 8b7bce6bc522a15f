//! A page of HTML taken apart: its forms, what stands under which heading, and what each stretch of its bytes is.

use super::guess::{self, Guess};
use lol_html::html_content::{Comment, Element, TextChunk, TextType};
use lol_html::{HtmlRewriter, MemorySettings, Settings, doc_comments, doc_text, element};
use std::cell::RefCell;
use std::ops::Range;
use std::rc::Rc;

/// Most stretches that are kept, most forms, most controls of all forms.
const REGIONS: usize = 200_000;
const FORMS: usize = 200;
const CONTROLS: usize = 2_000;
/// Longest text of a label or heading.
const LABEL: usize = 200;
/// Most memory of the tokeniser beside the page.
const MEMORY: usize = 4 << 20;

/// What a stretch of bytes is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Text, behind this start tag.
    Text(String),
    /// Text of an element that holds nothing but text, such as `title` and `textarea`.
    Plain(String),
    /// A script, or another text that a browser does not show.
    Script(String),
    Comment,
    /// An attribute's value.
    Attribute {
        tag: String,
        name: String,
    },
}

impl Kind {
    /// In words.
    pub(crate) fn says(&self) -> String {
        match self {
            Self::Text(tag) if tag.is_empty() => "text".to_owned(),
            Self::Text(tag) => format!("text behind <{tag}>"),
            Self::Plain(tag) => format!("text of <{tag}>"),
            Self::Script(tag) => format!("inside <{tag}>"),
            Self::Comment => "a comment".to_owned(),
            Self::Attribute { tag, name } => format!("attribute `{name}` of <{tag}>"),
        }
    }
}

/// A form.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Form {
    pub(crate) action: Option<String>,
    pub(crate) method: String,
    pub(crate) controls: Vec<Control>,
}

/// A control of a form.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Control {
    pub(crate) name: String,
    /// The type of an input; else the tag.
    pub(crate) kind: String,
    pub(crate) longest: Option<usize>,
    pub(crate) is_checked_by_pattern: bool,
    pub(crate) guess: Option<Guess>,
    /// Where its value stands in the page.
    pub(crate) value: Option<Range<usize>>,
    id: String,
}

impl Control {
    /// Whether a person types into it.
    pub(crate) fn is_typed(&self) -> bool {
        !matches!(
            self.kind.as_str(),
            "hidden"
                | "submit"
                | "button"
                | "reset"
                | "image"
                | "checkbox"
                | "radio"
                | "password"
                | "file"
                | "color"
                | "range"
        )
    }
}

/// A page, taken apart.
#[derive(Debug, Default)]
pub(crate) struct Reading {
    pub(crate) forms: Vec<Form>,
    /// Controls of no form.
    pub(crate) loose: Vec<Control>,
    /// In order and apart from each other.
    pub(crate) regions: Vec<(Range<usize>, Kind)>,
    /// What stands under a heading of a table or list that says what it is.
    pub(crate) headed: Vec<(Range<usize>, Guess)>,
    /// Whether the tokeniser could not read it without doubt.
    pub(crate) is_broken: bool,
    place: Place,
}

/// Where the reading stands.
#[derive(Debug, Default)]
struct Place {
    tag: String,
    form: Option<usize>,
    /// The label that is open: for which id, and its text.
    label: Option<(String, String)>,
    labels: Vec<(String, Option<Guess>)>,
    /// The number of the control whose value the text is.
    area: Option<(usize, usize)>,
    tables: Vec<Table>,
    cell: Cell,
    /// The heading of a list of descriptions.
    term: Option<Guess>,
    heading: String,
    controls: usize,
}

#[derive(Debug, Default)]
struct Table {
    columns: Vec<Option<Guess>>,
    /// The heading of the row, where the first cell is one.
    row: Option<Guess>,
    column: usize,
    has_cells: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Cell {
    #[default]
    None,
    Heading,
    Data,
    Term,
    Description,
}

/// Takes a page apart.
pub(crate) fn read(html: &[u8]) -> Reading {
    let reading = Rc::new(RefCell::new(Reading::default()));
    let (of_tags, of_texts, of_comments) = (reading.clone(), reading.clone(), reading.clone());
    let elements = element!("*", move |element| {
        open(&of_tags, element);
        Ok(())
    });
    let texts = doc_text!(move |chunk: &mut TextChunk<'_>| {
        of_texts.borrow_mut().text(chunk);
        Ok(())
    });
    let comments = doc_comments!(move |comment: &mut Comment<'_>| {
        let range = comment.source_location().bytes();
        of_comments.borrow_mut().region(range, Kind::Comment);
        Ok(())
    });
    let memory = MemorySettings::new().with_max_allowed_memory_usage(html.len() * 2 + MEMORY);
    let settings = Settings::new()
        .append_element_content_handler(elements)
        .append_document_content_handler(texts)
        .append_document_content_handler(comments)
        .with_memory_settings(memory)
        .with_strict(true);
    let mut rewriter = HtmlRewriter::new(settings, |_: &[u8]| {});
    let done = rewriter.write(html).and_then(|()| rewriter.end());
    let mut all = reading.take();
    all.is_broken = done.is_err();
    all.label_controls();
    all
}

fn open(reading: &Rc<RefCell<Reading>>, element: &mut Element<'_, '_>) {
    let tag = element.tag_name();
    reading.borrow_mut().element(element, &tag);
    let ends = matches!(tag.as_str(), "form" | "label" | "table" | "th" | "dt" | "td" | "dd");
    if let Some(handlers) = element.end_tag_handlers().filter(|_| ends) {
        let reading = reading.clone();
        handlers.push(Box::new(move |_| {
            reading.borrow_mut().close(&tag);
            Ok(())
        }));
    }
}

impl Reading {
    /// What stands at a byte.
    pub(crate) fn kind_at(&self, at: usize) -> Option<&Kind> {
        let number = self.regions.partition_point(|(range, _)| range.end <= at);
        self.regions.get(number).filter(|(range, _)| range.contains(&at)).map(|(_, kind)| kind)
    }

    fn region(&mut self, range: Range<usize>, kind: Kind) {
        if self.regions.len() < REGIONS && !range.is_empty() {
            self.regions.push((range, kind));
        }
    }

    fn element(&mut self, element: &Element<'_, '_>, tag: &str) {
        for attribute in element.attributes() {
            if let Some(location) = attribute.value_source_location() {
                let kind = Kind::Attribute { tag: tag.to_owned(), name: attribute.name() };
                self.region(location.bytes(), kind);
            }
        }
        tag.clone_into(&mut self.place.tag);
        self.place.area = None;
        match tag {
            "form" if self.forms.len() < FORMS => {
                let method = element.get_attribute("method").unwrap_or_default();
                let method = if method.trim().eq_ignore_ascii_case("post") { "POST" } else { "GET" };
                let action = element.get_attribute("action").filter(|action| !action.trim().is_empty());
                self.forms.push(Form { action, method: method.to_owned(), controls: Vec::new() });
                self.place.form = Some(self.forms.len() - 1);
            }
            "label" => {
                let wanted = element.get_attribute("for").unwrap_or_default();
                self.place.label = Some((wanted, String::new()));
            }
            "input" | "textarea" | "select" => self.control(element, tag),
            "table" => self.place.tables.push(Table::default()),
            "tr" => {
                self.close_cell();
                if let Some(table) = self.place.tables.last_mut() {
                    (table.column, table.row) = (0, None);
                }
            }
            "th" | "td" | "dt" | "dd" => self.begin(tag),
            _ => {}
        }
    }

    fn begin(&mut self, tag: &str) {
        self.close_cell();
        self.place.heading.clear();
        self.place.cell = match tag {
            "th" => Cell::Heading,
            "td" => Cell::Data,
            "dt" => Cell::Term,
            _ => Cell::Description,
        };
    }

    fn close(&mut self, tag: &str) {
        match tag {
            "form" => self.place.form = None,
            "label" => self.close_label(),
            "table" => drop(self.place.tables.pop()),
            _ => self.close_cell(),
        }
    }

    fn close_label(&mut self) {
        let Some((wanted, text)) = self.place.label.take() else { return };
        let guess = guess::by_words(&text, "its label");
        if !wanted.is_empty() && self.place.labels.len() < CONTROLS {
            self.place.labels.push((wanted, guess));
        }
    }

    fn close_cell(&mut self) {
        let guess = guess::by_words(&self.place.heading, "its heading");
        match std::mem::take(&mut self.place.cell) {
            Cell::Heading => {
                if let Some(table) = self.place.tables.last_mut() {
                    if table.has_cells || table.column == 0 {
                        table.row.clone_from(&guess);
                    }
                    if !table.has_cells && table.columns.len() < 500 {
                        table.columns.push(guess);
                    }
                    table.column += 1;
                }
            }
            Cell::Data => {
                if let Some(table) = self.place.tables.last_mut() {
                    table.column += 1;
                    table.has_cells = true;
                }
            }
            Cell::Term => self.place.term = guess,
            Cell::Description | Cell::None => {}
        }
    }

    fn control(&mut self, element: &Element<'_, '_>, tag: &str) {
        let attribute = |name: &str| element.get_attribute(name).unwrap_or_default();
        let kind = match tag {
            "input" => Some(attribute("type").trim().to_ascii_lowercase()).filter(|kind| !kind.is_empty()),
            other => Some(other.to_owned()),
        };
        let kind = kind.unwrap_or_else(|| "text".to_owned());
        let (name, id) = (attribute("name"), attribute("id"));
        let wrapping = self.place.label.as_ref().map(|(_, text)| text.clone()).unwrap_or_default();
        let guess = guess::by_autocomplete(&attribute("autocomplete"))
            .or_else(|| guess::by_type(&kind))
            .or_else(|| guess::by_words(&name, "its name"))
            .or_else(|| guess::by_words(&id, "its id"))
            .or_else(|| guess::by_words(&wrapping, "its label"))
            .or_else(|| guess::by_words(&attribute("placeholder"), "its placeholder"));
        let value = element.attributes().iter().find(|one| one.name() == "value");
        let value = value.and_then(|one| Some(one.value_source_location()?.bytes()));
        let control = Control {
            name,
            kind,
            longest: attribute("maxlength").parse().ok(),
            is_checked_by_pattern: element.has_attribute("pattern"),
            guess,
            value: value.filter(|range| tag == "input" && !range.is_empty()),
            id,
        };
        self.place.controls += 1;
        let form = self.place.form.and_then(|number| Some((number, self.forms.get_mut(number)?)));
        let room = self.place.controls <= CONTROLS;
        let Some((number, form)) = form.filter(|_| room) else {
            self.loose.extend(Some(control).filter(|_| room));
            return;
        };
        form.controls.push(control);
        if tag == "textarea" {
            self.place.area = Some((number, form.controls.len() - 1));
        }
    }

    fn text(&mut self, chunk: &TextChunk<'_>) {
        let range = chunk.source_location().bytes();
        let text = chunk.as_str();
        let tag = self.place.tag.clone();
        let kind = match chunk.text_type() {
            TextType::Data => Kind::Text(tag),
            TextType::RCData => Kind::Plain(tag),
            _ => Kind::Script(tag),
        };
        let shows = !matches!(kind, Kind::Script(_));
        self.region(range.clone(), kind);
        if !shows || text.trim().is_empty() {
            return;
        }
        if let Some((_, label)) = self.place.label.as_mut().filter(|(_, label)| label.len() < LABEL) {
            label.extend(text.chars().take(LABEL));
        }
        if let Some((form, control)) = self.place.area {
            self.forms[form].controls[control].value = Some(range);
            return;
        }
        let lead = text.len() - text.trim_start().len();
        let inner = range.start + lead..(range.start + lead + text.trim().len()).min(range.end);
        match self.place.cell {
            Cell::Heading | Cell::Term if self.place.heading.len() < LABEL => {
                self.place.heading.extend(text.chars().take(LABEL));
                self.place.heading.push(' ');
            }
            Cell::Data => {
                let table = self.place.tables.last();
                let guess = table.and_then(|table| {
                    table.row.clone().or_else(|| table.columns.get(table.column).cloned().flatten())
                });
                self.headed.extend(guess.map(|guess| (inner, guess)));
            }
            Cell::Description => {
                let guess = self.place.term.clone();
                self.headed.extend(guess.map(|guess| (inner, guess)));
            }
            _ => {}
        }
    }

    /// Gives the labels to the controls that they are for.
    fn label_controls(&mut self) {
        let labels = std::mem::take(&mut self.place.labels);
        let in_forms = self.forms.iter_mut().flat_map(|form| &mut form.controls);
        for control in in_forms.chain(&mut self.loose) {
            let label = labels.iter().find(|(id, _)| !id.is_empty() && *id == control.id);
            if let Some((_, Some(guess))) = label.filter(|_| control.guess.is_none()) {
                control.guess = Some(guess.clone());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::guess::Holds;
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn forms_and_their_labels_are_read() {
        let html = br#"<form method=post action="/workers"><label for=a>Geburtsdatum</label><input id=a type=date name=x1>
            <label>Telefon <input name=x2 maxlength=20></label><textarea name=note>hi</textarea>
            <input type=hidden name=csrf value=s><input type=email name=x3 value="j@w.example"></form><input name=loose>"#;
        let reading = read(html);
        assert_eq!((reading.forms.len(), reading.is_broken), (1, false));
        let form = &reading.forms[0];
        assert_eq!((form.method.as_str(), form.action.as_deref()), ("POST", Some("/workers")));
        let found: Vec<_> = form
            .controls
            .iter()
            .map(|one| (one.name.as_str(), one.guess.as_ref().map(|guess| guess.holds), one.is_typed()))
            .collect();
        assert_eq!(
            found,
            [
                ("x1", Some(Holds::BirthDate), true),
                ("x2", Some(Holds::Phone), true),
                ("note", Some(Holds::Note), true),
                ("csrf", None, false),
                ("x3", Some(Holds::Email), true),
            ]
        );
        assert_eq!(form.controls[1].longest, Some(20));
        let value = |number: usize| &html[form.controls[number].value.clone().expect("a value")];
        assert_eq!((value(2), value(4)), (&b"hi"[..], &b"j@w.example"[..]));
    }

    #[test]
    fn headings_say_what_stands_under_them() {
        let html = "<table><tr><th>Nr<th>Name<tr><td>1<td> Jana Muster <tr><td>2<td>Otto</table>
            <table><tr><th>E-Mail</th><td>a</td></tr><tr><th>Ort</th><td>b</td></tr></table>
            <dl><dt>Telefon</dt><dd>123</dd><dt>x</dt><dd>456</dd></dl>";
        let reading = read(html.as_bytes());
        let found: Vec<_> =
            reading.headed.iter().map(|(range, guess)| (&html[range.clone()], guess.holds)).collect();
        let want = [
            ("Jana Muster", Holds::Name),
            ("Otto", Holds::Name),
            ("a", Holds::Email),
            ("b", Holds::City),
            ("123", Holds::Phone),
        ];
        assert_eq!(found, want);
    }

    #[test]
    fn each_stretch_is_what_it_is() {
        let html = "<p title='a'>b</p><script>c</script><!-- d --><title>e</title>";
        let reading = read(html.as_bytes());
        let says = |text: &str| {
            let at = html.find(text).expect("there");
            reading.kind_at(at).map(Kind::says).unwrap_or_default()
        };
        assert_eq!(says("a'"), "attribute `title` of <p>");
        assert_eq!(says("b<"), "text behind <p>");
        assert_eq!(says("c<"), "inside <script>");
        assert_eq!(says("d -"), "a comment");
        assert_eq!(says("e<"), "text of <title>");
    }

    proptest! {
        #[test]
        fn no_page_panics(html in "(<|</|>|table|tr|th|td|dl|dt|dd|form|label|input|textarea|name=|value=|'|\"| |a|=|!--|-->|script|title|&#64;|ä){0,60}") {
            let reading = read(html.as_bytes());
            prop_assert!(reading.regions.windows(2).all(|two| two[0].0.start <= two[1].0.start), "in order");
            for (range, _) in &reading.headed { prop_assert!(range.end <= html.len()); }
        }

        #[test]
        fn no_bytes_panic(html in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = read(&html);
        }
    }
}
