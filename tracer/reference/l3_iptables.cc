// iptables of the L3 agent's namespaces (neutron/agent/l3/router_info.py, dvr_*.py and metadata/driver.py).
#include <fmt/format.h>

#include <array>

#include "tracer/reference/namespaces.h"
#include "tracer/reference/netns_writer.h"

namespace dvrtrace::reference {

namespace {

constexpr std::string_view kScopeMask = "0xffff0000";
constexpr std::string_view kRestore =
    "-m connmark ! --mark 0x0/0xffff0000 -j CONNMARK --restore-mark --nfmask 0xffff0000 --ctmask 0xffff0000";
constexpr std::string_view kSave =
    "-m connmark --mark 0x0/0xffff0000 -j CONNMARK --save-mark --nfmask 0xffff0000 --ctmask 0xffff0000";

using Ports = std::vector<std::size_t>;

Ports ports_of(const RouterFloatingIp& floating) { return floating.port ? Ports{*floating.port} : Ports(); }

// What the tables of one family have in a router's two namespaces alike.
class RouterTables {
 public:
  RouterTables(const L3Plan& l3, const L3Router& router, Family family)
      : l3_(l3), router_(router), tables_(family, l3.prefix), v4_(family == Family::V4) {}

 protected:
  bool scopes() const { return l3_.practice.scopes != Does::No; }
  bool has_nat() const { return v4_ || l3_.practice.metadata6 != Does::No; }
  std::string_view mark_mask() const { return l3_.practice.masks16 == Does::No ? "0xffffffff" : "0xffff"; }

  void add_skeletons() {
    for (const std::string_view table : {"raw", "mangle", "filter"}) tables_.add_skeleton(table);
    if (has_nat()) tables_.add_skeleton("nat", !v4_ && l3_.practice.metadata6 == Does::Maybe);
  }

  // mangle: the marks of a connection are given back before and kept after the scope chains look at them.
  void add_scope_chains() {
    if (!scopes()) return;
    tables_.jump("NS-SCOPE", "mangle", "PREROUTING", "scope");
    tables_.add("NS-SCOPE", "mangle", "PREROUTING", "{}", kRestore);
    tables_.add_chain("mangle", "scope");
    tables_.jump("NS-SCOPE", "filter", "FORWARD", "scope");
    tables_.add_chain("filter", "scope");
    if (!v4_) return;
    tables_.jump("NS-SCOPE", "mangle", "PREROUTING", "floatingip");
    tables_.add_chain("mangle", "floatingip");
    tables_.add("NS-SCOPE", "mangle", "float-snat", "{}", kSave);
  }

  // What comes by the device bears its scope's mark, and what leaves by it must.
  void add_scope(std::string_view rule, std::string_view device, const Ports& ports, bool drops = true) {
    if (!scopes()) return;
    const std::uint32_t mark = router_.mark_of(device);
    tables_.add(rule, "mangle", "scope", "-i {} -j MARK --set-xmark {:#x}/{}", device, mark, kScopeMask)
        .concerns(ports);
    if (!drops) return;
    tables_.add(rule, "filter", "scope", "-o {} -m mark ! --mark {:#x}/{} -j DROP", device, mark, kScopeMask)
        .concerns(ports);
  }

  Family family() const { return v4_ ? Family::V4 : Family::V6; }

  const L3Plan& l3_;
  const L3Router& router_;
  IptablesWriter tables_;
  const bool v4_;
};

class QrouterTables : RouterTables {
 public:
  QrouterTables(const L3Plan& l3, const L3Router& router, Family family) : RouterTables(l3, router, family) {}

  void add(NetnsWriter& netns) {
    add_skeletons();
    add_scope_chains();
    add_metadata();
    for (const RouterPort& port : router_.interfaces) {
      if (port.has(family())) add_scope("QR-SCOPE", port.device, port.behind);
    }
    if (router_.link && (v4_ || router_.gateway->has(Family::V6)))
      add_scope("QR-RFP-SCOPE", router_.link->rfp, floating_ports());
    if (v4_) add_floating_ips();
    netns.iptables(tables_);
  }

 private:
  Ports floating_ports() const {
    Ports ports;
    for (const RouterFloatingIp& floating : router_.local) {
      if (floating.port) ports.push_back(*floating.port);
    }
    return ports;
  }

  // To the proxy in the namespace, which answers no one else.
  void add_metadata() {
    if (!l3_.plan->options.metadata_proxy || (!v4_ && l3_.practice.metadata6 == Does::No)) return;
    const bool maybe = !v4_ && l3_.practice.metadata6 == Does::Maybe;
    const std::string_view to = v4_ ? "169.254.169.254/32" : "fe80::a9fe:a9fe/128";
    const L3Numbers& numbers = l3_.numbers;
    const std::string_view in = l3_.practice.metadata_qr_only == Does::No ? "" : "-i qr-+ ";
    tables_
        .add("QR-METADATA", "nat", "PREROUTING", "-d {} {}-p tcp -m tcp --dport 80 -j REDIRECT --to-ports {}",
             to, in, numbers.metadata_port)
        .optional(maybe);
    if (l3_.practice.metadata_marks != Does::No) {
      tables_
          .add("QR-METADATA-MARK", "mangle", "PREROUTING",
               "-d {} {}-p tcp -m tcp --dport 80 -j MARK --set-xmark {:#x}/{}", to, in, numbers.metadata_mark,
               mark_mask())
          .optional(maybe);
      tables_
          .add("QR-METADATA-INPUT", "filter", "INPUT", "-m mark --mark {:#x}/{} -j ACCEPT",
               numbers.metadata_mark, mark_mask())
          .optional(maybe);
      tables_
          .add("QR-METADATA-INPUT", "filter", "INPUT", "-p tcp -m tcp --dport {} -j DROP",
               numbers.metadata_port)
          .optional(maybe);
    }
    if (v4_ && l3_.practice.metadata_checksums != Does::No) {
      tables_
          .add("QR-METADATA-CHECKSUM", "mangle", "POSTROUTING",
               "-o qr-+ -p tcp -m tcp --sport {} -j CHECKSUM --checksum-fill", numbers.metadata_port)
          .optional();
    }
  }

  // Also those that live elsewhere make the agent prepare for translation.
  void add_floating_ips() {
    if (!router_.link || (router_.local.empty() && router_.central.empty())) {
      tables_.remove("nat", "snat", "float-snat");
      return;
    }
    const RouterLink& link = *router_.link;
    add_accept(link);
    for (const RouterFloatingIp& floating : router_.local) {
      const Ports ports = ports_of(floating);
      const std::string floating_ip = to_string(floating.floating), fixed = to_string(floating.fixed);
      const bool by_device = l3_.practice.dnat_by_device != Does::No;
      tables_
          .add("QR-FIP-DNAT", "nat", "PREROUTING", "-d {}/32 {}-j DNAT --to-destination {}", floating_ip,
               by_device ? "-i " + link.rfp + " " : "", fixed)
          .concerns(ports);
      if (l3_.practice.dnat_by_device != Does::Yes) {
        tables_
            .add("QR-FIP-DNAT", "nat", "OUTPUT", "-d {}/32 -j DNAT --to-destination {}", floating_ip, fixed)
            .optional(by_device)
            .concerns(ports);
      }
      tables_.add("QR-FIP-SNAT", "nat", "float-snat", "-s {}/32 -j SNAT --to-source {}", fixed, floating_ip)
          .concerns(ports);
      add_scope_of(floating, link, ports);
    }
  }

  // What is neither translated already nor leaves for the outside is not translated.
  void add_accept(const RouterLink& link) {
    const auto text = [&](bool by_output) {
      return fmt::format("{}! -o {} -m conntrack ! --ctstate DNAT -j ACCEPT",
                         by_output ? "" : fmt::format("! -i {} ", link.rfp), link.rfp);
    };
    const std::string chain = tables_.wrapped("POSTROUTING");
    const Does by_output = l3_.practice.accept_by_output;
    if (by_output != Does::Maybe) {
      tables_.add_text("QR-FIP-ACCEPT", "nat", chain, text(by_output == Does::Yes))
          .concerns(floating_ports());
      return;
    }
    const std::uint32_t either = tables_.new_either();
    tables_.add_text("QR-FIP-ACCEPT", "nat", chain, text(true)).either(either);
    tables_.add_text("QR-FIP-ACCEPT", "nat", chain, text(false)).either(either);
  }

  // A fixed address of another scope than the outside's is let out and in by marks.
  void add_scope_of(const RouterFloatingIp& floating, const RouterLink& link, const Ports& ports) {
    if (!scopes()) return;
    const std::uint32_t outside = router_.mark_of(link.rfp);
    for (const RouterPort& port : router_.interfaces) {
      const bool is_in = std::ranges::any_of(port.addresses, [&](const PortAddress& address) {
        return address.subnet->cidr.contains(floating.fixed);
      });
      const std::uint32_t inside = router_.mark_of(port.device);
      if (!is_in || inside == outside) continue;
      tables_
          .add("QR-FIP-SCOPE", "mangle", "floatingip", "-d {}/32 -i {} -j MARK --set-xmark {:#x}/{}",
               to_string(floating.floating), link.rfp, inside, kScopeMask)
          .concerns(ports);
      tables_
          .add("QR-FIP-SCOPE", "mangle", "FORWARD", "-s {}/32 -j {}", to_string(floating.fixed),
               tables_.wrapped("float-snat"))
          .concerns(ports);
      add_outside_marks(outside, link);
    }
  }

  void add_outside_marks(std::uint32_t outside, const RouterLink& link) {
    if (outside_marked_) return;
    outside_marked_ = true;
    const auto add = [&](std::string_view device) {
      tables_.add("QR-FIP-SCOPE", "mangle", "float-snat", "-o {} -j MARK --set-xmark {:#x}/{}", device,
                  outside, kScopeMask);
    };
    add(link.rfp);
    for (const RouterPort& port : router_.interfaces) {
      if (router_.mark_of(port.device) == outside) add(port.device);
    }
  }

  bool outside_marked_ = false;
};

class SnatTables : RouterTables {
 public:
  SnatTables(const L3Plan& l3, const L3Router& router, Family family) : RouterTables(l3, router, family) {}

  void add(NetnsWriter& netns) {
    add_skeletons();
    add_scope_chains();
    for (const RouterPort& port : router_.snat_ports) {
      if (port.has(family())) add_scope("SNAT-SCOPE", port.device, port.behind);
    }
    // The gateway drops what comes from other scopes only where nothing is translated.
    if (router_.gateway && router_.gateway->has(family()))
      add_scope("SNAT-SCOPE", router_.gateway->device, {}, !v4_ || !router_.snat);
    if (v4_ && router_.gateway) add_translation(*router_.gateway);
    netns.iptables(tables_);
  }

 private:
  static std::optional<Ip> first_v4(const RouterPort& gateway) {
    for (const PortAddress& address : gateway.addresses) {
      if (address.ip.v4()) return address.ip;
    }
    return std::nullopt;
  }

  void add_translation(const RouterPort& gateway) {
    const std::optional<Ip> ip = first_v4(gateway);
    if (!ip) return;
    const std::string source = to_string(*ip), device = gateway.device, snat = tables_.wrapped("snat");
    const std::string ingress = fmt::format("{:#x}/{}", l3_.numbers.ingress_mark, mark_mask());
    if (l3_.practice.float_snat_in_snat != Does::Yes) tables_.remove("nat", "snat", "float-snat");
    if (l3_.practice.float_snat_in_snat == Does::Maybe)
      tables_.add("SNAT-FIP", "nat", "snat", "-j {}", tables_.wrapped("float-snat")).optional();
    if (l3_.practice.metadata_marks != Does::No)
      tables_.add("SNAT-INGRESS-MARK", "mangle", "mark", "-i {} -j MARK --set-xmark {}", device, ingress);
    add_floating_ips();
    if (router_.snat && scopes())
      tables_.add("SNAT-SAVE-MARK", "mangle", "POSTROUTING", "-o {} {}", device, kSave);
    tables_.add("SNAT-ACCEPT", "nat", "POSTROUTING", "! -o {} -m conntrack ! --ctstate DNAT -j ACCEPT",
                device);
    if (router_.snat && l3_.practice.snat_by_subnet == Does::Yes) {
      for (const RouterPort& port : router_.snat_ports) {
        for (const PortAddress& address : port.addresses) {
          if (address.ip.v4())
            tables_.add("SNAT-SOURCE", "nat", "snat", "-s {} -j SNAT --to-source {}",
                        to_string(address.subnet->cidr), source);
        }
      }
      return;
    }
    const std::uint32_t scope = router_.mark_of(device);
    if (router_.snat && scopes() && scope != kNoScope)
      tables_.add("SNAT-SCOPE-ACCEPT", "nat", "snat", "-o {} -m connmark --mark {:#x}/{} -j ACCEPT", device,
                  scope, kScopeMask);
    if (router_.snat)
      tables_.add("SNAT-SOURCE", "nat", "snat", "-o {} -j SNAT --to-source {}", device, source);
    tables_.add("SNAT-HAIRPIN", "nat", "snat",
                "-m mark ! --mark {} -m conntrack --ctstate DNAT -j SNAT --to-source {}", ingress, source);
  }

  void add_floating_ips() {
    for (const RouterFloatingIp& floating : router_.central) {
      const Ports ports = ports_of(floating);
      const std::string floating_ip = to_string(floating.floating), fixed = to_string(floating.fixed);
      for (const std::string_view chain : {"PREROUTING", "OUTPUT"}) {
        tables_.add("SNAT-FIP-DNAT", "nat", chain, "-d {}/32 -j DNAT --to-destination {}", floating_ip, fixed)
            .concerns(ports);
      }
      tables_.add("SNAT-FIP-SNAT", "nat", "float-snat", "-s {}/32 -j SNAT --to-source {}", fixed, floating_ip)
          .concerns(ports);
    }
  }

  static constexpr std::uint32_t kNoScope = 1024u << 16;
};

}  // namespace

void add_router_iptables(const L3Plan& l3, const L3Router& router, NetnsWriter& netns) {
  for (const Family family : {Family::V4, Family::V6}) QrouterTables(l3, router, family).add(netns);
}

void add_snat_iptables(const L3Plan& l3, const L3Router& router, NetnsWriter& netns) {
  for (const Family family : {Family::V4, Family::V6}) SnatTables(l3, router, family).add(netns);
}

void add_fip_iptables(const L3Plan& l3, NetnsWriter& netns) {
  IptablesWriter v4(Family::V4, l3.prefix), v6(Family::V6, l3.prefix);
  for (const std::string_view table : {"raw", "mangle", "nat", "filter"}) v4.add_skeleton(table);
  for (const std::string_view table : {"raw", "mangle", "filter"}) v6.add_skeleton(table);
  if (l3.practice.metadata6 != Does::No) v6.add_skeleton("nat", l3.practice.metadata6 == Does::Maybe);
  v4.add("FIP-NOTRACK", "raw", "PREROUTING", "-j CT --notrack");
  netns.iptables(v4);
  netns.iptables(v6);
}

}  // namespace dvrtrace::reference
