//! Takes content codings off (RFC 9110 §8.4.1), within a limit.

use std::io::Read;

/// Why a body could not be decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DecodeError {
    /// A coding that we do not know, or several.
    Coding,
    /// The bytes are not of this coding.
    Broken,
    /// More than the limit.
    Size,
}

/// Largest window of zstd in bytes: what is a content coding has none beyond it (RFC 9659 §3). A decoder keeps so much before it
/// gives out anything.
const WINDOW: u64 = 8 << 20;
/// The first seven bits of a brotli stream whose window is beyond what the format knows (RFC 7932 §9.1 has no such).
const LARGE_BROTLI: u8 = 0x11;

/// The bytes without their coding; at most `limit`. What stands behind the end of the coding makes all of it broken: others read
/// it, or do not.
pub(crate) fn decode(coding: &str, body: &[u8], limit: usize) -> Result<Vec<u8>, DecodeError> {
    match coding.trim().to_ascii_lowercase().as_str() {
        "" | "identity" => Ok(body.to_vec()),
        "gzip" | "x-gzip" => read(&mut flate2::bufread::MultiGzDecoder::new(body), limit),
        "deflate" => zlib(body, limit).or_else(|error| match error {
            DecodeError::Size => Err(error),
            _ => deflate(body, limit),
        }),
        "br" if body.first().is_some_and(|first| first & 0x7f == LARGE_BROTLI) => Err(DecodeError::Broken),
        "br" => brotli(body, limit),
        "zstd" => zstd(body, limit),
        _ => Err(DecodeError::Coding),
    }
}

fn zlib(body: &[u8], limit: usize) -> Result<Vec<u8>, DecodeError> {
    let mut decoder = flate2::bufread::ZlibDecoder::new(body);
    let out = read(&mut decoder, limit)?;
    whole(decoder.get_ref(), out)
}

fn deflate(body: &[u8], limit: usize) -> Result<Vec<u8>, DecodeError> {
    let mut decoder = flate2::bufread::DeflateDecoder::new(body);
    let out = read(&mut decoder, limit)?;
    whole(decoder.get_ref(), out)
}

fn brotli(body: &[u8], limit: usize) -> Result<Vec<u8>, DecodeError> {
    let mut decoder = brotli_decompressor::Decompressor::new(body, 16 << 10);
    let out = read(&mut decoder, limit)?;
    // It says what stands behind the end only to who goes on reading.
    match decoder.read(&mut [0]) {
        Ok(0) => Ok(out),
        _ => Err(DecodeError::Broken),
    }
}

/// One frame; several are allowed by the format and sent by nobody.
fn zstd(body: &[u8], limit: usize) -> Result<Vec<u8>, DecodeError> {
    let decoder = ruzstd::decoding::StreamingDecoder::new_with_max_window_size(body, WINDOW);
    let mut decoder = decoder.map_err(|_| DecodeError::Broken)?;
    let out = read(&mut decoder, limit)?;
    whole(decoder.get_ref(), out)
}

fn whole(rest: &[u8], out: Vec<u8>) -> Result<Vec<u8>, DecodeError> {
    if rest.is_empty() { Ok(out) } else { Err(DecodeError::Broken) }
}

fn read(decoder: &mut impl Read, limit: usize) -> Result<Vec<u8>, DecodeError> {
    let mut out = Vec::new();
    decoder.take(limit as u64 + 1).read_to_end(&mut out).map_err(|_| DecodeError::Broken)?;
    if out.len() > limit { Err(DecodeError::Size) } else { Ok(out) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(bytes).expect("written");
        encoder.finish().expect("finished")
    }

    #[test]
    fn what_is_whole_reads_back_and_bombs_stop() {
        assert_eq!(decode("gzip", &gzip(b"hello"), 10).as_deref(), Ok(&b"hello"[..]));
        assert_eq!(decode("gzip", &gzip(&vec![0; 10 << 20]), 1 << 20), Err(DecodeError::Size));
        let mut zlib = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
        zlib.write_all(b"hello").expect("written");
        assert_eq!(decode("deflate", &zlib.finish().expect("finished"), 10).as_deref(), Ok(&b"hello"[..]));
        // "hello" by the reference tools of both formats.
        let brotli = [0x0b, 0x02, 0x80, 0x68, 0x65, 0x6c, 0x6c, 0x6f, 0x03];
        assert_eq!(decode("br", &brotli, 10).as_deref(), Ok(&b"hello"[..]));
        let zstd = [0x28, 0xb5, 0x2f, 0xfd, 0x20, 0x05, 0x29, 0x00, 0x00, 0x68, 0x65, 0x6c, 0x6c, 0x6f];
        assert_eq!(decode("zstd", &zstd, 10).as_deref(), Ok(&b"hello"[..]));
    }

    #[test]
    fn nothing_stands_behind_the_end_of_a_coding() {
        let zstd = [0x28, 0xb5, 0x2f, 0xfd, 0x20, 0x05, 0x29, 0x00, 0x00, 0x68, 0x65, 0x6c, 0x6c, 0x6f];
        let mut zlib = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
        zlib.write_all(b"hello").expect("written");
        let mut raw = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::fast());
        raw.write_all(b"hello").expect("written");
        let all = [
            ("gzip", gzip(b"hello")),
            ("deflate", zlib.finish().expect("finished")),
            ("deflate", raw.finish().expect("finished")),
            ("zstd", zstd.to_vec()),
        ];
        for (coding, whole) in all {
            assert_eq!(decode(coding, &whole, 100).as_deref(), Ok(&b"hello"[..]), "{coding}");
            let behind = [&*whole, b"&id=1"].concat();
            assert_eq!(decode(coding, &behind, 100), Err(DecodeError::Broken), "{coding}");
        }
        assert_eq!(decode("zstd", &zstd.repeat(2), 100), Err(DecodeError::Broken));
        let brotli = [0x0b, 0x02, 0x80, 0x68, 0x65, 0x6c, 0x6c, 0x6f, 0x03];
        assert_eq!(decode("br", &[&brotli[..], b"&id=1"].concat(), 100), Err(DecodeError::Broken));
        assert_eq!(decode("br", &brotli[..6], 100), Err(DecodeError::Broken));
        // Members of gzip are one after another in ordinary files.
        assert_eq!(decode("gzip", &gzip(b"hello").repeat(2), 100).as_deref(), Ok(&b"hellohello"[..]));
    }

    /// Frames that ask for a large window and fill it from a few bytes.
    #[test]
    fn windows_are_no_larger_than_a_content_coding_has_them() {
        let frame = |window: u8, blocks: usize| {
            let mut frame = vec![0x28, 0xb5, 0x2f, 0xfd, 0x00, window];
            for block in 0..blocks {
                // A block of one byte that is repeated, 128 KiB.
                let header = (128_u32 << 10) << 3 | 1 << 1 | u32::from(block + 1 == blocks);
                frame.extend_from_slice(&header.to_le_bytes()[..3]);
                frame.push(b'a');
            }
            frame
        };
        assert_eq!(decode("zstd", &frame(0x68, 8), 1 << 20).map(|out| out.len()), Ok(1 << 20));
        assert_eq!(decode("zstd", &frame(0x68, 100), 1 << 20), Err(DecodeError::Size));
        assert_eq!(decode("zstd", &frame(0x88, 1_100), 1 << 20), Err(DecodeError::Broken));
        assert_eq!(decode("br", &[0x11, 0x1e, 0x00, 0x00], 100), Err(DecodeError::Broken));
    }

    #[test]
    fn what_is_broken_or_unknown_says_so() {
        for coding in ["gzip", "br", "zstd"] {
            assert_eq!(decode(coding, b"not at all of this kind", 100), Err(DecodeError::Broken), "{coding}");
        }
        assert_eq!(decode("gzip", &gzip(b"hello")[..12], 100), Err(DecodeError::Broken));
        assert_eq!(decode("gzip, br", b"", 100), Err(DecodeError::Coding));
        assert_eq!(decode("compress", b"", 100), Err(DecodeError::Coding));
    }
}
