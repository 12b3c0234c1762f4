//! A client that says just what a case tells it to.

use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};

use longshore_core::wire::address;
use longshore_core::wire::reply::{Reply, ReplyDecoder};
use longshore_sim::dialogue::Peer;

use crate::programs::{PATIENCE, Server};
use crate::tls::{self, Tls};

/// A control connection, and perhaps a data connection.
#[derive(Debug)]
pub struct SocketPeer {
    /// The control connection.
    pub control: TcpStream,
    decoder: ReplyDecoder,
    unread: Vec<u8>,
    listener: Option<TcpListener>,
    /// The data connection.
    pub data: Option<TcpStream>,
    /// TLS on the control connection.
    pub tls: Option<Tls>,
    /// TLS on the data connection, once it is in use.
    pub data_tls: Option<Tls>,
    /// With which TLS begins; shared by all connections of the peer.
    pub tls_config: tls::Config,
    /// Whether data connections are protected.
    is_private: bool,
}

impl SocketPeer {
    /// Connects to a server over IPv4.
    pub fn connect_to(server: &Server) -> Self {
        Self::connect_at(Ipv4Addr::LOCALHOST.into(), server.port)
    }

    /// Connects to an address of this machine.
    pub fn connect_at(ip: IpAddr, port: u16) -> Self {
        let control = TcpStream::connect(SocketAddr::new(ip, port)).expect("the server takes connections");
        control.set_read_timeout(Some(PATIENCE)).expect("a time is valid");
        Self {
            control,
            decoder: ReplyDecoder::new(),
            unread: Vec::new(),
            listener: None,
            data: None,
            tls: None,
            data_tls: None,
            tls_config: tls::config(true),
            is_private: false,
        }
    }

    /// Connects, and logs in over TLS, in TYPE I, with data connections protected.
    pub fn logged_in_over_tls(server: &Server, config: &tls::Config) -> Self {
        Self::logged_in_over_tls_as(server, config, "anonymous", "x")
    }

    /// The same, as somebody.
    pub fn logged_in_over_tls_as(server: &Server, config: &tls::Config, user: &str, password: &str) -> Self {
        let mut peer = Self::connect_to(server);
        peer.tls_config = config.clone();
        peer.expect_reply(220);
        peer.say("AUTH TLS", 234);
        peer.secure();
        peer.say(&format!("USER {user}"), 331);
        peer.say(&format!("PASS {password}"), 230);
        peer.say("PBSZ 0", 200);
        peer.say("PROT P", 200);
        peer.protect_data(true);
        peer.say("TYPE I", 200);
        peer
    }

    /// Shakes hands on the data connection, if it is to be protected and is not.
    ///
    /// # Errors
    ///
    /// The server does not want to.
    pub fn secure_data(&mut self) -> std::io::Result<()> {
        if self.is_private && self.data_tls.is_none() {
            let data = self.data.as_mut().expect("a data connection");
            self.data_tls = Some(Tls::new(&self.tls_config, data)?);
        }
        Ok(())
    }

    /// Reads data to its end over TLS, and looks at the session then.
    pub fn read_data_then(&mut self, look: impl FnOnce(&Tls)) {
        self.on_data(|data| data.read_to_end(&mut Vec::new())).expect("the server sends");
        if let Some(tls) = &self.data_tls {
            look(tls);
        }
        self.drop_data();
    }

    /// Sends data and its end over TLS, and looks at the session once the server has ended too.
    pub fn send_data_then(&mut self, bytes: &[u8], look: impl FnOnce(&Tls)) {
        self.on_data(|data| data.write_all(bytes)).expect("the server reads");
        if let (Some(tls), Some(data)) = (&mut self.data_tls, &mut self.data) {
            tls.close(data);
        }
        self.read_data_then(look);
    }

    fn on_data<T>(&mut self, work: impl FnOnce(&mut dyn Channel) -> T) -> T {
        self.secure_data().expect("the server does TLS");
        let data = self.data.as_mut().expect("a data connection");
        match &mut self.data_tls {
            Some(tls) => work(&mut tls.over(data)),
            None => work(data),
        }
    }

    /// Connects and logs in, in TYPE I.
    pub fn logged_in(server: &Server) -> Self {
        let mut peer = Self::connect_to(server);
        peer.expect_reply(220);
        peer.say("USER anonymous", 331);
        peer.say("PASS x", 230);
        peer.say("TYPE I", 200);
        peer
    }

    /// Sends a command, and checks the code of its reply.
    pub fn say(&mut self, command: &str, code: u16) -> Reply {
        self.command(command.as_bytes());
        let reply = self.reply().unwrap_or_else(|| panic!("no reply to {command}"));
        assert_eq!(reply.code, code, "{command}: {reply}");
        reply
    }

    /// Checks the code of the next reply.
    pub fn expect_reply(&mut self, code: u16) -> Reply {
        let reply = self.reply().expect("a reply");
        assert_eq!(reply.code, code, "{reply}");
        reply
    }

    /// Asks for a passive data connection, and connects.
    pub fn passive(&mut self) {
        let reply = self.say("EPSV", 229);
        self.connect(address::parse_229(reply.text()).expect("a port"));
    }

    /// Whether the server has closed the control connection.
    pub fn is_closed(&mut self) -> bool {
        self.reply().is_none()
    }
}

/// Bytes both ways.
trait Channel: Read + Write {}

impl<T: Read + Write> Channel for T {}

impl Peer for SocketPeer {
    fn command(&mut self, line: &[u8]) {
        // A server that has closed is seen at the reply.
        let line = [line, b"\r\n"].concat();
        let _ = match &mut self.tls {
            Some(tls) => tls.over(&mut self.control).write_all(&line),
            None => self.control.write_all(&line),
        };
    }

    fn reply(&mut self) -> Option<Reply> {
        loop {
            let (taken, reply) = self.decoder.decode(&self.unread).expect("a server sends replies");
            self.unread.drain(..taken);
            if reply.is_some() {
                return reply;
            }
            let mut buffer = [0; 4096];
            let read = match &mut self.tls {
                Some(tls) => tls.over(&mut self.control).read(&mut buffer),
                None => self.control.read(&mut buffer),
            };
            match read {
                Ok(0) | Err(_) => return None,
                Ok(count) => self.unread.extend_from_slice(&buffer[..count]),
            }
        }
    }

    fn connect(&mut self, port: u16) {
        (self.listener, self.data_tls) = (None, None);
        let ip = self.control.peer_addr().expect("connected").ip();
        let data = TcpStream::connect(SocketAddr::new(ip, port)).expect("the server listens");
        data.set_read_timeout(Some(PATIENCE)).expect("a time is valid");
        self.data = Some(data);
    }

    fn listen(&mut self, line: &[u8]) -> Vec<u8> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port is free");
        let port = listener.local_addr().expect("it listens").port();
        self.listener = Some(listener);
        let text = String::from_utf8(line.to_vec()).expect("a command of the table");
        let [high, low] = port.to_be_bytes();
        text.replace("200,1", &format!("{high},{low}")).replace("51201", &port.to_string()).into_bytes()
    }

    fn accept(&mut self) {
        if let Some(listener) = self.listener.take() {
            self.data = Some(listener.accept().expect("the server connects").0);
            self.data_tls = None;
        }
    }

    fn upload(&mut self, bytes: &[u8]) {
        self.on_data(|data| data.write_all(bytes)).expect("the server reads");
        let mut data = self.data.take().expect("a data connection");
        if let Some(mut tls) = self.data_tls.take() {
            tls.close(&mut data);
        }
        data.shutdown(Shutdown::Write).expect("it is open");
    }

    fn send_data(&mut self, bytes: &[u8]) {
        self.on_data(|data| data.write_all(bytes)).expect("the server reads");
    }

    fn receive_data(&mut self) -> Vec<u8> {
        let mut piece = vec![0; 4096];
        let count = self.on_data(|data| data.read(&mut piece)).expect("the server sends");
        piece.truncate(count);
        piece
    }

    fn download(&mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.on_data(|data| data.read_to_end(&mut bytes)).expect("the server sends");
        if let (Some(mut tls), Some(mut data)) = (self.data_tls.take(), self.data.take()) {
            tls.close(&mut data);
        }
        self.data = None;
        bytes
    }

    fn drop_data(&mut self) {
        (self.data, self.data_tls) = (None, None);
        self.listener = None;
    }

    fn secure(&mut self) {
        assert!(self.unread.is_empty(), "nothing comes behind the reply to AUTH");
        self.tls = Some(Tls::new(&self.tls_config, &mut self.control).expect("the server does TLS"));
    }

    fn protect_data(&mut self, is_private: bool) {
        self.is_private = is_private;
    }
}
