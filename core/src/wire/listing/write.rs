//! The LIST line that this server sends, in the columns that clients have learnt to read: those of `ls -l`.

use alloc::vec::Vec;
use core::fmt::Write;

use crate::entry::{Entry, Kind, Owner};
use crate::time::Timestamp;
use crate::wire::scan::{push_decimal, push_two};

/// How old a file may be for its line to show the hour rather than the year, in seconds: 182 days.
const RECENT_SECS: i64 = 182 * 86_400;

pub(super) const MONTHS: [&[u8; 3]; 12] =
    [b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec"];

/// Puts the line for an entry, without its end, behind `out`. Control bytes of the name show as `?`, so that one entry
/// stays one line.
pub fn print(entry: &Entry, now: Timestamp, out: &mut Vec<u8>) {
    let attributes = &entry.attributes;
    print_mode(attributes.kind, attributes.mode, out);
    out.push(b' ');
    push_decimal(attributes.links, 4, out);
    out.push(b' ');
    print_owner(&attributes.owner, out);
    out.push(b' ');
    print_owner(&attributes.group, out);
    out.push(b' ');
    push_decimal(if attributes.kind == Kind::Other { 0 } else { attributes.size }, 8, out);
    out.push(b' ');
    print_date(attributes.modified, now, out);
    out.push(b' ');
    print_name(&entry.name, out);
    if let Some(link) = &entry.link {
        out.extend_from_slice(b" -> ");
        print_name(&link.text, out);
    }
}

/// Puts a name behind `out`, each control byte as `?`.
pub fn print_name(name: &[u8], out: &mut Vec<u8>) {
    out.extend(name.iter().map(|&byte| if byte < b' ' || byte == 0x7f { b'?' } else { byte }));
}

/// The ten characters of `ls -l`.
fn print_mode(kind: Kind, mode: u32, out: &mut Vec<u8>) {
    out.push(match (kind, mode & 0o170_000) {
        (Kind::Directory, _) => b'd',
        (Kind::Link, _) => b'l',
        (Kind::Other, 0o020_000) => b'c',
        (Kind::Other, 0o060_000) => b'b',
        (Kind::Other, 0o010_000) => b'p',
        (Kind::Other, 0o140_000) => b's',
        _ => b'-',
    });
    for (shift, special, set, unset) in [(6, 0o4000, b's', b'S'), (3, 0o2000, b's', b'S'), (0, 0o1000, b't', b'T')] {
        let bits = mode >> shift;
        out.push(if bits & 4 != 0 { b'r' } else { b'-' });
        out.push(if bits & 2 != 0 { b'w' } else { b'-' });
        out.push(match (mode & special != 0, bits & 1 != 0) {
            (true, true) => set,
            (true, false) => unset,
            (false, true) => b'x',
            (false, false) => b'-',
        });
    }
}

/// An owner, padded to eight columns; a blank in it would make two columns of one.
fn print_owner(owner: &Owner, out: &mut Vec<u8>) {
    struct Column<'a>(&'a mut Vec<u8>);
    impl Write for Column<'_> {
        fn write_str(&mut self, text: &str) -> core::fmt::Result {
            self.0.extend(text.bytes());
            Ok(())
        }
    }
    let start = out.len();
    // Writing into a Vec cannot fail.
    let _ = write!(Column(out), "{owner}");
    let column = &mut out[start..];
    column.iter_mut().filter(|byte| **byte <= b' ').for_each(|byte| *byte = b'_');
    let used = column.len();
    out.extend(core::iter::repeat_n(b' ', 8usize.saturating_sub(used)));
}

fn print_date(time: Timestamp, now: Timestamp, out: &mut Vec<u8>) {
    let civil = time.civil();
    out.extend_from_slice(MONTHS[usize::from(civil.month - 1)]);
    out.push(b' ');
    push_two(civil.day, out);
    out.push(b' ');
    if (0..=RECENT_SECS).contains(&(now.seconds - time.seconds)) {
        push_two(civil.hour, out);
        out.push(b':');
        push_two(civil.minute, out);
    } else {
        push_decimal(civil.year.unsigned_abs(), 5, out);
    }
}
