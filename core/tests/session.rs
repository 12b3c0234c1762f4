//! The server session in memory: the dialogues of `session.tsv`, and what they do not reach.

use std::time::Duration;

use longshore_core::host::Access;
use longshore_core::server::{Config, LINE_LIMIT, Note, QUEUE_LINES};
use longshore_sim::dialogue::{self, Accounts, Peer};
use longshore_sim::vectors::each;
use longshore_sim::{Cuts, Memory, MemoryHost, Raw};

fn server(memory: &Memory) -> Raw {
    Raw::new(MemoryHost::new(memory.clone(), Accounts::Users.users()), Config::default(), Cuts::none())
}

fn logged_in(memory: &Memory) -> Raw {
    let mut raw = server(memory);
    raw.log_in("alice");
    assert_eq!(say(&mut raw, "TYPE I"), 200);
    raw
}

fn say(raw: &mut Raw, command: &str) -> u16 {
    raw.command(command.as_bytes());
    raw.reply().unwrap().code
}

fn passive(raw: &mut Raw) {
    raw.command(b"EPSV");
    let reply = raw.reply().unwrap();
    let port = longshore_core::wire::address::parse_229(reply.text()).unwrap();
    raw.connect(port);
}

#[test]
fn dialogues_go_as_the_table_says() {
    let mut ran = 0;
    for cuts in [Cuts::none(), Cuts::seeded(7, 3, Duration::from_millis(5))] {
        each(include_str!("../vectors/session.tsv"), |row| {
            let setup = dialogue::setup(row);
            dialogue::run(row, setup.user.as_deref(), &mut dialogue::in_memory(&setup, cuts.clone()));
            ran += 1;
        });
    }
    assert!(ran > 200, "only {ran} dialogues ran");
}

#[test]
fn pipelined_commands_are_answered_in_order_and_together() {
    let mut raw = logged_in(&Memory::fixture());
    raw.send(b"NOOP\r\nPWD\r\nSYST\r\nSIZE a.txt\r\nFOO\r\n");
    let codes: Vec<u16> = (0..5).map(|_| raw.reply().unwrap().code).collect();
    assert_eq!(codes, [200, 257, 215, 213, 500]);
}

#[test]
fn abort_stops_a_download_and_the_session_goes_on() {
    let memory = Memory::fixture();
    memory.write("/big", &vec![7; 1 << 20]);
    let mut raw = logged_in(&memory);
    passive(&mut raw);
    assert_eq!(say(&mut raw, "RETR big"), 150);
    raw.send(b"\xff\xf4\xff\xf2ABOR\r\n");
    assert_eq!(raw.reply().unwrap().code, 426);
    assert_eq!(raw.reply().unwrap().code, 226);
    let (bytes, ended) = raw.read_data();
    assert!(ended && bytes.len() < 1 << 20, "{} bytes came", bytes.len());
    assert_eq!(say(&mut raw, "NOOP"), 200);
}

#[test]
fn abort_in_one_packet_with_its_transfer_is_heard() {
    let mut raw = logged_in(&Memory::fixture());
    passive(&mut raw);
    raw.send(b"RETR a.txt\r\nNOOP\r\nABOR\r\n");
    let codes: Vec<u16> = (0..4).map(|_| raw.reply().unwrap().code).collect();
    // The transfer may have ended before ABOR was read; never is a reply missing, and the queue waits.
    assert!(
        codes == [150, 426, 226, 200] || codes == [150, 226, 226, 200] || codes == [150, 226, 200, 225],
        "{codes:?}"
    );
}

#[test]
fn status_is_told_during_a_transfer() {
    let memory = Memory::fixture();
    memory.write("/big", &vec![7; 1 << 20]);
    let mut raw = logged_in(&memory);
    passive(&mut raw);
    assert_eq!(say(&mut raw, "RETR big"), 150);
    assert_eq!(say(&mut raw, "STAT"), 213);
    raw.command(b"QUIT");
    assert_eq!(raw.download().len(), 1 << 20);
    assert_eq!(raw.reply().unwrap().code, 226);
    assert_eq!(raw.reply().unwrap().code, 221);
}

#[test]
fn an_upload_whose_client_died_leaves_the_old_file() {
    let memory = Memory::fixture();
    let mut raw = logged_in(&memory);
    passive(&mut raw);
    assert_eq!(say(&mut raw, "STOR a.txt"), 150);
    raw.hang_up();
    raw.upload(b"half of it");
    assert_eq!(memory.read("/a.txt").unwrap(), b"hello world\n");
}

#[test]
fn an_upload_ends_whole_only_if_the_control_connection_outlives_it() {
    // Data and control end in the same moment, and the driver sees the data first.
    let memory = Memory::fixture();
    let mut raw = logged_in(&memory);
    passive(&mut raw);
    raw.command(b"STOR a.txt");
    assert_eq!(raw.reply().unwrap().code, 150);
    raw.upload_quietly(b"half of it");
    raw.hang_up();
    assert_eq!(memory.read("/a.txt").unwrap(), b"hello world\n");
}

#[test]
fn a_full_disk_is_told_and_the_old_file_stays() {
    let memory = Memory::fixture();
    memory.limit(100);
    let mut raw = logged_in(&memory);
    passive(&mut raw);
    assert_eq!(say(&mut raw, "STOR a.txt"), 150);
    raw.upload(&[1; 1000]);
    assert_eq!(raw.reply().unwrap().code, 552);
    assert_eq!(memory.read("/a.txt").unwrap(), b"hello world\n");
    assert_eq!(say(&mut raw, "NOOP"), 200);
}

#[test]
fn a_megabyte_without_a_newline_is_one_error() {
    let mut raw = logged_in(&Memory::fixture());
    for _ in 0..16 {
        raw.send(&[b'x'; 1 << 16]);
    }
    raw.send(b"\r\n");
    assert_eq!(raw.reply().unwrap().code, 500);
    assert_eq!(say(&mut raw, "NOOP"), 200);
    let long = "x".repeat(LINE_LIMIT - 10);
    assert_eq!(say(&mut raw, &format!("SIZE {long}")), 550);
}

#[test]
fn a_flood_of_commands_is_held_at_its_bound() {
    let memory = Memory::fixture();
    memory.write("/big", &vec![7; 1 << 20]);
    let mut raw = logged_in(&memory);
    passive(&mut raw);
    assert_eq!(say(&mut raw, "RETR big"), 150);
    raw.send(&b"NOOP\r\n".repeat(QUEUE_LINES + 50));
    use longshore_core::machine::Machine;
    assert!(!raw.server.session.wants_input(), "the server reads on though its queue is full");
    assert_eq!(raw.download().len(), 1 << 20);
    assert_eq!(raw.reply().unwrap().code, 226);
    for _ in 0..QUEUE_LINES + 50 {
        assert_eq!(raw.reply().unwrap().code, 200);
    }
}

#[test]
fn bad_input_gets_its_error_and_nothing_else_happens() {
    let memory = Memory::fixture();
    let before = memory.paths();
    let mut raw = logged_in(&memory);
    let cases: &[(&[u8], u16)] = &[
        (b"REST -1", 501),
        (b"REST 99999999999999999999", 501),
        (b"PORT 1,2,3", 501),
        (b"PORT 10,0,0,1,200,1", 504),
        (b"PORT 127,0,0,1,0,22", 504),
        (b"DELE a.txt\0", 501),
        (b"DELE a.txt\rx", 550),
        (b"MKD a\x01b/\x02", 550),
        (b"\x01\x02\x03", 500),
        (b"TYPE", 501),
        (b"STOR", 501),
    ];
    for (line, code) in cases {
        raw.command(line);
        assert_eq!(raw.reply().unwrap().code, *code, "{}", line.escape_ascii());
    }
    assert_eq!(memory.paths(), before);
    assert_eq!(say(&mut raw, "NOOP"), 200);
}

#[test]
fn silence_ends_a_session_and_a_transfer() {
    let memory = Memory::fixture();
    let mut raw = logged_in(&memory);
    let start = raw.now;
    assert_eq!(raw.reply().unwrap().code, 421);
    assert_eq!(raw.now - start, Config::default().idle_timeout);
    assert!(raw.reply().is_none());

    let mut raw = logged_in(&memory);
    assert_eq!(say(&mut raw, "EPSV"), 229);
    let start = raw.now;
    assert_eq!(say(&mut raw, "STOR new"), 150);
    assert_eq!(raw.reply().unwrap().code, 425);
    assert_eq!(raw.now - start, Config::default().data_timeout);

    passive(&mut raw);
    assert_eq!(say(&mut raw, "STOR new"), 150);
    assert_eq!(raw.reply().unwrap().code, 426);
    assert!(memory.read("/new").is_none());
    assert_eq!(say(&mut raw, "NOOP"), 200);

    let mut raw = server(&memory);
    assert_eq!(raw.reply().unwrap().code, 220);
    assert_eq!(raw.reply().unwrap().code, 421);
    assert_eq!(raw.now.since_origin(), Config::default().login_timeout);
}

#[test]
fn wrong_passwords_cost_time_and_the_third_the_session() {
    let mut raw = server(&Memory::fixture());
    raw.reply().unwrap();
    for (code, seconds) in [(530, 1), (530, 3), (421, 5)] {
        assert_eq!(say(&mut raw, "USER alice"), 331);
        let start = raw.now;
        assert_eq!(say(&mut raw, "PASS guess"), code);
        assert_eq!(raw.now - start, Duration::from_secs(seconds));
    }
    assert!(raw.reply().is_none());
}

#[test]
fn a_stop_lets_transfers_finish_and_says_goodbye() {
    let memory = Memory::fixture();
    memory.write("/big", &vec![7; 1 << 20]);
    let mut raw = logged_in(&memory);
    raw.stop();
    assert_eq!(raw.reply().unwrap().code, 421);
    assert!(raw.reply().is_none());

    let mut raw = logged_in(&memory);
    passive(&mut raw);
    assert_eq!(say(&mut raw, "RETR big"), 150);
    raw.stop();
    assert_eq!(raw.download().len(), 1 << 20);
    assert_eq!(raw.reply().unwrap().code, 226);
    assert_eq!(raw.reply().unwrap().code, 421);

    let mut raw = logged_in(&memory);
    passive(&mut raw);
    assert_eq!(say(&mut raw, "RETR big"), 150);
    let start = raw.now;
    raw.stop();
    assert_eq!(raw.reply().unwrap().code, 426);
    assert_eq!(raw.reply().unwrap().code, 421);
    assert_eq!(raw.now - start, Duration::from_secs(10));
}

#[test]
fn passwords_never_reach_the_log() {
    let host = MemoryHost::new(Memory::fixture(), Accounts::Users.users());
    let mut raw = Raw::new(host, Config { dialogue: true, ..Config::default() }, Cuts::none());
    raw.reply().unwrap();
    say(&mut raw, "USER alice");
    say(&mut raw, "  pass secret");
    let log = format!("{:?}", raw.notes);
    assert!(log.contains("PASS") || log.contains("pass"), "{log}");
    assert!(!log.contains("secret"), "{log}");
    assert!(raw.notes.contains(&Note::LoggedIn { user: "alice".into(), access: Access::Write }));
}

#[test]
fn text_is_converted_and_its_size_and_offset_count_as_it_travels() {
    let memory = Memory::fixture();
    memory.write("/text", b"one\ntwo\n");
    let mut raw = logged_in(&memory);
    assert_eq!(say(&mut raw, "TYPE A"), 200);
    raw.command(b"SIZE text");
    assert_eq!(raw.reply().unwrap().text(), b"10");
    passive(&mut raw);
    assert_eq!(say(&mut raw, "REST 4"), 350);
    assert_eq!(say(&mut raw, "RETR text"), 150);
    assert_eq!(raw.download(), b"\ntwo\r\n");
    assert_eq!(raw.reply().unwrap().code, 226);
    passive(&mut raw);
    assert_eq!(say(&mut raw, "STOR back"), 150);
    raw.upload(b"a\r\nb\r\n");
    assert_eq!(raw.reply().unwrap().code, 226);
    assert_eq!(memory.read("/back").unwrap(), b"a\nb\n");
    passive(&mut raw);
    assert_eq!(say(&mut raw, "REST 2"), 350);
    assert_eq!(say(&mut raw, "STOR back"), 554);
}

#[test]
fn listings_hide_dot_files_take_patterns_and_carry_the_prefix() {
    let memory = Memory::fixture();
    memory.write("/.hidden", b"");
    memory.write("/dir/[x]", b"");
    memory.write("/dir/two\x01words", b"");
    let mut raw = logged_in(&memory);
    let mut list = |command: &str| {
        passive(&mut raw);
        assert_eq!(say(&mut raw, command), 150);
        let text = String::from_utf8(raw.download()).unwrap();
        assert_eq!(raw.reply().unwrap().code, 226);
        text
    };
    assert_eq!(list("NLST"), "a.txt\r\ndir\r\nempty\r\n");
    assert_eq!(list("NLST -a"), ".hidden\r\na.txt\r\ndir\r\nempty\r\n");
    assert_eq!(list("NLST dir"), "dir/[x]\r\ndir/b.bin\r\ndir/two\x01words\r\n");
    assert_eq!(list("NLST dir/*.bin"), "dir/b.bin\r\n");
    assert_eq!(list("NLST dir/[x]"), "dir/[x]\r\n");
    assert_eq!(list("NLST *.none"), "");
    assert_eq!(list("LIST a.txt"), "-rw-r--r--    1 ftp      ftp            12 Jun 15 12:00 a.txt\r\n");
    assert!(list("LIST -la dir").contains("two?words"));
    let facts = list("MLSD dir");
    assert!(
        facts.contains("two\x01words") && facts.contains("type=file;size=5;modify=20240615120000;perm=adfrw;"),
        "{facts}"
    );
}

#[test]
fn only_the_peer_decides_where_its_own_data_goes() {
    let mut raw = logged_in(&Memory::fixture());
    passive(&mut raw);
    // A new endpoint drops the old one, and the connection that waits at it.
    assert_eq!(say(&mut raw, "EPSV ALL"), 200);
    assert_eq!(say(&mut raw, "PASV"), 501);
    passive(&mut raw);
    assert_eq!(say(&mut raw, "RETR a.txt"), 150);
    assert_eq!(raw.download(), b"hello world\n");
    assert_eq!(raw.reply().unwrap().code, 226);
}

#[test]
fn a_session_that_was_silent_for_long_is_still_answered() {
    let mut raw = logged_in(&Memory::fixture());
    raw.now = raw.now + Config::default().data_timeout + Duration::from_secs(10);
    assert_eq!(say(&mut raw, "PWD"), 257);
    raw.now = raw.now + Config::default().login_timeout;
    assert_eq!(say(&mut raw, "USER alice"), 331);
    assert_eq!(say(&mut raw, "PASS secret"), 230);
    raw.now = raw.now + Config::default().login_timeout;
    assert_eq!(say(&mut raw, "REIN"), 220);
    assert_eq!(say(&mut raw, "NOOP"), 200);
}

#[test]
fn an_end_with_quit_before_it_publishes_nothing() {
    let memory = Memory::fixture();
    let mut raw = logged_in(&memory);
    passive(&mut raw);
    assert_eq!(say(&mut raw, "STOR a.txt"), 150);
    raw.send(b"QUIT\r\n");
    raw.upload_quietly(b"half");
    raw.hang_up();
    assert_eq!(memory.read("/a.txt").unwrap(), b"hello world\n");
}

#[test]
fn an_abort_cancels_a_rename() {
    let mut raw = logged_in(&Memory::fixture());
    raw.send(b"RNFR a.txt\r\nABOR\r\nRNTO b.txt\r\n");
    let codes: Vec<u16> = (0..3).map(|_| raw.reply().unwrap().code).collect();
    assert_eq!(codes, [350, 225, 503]);
}

#[test]
fn the_login_comes_before_the_form_of_an_argument() {
    let mut raw = server(&Memory::fixture());
    raw.reply().unwrap();
    for (command, code) in [("PWD x", 530), ("PORT 1 2", 530), ("DELE a\0", 530), ("DELE", 501), ("FEAT x", 501)] {
        assert_eq!(say(&mut raw, command), code, "{command}");
    }
}

#[test]
fn an_offset_behind_the_end_is_told_in_ascii_too() {
    let mut raw = logged_in(&Memory::fixture());
    assert_eq!(say(&mut raw, "TYPE A"), 200);
    passive(&mut raw);
    assert_eq!(say(&mut raw, "REST 14"), 350);
    assert_eq!(say(&mut raw, "RETR a.txt"), 150);
    assert_eq!(raw.download(), b"");
    assert_eq!(raw.reply().unwrap().code, 451);
}

#[test]
fn a_download_goes_on_when_a_client_that_said_quit_leaves() {
    let memory = Memory::fixture();
    memory.write("/big", &vec![7; 1 << 20]);
    let mut raw = logged_in(&memory);
    passive(&mut raw);
    assert_eq!(say(&mut raw, "RETR big"), 150);
    raw.send(b"QUIT\r\n");
    raw.hang_up();
    assert_eq!(raw.download().len(), 1 << 20);
}
