#!/usr/bin/env python3
"""Makes Neutron's objects of a cloud of any size, from which `dvrtrace reference` makes its dumps.

usage: make_cloud.py HOSTS PORTS-PER-HOST FOLDER
       dvrtrace reference --neutron FOLDER --release zed --to FOLDER/hosts

Every tenant has one router and two networks; its ports are spread over as many hosts as it has. The last host is the network node.
"""
import json
import os
import sys
import uuid

PORTS_PER_NETWORK = 20


def identity(kind, number):
    return str(uuid.uuid5(uuid.NAMESPACE_OID, f"{kind}-{number}"))


def mac(prefix, number):
    return f"{prefix}:{number >> 16 & 255:02x}:{number >> 8 & 255:02x}:{number & 255:02x}"


def main(hosts, per_host, folder):
    networks, subnets, ports, routers, groups = [], [], [], [], []
    agents, macs = [], []
    names = [f"cmp{i:04}" for i in range(hosts)] + ["net0000"]
    for i, name in enumerate(names):
        number = i + 1  # two hosts with one address would be a fault
        vtep = f"172.{16 + (number >> 16)}.{number >> 8 & 255}.{number & 255}"
        macs.append({"host": name, "mac_address": mac("fa:16:3f", i + 1)})
        agents.append({"id": identity("ovs", i), "agent_type": "Open vSwitch agent", "binary": "neutron-openvswitch-agent", "host": name,
                       "alive": True, "admin_state_up": True,
                       "configurations": {"tunnel_types": ["vxlan"], "tunneling_ip": vtep, "l2_population": True,
                                          "arp_responder_enabled": True, "enable_distributed_routing": True, "bridge_mappings": {}}})
        agents.append({"id": identity("l3", i), "agent_type": "L3 agent", "binary": "neutron-l3-agent", "host": name, "alive": True,
                       "admin_state_up": True, "configurations": {"agent_mode": "dvr_snat" if name == "net0000" else "dvr"}})
    total = hosts * per_host
    number = 0

    def port(network, subnet, address, owner, device, host, group=None, security=True):
        nonlocal number
        number += 1
        ports.append({"id": identity("port", number), "name": "", "network_id": network, "mac_address": mac("fa:16:3e", number),
                      "fixed_ips": [{"subnet_id": subnet, "ip_address": address}], "device_owner": owner, "device_id": device,
                      "binding:host_id": host, "binding:vif_type": "ovs", "binding:vnic_type": "normal", "status": "ACTIVE",
                      "admin_state_up": True, "port_security_enabled": security, "security_groups": [group] if group else [],
                      "allowed_address_pairs": []})

    for tenant in range((total + 2 * PORTS_PER_NETWORK - 1) // (2 * PORTS_PER_NETWORK)):
        router, group = identity("router", tenant), identity("group", tenant)
        routers.append({"id": router, "name": f"r{tenant}", "distributed": True, "ha": False, "external_gateway_info": None, "routes": []})
        rules = [{"id": identity("rule", f"{tenant}-{n}"), "security_group_id": group, "direction": d, "ethertype": "IPv4", "protocol": p,
                  "port_range_min": low, "port_range_max": low, "remote_ip_prefix": None, "remote_group_id": remote}
                 for n, (d, p, low, remote) in enumerate([("egress", None, None, None), ("ingress", "tcp", 22, None),
                                                          ("ingress", "icmp", None, None), ("ingress", None, None, group)])]
        groups.append({"id": group, "name": f"sg{tenant}", "stateful": True, "security_group_rules": rules})
        for side in range(2):
            n = 2 * tenant + side
            network, subnet, prefix = identity("network", n), identity("subnet", n), f"10.{n >> 8 & 255}.{n & 255}"
            networks.append({"id": network, "name": f"n{n}", "provider:network_type": "vxlan", "provider:segmentation_id": 1000 + n,
                             "provider:physical_network": None, "mtu": 1450, "router:external": False})
            subnets.append({"id": subnet, "name": f"s{n}", "network_id": network, "cidr": f"{prefix}.0/24", "gateway_ip": f"{prefix}.1",
                            "ip_version": 4, "enable_dhcp": False, "host_routes": []})
            port(network, subnet, f"{prefix}.1", "network:router_interface_distributed", router, "", security=False)
            for k in range(PORTS_PER_NETWORK):
                index = n * PORTS_PER_NETWORK + k
                if index < total:
                    port(network, subnet, f"{prefix}.{k + 10}", "compute:nova", identity("vm", index), names[(index * 7 + k) % hosts], group)
    os.makedirs(folder, exist_ok=True)
    for name, rows in (("networks", networks), ("subnets", subnets), ("ports", ports), ("routers", routers),
                       ("security_groups", groups), ("agents", agents), ("floatingips", [])):
        with open(os.path.join(folder, name.replace("_", "-") + ".json"), "w", encoding="utf-8") as file:
            json.dump({name: rows}, file)
    with open(os.path.join(folder, "db-dvr_host_macs.json"), "w", encoding="utf-8") as file:
        json.dump(macs, file)


if len(sys.argv) != 4:
    sys.exit(__doc__)
main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
