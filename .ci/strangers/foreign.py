"""Foreign FTP servers for interoperability tests: vsftpd, Pure-FTPd, ProFTPD and pyftpdlib, with and without TLS.

    with ProFtpd(root_dir, work_dir, 2121) as s:
        ...  # ftp://s.user:s.password@127.0.0.1:2121/ is root_dir, with all rights

With tls=(certificate, key, "TLSv1.2" or "TLSv1.3") they insist on TLS of that version, on control and data, and vsftpd and
ProFTPD on the resumption of the control connection's session besides.

Every server gives its user all rights to root_dir: overwrite, delete, rename, mkdir, rmdir, resume both ways, in
passive and in active mode. One instance listens on one address; for IPv6 make a second one with host="::1", on
the same port if wanted. setup installs the servers.

Run as root: the servers chroot and work as ACCOUNT, to which start() gives root_dir with all that is in it. Files
that a test makes there later belong to root; call own() again before a client is to change them. The directories
above root_dir must be searchable by ACCOUNT (tempfile.mkdtemp() makes one that is not).
"""
import grp
import os
import pwd
import signal
import socket
import subprocess
import time

# Where setup has put the programs.
PEERS = os.environ.get("PEERS", "/tmp/longshore-peers")
VSFTPD = PEERS + "/deb/x/vsftpd/usr/sbin/vsftpd"
PURE_FTPD = PEERS + "/deb/x/pure-ftpd/usr/sbin/pure-ftpd"
PURE_PW = PEERS + "/deb/x/pure-ftpd/usr/bin/pure-pw"
PROFTPD = PEERS + "/deb/x/proftpd-core/usr/sbin/proftpd"
PROFTPD_MODULES = PEERS + "/deb/x/proftpd-mod-crypto/usr/lib/proftpd"
PYTHON = PEERS + "/venv/bin/python"  # has pyftpdlib

# The servers read and write as this account: without privileges, but with a home directory that exists ("nobody"
# has none, and vsftpd insists).
ACCOUNT = "games"


def account_group():
    return grp.getgrgid(pwd.getpwnam(ACCOUNT).pw_gid).gr_name


def freeze(pid):
    """Stops a process with all that descend from it; yields them, descendants first."""
    try:
        os.kill(pid, signal.SIGSTOP)
    except ProcessLookupError:  # has just ended
        return
    try:
        with open("/proc/%d/task/%d/children" % (pid, pid)) as f:
            children = [int(p) for p in f.read().split()]
    except OSError:
        children = []
    for p in children:
        yield from freeze(p)
    yield pid


class Server:
    """What they have in common. work_dir is for configuration and log; it must not be inside root_dir."""
    name = ""
    program = ""
    user, password = "anonymous", "test@example.org"

    def __init__(self, root_dir, work_dir, port, host="127.0.0.1", tls=None):
        self.root_dir, self.work_dir = os.path.abspath(root_dir), os.path.abspath(work_dir)
        self.port, self.host, self.tls = port, host, tls
        self.process = None

    @classmethod
    def available(cls):
        return os.access(cls.program, os.X_OK)

    def command(self):
        """Writes the configuration; returns the command that runs the server in the foreground."""
        raise NotImplementedError

    def start(self):
        """Returns when the server accepts connections."""
        os.makedirs(self.root_dir, exist_ok=True)
        os.makedirs(self.work_dir, exist_ok=True)
        self._check_path()
        self.own()
        if self._accepts():
            raise RuntimeError("%s: port %d is in use" % (self.name, self.port))
        command = self.command()
        with open(self._path("log"), "wb") as log:
            # A clean environment: some servers read more of it than one would think. No signals of the terminal.
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.work_dir, start_new_session=True,
                env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8", "HOME": self.work_dir, **self._openssl()})
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline and self.process.poll() is None:
            if self._accepts():
                return self
            time.sleep(0.05)
        self.stop()
        with open(self._path("log"), errors="replace") as log:
            raise RuntimeError("%s does not start: %s" % (self.name, log.read()[-1000:]))

    def stop(self):
        """Ends the server and its sessions. May be called twice."""
        if not self.process:
            return
        if self.process.poll() is not None:  # ended by itself
            self.process = None
            return
        # Sessions may have left the process group. The frozen ones cannot end, nor their numbers be used again.
        for pid in list(freeze(self.process.pid)):
            os.kill(pid, signal.SIGKILL)
        self.process.wait()
        self.process = None

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()

    def own(self):
        """Gives root_dir, with all that is in it, to the account that the server works as."""
        a = pwd.getpwnam(ACCOUNT)
        os.chown(self.root_dir, a.pw_uid, a.pw_gid)
        for folder, dirs, files in os.walk(self.root_dir):
            for f in dirs + files:
                os.chown(os.path.join(folder, f), a.pw_uid, a.pw_gid, follow_symlinks=False)

    def _check_path(self):
        above = os.path.dirname(self.root_dir)
        while True:
            if not os.stat(above).st_mode & 0o001:
                raise RuntimeError("%s: %s is not searchable by %s" % (self.name, above, ACCOUNT))
            if above == os.path.dirname(above):
                return
            above = os.path.dirname(above)

    def _openssl(self):
        """The environment that makes OpenSSL speak one version of TLS and no other."""
        if not self.tls:
            return {}
        version = self.tls[2]
        return {"OPENSSL_CONF": self._write("openssl.cnf", f"""openssl_conf = all
[all]
ssl_conf = ssl
[ssl]
system_default = versions
[versions]
MinProtocol = {version}
MaxProtocol = {version}
""")}

    def _bundle(self):
        """Key and certificate in one file."""
        with open(self.tls[0]) as certificate, open(self.tls[1]) as key:
            return self._write("bundle.pem", key.read() + certificate.read())

    def _accepts(self):
        try:
            socket.create_connection((self.host, self.port), 1).close()
            return True
        except OSError:
            return False

    def _path(self, name):
        return os.path.join(self.work_dir, name)

    def _write(self, name, text):
        with open(self._path(name), "w") as f:
            f.write(text)
        return self._path(name)


class Vsftpd(Server):
    """Has no MLSD and no MFMT. Its user is a local one, as anonymous ones may neither chroot to a writable directory
    nor chmod. Any password will do: PAM's service "runuser", part of util-linux, asks root (vsftpd) for none."""
    name = "vsftpd"
    program = VSFTPD
    user, password = ACCOUNT, "test"

    def command(self):
        os.makedirs(self._path("empty"), exist_ok=True)
        listen = (f"listen=NO\nlisten_ipv6=YES\nlisten_address6={self.host}" if ":" in self.host else
                  f"listen=YES\nlisten_ipv6=NO\nlisten_address={self.host}")
        # No sandbox: containers may refuse it.
        return [self.program, self._write("vsftpd.conf", f"""{listen}
listen_port={self.port}
background=NO
max_clients=0
max_per_ip=0
isolate=NO
isolate_network=NO
seccomp_sandbox=NO
secure_chroot_dir={self._path("empty")}
nopriv_user=nobody
anonymous_enable=NO
local_enable=YES
pam_service_name=runuser
session_support=NO
userlist_enable=YES
userlist_deny=NO
userlist_file={self._write("users", self.user)}
local_root={self.root_dir}
chroot_local_user=YES
allow_writeable_chroot=YES
local_umask=022
write_enable=YES
mdtm_write=YES
ascii_upload_enable=YES
ascii_download_enable=YES
async_abor_enable=YES
xferlog_enable=NO
""" + (f"""ssl_enable=YES
ssl_tlsv1=YES
force_local_logins_ssl=YES
force_local_data_ssl=YES
require_ssl_reuse=YES
strict_ssl_read_eof=YES
ssl_ciphers=HIGH
rsa_cert_file={self.tls[0]}
rsa_private_key_file={self.tls[1]}
""" if self.tls else ""))]


class PureFtpd(Server):
    """Its virtual user is in a database of its own."""
    name = "pure-ftpd"
    program = PURE_FTPD
    user = password = "test"
    HASH = "abgOeLfPimXQo"  # crypt("test", "ab"); the hashes that pure-pw itself makes take a second at every login

    def command(self):
        a = pwd.getpwnam(ACCOUNT)
        line = f"{self.user}:{self.HASH}:{a.pw_uid}:{a.pw_gid}::{self.root_dir}/./::::::::::::\n"
        passwd = self._write("passwd", line)
        db = self._path("passwd.pdb")
        subprocess.run([PURE_PW, "mkdb", db, "-f", passwd], check=True)
        # In this order: address; users, none of them anonymous, any uid, in a chroot; no name lookups, no syslog; many
        # clients at a time.
        return [self.program, "-S", "%s,%d" % (self.host, self.port), "-l", "puredb:" + db, "-E", "-u", "1", "-A", "-H",
                "-f", "none", "-c", "1000", "-g", self._path("pid")] + (["-Y", "3", "-2", self._bundle()] if self.tls else [])


class ProFtpd(Server):
    name = "proftpd"
    program = PROFTPD

    def command(self):
        return [self.program, "-n", "-q", "-c", self._write("proftpd.conf", f"""ServerName test
ServerType standalone
UseIPv6 {"on" if ":" in self.host else "off"}
DefaultAddress {self.host}
SocketBindTight on
Port {self.port}
User nobody
Group nogroup
PidFile {self._path("pid")}
ScoreboardFile none
ControlsEngine off
DelayEngine off
AuthPAM off
AuthOrder mod_auth_unix.c
UseFtpUsers off
RequireValidShell off
UseReverseDNS off
WtmpLog off
TransferLog NONE
SystemLog NONE
<Anonymous {self.root_dir}>
  User {ACCOUNT}
  Group {account_group()}
  UserAlias anonymous {ACCOUNT}
  AllowOverwrite on
  AllowStoreRestart on
  <Limit ALL>
    AllowAll
  </Limit>
</Anonymous>
""" + (f"""ModulePath {PROFTPD_MODULES}
LoadModule mod_tls.c
TLSEngine on
TLSRequired on
TLSProtocol {self.tls[2]}
TLSRSACertificateFile {self.tls[0]}
TLSRSACertificateKeyFile {self.tls[1]}
TLSLog {self._path("tls.log")}
""" if self.tls else ""))]


class Pyftpdlib(Server):
    name = "pyftpdlib"
    program = PYTHON
    user = password = "test"

    SCRIPT = """
import logging, sys
from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.handlers import FTPHandler
from pyftpdlib.servers import FTPServer

host, port, root, user, password, *bundle = sys.argv[1:]
logging.basicConfig(level=logging.WARNING)
Handler = FTPHandler
if bundle:
    from pyftpdlib.handlers import TLS_FTPHandler as Handler
    Handler.certfile = bundle[0]
    Handler.tls_control_required = Handler.tls_data_required = True
Handler.authorizer = DummyAuthorizer()
Handler.authorizer.add_user(user, password, root, perm="elradfmwMT")
FTPServer((host, int(port)), Handler).serve_forever()
"""

    def command(self):
        return ["setpriv", "--reuid", ACCOUNT, "--regid", account_group(), "--clear-groups", self.program, "-I", "-c",
                self.SCRIPT, self.host, str(self.port), self.root_dir, self.user, self.password] + (
                    [self._bundle()] if self.tls else [])


ALL = [Vsftpd, PureFtpd, ProFtpd, Pyftpdlib]
