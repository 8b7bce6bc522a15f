//! Icons, drawn inline: a grid of 24, a stroke of 1.75, round ends, one idea each. They say nothing alone; a word stands
//! beside each.

use maud::{Markup, PreEscaped, html};

macro_rules! icons {
    ($($(#[$doc:meta])* $name:ident = $path:literal;)*) => {
        /// One icon.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Icon {
            $($(#[$doc])* $name,)*
        }

        impl Icon {
            fn path(self) -> &'static str {
                match self {
                    $(Self::$name => $path,)*
                }
            }
        }
    };
}

icons! {
    /// How things stand.
    Overview = "M3.5 12.5H8l2.2-6.5 3.9 12 2.3-5.5h4.1";
    /// Persons.
    People = "M9 11.5a3.4 3.4 0 1 0 0-6.8 3.4 3.4 0 0 0 0 6.8M2.8 19.5c.7-3.5 3-5.3 6.2-5.3s5.5 1.8 6.2 5.3M15.8 5a3.4 3.4 0 0 1 0 6.2M17.8 14.7c1.8.8 2.9 2.4 3.4 4.8";
    /// A paper with a tick.
    Consent = "M6 3.5h8l4.5 4.5v12.5H6zM13.8 3.7v4.5h4.5M9.2 14.3l2.2 2.2 4-4.4";
    /// Why data may be read.
    Purpose = "M12 20.5a8.5 8.5 0 1 0 0-17 8.5 8.5 0 0 0 0 17M12 16a4 4 0 1 0 0-8 4 4 0 0 0 0 8M12 12v.01";
    /// The gateway.
    Gate = "M3.5 20.5h17M5 20.5V10a7 7 0 0 1 14 0v10.5M12 3v17.5M9.2 13v2.2M14.8 13v2.2";
    /// Attacks, and what stands against them.
    Shield = "M12 3.5l7.2 2.7v5.3c0 4.4-2.9 7.5-7.2 9-4.3-1.5-7.2-4.6-7.2-9V6.2zM12 8.3v4.2M12 15.6v.1";
    /// The ledger.
    Ledger = "M7 4.8a1.9 1.9 0 1 0 0 3.8 1.9 1.9 0 0 0 0-3.8M7 10.1a1.9 1.9 0 1 0 0 3.8 1.9 1.9 0 0 0 0-3.8M7 15.4a1.9 1.9 0 1 0 0 3.8 1.9 1.9 0 0 0 0-3.8M12 6.7h8.5M12 12h8.5M12 17.3h5.5";
    /// Proved by a machine, and only then.
    Seal = "M12 20.5a8.5 8.5 0 1 0 0-17 8.5 8.5 0 0 0 0 17M8.2 12.3l2.7 2.7 5-5.5";
    /// Settings.
    Settings = "M3.5 7.5h9M18 7.5h2.5M15.2 9.8a2.3 2.3 0 1 0 0-4.6 2.3 2.3 0 0 0 0 4.6M3.5 16.5h3M12 16.5h8.5M9.2 18.8a2.3 2.3 0 1 0 0-4.6 2.3 2.3 0 0 0 0 4.6";
    /// Yes, done, in force.
    Check = "M4.8 12.8l4.6 4.6L19.3 7.2";
    /// Refused, stopped, withdrawn, and only then.
    Cross = "M6.2 6.2l11.6 11.6M17.8 6.2 6.2 17.8";
    /// Look here.
    Alert = "M12 4.2 20.8 19.5H3.2zM12 10.2v4M12 16.9v.1";
    /// Good to know.
    Info = "M12 20.5a8.5 8.5 0 1 0 0-17 8.5 8.5 0 0 0 0 17M12 11.2v5M12 7.8v.1";
    /// Time, a term.
    Clock = "M12 20.5a8.5 8.5 0 1 0 0-17 8.5 8.5 0 0 0 0 17M12 7.2V12l3.3 2.1";
    /// A special category.
    Lock = "M5.5 10.8h13v9.2h-13zM8.5 10.6V8a3.5 3.5 0 0 1 7 0v2.6";
    /// Read in clear.
    Eye = "M2.6 12C5 7.7 8.1 5.6 12 5.6s7 2.1 9.4 6.4c-2.4 4.3-5.5 6.4-9.4 6.4S5 16.3 2.6 12M12 14.7a2.7 2.7 0 1 0 0-5.4 2.7 2.7 0 0 0 0 5.4";
    /// Masked.
    Veil = "M3 10.2c2.4 3.2 5.4 4.8 9 4.8s6.6-1.6 9-4.8M12 15.2v3.3M6.2 13.5l-1.9 2.7M17.8 13.5l1.9 2.7";
    /// A key.
    Key = "M8 19.3a3.9 3.9 0 1 0 0-7.8 3.9 3.9 0 0 0 0 7.8M10.9 12.6 19.6 4M16.2 7.4l2.7 2.7";
    /// Take along.
    Download = "M12 3.8v11.4M7.6 10.9l4.4 4.4 4.4-4.4M4.5 20h15";
    /// Erase.
    Erase = "M4.5 6.7h15M9.5 6.5V4h5v2.5M6.4 6.9l1 13.2h9.2l1-13.2M10.2 10.6v5.8M13.8 10.6v5.8";
    /// Find.
    Search = "M10.7 17a6.3 6.3 0 1 0 0-12.6 6.3 6.3 0 0 0 0 12.6M15.4 15.4l5.1 5.1";
    /// Narrow down.
    Filter = "M3.8 6.2h16.4M7 12h10M10.2 17.8h3.6";
    /// Onwards.
    Right = "M9.3 5.8l6.2 6.2-6.2 6.2";
    /// Go there.
    Arrow = "M3.8 12h15.4M13.3 6l6 6-6 6";
    /// One person: who I am.
    User = "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8M4.4 20.5c.9-4.3 3.6-6.4 7.6-6.4s6.7 2.1 7.6 6.4";
    /// The rail.
    Menu = "M3.8 6.8h16.4M3.8 12h16.4M3.8 17.2h16.4";
    /// Leave.
    Out = "M10.2 4.5H5v15h5.2M9.8 12h10.4M16 7.8l4.2 4.2-4.2 4.2";
    /// Language.
    Globe = "M12 20.5a8.5 8.5 0 1 0 0-17 8.5 8.5 0 0 0 0 17M3.6 12h16.8M12 3.6c4.6 4.8 4.6 12 0 16.8M12 3.6c-4.6 4.8-4.6 12 0 16.8";
    /// Light and dark.
    Contrast = "M12 20.5a8.5 8.5 0 1 0 0-17 8.5 8.5 0 0 0 0 17M12 3.6v16.8M12 7.7h6.9M12 12h8.3M12 16.3h6.9";
    /// Held still: restricted.
    Pause = "M8.6 5v14M15.4 5v14";
    /// A sign-in link.
    Link = "M10 14.2a4 4 0 0 0 6 .4l2.6-2.6a4 4 0 0 0-5.7-5.7l-1.4 1.4M14 9.8a4 4 0 0 0-6-.4L5.4 12a4 4 0 0 0 5.7 5.7l1.4-1.4";
    /// Persons who read: somebody is asked.
    Ask = "M12 20.5a8.5 8.5 0 1 0 0-17 8.5 8.5 0 0 0 0 17M9.6 9.5a2.5 2.5 0 1 1 3.6 2.3c-.8.4-1.2.9-1.2 1.7v.3M12 16.8v.1";
}

/// An icon. Words say what it means; read aloud, it is silent.
pub(crate) fn icon(icon: Icon) -> Markup {
    html! {
        svg.i viewBox="0 0 24 24" aria-hidden="true" { path d=(PreEscaped(icon.path())) {} }
    }
}

/// The mark: a bowl that holds somebody.
pub(crate) fn mark() -> Markup {
    html! {
        svg viewBox="0 0 28 28" aria-hidden="true" fill="none" stroke="currentColor" stroke-width="2.6" stroke-linecap="round" {
            path d="M3.5 13.5a10.5 10.5 0 0 0 21 0" {}
            circle cx="14" cy="9.5" r="3.9" fill="currentColor" stroke="none" {}
        }
    }
}

/// Lengths of entries around the mark, for [`rings`]; what they are is of no matter, only that they differ.
const ENTRIES: [&str; 6] = [
    "18 5 42 5 9 5 27 5 60 5",
    "7 5 33 5 16 5 51 5 24 5 9 5",
    "46 5 12 5 28 5 8 5 19 5",
    "23 5 9 5 65 5 14 5 37 5",
    "11 5 57 5 20 5 31 5 7 5 15 5",
    "38 5 21 5 8 5 48 5 13 5",
];

/// The mark, large, its bowl drawn from entries.
pub(crate) fn rings() -> Markup {
    html! {
        svg.rings viewBox="0 0 600 410" aria-hidden="true" {
            @for ring in 0_usize..14 {
                @let radius = 74 + 16 * ring;
                path d=(format!("M{} 120a{radius} {radius} 0 0 0 {} 0", 300 - radius, 2 * radius))
                    stroke-dasharray=(ENTRIES[ring % ENTRIES.len()]) {}
            }
            circle cx="300" cy="88" r="40" {}
        }
    }
}
