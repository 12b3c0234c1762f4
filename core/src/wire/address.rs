//! Addresses of data connections: PORT and PASV (RFC 959, section 4.1.2), EPRT and EPSV (RFC 2428).

use alloc::vec::Vec;
use core::net::{IpAddr, Ipv4Addr, SocketAddr};

use thiserror::Error;

use super::scan::{decimal, narrow, push_decimal};

/// The lowest port that a server connects to, so that it cannot be turned against a service (RFC 2577, section 3).
pub const LOWEST_PORT: u16 = 1024;

/// Why an address in a command is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum AddressError {
    /// Not in the grammar.
    #[error("Bad address.")]
    Syntax,
    /// Not the control connection's peer, or a port below 1024 (RFC 2577, section 3).
    #[error("Data connections go to your own address and to ports above 1023 only.")]
    Refused,
    /// A family that the control connection does not speak (RFC 2428, section 2).
    #[error("Network protocol not supported, use ({0})")]
    Family(u8),
}

impl AddressError {
    /// The reply's code.
    pub fn code(self) -> u16 {
        match self {
            Self::Syntax => 501,
            Self::Refused => 504,
            Self::Family(_) => 522,
        }
    }
}

/// The number by which RFC 2428 calls an address family: 1 for IPv4, also where IPv6 carries it, and 2 for IPv6.
pub fn family(address: IpAddr) -> u8 {
    if address.to_canonical().is_ipv4() { 1 } else { 2 }
}

/// Reads the argument of PORT, which must name `peer` itself.
///
/// # Errors
///
/// See [`AddressError`]; never [`AddressError::Family`].
pub fn parse_port(argument: &[u8], peer: IpAddr) -> Result<SocketAddr, AddressError> {
    let target = six_numbers(argument).ok_or(AddressError::Syntax)?;
    check(target, peer)
}

/// Reads the argument of EPRT, which must name `peer` itself.
///
/// # Errors
///
/// See [`AddressError`].
pub fn parse_eprt(argument: &[u8], peer: IpAddr) -> Result<SocketAddr, AddressError> {
    let (number, address, port) = eprt_fields(argument).ok_or(AddressError::Syntax)?;
    if number != u64::from(family(peer)) {
        return Err(AddressError::Family(family(peer)));
    }
    let address: IpAddr =
        core::str::from_utf8(address).ok().and_then(|text| text.parse().ok()).ok_or(AddressError::Syntax)?;
    if address.is_ipv4() != (number == 1) {
        return Err(AddressError::Syntax);
    }
    check(SocketAddr::new(address, port), peer)
}

/// Puts the argument of PORT, or the six numbers of a 227, behind `out`.
pub fn print_port(address: Ipv4Addr, port: u16, out: &mut Vec<u8>) {
    for byte in address.octets().into_iter().chain([port.to_be_bytes()[0]]) {
        push_decimal(byte.into(), 0, out);
        out.push(b',');
    }
    push_decimal(port.to_be_bytes()[1].into(), 0, out);
}

/// The argument of EPRT for an address.
pub fn print_eprt(address: SocketAddr) -> Vec<u8> {
    let ip = address.ip().to_canonical();
    alloc::format!("|{}|{}|{}|", family(ip), ip, address.port()).into_bytes()
}

/// Reads the text of a 227: the first six numbers that stand together with commas, whatever is around them. The address
/// in it is for show; a client dials the server that it knows.
///
/// ```
/// use longshore_core::wire::address;
///
/// let address = address::parse_227(b"Entering passive mode. 192,0,2,7,195,80").unwrap();
/// assert_eq!(address.to_string(), "192.0.2.7:50000");
/// ```
pub fn parse_227(text: &[u8]) -> Option<SocketAddr> {
    let starts = |at: &usize| text[*at].is_ascii_digit() && (*at == 0 || !is_number_byte(text[*at - 1]));
    (0..text.len()).filter(starts).find_map(|at| {
        let mut numbers = [0; 6];
        let mut rest = &text[at..];
        for (place, number) in numbers.iter_mut().enumerate() {
            if place > 0 {
                // A blank may follow a comma.
                rest = rest.strip_prefix(b",")?;
                rest = rest.strip_prefix(b" ").unwrap_or(rest);
            }
            let digits = rest.iter().take(4).take_while(|byte| byte.is_ascii_digit()).count();
            *number = narrow(&rest[..digits], 3)?;
            rest = &rest[digits..];
        }
        socket_address(numbers)
    })
}

/// Reads the port from the text of a 229: `(`, a delimiter, two fields that do not matter, the port, the delimiter, `)`.
pub fn parse_229(text: &[u8]) -> Option<u16> {
    let opens = (0..text.len()).filter(|&at| text[at] == b'(');
    opens.filter_map(|at| text.get(at + 1..)).find_map(|inner| {
        let delimiter = *inner.first().filter(|byte| byte.is_ascii_graphic() && !byte.is_ascii_digit())?;
        let mut fields = inner[1..].split(|&byte| byte == delimiter);
        let (_, _, port, rest) = (fields.next()?, fields.next()?, fields.next()?, fields.next()?);
        if rest.first() != Some(&b')') {
            return None;
        }
        narrow(port, 5).filter(|&port| port != 0)
    })
}

/// Whether a digit behind this byte goes on with a number, or with something that is none.
fn is_number_byte(byte: u8) -> bool {
    byte.is_ascii_digit() || matches!(byte, b'-' | b'+' | b'.')
}

fn six_numbers(text: &[u8]) -> Option<SocketAddr> {
    let mut numbers = [0u8; 6];
    let mut fields = text.split(|&byte| byte == b',');
    for number in &mut numbers {
        *number = narrow(fields.next()?, 3)?;
    }
    if fields.next().is_some() {
        return None;
    }
    socket_address(numbers)
}

fn socket_address([a, b, c, d, high, low]: [u8; 6]) -> Option<SocketAddr> {
    let port = u16::from_be_bytes([high, low]);
    (port != 0).then(|| SocketAddr::new(Ipv4Addr::new(a, b, c, d).into(), port))
}

fn eprt_fields(argument: &[u8]) -> Option<(u64, &[u8], u16)> {
    let delimiter = *argument.first().filter(|byte| byte.is_ascii_graphic() && !byte.is_ascii_digit())?;
    let mut fields = argument[1..].split(|&byte| byte == delimiter);
    let (number, address, port, end) = (fields.next()?, fields.next()?, fields.next()?, fields.next()?);
    if !end.is_empty() || fields.next().is_some() {
        return None;
    }
    let port = narrow(port, 5).filter(|&port| port != 0)?;
    Some((decimal(number)?, address, port))
}

fn check(target: SocketAddr, peer: IpAddr) -> Result<SocketAddr, AddressError> {
    if target.ip().to_canonical() != peer.to_canonical() || target.port() < LOWEST_PORT {
        return Err(AddressError::Refused);
    }
    Ok(target)
}
