//! Names of files that are not whole yet, on which server and client have to agree.

use alloc::vec::Vec;

const KEPT: &[u8] = b".longshore-part";

/// The name under which a server keeps what came of a broken upload of `name`, hidden beside it, so that the upload can be
/// resumed and then renamed.
///
/// ```
/// assert_eq!(longshore_core::part::kept(b"a.txt"), b".a.txt.longshore-part");
/// ```
pub fn kept(name: &[u8]) -> Vec<u8> {
    [b".", name, KEPT].concat()
}

/// Whether a name is that of a kept part.
pub fn is_kept(name: &[u8]) -> bool {
    name.starts_with(b".") && name.ends_with(KEPT) && name.len() > KEPT.len() + 1
}
