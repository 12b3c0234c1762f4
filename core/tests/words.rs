//! Wildcards and `.netrc`, by table.

use longshore_core::netrc;
use longshore_core::pattern::{is_pattern, matches};

#[test]
fn wildcards_fit_what_they_should() {
    let cases: &[(&str, &str, bool)] = &[
        ("*", "", true),
        ("*", "a", true),
        ("?", "", false),
        ("a*b*c", "abc", true),
        ("a*b*c", "aXbYbZc", true),
        ("a*b*c", "aXbYc!", false),
        ("*.txt", ".txt", true),
        ("*.txt", "a.txt.gz", false),
        ("[abc]x", "bx", true),
        ("[a-c]x", "dx", false),
        ("[!a-c]x", "dx", true),
        ("[^a-c]x", "ax", false),
        ("[]x]", "]", true),
        ("[a-]", "-", true),
        ("[", "[", true),
        ("[a", "[a", true),
        ("a[", "a", false),
        ("**", "anything", true),
        ("", "", true),
        ("", "a", false),
    ];
    for (pattern, name, fits) in cases {
        assert_eq!(matches(pattern.as_bytes(), name.as_bytes()), *fits, "{pattern} {name}");
    }
    assert!(is_pattern(b"a*") && is_pattern(b"[") && !is_pattern(b"plain.txt"));
    // The worst pattern for one that tries everything: this would never end.
    assert!(!matches(&[&b"a*".repeat(500)[..], b"b"].concat(), &[b'a'; 4000]));
    assert!(!matches(&[b'*'; 2000], b"a"), "a pattern has a bound");
}

#[test]
fn logins_are_found_by_machine_and_user() {
    let text = b"# comment\n\
        machine one.example login alice password #secret\n\
        macdef init\nmachine trap login x password y\n\n\
        machine two.example\n\tlogin bob\n\tpassword \"two \\\"words\\\"\"\n\taccount none\n\
        machine two.example login carol password c\n\
        default login anonymous password me@\n";
    let login = |machine: &str, user: Option<&str>| {
        let found = netrc::find(text, machine, user.map(str::as_bytes))?;
        let word = |bytes: Option<Vec<u8>>| bytes.map(|bytes| String::from_utf8(bytes).unwrap()).unwrap_or_default();
        Some(format!("{} {}", word(found.user), word(found.password)))
    };
    assert_eq!(login("ONE.example", None).as_deref(), Some("alice #secret"));
    assert_eq!(login("two.example", None).as_deref(), Some("bob two \"words\""));
    assert_eq!(login("two.example", Some("carol")).as_deref(), Some("carol c"));
    assert_eq!(login("trap", None).as_deref(), Some("anonymous me@"));
    assert_eq!(login("two.example", Some("dave")), None);
    assert_eq!(netrc::find(b"machine", "x", None).map(|_| ()), None);
    assert!(netrc::find(b"machine x login", "x", None).is_some_and(|login| login.user.is_none()));
}
