//! Paths of the protocol: absolute, normalised, bytes.

use alloc::vec::Vec;
use core::fmt;

use bytes::Bytes;
use thiserror::Error;

/// The longest path that a session works with, in bytes; above it the name is refused.
pub const PATH_LIMIT: usize = 4096;

/// An absolute path of the served tree, such as `/pub/a.txt` (RFC 3659, section 6, TVFS).
///
/// There are no empty parts, no `.` and no `..` in it, and no CR, LF or NUL; every other byte is a name's own business.
/// Where it leads on a disk is for the host to say.
///
/// ```
/// use longshore_core::path::VirtualPath;
///
/// let home = VirtualPath::root();
/// let file = home.join(b"pub/../a b.txt").unwrap();
/// assert_eq!(file.as_bytes(), b"/a b.txt");
/// assert_eq!(file.name(), b"a b.txt");
/// assert!(home.join(b"two\nlines").is_err());
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VirtualPath(Bytes);

/// Why a pathname is no [`VirtualPath`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum PathError {
    /// CR, LF or NUL cannot travel in a command line (RFC 2640, section 3.1).
    #[error("The name holds CR, LF or NUL")]
    Forbidden,
    /// The path is over [`PATH_LIMIT`].
    #[error("The name is too long")]
    TooLong,
}

impl VirtualPath {
    /// `/`, the top of the served tree.
    pub const fn root() -> Self {
        Self(Bytes::from_static(b"/"))
    }

    /// The path that `argument` names, seen from this directory.
    ///
    /// # Errors
    ///
    /// A name that cannot travel, or one that is too long.
    pub fn join(&self, argument: &[u8]) -> Result<Self, PathError> {
        if argument.iter().any(|byte| matches!(byte, 0 | b'\r' | b'\n')) {
            return Err(PathError::Forbidden);
        }
        let mut path = Vec::with_capacity(self.0.len() + argument.len() + 1);
        if argument.first() != Some(&b'/') {
            path.extend_from_slice(self.trunk());
        }
        for part in argument.split(|&byte| byte == b'/') {
            match part {
                b"" | b"." => {}
                b".." => path.truncate(path.iter().rposition(|&byte| byte == b'/').unwrap_or(0)),
                name => {
                    path.push(b'/');
                    path.extend_from_slice(name);
                }
            }
        }
        if path.len() > PATH_LIMIT {
            return Err(PathError::TooLong);
        }
        if path.is_empty() { Ok(Self::root()) } else { Ok(Self(path.into())) }
    }

    /// The directory that holds this one; the root holds itself.
    pub fn parent(&self) -> Self {
        match self.0.iter().rposition(|&byte| byte == b'/') {
            None | Some(0) => Self::root(),
            Some(end) => Self(self.0.slice(..end)),
        }
    }

    /// The last part, empty for the root.
    pub fn name(&self) -> &[u8] {
        let start = self.0.iter().rposition(|&byte| byte == b'/').map_or(0, |slash| slash + 1);
        &self.0[start..]
    }

    /// Whether this is the top of the tree.
    pub fn is_root(&self) -> bool {
        self.0.len() == 1
    }

    /// The whole path, which begins with `/`.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The path without its leading `/`; empty for the root.
    pub fn below_root(&self) -> &[u8] {
        &self.0[1..]
    }

    /// What a name with a leading slash is put behind: nothing for the root.
    fn trunk(&self) -> &[u8] {
        if self.is_root() { b"" } else { &self.0 }
    }
}

impl fmt::Debug for VirtualPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl fmt::Display for VirtualPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0.escape_ascii(), f)
    }
}
