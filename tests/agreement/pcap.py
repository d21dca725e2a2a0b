"""Reads classic pcap files: Ethernet, VLAN, IPv4, VXLAN, and on them ICMP, UDP and TCP. Standard library only.

A packet is a dict in the words of dvrtrace's JSON: eth_src, eth_dst, vlan, ip_src, ip_dst, ttl, proto, encap. `encap` is
the outside of a VXLAN packet, or None; everything else describes the inside. `identity` survives what a path does to a
packet (routing, NAT of addresses, encapsulation), so equal identities are sightings of one packet.
"""

import hashlib
import ipaddress
import struct

ETHERTYPE_VLAN = (0x8100, 0x88A8)
ETHERTYPE_IPV4 = 0x0800
ICMP, TCP, UDP = 1, 6, 17
VXLAN_PORT = 4789
# magic as it stands in the file, byte order, ticks of the second field per nanosecond
MAGICS = {
    b"\xa1\xb2\xc3\xd4": (">", 1000),
    b"\xd4\xc3\xb2\xa1": ("<", 1000),
    b"\xa1\xb2\x3c\x4d": (">", 1),
    b"\x4d\x3c\xb2\xa1": ("<", 1),
}


def frames(path):
    """The frames of a file as (nanoseconds, bytes). A frame cut off at the end of the file is left out."""
    with open(path, "rb") as file:
        data = file.read()
    if data[:4] not in MAGICS:
        raise ValueError(f"{path}: not a pcap file")
    order, scale = MAGICS[data[:4]]
    (link_type,) = struct.unpack_from(order + "I", data, 20)
    if link_type & 0xFFFF != 1:
        raise ValueError(f"{path}: link type {link_type & 0xFFFF}, expected Ethernet")
    at = 24
    while at + 16 <= len(data):
        seconds, fraction, kept, _ = struct.unpack_from(order + "IIII", data, at)
        at += 16
        if at + kept > len(data):
            return
        yield seconds * 1_000_000_000 + fraction * scale, data[at : at + kept]
        at += kept


def mac(raw):
    return ":".join(f"{byte:02x}" for byte in raw)


def ipv4(raw):
    return str(ipaddress.IPv4Address(raw))


def decode(frame, encap=None):
    """The packet of an Ethernet frame; None for anything that is not IPv4."""
    if len(frame) < 14:
        return None
    packet = {"eth_dst": mac(frame[0:6]), "eth_src": mac(frame[6:12]), "vlan": None, "encap": encap}
    (ethertype,) = struct.unpack_from(">H", frame, 12)
    at = 14
    while ethertype in ETHERTYPE_VLAN and len(frame) >= at + 4:
        tci, ethertype = struct.unpack_from(">HH", frame, at)
        if packet["vlan"] is None:
            packet["vlan"] = tci & 0x0FFF
        at += 4
    if ethertype != ETHERTYPE_IPV4 or len(frame) < at + 20 or frame[at] >> 4 != 4:
        return None
    header = (frame[at] & 0x0F) * 4
    (length,) = struct.unpack_from(">H", frame, at + 2)
    packet["ip_id"], fragment = struct.unpack_from(">HH", frame, at + 4)
    packet["ttl"], packet["proto"] = frame[at + 8], frame[at + 9]
    packet["ip_src"], packet["ip_dst"] = ipv4(frame[at + 12 : at + 16]), ipv4(frame[at + 16 : at + 20])
    body = frame[at + header : at + length]
    if fragment & 0x1FFF:
        packet["identity"] = (packet["proto"], packet["ip_id"], fragment & 0x1FFF, digest(body))
        return packet
    if packet["proto"] == UDP and len(body) >= 8:
        packet["sport"], packet["dport"] = struct.unpack_from(">HH", body, 0)
        if packet["dport"] == VXLAN_PORT and encap is None and len(body) >= 16 and body[8] & 0x08:
            outside = {
                "type": "vxlan",
                "vni": int.from_bytes(body[12:15], "big"),
                "src": packet["ip_src"],
                "dst": packet["ip_dst"],
            }
            return decode(body[16:], outside)
        packet["identity"] = (UDP, packet["ip_id"], digest(body[8:]))
    elif packet["proto"] == TCP and len(body) >= 20:
        packet["sport"], packet["dport"], packet["seq"], packet["ack"] = struct.unpack_from(">HHII", body, 0)
        packet["flags"] = body[13]
        packet["identity"] = (TCP, packet["ip_id"], packet["seq"], packet["ack"], packet["flags"], digest(body[20:]))
    elif packet["proto"] == ICMP and len(body) >= 8:
        packet["icmp_type"], packet["icmp_code"] = body[0], body[1]
        packet["icmp_id"], packet["icmp_seq"] = struct.unpack_from(">HH", body, 4)
        packet["identity"] = (ICMP, packet["ip_id"], body[0], body[1], packet["icmp_seq"], digest(body[8:]))
    else:
        packet["identity"] = (packet["proto"], packet["ip_id"], digest(body))
    return packet


def digest(data):
    return hashlib.sha256(data).hexdigest()[:16]
