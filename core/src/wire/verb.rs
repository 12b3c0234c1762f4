//! The table of verbs: every command that RFC 5797 registers and those that peers use besides, with the form of its
//! argument, when it is allowed, and whether this server offers it. Parser, session, `HELP`, `FEAT` and this page are made from it.

/// The form that a verb's argument takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Argument {
    /// There must be none.
    None,
    /// Whatever stands there means nothing.
    Ignored,
    /// One word, no blank in it.
    Word,
    /// One word, or none.
    OptionalWord,
    /// Words; blanks at both ends are dropped.
    Words,
    /// Words, or none.
    OptionalWords,
    /// A text to be taken as it is, from the first byte behind one SP: a pathname, say (RFC 2640, section 3.1).
    Text,
    /// Such a text, or none.
    OptionalText,
    /// Such a text, which may be empty.
    EmptyText,
}

/// When a verb is allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// In every state.
    Always,
    /// Once the user is logged in; 530 before.
    LoggedIn,
}

/// Whether the server offers a verb.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Offer {
    /// Works.
    Served,
    /// Known and read, but not offered: the session answers 502.
    Unserved,
    /// Only ever refused, whatever its argument: the parser answers 502.
    Refused,
}

/// What the table says of a verb.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// The verb as it travels, in upper case.
    pub name: &'static str,
    /// The form of its argument.
    pub argument: Argument,
    /// When it is allowed.
    pub when: When,
    /// Whether it is offered.
    pub offer: Offer,
    /// What it does, for `HELP`.
    pub summary: &'static str,
    /// Its line in the answer to FEAT, where it is an extension of RFC 959 (RFC 2389, section 3.2). What the line says besides for this
    /// session is the session's to add.
    pub feature: Option<&'static str>,
}

macro_rules! verbs {
    ($($verb:ident $name:literal $(| $alias:literal)? $argument:ident $when:ident $offer:ident $summary:literal $(= $feature:literal)?)*) => {
        /// A command's verb.
        ///
        /// | verb | argument | allowed | server | what it does |
        /// |---|---|---|---|---|
        $(#[doc = concat!(
            "| `", $name, "`", $(" (`", $alias, "`)",)? " | ", stringify!($argument), " | ", stringify!($when), " | ",
            stringify!($offer), " | ", $summary, " |"
        )])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Verb {
            $(#[doc = $summary] $verb,)*
        }

        impl Verb {
            /// Every verb, in the order of the table.
            pub const ALL: &[Self] = &[$(Self::$verb),*];

            /// The verb that `name`, in upper case, stands for; the X forms of RFC 775 stand for the plain ones.
            pub fn from_upper(name: &[u8]) -> Option<Self> {
                $(if name == $name.as_bytes() $(|| name == $alias.as_bytes())? {
                    return Some(Self::$verb);
                })*
                None
            }

            /// This verb's row of the table.
            pub const fn row(self) -> Row {
                match self {
                    $(Self::$verb => Row {
                        name: $name,
                        argument: Argument::$argument,
                        when: When::$when,
                        offer: Offer::$offer,
                        summary: $summary,
                        feature: [$(Some($feature),)? None][0],
                    },)*
                }
            }
        }
    };
}

verbs! {
    // Logging in
    User "USER" Text Always Served "Names the user; PASS follows."
    Pass "PASS" EmptyText Always Served "Gives the password."
    Acct "ACCT" Text Always Served "Gives an account, which nothing here asks for."
    Rein "REIN" None Always Served "Starts the session anew."
    Quit "QUIT" None Always Served "Ends the session, after a running transfer."
    Host "HOST" Word Always Served "Picks a virtual host." = "HOST"
    // Security
    Auth "AUTH" Word Always Served "Starts TLS." = "AUTH TLS"
    Adat "ADAT" Word Always Served "Carries security data; TLS has none."
    Pbsz "PBSZ" Word Always Served "Sets the protection buffer's size." = "PBSZ"
    Prot "PROT" Word Always Served "Sets the protection of data connections." = "PROT"
    Ccc "CCC" None Always Served "Asks for a control connection in clear again, which is never granted."
    Mic "MIC" Word Always Refused "A command with integrity protection."
    Conf "CONF" Word Always Refused "A command with confidentiality protection."
    Enc "ENC" Word Always Refused "A command with both protections."
    // What the server can do
    Feat "FEAT" None Always Served "Lists the extensions."
    Opts "OPTS" Words Always Served "Sets options of a command." = "UTF8"
    Help "HELP" OptionalWords Always Served "Lists the commands, or explains one."
    Syst "SYST" None Always Served "Names the kind of system."
    Noop "NOOP" Ignored Always Served "Does nothing."
    Clnt "CLNT" Text Always Served "Names the client program." = "CLNT"
    Lang "LANG" OptionalWord Always Served "Picks the language of replies: English." = "LANG EN*"
    Stat "STAT" OptionalText Always Served "Tells the session's or a transfer's state, or lists a path on the control connection."
    Site "SITE" Text LoggedIn Served "Runs a command of this server's own: CHMOD or HELP."
    Algs "ALGS" OptionalWord Always Refused "Sets options of an IPv6-IPv4 gateway."
    // Moving about
    // Where a path may go is TVFS.
    Cwd "CWD" | "XCWD" OptionalText LoggedIn Served "Changes the working directory; home without an argument." = "TVFS"
    Cdup "CDUP" | "XCUP" None LoggedIn Served "Changes to the parent directory."
    Pwd "PWD" | "XPWD" None LoggedIn Served "Prints the working directory."
    Smnt "SMNT" Text LoggedIn Refused "Mounts another file system."
    // The data connection
    Port "PORT" Word LoggedIn Served "Names the IPv4 address that the server connects to."
    Pasv "PASV" None LoggedIn Served "Makes the server listen, on IPv4."
    Eprt "EPRT" Word LoggedIn Served "Names the address that the server connects to." = "EPRT"
    Epsv "EPSV" OptionalWord LoggedIn Served "Makes the server listen." = "EPSV"
    Lprt "LPRT" Text LoggedIn Refused "A long address to connect to."
    Lpsv "LPSV" None LoggedIn Refused "Makes the server listen on a long address."
    Type "TYPE" Words LoggedIn Served "Sets the representation type: A, E, I, or L 8."
    Stru "STRU" Word LoggedIn Served "Sets the file structure: F or R."
    Mode "MODE" Word LoggedIn Served "Sets the transfer mode: S, B or C."
    Abor "ABOR" None Always Served "Breaks off a transfer."
    // Transfers
    Retr "RETR" Text LoggedIn Served "Sends a file to the client."
    Stor "STOR" Text LoggedIn Served "Takes a file from the client, in place of one of that name."
    Stou "STOU" OptionalText LoggedIn Served "Takes a file under a name that is not in use."
    Appe "APPE" Text LoggedIn Served "Takes bytes to be put behind a file."
    Allo "ALLO" Words LoggedIn Served "Announces the size of the file that is to be stored."
    Rest "REST" Word LoggedIn Served "Sets where the next transfer begins." = "REST STREAM"
    Rang "RANG" Words LoggedIn Served "Sets the range of the next transfer." = "RANG STREAM"
    List "LIST" OptionalText LoggedIn Served "Lists a directory for people."
    Nlst "NLST" OptionalText LoggedIn Served "Lists the names in a directory."
    Mlsd "MLSD" OptionalText LoggedIn Served "Lists a directory for programs."
    // Files
    Mlst "MLST" OptionalText LoggedIn Served "Tells the facts of one file." = "MLST"
    Size "SIZE" Text LoggedIn Served "Tells how many bytes RETR would send." = "SIZE"
    Mdtm "MDTM" Text LoggedIn Served "Tells when a file was last changed." = "MDTM"
    Mfmt "MFMT" Text LoggedIn Served "Sets when a file was last changed." = "MFMT"
    Mfct "MFCT" Text LoggedIn Refused "Sets when a file was made."
    Mff "MFF" Text LoggedIn Served "Sets facts of a file." = "MFF Modify;UNIX.mode;"
    Avbl "AVBL" OptionalText LoggedIn Served "Tells the free space." = "AVBL"
    Rnfr "RNFR" Text LoggedIn Served "Names the file to be renamed; RNTO follows."
    Rnto "RNTO" Text LoggedIn Served "Gives the new name."
    Dele "DELE" Text LoggedIn Served "Removes a file."
    Mkd "MKD" | "XMKD" Text LoggedIn Served "Makes a directory."
    Rmd "RMD" | "XRMD" Text LoggedIn Served "Removes an empty directory."
    // Digests
    Hash "HASH" Text LoggedIn Served "Tells a file's digest." = "HASH"
    Xcrc "XCRC" Text LoggedIn Served "Tells a file's CRC-32." = "XCRC"
    Xmd5 "XMD5" Text LoggedIn Served "Tells a file's MD5." = "XMD5"
    Xsha "XSHA" Text LoggedIn Served "Tells a file's SHA-1." = "XSHA"
    Xsha1 "XSHA1" Text LoggedIn Served "Tells a file's SHA-1." = "XSHA1"
    Xsha256 "XSHA256" Text LoggedIn Served "Tells a file's SHA-256." = "XSHA256"
    Xsha512 "XSHA512" Text LoggedIn Served "Tells a file's SHA-512." = "XSHA512"
    Md5 "MD5" Text LoggedIn Unserved "Tells a file's MD5, of a draft that lapsed."
    Mmd5 "MMD5" Text LoggedIn Unserved "Tells several files' MD5, of a draft that lapsed."
    // Known, and never more than that
    Csid "CSID" OptionalText Always Refused "Client and server identification."
    Dsiz "DSIZ" OptionalText LoggedIn Refused "Size of a directory."
    Rmda "RMDA" OptionalText LoggedIn Refused "Removes a directory with all in it."
    Thmb "THMB" OptionalText LoggedIn Refused "Sends a thumbnail."
    Pret "PRET" OptionalText LoggedIn Refused "Announces a transfer before PASV."
    Cpsv "CPSV" OptionalText LoggedIn Refused "PASV with the roles of TLS reversed."
    Sscn "SSCN" OptionalText LoggedIn Refused "Reverses the roles of TLS."
    Spsv "SPSV" OptionalText LoggedIn Refused "PASV over a single port."
    Comb "COMB" OptionalText LoggedIn Refused "Joins files."
    Cksm "CKSM" OptionalText LoggedIn Refused "Tells a file's checksum."
}
