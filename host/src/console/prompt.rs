//! `ftp> `: line editing, history, and completion of commands, local and remote names.

use std::cell::RefCell;
use std::path::PathBuf;

use bytes::Bytes;
use longshore_core::wire::reply::Shown;
use rustyline::completion::{Completer, FilenameCompleter, Pair};
use rustyline::error::ReadlineError;
use rustyline::history::FileHistory;
use rustyline::{CompletionType, Config, Context, Editor, Helper, Highlighter, Hinter, Validator};

use super::commands::{self, Names, Next};
use super::{Console, Dial};

const PROMPT: &str = "ftp> ";
const HISTORY: usize = 1000;

/// Reads commands until `quit` or the end of input. A command that fails prints its error, and the prompt returns.
pub(super) fn run<R: Dial>(console: &mut Console<R>) {
    let config = Config::builder().completion_type(CompletionType::List).max_history_size(HISTORY);
    let config = config.map_or_else(|_| Config::default(), |builder| builder.build());
    let mut editor: Editor<Completion<'_, R>, FileHistory> = match Editor::with_config(config) {
        Ok(editor) => editor,
        Err(error) => return tell!("{error}"),
    };
    let history = history_file();
    if let Some(path) = &history {
        // There is none the first time.
        let _ = editor.load_history(path);
    }
    let console = RefCell::new(console);
    editor.set_helper(Some(Completion { console: &console, files: FilenameCompleter::new() }));
    loop {
        match editor.readline(PROMPT) {
            Ok(line) => {
                // A history that cannot be kept is no reason to stop.
                let _ = editor.add_history_entry(&line);
                match console.borrow_mut().execute(line.as_bytes()) {
                    Ok(Next::Go) => {}
                    Ok(Next::Quit) => break,
                    Err(error) => tell!("{error}"),
                }
            }
            Err(ReadlineError::Interrupted) => {}
            // A byte that is no UTF-8. Commands from a pipe may hold some.
            Err(ReadlineError::Io(error)) if error.kind() == std::io::ErrorKind::InvalidData => {
                tell!("a line has to be UTF-8");
            }
            Err(ReadlineError::Eof) => {
                console.borrow_mut().quit();
                break;
            }
            Err(error) => {
                tell!("{error}");
                console.borrow_mut().quit();
                break;
            }
        }
    }
    if let Some(path) = &history {
        let _ = editor.save_history(path);
    }
}

fn history_file() -> Option<PathBuf> {
    let state = std::env::var_os("XDG_STATE_HOME").map(PathBuf::from);
    let state = state.or_else(|| std::env::home_dir().map(|home| home.join(".local/state")))?;
    let folder = state.join("longshore");
    std::fs::create_dir_all(&folder).ok()?;
    Some(folder.join("history"))
}

#[derive(Helper, Hinter, Highlighter, Validator)]
struct Completion<'a, R: Dial> {
    console: &'a RefCell<&'a mut Console<R>>,
    files: FilenameCompleter,
}

impl<R: Dial> Completer for Completion<'_, R> {
    type Candidate = Pair;

    fn complete(&self, line: &str, at: usize, context: &Context<'_>) -> rustyline::Result<(usize, Vec<Pair>)> {
        let typed = &line[..at];
        if typed.trim_start().starts_with('!') {
            return self.files.complete(line, at, context);
        }
        let start = typed.len() - typed.trim_start().len();
        let Some((name, _)) = typed[start..].split_once(' ') else {
            return Ok((start, self.commands(&typed[start..])));
        };
        let rows = commands::table::<R>();
        match rows
            .iter()
            .find(|row| row.names.iter().any(|known| known.eq_ignore_ascii_case(name)))
            .map(|row| row.completes)
        {
            Some(Names::Commands) => {
                let start = typed.rfind(' ').map_or(0, |blank| blank + 1);
                Ok((start, self.commands(&typed[start..])))
            }
            Some(Names::Local) => self.files.complete(line, at, context),
            Some(Names::Remote) => Ok(self.remote(typed)),
            Some(Names::None) | None => Ok((at, Vec::new())),
        }
    }
}

impl<R: Dial> Completion<'_, R> {
    fn commands(&self, start: &str) -> Vec<Pair> {
        let names = commands::table::<R>().into_iter().flat_map(|row| row.names);
        names.filter(|name| name.starts_with(start)).map(|name| pair((*name).to_owned())).collect()
    }

    /// Names on the server that begin as the last word does. Without blanks in them: those would have to be quoted.
    fn remote(&self, typed: &str) -> (usize, Vec<Pair>) {
        let start = typed.rfind(' ').map_or(0, |blank| blank + 1);
        let word = &typed[start..];
        let (directory, begun) = word.rfind('/').map_or(("", word), |slash| word.split_at(slash + 1));
        let directory_path = match directory {
            "" => None,
            "/" => Some(Bytes::from_static(b"/")),
            folder => Some(Bytes::copy_from_slice(folder.trim_end_matches('/').as_bytes())),
        };
        let mut console = self.console.borrow_mut();
        let names = console.remote.as_mut().and_then(|remote| remote.names(directory_path.as_ref()).ok());
        let mut pairs: Vec<Pair> = names
            .unwrap_or_default()
            .into_iter()
            .filter_map(|listed| {
                let name = std::str::from_utf8(&listed.name).ok().filter(|name| name.starts_with(begun))?.to_owned();
                let plain = !name.contains(|letter: char| {
                    letter.is_whitespace() || letter.is_control() || "'\"\\#".contains(letter)
                });
                plain.then(|| pair(format!("{directory}{name}{}", if listed.is_directory { "/" } else { "" })))
            })
            .collect();
        pairs.sort_by(|one, other| one.display.cmp(&other.display));
        (start, pairs)
    }
}

fn pair(text: String) -> Pair {
    Pair { display: Shown(text.as_bytes()).to_string(), replacement: text }
}
