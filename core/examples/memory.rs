//! An FTP server in sixty lines, whose files are in memory: `cargo run -p longshore-core --example memory`. The session decides
//! everything; what is here moves bytes. It takes one client at a time and waits for each transfer: enough to embed in a test, say.
//! A driver that hears `ABOR` meanwhile is in `runtime-std/src/wire.rs`.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use longshore_core::host::{Access, Content, HostError};
use longshore_core::machine::{Action, Flow, Input, Machine, NetworkError, Route, SecureError, TransferError, Way};
use longshore_core::pump::{Inflow, Outflow};
use longshore_core::server::{Config, Event, Session};
use longshore_core::time::Instant;
use longshore_sim::{Memory, MemoryHost, User};

fn main() -> std::io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    println!("Server listening on port {}", listener.local_addr()?.port());
    let files = Memory::default();
    loop {
        serve(listener.accept()?.0, &files)?;
    }
}

fn serve(mut control: TcpStream, files: &Memory) -> std::io::Result<()> {
    let anybody = User { name: "anonymous", password: None, access: Access::Write };
    let mut host = MemoryHost::new(files.clone(), vec![anybody]);
    let start = std::time::Instant::now();
    let now = || Instant::after_origin(start.elapsed());
    let (local, peer) = (control.local_addr()?, control.peer_addr()?);
    let mut session = Session::new(Arc::new(Config::default()), local, peer, now());
    let (mut listener, mut data, mut content) = (None, None, None);
    let (mut unread, mut buffer, mut came) = (Vec::new(), [0; 512], Vec::new());
    loop {
        while let Some(action) = session.poll() {
            let input = match action {
                Action::Event(Event::Ask(request)) => {
                    let (answer, opened) = request.run(&mut host);
                    content = opened;
                    session.answer(now(), answer);
                    continue;
                }
                Action::Event(Event::Closed) => return Ok(()),
                Action::Event(Event::Note(_)) | Action::Close => continue,
                // The configuration offers no TLS, so this does not come.
                Action::Secure => Input::Secured(Err(SecureError::NotSetUp)),
                Action::Listen(listen) => {
                    listener = TcpListener::bind((listen.local.ip(), 0)).ok();
                    let address = listener.as_ref().and_then(|listener| listener.local_addr().ok());
                    Input::Listening(address.ok_or(NetworkError::NoPort))
                }
                Action::Open(route) => {
                    data = match route {
                        Route::Accept { from } => std::iter::from_fn(|| listener.as_ref()?.accept().ok())
                            .find_map(|(stream, peer)| (peer.ip() == from).then_some(stream)),
                        Route::Dial { to, .. } => TcpStream::connect(to).ok(),
                        // Whether it still stands shows when it is used.
                        Route::Kept => data,
                    };
                    Input::Connected(data.as_ref().map(drop).ok_or(NetworkError::Failed))
                }
                Action::Start(flow) => {
                    let mut moved = 0;
                    let keeps_connection = flow.codec.keeps_connection();
                    let result = match (&mut data, &mut content) {
                        (Some(stream), Some(content)) => transfer(flow, stream, &mut came, content, &mut moved),
                        _ => Err(TransferError::Lost),
                    };
                    data = data.filter(|_| keeps_connection && result.is_ok());
                    session.handle(now(), Input::Moved(moved));
                    Input::Finished(result)
                }
                Action::Digest(mut summing) => Input::Digested(loop {
                    match content.as_mut().map_or(Err(HostError::Failed), |content| summing.step(content)) {
                        Ok((_, None)) => {}
                        Ok((_, Some(digest))) => break Ok(digest),
                        Err(error) => break Err(error),
                    }
                }),
                Action::Publish => Input::Published(content.take().map_or(Ok(()), |mut content| content.publish())),
                Action::Abandon => {
                    (listener, data, content, came) = (None, None, None, Vec::new());
                    continue;
                }
            };
            session.handle(now(), input);
        }
        let sent = control.write(session.transmit())?;
        session.sent(now(), sent);
        if session.wants_input() && unread.is_empty() {
            let patience = session.deadline().map(|deadline| (deadline - now()).max(Duration::from_millis(1)));
            control.set_read_timeout(patience)?;
            match control.read(&mut buffer) {
                Ok(0) => drop(session.receive(now(), &[])),
                Ok(count) => unread.extend_from_slice(&buffer[..count]),
                Err(_) => session.handle(now(), Input::Tick),
            }
        }
        if !unread.is_empty() {
            let taken = session.receive(now(), &unread);
            unread.drain(..taken);
        }
    }
}

/// `came` is what the data connection has brought and no file has taken yet: in MODE B the next file follows the one before.
fn transfer(
    flow: Flow,
    data: &mut TcpStream,
    came: &mut Vec<u8>,
    content: &mut impl Content,
    moved: &mut u64,
) -> Result<(), TransferError> {
    match flow.way {
        Way::Send => {
            let mut out = Outflow::new(flow.codec, 64 * 1024);
            while !out.is_over() {
                out.fill(content)?;
                let sent = data.write(out.bytes()).map_err(|_| TransferError::Lost)?;
                *moved += out.sent(sent);
            }
        }
        Way::Receive => {
            let (mut inflow, mut bytes, mut ends) = (Inflow::new(flow.codec), [0; 4096], false);
            loop {
                let taken = inflow.write(came, ends, content)?;
                came.drain(..taken.read);
                *moved += taken.payload;
                if taken.over {
                    break;
                }
                if taken.hungry {
                    let count = data.read(&mut bytes).map_err(|_| TransferError::Lost)?;
                    came.extend_from_slice(&bytes[..count]);
                    ends = count == 0;
                }
            }
        }
    }
    Ok(())
}

#[test]
fn a_file_goes_up_and_comes_down() {
    use std::io::{BufRead, BufReader};
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = server.local_addr().unwrap().port();
    let files = Memory::default();
    let served = files.clone();
    let thread = std::thread::spawn(move || serve(server.accept().unwrap().0, &served).unwrap());
    let mut control = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let mut replies = BufReader::new(control.try_clone().unwrap()).lines();
    let mut say = |line: &str, code: &str| {
        control.write_all(line.as_bytes()).unwrap();
        let reply = replies.next().unwrap().unwrap();
        assert!(reply.starts_with(code), "{line}: {reply}");
        reply
    };
    let connect = |reply: String| {
        let port = reply.split('|').nth(3).unwrap().parse().unwrap();
        TcpStream::connect(("127.0.0.1", port)).unwrap()
    };
    say("", "220");
    say("USER anonymous\r\n", "331");
    say("PASS x\r\n", "230");
    say("TYPE I\r\n", "200");
    let mut data = connect(say("EPSV\r\n", "229"));
    data.write_all(b"in memory").unwrap();
    drop(data);
    say("STOR a.txt\r\n", "150");
    say("", "226");
    assert_eq!(files.read("/a.txt").unwrap(), b"in memory");
    let mut data = connect(say("EPSV\r\n", "229"));
    say("RETR a.txt\r\n", "150");
    say("", "226");
    let mut text = String::new();
    data.read_to_string(&mut text).unwrap();
    assert_eq!(text, "in memory");
    say("QUIT\r\n", "221");
    thread.join().unwrap();
}
