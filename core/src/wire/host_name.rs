//! The argument of HOST (RFC 7151, section 3.1).

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What a client called the server by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostName {
    /// A name of the domain system.
    Name,
    /// An address: four numbers, or one of IPv6 in brackets.
    Address(IpAddr),
}

impl HostName {
    /// Reads it; `None` where it is neither, or has a port.
    pub fn parse(text: &[u8]) -> Option<Self> {
        let text = core::str::from_utf8(text).ok()?;
        if let Some(inner) = text.strip_prefix('[') {
            let address: Ipv6Addr = inner.strip_suffix(']')?.parse().ok()?;
            return Some(Self::Address(IpAddr::V6(address).to_canonical()));
        }
        if let Ok(address) = text.parse::<Ipv4Addr>() {
            return Some(Self::Address(address.into()));
        }
        let labels = text.strip_suffix('.').unwrap_or(text);
        let is_label = |label: &str| {
            (1..=63).contains(&label.len())
                && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
                && !label.starts_with('-')
                && !label.ends_with('-')
        };
        (labels.len() <= 253 && labels.split('.').all(is_label)).then_some(Self::Name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_addresses_are_told_apart() {
        for name in ["ftp.example.org", "ftp.example.org.", "localhost", "xn--bcher-kva.example", "1.2.3"] {
            assert_eq!(HostName::parse(name.as_bytes()), Some(HostName::Name), "{name}");
        }
        assert_eq!(HostName::parse(b"192.0.2.7"), Some(HostName::Address([192, 0, 2, 7].into())));
        assert_eq!(HostName::parse(b"[::1]"), Some(HostName::Address(Ipv6Addr::LOCALHOST.into())));
        assert_eq!(HostName::parse(b"[::ffff:192.0.2.7]"), Some(HostName::Address([192, 0, 2, 7].into())));
        for bad in ["", ".", "a..b", "a.example:21", "[::1", "::1", "[192.0.2.7]", "a b", "-a", "a-", "b\u{fc}cher"] {
            assert_eq!(HostName::parse(bad.as_bytes()), None, "{bad}");
        }
    }
}
