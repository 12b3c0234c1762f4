#!/usr/bin/env python3
"""Longshore among strangers, over TLS: other people's clients against our server, our client against other people's servers.

    .ci/strangers/setup                       installs them (root, Debian)
    .ci/strangers/tls.py target/release       runs every case for every runtime that is built there

Every case is run with TLS 1.2 and 1.3, and compares SHA-256.
"""
import ftplib
import os
import shutil
import ssl
import sys
import tempfile

import foreign
import run as base
from run import Ours, check, expect, fill, folder, free_port, run, same

FILES = 20


def certificate():
    """As most people make theirs, in a folder that every account can read."""
    path = folder()
    chain, key = f"{path}/chain.pem", f"{path}/key.pem"
    run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost", "-addext",
        "subjectAltName=DNS:localhost,IP:127.0.0.1,IP:::1", "-keyout", key, "-out", chain)
    os.chmod(key, 0o644)
    return chain, key


def many(where):
    """Files of all kinds of sizes."""
    sizes = [0, 1, 1000, 16383, 16384, 16385, 65535, 65536, 65537, 1 << 20, 3000001] + [4096 * n for n in range(FILES - 11)]
    for number, size in enumerate(sizes):
        with open(f"{where}/n{number}", "wb") as f:
            f.write(os.urandom(size))
    return [f"n{number}" for number in range(FILES)]


# Other clients against our server

def with_curl(server, implicit, version, chain):
    here, names = folder(), fill(server.root)
    scheme, options = ("ftps", []) if implicit else ("ftp", ["--ssl-reqd"])
    options += ["--cacert", chain, "--tls-max", version, "--tlsv" + version]
    url = f"{scheme}://localhost:{server.port}"
    # In active mode curl 7.88 forgets to do TLS, with any server (mended in 8.0).
    for name in names:
        run("curl", "-sSf", *options, f"{url}/{name}", "-o", f"{here}/{name}")
        same(f"{here}/{name}", f"{server.root}/{name}")
        run("curl", "-sSf", *options, "-T", f"{here}/{name}", f"{url}/up-{name}")
        same(f"{here}/{name}", f"{server.root}/up-{name}")
    expect("f65537" in run("curl", "-sSf", *options, f"{url}/"))
    run("curl", "-sSf", *options, f"{url}/nosuch", code=78)


def with_curl_in_one_session(server, implicit, version, chain):
    """All files in one session, as `--tls-resume require` needs it: what resumes is what the login and each download brought."""
    here, back = folder(), folder()
    names = many(here)
    options = ["--ssl-reqd", "--cacert", chain, "--tls-max", version, "--tlsv" + version]
    url = f"ftp://localhost:{server.port}"
    # OpenSSL uses no ticket of TLS 1.3 twice, curl keeps but one, and an upload brings none: a session each for these.
    for group in [names] if version == "1.2" else [[name] for name in names]:
        run("curl", "-sSf", *options, "-T", "{" + ",".join(f"{here}/{name}" for name in group) + "}", f"{url}/")
    run("curl", "-sSf", *options, *[part for name in names for part in (f"{url}/{name}", "-o", f"{back}/{name}")])
    for name in names:
        same(f"{here}/{name}", f"{server.root}/{name}")
        same(f"{here}/{name}", f"{back}/{name}")


def with_lftp(server, implicit, version, chain):
    tree, back = folder(), folder()
    os.makedirs(f"{tree}/a/b c/empty")
    names = fill(f"{tree}/a/b c")
    scheme = "ftps" if implicit else "ftp"
    others = {"1.2": ":-VERS-ALL:+VERS-TLS1.2", "1.3": ":-VERS-ALL:+VERS-TLS1.3"}[version]
    for passive in ("on", "off"):
        shutil.rmtree(back)
        settings = (f"set net:max-retries 1; set net:timeout 20; set cmd:fail-exit yes; set ftp:passive-mode {passive}; "
                    f"set ftp:ssl-force true; set ftp:ssl-allow-anonymous true; set ftp:ssl-protect-data true; set ssl:ca-file {chain}; "
                    f"set ssl:priority NORMAL{others}; ")
        run("lftp", "-c", f"{settings} open {scheme}://localhost:{server.port}; mirror -R {tree}/a a; mirror a {back}; "
            f"cd 'a/b c'; ls; nlist; cat f1 > /dev/null; cd /; rm -r a")
        for name in names:
            same(f"{tree}/a/b c/{name}", f"{back}/b c/{name}")
        expect(not os.path.exists(f"{server.root}/a"))


class Resuming(ftplib.FTP_TLS):
    """ftplib resumes no session by itself."""

    def ntransfercmd(self, cmd, rest=None):
        connection, size = ftplib.FTP.ntransfercmd(self, cmd, rest)
        connection = self.context.wrap_socket(connection, server_hostname=self.host, session=self.sock.session)
        return connection, size


class Implicit:
    """Nor does it do implicit TLS."""

    @property
    def sock(self):
        return self._sock

    @sock.setter
    def sock(self, value):
        if value is not None and not isinstance(value, ssl.SSLSocket):
            value = self.context.wrap_socket(value, server_hostname=self.host)
        self._sock = value

    _sock = None


def with_ftplib(server, implicit, version, chain, kind=ftplib.FTP_TLS):
    here, names = folder(), fill(server.root)
    context = ssl.create_default_context(cafile=chain)
    context.minimum_version = context.maximum_version = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}[version]
    if implicit:
        kind = type("ImplicitFtp", (Implicit, kind), {})
    for passive in (True, False):
        f = kind(context=context)
        f.connect("localhost", server.port)
        f.login()
        f.prot_p()
        f.set_pasv(passive)
        for name in names:
            with open(f"{here}/{name}", "wb") as out:
                f.retrbinary("RETR " + name, out.write, 1 << 20)
            same(f"{here}/{name}", f"{server.root}/{name}")
            with open(f"{here}/{name}", "rb") as source:
                f.storbinary("STOR up", source, 1 << 20)
            same(f"{here}/{name}", f"{server.root}/up")
        expect("up" in f.nlst())
        f.voidcmd("TYPE I")
        expect(f.size("up") == os.path.getsize(f"{here}/{names[-1]}"))
        f.quit()


# Our client against other servers

def our_client(client, server, version, chain):
    here, back = folder(), folder()
    names = many(here)
    env = {"FTP_PASSWORD": server.password}

    def ours(where, commands, code=0):
        return run(client, "--tls", "explicit", "--cacert", chain, "--user", server.user, server.host, server.port, cwd=where,
                   text=commands, env=env, code=code)

    for mode in ("passive", "active"):
        out = ours(here, f"{mode}\n" + "".join(f"put {name}\n" for name in names) + "status\n")
        for name in names:
            same(f"{here}/{name}", f"{server.root_dir}/{name}")
        expect(f"over TLS {version}" in out and "Data connections: " + mode in out, out)
        out = ours(back, f"{mode}\n" + "".join(f"get {name}\n" for name in names) + "ls\nstatus\n")
        for name in names:
            same(f"{here}/{name}", f"{back}/{name}")
        expect(f"over TLS {version}" in out, out)
        # Pure-FTPd resumes nothing in TLS 1.3; vsftpd and ProFTPD insist on it.
        expect("the resumed TLS session" in out or server.name not in ("vsftpd", "proftpd"), out)
    for name in names:
        os.remove(f"{back}/{name}")
    ours(back, "mget n*\n")
    for name in names:
        same(f"{here}/{name}", f"{back}/{name}")
        os.remove(f"{server.root_dir}/{name}")
    ours(here, "mput n*\nget nosuch\nrm n0\n", 1)
    for name in names[1:]:
        same(f"{here}/{name}", f"{server.root_dir}/{name}")


def main(built):
    chain, key = certificate()
    for runtime in ("std", "async-std", "smol"):
        ftpd, ftp = f"{built}/ftpd-{runtime}", f"{built}/ftp-{runtime}"
        if not os.path.exists(ftpd):
            continue
        for mode in ("optional", "required", "implicit"):
            for version in ("1.2", "1.3"):
                for name, case in (("curl", with_curl), ("lftp", with_lftp), ("ftplib", with_ftplib)):
                    with Ours(ftpd, "--tls-cert", chain, "--tls-key", key, "--tls", mode, "--anonymous", "write") as server:
                        check(f"{name} against ftpd-{runtime}, TLS {version} {mode}", case, server, mode == "implicit", version,
                              chain)
        for version in ("1.2", "1.3"):
            insisting = ("--tls-cert", chain, "--tls-key", key, "--tls", "required", "--tls-resume", "require", "--anonymous", "write")
            with Ours(ftpd, *insisting) as server:
                check(f"ftplib that resumes against ftpd-{runtime} that insists on it, TLS {version}", with_ftplib, server, False,
                      version, chain, Resuming)
            with Ours(ftpd, *insisting) as server:
                check(f"curl against ftpd-{runtime} that insists on resumption, TLS {version}", with_curl_in_one_session, server,
                      False, version, chain)
            with Ours(ftpd, *insisting) as server:
                check(f"lftp against ftpd-{runtime} that insists on resumption, TLS {version}", with_lftp, server, False, version, chain)
        for kind in foreign.ALL:
            for version in ("1.2", "1.3"):
                root = folder()
                tls = (chain, key, "TLSv" + version)
                with kind(root, folder(), free_port(), tls=tls) as server:
                    check(f"ftp-{runtime} against {kind.name}, TLS {version}", our_client, ftp, server, version, chain)
                shutil.rmtree(root)
    print(f"{base.passed} passed, {base.failed} failed")
    return 1 if base.failed or not base.passed else 0


if __name__ == "__main__":
    base.WORK = tempfile.mkdtemp(prefix="longshore-strangers-")
    os.chmod(base.WORK, 0o755)
    try:
        sys.exit(main(os.path.abspath(sys.argv[1])))
    finally:
        shutil.rmtree(base.WORK, ignore_errors=True)
