#!/usr/bin/env python3
"""Writes a large capture of an underlay, VXLAN with pings and TCP of many flows in it: make_capture.py FILE [--megabytes 300]
[--flows 2000] [--from-capture FILE]

With --from-capture every packet is a copy of one of that capture's frames with another IP id: all of them are of its flow.
"""

import argparse
import random
import struct


def frames_of(path):
    with open(path, "rb") as file:
        data = file.read()
    at = 24
    while at + 16 <= len(data):
        kept = struct.unpack_from("<I", data, at + 8)[0]
        yield bytearray(data[at + 16 : at + 16 + kept])
        at += 16 + kept


def ip(protocol, source, destination, ident, body, ttl=63):
    return struct.pack(">BBHHHBBHII", 0x45, 0, 20 + len(body), ident, 0x4000, ttl, protocol, 0, source, destination) + body


def vxlan(vni, inner, port):
    body = struct.pack(">HHHHII", port, 4789, 16 + len(inner), 0, 0x08000000, vni << 8) + inner
    return b"\x02\0\0\0\0\x02\x02\0\0\0\0\x01\x08\0" + ip(17, 0xAC1F000B, 0xAC1F000C, 0, body, 64)


def other_flows(count, draw):
    for flow in range(count):
        source, destination = 0x0A640000 | draw.randrange(1, 65000), 0x0A650000 | draw.randrange(1, 65000)
        if flow % 3 == 0:
            inner = struct.pack(">BBHHH", 8, 0, 0, flow & 0xFFFF, 1) + bytes(56)
            protocol = 1
        elif flow % 3 == 1:
            inner = struct.pack(">HHIIBBHHH", 30000 + flow % 30000, 443, flow, 0, 0x50, 0x18, 512, 0, 0) + bytes(200)
            protocol = 6
        else:
            inner = struct.pack(">HHHH", 30000 + flow % 30000, 53, 88, 0) + bytes(80)
            protocol = 17
        frame = b"\xfa\x16\x3e" + struct.pack(">I", flow)[1:] + b"\xfa\x16\x3f\x01\x02\x03\x08\0" + ip(protocol, source, destination, flow & 0xFFFF, inner)
        yield bytearray(vxlan(70000 + flow % 50, frame, 32768 + flow % 28000))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file")
    parser.add_argument("--megabytes", type=int, default=300)
    parser.add_argument("--flows", type=int, default=2000)
    parser.add_argument("--from-capture")
    options = parser.parse_args()
    templates = list(frames_of(options.from_capture)) if options.from_capture else list(other_flows(options.flows, random.Random(1)))
    inner = 50 + 14 + 4  # of the IP id within VXLAN
    size = number = 0
    with open(options.file, "wb", buffering=1 << 20) as file:
        file.write(struct.pack("<IHHIIII", 0xA1B23C4D, 2, 4, 0, 0, 262144, 1))
        while size < options.megabytes << 20:
            frame = templates[number % len(templates)]
            frame[inner : inner + 2] = struct.pack(">H", number // len(templates) & 0xFFFF)
            if options.from_capture:  # and the sequence number of the ping: more packets than there are IP ids
                frame[inner + 22 : inner + 24] = struct.pack(">H", number >> 16 & 0xFFFF)
            time = 1_795_294_416_000_000_000 + number * 1000
            file.write(struct.pack("<IIII", time // 1_000_000_000, time % 1_000_000_000, len(frame), len(frame)))
            file.write(frame)
            size += 16 + len(frame)
            number += 1
    print(f"{number} packets, {size >> 20} MiB")


main()
