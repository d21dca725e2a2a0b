// L3Practice: what the L3 agent of a release does, as facts.
//
// Where the release was not given but guessed from the flows, only its series is known: what came within the series may be
// there or not (Maybe), and is expected by neither its presence nor its absence.
#pragma once

#include "tracer/reference/release.h"

namespace dvrtrace::reference {

enum class Does { No, Maybe, Yes };

struct L3Practice {
  Does link_with_gateway = Does::Yes;     // rfp and fpr as soon as the router has a gateway, not with the first floating IP
  Does wide_pool = Does::Yes;             // link-local pairs of 169.254.64.0/18, not 169.254.30.0/23
  Does table_per_router = Does::Yes;      // in the fip namespace: "iif fpr- lookup n", not a default in main
  Does floating_on_rfp = Does::No;        // every local floating IP is an address of rfp-
  Does pair_neighbours = Does::Yes;       // of allowed address pairs
  Does keeps_neighbours = Does::Yes;      // told of new ports; without, only those at the start are entered
  Does rfp_default6 = Does::Yes;          // IPv6 default in main by rfp-
  Does onlink_subnets = Does::Yes;        // routes to further subnets of the external network
  Does fast_exit = Does::Yes;
  Does central_floating = Does::Yes;      // floating IPs of unbound ports and of hosts without an external network
  Does central_rules = Does::No;          // rules for those too, after a restart
  Does arp_sysctls = Does::Yes;
  Does liberal_tcp = Does::No, proxy_delay = Does::No;
  Does fip_nonlocal_bind = Does::Yes;
  Does strict_tcp = Does::Yes;            // nf_conntrack_tcp_loose=0 where SNAT is
  Does snat_nonlocal_bind = Does::No;
  Does no_ha_link_locals = Does::Yes;     // addr_gen_mode=1 in qrouter where the router is HA
  // --- iptables ---
  Does scopes = Does::Yes;                // chains of address scopes
  Does masks16 = Does::Yes;               // marks of 16 bits, not 32
  Does metadata_marks = Does::Yes;
  Does metadata6 = Does::Yes;             // with the nat table of IPv6
  Does dnat_by_device = Does::Yes;        // DNAT with -i rfp-, and none in OUTPUT
  Does accept_by_output = Does::Yes;      // POSTROUTING ! -o, not ! -i ! -o
  Does float_snat_in_snat = Does::Yes;
  Does metadata_checksums = Does::No;
  Does snat_by_subnet = Does::No;         // Juno
  Does metadata_qr_only = Does::Yes;      // -i qr-+
  Does trusted_hybrid = Does::Yes;        // ACCEPT of trusted ports, by the hybrid firewall
  Does provider_rules = Does::Yes;        // DHCP replies by destination
  Does zone_per_port = Does::Yes;
  Does hybrid_nat_accept = Does::No;
};

L3Practice l3_practice_of(Release release, bool guessed);

}  // namespace dvrtrace::reference
