#!/usr/bin/env python3
"""Longshore among strangers: other people's clients against our server, our client against other people's servers.

    .ci/strangers/setup                       installs them (root, Debian)
    .ci/strangers/run.py target/release       runs every case for every runtime that is built there

Each case moves files of 0, 1, 65535, 65536, 65537 bytes and of 1 GiB (LONGSHORE_BIG sets another size) and compares SHA-256.
Everything stays on the loopback device.
"""
import ftplib
import hashlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

import foreign

BIG = int(os.environ.get("LONGSHORE_BIG", 1 << 30))
SIZES = [0, 1, 65535, 65536, 65537]
passed = failed = 0


def check(name, case, *args):
    """Runs a case, and says how it went."""
    global passed, failed
    start = time.monotonic()
    try:
        case(*args)
        passed += 1
        print(f"ok    {name} ({time.monotonic() - start:.1f} s)", flush=True)
    except Exception as error:  # a case may fail in any way, and the others are to run
        failed += 1
        print(f"FAIL  {name}: {type(error).__name__}: {error}", flush=True)


def expect(truth, *what):
    if not truth:
        raise AssertionError(" ".join(str(w) for w in what))


def run(*command, code=0, cwd=None, text=None, env=None):
    """Runs a program to its end, and checks its exit code."""
    done = subprocess.run([str(c) for c in command], cwd=cwd, input=text, capture_output=True, timeout=300,
                          env={**os.environ, "HOME": "/nonexistent", "LC_ALL": "C.UTF-8", **(env or {})}, text=True,
                          errors="replace")
    expect(code is None or done.returncode == code, command, "ended with", done.returncode, done.stdout[-500:],
           done.stderr[-1500:])
    return done.stdout + done.stderr


def digest(path):
    with open(path, "rb") as f:
        return hashlib.file_digest(f, "sha256").hexdigest()


def same(one, other):
    expect(os.path.getsize(one) == os.path.getsize(other), one, os.path.getsize(one), other, os.path.getsize(other))
    expect(digest(one) == digest(other), one, "is not", other)


def fill(folder, big=True):
    """Files of all sizes; the names with their sizes."""
    for size in SIZES:
        with open(f"{folder}/f{size}", "wb") as f:
            f.write(os.urandom(size))
    if big:
        block = os.urandom(1 << 20)
        with open(f"{folder}/big", "wb") as f:
            for n in range(BIG >> 20):
                f.write(block[n % 4096:] + block[:n % 4096])
    return [f"f{size}" for size in SIZES] + ["big"] * big


def wait_until(what, happens, seconds=60):
    """Waits for something; a file that is not there yet is something that has not happened."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            if happens():
                return
        except OSError:
            pass
        time.sleep(0.001)
    raise AssertionError("waited in vain for " + what)


def folder():
    path = tempfile.mkdtemp(dir=WORK)
    os.chmod(path, 0o755)
    return path


def free_port(host="127.0.0.1"):
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as s:
        s.bind((host, 0))
        return s.getsockname()[1]


class Ours:
    """Our server, with a folder of its own."""

    def __init__(self, program, *options):
        self.root = folder()
        self.process = subprocess.Popen([program, "-q", "--root", self.root, "--listen", "127.0.0.1", "--listen", "::1",
                                         *options, "0"], stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline().split()[-1])

    def status(self, field):
        with open(f"/proc/{self.process.pid}/status") as f:
            return next(int(line.split()[1]) for line in f if line.startswith(field + ":"))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(15)
        shutil.rmtree(self.root)


# Other clients against our server

def with_curl(server):
    here, names = folder(), fill(server.root)
    for host in ("127.0.0.1", "[::1]"):
        url = f"ftp://{host}:{server.port}"
        for mode in ([], ["-P", "-"], ["--disable-epsv"] if host != "[::1]" else []):
            for name in names if not mode else names[:-1]:
                run("curl", "-sSf", *mode, f"{url}/{name}", "-o", f"{here}/{name}")
                same(f"{here}/{name}", f"{server.root}/{name}")
                run("curl", "-sSf", *mode, "-T", f"{here}/{name}", f"{url}/up-{name}")
                same(f"{here}/{name}", f"{server.root}/up-{name}")
        listing = run("curl", "-sSf", f"{url}/")
        expect("f65537" in listing and "up-f1" in listing, listing)
        expect("f65537" in run("curl", "-sSf", "-l", f"{url}/"))
        run("curl", "-sSf", f"{url}/nosuch", code=78)
        run("curl", "-sSf", "--ftp-create-dirs", "-T", f"{here}/f1", f"{url}/new/er/f1")
        same(f"{here}/f1", f"{server.root}/new/er/f1")
        run("curl", "-sSf", f"{url}/", "-Q", "RNFR new/er/f1", "-Q", "RNTO new/f2", "-Q", "DELE new/f2", "-Q", "RMD new/er", "-Q",
            "RMD new")
        expect(not os.path.exists(f"{server.root}/new"))
        # A resumed download and a resumed upload.
        with open(f"{server.root}/f65537", "rb") as f, open(f"{here}/part", "wb") as part:
            part.write(f.read(1000))
        run("curl", "-sSf", "-C", "-", f"{url}/f65537", "-o", f"{here}/part")
        same(f"{here}/part", f"{server.root}/f65537")
        with open(f"{server.root}/resumed", "wb") as f, open(f"{here}/f65537", "rb") as whole:
            f.write(whole.read(1000))
        run("curl", "-sSf", "-C", "-", "-T", f"{here}/f65537", f"{url}/resumed")
        same(f"{here}/f65537", f"{server.root}/resumed")
        out = run("curl", "-sSf", "-r", "10-19", f"{url}/f65537", "-o", f"{here}/range")
        with open(f"{server.root}/f65537", "rb") as f, open(f"{here}/range", "rb") as part:
            expect(f.read()[10:20] == part.read(), "range", out)


def with_lftp(server):
    tree, back = folder(), folder()
    os.makedirs(f"{tree}/a/b c/empty")
    names = fill(f"{tree}/a/b c")
    for host in ("127.0.0.1", "[::1]"):
        # Over IPv6 its EPRT names "::" instead of its own address, which no server takes.
        for passive in ("on", "off") if host != "[::1]" else ("on",):
            shutil.rmtree(back)
            url = f"ftp://{host}:{server.port}"
            settings = f"set net:max-retries 1; set net:timeout 20; set cmd:fail-exit yes; set ftp:passive-mode {passive}; "
            run("lftp", "-c", f"{settings} open {url}; mirror -R {tree}/a a; mirror a {back}; "
                f"mv 'a/b c/f1' 'a/b c/g1'; chmod 600 'a/b c/g1'; mkdir d; rmdir d; cd 'a/b c'; ls; nlist; cat g1 > /dev/null")
            for name in names:
                same(f"{tree}/a/b c/{name}", f"{back}/b c/{name}")
            expect(os.path.isdir(f"{back}/b c/empty"))
            whole = os.path.getmtime(f"{tree}/a/b c/f65535")
            expect(int(whole) == int(os.path.getmtime(f"{server.root}/a/b c/f65535")), "the date of an upload")
            with open(f"{back}/part", "wb") as part, open(f"{tree}/a/b c/big", "rb") as f:
                part.write(f.read(12345))
            run("lftp", "-c", f"{settings} open {url}; get -c 'a/b c/big' -o {back}/part; rm -r a")
            same(f"{back}/part", f"{tree}/a/b c/big")
            expect(not os.path.exists(f"{server.root}/a"))
            os.makedirs(back, exist_ok=True)


def with_ftplib(server):
    here, names, aborts = folder(), fill(server.root), []
    for host in ("127.0.0.1", "::1"):
        for passive in (True, False):
            f = ftplib.FTP()
            f.connect(host, server.port)
            f.login()
            f.set_pasv(passive)
            for name in names:
                with open(f"{here}/{name}", "wb") as out:
                    f.retrbinary("RETR " + name, out.write, 1 << 20)
                same(f"{here}/{name}", f"{server.root}/{name}")
                with open(f"{here}/{name}", "rb") as source:
                    f.storbinary("STOR up", source, 1 << 20)
                same(f"{here}/{name}", f"{server.root}/up")
            with open(f"{here}/tail", "wb") as out:
                f.retrbinary("RETR f65537", out.write, rest=65530)
            expect(os.path.getsize(f"{here}/tail") == 7)
            with open(f"{here}/f65537", "rb") as source:
                source.seek(60000)
                with open(f"{server.root}/up", "wb") as up, open(f"{here}/f65537", "rb") as whole:
                    up.write(whole.read(60000))
                f.storbinary("STOR up", source, rest=60000)
            same(f"{here}/f65537", f"{server.root}/up")
            expect(f.mkd("d") == "/d" and f.cwd("d").startswith("250") and f.pwd() == "/d")
            f.cwd("..")
            f.rename("up", "d/up")
            expect(f.size("d/up") == 65537)
            expect([n for n, facts in f.mlsd("d") if facts["type"] == "file"] == ["up"])
            expect(f.nlst("d") == ["d/up"], f.nlst("d"))
            lines = []
            f.retrlines("LIST d", lines.append)
            expect(len(lines) == 1 and lines[0].startswith("-rw"), lines)
            f.delete("d/up")
            f.rmd("d")
            # ABOR in the middle, as ftplib sends it: with an urgent line end.
            data = f.transfercmd("RETR big")
            data.recv(1000)
            start = time.monotonic()
            f.sock.sendall(b"ABOR\r\n", socket.MSG_OOB)
            expect(f.getmultiline().startswith("426"))
            aborts.append(time.monotonic() - start)
            expect(f.getmultiline().startswith("226"))
            data.close()
            f.voidcmd("NOOP")
            f.quit()
    # The best of them: the machine may be busy with other things at any one.
    print(f"      ABOR took {', '.join(f'{took * 1000:.1f}' for took in aborts)} ms")
    expect(min(aborts) < 0.1, aborts)


def with_wget(server):
    fill(server.root)
    os.makedirs(f"{server.root}/a/b")
    with open(f"{server.root}/a/b/f", "w") as f:
        f.write("deep\n")
    for options in ([], ["--no-passive-ftp"]):
        here = folder()
        run("wget", "-q", *options, f"ftp://127.0.0.1:{server.port}/big", cwd=here)
        same(f"{here}/big", f"{server.root}/big")
        run("wget", "-q", *options, "-r", "-nH", f"ftp://127.0.0.1:{server.port}/a/", cwd=here)
        same(f"{here}/a/b/f", f"{server.root}/a/b/f")
        os.truncate(f"{here}/big", 5000)
        run("wget", "-q", *options, "-c", f"ftp://127.0.0.1:{server.port}/big", cwd=here)
        same(f"{here}/big", f"{server.root}/big")


def with_tnftp(server):
    here = folder()
    # Its uploads of large files crawl on loopback, whatever the server.
    names = fill(server.root)
    for host in ("127.0.0.1", "::1"):
        for passive in ("passive on", "passive off"):
            gets = "".join(f"get {name}\n" for name in names)
            puts = "".join(f"put {name} up-{name}\n" for name in names[:-1])
            out = run("tnftp", "-n", "-v", host, server.port, cwd=here, text=
                      f"user anonymous x\nbinary\n{passive}\nprompt off\nls\n{gets}{puts}mkdir d\nrename up-f1 d/f1\nmget f6*\n"
                      "delete d/f1\nrmdir d\nreget f65537\nquit\n")
            for name in names:
                same(f"{here}/{name}", f"{server.root}/{name}")
            for name in names[:-1]:
                if name != "f1":
                    same(f"{here}/{name}", f"{server.root}/up-{name}")
            expect(not os.path.exists(f"{server.root}/d"), out[-2000:])


def killed_uploads(server, kill):
    """Other clients, killed in the middle of an upload, leave the old file."""
    here = folder()
    with open(f"{here}/huge", "wb") as f:
        f.truncate(1 << 36)
    for number in range(20):
        with open(f"{server.root}/huge", "w") as f:
            f.write("old")
        client = subprocess.Popen(kill(f"{here}/huge", server.port), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until("the upload to begin", lambda: any(
            n.endswith(".part") and os.path.getsize(f"{server.root}/{n}") for n in os.listdir(server.root)))
        time.sleep(0.002 * number)
        client.kill()
        client.wait()
        wait_until("the server to notice", lambda: not any(n.endswith(".part") for n in os.listdir(server.root)))
        with open(f"{server.root}/huge") as f:
            expect(f.read(4) == "old", "the old file is gone, at the try", number)


def killed_small_uploads(server):
    """The same with a client whose data comes slowly, killed after a little of it."""
    for number in range(20):
        with open(f"{server.root}/small", "w") as f:
            f.write("old")
        source, sink = os.pipe()
        client = subprocess.Popen(["curl", "-s", "-T", "-", f"ftp://127.0.0.1:{server.port}/small"], stdin=source,
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(source)
        os.write(sink, b"x" * 1000)
        wait_until("the first bytes", lambda: any(
            n.endswith(".part") and os.path.getsize(f"{server.root}/{n}") for n in os.listdir(server.root)))
        time.sleep(0.002 * number)
        client.kill()
        client.wait()
        os.close(sink)
        wait_until("the server to notice", lambda: not any(n.endswith(".part") for n in os.listdir(server.root)))
        with open(f"{server.root}/small") as f:
            expect(f.read() == "old", "the old file is gone, at the try", number)


def memory_and_system_calls(program):
    """1 GiB each way: the server's memory stays, and the kernel copies."""
    here = folder()
    with Ours(program) as server:
        fill(server.root)
        url = f"ftp://127.0.0.1:{server.port}"
        run("curl", "-sSf", f"{url}/f1", "-o", f"{here}/f1")
        before = server.status("VmHWM")
        run("curl", "-sSf", f"{url}/big", "-o", f"{here}/big")
        run("curl", "-sSf", "-T", f"{here}/big", f"{url}/up")
        grown = server.status("VmHWM") - before
        print(f"      memory grew by {grown} KiB over {BIG >> 20} MiB down and up")
        expect(grown < 1024, grown, "KiB")
        trace = f"{here}/trace"
        tracer = subprocess.Popen(["strace", "-f", "-e", "trace=sendfile,splice", "-o", trace, "-p", str(server.process.pid)],
                                  stderr=subprocess.PIPE)
        tracer.stderr.readline()
        run("curl", "-sSf", f"{url}/big", "-o", f"{here}/big")
        run("curl", "-sSf", "-T", f"{here}/big", f"{url}/up")
        tracer.send_signal(signal.SIGINT)
        tracer.wait()
        with open(trace) as f:
            text = f.read()
        expect("sendfile(" in text and "splice(" in text, text[:500])


# Our client against other servers

def our_client(client, server):
    root, here, back = server.root_dir, folder(), folder()
    names = fill(here)
    env = {"FTP_PASSWORD": server.password}

    def ours(where, commands, code=0, *options):
        return run(client, *options, "--user", server.user, server.host, server.port, cwd=where, text=commands, env=env, code=code)

    for mode in ("passive", "active"):
        ours(here, f"{mode}\n" + "".join(f"put {name}\n" for name in names))
        for name in names:
            same(f"{here}/{name}", f"{root}/{name}")
        ours(back, f"{mode}\n" + "".join(f"get {name}\n" for name in names))
        for name in names:
            same(f"{here}/{name}", f"{back}/{name}")
    # Over what is there, in parts, and behind it.
    ours(here, "put f65537 f1\nappend f1 f1\nput f1\n")
    same(f"{here}/f1", f"{root}/f1")
    with open(f"{here}/f65537", "rb") as f, open(f"{back}/.r.longshore-part", "wb") as part, open(f"{root}/r", "wb") as up:
        start = f.read(4321)
        part.write(start)
        up.write(start)
    server.own()
    ours(back, "reget f65537 r\n")
    same(f"{back}/r", f"{here}/f65537")
    ours(here, "reput f65537 r\n")
    same(f"{root}/r", f"{here}/f65537")
    out = ours(here, "mkdir d\ncd d\npwd\nput f65535 'two words'\nmv 'two words' w\nsize w\nmodtime w\nchmod 600 w\nls\nnls\ncd ..\n"
               "rm d/w\nrmdir d\nquote NOOP\nstatus\n")
    expect("/d\n" in out and "65535\n" in out, out)
    expect(not os.path.exists(f"{root}/d"))
    for name in names[:-1]:
        os.remove(f"{back}/{name}")
    ours(back, "mget f*\n")
    for name in names[:-1]:
        same(f"{root}/{name}", f"{back}/{name}")
    os.remove(f"{root}/f0")
    ours(here, "mput f*\n")
    same(f"{here}/f0", f"{root}/f0")
    # What is missing, on either side.
    out = ours(back, "get nosuch\nput nosuch\nfrobnicate\nsize f65536\n", 1)
    expect("get: nosuch: 550" in out and "put: nosuch: No such file or directory" in out and "65536\n" in out, out)
    expect(not os.path.exists(f"{back}/nosuch"))
    aborted(client, server, back, env)


def aborted(client, server, back, env):
    """Ctrl-C in the middle of a download: the command fails, the old file stays, the session goes on."""
    with open(f"{server.root_dir}/huge", "wb") as f:
        f.truncate(1 << 36)
    server.own()
    with open(f"{back}/huge", "w") as f:
        f.write("old")
    process = subprocess.Popen([client, "--user", server.user, server.host, str(server.port)], cwd=back, stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, **env})
    process.stdin.write("get huge\nsize huge\n")
    process.stdin.close()
    wait_until("the download to begin", lambda: os.path.getsize(f"{back}/.huge.longshore-part"))
    process.send_signal(signal.SIGINT)
    process.stdin = None
    out, err = process.communicate(timeout=60)
    expect(process.returncode == 1, "exit", process.returncode, out, err)
    expect("aborted" in err and str(1 << 36) in out, out, err)
    with open(f"{back}/huge") as f:
        expect(f.read(4) == "old")
    os.remove(f"{server.root_dir}/huge")
    os.remove(f"{back}/.huge.longshore-part")


def main(built):
    for runtime in ("std", "async-std", "smol"):
        ftpd, ftp = f"{built}/ftpd-{runtime}", f"{built}/ftp-{runtime}"
        if not os.path.exists(ftpd):
            continue
        for name, case in (("curl", with_curl), ("lftp", with_lftp), ("ftplib", with_ftplib), ("wget", with_wget),
                           ("tnftp", with_tnftp)):
            with Ours(ftpd) as server:
                check(f"{name} against ftpd-{runtime}", case, server)
        for name, kill in (("curl", lambda path, port: ["curl", "-s", "-T", path, f"ftp://127.0.0.1:{port}/"]),
                           ("lftp", lambda path, port: ["lftp", "-c", f"open ftp://127.0.0.1:{port}; put {path}"]),
                           (f"ftp-{runtime}", lambda path, port: [ftp, "127.0.0.1", str(port), "-c", f"put {path}"])):
            with Ours(ftpd) as server:
                check(f"{name} killed in the middle of uploads to ftpd-{runtime}", killed_uploads, server, kill)
        with Ours(ftpd) as server:
            check(f"curl killed in the middle of small uploads to ftpd-{runtime}", killed_small_uploads, server)
        check(f"memory and system calls of ftpd-{runtime}", memory_and_system_calls, ftpd)
        for kind in foreign.ALL:
            for host in ("127.0.0.1", "::1"):
                root = folder()
                with kind(root, folder(), free_port(host), host) as server:
                    check(f"ftp-{runtime} against {kind.name} over {host}", our_client, ftp, server)
                shutil.rmtree(root)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    WORK = tempfile.mkdtemp(prefix="longshore-strangers-")
    os.chmod(WORK, 0o755)
    try:
        sys.exit(main(os.path.abspath(sys.argv[1])))
    finally:
        shutil.rmtree(WORK, ignore_errors=True)
