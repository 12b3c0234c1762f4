//! The programs of this runtime, from outside.

longshore_suite::suite!(server = env!("CARGO_BIN_EXE_ftpd-async-std"), client = env!("CARGO_BIN_EXE_ftp-async-std"));
