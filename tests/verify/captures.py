"""Captures as values, to be damaged: reads classic pcap, writes pcap and pcapng. Standard library only."""

import os
import random
import struct

FORMATS = {b"\xa1\xb2\xc3\xd4": (">", 1000), b"\xd4\xc3\xb2\xa1": ("<", 1000), b"\xa1\xb2\x3c\x4d": (">", 1), b"\x4d\x3c\xb2\xa1": ("<", 1)}


def read(path):
    """[(nanoseconds, length on the wire, bytes)]"""
    with open(path, "rb") as file:
        data = file.read()
    order, scale = FORMATS[data[:4]]
    frames, at = [], 24
    while at + 16 <= len(data):
        seconds, fraction, kept, length = struct.unpack_from(order + "IIII", data, at)
        frames.append((seconds * 1_000_000_000 + fraction * scale, length, data[at + 16 : at + 16 + kept]))
        at += 16 + kept
    return frames


def pcap(frames, link_type=1, order="<", nanoseconds=True, snap=262144):
    out = struct.pack(order + "IHHIIII", 0xA1B23C4D if nanoseconds else 0xA1B2C3D4, 2, 4, 0, 0, snap, link_type)
    for time, length, data in frames:
        fraction = time % 1_000_000_000 // (1 if nanoseconds else 1000)
        out += struct.pack(order + "IIII", time // 1_000_000_000, fraction, len(data), length) + data
    return out


def _block(kind, body, order):
    body += bytes(-len(body) % 4)
    return struct.pack(order + "II", kind, len(body) + 12) + body + struct.pack(order + "I", len(body) + 12)


def _option(code, value, order):
    return struct.pack(order + "HH", code, len(value)) + value + bytes(-len(value) % 4)


def pcapng(interfaces, order="<"):
    """`interfaces`: [(name, link type, snap length, frames)]; frames of all of them in the order of time."""
    out = _block(0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1), order)
    records = []
    for index, (name, link_type, snap, frames) in enumerate(interfaces):
        options = _option(2, name.encode(), order) + _option(9, b"\x09", order) + _option(0, b"", order)
        out += _block(1, struct.pack(order + "HHI", link_type, 0, snap) + options, order)
        records += [(frame[0], index, frame) for frame in frames]
    for time, index, (_, length, data) in sorted(records, key=lambda record: record[:2]):
        out += _block(6, struct.pack(order + "IIIII", index, time >> 32, time & 0xFFFFFFFF, len(data), length) + data, order)
    return out


def folder(path):
    """{"host__netns__device": frames}"""
    return {name[:-5]: read(os.path.join(path, name)) for name in sorted(os.listdir(path)) if name.endswith(".pcap")}


# --- damage: each takes and gives such a dict ----------------------------------------------------------------

def cut_frames(captures, point, size):
    return {name: [(t, n, d[:size]) if point in name else (t, n, d) for t, n, d in frames] for name, frames in captures.items()}


def shift(captures, host, seconds):
    return {name: [(t + int(seconds * 1e9) if name.startswith(host) else t, n, d) for t, n, d in frames] for name, frames in captures.items()}


def drop(captures, point):
    return {name: frames for name, frames in captures.items() if point not in name}


def empty(captures, point):
    return {name: [] if point in name else frames for name, frames in captures.items()}


def thin(captures, seed):
    draw = random.Random(seed)
    return {name: [frame for frame in frames if draw.random() < 0.5] for name, frames in captures.items()}


def double(captures):
    return {name: [copy for frame in frames for copy in (frame, (frame[0] + 1000, *frame[1:]))] for name, frames in captures.items()}


def garble(captures, seed):
    """Besides the frames that are there: their beginnings alone, copies whose IP version, lengths or fragment offset are wrong, and junk."""
    draw = random.Random(seed)
    out = {}
    for name, frames in captures.items():
        more = list(frames)
        for time, _, data in frames:
            for end in (draw.randrange(len(data) - 1), draw.randrange(20, 50)):
                more.append((time + 1, len(data[:end]), data[:end]))
            for at, values in ((14, (0x00, 0x41, 0x4F, 0x65, 0xFF)), (16, (0xFF, 0x7F)), (12, (0x12, 0xFE)), (20, (0x1F, 0x0F))):
                broken = bytearray(data)
                broken[at] = draw.choice(values)
                more.append((time + 2, len(broken), bytes(broken)))
            junk = bytes(draw.randrange(256) for _ in range(draw.randrange(120)))
            more.append((time + 3, len(junk), junk))
        out[name] = more
    return out


def other_tenant(captures, seed=7):
    """The same packets once more as another tenant would send them: other MACs, other VNI, and other IP ids and ICMP ids."""
    draw = random.Random(seed)
    macs, ids = {}, {}

    def mac(raw):
        return raw if raw[0] & 1 else macs.setdefault(raw, b"\xfa\x16\x3e" + bytes(draw.randrange(256) for _ in range(3)))

    def changed(frame):
        frame = bytearray(frame)
        if frame[12:14] != b"\x08\x00":
            return None
        frame[0:6], frame[6:12] = mac(bytes(frame[0:6])), mac(bytes(frame[6:12]))
        at = 14 + (frame[14] & 15) * 4
        if frame[23] == 17 and frame[at + 2 : at + 4] == b"\x12\xb5":
            inside = changed(frame[at + 16 :])
            if inside is None:
                return None
            frame[at + 12 : at + 15] = (int.from_bytes(frame[at + 12 : at + 15], "big") ^ 0x1234).to_bytes(3, "big")
            frame[at + 16 :] = inside
            return frame
        key = bytes(frame[18:20])
        frame[18:20] = ids.setdefault(key, struct.pack(">H", draw.randrange(65536)))
        if frame[23] == 1:
            frame[at + 4 : at + 6] = b"\x7a\x7a"
        return frame

    out = {}
    for name, frames in captures.items():
        copies = [(time + 3_000_000, length, changed(data)) for time, length, data in frames]
        # Of the other tenant only what shared devices carry, and its own taps, whose names are of no matter here.
        out[name] = sorted(frames + [(t, n, bytes(d)) for t, n, d in copies if d is not None and "eth1" in name])
        if "__tap" in name:
            out[name[:-2] + "zz"] = [(t, n, bytes(d)) for t, n, d in copies if d is not None]
    return out
