//! The server's side of a session.
//!
//! [`Session`] is a [`Machine`]: it reads commands, asks its host, orders data connections about, and writes replies. The
//! files of this folder follow the families of commands:
//!
//! | file | commands |
//! |---|---|
//! | `login.rs` | USER PASS ACCT REIN QUIT |
//! | `secure.rs` | AUTH PBSZ PROT CCC ADAT |
//! | `inform.rs` | FEAT OPTS HELP SYST STAT NOOP CLNT LANG SITE |
//! | `navigate.rs` | CWD CDUP PWD |
//! | `digest.rs` | HASH XCRC XMD5 XSHA XSHA1 XSHA256 XSHA512 |
//! | `files.rs` | MKD RMD DELE RNFR RNTO SIZE MDTM MFMT MLST, SITE CHMOD |
//! | `data.rs` | TYPE STRU MODE, PORT PASV EPRT EPSV |
//! | `portion.rs` | REST RANG ALLO |
//! | `transfer.rs` | RETR STOR STOU APPE LIST NLST MLSD, ABOR |
//!
//! ```text
//!            +--------- Delayed (a wrong password) <--+
//!            v                                        |
//! line --> Ready --> Asked (a Request is out) --------+--> reply, Ready
//!            |          |
//!            |          +--> Transfer: Opening --> Moving --> Settling --> Publishing --> reply, Ready
//!            +--> Listening (PASV, EPSV) --> reply, Ready
//!            +--> Securing (AUTH, after its reply) --> Ready
//! ```
//!
//! A command is taken up only in `Ready`, so that replies come in the order of the commands; `ABOR`, `STAT` and the end of
//! the control connection are heard in every state.

mod config;
mod data;
mod digest;
mod files;
mod inform;
mod listing;
mod login;
mod navigate;
mod portion;
mod request;
mod secure;
mod transfer;

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::net::{IpAddr, SocketAddr};

use bytes::Bytes;

pub use self::config::{
    Config, HANDSHAKE_TIMEOUT, LINE_LIMIT, LOGIN_ATTEMPTS, QUEUE_BYTES, QUEUE_LINES, STOP_GRACE, Tls, UNSENT_LIMIT,
};
use self::data::{Endpoint, Passive};
use self::digest::Digesting;
pub use self::listing::{Listing, SORTED_NAMES};
use self::login::Login;
use self::portion::Portion;
pub use self::request::{ASCII_SIZE_LIMIT, Answer, DIGEST_AT_ONCE, Request, STATUS_ENTRIES, ServerContent};
use self::request::{Outcome, Task};
use self::secure::Security;
use self::transfer::Transfer;
use crate::codec::Form;
use crate::digest::Algorithm;
use crate::host::Access;
use crate::machine::{Action, Input, Machine, SecureError};
use crate::outbox::Outbox;
use crate::path::VirtualPath;
use crate::time::Instant;
use crate::wire::command::{Command, CommandError, masked};
use crate::wire::facts::FactSet;
use crate::wire::line::{Line, LineDecoder, Side};
use crate::wire::verb::{Offer, Verb, When};

/// What a session says to its application.
#[derive(Debug)]
pub enum Event {
    /// To be carried out with [`Request::run`]; the answer goes to [`Session::answer`].
    Ask(Request),
    /// Something for a log.
    Note(Note),
    /// The last event: the control connection is done with.
    Closed,
}

/// What a log may want to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Note {
    /// A user logged in.
    LoggedIn {
        /// Who.
        user: Bytes,
        /// With which rights.
        access: Access,
    },
    /// A login was refused.
    LoginFailed {
        /// For whom.
        user: Bytes,
    },
    /// The client's name for itself.
    Client(Bytes),
    /// The TLS handshake failed, and the session ends.
    NotSecured(SecureError),
    /// A transfer is over.
    Transfer {
        /// Its command.
        verb: Verb,
        /// What was moved.
        path: VirtualPath,
        /// How many bytes went over the data connection.
        bytes: u64,
        /// The code of the reply.
        code: u16,
    },
    /// A file or a directory was changed.
    Changed {
        /// The command.
        verb: Verb,
        /// What.
        path: VirtualPath,
    },
    /// A command as it came, with passwords masked. Only where the configuration asks for it.
    Command(Bytes),
    /// A reply, without its line end. Only where the configuration asks for it.
    Reply(Bytes),
}

/// Why a connection is turned away at its greeting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// All sessions are taken.
    Full,
    /// This address has as many as it may.
    FullForPeer,
    /// The server is about to end.
    Stopping,
}

/// The server's side of a control connection.
#[derive(Debug)]
pub struct Session {
    config: Arc<Config>,
    local: SocketAddr,
    peer: SocketAddr,
    decoder: LineDecoder,
    queue: VecDeque<Line>,
    queued: usize,
    /// ABORs that came while something other than a transfer was under way.
    aborts: usize,
    out: Outbox,
    actions: VecDeque<Action<Event>>,
    work: Work,
    life: Life,
    /// Nothing more will come: the peer has closed its direction.
    deaf: bool,
    login: Login,
    failures: u8,
    cwd: VirtualPath,
    form: Form,
    endpoint: Endpoint,
    epsv_all: bool,
    security: Security,
    /// There is no place for this session, as its greeting is to say.
    refusal: Option<Refusal>,
    /// What REST or RANG asked for.
    portion: Portion,
    announced: Option<u64>,
    rename_from: Option<VirtualPath>,
    facts: FactSet,
    /// What HASH makes digests with.
    algorithm: Algorithm,
    clocks: Clocks,
}

/// What the session waits for before it takes up the next command.
#[derive(Debug)]
enum Work {
    /// The greeting is still to be written.
    Greeting,
    Ready,
    /// The host's answer, and what is to become of it.
    Asked(Then),
    /// The driver's listener.
    Listening(Passive),
    /// The TLS handshake, until then at most.
    Securing(Instant),
    /// The end of a delay that a wrong password earned.
    Delayed(Instant),
    /// Boxed, so that a session at rest is small.
    Transfer(Box<Transfer>),
    Digesting(Box<Digesting>),
}

/// What becomes of a host's answer.
#[derive(Debug)]
enum Then {
    Login,
    Enter(VirtualPath),
    /// A command on one file: its verb, and the path as the client put it and as it is.
    File(Verb, Bytes, VirtualPath),
    /// A transfer that is ready to begin.
    Transfer(Box<Transfer>),
    /// A digest likewise.
    Digest(Box<Digesting>),
    /// The control connection is gone, and so is the interest in the answer.
    Nothing,
}

/// How far a session is from its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Life {
    Open,
    /// The program is to end; what runs may go on until then.
    Stopping(Instant),
    /// The last reply is written.
    Closing,
    /// The last action is queued.
    Over,
}

#[derive(Debug)]
struct Clocks {
    started: Instant,
    /// The last command, or the end of the last transfer.
    active: Instant,
    /// When the unsent bytes last became fewer.
    drained: Instant,
}

impl Session {
    /// A session that greets its peer once it is first [`poll`](Machine::poll)ed. `local` and `peer` are the ends of the control connection.
    pub fn new(config: Arc<Config>, local: SocketAddr, peer: SocketAddr, now: Instant) -> Self {
        Self::connected_to(config, local, peer, now, None)
    }

    /// A session that says why it cannot be, and closes (RFC 959, section 5.4: 421).
    pub fn refused(config: Arc<Config>, local: SocketAddr, peer: SocketAddr, now: Instant, why: Refusal) -> Self {
        Self::connected_to(config, local, peer, now, Some(why))
    }

    fn connected_to(
        config: Arc<Config>,
        local: SocketAddr,
        peer: SocketAddr,
        now: Instant,
        refusal: Option<Refusal>,
    ) -> Self {
        let is_implicit = config.tls == Tls::Implicit;
        let mut session = Self {
            config,
            local,
            peer,
            decoder: LineDecoder::new(Side::Server, LINE_LIMIT),
            queue: VecDeque::new(),
            queued: 0,
            aborts: 0,
            out: Outbox::default(),
            actions: VecDeque::new(),
            work: Work::Greeting,
            life: Life::Open,
            deaf: false,
            login: Login::default(),
            failures: 0,
            cwd: VirtualPath::root(),
            form: Form::DEFAULT,
            endpoint: Endpoint::None,
            epsv_all: false,
            security: Security::default(),
            refusal,
            portion: Portion::WHOLE,
            announced: None,
            rename_from: None,
            facts: FactSet::default(),
            algorithm: Algorithm::Sha256,
            clocks: Clocks { started: now, active: now, drained: now },
        };
        if is_implicit && refusal.is_none() {
            session.begin_handshake(now);
        }
        session
    }

    /// The first words.
    fn greet(&mut self) {
        self.work = Work::Ready;
        match self.refusal {
            None => {
                let banner = self.config.banner.clone();
                self.reply(220, banner.as_bytes());
            }
            // To say why would take a handshake, which is more than such a connection may cost.
            Some(_) if self.config.tls == Tls::Implicit => self.end(),
            Some(Refusal::Full) => self.close_with(421, "Too many sessions; try again later."),
            Some(Refusal::FullForPeer) => {
                self.close_with(421, "Too many sessions from your address; try again later.");
            }
            Some(Refusal::Stopping) => self.close_with(421, "The server is about to stop."),
        }
    }

    /// Hands in the answer to the last [`Event::Ask`].
    pub fn answer(&mut self, now: Instant, answer: Answer) {
        self.wake(now);
        let Work::Asked(then) = core::mem::replace(&mut self.work, Work::Ready) else {
            return;
        };
        let then = if self.is_ending() { Then::Nothing } else { then };
        match (then, answer.0) {
            (Then::Login, Outcome::Login(result)) => self.logged_in(now, result),
            (Then::Enter(path), Outcome::Done(result)) => self.entered(path, result),
            (Then::Transfer(transfer), Outcome::Opened(result)) => self.opened(now, transfer, result),
            (Then::Digest(digesting), Outcome::Opened(result)) => self.digest_opened(now, digesting, result),
            (Then::File(verb, name, path), outcome) => self.file_answered(verb, &name, path, outcome),
            // Content that was opened for nobody is dropped.
            _ => self.actions.push_back(Action::Abandon),
        }
        self.advance(now);
    }

    /// Time has passed. Bytes that are written from now on wait from now on.
    fn wake(&mut self, now: Instant) {
        if self.out.is_empty() {
            self.clocks.drained = now;
        }
    }

    /// Takes up commands for as long as nothing has to be waited for.
    fn advance(&mut self, now: Instant) {
        while !self.is_ending() {
            if self.aborts > 0 && self.can_abort() {
                self.aborts -= 1;
                self.abort(now);
                continue;
            }
            if !matches!(self.work, Work::Ready) {
                break;
            }
            if self.life != Life::Open {
                self.close_with(421, "The server is about to stop.");
                break;
            }
            if self.out.bytes().len() >= UNSENT_LIMIT {
                break;
            }
            let Some(line) = self.queue.pop_front() else {
                break;
            };
            self.queued -= line.text.len();
            if self.queue.is_empty() {
                // A session at rest holds no buffer.
                self.queue = VecDeque::new();
            }
            self.clocks.active = now;
            self.take_up(now, &line);
        }
    }

    fn take_up(&mut self, now: Instant, line: &Line) {
        match parse(line) {
            Ok(command) => self.execute(now, command),
            // A login comes before the form of an argument.
            Err(CommandError::Unexpected(verb) | CommandError::Nul(verb))
                if verb.row().offer == Offer::Served && !self.may_use(verb) => {}
            Err(error) => {
                self.rename_from = None;
                self.reply_parts(error.code(), &[alloc::format!("{error}").as_bytes()]);
                if error == CommandError::Browser {
                    self.life = Life::Closing;
                }
            }
        }
    }

    fn execute(&mut self, now: Instant, command: Command) {
        let Command { verb, argument } = command;
        let row = verb.row();
        // RNTO is to follow at once; NOOP affects nothing (RFC 959, section 4.1.3).
        let rename_from = if verb == Verb::Noop { None } else { self.rename_from.take() };
        if row.offer != Offer::Served {
            return self.reply(502, "Command not implemented.");
        }
        if !self.may_use(verb) {
            return;
        }
        let path = argument.clone().unwrap_or_default();
        match verb {
            Verb::User => self.user(path),
            Verb::Pass => self.password(path),
            Verb::Acct => self.account(),
            Verb::Rein => self.reinitialize(),
            Verb::Quit => self.close_with(221, "Goodbye."),
            Verb::Auth => self.authenticate(now, &path),
            Verb::Adat | Verb::Pbsz | Verb::Prot | Verb::Ccc => self.secure(verb, &path),
            Verb::Feat => self.features(),
            Verb::Opts => self.options(&path),
            Verb::Help => self.help(argument.as_deref()),
            Verb::Syst => self.reply(215, "UNIX Type: L8"),
            Verb::Noop => self.reply(200, "NOOP ok."),
            Verb::Clnt => self.client_name(path),
            Verb::Lang => self.language(argument.as_deref()),
            Verb::Stat => self.status(argument),
            Verb::Site => self.site(path),
            Verb::Cwd => self.change_directory(argument),
            Verb::Cdup => self.change_directory(Some(Bytes::from_static(b".."))),
            Verb::Pwd => self.print_directory(),
            Verb::Port | Verb::Eprt => self.active(verb, &path),
            Verb::Pasv => self.passive(),
            Verb::Epsv => self.extended_passive(argument.as_deref()),
            Verb::Type => self.representation_type(&path),
            Verb::Stru => self.file_structure(&path),
            Verb::Mode => self.transfer_mode(&path),
            Verb::Abor => self.abort(now),
            Verb::Retr => self.retrieve(path),
            Verb::Stor | Verb::Appe => self.store(verb, path),
            Verb::Stou => self.store_unique(argument),
            Verb::Allo => self.allocate(&path),
            Verb::Rest => self.restart_at(&path),
            Verb::Rang => self.range(&path),
            Verb::List | Verb::Nlst | Verb::Mlsd => self.list(verb, argument),
            Verb::Rnto => self.rename_to(rename_from, path),
            Verb::Mlst => self.on_file(verb, argument.unwrap_or_else(|| Bytes::from_static(b"."))),
            Verb::Size | Verb::Mdtm | Verb::Rnfr | Verb::Dele | Verb::Mkd | Verb::Rmd => self.on_file(verb, path),
            Verb::Mfmt => self.set_modified(path),
            Verb::Mff => self.set_facts(path),
            Verb::Avbl => self.available(argument),
            Verb::Host => self.virtual_host(&path),
            Verb::Hash => self.hash(path),
            _ => match crate::wire::hash::algorithm(verb) {
                Some(algorithm) => self.old_hash(verb, algorithm, &path),
                None => self.reply(502, "Command not implemented."),
            },
        }
    }

    /// Whether the verb is allowed in this state; where not, the reply is given.
    fn may_use(&mut self, verb: Verb) -> bool {
        let is_login = matches!(verb, Verb::User | Verb::Pass | Verb::Acct);
        if is_login && self.config.tls == Tls::Required && !self.security.is_on {
            self.reply(530, "Logins are for TLS only: send AUTH TLS first.");
            return false;
        }
        let allowed = verb.row().when == When::Always || self.login.is_in();
        if !allowed {
            self.reply(530, "Log in first, with USER and PASS.");
        }
        allowed
    }

    /// A line that came while a transfer runs or a host thinks: ABOR jumps the queue, STAT is answered at once
    /// (RFC 959, section 4.1.3); all else waits.
    fn overtakes(&mut self, now: Instant, line: &Line) -> bool {
        if matches!(self.work, Work::Ready) && self.queue.is_empty() {
            return false;
        }
        match parse(line) {
            Ok(Command { verb: Verb::Abor, .. }) => {
                self.clocks.active = now;
                self.aborts += 1;
                true
            }
            Ok(Command { verb: Verb::Stat, argument: None }) if matches!(self.work, Work::Transfer(_)) => {
                self.transfer_status();
                true
            }
            _ => false,
        }
    }

    /// Asks the host, and goes on with its answer.
    fn ask(&mut self, task: Task, then: Then) {
        self.work = Work::Asked(then);
        self.actions.push_back(Action::Event(Event::Ask(Request(task))));
    }

    fn note(&mut self, note: Note) {
        self.actions.push_back(Action::Event(Event::Note(note)));
    }

    fn reply(&mut self, code: u16, text: impl AsRef<[u8]>) {
        self.reply_parts(code, &[text.as_ref()]);
    }

    /// A reply of one line. Control bytes, which can only come from a name, show as `?`.
    fn reply_parts(&mut self, code: u16, parts: &[&[u8]]) {
        let start = self.begin_reply();
        let out = self.out.end();
        crate::wire::scan::push_decimal(code.into(), 0, out);
        out.push(b' ');
        for part in parts {
            for &byte in *part {
                match byte {
                    0..b' ' | 0x7f => out.push(b'?'),
                    0xff => out.extend([byte, byte]),
                    _ => out.push(byte),
                }
            }
        }
        out.extend_from_slice(b"\r\n");
        self.end_reply(start);
    }

    /// A reply of several lines: a headline, lines that are already whole, and an end (RFC 959, section 4.2).
    fn reply_lines(&mut self, code: u16, headline: &[u8], lines: &[u8], end: &str) {
        let start = self.begin_reply();
        let out = self.out.end();
        let digits = alloc::format!("{code}");
        for part in
            [digits.as_bytes(), b"-", headline, b"\r\n", lines, digits.as_bytes(), b" ", end.as_bytes(), b"\r\n"]
        {
            out.extend_from_slice(part);
        }
        self.end_reply(start);
    }

    fn begin_reply(&mut self) -> usize {
        self.out.end().len()
    }

    fn end_reply(&mut self, start: usize) {
        if self.config.dialogue {
            let text = self.out.end()[start..].trim_ascii_end();
            let note = Note::Reply(Bytes::copy_from_slice(text));
            self.note(note);
        }
    }

    /// Says a last word.
    fn close_with(&mut self, code: u16, text: &str) {
        self.reply(code, text);
        self.drop_endpoint();
        self.life = Life::Closing;
    }

    /// The control connection is gone: nothing that runs may go on (RFC 959, section 4.1.1).
    fn lost(&mut self) {
        if self.life == Life::Over {
            return;
        }
        self.out.clear();
        self.queue.clear();
        self.actions.retain(|action| matches!(action, Action::Event(_)));
        self.actions.push_back(Action::Abandon);
        if matches!(self.work, Work::Asked(_)) {
            self.work = Work::Asked(Then::Nothing);
        } else {
            self.work = Work::Ready;
        }
        self.end();
    }

    fn end(&mut self) {
        self.actions.push_back(Action::Close);
        self.actions.push_back(Action::Event(Event::Closed));
        self.life = Life::Over;
    }

    fn tick(&mut self, now: Instant) {
        if let Work::Securing(until) = self.work
            && [Some(until), self.stop_at()].into_iter().flatten().any(|until| now >= until)
        {
            return self.lost();
        }
        if !self.out.is_empty() && now >= self.clocks.drained + self.config.data_timeout {
            return self.lost();
        }
        if let Work::Delayed(until) = self.work
            && now >= until
        {
            self.work = Work::Ready;
            self.login_refused();
        }
        self.transfer_tick(now);
        if self.quiet_until().is_some_and(|until| now >= until) {
            self.close_with(421, "Timeout.");
        }
        if self.stop_at().is_some_and(|until| now >= until) {
            match self.work {
                Work::Transfer(_) => self.end_transfer(now, 426, "The server is about to stop; transfer aborted."),
                Work::Digesting(_) => {
                    self.actions.push_back(Action::Abandon);
                    self.digest_failed("The server is about to stop");
                }
                _ => {}
            }
            self.close_with(421, "The server is about to stop.");
        }
        self.advance(now);
    }

    /// When a session that only waits for its peer is closed.
    fn quiet_until(&self) -> Option<Instant> {
        if self.life != Life::Open || !matches!(self.work, Work::Ready) {
            return None;
        }
        let idle = self.clocks.active + self.config.idle_timeout;
        Some(if self.login.is_in() { idle } else { idle.min(self.clocks.started + self.config.login_timeout) })
    }

    /// When what still runs is cut short. What the host is about to publish is past that.
    fn stop_at(&self) -> Option<Instant> {
        match self.life {
            Life::Stopping(until) if !self.is_publishing() => Some(until),
            _ => None,
        }
    }

    /// Whether TLS is to begin behind the last line that was read, and nothing more can be.
    fn awaits_tls(&self) -> bool {
        self.config.tls != Tls::Off && !self.security.is_on && self.queue.back().is_some_and(is_auth)
    }

    /// Whether the last word is said.
    fn is_ending(&self) -> bool {
        matches!(self.life, Life::Closing | Life::Over)
    }

    fn peer_ip(&self) -> IpAddr {
        self.peer.ip().to_canonical()
    }
}

impl Machine for Session {
    type Event = Event;

    fn receive(&mut self, now: Instant, bytes: &[u8]) -> usize {
        self.wake(now);
        if bytes.is_empty() {
            // Who has said QUIT may go, and gets the data that is still due (RFC 959, section 4.1.1).
            let has_quit = || self.queue.iter().any(|line| parse(line).is_ok_and(|it| it.verb == Verb::Quit));
            if !self.deaf && self.is_sending() && has_quit() {
                self.deaf = true;
            } else {
                self.lost();
            }
            return 0;
        }
        let mut taken = 0;
        while taken < bytes.len() && self.wants_input() {
            let (count, line) = self.decoder.decode(&bytes[taken..], self.out.end());
            taken += count;
            let Some(line) = line.filter(|line| !line.text.is_empty() || line.cut) else {
                continue;
            };
            if self.config.dialogue {
                self.note(Note::Command(masked(&line.text)));
            }
            if !self.overtakes(now, &line) {
                self.queued += line.text.len();
                self.queue.push_back(line);
            }
            self.advance(now);
        }
        taken
    }

    fn wants_input(&self) -> bool {
        !self.is_ending()
            && !self.deaf
            // What follows AUTH may be TLS's.
            && !matches!(self.work, Work::Securing(_))
            && !self.awaits_tls()
            && self.queue.len() + self.aborts < QUEUE_LINES
            && self.queued < QUEUE_BYTES
            && self.out.bytes().len() < UNSENT_LIMIT
    }

    fn transmit(&self) -> &[u8] {
        self.out.bytes()
    }

    fn sent(&mut self, now: Instant, count: usize) {
        self.wake(now);
        self.out.sent(count);
        self.clocks.drained = now;
        self.advance(now);
    }

    fn handle(&mut self, now: Instant, input: Input) {
        self.wake(now);
        match input {
            Input::Tick => return self.tick(now),
            Input::Secured(result) => self.secured(result),
            // There is nothing to be said to somebody in a handshake.
            Input::Stop if matches!(self.work, Work::Securing(_)) => self.lost(),
            Input::Stop if self.life == Life::Open => self.life = Life::Stopping(now + STOP_GRACE),
            Input::Stop => {}
            Input::Listening(result) => self.listening(result),
            Input::Connected(result) => self.connected(now, result),
            Input::Moved(count) => {
                self.moved(now, count);
                self.digest_moved(now, count);
            }
            Input::Digested(result) => self.digested(now, result),
            Input::Marked(mark) => self.marked(now, &mark),
            Input::Finished(result) => self.finished(now, result),
            Input::Published(result) => self.published(now, result),
        }
        self.advance(now);
    }

    fn poll(&mut self) -> Option<Action<Event>> {
        if matches!(self.work, Work::Greeting) {
            self.greet();
        }
        // The reply to AUTH is the last in clear.
        if matches!(self.actions.front(), Some(Action::Secure)) && !self.out.is_empty() {
            return None;
        }
        if let Some(action) = self.actions.pop_front() {
            if self.actions.is_empty() {
                self.actions = VecDeque::new();
            }
            return Some(action);
        }
        // The host's answer is still to come; what it opens is dropped with it.
        let answered = !matches!(self.work, Work::Asked(_));
        if self.life == Life::Closing && self.out.is_empty() && answered {
            self.end();
            return self.actions.pop_front();
        }
        None
    }

    fn deadline(&self) -> Option<Instant> {
        let unsent = (!self.out.is_empty()).then(|| self.clocks.drained + self.config.data_timeout);
        let work = match &self.work {
            Work::Delayed(until) | Work::Securing(until) => Some(*until),
            Work::Transfer(transfer) => transfer.deadline(&self.config),
            Work::Greeting | Work::Ready | Work::Asked(_) | Work::Listening(_) | Work::Digesting(_) => None,
        };
        if self.life == Life::Over {
            return None;
        }
        [unsent, work, self.stop_at(), self.quiet_until()].into_iter().flatten().min()
    }
}

fn parse(line: &Line) -> Result<Command, CommandError> {
    if line.cut { Err(CommandError::TooLong) } else { Command::parse(&line.text) }
}

/// Whether TLS may begin behind this line.
fn is_auth(line: &Line) -> bool {
    parse(line).is_ok_and(|command| {
        let mechanism = command.argument.unwrap_or_default();
        command.verb == Verb::Auth && secure::is_tls(&mechanism)
    })
}

/// The parts of a path argument's refusal: the name, and why.
fn about<'a>(name: &'a [u8], why: &'a str) -> [&'a [u8]; 4] {
    [name, b": ", why.as_bytes(), b"."]
}

/// Letters of an argument like `A N`, in upper case.
fn upper_words(argument: &[u8]) -> Vec<Vec<u8>> {
    argument.split(|&byte| byte == b' ').filter(|word| !word.is_empty()).map(<[u8]>::to_ascii_uppercase).collect()
}
