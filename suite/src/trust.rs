//! Certificates, and servers that do wrong.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use rustix::process::Signal;

use crate::certificates::{Certificate, Flaw};
use crate::dialogues::{fixture, users_file};
use crate::fake::{CONTENT, Fake, Manners};
use crate::peer::SocketPeer;
use crate::programs::{Programs, Ran, folder, wait_for};
use crate::tls::config;

/// What is wrong with a certificate is said, with what to do about it, and nothing else happens.
pub fn certificates_are_judged(programs: &Programs) {
    let place = folder();
    for (flaw, message, advice) in [
        (Flaw::None, "", ""),
        (Flaw::Name, "the certificate is for another name", "it is for example.org: connect by that name"),
        (Flaw::Expired, "the certificate has expired", "check this machine's clock"),
        (Flaw::Own, "", ""),
    ] {
        let certificate = Certificate::make(place.path(), "one", flaw);
        let server = programs.serve_folder(&certificate.arguments(), |root, _| fixture(root));
        let port = server.port.to_string();
        let run = |options: &[&str], host: &str| -> Ran {
            let arguments = [&["--tls", "explicit", "-c", "pwd"], options, &[host, &port]].concat();
            programs.client(place.path(), &arguments, "")
        };
        for host in ["localhost", "127.0.0.1"] {
            let ran = run(&certificate.cacert(), host).expect(if message.is_empty() { 0 } else { 2 });
            assert!(ran.err.contains(message) && ran.err.contains(advice), "{ran:#?}");
        }
        let ran = run(&[], "localhost").expect(2);
        let unknown = "signed by no authority that is known here: --cacert FILE";
        assert!(ran.err.contains(if flaw == Flaw::Expired { message } else { unknown }), "{ran:#?}");
        let pin = ran.err.split("--pin ").nth(1).and_then(|rest| rest.split(' ').next()).unwrap().to_owned();
        // Exactly this one, whatever is wrong with it; or any.
        run(&["--pin", &pin], "localhost").expect(0);
        run(&["--pin", &pin.replace(':', "").to_lowercase()], "localhost").expect(0);
        run(&["--insecure"], "localhost").expect(0);
        let other = "0".repeat(64);
        let ran = run(&["--pin", &other], "localhost").expect(2);
        assert!(ran.err.contains("not the one that is pinned") && ran.err.contains(&pin), "{ran:#?}");
        run(&["--cacert", "/nonexistent"], "localhost").expect(2);
        run(&["--pin", "12"], "localhost").expect(2);
        // What would check nothing is not passed over.
        let ran = programs.client(place.path(), &["--pin", &pin, "localhost", &port, "-c", "pwd"], "").expect(2);
        assert!(ran.err.contains("--tls explicit"), "{ran:#?}");
    }
}

/// A download that TLS does not confirm is an error, unless its size proves it, and leaves the old file.
pub fn downloads_that_are_cut_are_errors(programs: &Programs) {
    let here = folder();
    let certificate = Certificate::make(here.path(), "one", Flaw::None);
    let get = |manners: Manners| {
        let fake = Fake::start(&certificate, manners);
        fs::write(here.path().join("f"), "old").unwrap();
        let [cacert, path] = certificate.cacert();
        let port = fake.port.to_string();
        programs.client(here.path(), &["--tls", "explicit", cacert, path, "localhost", &port], "get f\n")
    };
    let local = || fs::read(here.path().join("f")).unwrap();
    get(Manners::GOOD).expect(0);
    assert_eq!(local(), CONTENT);
    let ran = get(Manners { says_end: false, size: "500 what", ..Manners::GOOD }).expect(1);
    assert!(ran.err.contains("without TLS's close_notify"), "{ran:#?}");
    assert_eq!(local(), b"old");
    get(Manners { says_end: false, size: "213 6", ..Manners::GOOD }).expect(1);
    assert_eq!(local(), b"old");
    get(Manners { says_end: false, ..Manners::GOOD }).expect(0);
    assert_eq!(local(), CONTENT);
}

/// A server that refuses AUTH or PROT, or that somebody speaks for, hears nothing else.
pub fn nothing_goes_in_clear_once_tls_is_asked_for(programs: &Programs) {
    let here = folder();
    let certificate = Certificate::make(here.path(), "one", Flaw::None);
    for (manners, message) in [
        (Manners { auth: "502 no\r\n", ..Manners::GOOD }, "nothing is sent in clear: 502 no"),
        (Manners { prot: "536 no", ..Manners::GOOD }, "nothing is sent in clear: 536 no"),
        // Said in clear behind the reply by somebody in between, this must not be believed.
        (Manners { auth: "234 go on\r\n230 logged in\r\n", ..Manners::GOOD }, "the TLS handshake failed"),
    ] {
        let fake = Fake::start(&certificate, manners);
        let [cacert, path] = certificate.cacert();
        let port = fake.port.to_string();
        let arguments = ["--tls", "explicit", cacert, path, "localhost", &port, "-c", "pwd"];
        let ran = programs.client(here.path(), &arguments, "").expect(2);
        assert!(ran.err.contains(message), "{ran:#?}");
        assert_eq!(fake.heard(), ["AUTH TLS"]);
    }
    // One that does no TLS at all.
    let server = programs.serve(&[]);
    let port = server.port.to_string();
    let ran = programs.client(here.path(), &["--tls", "explicit", "127.0.0.1", &port, "-c", "pwd"], "").expect(2);
    assert!(ran.err.contains("nothing is sent in clear: 502"), "{ran:#?}");
    programs.client(here.path(), &["--tls", "implicit", "127.0.0.1", &port, "-c", "pwd"], "").expect(2);
    let url = format!("ftps://127.0.0.1:{port}/");
    programs.client(here.path(), &[&url, "-c", "pwd"], "").expect(2);
    let ran = programs.client(here.path(), &["--tls", "off", &url, "-c", "pwd"], "").expect(2);
    assert!(ran.err.contains("--tls off"), "{ran:#?}");
}

/// SIGHUP: certificate, key and users are read again; who is there stays, and what is of no use changes nothing.
pub fn files_are_read_again(programs: &Programs) {
    let place = folder();
    let (first, second) =
        (Certificate::make(place.path(), "first", Flaw::None), Certificate::make(place.path(), "second", Flaw::None));
    let arguments = ["--users", "{}/users.toml", "--tls-cert", "{}/chain.pem", "--tls-key", "{}/key.pem"];
    let mut server = programs.serve_folder(&arguments, |root, settings| {
        fixture(root);
        fs::write(settings.join("users.toml"), users_file()).unwrap();
        fs::copy(&first.chain, settings.join("chain.pem")).unwrap();
        fs::copy(&first.key, settings.join("key.pem")).unwrap();
    });
    let port = server.port.to_string();
    let run = |certificate: &Certificate, user: &str| {
        let [cacert, path] = certificate.cacert();
        let url = format!("ftp://{user}:secret@localhost:{port}/");
        programs.client(place.path(), &["--tls", "explicit", cacert, path, &url, "-c", "pwd"], "").code
    };
    assert_eq!(run(&first, "alice"), Some(0));
    assert_eq!(run(&first, "carol"), Some(2));
    let shared = config(true);
    let mut peer = SocketPeer::logged_in_over_tls_as(&server, &shared, "alice", "secret");
    fs::copy(&second.chain, server.settings().join("chain.pem")).unwrap();
    fs::copy(&second.key, server.settings().join("key.pem")).unwrap();
    fs::write(server.settings().join("users.toml"), users_file().replace("alice", "carol")).unwrap();
    server.signal(Signal::HUP);
    wait_for("the new certificate", || (run(&second, "carol") == Some(0)).then_some(()));
    assert_eq!(run(&first, "carol"), Some(2));
    assert_eq!(run(&second, "alice"), Some(2));
    let still_serves = |peer: &mut SocketPeer| {
        peer.passive();
        peer.say("RETR a.txt", 150);
        peer.secure_data().unwrap();
        assert!(peer.data_tls.as_ref().unwrap().is_resumed());
        peer.read_data_then(|_| {});
        peer.expect_reply(226);
    };
    still_serves(&mut peer);
    // The key of another certificate, and a file that is none.
    fs::copy(&first.key, server.settings().join("key.pem")).unwrap();
    fs::write(server.settings().join("users.toml"), "[[user]]\nname = 7\n").unwrap();
    server.signal(Signal::HUP);
    server.wait_for_log("the certificate at hand stays: ");
    server.wait_for_log("the users at hand stay: ");
    assert_eq!(run(&second, "carol"), Some(0));
    still_serves(&mut peer);
}

/// A certificate that the server makes is kept where it is told to, and never written over.
pub fn certificates_that_are_made_stay(programs: &Programs) {
    let place = folder();
    let (chain, key) = (place.path().join("chain.pem"), place.path().join("key.pem"));
    let [chain_text, key_text] = [&chain, &key].map(|path| path.to_str().unwrap());
    let arguments = ["--tls-self-signed", "--tls-cert", chain_text, "--tls-key", key_text];
    let visit = |options: &[&str]| {
        let server = programs.serve_folder(&arguments, |root, _| fixture(root));
        let port = server.port.to_string();
        programs.client(
            place.path(),
            &[&["--tls", "explicit"], options, &["localhost", &port, "-c", "pwd"]].concat(),
            "",
        )
    };
    let ran = visit(&[]).expect(2);
    let pin = ran.err.split("--pin ").nth(1).and_then(|rest| rest.split(' ').next()).unwrap().to_owned();
    assert_eq!(fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);
    let before = (fs::read(&chain).unwrap(), fs::read(&key).unwrap());
    visit(&["--pin", &pin]).expect(0);
    // It signed itself, so it can be named as it is.
    visit(&["--cacert", chain_text]).expect(0);
    assert!((fs::read(&chain).unwrap(), fs::read(&key).unwrap()) == before);
    let fails = |arguments: &[&str], message: &str| {
        let output = programs.server_command().args(arguments).arg("0").output().unwrap();
        let ran = Ran::of(output).expect(2);
        assert!(ran.err.contains(message), "{ran:#?}");
    };
    fs::remove_file(&key).unwrap();
    fails(&arguments, "name both, or neither");
    assert!(fs::read(&chain).unwrap() == before.0);
    fails(&["--tls-cert", chain_text], "there is no private key in it");
    fails(&["--tls-cert", "/nonexistent", "--tls-key", key_text], "/nonexistent: cannot be read");
    fails(&["--tls", "required"], "--tls needs a certificate");
    fails(&["--tls-resume", "require"], "--tls-resume needs a certificate");
    fails(&["--tls-self-signed", "--tls-cert", chain_text], "both --tls-cert and --tls-key");
    fs::write(&key, "-----BEGIN PRIVATE KEY-----\nnonsense\n-----END PRIVATE KEY-----\n").unwrap();
    fails(&["--tls-cert", chain_text, "--tls-key", key_text], "key.pem: ");
}
