//! The text of the control connection and of listings: bytes in, values out, and back.
//!
//! | module | what | source |
//! |---|---|---|
//! | [`line`](mod@line) | lines with Telnet's escapes taken out | RFC 959 §4, RFC 854 |
//! | [`verb`], [`command`] | the table of verbs; a line as verb and argument | RFC 959 §5.3, RFC 5797 |
//! | [`reply`] | reply codes and texts, one line or many | RFC 959 §4.2 |
//! | [`address`] | PORT, PASV, EPRT, EPSV | RFC 959 §4.1.2, RFC 2428 |
//! | [`feature`] | the answer to FEAT | RFC 2389 |
//! | [`facts`] | MLST and MLSD entries, OPTS MLST | RFC 3659 §7 |
//! | [`new_facts`] | MFF, SITE CHMOD | draft-somers-ftp-mfxx |
//! | [`hash`] | HASH and its older forms | draft-bryan-ftpext-hash |
//! | [`site`] | the commands behind SITE | |
//! | [`host_name`] | HOST | RFC 7151 §3.1 |
//! | [`listing`] | LIST lines: ours written, everybody's read | in no RFC |
//! | [`time_value`] | `YYYYMMDDHHMMSS` | RFC 3659 §2.3 |
//! | [`quoted`] | the path in a 257 reply | RFC 959, appendix II |
//! | [`url`] | `ftp://` and `ftps://` | RFC 1738 §3.2 |
//!
//! Nothing here holds state but the line and reply decoders, and nothing knows a session.

pub mod address;
pub mod command;
pub mod facts;
pub mod feature;
pub mod hash;
pub mod host_name;
pub mod line;
pub mod listing;
pub mod new_facts;
pub mod quoted;
pub mod reply;
pub mod scan;
pub mod site;
pub mod time_value;
pub mod url;
pub mod verb;
