//! The dialogue, as the server noted it.

use longshore_core::server::Note;

/// Commands and replies, as text.
pub(super) fn dialogue(notes: &[Note]) -> (Vec<String>, Vec<String>) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let commands = notes.iter().filter_map(|note| if let Note::Command(line) = note { Some(text(line)) } else { None });
    let replies = notes.iter().filter_map(|note| if let Note::Reply(line) = note { Some(text(line)) } else { None });
    (commands.collect(), replies.collect())
}

/// The same, in the order in which it was noted.
pub(super) fn transcript(notes: &[Note]) -> Vec<String> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    notes
        .iter()
        .map(|note| match note {
            Note::Command(line) => format!("> {}", text(line)),
            Note::Reply(line) => format!("< {}", text(line)),
            other => format!("  {other:?}"),
        })
        .collect()
}

/// Every command has one final reply, of a kind that it can have.
pub(super) fn check(notes: &[Note], is_calm: bool) -> Result<(), String> {
    let (commands, replies) = dialogue(notes);
    let finals: Vec<&String> = replies.iter().filter(|reply| !reply.starts_with('1')).collect();
    let mut rest = finals.iter();
    let greeting = rest.next();
    if greeting.is_some_and(|greeting| !greeting.starts_with("220 ")) {
        return Err(format!("the greeting is {greeting:?}"));
    }
    let count = rest.len();
    // One more says why the session ends.
    if count > commands.len() + 1 {
        return Err(format!("{count} final replies to {} commands", commands.len()));
    }
    if !is_calm {
        return Ok(());
    }
    if count != commands.len() {
        return Err(format!("{count} final replies to {} commands", commands.len()));
    }
    for (command, reply) in commands.iter().zip(rest) {
        let verb = command.split(' ').next().unwrap_or_default();
        if !kinds(verb).iter().any(|kind| reply.starts_with(kind)) {
            return Err(format!("{reply:?} is the answer to {command:?}"));
        }
    }
    Ok(())
}

/// The codes that answer a command when nothing goes wrong on its way (RFC 959, section 5.4).
fn kinds(verb: &str) -> &'static [&'static str] {
    match verb {
        "AUTH" => &["234"],
        "USER" => &["331"],
        "PASS" => &["230"],
        "FEAT" => &["211"],
        "EPSV" => &["229"],
        "PASV" => &["227"],
        "PWD" | "XPWD" => &["257"],
        "MKD" => &["257", "550"],
        "SIZE" | "MDTM" | "HASH" => &["213", "550"],
        "RETR" => &["226", "250", "550"],
        "STOR" | "APPE" => &["226", "250", "553"],
        "LIST" | "NLST" | "MLSD" => &["226", "250"],
        "RNFR" => &["350", "550"],
        "RNTO" => &["250", "553"],
        "DELE" | "RMD" => &["250", "550"],
        "MODE" => &["200", "501", "504"],
        "QUIT" => &["221"],
        _ => &["200"],
    }
}
