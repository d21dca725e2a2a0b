#include <fmt/compile.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <set>
#include <span>
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
    std::vector<Remote> remote;
    for (const WiredPort& port : plan_.ports) {
      if (port.filter != Filter::Filtered || port.dead) continue;
      for (GroupRule& rule : rules_of(plan_, plan_.logical_port(port))) {
        if (rule.remote.empty()) {
          write_rule(port, rule, {});
        } else if (is_.conjunctions) {
          remote.push_back({&port, std::move(rule)});
        } else {
          for (const Member& member : members_of(plan_, rule.remote, rule.address_group, rule.family))
            write_rule(port, rule, member.address);
        }
      }
    }
    number(remote);
    for (auto first = remote.begin(); first != remote.end();) {
      const auto next =
          std::find_if(first, remote.end(), [&](const Remote& other) { return other.port != first->port; });
      collect({first, next});
      first = next;
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

  struct Remote {  // a rule with a remote group, of a port
    const WiredPort* port;
    GroupRule rule;
  };
  struct Wanted {
    GroupRule rule;
    std::size_t of;  // of conjunctions_
  };

  // Conjunctions are numbered in their own order, which is that of their flows.
  void number(const std::vector<Remote>& rules) {
    for (const Remote& each : rules) conjunctions_.push_back(conjunction_of(each.rule));
    std::ranges::sort(conjunctions_);
    const auto same = std::ranges::unique(conjunctions_);
    conjunctions_.erase(same.begin(), same.end());
  }
  static Conjunction conjunction_of(const GroupRule& rule) {
    return {rule.group, rule.remote, rule.ingress, rule.family};
  }
  std::size_t number_of(const Conjunction& of) const {
    return static_cast<std::size_t>(std::ranges::lower_bound(conjunctions_, of) - conjunctions_.begin());
  }

  // `rules`: of one port.
  void collect(std::span<const Remote> rules) {
    const WiredPort& port = *rules.front().port;
    std::map<std::tuple<bool, Family, std::optional<std::uint8_t>>, std::vector<Wanted>> alike;
    for (const auto& [of_port, rule] : rules) {
      const std::size_t of = number_of(conjunction_of(rule));
      alike[{rule.ingress, rule.family, rule.protocol}].push_back({rule, of});
      const unsigned offset = offset_of(rule);
      auto& use = uses_[{plan_.vlan_of(port).value, of, offset}];
      use.ports.push_back(port.port);
      use.address_group = rule.address_group;
      accepted_.insert({&port, of, offset});
    }
    for (const auto& [what, wanted] : alike) {
      if (std::get<2>(what) && has_ports(*std::get<2>(what))) {
        collect_ranges(port, wanted);
      } else {
        for (const Wanted& one : wanted) collect_rule(port, one.rule, {&one.of, 1});
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
      std::vector<std::size_t> of;
      for (const Wanted& one : wanted) {
        if (first(one) <= *at && last(one) >= *next - 1) of.push_back(one.of);
      }
      if (of.empty()) continue;
      GroupRule rule = wanted.front().rule;
      const bool all = *at == kFirstPort && *next == kLastPort + 1;
      rule.min = all ? std::nullopt : std::optional(*at);
      rule.max = all ? std::nullopt : std::optional(*next - 1);
      collect_rule(port, rule, of);
    }
  }

  void collect_rule(const WiredPort& port, const GroupRule& rule, std::span<const std::size_t> all) {
    for (const bool fresh : {false, true}) {
      for (const std::string& end : port_ends(rule)) {
        Clause clause;
        clause.table = table_of(rule.ingress);
        clause.offset = offset_of(rule);
        clause.fresh = fresh;
        clause.dimension = 2;
        clause.match = fmt::format("ct_state={},{},reg5={:#x}{}", fresh ? kNew : kEstablished,
                                   protocol_match(rule.family, rule.protocol), port.ofport.value, end);
        clause.asks = asked_by(read_clause(clause.match));
        clause.concerns = {&port.port, 1};
        for (const std::size_t of : all) {
          clause.of = of;
          clauses_.push_back(clause);
        }
      }
    }
  }

  // What a member's address adds to a match: as text, and as it reads.
  struct Part {
    std::string text;
    openflow::FieldId field;
    openflow::Bits128 value, mask;
  };
  static Part part_of(const Member& member, bool ingress) {
    using openflow::FieldId;
    // An address that is any address tells nothing; the MAC stands for it.
    if (member.address.length() == 0)
      return {fmt::format(",{}={}", ingress ? "dl_src" : "dl_dst", to_string(member.mac)),
              ingress ? FieldId::EthSrc : FieldId::EthDst,
              {0, member.mac.value},
              openflow::ones128(48)};
    const Ip& ip = member.address.ip();
    const bool v6 = ip.v6();
    const unsigned bits = v6 ? 128 : 32, wild = bits - member.address.length();
    const FieldId field =
        v6 ? (ingress ? FieldId::Ipv6Src : FieldId::Ipv6Dst) : (ingress ? FieldId::IpSrc : FieldId::IpDst);
    return {fmt::format(",{}={}", address_field(ingress, ip.family), address_text(member.address)),
            field,
            {ip.high, ip.low},
            openflow::ones128(member.address.length()) << wild};
  }

  void collect_members() {
    openflow::Match match;  // one for all, for its memory
    for (auto& [key, use] : uses_) {
      const auto& [vlan, number, offset] = key;
      const Conjunction& of = conjunctions_[number];
      std::ranges::sort(use.ports);
      const auto same = std::ranges::unique(use.ports);
      use.ports.erase(same.begin(), same.end());
      std::vector<Part> parts;
      for (const Member& member : members_of(plan_, of.remote, use.address_group, of.family))
        parts.push_back(part_of(member, of.ingress));
      for (const bool fresh : {false, true}) {
        const std::string head = fmt::format("ct_state={},{},reg6={:#x}", fresh ? kNew : kEstablished,
                                             of.family == Family::V6 ? "ipv6" : "ip", vlan);
        const openflow::Match head_asks = read_clause(head);
        for (const Part& part : parts) {
          match = head_asks;
          match.add(part.field, part.value, part.mask);
          Clause& clause = clauses_.emplace_back();
          clause.table = table_of(of.ingress);
          clause.offset = offset;
          clause.fresh = fresh;
          clause.dimension = 1;
          clause.match.reserve(head.size() + part.text.size());
          clause.match.append(head).append(part.text);
          clause.asks = asked_by(match);
          clause.of = number;
          clause.concerns = use.ports;
        }
      }
    }
  }

  // One flow for all clauses with one match.
  void write_clauses() {
    if (clauses_.empty()) return;
    const ConjunctionIds ids(plan_, conjunctions_, clauses_);
    std::vector<const Clause*> order;
    for (const Clause& clause : clauses_) order.push_back(&clause);
    std::ranges::sort(order, {}, [](const Clause* clause) {
      return std::tuple<unsigned, unsigned, std::string_view, std::size_t>(clause->table, clause->offset,
                                                                           clause->match, clause->of);
    });
    for (auto first = order.begin(); first != order.end();) {
      const Clause& one = **first;
      const auto next = std::find_if(first, order.end(), [&](const Clause* other) {
        return other->match != one.match || other->offset != one.offset || other->table != one.table;
      });
      write_clause({first, next}, ids);
      first = next;
    }
    for (const auto& [port, of, offset] : accepted_) write_accepted(*port, of, offset, ids);
  }

  void write_clause(std::span<const Clause* const> clauses, const ConjunctionIds& ids) {
    const Clause& one = *clauses.front();
    parts_.clear();
    for (const Clause* each : clauses) parts_.push_back(ids.id(each->of, each->offset, each->fresh));
    std::ranges::sort(parts_);
    const auto same = std::ranges::unique(parts_);
    parts_.erase(same.begin(), same.end());
    actions_.clear();
    for (const std::uint32_t id : parts_)
      fmt::format_to(std::back_inserter(actions_), FMT_COMPILE("{}conjunction({},{}/2)"),
                     actions_.size() == 0 ? "" : ",", id, one.dimension);
    auto line = flows_.add(rule_id(one.table == 82), one.table, kBasePriority + one.offset, one.match,
                           {actions_.data(), actions_.size()});
    if (clauses.size() == 1) {
      line.concerns(one.concerns);
      return;
    }
    std::set<std::size_t> concerns;
    for (const Clause* each : clauses) concerns.insert(each->concerns.begin(), each->concerns.end());
    for (const std::size_t port : concerns) line.concerns(port);
  }

  void write_accepted(const WiredPort& port, std::size_t number, unsigned offset, const ConjunctionIds& ids) {
    const Conjunction& of = conjunctions_[number];
    for (const bool fresh : {false, true}) {
      const std::uint32_t id = ids.id(number, offset, fresh);
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
    std::vector<std::size_t> ports;  // of Model::ports; ascending once all are there
    bool address_group = false;
  };

  const Plan& plan_;
  const Practice& is_;
  const Judged& judged_;
  FlowWriter& flows_;
  std::set<std::tuple<unsigned, unsigned, std::string>> written_;
  std::vector<Conjunction> conjunctions_;  // ascending
  std::map<std::tuple<unsigned, std::size_t, unsigned>, Use>
      uses_;  // by local VLAN, conjunction and priority
  std::set<std::tuple<const WiredPort*, std::size_t, unsigned>> accepted_;
  std::vector<Clause> clauses_;
  std::vector<std::uint32_t> parts_;  // these two for their memory alone
  fmt::memory_buffer actions_;
};

}  // namespace

void write_group_rules(const Plan& plan, const Judged& judged, FlowWriter& flows) {
  RuleFlows(plan, judged, flows).write();
}

}  // namespace dvrtrace::reference
