//! A proposal as it would stand in `obhut.toml`.

use super::propose::{Planned, Proposal};
use crate::config::{InTable, OutTable, Pass};
use std::fmt::Write;

/// A text as a string of TOML 1.0.
fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for char in text.chars() {
        match char {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            char if char.is_control()
                || matches!(char, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}') =>
            {
                let _ = write!(out, "\\u{:04X}", char as u32);
            }
            char => out.push(char),
        }
    }
    out.push('"');
    out
}

fn list(texts: impl IntoIterator<Item = impl AsRef<str>>) -> String {
    let all: Vec<String> = texts.into_iter().map(|text| quoted(text.as_ref())).collect();
    format!("[{}]", all.join(", "))
}

/// Comments, wrapped.
fn remarks(out: &mut String, lines: &[String]) {
    for line in lines {
        let mut length = 0;
        for word in line.split_whitespace() {
            if length == 0 || length + word.chars().count() > 108 {
                out.push_str(if length == 0 { "#" } else { "\n#" });
                length = 1;
            }
            out.push(' ');
            out.push_str(word);
            length += word.chars().count() + 1;
        }
        out.push('\n');
    }
}

pub(crate) fn write(proposal: &Proposal, with_gateway: bool) -> String {
    let mut out = String::new();
    if with_gateway {
        let table = &proposal.gateway;
        let listen = table.listen.iter().map(ToString::to_string);
        let _ = writeln!(out, "[gateway]\nlisten = {}", list(listen));
        let _ = writeln!(out, "hosts = {}\nupstream = {}\n", list(&table.hosts), quoted(&table.upstream));
        out.push_str(
            "# How the app's users are known: here the app is asked, with the user's own cookies. It answers JSON,\n\
             # {\"sub\": \"…\", \"role\": \"…\"}; `roles` says what its words mean to Obhut.\n",
        );
        remarks(&mut out, &proposal.comments);
        out.push_str(
            "[gateway.principal]\nkind = \"forward\"\npath = \"/whoami\"\nroles = { user = \"operations\" }\n",
        );
    }
    for planned in &proposal.routes {
        if !out.is_empty() {
            out.push('\n');
        }
        route(&mut out, planned);
    }
    out
}

fn route(out: &mut String, planned: &Planned) {
    let Planned { route, inward, out: outward, comments } = planned;
    remarks(out, comments);
    let _ = writeln!(out, "[[route]]\nname = {}\npath = {}", quoted(&route.name), quoted(&route.path));
    let _ = writeln!(out, "methods = {}", list(&route.methods));
    if !route.pass.is_empty() {
        let word = |pass: &Pass| match pass {
            Pass::Websocket => "websocket",
            Pass::Events => "events",
            Pass::Upload => "upload",
            Pass::Range => "range",
        };
        let _ = writeln!(out, "pass = {}", list(route.pass.iter().map(word)));
    }
    if inward.is_none() && outward.is_none() {
        return;
    }
    let _ = writeln!(out, "[[relay]]\nroutes = {}", list([&route.name]));
    if let Some(table) = inward {
        takes(out, table);
    }
    if let Some(table) = outward {
        shows(out, table);
    }
}

fn takes(out: &mut String, table: &InTable) {
    let _ = writeln!(out, "[relay.in]\nmethods = {}", list(&table.methods));
    if let Some(person) = &table.person {
        let one = match (&person.path, &person.field, &person.new) {
            (Some(path), ..) => format!("path = {}", quoted(path)),
            (_, Some(field), _) => format!("field = {}", quoted(field)),
            (_, _, Some(new)) => format!("new = {}", quoted(new)),
            _ => "principal = true".to_owned(),
        };
        let _ = writeln!(out, "person = {{ {one} }}");
        if let Some(accept) = &table.accept {
            let _ = writeln!(out, "accept = {}", list(accept));
        }
    }
    for (name, map) in [("fields", &table.fields), ("lookup", &table.lookup)] {
        if !map.is_empty() {
            let _ = writeln!(out, "[relay.in.{name}]");
            for (source, field) in map {
                let _ = writeln!(out, "{} = {}", quoted(source), quoted(field));
            }
        }
    }
}

fn shows(out: &mut String, table: &OutTable) {
    let _ =
        writeln!(out, "[relay.out]\npurpose = {}\nfields = {}", quoted(&table.purpose), list(&table.fields));
    if let Some(person) = &table.person {
        let _ = writeln!(out, "person = {}", quoted(person));
    }
    if !table.attributes.is_empty() {
        let _ = writeln!(out, "attributes = {}", list(&table.attributes));
    }
    if let Some(form) = &table.form {
        let _ = writeln!(out, "form = {}", quoted(form));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_text_reads_back(text in any::<String>()) {
            let name = format!("x{text}");
            let table: ::toml::Table =
                format!("a = {}\n{} = 1", quoted(&text), quoted(&name)).parse().expect("TOML");
            prop_assert_eq!(table["a"].as_str(), Some(text.as_str()));
            prop_assert!(table.contains_key(&name));
        }
    }
}
