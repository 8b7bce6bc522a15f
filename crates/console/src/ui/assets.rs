//! What pages are drawn with: style, fonts, htmx. All of it is in the program. The path names the edition, a digest over
//! everything, so that a browser may keep each file for ever and never holds parts of two editions.

use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, Response};
use std::hash::{DefaultHasher, Hash, Hasher};

/// A file with its name and type.
struct Asset {
    name: &'static str,
    kind: &'static str,
    bytes: &'static [u8],
}

/// Tokens, then what is built from them; the layers are declared by the first.
const STYLE: &str =
    concat!(include_str!("tokens.css"), include_str!("layout.css"), include_str!("components.css"));

const ICON: &str = concat!(
    r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 28 28" fill="none" stroke="#10567a" stroke-width="2.6" "##,
    r##"stroke-linecap="round"><path d="M3.500 13.500a10.500 10.500 0 0 0 21 0"/>"##,
    r##"<circle cx="14" cy="9.500" r="3.900" fill="#10567a" stroke="none"/></svg>"##
);

const ASSETS: [Asset; 6] = [
    Asset { name: "obhut.css", kind: "text/css; charset=utf-8", bytes: STYLE.as_bytes() },
    Asset { name: "obhut.svg", kind: "image/svg+xml", bytes: ICON.as_bytes() },
    Asset {
        name: "htmx.js",
        kind: "text/javascript; charset=utf-8",
        bytes: include_bytes!("../../assets/htmx.min.js"),
    },
    Asset {
        name: "source-sans-3.woff2",
        kind: "font/woff2",
        bytes: include_bytes!("../../assets/fonts/source-sans-3.woff2"),
    },
    Asset {
        name: "source-serif-4.woff2",
        kind: "font/woff2",
        bytes: include_bytes!("../../assets/fonts/source-serif-4.woff2"),
    },
    Asset {
        name: "atkinson-hyperlegible-mono.woff2",
        kind: "font/woff2",
        bytes: include_bytes!("../../assets/fonts/atkinson-hyperlegible-mono.woff2"),
    },
];

/// The edition of all files, as it stands in their paths.
pub(crate) fn edition() -> String {
    // Not against an attacker, who cannot change the program's files: only so that another content has another path.
    let mut hasher = DefaultHasher::new();
    ASSETS.iter().for_each(|asset| (asset.name, asset.bytes).hash(&mut hasher));
    format!("{:016x}", hasher.finish())
}

/// The file at `/static/{edition}/{name}`, if it is of this edition.
pub(crate) fn file(current: &str, edition: &str, name: &str) -> Option<Response<axum::body::Body>> {
    let asset = ASSETS.iter().find(|asset| asset.name == name && edition == current)?;
    let mut response = Response::new(axum::body::Body::from(asset.bytes));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(asset.kind));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("public, max-age=31536000, immutable"));
    Some(response)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_that_the_style_names_is_there() {
        let named: Vec<&str> =
            STYLE.split("url(\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
        assert_eq!(named.len(), 3);
        for name in named {
            assert!(ASSETS.iter().any(|asset| asset.name == name), "{name}");
        }
    }

    #[test]
    fn no_colour_stands_outside_the_tokens() {
        let rest = concat!(include_str!("layout.css"), include_str!("components.css"));
        for forbidden in ["#", "rgb(", "hsl(", "oklch("] {
            assert!(!rest.contains(forbidden), "{forbidden}");
        }
        // Physical sides would be wrong in a language that is written from the right.
        for side in [
            "margin-left",
            "margin-right",
            "padding-left",
            "padding-right",
            " left:",
            " right:",
            " width:",
            " height:",
        ] {
            assert!(!rest.contains(side), "{side}");
        }
    }

    #[test]
    fn another_edition_is_not_there() {
        let current = edition();
        assert!(file(&current, &current, "obhut.css").is_some());
        assert!(file(&current, "0", "obhut.css").is_none() && file(&current, &current, "lib.rs").is_none());
    }
}
