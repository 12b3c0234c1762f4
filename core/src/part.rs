//! Names of files that are not whole yet, on which server and client have to agree.

use alloc::vec::Vec;

const KEPT: &[u8] = b".longshore-part";
/// The longest name that a kept part's name can hold whole: file systems take 255 bytes.
const LONGEST: usize = 255 - 1 - KEPT.len();

/// The name under which a server keeps what came of a broken upload of `name`, hidden beside it, so that the upload can be
/// resumed and then renamed.
///
/// ```
/// assert_eq!(longshore_core::part::kept(b"a.txt"), b".a.txt.longshore-part");
/// assert_eq!(longshore_core::part::kept(&[b'x'; 255]).len(), 255);
/// ```
pub fn kept(name: &[u8]) -> Vec<u8> {
    if name.len() <= LONGEST {
        return [b".", name, KEPT].concat();
    }
    // What is cut off comes back as a hash: FNV-1a.
    let hash = name
        .iter()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3));
    [b".", &name[..LONGEST - 17], b"~", alloc::format!("{hash:016x}").as_bytes(), KEPT].concat()
}

/// Whether a name is that of a kept part.
pub fn is_kept(name: &[u8]) -> bool {
    name.starts_with(b".") && name.ends_with(KEPT) && name.len() > KEPT.len() + 1
}
