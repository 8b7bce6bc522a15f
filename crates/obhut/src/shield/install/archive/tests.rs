use super::*;
use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prelude::*;
use std::io::Write;
use tar::EntryType;

/// A member of a tar: kind, path, bytes. The path is written as it is, whatever a library would say to it.
struct Entry<'a>(EntryType, &'a str, &'a [u8]);

fn file<'a>(path: &'a str, bytes: &'a [u8]) -> Entry<'a> {
    Entry(EntryType::Regular, path, bytes)
}

fn header(kind: EntryType, path: &str, size: u64) -> tar::Header {
    let mut header = tar::Header::new_ustar();
    let name = &mut header.as_old_mut().name;
    let length = path.len().min(name.len());
    name[..length].copy_from_slice(&path.as_bytes()[..length]);
    header.set_entry_type(kind);
    header.set_mode(0o644);
    header.set_size(size);
    header.set_cksum();
    header
}

fn gz(bytes: &[u8]) -> Vec<u8> {
    let mut out = GzEncoder::new(Vec::new(), Compression::fast());
    out.write_all(bytes).expect("packed");
    out.finish().expect("packed")
}

fn tar_of(entries: &[Entry<'_>]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for Entry(kind, path, bytes) in entries {
        builder.append(&header(*kind, path, bytes.len() as u64), *bytes).expect("packed");
    }
    gz(&builder.into_inner().expect("packed"))
}

/// A rule set, and what else is given.
fn with(more: &[Entry<'_>]) -> Vec<u8> {
    let mut entries = vec![file("crs/rules/REQUEST-901-INITIALIZATION.conf", b"# rules\n")];
    entries.extend(more.iter().map(|Entry(kind, path, bytes)| Entry(*kind, path, bytes)));
    tar_of(&entries)
}

fn zip_of(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options =
        zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Deflated);
    for (path, bytes) in files {
        zip.start_file(*path, options).expect("begun");
        zip.write_all(bytes).expect("packed");
    }
    zip.finish().expect("packed").into_inner()
}

const INITIAL_IN: &str = "crs/rules/REQUEST-901-INITIALIZATION.conf";

fn names(members: &[Member]) -> Vec<&str> {
    members.iter().map(|(path, _)| path.as_str()).collect()
}

#[test]
fn what_runs_is_kept_and_the_rest_passed_over() {
    let files: [(&str, &[u8]); 8] = [
        (INITIAL_IN, b"# rules\n"),
        ("crs/rules/x.data", b"data"),
        ("crs/crs-setup.conf.example", b"# setup\n"),
        ("crs/plugins/README.md", b"x"),
        ("crs/LICENSE", b"x"),
        ("crs/tests/regression/tests/x.yaml", b"x"),
        ("crs/util/run.sh", b"x"),
        ("crs/rules/deeper/y.conf", b"x"),
    ];
    let expected = [
        "rules/REQUEST-901-INITIALIZATION.conf",
        "rules/x.data",
        "crs-setup.conf.example",
        "plugins/README.md",
        "LICENSE",
    ];
    let mut entries: Vec<_> = files.iter().map(|(path, bytes)| file(path, bytes)).collect();
    entries.insert(0, Entry(EntryType::Directory, "crs/", b""));
    entries.insert(0, Entry(EntryType::XGlobalHeader, "pax_global_header", b"19 comment=0123456\n"));
    let kept = read(&tar_of(&entries)).expect("a rule set");
    assert_eq!(names(&kept), expected);
    assert_eq!(kept[1].1, b"data");
    assert_eq!(read(&zip_of(&files)).expect("a rule set"), kept, "as a zip");
    let bare =
        read(&tar_of(&[file("./rules/REQUEST-901-INITIALIZATION.conf", b"#")])).expect("without a folder");
    assert_eq!(names(&bare), ["rules/REQUEST-901-INITIALIZATION.conf"]);
}

#[test]
fn paths_that_lead_out_or_are_odd_are_refused_wherever_they_stand() {
    let long = format!("crs/{}", "a".repeat(96));
    let deep = "a/".repeat(DEPTH) + "b";
    for path in [
        "../evil.conf",
        "crs/../../evil.conf",
        "crs/tests/../../../evil",
        "/etc/passwd",
        "crs//rules/x.conf",
        "crs/rules/x.conf/",
        "C:/x.conf",
        "crs\\..\\x.conf",
        "crs/rules/a\nb.conf",
        "",
        &deep,
    ] {
        let refused = read(&with(&[file(path, b"x")]));
        assert!(matches!(refused, Err(Refused::Path(..))), "{path:?}: {refused:?}");
        if !path.is_empty() && !path.contains('\\') && !path.ends_with('/') {
            let refused = read(&zip_of(&[(INITIAL_IN, b"#"), (path, b"x")]));
            assert!(matches!(refused, Err(Refused::Path(..))), "zip {path:?}: {refused:?}");
        }
    }
    assert!(read(&with(&[file(&long, b"x")])).is_ok(), "the control: a long path that is none of these");
    let longer = format!("crs/{}", "a".repeat(PATH));
    let mut builder = tar::Builder::new(Vec::new());
    let mut head = tar::Header::new_gnu();
    head.set_size(1);
    builder.append_data(&mut head, &longer, &b"x"[..]).expect("packed");
    assert!(matches!(read(&gz(&builder.into_inner().expect("packed"))), Err(Refused::Path(..))));
}

#[test]
fn links_and_devices_are_refused_even_where_nobody_wants_them() {
    for kind in [
        EntryType::Symlink,
        EntryType::Link,
        EntryType::Char,
        EntryType::Block,
        EntryType::Fifo,
        EntryType::GNUSparse,
        EntryType::Continuous,
        EntryType::new(b'S'),
        EntryType::new(b'V'),
    ] {
        for path in ["crs/rules/x.conf", "crs/tests/x"] {
            let refused = read(&with(&[Entry(kind, path, b"")]));
            let is_refused = matches!(refused, Err(Refused::Special(_) | Refused::Damaged(_)));
            assert!(is_refused, "{kind:?} {path}: {refused:?}");
        }
    }
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default();
    zip.start_file(INITIAL_IN, options).expect("begun");
    zip.add_symlink("crs/rules/x.conf", "/etc/passwd", options).expect("packed");
    let bytes = zip.finish().expect("packed").into_inner();
    assert_eq!(read(&bytes), Err(Refused::Special("crs/rules/x.conf".into())));
}

#[test]
fn what_stands_there_twice_is_refused() {
    let twice = [file("crs/rules/x.conf", b"1"), file("crs/rules/./x.conf", b"2")];
    assert_eq!(read(&with(&twice)), Err(Refused::Twice("crs/rules/x.conf".into())));
    // A zip's writer refuses it, so one name of the same length is changed afterwards, in both places.
    let mut bytes = zip_of(&[(INITIAL_IN, b"#"), ("crs/rules/x.conf", b"1"), ("crs/rules/y.conf", b"2")]);
    let from = b"crs/rules/y.conf";
    while let Some(at) = memchr::memmem::find(&bytes, from) {
        bytes[at + 10] = b'x';
    }
    assert!(matches!(read(&bytes), Err(Refused::Twice(_))), "{:?}", read(&bytes).map(|_| ()));
}

#[test]
fn a_rule_set_is_there_once() {
    assert_eq!(read(&tar_of(&[file("crs/readme.md", b"x")])), Err(Refused::NoRuleSet));
    assert_eq!(read(&zip_of(&[("readme.md", b"x")])), Err(Refused::NoRuleSet));
    let other = file("other/rules/REQUEST-901-INITIALIZATION.conf", b"#");
    assert_eq!(read(&with(&[other])), Err(Refused::NoRuleSet));
    let deep = file("a/b/rules/REQUEST-901-INITIALIZATION.conf", b"#");
    assert_eq!(read(&tar_of(&[deep])), Err(Refused::NoRuleSet));
}

#[test]
fn bombs_are_refused_before_they_grow() {
    // Zeros pack to a thousandth; the archive may grow to a hundred times its size, or to a mebibyte.
    let zeros = vec![0; 3 << 20];
    assert_eq!(read(&with(&[file("crs/tests/zeros", &zeros)])), Err(Refused::TooLarge));
    assert_eq!(read(&with(&[file("crs/rules/zeros.data", &zeros)])), Err(Refused::TooLarge));
    let bomb: [(&str, &[u8]); 2] = [(INITIAL_IN, b"#"), ("crs/rules/zeros.data", &zeros)];
    assert_eq!(read(&zip_of(&bomb)), Err(Refused::TooLarge));
    assert!(read(&with(&[file("crs/tests/zeros", &zeros[..1 << 19])])).is_ok(), "the control");
    // Noise does not pack, so it is the limit for one file that refuses it.
    let mut state = 1_u64;
    let noise: Vec<u8> = (0..FILE + 1)
        .map(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 56) as u8
        })
        .collect();
    assert_eq!(read(&with(&[file("crs/rules/noise.data", &noise)])), Err(Refused::TooLarge));
    assert_eq!(read(&zip_of(&[(INITIAL_IN, b"#"), ("crs/rules/n.data", &noise)])), Err(Refused::TooLarge));
    assert!(read(&with(&[file("crs/tests/noise", &noise)])).is_ok(), "what is passed over may be larger");
}

#[test]
fn a_size_that_is_a_lie_is_noticed() {
    let mut builder = tar::Builder::new(Vec::new());
    builder.append(&header(EntryType::Regular, "crs/rules/x.conf", 1 << 40), &b"x"[..]).expect("packed");
    let refused = read(&gz(&builder.into_inner().expect("packed")));
    assert!(matches!(refused, Err(Refused::TooLarge | Refused::Damaged(_))), "{refused:?}");
    let mut bytes = zip_of(&[(INITIAL_IN, b"# rules"), ("crs/rules/x.data", b"12345678")]);
    // The size in the list of members, which lies 24 bytes into its last entry (APPNOTE 4.3.12).
    let at = memchr::memmem::rfind(&bytes, b"PK\x01\x02").expect("an entry");
    bytes[at + 24..at + 28].copy_from_slice(&4_u32.to_le_bytes());
    assert!(read(&bytes).is_err());
}

#[test]
fn too_many_members_are_refused() {
    let names: Vec<String> = (0..=MEMBERS).map(|number| format!("crs/t/{number}")).collect();
    let entries: Vec<_> = names.iter().map(|name| file(name, b"")).collect();
    assert_eq!(read(&tar_of(&entries)), Err(Refused::TooMany));
    let mut zip = zip_of(&[(INITIAL_IN, b"#")]);
    let end = memchr::memmem::rfind(&zip, b"PK\x05\x06").expect("an end");
    zip[end + 10..end + 12].copy_from_slice(&u16::MAX.to_le_bytes());
    assert_eq!(read(&zip), Err(Refused::TooMany));
}

#[test]
fn what_is_no_archive_or_breaks_off_is_refused() {
    for bytes in [b"".as_slice(), b"SecRuleEngine On", b"\x1F\x8B", b"PK\x03\x04", b"PK\x05\x06"] {
        assert!(read(bytes).is_err(), "{bytes:?}");
    }
    let whole = with(&[file("crs/rules/x.data", &[7; 5_000])]);
    for end in (0..whole.len()).step_by(7) {
        assert!(read(&whole[..end]).is_err(), "cut at {end}");
    }
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(
        kind in prop::sample::select(vec![b"\x1F\x8B\x08\x00".as_slice(), b"PK\x03\x04"]),
        bytes in prop::collection::vec(any::<u8>(), 0..300),
    ) {
        prop_assert!(read(&[kind, &bytes].concat()).is_err());
    }

    #[test]
    fn a_bent_archive_never_leads_out(at in 0_usize..400, byte in any::<u8>(), is_zip in any::<bool>()) {
        let mut bytes = if is_zip {
            zip_of(&[(INITIAL_IN, b"# rules"), ("crs/rules/x.data", b"12345678")])
        } else {
            // Packed after it is bent, so that the checksum of gzip does not hide what the tar says.
            let mut builder = tar::Builder::new(Vec::new());
            builder.append(&header(EntryType::Regular, INITIAL_IN, 1), &b"#"[..]).expect("packed");
            builder.into_inner().expect("packed")
        };
        let at = at % bytes.len();
        bytes[at] = byte;
        let bytes = if is_zip { bytes } else { gz(&bytes) };
        if let Ok(members) = read(&bytes) {
            for (path, _) in members {
                prop_assert!(is_wanted(&path) && !path.contains("..") && !path.starts_with('/'), "{}", path);
            }
        }
    }
}
