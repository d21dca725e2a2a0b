#!/usr/bin/env python3
"""Archives that nobody should have to read: `hostile.py CASE FILE`. Nothing large is ever held, on disk or in memory.

`hostile.py run COMMAND...` gives the command's status, or 99 when it took too much time or memory; the bounds leave room for
sanitizers, and are far below what a reader without bounds would take.
"""

import gzip
import os
import resource
import subprocess
import sys
import tarfile

FLOWS = "cmp1/sos_commands/openvswitch/ovs-ofctl_dump-flows_br-int"
NAME = "cmp1/sos_commands/host/hostname"
TEXT = b" cookie=0x0, duration=1.0s, table=0, n_packets=0, n_bytes=0, priority=1 actions=NORMAL\n"
END = bytes(1024)


def header(name, size=0, kind=tarfile.REGTYPE, link=""):
    info = tarfile.TarInfo(name)
    info.size, info.type, info.linkname = size, kind, link
    return info.tobuf(tarfile.GNU_FORMAT, errors="surrogateescape")


def member(name, text=b"", **more):
    return header(name, len(text), **more) + text + bytes(-len(text) % 512)


GOOD = member(NAME, b"cmp1\n") + member(FLOWS, TEXT)


def zeros(write, size):
    block = bytes(1 << 20)
    for _ in range(size >> 20):
        write(block)


def ten_gigabytes(path, name):
    """Of zeros, as a hole in the file: there is no cheaper way to have so many."""
    size = 10 << 30
    with open(path, "wb") as file:
        file.write(GOOD + header(name, size))
        file.seek(size, os.SEEK_CUR)
        file.write(member("cmp1/sos_commands/openvswitch/ovs-ofctl_dump-flows_br-tun", TEXT) + END)


def bomb(path, name):
    """The first of ten gigabytes of zeros: making more would only cost time, since reading ends long before."""
    with gzip.open(path, "wb") as file:
        file.write(GOOD + header(name, 10 << 30))
        zeros(file.write, 320 << 20)


def million(path):
    with gzip.open(path, "wb", compresslevel=1) as file:
        file.write(GOOD)
        thousand = b"".join(header(f"cmp1/sys/{number}") for number in range(1000))
        for _ in range(1000):
            file.write(thousand)
        file.write(END)


def matryoshka(path):
    inner = GOOD + END
    for depth in range(8):
        inner = member(f"level{depth}.tar", inner) + END
    with open(path, "wb") as file:
        file.write(inner)


def twice(path):
    with gzip.open(path, "wb") as file:
        file.write(gzip.compress(GOOD + END))


def names(path):
    odd = "cmp1/sos_commands/openvswitch/"
    with open(path, "wb") as file:
        file.write(GOOD + member(odd + "ovs-ofctl_dump-flows_\x1b[31mred\r\n\x07", TEXT) + member("\x1b]0;title\x07/../x", TEXT) +
                   member(odd + "\udcff\udcfe", TEXT) + END)


def leading_out(path):
    with open(path, "wb") as file:
        for name in ("/tmp/dvrtrace-was-here", "../dvrtrace-was-here", "cmp1/../../dvrtrace-was-here"):
            file.write(member(name, TEXT))
        file.write(GOOD + END)


def links(path):
    folder = "cmp1/sos_commands/openvswitch/ovs-ofctl_dump-flows_"
    with open(path, "wb") as file:
        file.write(member(NAME, b"cmp1\n"))
        for bridge, kind, to in (("br-abs", tarfile.SYMTYPE, "/etc/passwd"), ("br-up", tarfile.SYMTYPE, "../" * 9 + "etc/passwd"),
                                 ("br-hard", tarfile.LNKTYPE, "/etc/passwd"), ("br-self", tarfile.SYMTYPE, "ovs-ofctl_dump-flows_br-self"),
                                 ("br-gone", tarfile.SYMTYPE, "nowhere"), ("br-good", tarfile.SYMTYPE, "ovs-ofctl_dump-flows_br-int"),
                                 ("br-other", tarfile.LNKTYPE, FLOWS)):
            file.write(header(folder + bridge, 0, kind, to))
        file.write(member(FLOWS, TEXT) + END)


def devices(path):
    folder = "cmp1/sos_commands/openvswitch/ovs-ofctl_dump-flows_"
    with open(path, "wb") as file:
        file.write(header(folder + "br-fifo", 0, tarfile.FIFOTYPE) + header(folder + "br-char", 0, tarfile.CHRTYPE) +
                   header(folder + "br-block", 0, tarfile.BLKTYPE) + GOOD + END)


def garbage(path):
    with open(path, "wb") as file:
        file.write(bytes(range(256)) * 64)


def liar(path):
    """A header that promises far more than the archive has."""
    with open(path, "wb") as file:
        file.write(member(NAME, b"cmp1\n") + header(FLOWS, 8 << 30) + TEXT)


def run(command):
    try:
        status = subprocess.run(command, timeout=180, check=False).returncode
    except subprocess.TimeoutExpired:
        return 99
    return 99 if resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss > 3 << 20 else status


CASES = {
    "zeros": lambda path: ten_gigabytes(path, "cmp1/var/log/big"),
    "zero-dump": lambda path: ten_gigabytes(path, "cmp1/sos_commands/openvswitch/ovs-ofctl_dump-flows_br-big"),
    "bomb": lambda path: bomb(path, "cmp1/var/log/big"),
    "bomb-dump": lambda path: bomb(path, "cmp1/sos_commands/openvswitch/ovs-ofctl_dump-flows_br-big"),
    "million": million, "matryoshka": matryoshka, "twice": twice, "names": names, "leading-out": leading_out, "links": links,
    "devices": devices, "garbage": garbage, "liar": liar,
}

if __name__ == "__main__":
    if sys.argv[1] == "run":
        sys.exit(run(sys.argv[2:]))
    sys.exit(CASES[sys.argv[1]](sys.argv[2]))
