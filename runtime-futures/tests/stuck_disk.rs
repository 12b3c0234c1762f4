//! A disk that does not answer: its own session alone waits for it, and even that one can break off.

#[path = "../examples/tokio/runtime.rs"]
mod runtime;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::BorrowedFd;
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use longshore_core::host::{Access, Content, HostError};
use longshore_core::server::{Config, Event, Session};
use longshore_futures::Runtime;
use longshore_futures::wire::{Stop, Wire};
use longshore_host::transfer::{Cargo, Native};
use longshore_sim::{Memory, MemoryHost, User};
use runtime::Tokio;

/// A disk that can be stuck. What it holds is endless.
#[derive(Clone, Default)]
struct Disk(Arc<(Mutex<Life>, Condvar)>);

#[derive(Default)]
struct Life {
    stuck: bool,
    waiting: usize,
}

impl Disk {
    fn set_stuck(&self, stuck: bool) {
        self.0.0.lock().unwrap().stuck = stuck;
        self.0.1.notify_all();
    }

    fn waits(&self) -> usize {
        self.0.0.lock().unwrap().waiting
    }

    fn pass(&self) {
        let mut life = self.0.0.lock().unwrap();
        life.waiting += 1;
        life = self.0.1.wait_while(life, |life| life.stuck).unwrap();
        life.waiting -= 1;
    }
}

impl Content for Disk {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, HostError> {
        self.pass();
        buffer.fill(7);
        Ok(buffer.len())
    }

    fn write(&mut self, _: &[u8]) -> Result<(), HostError> {
        self.pass();
        Ok(())
    }

    fn publish(&mut self) -> Result<(), HostError> {
        self.pass();
        Ok(())
    }
}

impl Native for Disk {
    fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        None
    }
}

/// Serves whoever comes, with this disk, for as long as the program runs.
fn serve(disk: Disk) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        Tokio::run(async {
            let listener = Tokio::listen(listener).unwrap();
            while let Ok(stream) = Tokio::accept(&listener).await {
                Tokio::spawn(session(stream, disk.clone()));
            }
        });
    });
    port
}

async fn session(stream: <Tokio as Runtime>::Stream, disk: Disk) {
    let files = Memory::default();
    files.write("/file", b"its content is the disk's");
    let anybody = User { name: "anonymous", password: None, access: Access::Write };
    let mut host = MemoryHost::new(files, vec![anybody]);
    let mut wire: Wire<Tokio, Disk> = Wire::serve(stream, None, &Stop::default()).unwrap();
    let (local, peer) = wire.addresses().unwrap();
    let mut session = Session::new(Arc::new(Config::default()), local, peer, wire.now());
    loop {
        match wire.next(&mut session).await {
            Event::Ask(request) => {
                let (answer, content) = request.run(&mut host);
                if content.is_some() {
                    wire.offer(Cargo::new(disk.clone()));
                }
                session.answer(wire.now(), answer);
            }
            Event::Note(_) => {}
            Event::Closed => break,
        }
    }
}

struct Client {
    control: BufReader<TcpStream>,
    data: Option<TcpStream>,
}

impl Client {
    fn login(port: u16) -> Self {
        let control = TcpStream::connect(("127.0.0.1", port)).unwrap();
        control.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        let mut client = Self { control: BufReader::new(control), data: None };
        client.say("", "220");
        client.say("USER anonymous\r\n", "331");
        client.say("PASS x\r\n", "230");
        client.say("TYPE I\r\n", "200");
        client
    }

    fn say(&mut self, line: &str, code: &str) -> String {
        self.control.get_mut().write_all(line.as_bytes()).unwrap();
        let mut reply = String::new();
        self.control.read_line(&mut reply).unwrap();
        assert!(reply.starts_with(code), "{line:?}: {reply:?}");
        reply
    }

    fn begin(&mut self, command: &str) {
        let reply = self.say("EPSV\r\n", "229");
        let port: u16 = reply.split('|').nth(3).unwrap().parse().unwrap();
        self.data = Some(TcpStream::connect(("127.0.0.1", port)).unwrap());
        self.say(command, "150");
    }

    fn data(&mut self) -> &mut TcpStream {
        self.data.as_mut().unwrap()
    }
}

#[test]
fn holds_up_nobody_else() {
    let (good, bad) = (Disk::default(), Disk::default());
    let (quick, slow) = (serve(good), serve(bad.clone()));
    bad.set_stuck(true);
    // More than there are threads for tasks.
    let mut stuck: Vec<Client> = (0..20)
        .map(|number| {
            let mut client = Client::login(slow);
            if number % 2 == 0 {
                client.begin("RETR file\r\n");
            } else {
                client.begin("STOR file\r\n");
                client.data().write_all(b"some").unwrap();
            }
            client
        })
        .collect();
    while bad.waits() < stuck.len() {
        std::thread::sleep(Duration::from_millis(1));
    }
    // Others are served as ever, also by the server whose disk is stuck, while they do not need it.
    let mut other = Client::login(quick);
    other.begin("RETR file\r\n");
    other.data().read_exact(&mut [0; 1_000_000]).unwrap();
    other.say("ABOR\r\n", "426");
    other.say("", "226");
    Client::login(slow).say("NOOP\r\n", "200");
    // Even the stuck ones hear of an abort, and that the data connection is over.
    for client in &mut stuck {
        client.say("ABOR\r\n", "426");
        client.say("", "226");
        assert!(matches!(client.data().read(&mut [0]), Ok(0) | Err(_)));
        client.say("NOOP\r\n", "200");
    }
    // Nothing is left waiting once the disk is well.
    bad.set_stuck(false);
    while bad.waits() > 0 {
        std::thread::sleep(Duration::from_millis(1));
    }
}
