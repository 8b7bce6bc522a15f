//! Paths and geometry of C2SP tlog-tiles (tile height 8).

/// Hashes in a full tile, entries in a full bundle.
pub(crate) const TILE_WIDTH: u64 = 256;

/// What a tlog-tiles path names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Resource {
    /// The signed checkpoint.
    Checkpoint,
    /// Hashes: `tile/<L>/<N>[.p/<W>]`.
    Tile {
        /// 0 to 7 (a tree of 2^64 leaves has no higher one).
        level: u8,
        /// Which tile of the level.
        index: u64,
        /// 1 to 256.
        width: u16,
    },
    /// Entries: `tile/entries/<N>[.p/<W>]`.
    Entries {
        /// Which bundle.
        index: u64,
        /// 1 to 256.
        width: u16,
    },
}

/// Parses a path strictly: there is exactly one text for each resource.
pub(crate) fn parse(path: &str) -> Option<Resource> {
    if path == "checkpoint" {
        return Some(Resource::Checkpoint);
    }
    let (kind, rest) = path.strip_prefix("tile/")?.split_once('/')?;
    let (number, width) = match rest.split_once(".p/") {
        Some((number, width)) => (number, partial_width(width)?),
        None => (rest, 256),
    };
    let index = tile_number(number)?;
    if kind == "entries" {
        return Some(Resource::Entries { index, width });
    }
    let level = match kind.as_bytes() {
        [digit @ b'0'..=b'7'] => digit - b'0',
        _ => return None,
    };
    Some(Resource::Tile { level, index, width })
}

fn partial_width(text: &str) -> Option<u16> {
    let canonical = !text.starts_with('0') && text.bytes().all(|b| b.is_ascii_digit());
    text.parse().ok().filter(|width| canonical && (1..=255).contains(width))
}

/// `x001/x234/067`: groups of three digits, all but the last with an `x`, no leading group of zeros.
fn tile_number(text: &str) -> Option<u64> {
    let mut number = 0_u64;
    let groups = text.split('/').count();
    for (place, group) in text.split('/').enumerate() {
        let digits = if place + 1 < groups { group.strip_prefix('x')? } else { group };
        if digits.len() != 3 || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        if place == 0 && groups > 1 && digits == "000" {
            return None;
        }
        number = number.checked_mul(1000)?.checked_add(digits.parse().ok()?)?;
    }
    Some(number)
}

/// The path of a resource.
pub(crate) fn format(resource: Resource) -> String {
    let (kind, index, width) = match resource {
        Resource::Checkpoint => return "checkpoint".to_owned(),
        Resource::Tile { level, index, width } => (level.to_string(), index, width),
        Resource::Entries { index, width } => ("entries".to_owned(), index, width),
    };
    let mut groups = vec![format!("{:03}", index % 1000)];
    let mut rest = index / 1000;
    while rest > 0 {
        groups.push(format!("x{:03}", rest % 1000));
        rest /= 1000;
    }
    groups.reverse();
    let partial = if width < 256 { format!(".p/{width}") } else { String::new() };
    format!("tile/{kind}/{}{partial}", groups.join("/"))
}

/// How many hashes tile level `level` has in a tree of `size` leaves.
pub(crate) fn hashes_at(level: u8, size: u64) -> u64 {
    size.checked_shr(u32::from(level) * 8).unwrap_or(0)
}

/// The tiles of one level in a tree of `size` leaves: index and width, the last one partial unless it is full.
pub(crate) fn tiles_at(level: u8, size: u64) -> impl Iterator<Item = (u64, u16)> {
    let hashes = hashes_at(level, size);
    (0..hashes.div_ceil(TILE_WIDTH)).map(move |index| {
        let width = (hashes - index * TILE_WIDTH).min(TILE_WIDTH);
        (index, u16::try_from(width).unwrap_or(256))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn resource() -> impl Strategy<Value = Resource> {
        prop_oneof![
            Just(Resource::Checkpoint),
            (0_u8..8, any::<u64>(), 1_u16..=256).prop_map(|(level, index, width)| Resource::Tile {
                level,
                index,
                width
            }),
            (any::<u64>(), 1_u16..=256).prop_map(|(index, width)| Resource::Entries { index, width }),
        ]
    }

    proptest! {
        #[test]
        fn paths_round_trip(resource in resource()) {
            prop_assert_eq!(parse(&format(resource)), Some(resource));
        }

        #[test]
        fn no_path_panics_and_each_accepted_path_is_canonical(
            path in "(tile/)?(checkpoint|entries|[0-9]{1,2})(/x?[0-9]{1,4}){0,3}(\\.p/[0-9]{0,4})?"
        ) {
            if let Some(resource) = parse(&path) {
                prop_assert_eq!(format(resource), path);
            }
        }
    }

    #[test]
    fn the_example_of_the_specification() {
        let tile = Resource::Tile { level: 0, index: 1_234_067, width: 256 };
        assert_eq!(format(tile), "tile/0/x001/x234/067");
        // A tree of 70,000 (tlog-tiles): 273 full and one of 112; one full and one of 17; one of width 1.
        assert_eq!(tiles_at(0, 70_000).last(), Some((273, 112)));
        assert_eq!(tiles_at(1, 70_000).collect::<Vec<_>>(), [(0, 256), (1, 17)]);
        assert_eq!(tiles_at(2, 70_000).collect::<Vec<_>>(), [(0, 1)]);
        assert_eq!(tiles_at(3, 70_000).count(), 0);
    }

    #[test]
    fn paths_that_are_not_canonical_are_refused() {
        for path in [
            "",
            "tile",
            "tile/0/",
            "tile/0/1",
            "tile/00/001",
            "tile/8/001",
            "tile/0/x000/001",
            "tile/0/001/x002",
            "tile/0/001.p/0",
            "tile/0/001.p/01",
            "tile/0/001.p/256",
            "tile/0/001.p/",
            "tile/0/../0/001",
            "/tile/0/001",
            "tile/entries/001/",
            "checkpoint/",
            "tile/0/x99999999/001",
        ] {
            assert_eq!(parse(path), None, "{path}");
        }
    }
}
