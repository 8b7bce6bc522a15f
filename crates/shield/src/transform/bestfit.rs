//! Characters outside of ASCII and the ASCII character that looks most like them: Microsoft's best-fit table of code page
//! 20127 (US-ASCII), which ModSecurity's recommended configuration loads with `SecUnicodeMapFile unicode.mapping 20127`.

const FIRST: u16 = 0xa0;

/// U+00A0 to U+01F0; `?` for those without a like.
const LATIN: &[u8] = b" !c?$Y|??Ca<?-R???23???.,1o>????\
AAAAAAACEEEEIIIIDNOOOOO?OUUUUY??\
aaaaaaaceeeeiiii?nooooo?ouuuuy?y\
AaAaAaCcCcCcCcDdDdEeEeEeEeEeGgGg\
GgGgHhHhIiIiIiIiIi??JjKk?LlLlLl?\
?LlNnNnNn???OoOoOoOoRrRrRrSsSsSs\
SsTtTtTtUuUuUuUuUuUuWwYyYZ?ZzZz?\
b????????D???????Ff????I??l????O\
Oo?????????t??TUu?????z?????????\
?????????????AaIiOoUuUuUuUuUu?Aa\
????GgGgKkOoOo??j";

/// The other ones, in order: first, last, likes of all between.
const OTHERS: [(u16, u16, &[u8]); 18] = [
    (0x0261, 0x0261, b"g"),
    (0x02b9, 0x02bc, b"'\"?'"),
    (0x02c4, 0x02c8, b"^?^?'"),
    (0x02cb, 0x02cd, b"`?_"),
    (0x02dc, 0x02dc, b"~"),
    (0x0300, 0x0303, b"`?^~"),
    (0x030e, 0x030e, b"\""),
    (0x0331, 0x0332, b"__"),
    (0x2000, 0x2006, b"       "),
    (0x2010, 0x2014, b"--?--"),
    (0x2018, 0x201a, b"'',"),
    (0x201c, 0x201e, b"\"\"\""),
    (0x2022, 0x2022, b"."),
    (0x2026, 0x2026, b"."),
    (0x2032, 0x2032, b"'"),
    (0x2035, 0x2035, b"`"),
    (0x2039, 0x203a, b"<>"),
    (0x2122, 0x2122, b"T"),
];

/// The ASCII character like the character `code`. Full-width ASCII is not in these tables, since it follows a rule.
pub(super) fn best_fit(code: u16) -> Option<u8> {
    let index = usize::from(code.checked_sub(FIRST)?);
    let like = match LATIN.get(index) {
        Some(&like) => like,
        None => {
            let row = OTHERS.partition_point(|&(_, last, _)| last < code);
            let &(first, _, likes) = OTHERS.get(row)?;
            *likes.get(usize::from(code.checked_sub(first)?))?
        }
    };
    (like != b'?').then_some(like)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_has_all_rows_of_the_code_page_but_full_width_ascii() {
        let found: Vec<(u16, u8)> = (0..=u16::MAX).filter_map(|code| Some((code, best_fit(code)?))).collect();
        assert_eq!(found.len(), 370 - 93);
        assert!(OTHERS.iter().all(|(first, last, likes)| usize::from(last - first) + 1 == likes.len()));
        assert!(OTHERS.is_sorted());
        for (code, like) in
            [(0xa0, b' '), (0xe9, b'e'), (0x0142, b'l'), (0x01f0, b'j'), (0x2019, b'\''), (0x2122, b'T')]
        {
            assert_eq!(best_fit(code), Some(like), "{code:04x}");
        }
        for code in [0, 0x41, 0x9f, 0xdf, 0x01f1, 0x0427, 0x2012, 0x2123, 0xff1c, 0xffff] {
            assert_eq!(best_fit(code), None, "{code:04x}");
        }
    }
}
