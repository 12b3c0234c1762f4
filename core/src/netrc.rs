//! `.netrc`: logins by machine, as ftp(1) reads them. Words parted by blanks and lines; `macdef` runs to an empty line.

use alloc::vec::Vec;

/// A login that the file holds for a machine.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Login {
    /// Whom to log in as.
    pub user: Option<Vec<u8>>,
    /// With what password.
    pub password: Option<Vec<u8>>,
}

/// The login for `machine`, or the one of `default`; with `user`, the first that is for this user or for any.
///
/// ```
/// let text = b"machine a.example login alice password \"two words\"\ndefault login anonymous";
/// let login = longshore_core::netrc::find(text, "a.example", None).unwrap();
/// assert_eq!(login.password.as_deref(), Some(b"two words".as_ref()));
/// ```
pub fn find(text: &[u8], machine: &str, user: Option<&[u8]>) -> Option<Login> {
    let mut words = Words { text, line_start: true };
    let mut entry: Option<Login> = None;
    let fits = |entry: &Login| user.is_none() || entry.user.is_none() || entry.user.as_deref() == user;
    while let Some(word) = words.next() {
        match &word[..] {
            b"machine" | b"default" => {
                if entry.as_ref().is_some_and(fits) {
                    return entry;
                }
                let ours = word == b"default"
                    || words.next().is_some_and(|name| name.eq_ignore_ascii_case(machine.as_bytes()));
                entry = ours.then(Login::default);
            }
            b"login" => set(&mut entry, words.next(), |entry| &mut entry.user),
            b"password" => set(&mut entry, words.next(), |entry| &mut entry.password),
            b"account" => drop(words.next()),
            b"macdef" => words.skip_macro(),
            _ => {}
        }
    }
    entry.filter(fits)
}

fn set(entry: &mut Option<Login>, value: Option<Vec<u8>>, field: fn(&mut Login) -> &mut Option<Vec<u8>>) {
    if let Some(entry) = entry {
        *field(entry) = value;
    }
}

struct Words<'a> {
    text: &'a [u8],
    line_start: bool,
}

impl Words<'_> {
    fn skip_macro(&mut self) {
        let end = self.text.windows(2).position(|pair| pair == b"\n\n");
        self.text = end.map_or(&[], |end| &self.text[end + 2..]);
        self.line_start = true;
    }
}

impl Iterator for Words<'_> {
    type Item = Vec<u8>;

    fn next(&mut self) -> Option<Vec<u8>> {
        loop {
            let blanks = self.text.len() - self.text.trim_ascii_start().len();
            self.line_start |= self.text[..blanks].contains(&b'\n');
            self.text = &self.text[blanks..];
            // A comment takes a line of its own: a password may well begin with this sign.
            if !self.line_start || self.text.first() != Some(&b'#') {
                break;
            }
            let end = self.text.iter().position(|&byte| byte == b'\n').unwrap_or(self.text.len());
            self.text = &self.text[end..];
        }
        self.line_start = false;
        let quoted = self.text.first()? == &b'"';
        let mut word = Vec::new();
        let mut at = usize::from(quoted);
        while let Some(&byte) = self.text.get(at) {
            at += 1;
            match byte {
                b'"' if quoted => break,
                b' ' | b'\t' | b'\r' | b'\n' if !quoted => {
                    at -= 1;
                    break;
                }
                b'\\' => {
                    word.extend(self.text.get(at));
                    at += 1;
                }
                _ => word.push(byte),
            }
        }
        self.text = self.text.get(at..).unwrap_or(&[]);
        Some(word)
    }
}
