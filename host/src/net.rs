//! Sockets as the protocol wants them, for every runtime to wrap: listeners for data connections, connections that are made
//! without waiting, and the options of control connections.

use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::os::fd::AsFd;
use std::time::Duration;

use longshore_core::machine::{Listen, NetworkError};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::RecvFlags;
use socket2::{Domain, Protocol, SockRef, Socket, TcpKeepalive, Type};

use crate::directory::random;

/// How many control connections may wait to be taken.
const CONTROL_BACKLOG: i32 = 1024;
/// How many data connections may wait: one is the peer's, the others are dropped.
const DATA_BACKLOG: i32 = 4;
/// The ports that belong to nobody (RFC 6335, section 6).
const FREE_PORTS: std::ops::RangeInclusive<u16> = 49_152..=65_535;
const FREE_COUNT: u64 = 65_536 - 49_152;
/// How many of them are tried before the system is asked for one.
const GUESSES: usize = 8;
/// How long a control connection may be dead before TCP asks.
const KEEPALIVE: Duration = Duration::from_secs(60);

/// Listens for control connections.
///
/// # Errors
///
/// The address is in use, or is none of this machine's.
pub fn listen_control(address: SocketAddr) -> io::Result<TcpListener> {
    listen(address, CONTROL_BACKLOG)
}

/// Listens for a data connection; the listener does not block. Says at which address. Of the ports of a range one is taken at random (RFC 2577,
/// section 8).
///
/// # Errors
///
/// No port is free.
pub fn listen_data(order: &Listen) -> Result<(TcpListener, SocketAddr), NetworkError> {
    let listener = find_port(order)?;
    let address = listener.local_addr().map_err(|error| network_error(&error))?;
    Ok((listener, address))
}

fn find_port(order: &Listen) -> Result<TcpListener, NetworkError> {
    let Some(range) = &order.ports else {
        // A guess is mostly right, and random (RFC 2577, section 8). The system would search, and for milliseconds where thousands of
        // ports are those of connections that have just ended.
        let guesses = (0..GUESSES).map(|_| FREE_PORTS.start() + u16::try_from(random() % FREE_COUNT).unwrap_or(0));
        let found = guesses.map(|port| listen_without_blocking(with_port(order.local, port))).find_map(Result::ok);
        return found.map_or_else(|| listen_without_blocking(with_port(order.local, 0)), Ok);
    };
    let count = u64::from(range.end().saturating_sub(*range.start())) + 1;
    let first = random() % count;
    for step in 0..count {
        let offset = u16::try_from((first + step) % count).unwrap_or(0);
        let address = with_port(order.local, range.start().saturating_add(offset));
        if let Ok(listener) = listen_without_blocking(address) {
            return Ok(listener);
        }
    }
    Err(NetworkError::NoPort)
}

/// The same address, the scope of a link-local one included, with another port.
fn with_port(mut address: SocketAddr, port: u16) -> SocketAddr {
    address.set_port(port);
    address
}

fn listen_without_blocking(address: SocketAddr) -> Result<TcpListener, NetworkError> {
    let listener = listen(address, DATA_BACKLOG).map_err(|_| NetworkError::NoPort)?;
    listener.set_nonblocking(true).map_err(|_| NetworkError::Failed)?;
    Ok(listener)
}

fn listen(address: SocketAddr, backlog: i32) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    // Ports of connections that have just ended can be used again.
    socket.set_reuse_address(true)?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.bind(&address.into())?;
    socket.listen(backlog)?;
    Ok(socket.into())
}

/// Begins to connect. The connection does not block; it stands, or has failed, once it can be written to.
///
/// # Errors
///
/// It has failed at once.
pub fn dial(from: Option<SocketAddr>, to: SocketAddr) -> Result<TcpStream, NetworkError> {
    let socket = Socket::new(Domain::for_address(to), Type::STREAM, Some(Protocol::TCP))
        .map_err(|error| network_error(&error))?;
    socket.set_nonblocking(true).map_err(|error| network_error(&error))?;
    if let Some(from) = from {
        socket.bind(&with_port(from, 0).into()).map_err(|error| network_error(&error))?;
    }
    match socket.connect(&to.into()) {
        Ok(()) => Ok(socket.into()),
        Err(error) if error.raw_os_error() == Some(Errno::INPROGRESS.raw_os_error()) => Ok(socket.into()),
        Err(error) => Err(network_error(&error)),
    }
}

/// Whether a connection that was begun stands; `None` while that is not known.
///
/// # Errors
///
/// It does not, and this is why.
pub fn dialled(socket: impl AsFd) -> Option<Result<(), NetworkError>> {
    let at_once = Timespec { tv_sec: 0, tv_nsec: 0 };
    match poll(&mut [PollFd::new(&socket, PollFlags::OUT)], Some(&at_once)) {
        Ok(0) | Err(Errno::INTR) => None,
        Ok(_) => match SockRef::from(&socket).take_error() {
            Ok(None) => Some(Ok(())),
            Ok(Some(error)) | Err(error) => Some(Err(network_error(&error))),
        },
        Err(error) => Some(Err(network_error(&error.into()))),
    }
}

/// Takes a connection from the peer, if one waits, without blocking; those from elsewhere are closed (RFC 2577, section 4).
/// The connection does not block.
///
/// # Errors
///
/// No descriptor is left, say: the connection would wait for ever.
pub fn accept_from(listener: impl AsFd, peer: IpAddr) -> Option<Result<TcpStream, NetworkError>> {
    let is_peer = |ip: IpAddr| ip.to_canonical() == peer.to_canonical();
    loop {
        match SockRef::from(&listener).accept() {
            Ok((socket, address)) if address.as_socket().is_some_and(|address| is_peer(address.ip())) => {
                let stands = socket.set_nonblocking(true);
                return Some(stands.map(|()| socket.into()).map_err(|error| network_error(&error)));
            }
            Ok(_) => {}
            Err(error) => match error.kind() {
                io::ErrorKind::Interrupted | io::ErrorKind::ConnectionAborted => {}
                io::ErrorKind::WouldBlock => return None,
                _ => return Some(Err(network_error(&error))),
            },
        }
    }
}

/// The ends of a connection: ours, and the peer's.
///
/// # Errors
///
/// The connection is gone already.
pub fn addresses(socket: impl AsFd) -> io::Result<(SocketAddr, SocketAddr)> {
    let (local, peer) = (rustix::net::getsockname(&socket)?, rustix::net::getpeername(&socket)?);
    let peer = peer.ok_or(io::ErrorKind::NotConnected)?;
    Ok((local.try_into()?, peer.try_into()?))
}

/// Sets what a control connection needs: replies leave at once, urgent bytes stay in their place (RFC 959, section 4.1: the
/// Synch), and a peer that vanished is noticed.
///
/// # Errors
///
/// The connection is gone already.
pub fn prepare_control(stream: &impl AsFd) -> io::Result<()> {
    let socket = SockRef::from(stream);
    socket.set_nonblocking(true)?;
    socket.set_tcp_nodelay(true)?;
    socket.set_out_of_band_inline(true)?;
    socket.set_tcp_keepalive(&TcpKeepalive::new().with_time(KEEPALIVE))
}

/// An error of the network, as the protocol tells them apart.
pub fn network_error(error: &io::Error) -> NetworkError {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => NetworkError::Refused,
        io::ErrorKind::TimedOut => NetworkError::TimedOut,
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable | io::ErrorKind::AddrNotAvailable => {
            NetworkError::Unreachable
        }
        io::ErrorKind::AddrInUse => NetworkError::NoPort,
        _ => NetworkError::Failed,
    }
}

/// Whether the peer has not closed a data connection on which nothing is going on.
pub fn is_open(socket: impl AsFd) -> bool {
    let mut byte = [0; 1];
    match rustix::net::recv(socket, &mut byte, RecvFlags::PEEK | RecvFlags::DONTWAIT) {
        Ok((_, count)) => count > 0,
        Err(error) => matches!(error, Errno::AGAIN | Errno::INTR),
    }
}
