//! The operating system's errors, as the protocol tells them apart.

use std::io;

use longshore_core::host::HostError;
use rustix::io::Errno;

pub(crate) fn host_error(error: &io::Error) -> HostError {
    let Some(errno) = Errno::from_io_error(error) else {
        // cap-std's own, for a path that leads out of the root.
        return if error.kind() == io::ErrorKind::PermissionDenied { HostError::Denied } else { HostError::Failed };
    };
    match errno {
        Errno::NOENT => HostError::NotFound,
        Errno::ACCESS | Errno::PERM | Errno::ROFS | Errno::XDEV | Errno::LOOP => HostError::Denied,
        Errno::EXIST => HostError::Exists,
        Errno::ISDIR => HostError::IsDirectory,
        Errno::NOTDIR => HostError::NotDirectory,
        Errno::NOTEMPTY => HostError::NotEmpty,
        Errno::NOSPC | Errno::DQUOT | Errno::FBIG => HostError::NoSpace,
        Errno::NAMETOOLONG | Errno::ILSEQ | Errno::INVAL => HostError::BadName,
        Errno::MFILE | Errno::NFILE | Errno::BUSY | Errno::TXTBSY | Errno::NOMEM => HostError::Busy,
        // A pipe or a socket, opened for writing.
        Errno::NXIO | Errno::NODEV => HostError::NotPlain,
        Errno::NOSYS | Errno::OPNOTSUPP => HostError::Unsupported,
        _ => HostError::Failed,
    }
}
