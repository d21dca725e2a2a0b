#include <algorithm>
#include <map>
#include <tuple>

#include "tracer/reference/conjunctions.h"
#include "tracer/reference/group_rules.h"
#include "tracer/reference/ovs_firewall.h"

namespace dvrtrace::reference {

namespace {

constexpr unsigned kBasePriority = 70, kRulePriorities = 8;
constexpr int kFirstPort = 1, kLastPort = 65535;
constexpr std::string_view kEstablished = "+est-rel-rpl", kNew = "+new-est";

std::string address_text(const Prefix& prefix) {
  return prefix.host() ? to_string(prefix.ip()) : to_string(prefix);
}

// "tcp6", "icmp", "ip,nw_proto=47".
std::string protocol_match(Family family, std::optional<std::uint8_t> protocol) {
  const bool v6 = family == Family::V6;
  const std::string ip = v6 ? "ipv6" : "ip";
  if (!protocol) return ip;
  if (*protocol == kTcp) return v6 ? "tcp6" : "tcp";
  if (*protocol == kUdp) return v6 ? "udp6" : "udp";
  if (*protocol == kSctp) return v6 ? "sctp6" : "sctp";
  if (*protocol == kIcmp && !v6) return "icmp";
  if (*protocol == kIcmp6 && v6) return "icmp6";
  return fmt::format("{},nw_proto={}", ip, *protocol);
}

bool is_icmp(const GroupRule& rule) { return rule.protocol == kIcmp || rule.protocol == kIcmp6; }

// Where in its block of four priorities a rule stands: what tells more stands above.
unsigned specificity(const GroupRule& rule) {
  if (!rule.protocol) return 0;
  if (!is_icmp(rule) || (rule.min && rule.max)) return 3;
  return rule.min ? 2 : 1;
}

// The ends of a match that say ports, or type and code: one end per flow.
std::vector<std::string> port_ends(const GroupRule& rule) {
  if (!rule.protocol) return {""};
  if (is_icmp(rule)) {
    std::string end;
    if (rule.min) end += fmt::format(",icmp_type={}", *rule.min);
    if (rule.min && rule.max) end += fmt::format(",icmp_code={}", *rule.max);
    return {end};
  }
  if (!has_ports(*rule.protocol) || !rule.min) return {""};
  std::vector<std::string> ends;
  for (const std::string& mask : port_masks(*rule.min, rule.max.value_or(*rule.min)))
    ends.push_back(",tp_dst=" + mask);
  return ends;
}

std::string_view address_field(bool ingress, Family family) {
  if (family == Family::V6) return ingress ? "ipv6_src" : "ipv6_dst";
  return ingress ? "nw_src" : "nw_dst";
}

class RuleFlows {
 public:
  RuleFlows(const Plan& plan, const Judged& judged, FlowWriter& flows)
      : plan_(plan), is_(plan.practice), judged_(judged), flows_(flows) {}

  void write() {
    if (plan_.model().derived) return adopt();
    for (const WiredPort& port : plan_.ports) {
      if (port.filter != Filter::Filtered || port.dead) continue;
      std::vector<GroupRule> remote;
      for (const GroupRule& rule : rules_of(plan_, plan_.logical_port(port))) {
        if (rule.remote.empty()) {
          write_rule(port, rule, {});
        } else if (is_.conjunctions) {
          remote.push_back(rule);
        } else {
          for (const Member& member : members_of(plan_, rule.remote, rule.address_group, rule.family))
            write_rule(port, rule, member.address);
        }
      }
      collect(port, remote);
    }
    collect_members();
    write_clauses();
  }

 private:
  // Without Neutron's security groups whatever rules are found may be right.
  void adopt() {
    const BridgeDumps* dumps =
        plan_.found == nullptr ? nullptr : plan_.found->find_bridge(plan_.options.integration_bridge);
    if (dumps == nullptr) return;
    for (const openflow::FlowRow& row : dumps->flows.value.flows) {
      const openflow::Flow& flow = row.flow;
      const bool rule = flow.priority >= kBasePriority && flow.priority < kBasePriority + kRulePriorities;
      if (!rule || (flow.table.value != 72 && flow.table.value != 82)) continue;
      flows_
          .add(rule_id(flow.table.value == 82), flow.table.value, flow.priority, to_string(flow.match),
               to_string(flow.actions))
          .optional();
    }
  }

  static unsigned table_of(bool ingress) { return ingress ? 82 : 72; }
  static std::string_view rule_id(bool ingress) { return ingress ? "FW-70" : "FW-40"; }

  std::string actions(const WiredPort& port, bool ingress, bool fresh) const {
    if (!ingress) return "resubmit(,73)";
    if (!fresh) return judged_.deliver(port.ofport);
    return fmt::format("{},{}{}", judged_.commit, judged_.deliver(port.ofport),
                       judged_.logs_ingress ? ",resubmit(,92)" : "");
  }

  // Two groups may have the same rule; it is one flow then.
  void add_once(bool ingress, unsigned priority, const std::string& match, const std::string& actions,
                std::size_t port) {
    if (!written_.emplace(table_of(ingress), priority, match).second) return;
    flows_.add(rule_id(ingress), table_of(ingress), priority, match, actions).concerns(port);
  }

  void write_rule(const WiredPort& port, const GroupRule& rule, std::optional<Prefix> member) {
    const auto address = member && member->length() != 0 ? member : rule.remote_ip;
    const unsigned above = is_.rule_offsets ? (rule.remote.empty() ? 4 : 0) + specificity(rule) : 0;
    std::string middle =
        fmt::format("{},reg5={:#x}", protocol_match(rule.family, rule.protocol), port.ofport.value);
    if (address)
      middle += fmt::format(",{}={}", address_field(rule.ingress, rule.family), address_text(*address));
    for (const bool fresh : {false, true}) {
      for (const std::string& end : port_ends(rule)) {
        add_once(rule.ingress, kBasePriority + above,
                 fmt::format("ct_state={},{}{}", fresh ? kNew : kEstablished, middle, end),
                 actions(port, rule.ingress, fresh), port.port);
      }
    }
  }

  // --- remote groups ---

  struct Wanted {
    GroupRule rule;
    Conjunction of;
  };

  void collect(const WiredPort& port, const std::vector<GroupRule>& rules) {
    std::map<std::tuple<bool, Family, std::optional<std::uint8_t>>, std::vector<Wanted>> alike;
    for (const GroupRule& rule : rules) {
      const Conjunction of{rule.group, rule.remote, rule.ingress, rule.family};
      alike[{rule.ingress, rule.family, rule.protocol}].push_back({rule, of});
      const unsigned offset = offset_of(rule);
      auto& use = uses_[{plan_.vlan_of(port).value, of, offset}];
      use.ports.insert(port.port);
      use.address_group = rule.address_group;
      accepted_[{&port, of}].insert(offset);
    }
    for (const auto& [what, wanted] : alike) {
      if (std::get<2>(what) && has_ports(*std::get<2>(what))) {
        collect_ranges(port, wanted);
      } else {
        for (const Wanted& one : wanted) collect_rule(port, one.rule, {one.of});
      }
    }
  }

  unsigned offset_of(const GroupRule& rule) const { return is_.rule_offsets ? specificity(rule) : 0; }

  // Ranges of several rules that overlap are cut at each other's ends, so that a port lies in one flow, of all its conjunctions.
  void collect_ranges(const WiredPort& port, const std::vector<Wanted>& wanted) {
    std::set<int> ends;
    const auto first = [](const Wanted& one) { return one.rule.min.value_or(kFirstPort); };
    const auto last = [](const Wanted& one) {
      return one.rule.min ? one.rule.max.value_or(*one.rule.min) : kLastPort;
    };
    for (const Wanted& one : wanted) {
      ends.insert(first(one));
      ends.insert(last(one) + 1);
    }
    for (auto at = ends.begin(); at != ends.end(); ++at) {
      const auto next = std::next(at);
      if (next == ends.end()) break;
      std::set<Conjunction> of;
      for (const Wanted& one : wanted) {
        if (first(one) <= *at && last(one) >= *next - 1) of.insert(one.of);
      }
      if (of.empty()) continue;
      GroupRule rule = wanted.front().rule;
      const bool all = *at == kFirstPort && *next == kLastPort + 1;
      rule.min = all ? std::nullopt : std::optional(*at);
      rule.max = all ? std::nullopt : std::optional(*next - 1);
      collect_rule(port, rule, of);
    }
  }

  void collect_rule(const WiredPort& port, const GroupRule& rule, const std::set<Conjunction>& of) {
    for (const bool fresh : {false, true}) {
      for (const std::string& end : port_ends(rule)) {
        add_clause(rule.ingress, offset_of(rule), fresh, 2,
                   fmt::format("ct_state={},{},reg5={:#x}{}", fresh ? kNew : kEstablished,
                               protocol_match(rule.family, rule.protocol), port.ofport.value, end),
                   of, {port.port});
      }
    }
  }

  void collect_members() {
    for (const auto& [key, use] : uses_) {
      const auto& [vlan, of, offset] = key;
      for (const Member& member : members_of(plan_, of.remote, use.address_group, of.family)) {
        std::string address =
            fmt::format(",{}={}", address_field(of.ingress, of.family), address_text(member.address));
        // An address that is any address tells nothing; the MAC stands for it.
        if (member.address.length() == 0)
          address = fmt::format(",{}={}", of.ingress ? "dl_src" : "dl_dst", to_string(member.mac));
        for (const bool fresh : {false, true}) {
          add_clause(of.ingress, offset, fresh, 1,
                     fmt::format("ct_state={},{},reg6={:#x}{}", fresh ? kNew : kEstablished,
                                 of.family == Family::V6 ? "ipv6" : "ip", vlan, address),
                     {of}, use.ports);
        }
      }
    }
  }

  void add_clause(bool ingress, unsigned offset, bool fresh, unsigned dimension, const std::string& match,
                  const std::set<Conjunction>& of, const std::set<std::size_t>& concerns) {
    Clause& clause = clauses_[{table_of(ingress), offset, match}];
    clause.table = table_of(ingress);
    clause.offset = offset;
    clause.fresh = fresh;
    clause.dimension = dimension;
    clause.match = match;
    clause.of.insert(of.begin(), of.end());
    clause.concerns.insert(concerns.begin(), concerns.end());
  }

  void write_clauses() {
    if (clauses_.empty()) return;
    std::vector<Clause> clauses;
    for (const auto& [key, clause] : clauses_) clauses.push_back(clause);
    const ConjunctionIds ids(plan_, clauses);
    for (const Clause& clause : clauses) {
      std::set<std::uint32_t> parts;
      for (const Conjunction& of : clause.of) parts.insert(ids.id(of, clause.offset, clause.fresh));
      std::string actions;
      for (const std::uint32_t id : parts)
        actions += fmt::format("{}conjunction({},{}/2)", actions.empty() ? "" : ",", id, clause.dimension);
      auto line = flows_.add(rule_id(clause.table == 82), clause.table, kBasePriority + clause.offset,
                             clause.match, actions);
      for (const std::size_t port : clause.concerns) line.concerns(port);
    }
    for (const auto& [key, offsets] : accepted_) {
      for (const unsigned offset : offsets) write_accepted(*key.first, key.second, offset, ids);
    }
  }

  void write_accepted(const WiredPort& port, const Conjunction& of, unsigned offset,
                      const ConjunctionIds& ids) {
    for (const bool fresh : {false, true}) {
      const std::uint32_t id = ids.id(of, offset, fresh);
      const std::string match =
          fmt::format("conj_id={},ct_state={},{},reg5={:#x}", id, fresh ? kNew : kEstablished,
                      of.family == Family::V6 ? "ipv6" : "ip", port.ofport.value);
      const std::string noted =
          is_.firewall >= FirewallGeneration::Accepted ? fmt::format("load:{:#x}->NXM_NX_REG7[],", id) : "";
      add_once(of.ingress, kBasePriority + offset, match, noted + actions(port, of.ingress, fresh),
               port.port);
    }
  }

  struct Use {
    std::set<std::size_t> ports;
    bool address_group = false;
  };

  const Plan& plan_;
  const Practice& is_;
  const Judged& judged_;
  FlowWriter& flows_;
  std::set<std::tuple<unsigned, unsigned, std::string>> written_;
  std::map<std::tuple<unsigned, Conjunction, unsigned>, Use> uses_;  // by local VLAN and priority
  std::map<std::pair<const WiredPort*, Conjunction>, std::set<unsigned>> accepted_;
  std::map<std::tuple<unsigned, unsigned, std::string>, Clause> clauses_;
};

}  // namespace

void write_group_rules(const Plan& plan, const Judged& judged, FlowWriter& flows) {
  RuleFlows(plan, judged, flows).write();
}

}  // namespace dvrtrace::reference
