//! `normalizePath`, `normalizePathWin`: paths without empty segments, self-references and back-references.

/// Resolves `//`, `/./` and `/../`. A path that starts with a slash never leads above its root; a relative one keeps the `..`
/// that lead above its start. With `windows` a backslash counts and comes out as a slash.
pub(super) fn normalize(value: &[u8], out: &mut Vec<u8>, windows: bool) -> bool {
    let backslash = windows && memchr::memchr(b'\\', value).is_some();
    if !backslash && !may_change(value) {
        return false;
    }
    let start = out.len();
    Normalizer { value, out, start, windows, at: 0, above: false }.run();
    if out[start..] == *value {
        out.truncate(start);
        return false;
    }
    true
}

/// Whether some segment is empty or ends like a reference, before a slash or at the end of the value.
fn may_change(value: &[u8]) -> bool {
    let reference = |end: usize| match value[..end] {
        [] => false,
        [b'.'] => true,
        [.., before, b'.'] => matches!(before, b'.' | b'/'),
        _ => false,
    };
    memchr::memchr_iter(b'/', value).any(|slash| slash > 0 && (value[slash - 1] == b'/' || reference(slash)))
        || reference(value.len())
}

struct Normalizer<'a> {
    value: &'a [u8],
    out: &'a mut Vec<u8>,
    /// Where the path starts in `out`.
    start: usize,
    windows: bool,
    /// The next byte of the value.
    at: usize,
    /// A relative path has led to its start or above it.
    above: bool,
}

impl Normalizer<'_> {
    fn byte(&self, at: usize) -> Option<u8> {
        match self.value.get(at) {
            Some(b'\\') if self.windows => Some(b'/'),
            byte => byte.copied(),
        }
    }

    fn written(&self) -> usize {
        self.out.len() - self.start
    }

    fn run(&mut self) {
        let relative = self.byte(0) != Some(b'/');
        let trailing = self.value.len().checked_sub(1).and_then(|last| self.byte(last)) == Some(b'/');
        while let Some(byte) = self.byte(self.at) {
            let next = self.byte(self.at + 1);
            let ends_segment = next.is_none_or(|next| next == b'/');
            if ends_segment && self.segment(byte, next.is_none(), relative) {
                break;
            }
            self.copy(relative);
        }
        if !trailing && self.written() > 0 && self.out.last() == Some(&b'/') {
            self.out.pop();
        }
    }

    /// Looks at the last byte of a segment. True when the path ends with it and the byte is not to be copied.
    fn segment(&mut self, byte: u8, last: bool, relative: bool) -> bool {
        if byte == b'/' && !last {
            return false;
        }
        if byte != b'.' {
            self.above &= self.written() == 0;
            return false;
        }
        match self.out[self.start..].last() {
            Some(b'.') => {
                if relative && (self.above || self.written() <= 2) {
                    self.above = true;
                    return false;
                }
                self.step_back(last && !relative);
            }
            // The slash after this dot takes the place of the one before it.
            Some(b'/') if !last => drop(self.out.pop()),
            Some(b'/') | None => {}
            Some(_) => return false,
        }
        self.at += 1;
        last
    }

    /// Takes back the first dot of `..` and the segment before it, but not the slash of the root if `keep_root`.
    fn step_back(&mut self, keep_root: bool) {
        let path = &self.out[self.start..];
        let from = path.len().saturating_sub(3);
        let slash = path.get(1..=from).and_then(|segments| memchr::memrchr(b'/', segments));
        let keep = match slash {
            Some(slash) => slash + 1,
            None => {
                self.above = true;
                usize::from(keep_root)
            }
        };
        self.out.truncate(self.start + keep);
    }

    /// Copies a byte, the last one of a run of slashes; none at the start of a relative path.
    fn copy(&mut self, relative: bool) {
        let Some(byte) = self.byte(self.at) else { return };
        if byte == b'/' {
            while self.byte(self.at + 1) == Some(b'/') {
                self.at += 1;
            }
        }
        if byte != b'/' || !relative || self.written() > 0 {
            self.out.push(byte);
        }
        self.at += 1;
    }
}
