//! A server that does wrong, in clear or over TLS, for one session at a time.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use rustls::crypto::aws_lc_rs;
use rustls::{ServerConfig, ServerConnection};

use crate::certificates::Certificate;

/// What the server does.
#[derive(Clone, Copy, Debug)]
pub struct Manners {
    /// The bytes that answer AUTH; TLS follows where they begin with 234.
    pub auth: &'static str,
    /// The answer to PROT.
    pub prot: &'static str,
    /// The answer to SIZE.
    pub size: &'static str,
    /// Whether TLS says so where data ends.
    pub says_end: bool,
}

impl Manners {
    /// All as it should be.
    pub const GOOD: Self = Self { auth: "234 go on\r\n", prot: "200 ok", size: "213 5", says_end: true };
}

/// What every file holds.
pub const CONTENT: &[u8] = b"hello";

/// A server that is listening.
#[derive(Debug)]
pub struct Fake {
    /// The control port.
    pub port: u16,
    heard: Arc<Mutex<Vec<String>>>,
}

impl Fake {
    /// A server with this certificate.
    pub fn start(certificate: &Certificate, manners: Manners) -> Self {
        let builder = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()));
        let builder = builder.with_safe_default_protocol_versions().expect("the provider has them");
        let (chain, key) = certificate.parts();
        let config = builder.with_no_client_auth().with_single_cert(vec![chain], key).expect("they fit");
        let config = Arc::new(config);
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port is free");
        let port = listener.local_addr().expect("it listens").port();
        let heard = Arc::new(Mutex::new(Vec::new()));
        let ears = Arc::clone(&heard);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                // How the session ends is the client's to tell.
                let _ = serve(stream, &config, manners, &ears);
            }
        });
        Self { port, heard }
    }

    /// The commands that came in clear.
    pub fn heard(&self) -> Vec<String> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn serve(
    mut stream: TcpStream,
    config: &Arc<ServerConfig>,
    manners: Manners,
    heard: &Mutex<Vec<String>>,
) -> std::io::Result<()> {
    stream.write_all(b"220 ready\r\n")?;
    let mut line = Vec::new();
    loop {
        let mut byte = [0];
        // A byte at a time: what follows AUTH is TLS's.
        stream.read_exact(&mut byte)?;
        line.push(byte[0]);
        if byte[0] != b'\n' {
            continue;
        }
        let command = String::from_utf8_lossy(&line).trim_end().to_owned();
        line.clear();
        heard.lock().unwrap_or_else(PoisonError::into_inner).push(command.clone());
        if command != "AUTH TLS" {
            stream.write_all(b"530 no\r\n")?;
            continue;
        }
        stream.write_all(manners.auth.as_bytes())?;
        if manners.auth.starts_with("234") {
            break;
        }
    }
    let mut tls = ServerConnection::new(Arc::clone(config)).expect("a configuration that works");
    let control = rustls::Stream::new(&mut tls, &mut stream);
    let mut control = BufReader::new(control);
    let mut listener = None;
    let mut text = String::new();
    while control.read_line(&mut text)? > 0 {
        let verb = text.split([' ', '\r']).next().unwrap_or_default().to_owned();
        text.clear();
        let reply = match &verb[..] {
            "USER" => "331 who",
            "PASS" => "230 in",
            "PROT" => manners.prot,
            "SIZE" => manners.size,
            "FEAT" => "500 what",
            "EPSV" => {
                let bound = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
                let port = bound.local_addr()?.port();
                listener = Some(bound);
                control.get_mut().write_all(format!("229 here (|||{port}|)\r\n").as_bytes())?;
                continue;
            }
            "RETR" => {
                control.get_mut().write_all(b"150 here it comes\r\n")?;
                if let Some(listener) = listener.take() {
                    send(listener.accept()?.0, config, manners)?;
                }
                "226 done"
            }
            _ => "200 ok",
        };
        control.get_mut().write_all(format!("{reply}\r\n").as_bytes())?;
    }
    Ok(())
}

fn send(mut data: TcpStream, config: &Arc<ServerConfig>, manners: Manners) -> std::io::Result<()> {
    let mut tls = ServerConnection::new(Arc::clone(config)).expect("a configuration that works");
    rustls::Stream::new(&mut tls, &mut data).write_all(CONTENT)?;
    if manners.says_end {
        tls.send_close_notify();
    }
    while tls.wants_write() {
        tls.write_tls(&mut data)?;
    }
    data.shutdown(Shutdown::Write)?;
    // The client goes first, so that nothing is reset.
    let _ = data.read(&mut [0; 1024]);
    Ok(())
}
