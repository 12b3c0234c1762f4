//! Wildcards over bytes: `*`, `?` and `[a-z]`, as LIST and NLST take them and `mget` and `mput` do.

/// The longest pattern; a longer one matches nothing. With the bound on names this bounds the work of a match.
pub const PATTERN_LIMIT: usize = 1024;

/// Whether a name is a pattern at all.
pub fn is_pattern(name: &[u8]) -> bool {
    name.iter().any(|byte| matches!(byte, b'*' | b'?' | b'['))
}

/// Whether `name` fits `pattern` as a whole. A `[` without its `]` stands for itself. The work is at most the product of
/// the two lengths: a star falls back to the last star alone.
///
/// ```
/// use longshore_core::pattern::matches;
///
/// assert!(matches(b"*.t?t", b"notes.txt"));
/// assert!(matches(b"[a-c]*", b"b"));
/// assert!(!matches(b"[!a-c]*", b"b"));
/// ```
pub fn matches(pattern: &[u8], name: &[u8]) -> bool {
    if pattern.len() > PATTERN_LIMIT {
        return false;
    }
    let (mut at, mut from) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while from < name.len() {
        let next = match pattern.get(at) {
            Some(b'*') => {
                star = Some((at + 1, from));
                at += 1;
                continue;
            }
            Some(_) => one(&pattern[at..], name[from]).map(|used| at + used),
            None => None,
        };
        match (next, star) {
            (Some(next), _) => (at, from) = (next, from + 1),
            (None, Some((behind, eaten))) => {
                (at, from) = (behind, eaten + 1);
                star = Some((behind, eaten + 1));
            }
            (None, None) => return false,
        }
    }
    pattern[at..].iter().all(|&byte| byte == b'*')
}

/// How many bytes of the pattern stand for `byte`, if it fits.
fn one(pattern: &[u8], byte: u8) -> Option<usize> {
    match pattern[0] {
        b'?' => Some(1),
        b'[' => match set(&pattern[1..], byte) {
            Some((fits, used)) => fits.then_some(used + 1),
            None => (byte == b'[').then_some(1),
        },
        literal => (literal == byte).then_some(1),
    }
}

/// Reads a set up to its `]`: whether `byte` is in it, and how long it is; `None` where it has no end.
fn set(text: &[u8], byte: u8) -> Option<(bool, usize)> {
    let negated = matches!(text.first(), Some(b'!' | b'^'));
    let mut at = usize::from(negated);
    let (mut found, start) = (false, at);
    loop {
        let low = *text.get(at)?;
        // A ] in front is a member.
        if low == b']' && at > start {
            return Some((found != negated, at + 1));
        }
        if let (Some(b'-'), Some(&high)) = (text.get(at + 1), text.get(at + 2))
            && high != b']'
        {
            found |= (low..=high).contains(&byte);
            at += 3;
        } else {
            found |= low == byte;
            at += 1;
        }
    }
}
