//! Other people's Rust: suppaftp as a client of our server, libunftp as a server for our client.

use std::fs;
use std::io::Read;
use std::net::TcpListener;
use std::path::Path;
use std::time::Duration;

use suppaftp::types::FileType;
use suppaftp::{FtpStream, Mode};
use unftp_sbe_fs::Filesystem;

use crate::programs::{PATIENCE, Programs, folder, noise};

/// suppaftp: files both ways in each way to make a data connection, resumed, appended to, renamed, listed, broken off.
pub fn suppaftp_moves_files(programs: &Programs) {
    let server = programs.serve_folder(&[], |root, _| {
        fs::File::create(root.join("endless")).unwrap().set_len(1 << 40).unwrap();
    });
    let content = noise(7, 300_000);
    let mut ftp = FtpStream::connect(("127.0.0.1", server.port)).unwrap();
    ftp.login("anonymous", "x").unwrap();
    ftp.transfer_type(FileType::Binary).unwrap();
    for mode in [Mode::ExtendedPassive, Mode::Passive, Mode::Active] {
        ftp.set_mode(mode);
        for size in [0, 1, 65_536, content.len()] {
            ftp.put_file("up", &mut &content[..size]).unwrap();
            assert_eq!(fs::read(server.root().join("up")).unwrap(), content[..size]);
            assert_eq!(ftp.size("up").unwrap(), size);
            assert_eq!(ftp.retr_as_buffer("up").unwrap().into_inner(), content[..size]);
        }
    }
    ftp.set_mode(Mode::ExtendedPassive);
    ftp.resume_transfer(299_000).unwrap();
    assert_eq!(ftp.retr_as_buffer("up").unwrap().into_inner(), content[299_000..]);
    ftp.append_file("up", &mut &b"more"[..]).unwrap();
    assert_eq!(ftp.size("up").unwrap(), content.len() + 4);
    ftp.mkdir("new").unwrap();
    ftp.rename("up", "new/there").unwrap();
    ftp.cwd("new").unwrap();
    assert_eq!(ftp.pwd().unwrap(), "/new");
    assert_eq!(ftp.nlst(None).unwrap(), ["there"]);
    assert!(ftp.list(None).unwrap()[0].ends_with(" there"));
    assert!(ftp.mlsd(None).unwrap().iter().any(|line| line.ends_with(" there")));
    ftp.mdtm("there").unwrap();
    let mut broken = ftp.retr_as_stream("/endless").unwrap();
    broken.read_exact(&mut [0; 100]).unwrap();
    ftp.abort(broken).unwrap();
    ftp.noop().unwrap();
    ftp.rm("there").unwrap();
    ftp.cdup().unwrap();
    ftp.rmdir("new").unwrap();
    assert!(ftp.size("nosuch").is_err());
    ftp.quit().unwrap();
}

/// libunftp: our client's commands against it.
pub fn libunftp_serves_our_client(programs: &Programs) {
    let (root, here) = (folder(), folder());
    let port = libunftp(root.path()).to_string();
    let content = noise(9, 300_000);
    for (name, size) in [("empty", 0), ("one", 1), ("even", 65_536), ("large", content.len())] {
        fs::write(here.path().join(name), &content[..size]).unwrap();
    }
    let commands =
        "mkdir new\ncd new\nmput *\nls\nmv one uno\nsize large\nmodtime large\nlcd back\nmget *\nrm uno\ncd ..\n";
    fs::create_dir(here.path().join("back")).unwrap();
    let ran = programs.client(here.path(), &["127.0.0.1", &port], commands).expect(0);
    assert!(ran.out.contains("300000\n"), "{ran:#?}");
    for (name, size) in [("empty", 0), ("uno", 1), ("even", 65_536), ("large", content.len())] {
        assert_eq!(fs::read(here.path().join("back").join(name)).unwrap(), content[..size], "{name}");
    }
    assert!(!root.path().join("new/uno").exists() && root.path().join("new/large").exists());
    let ran = programs.client(here.path(), &["--active", "127.0.0.1", &port], "get nosuch\npwd\nquit\n").expect(1);
    assert!(ran.err.contains("get: nosuch: ") && ran.out.ends_with("/\n"), "{ran:#?}");
}

/// Serves a folder by libunftp, for as long as the program runs; says on which port.
fn libunftp(root: &Path) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    listener.set_nonblocking(true).unwrap();
    let root = root.to_owned();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            while let Ok((stream, _)) = listener.accept().await {
                let root = root.clone();
                let server = libunftp::ServerBuilder::new(Box::new(move || Filesystem::new(root.clone()).unwrap()));
                let server = server.idle_session_timeout(PATIENCE.as_secs()).build().unwrap();
                tokio::spawn(server.service(stream));
            }
            // Out of descriptors, say: the case fails by itself.
            tokio::time::sleep(Duration::from_secs(1)).await;
        });
    });
    port
}
