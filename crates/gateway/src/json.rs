//! Where the strings of a JSON text stand (RFC 8259), so that some can be replaced and all other bytes stay as they are:
//! numbers keep their digits, members their order.
//!
//! A text is walked once, and nothing is kept of it but the names of the objects that are open. A client's names may be as
//! long as its body: the way to each string, kept, would be the square of it.

use crate::names::caseless;
use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::ops::Range;

/// Deepest nesting.
const DEPTH: usize = 100;

/// Why a text was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum JsonError {
    /// Not JSON.
    Syntax,
    /// Two members of one name, or of two that could be taken for one: two programs could take either.
    Twice,
    /// A name that programs would read differently.
    Name,
    /// Too deep.
    Size,
}

/// What stands in a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    /// A string, without its quotes.
    Text(Range<usize>),
    Null,
    Other,
}

/// One step of the way to a value.
#[derive(Clone, Debug)]
pub(crate) enum Step<'a> {
    Member(Cow<'a, str>),
    Item(usize),
}

/// Who looks on while a text is walked.
pub(crate) trait Follow {
    /// What is remembered of the way to a value.
    type Place: Copy;
    /// The place of the whole.
    fn root(&self) -> Self::Place;
    /// The place one step further.
    fn step(&self, from: Self::Place, step: &Step<'_>) -> Result<Self::Place, JsonError>;
    /// A value, and the way to it.
    fn value(
        &mut self,
        at: Self::Place,
        way: Way<'_, '_, Self::Place>,
        value: Value,
    ) -> Result<(), JsonError>;
}

/// An object or list that is open.
struct Frame<'a, P> {
    /// The names so far, for an object.
    names: Option<HashSet<Cow<'a, str>>>,
    step: Step<'a>,
    from: P,
    at: P,
}

/// The way to a value.
pub(crate) struct Way<'w, 'a, P>(&'w [Frame<'a, P>]);

impl<P> Way<'_, '_, P> {
    /// As a pointer (RFC 6901).
    pub(crate) fn pointer(&self) -> String {
        let mut pointer = String::new();
        for frame in self.0 {
            pointer.push('/');
            match &frame.step {
                Step::Member(name) => pointer.push_str(&name.replace('~', "~0").replace('/', "~1")),
                Step::Item(index) => pointer.push_str(&index.to_string()),
            }
        }
        pointer
    }
}

/// Walks a text. Memory is that of the open objects' names; time is linear in the text.
pub(crate) fn walk<F: Follow>(json: &[u8], follow: &mut F) -> Result<(), JsonError> {
    let text = std::str::from_utf8(json).map_err(|_| JsonError::Syntax)?;
    // The library says whether it is JSON at all; what follows may then rely on it.
    serde_json::from_str::<serde::de::IgnoredAny>(text).map_err(|_| JsonError::Syntax)?;
    Walk { json, at: 0, frames: Vec::new(), follow, want_name: false }.run()
}

/// All strings that are values, in order, each with the way to it.
pub(crate) fn texts(json: &[u8], see: impl FnMut(Way<'_, '_, ()>, Range<usize>)) -> Result<(), JsonError> {
    struct Each<S>(S);
    impl<S: FnMut(Way<'_, '_, ()>, Range<usize>)> Follow for Each<S> {
        type Place = ();
        fn root(&self) {}
        fn step(&self, (): (), _: &Step<'_>) -> Result<(), JsonError> {
            Ok(())
        }
        fn value(&mut self, (): (), way: Way<'_, '_, ()>, value: Value) -> Result<(), JsonError> {
            if let Value::Text(range) = value {
                (self.0)(way, range);
            }
            Ok(())
        }
    }
    walk(json, &mut Each(see))
}

/// What a string between its quotes says.
pub(crate) fn decoded(json: &[u8], range: &Range<usize>) -> Option<String> {
    serde_json::from_slice(json.get(range.start.checked_sub(1)?..=range.end)?).ok()
}

struct Walk<'a, 'f, F: Follow> {
    json: &'a [u8],
    at: usize,
    frames: Vec<Frame<'a, F::Place>>,
    follow: &'f mut F,
    want_name: bool,
}

impl<'a, F: Follow> Walk<'a, '_, F> {
    fn run(&mut self) -> Result<(), JsonError> {
        while let Some(&byte) = self.json.get(self.at) {
            match byte {
                b'"' => self.string()?,
                b'{' => self.enter(Some(HashSet::new()), Step::Member(Cow::Borrowed("")))?,
                b'[' => self.enter(None, Step::Item(0))?,
                b'}' | b']' => {
                    self.frames.pop();
                    self.want_name = false;
                }
                b',' => self.next()?,
                b':' | b' ' | b'\t' | b'\r' | b'\n' => {}
                _ => self.scalar(byte)?,
            }
            self.at += 1;
        }
        Ok(())
    }

    fn place(&self) -> F::Place {
        self.frames.last().map_or_else(|| self.follow.root(), |frame| frame.at)
    }

    fn tell(&mut self, value: Value) -> Result<(), JsonError> {
        let at = self.place();
        self.follow.value(at, Way(&self.frames), value)
    }

    fn enter(&mut self, names: Option<HashSet<Cow<'a, str>>>, step: Step<'a>) -> Result<(), JsonError> {
        self.tell(Value::Other)?;
        if self.frames.len() >= DEPTH {
            return Err(JsonError::Size);
        }
        self.want_name = names.is_some();
        let from = self.place();
        // The place within an object is that of its first name, which comes next.
        let at = if self.want_name { from } else { self.follow.step(from, &step)? };
        self.frames.push(Frame { names, step, from, at });
        Ok(())
    }

    fn next(&mut self) -> Result<(), JsonError> {
        let frame = self.frames.last_mut().ok_or(JsonError::Syntax)?;
        match &mut frame.step {
            Step::Member(_) => self.want_name = true,
            Step::Item(index) => {
                *index += 1;
                frame.at = self.follow.step(frame.from, &frame.step)?;
            }
        }
        Ok(())
    }

    fn scalar(&mut self, first: u8) -> Result<(), JsonError> {
        self.tell(if first == b'n' { Value::Null } else { Value::Other })?;
        let rest = self.json.get(self.at + 1..).unwrap_or_default();
        self.at += rest.iter().take_while(|byte| !b",]} \t\r\n".contains(byte)).count();
        Ok(())
    }

    fn string(&mut self) -> Result<(), JsonError> {
        let start = self.at + 1;
        let mut end = start;
        loop {
            match self.json.get(end).ok_or(JsonError::Syntax)? {
                b'"' => break,
                b'\\' => end += 2,
                _ => end += 1,
            }
        }
        self.at = end;
        if self.want_name { self.name(start..end) } else { self.tell(Value::Text(start..end)) }
    }

    fn name(&mut self, range: Range<usize>) -> Result<(), JsonError> {
        self.want_name = false;
        let written = self.json.get(range.clone()).ok_or(JsonError::Syntax)?;
        let name = if written.contains(&b'\\') {
            Cow::Owned(decoded(self.json, &range).ok_or(JsonError::Syntax)?)
        } else {
            Cow::Borrowed(std::str::from_utf8(written).map_err(|_| JsonError::Syntax)?)
        };
        let frame = self.frames.last_mut().ok_or(JsonError::Syntax)?;
        if !frame.names.get_or_insert_default().insert(name.clone()) {
            return Err(JsonError::Twice);
        }
        frame.step = Step::Member(name);
        frame.at = self.follow.step(frame.from, &frame.step)?;
        Ok(())
    }
}

/// Declared members of a body, made ready once for all bodies.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pointers {
    all: Vec<String>,
    exact: Tree,
    alike: Tree,
}

/// The ways of several pointers, from a common root.
#[derive(Clone, Debug)]
struct Tree(Vec<Node>);

#[derive(Clone, Debug, Default)]
struct Node {
    steps: HashMap<String, usize>,
    /// The numbers of the pointers that end here.
    ends: Vec<usize>,
}

impl Default for Tree {
    fn default() -> Self {
        Self(vec![Node::default()])
    }
}

impl Tree {
    fn add(&mut self, steps: impl Iterator<Item = String>, number: usize) {
        let mut at = 0;
        for step in steps {
            let fresh = self.0.len();
            let next = *self.0[at].steps.entry(step).or_insert(fresh);
            if next == fresh {
                self.0.push(Node::default());
            }
            at = next;
        }
        self.0[at].ends.push(number);
    }

    fn ends(&self, node: Option<usize>) -> &[usize] {
        node.map_or(&[], |node| &self.0[node].ends)
    }
}

impl Pointers {
    /// These pointers (RFC 6901), numbered from 0. What stands under one of `refused` is refused whatever it is.
    pub(crate) fn new(pointers: &[&str], refused: &[&str]) -> Self {
        fn steps(pointer: &str) -> impl Iterator<Item = String> {
            pointer.split('/').skip(1).map(|step| step.replace("~1", "/").replace("~0", "~"))
        }
        let caseless = |step: String| caseless(&step).into_owned();
        let mut all = Self::default();
        for pointer in pointers {
            all.exact.add(steps(pointer), all.all.len());
            all.alike.add(steps(pointer).map(caseless), all.all.len());
            all.all.push((*pointer).to_owned());
        }
        for pointer in refused {
            // A number that no exact way ends with.
            all.alike.add(steps(pointer).map(caseless), usize::MAX);
        }
        all
    }

    /// All of them, by their numbers.
    pub(crate) fn all(&self) -> &[String] {
        &self.all
    }

    /// The number of one.
    pub(crate) fn number(&self, pointer: &str) -> Option<usize> {
        self.all.iter().position(|one| one == pointer)
    }

    /// Where the string stands that each of them names; none where there is none, or `null`.
    pub(crate) fn pick(&self, json: &[u8]) -> Result<Vec<Option<Range<usize>>>, JsonError> {
        let mut picking = Picking { pointers: self, found: vec![None; self.all.len()] };
        walk(json, &mut picking)?;
        Ok(picking.found)
    }
}

struct Picking<'p> {
    pointers: &'p Pointers,
    found: Vec<Option<Range<usize>>>,
}

/// Where the ways of the pointers have led to, read exactly and without regard to case.
#[derive(Clone, Copy)]
struct Reached {
    exact: Option<usize>,
    alike: Option<usize>,
}

impl Follow for Picking<'_> {
    type Place = Reached;

    fn root(&self) -> Reached {
        Reached { exact: Some(0), alike: Some(0) }
    }

    fn step(&self, from: Reached, step: &Step<'_>) -> Result<Reached, JsonError> {
        if let Step::Member(name) = step
            && name.chars().any(char::is_control)
        {
            return Err(JsonError::Name);
        }
        let Pointers { exact, alike, .. } = self.pointers;
        let Some(node) = from.alike.map(|node| &alike.0[node]).filter(|node| !node.steps.is_empty()) else {
            return Ok(Reached { exact: None, alike: None });
        };
        let name = match step {
            Step::Member(name) => Cow::Borrowed(&**name),
            Step::Item(index) => Cow::Owned(index.to_string()),
        };
        let exact = from.exact.and_then(|node| exact.0[node].steps.get(&*name).copied());
        Ok(Reached { exact, alike: node.steps.get(&*caseless(&name)).copied() })
    }

    fn value(&mut self, at: Reached, _: Way<'_, '_, Reached>, value: Value) -> Result<(), JsonError> {
        let exact = self.pointers.exact.ends(at.exact);
        for number in self.pointers.alike.ends(at.alike) {
            match &value {
                _ if !exact.contains(number) => return Err(JsonError::Twice),
                Value::Text(range) => self.found[*number] = Some(range.clone()),
                Value::Null => {}
                // A number in the place of a text would pass by the rule.
                Value::Other => return Err(JsonError::Twice),
            }
        }
        Ok(())
    }
}

/// A text as the inside of a JSON string that may also stand in a page: `<`, `>`, `&` and the line ends of JavaScript
/// are escaped.
pub(crate) fn escaped(text: &str) -> String {
    let quoted = serde_json::to_string(text).unwrap_or_default();
    let inside = quoted.get(1..quoted.len().saturating_sub(1)).unwrap_or_default();
    let mut out = String::with_capacity(inside.len());
    for char in inside.chars() {
        match char {
            '<' => out.push_str("\\u003c"),
            '>' => out.push_str("\\u003e"),
            '&' => out.push_str("\\u0026"),
            '\u{2028}' => out.push_str("\\u2028"),
            '\u{2029}' => out.push_str("\\u2029"),
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn listed(json: &[u8]) -> Result<Vec<(String, String)>, JsonError> {
        let mut all = Vec::new();
        texts(json, |way, range| all.push((way.pointer(), decoded(json, &range).expect("text"))))?;
        Ok(all)
    }

    fn picked(json: &str, pointers: &[&str]) -> Result<Vec<Option<String>>, JsonError> {
        let found = Pointers::new(pointers, &[]).pick(json.as_bytes())?;
        let text =
            |range: Option<Range<usize>>| range.map(|range| decoded(json.as_bytes(), &range).expect("text"));
        Ok(found.into_iter().map(text).collect())
    }

    #[test]
    fn each_string_has_its_pointer() {
        let json = br#" {"a":"x","b":[1,"y",{"c/d~":"z\"q"}],"e":{"f":1.50,"g":["h",[ "i"]]},"k":"" } "#;
        let want = [
            ("/a", "x"),
            ("/b/1", "y"),
            ("/b/2/c~1d~0", "z\"q"),
            ("/e/g/0", "h"),
            ("/e/g/1/0", "i"),
            ("/k", ""),
        ];
        assert_eq!(
            listed(json),
            Ok(want.map(|(pointer, text)| (pointer.to_owned(), text.to_owned())).to_vec())
        );
        assert_eq!(listed(br#""alone""#), Ok(vec![(String::new(), "alone".to_owned())]));
    }

    #[test]
    fn what_could_be_read_in_two_ways_is_refused() {
        assert_eq!(listed(br#"{"a":"x","\u0061":"y"}"#), Err(JsonError::Twice));
        assert_eq!(listed(br#"{"a":"x"} {"#), Err(JsonError::Syntax));
        assert_eq!(listed(b"{'a':1}"), Err(JsonError::Syntax));
        assert_eq!(listed(b"{\"a\":\"\xff\"}"), Err(JsonError::Syntax));
        assert_eq!(listed(["[".repeat(101), "]".repeat(101)].concat().as_bytes()), Err(JsonError::Size));
        for alike in [
            r#"{"A":"x"}"#,
            r#"{"a":"x","A":7}"#,
            r#"{"A":null}"#,
            r#"{"a":7}"#,
            r#"{"a":{}}"#,
            r#"{"a":[]}"#,
        ] {
            assert_eq!(picked(alike, &["/a"]), Err(JsonError::Twice), "{alike}");
        }
        assert_eq!(picked(r#"{"a":"x","a\u0000":"y"}"#, &["/a"]), Err(JsonError::Name));
        assert_eq!(
            picked(r#"{"a":null,"b":["x",{"c":"y"}]}"#, &["/a", "/b/1/c", "/b/0", "/d"]),
            Ok(vec![None, Some("y".to_owned()), Some("x".to_owned()), None])
        );
    }

    /// Before the way to each string was forgotten, this was a terabyte.
    #[test]
    fn long_names_cost_their_length_once() {
        let name = "n".repeat(1 << 20);
        let json = format!("{{\"{name}\":[{}\"\"],\"a\":\"x\"}}", "\"\",".repeat(1 << 20));
        let pointers = [format!("/{name}/77"), "/a".to_owned(), format!("/{}/77", "m".repeat(1 << 20))];
        let pointers: Vec<&str> = pointers.iter().map(String::as_str).collect();
        assert_eq!(picked(&json, &pointers), Ok(vec![Some(String::new()), Some("x".to_owned()), None]));
        let mut count = 0;
        texts(json.as_bytes(), |_, _| count += 1).expect("json");
        assert_eq!(count, (1 << 20) + 2);
    }

    #[test]
    fn nothing_breaks_out_of_a_page() {
        assert_eq!(escaped("</script>&\"\\\u{2028}ü"), "\\u003c/script\\u003e\\u0026\\\"\\\\\\u2028ü");
    }

    fn document() -> impl Strategy<Value = serde_json::Value> {
        let name = prop_oneof!["[abAB]", Just("a/b".to_owned()), Just("~".to_owned()), "[01]"];
        let leaf = prop_oneof![
            Just(serde_json::Value::Null),
            any::<i32>().prop_map(serde_json::Value::from),
            "[a\"\\\\ü]{0,3}".prop_map(serde_json::Value::from),
        ];
        leaf.prop_recursive(4, 24, 4, move |inner| {
            let members = proptest::collection::hash_map(name.clone(), inner.clone(), 0..4);
            prop_oneof![
                proptest::collection::vec(inner, 0..4).prop_map(serde_json::Value::from),
                members.prop_map(|all| serde_json::Value::Object(all.into_iter().collect())),
            ]
        })
    }

    fn pointer() -> impl Strategy<Value = String> {
        let step = prop_oneof!["[abAB]", Just("a~1b".to_owned()), Just("~0".to_owned()), "[01]"];
        proptest::collection::vec(step, 1..4).prop_map(|steps| format!("/{}", steps.join("/")))
    }

    /// Every value with its pointer.
    fn all_values<'v>(
        value: &'v serde_json::Value,
        at: &str,
        into: &mut Vec<(String, &'v serde_json::Value)>,
    ) {
        into.push((at.to_owned(), value));
        match value {
            serde_json::Value::Array(items) => {
                items
                    .iter()
                    .enumerate()
                    .for_each(|(number, one)| all_values(one, &format!("{at}/{number}"), into));
            }
            serde_json::Value::Object(members) => members.iter().for_each(|(name, one)| {
                let name = name.replace('~', "~0").replace('/', "~1");
                all_values(one, &format!("{at}/{name}"), into);
            }),
            _ => {}
        }
    }

    /// The same as [`Pointers::pick`], by the pointer of each value.
    fn naive(document: &serde_json::Value, pointers: &[String]) -> Result<Vec<Option<String>>, JsonError> {
        let mut values = Vec::new();
        all_values(document, "", &mut values);
        let one = |pointer: &String| {
            let alike = |(at, _): &&(String, _)| at.to_lowercase() == pointer.to_lowercase();
            match values.iter().filter(alike).collect::<Vec<_>>()[..] {
                [] => Ok(None),
                [(at, value)] if at == pointer && (value.is_string() || value.is_null()) => {
                    Ok(value.as_str().map(str::to_owned))
                }
                _ => Err(JsonError::Twice),
            }
        };
        pointers.iter().map(one).collect()
    }

    proptest! {
        #[test]
        fn what_is_picked_is_what_a_naive_reader_finds(
            document in document(), pointers in proptest::collection::vec(pointer(), 0..5),
        ) {
            let json = serde_json::to_string_pretty(&document).expect("json");
            let names: Vec<&str> = pointers.iter().map(String::as_str).collect();
            prop_assert_eq!(picked(&json, &names), naive(&document, &pointers), "{}", json);
        }

        #[test]
        fn what_is_listed_is_what_a_naive_reader_finds(document in document()) {
            let mut values = Vec::new();
            all_values(&document, "", &mut values);
            let want = values.into_iter().filter_map(|(at, value)| Some((at, value.as_str()?.to_owned())));
            let json = serde_json::to_vec(&document).expect("json");
            prop_assert_eq!(listed(&json), Ok(want.collect()));
        }

        #[test]
        fn what_is_escaped_reads_back(text in any::<String>()) {
            let back: String = serde_json::from_str(&format!("\"{}\"", escaped(&text))).expect("json");
            prop_assert_eq!(back, text);
        }

        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = listed(&bytes);
            let _ = Pointers::new(&["/a"], &["/b"]).pick(&bytes);
        }
    }
}
