//! What the system, and TLS alone, can do: the same bytes over the same sockets, without a protocol. Each is a thread that serves, and a
//! client that asks; a byte says what for.

use std::fs::File;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use longshore_suite::certificates::{Certificate, Flaw};
use longshore_suite::tls;
use rustls::{ServerConfig, ServerConnection, Stream};

/// How much is moved at once.
const PIECE: usize = 256 * 1024;

/// A server without a protocol.
#[derive(Debug)]
pub struct Bare {
    address: SocketAddr,
}

impl Bare {
    /// One that serves a file, and writes what it gets to another beside it.
    ///
    /// # Panics
    ///
    /// If there are no sockets.
    pub fn start(file: &Path) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("there are ports");
        let address = listener.local_addr().expect("it is bound");
        let file = file.to_owned();
        std::thread::spawn(move || {
            while let Ok((stream, _)) = listener.accept() {
                // Whoever asks goes away in the middle of nothing.
                let _ = serve(stream, &file);
            }
        });
        Self { address }
    }

    fn ask(&self, what: u8) -> TcpStream {
        let mut stream = TcpStream::connect(self.address).expect("the thread listens");
        stream.set_nodelay(true).expect("it is a socket");
        stream.write_all(&[what]).expect("the thread reads");
        stream
    }

    /// The file comes by sendfile, and is read.
    pub fn down(&self) {
        let mut stream = self.ask(b'd');
        let mut buffer = vec![0; PIECE];
        while stream.read(&mut buffer).is_ok_and(|count| count > 0) {}
    }

    /// The file goes by sendfile, and is read and written by the other side.
    ///
    /// # Panics
    ///
    /// If the file is gone.
    pub fn up(&self, file: &Path) {
        let mut stream = self.ask(b'u');
        send_file(&File::open(file).expect("the file is there"), &stream).expect("the thread reads");
        stream.shutdown(Shutdown::Write).expect("it is open");
        stream.read_exact(&mut [0]).expect("it is confirmed");
    }

    /// So many small files, each by a connection of its own.
    pub fn small(&self, count: usize) {
        (0..count).for_each(|_| self.down());
    }

    /// As many lines there and back as a session's login and end take, over a connection of their own.
    ///
    /// # Panics
    ///
    /// If there are no sockets.
    pub fn session(&self, lines: usize) {
        let mut stream = self.ask(b'l');
        let mut answer = [0; 64];
        for _ in 0..lines {
            stream.write_all(b"PASS somebody@example.org\r\n").expect("the thread reads");
            assert!(stream.read(&mut answer).is_ok_and(|count| count > 0), "the thread answers");
        }
    }
}

fn serve(mut stream: TcpStream, file: &Path) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut what = [0];
    stream.read_exact(&mut what)?;
    let mut buffer = vec![0; PIECE];
    match what[0] {
        b'd' => send_file(&File::open(file)?, &stream)?,
        b'u' => {
            let mut copy = File::create(file.with_extension("copy"))?;
            loop {
                match stream.read(&mut buffer)? {
                    0 => break,
                    count => copy.write_all(&buffer[..count])?,
                }
            }
            stream.write_all(b"!")?;
        }
        _ => {
            while let 1.. = stream.read(&mut buffer)? {
                stream.write_all(b"230 Login successful.\r\n")?;
            }
        }
    }
    Ok(())
}

fn send_file(file: &File, stream: &TcpStream) -> std::io::Result<()> {
    while rustix::fs::sendfile(stream.as_fd(), file.as_fd(), None, 1 << 30)? > 0 {}
    Ok(())
}

/// A TLS connection by rustls as everybody uses it, with the cipher that our programs agree on.
#[derive(Debug)]
pub struct BareTls {
    stream: TcpStream,
    tls: tls::Tls,
    file: PathBuf,
}

impl BareTls {
    /// A connection on which the file comes as often as one likes.
    ///
    /// # Panics
    ///
    /// If there are no sockets.
    pub fn start(file: &Path, folder: &Path) -> Self {
        let (certificate, key) = Certificate::make(folder, "bare", Flaw::None).parts();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ServerConfig::builder_with_provider(provider).with_protocol_versions(&[&rustls::version::TLS13]);
        let mut config = builder
            .expect("the provider has this version")
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)
            .expect("the key is the certificate's");
        config.ignore_client_order = true;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("there are ports");
        let address = listener.local_addr().expect("it is bound");
        let path = file.to_owned();
        std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().expect("somebody comes");
            let mut tls = ServerConnection::new(Arc::new(config)).expect("a configuration that works");
            let mut tls = Stream::new(&mut tls, &mut stream);
            let (mut what, mut buffer) = ([0], vec![0; PIECE]);
            while tls.read_exact(&mut what).is_ok() {
                let mut file = File::open(&path).expect("the file is there");
                while let Ok(count @ 1..) = file.read(&mut buffer) {
                    if tls.write_all(&buffer[..count]).is_err() {
                        return;
                    }
                }
            }
        });
        let mut stream = TcpStream::connect(address).expect("the thread listens");
        let tls = tls::Tls::new(&tls::config(true), &mut stream).expect("the thread does TLS");
        Self { stream, tls, file: file.to_owned() }
    }

    /// The file comes.
    ///
    /// # Panics
    ///
    /// If the thread is gone.
    pub fn down(&mut self) {
        let mut left = self.file.metadata().expect("the file is there").len();
        let mut tls = self.tls.over(&mut self.stream);
        tls.write_all(b"d").expect("the thread reads");
        let mut buffer = vec![0; PIECE];
        while left > 0 {
            left -= tls.read(&mut buffer).expect("the thread sends") as u64;
        }
    }
}

/// What whoever lists a directory has to ask of the system.
///
/// # Panics
///
/// If it is gone.
pub fn list(folder: &Path) -> u64 {
    let entries = std::fs::read_dir(folder).expect("the folder is there");
    entries.map(|entry| entry.and_then(|entry| entry.metadata()).expect("nobody else is here").len()).sum()
}
