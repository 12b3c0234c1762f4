//! Transfers: RETR STOR STOU APPE LIST NLST MLSD, and ABOR.
//!
//! ```text
//! Opening ----> Moving ----> Settling ----> Publishing      a store: the bytes are in, but is it the end?
//!    |            |                            |
//!    | 425        | 226 (a download)           | 226
//!    |            | 426 451 552                | 451 452
//! ```
//!
//! A store is whole only if the client still lives when its data ends: one that died closes both connections, and the
//! control connection tells. But which of the two is closed first is up to the client's system, so a store that ended stays
//! in `Settling` for a look at the control connection, and then for a moment. What ALLO announced, and all of which came,
//! needs no such doubt.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use core::time::Duration;

use bytes::Bytes;

use super::data::Endpoint;
use super::inform::split_options;
use super::listing::Format;
use super::portion::Portion;
use super::request::{Opened, Task};
use super::{Config, Note, Session, Then, UNSENT_LIMIT, Work, about};
use crate::codec::{Codec, CodecError, Form, Representation};
use crate::host::{HostError, Store};
use crate::machine::{Action, Flow, Mark, NetworkError, Route, TransferError, Way};
use crate::path::VirtualPath;
use crate::time::Instant;
use crate::wire::verb::Verb;

/// A store settles for this part of the time that it took.
const SETTLE_PART: u32 = 50;
/// It settles no longer than this.
const SETTLE_MOST: Duration = Duration::from_millis(50);
/// And no shorter than this, which is what a busy system may need to close the other connection of a client that died.
const SETTLE_LEAST: Duration = Duration::from_millis(20);
/// But a small file whose end came together with its bytes was closed by a client that had nothing more to send: up to so
/// many bytes, and within so short a time. Who dies takes longer.
const ONE_PIECE: u64 = 64 * 1024;
const AT_ONCE: Duration = Duration::from_micros(100);

/// A transfer, from its command to its last reply.
#[derive(Debug)]
pub(super) struct Transfer {
    verb: Verb,
    /// As the client put it, for replies.
    name: Bytes,
    path: VirtualPath,
    way: Way,
    codec: Option<Codec>,
    portion: Portion,
    /// The size of the file that is to be sent.
    size: Option<u64>,
    /// How many bytes ALLO announced, or RANG.
    announced: Option<u64>,
    /// Whether the data connection outlives it, if nothing goes wrong.
    keeps_connection: bool,
    /// Whether its bytes are inside TLS.
    protected: bool,
    stage: Stage,
    /// When the data connection stood.
    connected: Instant,
    moved: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// The data connection is being made, since then.
    Opening(Instant),
    /// Bytes flow; the last ones came then.
    Moving(Instant),
    /// All bytes are in; if the client lives then, they are whole.
    Settling(Instant),
    /// The host puts the file under its name.
    Publishing,
}

impl Transfer {
    fn new(verb: Verb, name: Bytes, path: VirtualPath, way: Way, codec: Codec) -> Self {
        Self {
            verb,
            name,
            path,
            way,
            keeps_connection: codec.keeps_connection(),
            codec: Some(codec),
            protected: false,
            portion: Portion::WHOLE,
            size: None,
            announced: None,
            stage: Stage::Opening(Instant::ORIGIN),
            connected: Instant::ORIGIN,
            moved: 0,
        }
    }

    pub(super) fn deadline(&self, config: &Config) -> Option<Instant> {
        match self.stage {
            Stage::Opening(since) | Stage::Moving(since) => Some(since + config.data_timeout),
            Stage::Settling(until) => Some(until),
            Stage::Publishing => None,
        }
    }

    /// How long a store whose data has ended waits for news of its client's death.
    fn settling(&self, now: Instant) -> Duration {
        let at_once = matches!(self.stage, Stage::Moving(since) if now - since < AT_ONCE);
        match self.moved {
            moved if self.announced == Some(moved) => Duration::ZERO,
            1..=ONE_PIECE if at_once => Duration::ZERO,
            _ => ((now - self.connected) / SETTLE_PART).clamp(SETTLE_LEAST, SETTLE_MOST),
        }
    }

    /// For STAT while it runs.
    pub(super) fn progress(&self) -> String {
        let way = if self.way == Way::Send { "sent" } else { "received" };
        format!("{}: {} bytes {way}.", self.verb.row().name, self.moved)
    }
}

impl Session {
    pub(super) fn retrieve(&mut self, name: Bytes) {
        let portion = core::mem::replace(&mut self.portion, Portion::WHOLE);
        let Some(path) = self.begin(&name, 550) else {
            return;
        };
        if !self.may_range(portion) {
            return;
        }
        let codec = Codec::new(self.form, Way::Send).limited(portion.length);
        // In TYPE A the offset counts bytes of the converted stream (RFC 3659, section 5.1).
        let (offset, codec) = match portion.offset {
            0 => (0, codec),
            offset if self.form.counts_converted() => (0, codec.skipping(offset)),
            offset => (offset, codec),
        };
        let mut transfer = Transfer::new(Verb::Retr, name, path.clone(), Way::Send, codec);
        transfer.portion = portion;
        self.ask(Task::Retrieve { path, offset }, Then::Transfer(Box::new(transfer)));
    }

    /// STOR and APPE; behind a REST both write on from there (RFC 3659, section 5.3).
    pub(super) fn store(&mut self, verb: Verb, name: Bytes) {
        let portion = core::mem::replace(&mut self.portion, Portion::WHOLE);
        let announced = self.announced.take().filter(|_| verb == Verb::Stor && portion == Portion::WHOLE);
        let how = match (portion, verb) {
            (Portion { length: Some(_), .. }, Verb::Appe) => {
                self.spare_endpoint();
                return self.reply(554, "APPE goes behind a file; a range of it is for STOR.");
            }
            (Portion { length: Some(_), offset }, _) => Store::Over(offset),
            (Portion { offset: 0, .. }, Verb::Appe) => Store::Append,
            (Portion { offset: 0, .. }, _) => Store::Replace,
            (Portion { offset, .. }, _) => Store::At(offset),
        };
        self.store_as(verb, name, how, portion, announced);
    }

    /// STOU: the argument, where there is one, is a hint for the name.
    pub(super) fn store_unique(&mut self, hint: Option<Bytes>) {
        let announced = self.announced.take();
        if core::mem::replace(&mut self.portion, Portion::WHOLE) != Portion::WHOLE {
            self.spare_endpoint();
            return self.reply(554, "STOU makes a new file: there is nothing to restart.");
        }
        let name = hint.unwrap_or_else(|| Bytes::from_static(b"file"));
        self.store_as(Verb::Stou, name, Store::Unique, Portion::WHOLE, announced);
    }

    fn store_as(&mut self, verb: Verb, name: Bytes, how: Store, portion: Portion, announced: Option<u64>) {
        let Some(path) = self.begin(&name, 553) else {
            return;
        };
        if !self.may_change(&name, &path, 553) {
            return self.spare_endpoint();
        }
        if !self.may_range(portion) {
            return;
        }
        if matches!(how, Store::At(_)) && self.form.counts_converted() {
            self.spare_endpoint();
            return self.reply(554, "An upload restarts in TYPE I only.");
        }
        let codec = Codec::new(self.form, Way::Receive).limited(portion.length);
        let mut transfer = Transfer::new(verb, name, path.clone(), Way::Receive, codec);
        transfer.portion = portion;
        let announced = announced.filter(|_| self.form.representation == Representation::Image);
        transfer.announced = portion.length.or(announced);
        self.ask(Task::Store { path, how }, Then::Transfer(Box::new(transfer)));
    }

    /// Whether a range can be meant, of bytes that are not as many on their way as in the file; where not, the reply is given.
    fn may_range(&mut self, portion: Portion) -> bool {
        let allowed = portion.length.is_none() || self.form.representation == Representation::Image;
        if !allowed {
            self.spare_endpoint();
            self.reply(554, "A range needs TYPE I.");
        }
        allowed
    }

    /// LIST and NLST take options and patterns, as users of ls expect, and MLSD does not (RFC 3659, section 2.2.2).
    pub(super) fn list(&mut self, verb: Verb, argument: Option<Bytes>) {
        self.portion = Portion::WHOLE;
        let argument = argument.unwrap_or_default();
        let (options, name) =
            if verb == Verb::Mlsd { (Default::default(), &argument[..]) } else { split_options(&argument) };
        let name = argument.slice_ref(name);
        let Some(path) = self.begin(&name, 550) else {
            return;
        };
        let format = match verb {
            Verb::Mlsd => Format::Facts { set: self.facts, access: self.login.access() },
            Verb::Nlst if !options.contains(&b'l') => Format::Names { prefix: name.clone() },
            _ => Format::Long,
        };
        // MLSD is the same in every form, and ends with its data connection (RFC 3659, section 7.2).
        let form = if verb == Verb::Mlsd { Form::stream(Representation::Image) } else { self.form };
        let codec = Codec::listing(form);
        let transfer = Transfer::new(verb, name, path.clone(), Way::Send, codec);
        let task = Task::List { path, format, all: options.contains(&b'a'), patterns: verb != Verb::Mlsd };
        self.ask(task, Then::Transfer(Box::new(transfer)));
    }

    /// What all transfers need: an agreed data connection, and a path that can be.
    fn begin(&mut self, name: &[u8], code: u16) -> Option<VirtualPath> {
        if self.endpoint == Endpoint::None {
            self.reply(425, "Use PASV, EPSV, PORT or EPRT first.");
            return None;
        }
        // The code that makes clients turn protection on (RFC 4217, section 10.2).
        if self.config.tls.demands_privacy() && !self.security.is_private {
            self.spare_endpoint();
            self.reply(522, "Data has to be protected here: send PBSZ 0 and PROT P.");
            return None;
        }
        let path = self.path(name, code).ok();
        if path.is_none() {
            self.spare_endpoint();
        }
        path
    }

    /// The host has opened what is to be moved, or refused.
    pub(super) fn opened(&mut self, now: Instant, mut transfer: Box<Transfer>, result: Result<Opened, HostError>) {
        let opened = match result {
            Ok(opened) => opened,
            Err(error) => {
                self.spare_endpoint();
                let code = refusal(transfer.verb, error);
                return self.reply_parts(code, &about(&transfer.name, &error.text()));
            }
        };
        if let Some(name) = opened.name {
            transfer.path = transfer.path.parent().join(&name).unwrap_or(transfer.path);
            transfer.name = name;
        }
        if let Some(offset) = opened.offset {
            transfer.portion.offset = offset;
        }
        transfer.size = opened.size;
        transfer.stage = Stage::Opening(now);
        let route = match self.endpoint {
            Endpoint::Target(to) => Route::Dial { from: Some(self.local), to },
            Endpoint::Listener | Endpoint::None => Route::Accept { from: self.peer_ip() },
            Endpoint::Open => Route::Kept,
        };
        if route != Route::Kept {
            self.announce(&transfer);
        }
        self.work = Work::Transfer(transfer);
        self.actions.push_back(Action::Open(route));
    }

    /// The 150: before the data connection is made, since some clients make it only then. Clients read the size off it. 125 where
    /// the data connection is open (RFC 959, section 4.2.1).
    fn announce(&mut self, transfer: &Transfer) {
        let kind = match self.form.representation {
            Representation::Ascii => "ASCII",
            Representation::Ebcdic => "EBCDIC",
            Representation::Image => "BINARY",
        };
        let (code, opening) = match self.endpoint {
            Endpoint::Open => (125, "Using the open"),
            _ => (150, "Opening"),
        };
        match (transfer.verb, transfer.size) {
            (Verb::Retr, Some(size)) => {
                let start = format!("{opening} {kind} mode data connection for ");
                let end = format!(" ({} bytes).", transfer.portion.within(size));
                self.reply_parts(code, &[start.as_bytes(), &transfer.name, end.as_bytes()]);
            }
            // Exactly this form (RFC 1123, section 4.1.2.9).
            (Verb::Stou, _) => self.reply_parts(code, &[b"FILE: ", &transfer.name]),
            (Verb::Stor | Verb::Appe, _) => self.reply(code, "Ok to send data."),
            _ => self.reply(code, "Here comes the directory listing."),
        }
    }

    pub(super) fn connected(&mut self, now: Instant, result: Result<(), NetworkError>) {
        let mut transfer = match core::mem::replace(&mut self.work, Work::Ready) {
            Work::Transfer(transfer) => transfer,
            work => return self.work = work,
        };
        if self.endpoint == Endpoint::Open {
            if result.is_err() {
                self.drop_endpoint();
                return self.reply(425, "The data connection is closed; use PASV, EPSV, PORT or EPRT.");
            }
            self.announce(&transfer);
        }
        transfer.stage = Stage::Moving(now);
        transfer.connected = now;
        let (way, protected) = (transfer.way, self.security.is_private);
        transfer.protected = protected;
        let flow = transfer.codec.take().map(|codec| Flow { way, codec, protected, keeps_content: false });
        self.work = Work::Transfer(transfer);
        match result {
            Ok(()) => self.actions.extend(flow.map(Action::Start)),
            Err(error) => self.end_transfer(now, 425, &format!("Cannot make the data connection: {error}.")),
        }
    }

    pub(super) fn moved(&mut self, now: Instant, count: u64) {
        if let Work::Transfer(transfer) = &mut self.work {
            transfer.moved += count;
            transfer.stage = Stage::Moving(now);
        }
    }

    /// A restart marker came: tells where it stands (RFC 1123, section 4.1.3.4). A client that reads no replies does without.
    pub(super) fn marked(&mut self, now: Instant, mark: &Mark) {
        let Work::Transfer(transfer) = &mut self.work else {
            return;
        };
        transfer.stage = Stage::Moving(now);
        let position = transfer.portion.offset + mark.position;
        if self.out.bytes().len() < UNSENT_LIMIT {
            self.reply_parts(110, &[b"MARK ", &mark.text, b" = ", format!("{position}").as_bytes()]);
        }
    }

    pub(super) fn finished(&mut self, now: Instant, result: Result<(), TransferError>) {
        let Work::Transfer(transfer) = &mut self.work else {
            return;
        };
        match result {
            // Who dies says no more that a file has ended.
            Ok(()) if transfer.way == Way::Receive && (transfer.keeps_connection || transfer.protected) => {
                self.settled(now);
            }
            Err(TransferError::Unclosed)
                if !transfer.keeps_connection && transfer.announced == Some(transfer.moved) =>
            {
                self.settled(now);
            }
            Ok(()) if transfer.way == Way::Receive => {
                transfer.stage = Stage::Settling(now + transfer.settling(now));
            }
            Ok(()) => self.transferred(now),
            Err(TransferError::Lost | TransferError::Codec(CodecError::Truncated)) => {
                self.end_transfer(now, 426, "The data connection broke; transfer aborted.");
            }
            Err(TransferError::Unclosed) => {
                self.end_transfer(now, 426, "The data ended without TLS's close_notify; transfer aborted.");
            }
            Err(TransferError::Secure(error)) => {
                self.end_transfer(now, 522, &format!("The data connection is not protected: {error}."));
            }
            Err(TransferError::Content(HostError::NoSpace)) => {
                self.end_transfer(now, 552, "No space left; transfer aborted.");
            }
            Err(error) => self.end_transfer(now, 451, &format!("Transfer aborted: {error}.")),
        }
    }

    pub(super) fn published(&mut self, now: Instant, result: Result<(), HostError>) {
        match result {
            Ok(()) => self.transferred(now),
            Err(HostError::NoSpace) => self.end_transfer(now, 552, "No space left; nothing was stored."),
            Err(error) => self.end_transfer(now, 451, &format!("Nothing was stored: {error}.")),
        }
    }

    pub(super) fn transfer_tick(&mut self, now: Instant) {
        let Work::Transfer(transfer) = &mut self.work else {
            return;
        };
        if transfer.deadline(&self.config).is_none_or(|deadline| now < deadline) {
            return;
        }
        match transfer.stage {
            Stage::Opening(_) => self.end_transfer(now, 425, "Nobody came for the data connection."),
            Stage::Moving(_) => self.end_transfer(now, 426, "The data connection stalled; transfer aborted."),
            Stage::Settling(_) => self.settled(now),
            Stage::Publishing => {}
        }
    }

    /// The data has ended, and its sender lives.
    fn settled(&mut self, now: Instant) {
        if self.awaits_tls() {
            // Whether the client lives cannot be seen, since nothing is read behind its AUTH.
            return self.end_transfer(now, 426, "AUTH came before the upload was whole; transfer aborted.");
        }
        let Work::Transfer(transfer) = &mut self.work else {
            return;
        };
        if transfer.announced.is_some_and(|announced| transfer.moved < announced) {
            return self.end_transfer(now, 426, "Fewer bytes came than were announced; transfer aborted.");
        }
        transfer.stage = Stage::Publishing;
        self.actions.push_back(Action::Publish);
    }

    /// A transfer went well.
    fn transferred(&mut self, now: Instant) {
        let Work::Transfer(transfer) = &self.work else {
            return;
        };
        let what = match transfer.verb {
            Verb::List | Verb::Nlst | Verb::Mlsd => "Directory send OK",
            _ => "Transfer complete",
        };
        if transfer.keeps_connection {
            self.last_reply(now, 250, &format!("{what}, connection open."));
            self.endpoint = Endpoint::Open;
        } else {
            self.end_transfer(now, 226, &format!("{what}."));
        }
    }

    /// The last reply of a transfer behind which the data connection is closed. Whatever the data side still holds is dropped.
    pub(super) fn end_transfer(&mut self, now: Instant, code: u16, text: &str) {
        self.endpoint = Endpoint::None;
        self.actions.push_back(Action::Abandon);
        self.last_reply(now, code, text);
    }

    fn last_reply(&mut self, now: Instant, code: u16, text: &str) {
        if let Work::Transfer(transfer) = core::mem::replace(&mut self.work, Work::Ready) {
            self.clocks.active = now;
            self.note(Note::Transfer { verb: transfer.verb, path: transfer.path, bytes: transfer.moved, code });
            self.reply(code, text);
        }
    }

    /// Whether an ABOR can be acted on now. What the host is about to publish is past stopping: its reply comes first.
    pub(super) fn can_abort(&self) -> bool {
        matches!(self.work, Work::Ready | Work::Transfer(_) | Work::Digesting(_)) && !self.is_publishing()
    }

    /// Whether a download or a listing is under way, to which an end of the control connection can do no harm.
    pub(super) fn is_sending(&self) -> bool {
        matches!(&self.work, Work::Transfer(transfer) if transfer.way == Way::Send)
    }

    pub(super) fn is_publishing(&self) -> bool {
        matches!(&self.work, Work::Transfer(transfer) if transfer.stage == Stage::Publishing)
    }

    /// ABOR (RFC 959, section 4.1.3).
    pub(super) fn abort(&mut self, now: Instant) {
        self.rename_from = None;
        if matches!(self.work, Work::Transfer(_)) {
            self.end_transfer(now, 426, "Transfer aborted.");
            self.reply(226, "Abort successful.");
        } else if matches!(self.work, Work::Digesting(_)) {
            self.endpoint = Endpoint::None;
            self.actions.push_back(Action::Abandon);
            self.digest_failed("Aborted");
            self.reply(226, "Abort successful.");
        } else if self.endpoint != Endpoint::None {
            self.drop_endpoint();
            self.reply(226, "Data connection closed.");
        } else {
            self.reply(225, "Nothing to abort.");
        }
    }
}

/// The code by which a transfer is refused before it begins (RFC 959, section 5.4).
fn refusal(verb: Verb, error: HostError) -> u16 {
    match (verb, error) {
        (_, HostError::Beyond) => 554,
        (_, HostError::Busy) => 450,
        (Verb::Stor | Verb::Stou | Verb::Appe, HostError::NoSpace) => 452,
        (Verb::Stor | Verb::Stou | Verb::Appe, _) => 553,
        (Verb::Mlsd, HostError::NotDirectory) => 501,
        _ => 550,
    }
}
