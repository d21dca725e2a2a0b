#!/usr/bin/env python3
"""Tests pcap.py on frames written out by hand, and on the captures of fixtures/two-computes."""

import os
import struct
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import pcap  # noqa: E402

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
DST, SRC = bytes.fromhex("fa163e000002"), bytes.fromhex("fa163e000001")


def ip(protocol, body, src=b"\x0a\x00\x01\x05", dst=b"\x0a\x00\x02\x03", ttl=64):
    return struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(body), 77, 0x4000, ttl, protocol, 0, src, dst) + body


def ethernet(payload, vlan=None):
    tag = struct.pack(">HH", 0x8100, 0x2000 | vlan) if vlan is not None else b""
    return DST + SRC + tag + struct.pack(">H", 0x0800) + payload


ECHO = struct.pack(">BBHHH", 8, 0, 0, 5, 1) + b"payload"
SYN = struct.pack(">HHIIBBHHH", 1234, 80, 1000, 0, 5 << 4, 2, 0, 0, 0)


class Decode(unittest.TestCase):
    def test_vlan_tag_and_icmp(self):
        packet = pcap.decode(ethernet(ip(1, ECHO), vlan=101))
        self.assertEqual((packet["vlan"], packet["ttl"], packet["icmp_type"], packet["icmp_seq"]), (101, 64, 8, 1))
        self.assertEqual((packet["eth_src"], packet["ip_dst"]), ("fa:16:3e:00:00:01", "10.0.2.3"))
        self.assertIsNone(packet["encap"])

    def test_vxlan_gives_the_inside_and_keeps_the_outside(self):
        inside = ethernet(ip(6, SYN))
        vxlan = struct.pack(">HHHH", 4321, 4789, 16 + len(inside), 0) + bytes.fromhex("0800000000e5be00") + inside
        outside = ethernet(ip(17, vxlan, b"\xac\x1f\x00\x0b", b"\xac\x1f\x00\x0c"))
        packet = pcap.decode(outside)
        self.assertEqual(packet["encap"], {"type": "vxlan", "vni": 58814, "src": "172.31.0.11", "dst": "172.31.0.12"})
        self.assertEqual((packet["dport"], packet["flags"]), (80, 2))
        self.assertEqual(packet["identity"], pcap.decode(inside)["identity"])

    def test_identity_survives_routing_and_tells_packets_apart(self):
        here = pcap.decode(ethernet(ip(1, ECHO)))
        routed = pcap.decode(ethernet(ip(1, ECHO, src=b"\xac\x18\x04\xc9", ttl=62)))
        other = pcap.decode(ethernet(ip(1, ECHO[:-1] + b"X")))
        self.assertEqual(here["identity"], routed["identity"])
        self.assertNotEqual(here["identity"], other["identity"])

    def test_what_is_not_ipv4_or_cut_short_is_no_packet(self):
        for frame in (b"", DST, DST + SRC + b"\x08\x06" + bytes(28), ethernet(ip(1, ECHO))[:30]):
            self.assertIsNone(pcap.decode(frame))


class Files(unittest.TestCase):
    def read(self, data):
        with tempfile.NamedTemporaryFile() as file:
            file.write(data)
            file.flush()
            return list(pcap.frames(file.name))

    def test_both_byte_orders_and_both_resolutions(self):
        for order in "<>":
            for magic, scale in ((0xA1B2C3D4, 1000), (0xA1B23C4D, 1)):
                data = struct.pack(order + "IHHIIII", magic, 2, 4, 0, 0, 65535, 1)
                data += struct.pack(order + "IIII", 2, 5, 3, 3) + b"abc"
                self.assertEqual(self.read(data), [(2_000_000_000 + 5 * scale, b"abc")])
                self.assertEqual(self.read(data + struct.pack(order + "IIII", 3, 0, 9, 9) + b"cut"),
                                 [(2_000_000_000 + 5 * scale, b"abc")])

    def test_other_files_are_refused(self):
        with self.assertRaises(ValueError):
            self.read(b"\x0a\x0d\x0d\x0a" + bytes(40))

    def test_the_fixtures_tunnel_capture(self):
        folder = os.path.join(ROOT, "fixtures", "two-computes", "pcap", "04-diff-net-diff-host-icmp")
        packets = [pcap.decode(frame) for _, frame in pcap.frames(os.path.join(folder, "cmp1__root__eth1.pcap"))]
        requests = [p for p in packets if p and p.get("icmp_type") == 8]
        self.assertEqual(len(requests), 2)
        self.assertEqual({p["encap"]["vni"] for p in requests}, {58814})
        self.assertEqual({p["ttl"] for p in requests}, {63})


if __name__ == "__main__":
    unittest.main()
