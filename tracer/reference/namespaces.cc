#include "tracer/reference/namespaces.h"

#include "tracer/reference/netns_writer.h"

namespace dvrtrace::reference {

void add_linux(const Plan& plan, Host& host) {
  const L3Plan l3 = make_l3_plan(plan);
  const std::size_t first = host.dumps.size();
  for (const L3Router& router : l3.routers) {
    if (router.planned->here) add_router_namespace(l3, router, host);
    if (router.planned->central) add_snat_namespace(l3, router, host);
  }
  add_fip_namespaces(l3, host);
  add_dhcp_namespaces(plan, host);
  Writer names("sos_commands/networking/ip_netns", {});
  std::string_view last;
  for (std::size_t i = first; i < host.dumps.size(); ++i) {
    if (host.dumps[i].netns == last) continue;
    last = host.dumps[i].netns;
    names.header(host.dumps[i].netns);
  }
  // A router that is not distributed: that it is there is all that is expected of it.
  for (const PlannedRouter& router : plan.routers) {
    if (router.distributed) continue;
    const std::string& id = plan.model().routers[router.router].id;
    names.header("qrouter-" + id);
    host.caveats.push_back(
        {"legacy-router", "router " + id + " is not distributed: its namespace is not compared"});
  }
  host.dumps.push_back(names.take());
  add_hybrid_firewall(plan, host);
}

void add_common_sysctls(const L3Practice& practice, NetnsWriter& netns) {
  netns.sysctl("NS-FORWARD", "net.ipv4.ip_forward", "1");
  netns.sysctl("NS-PROMOTE", "net.ipv4.conf.all.promote_secondaries", "1");
  if (practice.arp_sysctls == Does::Yes) {
    netns.sysctl("NS-ARP", "net.ipv4.conf.all.arp_ignore", "1");
    netns.sysctl("NS-ARP", "net.ipv4.conf.all.arp_announce", "2");
  }
  if (practice.liberal_tcp == Does::Yes)
    netns.sysctl("NS-LIBERAL-TCP", "net.netfilter.nf_conntrack_tcp_be_liberal", "1");
}

void add_forwarding6(const Plan& plan, std::string_view value, NetnsWriter& netns) {
  const NamespaceSnapshot* root = plan.found == nullptr ? nullptr : plan.found->find_namespace("");
  if (root != nullptr) {
    const auto off = root->sysctls.value.find("net.ipv6.conf.default.disable_ipv6");
    if (off != root->sysctls.value.end() && off->second.value == "1") return;
  }
  netns.sysctl("NS-FORWARD6", "net.ipv6.conf.all.forwarding", value);
}

}  // namespace dvrtrace::reference
