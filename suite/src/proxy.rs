//! A control connection with somebody in the middle, who answers some commands himself, changes some replies, and counts the data
//! connections that are made.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use longshore_core::wire::address;

/// What the one in the middle does.
#[derive(Clone, Copy, Debug)]
pub struct Meddling {
    /// Answers a command in the server's place.
    pub answer: fn(&str) -> Option<&'static str>,
    /// Changes a line of a reply.
    pub change: fn(&str) -> String,
    /// Passes data connections on too, and so counts them.
    pub data: bool,
}

impl Meddling {
    /// Passes on everything.
    pub const NONE: Self = Self { answer: |_| None, change: str::to_owned, data: false };
}

/// A proxy for one session at a time.
#[derive(Debug)]
pub struct Proxy {
    /// Where it listens for control connections.
    pub port: u16,
    data_connections: Arc<AtomicUsize>,
}

impl Proxy {
    /// A proxy for the server that listens at `server` on this machine.
    pub fn start(server: u16, meddling: Meddling) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port is free");
        let port = listener.local_addr().expect("it listens").port();
        let data_connections = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&data_connections);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                pass_on(client, server, meddling, &count);
            }
        });
        Self { port, data_connections }
    }

    /// How many data connections the client has made.
    pub fn data_connections(&self) -> usize {
        self.data_connections.load(Ordering::Relaxed)
    }
}

fn pass_on(client: TcpStream, server: u16, meddling: Meddling, count: &Arc<AtomicUsize>) {
    let Ok(server) = TcpStream::connect((Ipv4Addr::LOCALHOST, server)) else { return };
    for stream in [&client, &server] {
        stream.set_nodelay(true).expect("it is a TCP socket");
    }
    let (commands, to_server) = (client.try_clone().expect("a socket"), server.try_clone().expect("a socket"));
    let to_client = client.try_clone().expect("a socket");
    let upwards = thread::spawn(move || {
        let _ = each_line(commands, |line| match (meddling.answer)(line.trim_end()) {
            Some(reply) => (&to_client).write_all(format!("{reply}\r\n").as_bytes()),
            None => (&to_server).write_all(line.as_bytes()),
        });
        let _ = to_server.shutdown(Shutdown::Write);
    });
    let _ = each_line(server, |line| {
        let changed = (meddling.change)(line.trim_end());
        let port = address::parse_229(changed.as_bytes()).filter(|_| meddling.data && changed.starts_with("229 "));
        let changed = match port {
            Some(port) => changed.replace(&format!("|||{port}|"), &format!("|||{}|", data_proxy(port, count))),
            None => changed,
        };
        (&client).write_all(format!("{changed}\r\n").as_bytes())
    });
    let _ = client.shutdown(Shutdown::Write);
    let _ = upwards.join();
}

fn each_line(stream: TcpStream, mut pass: impl FnMut(&str) -> std::io::Result<()>) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream);
    let mut line = Vec::new();
    while lines.read_until(b'\n', &mut line)? > 0 {
        pass(&String::from_utf8_lossy(&line))?;
        line.clear();
    }
    Ok(())
}

/// Listens in the server's place, for one connection; gives the port.
fn data_proxy(server: u16, count: &Arc<AtomicUsize>) -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port is free");
    let port = listener.local_addr().expect("it listens").port();
    let count = Arc::clone(count);
    thread::spawn(move || {
        let Ok((client, _)) = listener.accept() else { return };
        count.fetch_add(1, Ordering::Relaxed);
        let Ok(server) = TcpStream::connect((Ipv4Addr::LOCALHOST, server)) else { return };
        let (from_client, to_server) = (client.try_clone().expect("a socket"), server.try_clone().expect("a socket"));
        let upwards = thread::spawn(move || copy(from_client, to_server));
        copy(server, client);
        let _ = upwards.join();
    });
    port
}

fn copy(mut from: TcpStream, mut to: TcpStream) {
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(count @ 1..) = from.read(&mut buffer) {
        if to.write_all(&buffer[..count]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Write);
}
