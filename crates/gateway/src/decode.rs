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

/// The bytes without their coding; at most `limit`.
pub(crate) fn decode(coding: &str, body: &[u8], limit: usize) -> Result<Vec<u8>, DecodeError> {
    match coding.trim().to_ascii_lowercase().as_str() {
        "" | "identity" => Ok(body.to_vec()),
        "gzip" | "x-gzip" => read(flate2::read::MultiGzDecoder::new(body), limit),
        "deflate" => read(flate2::read::ZlibDecoder::new(body), limit).or_else(|error| match error {
            DecodeError::Size => Err(error),
            _ => read(flate2::read::DeflateDecoder::new(body), limit),
        }),
        "br" => read(brotli_decompressor::Decompressor::new(body, 16 << 10), limit),
        "zstd" => {
            let decoder = ruzstd::decoding::StreamingDecoder::new(body).map_err(|_| DecodeError::Broken)?;
            read(decoder, limit)
        }
        _ => Err(DecodeError::Coding),
    }
}

fn read(decoder: impl Read, limit: usize) -> Result<Vec<u8>, DecodeError> {
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
    fn what_is_broken_or_unknown_says_so() {
        for coding in ["gzip", "br", "zstd"] {
            assert_eq!(decode(coding, b"not at all of this kind", 100), Err(DecodeError::Broken), "{coding}");
        }
        assert_eq!(decode("gzip", &gzip(b"hello")[..12], 100), Err(DecodeError::Broken));
        assert_eq!(decode("gzip, br", b"", 100), Err(DecodeError::Coding));
        assert_eq!(decode("compress", b"", 100), Err(DecodeError::Coding));
    }
}
