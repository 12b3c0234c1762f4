//! What known clients say, and what servers answer: dialogues as they went over the wire.

/// Commands of curl, lftp, tnftp, ftplib and FileZilla.
pub const COMMANDS: &str = "\
USER anonymous\r
PASS ftp@example.com\r
PWD\r
CWD pub\r
CWD linux\r
EPSV\r
TYPE I\r
SIZE kernel-6.1.tar.xz\r
REST 1048576\r
RETR kernel-6.1.tar.xz\r
QUIT\r
FEAT\r
CLNT lftp/4.9.2\r
LANG\r
OPTS UTF8 ON\r
HOST ftp.example.org\r
USER alice\r
PASS correct horse battery staple\r
OPTS MLST type;size;modify;UNIX.mode;UNIX.owner;UNIX.group;\r
PWD\r
TYPE I\r
SIZE /home/alice/Bücher/Größe.txt\r
MDTM /home/alice/Bücher/Größe.txt\r
PASV\r
RETR /home/alice/Bücher/Größe.txt\r
PASV\r
STOR upload of the day.bin\r
MFMT 20240615120000 upload of the day.bin\r
SITE CHMOD 644 upload of the day.bin\r
USER camera\r
PASS camera\r
SYST\r
TYPE A\r
EPSV\r
NLST *.jpg\r
TYPE I\r
PORT 192,0,2,5,200,13\r
STOR DSC_0001.JPG\r
EPRT |2|2001:db8::5|51213|\r
STOR DSC_0002.JPG\r
AUTH TLS\r
USER alice\r
PASS correct horse battery staple\r
PBSZ 0\r
PROT P\r
CWD /srv/data\r
EPSV\r
MLSD\r
RNFR old name\r
RNTO new name\r
MKD backup\r
DELE old.bak\r
NOOP\r
HASH new name\r
QUIT\r
";

/// Replies of Longshore, vsftpd, ProFTPD, Pure-FTPd and others.
pub const REPLIES: &str = "\
220 Longshore ready\r
331 Anonymous login: send your e-mail address as password.\r
230-Welcome to the archive.\r
 All transfers are logged.\r
230 Login successful.\r
257 \"/pub\" is the current directory\r
250 Directory successfully changed.\r
229 Entering Extended Passive Mode (|||50000|)\r
200 Type set to I.\r
213 133894312\r
350 Restart position accepted (1048576).\r
150 Opening BINARY mode data connection for kernel-6.1.tar.xz (133894312 bytes).\r
226 Transfer complete.\r
221 Goodbye.\r
220---------- Welcome to Pure-FTPd [privsep] [TLS] ----------\r
220-You are user number 1 of 50 allowed.\r
220-Local time is now 12:00. Server port: 21.\r
220 You will be disconnected after 15 minutes of inactivity.\r
211-Features:\r
 EPRT\r
 EPSV\r
 MDTM\r
 MLST type*;size*;modify*;perm*;unique*;UNIX.mode*;UNIX.owner;UNIX.group;\r
 REST STREAM\r
 SIZE\r
 TVFS\r
 UTF8\r
 HASH SHA-256*;SHA-512;SHA-1;MD5;CRC32\r
211 End\r
227 Entering Passive Mode (192,0,2,7,195,80).\r
213 20240615120000\r
150 Accepted data connection\r
226-File successfully transferred\r
226 0.012 seconds (measured here), 102.34 Mbytes per second\r
550 nosuch.txt: No such file or directory.\r
213 SHA-256 0-1048575 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08 upload of the day.bin\r
";
