//! What is counted: inputs against everything that could take longer than their length.

use crate::requests::{core, core_rules, engine, form, inspect, pack, posted};
use shield::body::{Limits, Processor};
use shield::message::Request;
use shield::transform::Transformation;
use shield::{Engine, Refusal, operator, seclang};
use std::hint::black_box;
use std::sync::Arc;

/// One kind of input.
pub(crate) struct Shape {
    pub(crate) name: String,
    /// The smallest size; what it counts is the shape's affair.
    pub(crate) size: usize,
    /// Makes an input of a size and gives what is to be done with it.
    pub(crate) work: Box<dyn Fn(usize) -> Box<dyn FnMut()>>,
}

fn shape(name: impl Into<String>, size: usize, work: impl Fn(usize) -> Box<dyn FnMut()> + 'static) -> Shape {
    Shape { name: name.into(), size, work: Box::new(work) }
}

/// Pieces of which a long run begins, again and again, what is never completed, or completes it over and over.
const PIECES: &[&str] = &[
    "/*",
    "*/",
    "/*/",
    "<!--",
    "-->",
    "--",
    "#",
    "'",
    "\"",
    "`",
    "''''",
    "(",
    ")",
    "((a",
    "[",
    "{",
    "{{",
    "${",
    "$(",
    "&#x41;",
    "&#x",
    "&#",
    "&lt",
    "&",
    "%",
    "%2",
    "%25",
    "%u",
    "%u0041",
    "%252525",
    "+",
    "\\",
    "\\u0041",
    "\\x4",
    "\\\\",
    "QUJD",
    "QUJD=",
    "0x",
    "0x41",
    "\0",
    " ",
    "\t\n",
    "\r\n",
    "<a ",
    "<a b=",
    "<a b='",
    "<",
    "</",
    "<![CDATA[",
    "<?",
    "<!",
    "1 or ",
    "1 or 1=1 ",
    "1,",
    "1e",
    "e.e",
    "a.",
    "a.b",
    "@",
    "@@a",
    "$a$",
    "select ",
    "union select ",
    "..\\",
    "../",
    "./",
    "//",
    "/a/..",
    "a/../",
    ";",
    "|",
    "^",
    "~",
    "!",
    "=",
    "a=b ",
    "eval(",
    "select",
    "script",
    "on",
    "onx=",
    "javascript:",
    "x'",
    "n'",
    "q'[",
    "{`",
    "\u{fc}",
    "\u{ff1c}",
    "\u{a0}",
    "1",
    "a",
    "A",
    "_",
    ".",
    ",",
    ":",
    "http://",
    "file:",
    "a@",
    "4111 ",
    "123-45-6789",
    "1111111111111111",
    "\u{2028}",
    "x=",
    "href=",
    "style=",
    "url(",
    "import ",
    "data:",
    "sp_",
    "if(",
];

/// About `size` bytes of one piece.
fn run(piece: &str, size: usize) -> String {
    piece.repeat(size / piece.len() + 1)
}

/// About `size` bytes of all pieces in turn, `step` apart, so that neighbours differ from run to run.
fn mixed(size: usize, step: usize) -> String {
    let mut text = String::new();
    for at in (0..).step_by(step) {
        if text.len() >= size {
            return text;
        }
        text.push_str(PIECES[at % PIECES.len()]);
    }
    text
}

fn escaped(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02x}")).collect()
}

/// A function on a run of each piece, each run by itself, and on a mixture.
fn on_runs(name: impl Into<String>, size: usize, function: impl Fn(&[u8]) + Copy + 'static) -> Shape {
    shape(name, size, move |size| {
        let mut texts: Vec<String> = PIECES.iter().map(|piece| run(piece, size)).collect();
        texts.extend([mixed(size, 1), mixed(size, 7)]);
        Box::new(move || texts.iter().for_each(|text| function(black_box(text.as_bytes()))))
    })
}

/// Functions by themselves.
pub(crate) fn of_parts() -> Vec<Shape> {
    let mut shapes: Vec<Shape> = Transformation::ALL
        .iter()
        .map(|&transformation| {
            on_runs(format!("t:{}", transformation.name()), 1_000, move |value| {
                let mut out = Vec::new();
                black_box(transformation.apply(value, &mut out));
            })
        })
        .collect();
    shapes.extend([
        on_runs("@detectSQLi", 1_000, |value| {
            black_box(operator::detect_sqli(value));
        }),
        on_runs("@detectXSS", 1_000, |value| {
            black_box(operator::detect_xss(value));
        }),
        on_runs("@containsWord", 1_000, |value| {
            black_box(operator::contains_word(value, b"a/../a"));
        }),
        on_runs("@validateUrlEncoding", 1_000, |value| {
            black_box(operator::has_wrong_escape(value));
        }),
        on_runs("@validateUtf8Encoding", 1_000, |value| {
            black_box(operator::is_not_utf8(value));
        }),
        on_runs("numbers with check digits", 1_000, |value| {
            black_box([
                operator::is_card(value),
                operator::is_cpf(value),
                operator::is_ssn(value),
                operator::is_svnr(value),
            ]);
        }),
    ]);
    shapes.extend(bodies());
    shapes.extend(rules());
    shapes
}

/// A reader of bodies alone, under limits that do not end it.
fn body(name: &str, media: &'static str, size: usize, text: impl Fn(usize) -> String + 'static) -> Shape {
    shape(format!("body: {name}"), size, move |size| {
        let body = text(size);
        let limits = Limits {
            arguments: usize::MAX,
            argument_bytes: usize::MAX,
            parts: usize::MAX,
            part_headers: usize::MAX,
            part_header_bytes: usize::MAX,
            ..Limits::default()
        };
        Box::new(move || {
            let processor = Processor::of(media.as_bytes()).expect("a media type that is read");
            black_box(processor.parse(body.as_bytes(), media.as_bytes(), &limits));
        })
    })
}

const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json";
const XML: &str = "text/xml";
const PARTS: &str = "multipart/form-data; boundary=edge";

/// A multipart body with `count` parts.
fn multipart(count: usize, value: &str) -> String {
    let part = |number| {
        format!(
            "--edge\r\nContent-Disposition: form-data; name=\"f{number}\"; filename=\"{number}.txt\"\r\n\r\n{value}\r\n"
        )
    };
    (0..count).map(part).collect::<String>() + "--edge--\r\n"
}

/// A JSON document with `count` chains of objects in objects.
fn deep_json(count: usize) -> String {
    let chain = format!("{}1{}", "{\"level\":".repeat(60), "}".repeat(60));
    format!("[{}]", vec![chain; count].join(","))
}

fn bodies() -> Vec<Shape> {
    let single = |head: &'static str, tail: &'static str| {
        move |size| format!("--edge\r\n{head}{tail}\r\n\r\nx\r\n--edge--\r\n", tail = run(tail, size))
    };
    vec![
        body("form, many arguments", FORM, 500, |count| run("a=b&c&", count * 4)),
        body("form, one argument", FORM, 10_000, |size| format!("a={}", run("%25%u0041+%", size))),
        body("form, no value", FORM, 10_000, |size| run("&=", size)),
        body("JSON, wide", JSON, 500, |count| format!("[{}1]", "{\"a\":\"b\"},".repeat(count))),
        body("JSON, deep again and again", JSON, 20, deep_json),
        body("JSON, one text of escapes", JSON, 10_000, |size| {
            format!("[\"{}\"]", run("\\u0041\\n\\\\", size))
        }),
        body("JSON, half a text", JSON, 10_000, |size| format!("[\"{}", run("\\\"", size))),
        body("JSON, brackets", JSON, 10_000, |size| run("[", size)),
        body("XML, wide", XML, 500, |count| format!("<a>{}</a>", "<b c='d'>e</b>".repeat(count))),
        body("XML, entities", XML, 5_000, |size| format!("<a>{}</a>", run("&#x41;&amp;", size))),
        body("XML, attributes", XML, 300, |count| {
            format!("<a {}/>", (0..count).map(|number| format!("b{number}='&lt;' ")).collect::<String>())
        }),
        body("XML, attributes of one name", XML, 300, |count| format!("<a {}/>", "b='' ".repeat(count))),
        body("XML, comments and CDATA", XML, 5_000, |size| {
            format!("<a>{}</a>", run("<!--x--><![CDATA[<y>]]>]", size))
        }),
        body("XML, half a comment", XML, 5_000, |size| format!("<a><!--{}", run("--", size))),
        body("multipart, parts", PARTS, 50, |count| multipart(count, "x")),
        body("multipart, nearly boundaries", PARTS, 5_000, |size| multipart(1, &run("\r\n--edg", size))),
        body("multipart, line ends", PARTS, 5_000, |size| multipart(1, &run("\r\n", size))),
        body("multipart, one long header", PARTS, 5_000, single("X: ", "a;\"\\")),
        body("multipart, folded header", PARTS, 5_000, single("Content-Disposition: form-data", "\r\n ;a=b")),
        body("multipart, many headers", PARTS, 5_000, single("X: a", "\r\nY: b")),
        body("multipart, same file again", PARTS, 50, |count| {
            run(&multipart(1, "x").replace("--edge--\r\n", ""), count * 80)
        }),
    ]
}

/// Text of rules, read and compiled; `count` is how many.
fn rule_text(name: &str, count: usize, rule: impl Fn(usize) -> String + 'static) -> Shape {
    shape(format!("rules: {name}"), count, move |count| {
        let text: String = (1..=count).map(&rule).collect();
        Box::new(move || drop(black_box(engine(&text))))
    })
}

/// A rule with this number, target, operator and further actions.
fn rule(id: usize, target: &str, operator: &str, actions: &str) -> String {
    format!("SecRule {target} \"{operator}\" \"id:{id},phase:2,pass,nolog{actions}\"\n")
}

fn rules() -> Vec<Shape> {
    vec![
        rule_text("different patterns", 20, |id| {
            rule(id, "ARGS", &format!("@rx word{id}[a-z]+end"), ",t:lowercase")
        }),
        rule_text("one pattern", 100, |id| rule(id, "ARGS|!ARGS:a", "@rx word[a-z]+end", ",capture")),
        rule_text("different lists", 50, |id| {
            rule(id, "ARGS", &format!("@pm one{id} two{id} three{id}"), "")
        }),
        rule_text("different targets", 50, |id| rule(id, &format!("ARGS:a{id}|!ARGS:b{id}"), "@rx word", "")),
        rule_text("names of their own", 100, |id| {
            rule(id, &format!("TX:a{id}"), "@eq 1", &format!(",setvar:'tx.b{id}=%{{tx.c{id}}}',tag:'t{id}'"))
        }),
        rule_text("chains", 50, |id| {
            rule(id, "ARGS", "@streq a", ",chain") + "SecRule ARGS \"@streq b\" \"t:none\"\n"
        }),
        rule_text("jumps", 50, |id| {
            rule(id, "ARGS", "@streq a", &format!(",skipAfter:END{id}")) + &format!("SecMarker END{id}\n")
        }),
        rule_text("one jump over all", 100, |id| rule(id, "ARGS", "@streq a", ",skip:1")),
        rule_text("removals", 50, |id| {
            rule(id, "ARGS", "@streq a", "") + &format!("SecRuleRemoveById {id}\n")
        }),
        rule_text("removals by tag", 50, |id| {
            rule(id, "ARGS", "@streq a", &format!(",tag:'t{id}'")) + &format!("SecRuleRemoveByTag t{id}\n")
        }),
        rule_text("changes of targets", 50, |id| {
            rule(id, "ARGS", "@rx word", "") + &format!("SecRuleUpdateTargetById {id} !ARGS:a{id}\n")
        }),
        rule_text("controls", 50, |id| {
            rule(id, "ARGS", "@rx word", &format!(",ctl:ruleRemoveTargetById={};ARGS:a", id + 1))
        }),
        shape("rules: one long pattern", 500, |size| {
            let text = rule(1, "ARGS", &format!("@rx a(?:{}b)", run("(?:ab|cd?)", size)), "");
            Box::new(move || drop(black_box(engine(&text))))
        }),
        // As long as lists of rule sets are: with ten thousands, the library renumbers the states of its automaton in quadratic time.
        shape("rules: one long list", 100, |count| {
            let list: String = (0..count).map(|word| format!(" word{word}")).collect();
            let text = rule(1, "ARGS", &format!("@pm{list}"), "");
            Box::new(move || drop(black_box(engine(&text))))
        }),
        shape("rules: one long list of targets", 100, |count| {
            let targets: Vec<String> =
                (0..count).map(|number| format!("ARGS:a{number}|!ARGS:b{number}")).collect();
            let text = rule(1, &targets.join("|"), "@rx word", "");
            Box::new(move || drop(black_box(engine(&text))))
        }),
        shape("rules: one long list of actions", 200, |count| {
            let actions: String =
                (0..count).map(|number| format!(",setvar:'tx.a{number}=+%{{tx.b}}'")).collect();
            let text = rule(1, "ARGS", "@rx word", &actions);
            Box::new(move || drop(black_box(engine(&text))))
        }),
        shape("rules: syntax alone", 10_000, |size| {
            let text = format!("SecAction \"id:1,msg:'{}'\"\n", run("\\'%{tx.a} \\\n", size));
            Box::new(move || drop(black_box(seclang::parse("rules.conf", &text))))
        }),
    ]
}

/// One request through an engine. A limit that ends the work early would hide how it grows.
fn request(
    name: &str,
    size: usize,
    (engine, sift): (&Arc<Engine>, bool),
    request: impl Fn(usize) -> Request + 'static,
) -> Shape {
    up_to(None, name, size, (engine, sift), request)
}

/// The same with the limit that it meets.
fn up_to(
    limit: Option<Refusal>,
    name: &str,
    size: usize,
    (engine, sift): (&Arc<Engine>, bool),
    request: impl Fn(usize) -> Request + 'static,
) -> Shape {
    let engine = engine.clone();
    shape(name, size, move |size| {
        let (engine, request) = (engine.clone(), request(size));
        Box::new(move || assert_eq!(inspect(&engine, black_box(&request), sift), limit))
    })
}

/// Requests of all kinds through one engine.
fn requests(engine: &Arc<Engine>) -> Vec<Shape> {
    let sifting = (engine, true);
    let mut shapes = vec![
        request("literals of all kinds in one value", 1_000, sifting, |size| {
            form(format!("a={}", escaped(&literals(size))))
        }),
        request("a run of each piece", 200, sifting, |size| form(each_run(size))),
        request("a run of each piece, every pattern tried", 100, (engine, false), |size| {
            form(each_run(size))
        }),
        request("many arguments", 50, sifting, |count| {
            form((0..count).map(|at| format!("{}{at}={at}{}&", word(at), word(at + 3))).collect())
        }),
        request("names of arguments", 50, sifting, |count| {
            form((0..count).map(|at| format!("{}{at}%5B{}%5D=&", word(at), word(at + 7))).collect())
        }),
        request("one long header", 1_000, sifting, |size| {
            form(String::new()).with_header("X-Long", &literals(size).replace(['\r', '\n', '\0'], ""))
        }),
        request("many cookies", 25, sifting, |count| {
            let cookies: Vec<String> = (0..count).map(|at| format!("c{at}={}", word(at))).collect();
            form(String::new()).with_header("Cookie", &cookies.join("; "))
        }),
        request("long target", 1_000, sifting, |size| {
            Request::new("GET", &format!("/{}", run("..%5c..%2f%u002e./", size)))
                .with_header("Host", "app.example.org")
        }),
        request("layers of percent signs", 1_000, sifting, |size| {
            form(format!("a=%{}41", "25".repeat(size / 2)))
        }),
        request("deep JSON", 2, sifting, |count| posted(JSON, deep_json(count))),
        request("wide JSON", 100, sifting, |count| {
            let values: Vec<String> =
                (0..count).map(|at| format!("{{\"k{at}\":\"{}\"}}", word(at))).collect();
            posted(JSON, format!("[{}]", values.join(",")))
        }),
        request("wide XML", 50, sifting, |count| {
            let element = |at| format!("<e a='{at}{}'>{at}&#x3c;{}&lt;</e>", word(at), word(at + 5));
            posted(XML, format!("<r>{}</r>", (0..count).map(element).collect::<String>()))
        }),
        request("many parts", 25, sifting, |count| posted(PARTS, multipart(count, "select"))),
    ];
    let worst = [
        ("comments", "/*"),
        ("quotes", "''''"),
        ("entities", "&#x3c;"),
        ("base64", "PHNjcmlwdD4"),
        ("elements", "<a "),
        ("conditions", "1 or "),
    ];
    shapes.extend(worst.map(|(name, piece)| {
        request(&format!("one value of {name}"), 1_000, sifting, move |size| {
            form(format!("a={}", escaped(&run(piece, size))))
        })
    }));
    shapes
}

/// An argument for each piece, with a run of it.
fn each_run(size: usize) -> String {
    PIECES.iter().enumerate().map(|(at, piece)| format!("p{at}={}&", escaped(&run(piece, size)))).collect()
}

/// Words that rules look for.
const WORDS: &[&str] = &[
    "select",
    "union",
    "sleep(",
    "/etc/passwd",
    "script",
    "javascript:",
    "onerror=",
    "alert(",
    "cmd.exe",
    "powershell",
    "/bin/sh",
    "eval(",
    "php://",
    "$where",
    "__proto__",
    "jndi:",
    "information_schema",
    ".htaccess",
    "waitfor delay",
    "wget",
];

fn word(at: usize) -> &'static str {
    WORDS[at % WORDS.len()]
}

fn literals(size: usize) -> String {
    let mut text = String::new();
    for at in 0.. {
        if text.len() >= size {
            return text;
        }
        text.push_str(word(at * 7));
        text.push_str(PIECES[at % PIECES.len()]);
    }
    text
}

/// The rules that are built in, and rules of the test's own whose effects are done at each value.
pub(crate) fn with_pack() -> Vec<Shape> {
    let mut shapes = requests(&pack());
    shapes.extend(effects());
    shapes
}

/// The Core Rule Set; nothing where it is not there.
pub(crate) fn with_core() -> Vec<Shape> {
    core_rules().map_or_else(Vec::new, |folder| requests(&core(&folder)))
}

/// Rules that do something at each value that matches.
fn effects() -> Vec<Shape> {
    let with = |name: &str, text: &str| {
        let engine = engine(&format!("SecRuleEngine DetectionOnly\n{text}"));
        request(name, 100, (&engine, true), |count| {
            form((0..count).map(|at| format!("name{at}=value{at}&")).collect())
        })
    };
    let named = rule(1, "ARGS", "@rx value", ",setvar:'tx.%{matched_var_name}=%{matched_var}'");
    let matched = "SecRule MATCHED_VARS \"@rx value\" \"chain\"\n\
                   SecRule MATCHED_VARS_NAMES \"@rx name\" \"setvar:tx.a=+1\"\n";
    let digits = |limit, pattern: &str| {
        let engine = engine(&format!("SecRuleEngine DetectionOnly\n{}", rule(1, "ARGS", pattern, "")));
        // No number ends in a single 1 after zeros.
        up_to(limit, pattern, 500, (&engine, true), |size| form(format!("a={}1", run("0", size))))
    };
    vec![
        with("effects: a variable for each name", &named),
        with("effects: all variables", &(named + &rule(2, "TX", "@rx value", ",setvar:'tx.a=+1'"))),
        with(
            "effects: another argument at each value",
            &rule(1, "ARGS", "@rx value", ",setvar:'tx.a=%{ARGS.none}'"),
        ),
        with("effects: what matched, again", &(rule(1, "ARGS", "@rx value", ",chain") + matched)),
        digits(None, "@verifyCC \\d{2,16}1"),
        digits(Some(Refusal::TooMuchWork), "@verifyCC \\d+1"),
        digits(None, "@rx (.*)(1+)(.*)$"),
    ]
}

/// For the judge: two that are quadratic and one that is not.
pub(crate) fn wrong() -> Vec<Shape> {
    let pairs = |values: &[u64]| {
        values.iter().map(|one| values.iter().filter(|two| one > *two).count()).sum::<usize>()
    };
    let values = |size: usize| -> Vec<u64> {
        (0..size as u64).map(|at| at.wrapping_mul(0x9e37_79b9_7f4a_7c15)).collect()
    };
    vec![
        shape("quadratic", 100, move |size| {
            let values = values(size);
            Box::new(move || {
                black_box(pairs(&values));
            })
        }),
        shape("quadratic beside much that is linear", 1_000, move |size| {
            let (text, values) = (run("ab", size * 1_000), values(size));
            Box::new(move || {
                black_box((memchr::memchr_iter(b'a', text.as_bytes()).count(), pairs(&values)));
            })
        }),
        shape("linear", 1_000, |size| {
            let text = run("ab", size);
            Box::new(move || {
                black_box(text.bytes().filter(|byte| *byte == b'a').count());
            })
        }),
    ]
}
