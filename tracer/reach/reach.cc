#include "tracer/reach/reach.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <optional>
#include <set>
#include <unordered_map>

#include "src/base/all_cores.h"
#include "tracer/reach/classes.h"

namespace dvrtrace::reach {
namespace {

constexpr std::string_view kMetadataAddress = "169.254.169.254";
constexpr std::string_view kEveryone = "255.255.255.255";
constexpr std::size_t kNone = static_cast<std::size_t>(-1);

// A class of VMs, or what lies beyond them: what questions are asked from and to.
struct Unit {
  ReachKind kind = ReachKind::Vms;
  std::size_t of = 0;                // Vms, FloatingIps: of the classes
  std::vector<std::size_t> members;  // ports; empty for what is there once
  std::size_t size() const { return members.empty() ? 1 : members.size(); }
};

struct Outcome {
  Verdict verdict = Verdict::Unknown;
  Reason reason = Reason::HiddenState;
  bool asked = false;
  auto operator<=>(const Outcome&) const = default;
};

// "A" to "Z", "AA", ...
std::string letters(std::size_t number) {
  std::string text;
  for (++number; number != 0; number = (number - 1) / 26)
    text.insert(text.begin(), static_cast<char>('A' + (number - 1) % 26));
  return text;
}

class Reaching {
 public:
  Reaching(const Network& network, const Asker& asker, const ReachOptions& options, Diagnostics& diagnostics)
      : network_(network),
        asker_(asker),
        ports_(asker.ports()),
        options_(options),
        diagnostics_(diagnostics) {}

  Result<Reach> run(std::span<const Expectation> expectations) {
    find_units();
    const std::uint64_t questions = std::uint64_t{tables()} * senders_.size() * receivers_.size();
    if (questions > options_.most) {
      return failure(fmt::format("{} classes of VMs are {} questions, and more than {} are not asked at once",
                                 classes_, questions, options_.most));
    }
    ask_all();
    group();
    fill_ends();
    fill_tables();
    for (const Expectation& expectation : expectations) hold(expectation);
    reach_.expected = expectations.size();
    return std::move(reach_);
  }

 private:
  // --- who there is --------------------------------------------------------------------------------------

  void find_units() {
    std::unordered_map<std::string_view, const logical::SecurityGroup*> groups;
    for (const logical::SecurityGroup& group : network_.logical().security_groups)
      groups.emplace(group.id, &group);
    for (const logical::Port& port : network_.logical().ports) {
      std::vector<std::string>& names = groups_of_[port.id];
      for (const std::string& id : port.security_groups) {
        const auto group = groups.find(id);
        names.push_back(group == groups.end() || group->second->name.empty() ? id : group->second->name);
      }
      std::ranges::sort(names);
    }
    for (std::size_t i = 0; i < ports_.all().size(); ++i) {
      if (ports_.at(i).vm) ++titles_[ports_.at(i).title()];
    }
    for (const FloatingAddress& floating : ports_.floating()) {
      if (!floating.port_id.empty()) floating_[floating.port_id] = floating.ip;
    }
    for (std::vector<std::size_t>& members : few_are_asked() ? each_alone(ports_) : classes_of(network_, ports_))
      units_.push_back({ReachKind::Vms, units_.size(), std::move(members)});
    classes_ = units_.size();
    for (std::size_t i = 0; i < classes_; ++i) {
      std::vector<std::size_t> with;
      std::ranges::copy_if(units_[i].members, std::back_inserter(with),
                           [&](std::size_t port) { return floating_.contains(ports_.at(port).id); });
      if (!with.empty()) units_.push_back({ReachKind::FloatingIps, i, std::move(with)});
    }
    units_.push_back({ReachKind::Outside, 0, {}});
    if (options_.services) {
      units_.push_back({ReachKind::Metadata, 0, {}});
      units_.push_back({ReachKind::Dhcp, 0, {}});
    }
    row_.assign(units_.size(), kNone);
    column_.assign(units_.size(), kNone);
    for (std::size_t unit = 0; unit < units_.size(); ++unit) {
      const bool sends = units_[unit].kind == ReachKind::Vms || units_[unit].kind == ReachKind::Outside;
      if (sends && wanted(units_[unit], options_.from)) {
        row_[unit] = senders_.size();
        senders_.push_back(unit);
      }
      if (wanted(units_[unit], options_.to)) {
        column_[unit] = receivers_.size();
        receivers_.push_back(unit);
      }
    }
  }

  bool few_are_asked() const {
    if (options_.from.empty() && options_.to.empty()) return false;
    std::uint64_t from = 0, to = 0;
    for (std::size_t port = 0; port < ports_.all().size(); ++port) {
      if (!ports_.at(port).vm) continue;
      if (options_.from.empty() || called(port, options_.from)) ++from;
      if (options_.to.empty() || called(port, options_.to)) ++to;
    }
    return from * to <= options_.few;
  }

  bool on_external_network(const Unit& unit) const {
    const auto& networks = network_.logical().networks;
    const auto found =
        std::ranges::find(networks, ports_.at(unit.members.front()).network_id, &logical::Network::id);
    return found != networks.end() && found->external;
  }

  // A word of the question for a port; for people by name, where that says which one.
  std::string word_of(std::size_t port, bool for_people) const {
    const CloudPort& of = ports_.at(port);
    if (for_people) {
      const auto title = titles_.find(of.title());
      if (title != titles_.end() && title->second == 1) return of.title();
    }
    return !of.id.empty() ? of.id : !of.device.empty() ? of.device : to_string(of.mac);
  }

  std::string address_of(std::size_t port) const { return to_string(floating_.at(ports_.at(port).id)); }

  // --- questions --------------------------------------------------------------------------------------------

  // Nothing is asked of a class about itself that has no second member.
  bool is_asked(std::size_t packet, std::size_t from, std::size_t to) const {
    const Unit &source = units_[from], &target = units_[to];
    const bool service = target.kind == ReachKind::Metadata || target.kind == ReachKind::Dhcp;
    if (service != (packet == options_.packets.size())) return false;
    if (source.kind == ReachKind::Outside)
      return target.kind == ReachKind::FloatingIps ||
             (target.kind == ReachKind::Vms && on_external_network(target));
    if (source.kind != ReachKind::Vms) return false;
    const bool own =
        (target.kind == ReachKind::Vms || target.kind == ReachKind::FloatingIps) && target.of == source.of;
    return !own || other_member(source, target).has_value();
  }

  // The members of two units that stand for all of them: none of them asks itself.
  static std::optional<std::pair<std::size_t, std::size_t>> other_member(const Unit& source,
                                                                         const Unit& target) {
    for (const std::size_t from : source.members) {
      for (const std::size_t to : target.members) {
        if (from != to) return std::pair(from, to);
      }
    }
    return std::nullopt;
  }

  Ask question(std::size_t packet, const Unit& source, const Unit& target, bool for_people) const {
    Ask ask;
    ask.outcome_only = true;
    if (packet < options_.packets.size()) ask.packet = options_.packets[packet].packet;
    std::size_t from = source.members.empty() ? 0 : source.members.front();
    std::size_t to = target.members.empty() ? 0 : target.members.front();
    if (!source.members.empty() && !target.members.empty())
      std::tie(from, to) = other_member(source, target).value_or(std::pair(from, to));
    ask.from = source.kind == ReachKind::Outside ? "outside" : word_of(from, for_people);
    switch (target.kind) {
      case ReachKind::Vms:
        ask.to = word_of(to, for_people);
        break;
      case ReachKind::FloatingIps:
        ask.to = address_of(to);
        break;
      case ReachKind::Outside:
        ask.to = "outside";
        break;
      case ReachKind::Metadata:
        ask.to = kMetadataAddress;
        ask.packet.protocol = "tcp";
        ask.packet.dst_port = 80;
        break;
      case ReachKind::Dhcp:
        ask.to = kEveryone;
        ask.packet.protocol = "dhcp";
        break;
    }
    return ask;
  }

  std::size_t tables() const { return options_.packets.size() + (options_.services ? 1 : 0); }
  Outcome& outcome(std::size_t packet, std::size_t from, std::size_t to) {
    return outcomes_[(packet * senders_.size() + row_[from]) * receivers_.size() + column_[to]];
  }
  const Outcome& outcome(std::size_t packet, std::size_t from, std::size_t to) const {
    return outcomes_[(packet * senders_.size() + row_[from]) * receivers_.size() + column_[to]];
  }

  void ask_all() {
    outcomes_.resize(tables() * senders_.size() * receivers_.size());
    std::atomic<std::size_t> done = 0, traced = 0;
    const std::size_t rows = tables() * senders_.size();
    run_on_all_cores(rows, [&](std::size_t row) {
      const std::size_t packet = row / senders_.size(), from = senders_[row % senders_.size()];
      for (const std::size_t to : receivers_) {
        if (!is_asked(packet, from, to)) continue;
        const auto trace = asker_.ask(question(packet, units_[from], units_[to], false));
        Outcome& out = outcome(packet, from, to);
        out.asked = true;
        if (trace) {
          out.verdict = trace->verdict;
          out.reason = trace->reason;
        }
        ++traced;
      }
      if (options_.progress) options_.progress(++done, rows);
    });
    reach_.traced = traced;
  }

  // Of how many pairs of members the outcome is.
  static std::uint64_t pairs(const Unit& source, const Unit& target) {
    std::uint64_t pairs = std::uint64_t{source.size()} * target.size();
    const bool own = source.kind == ReachKind::Vms && source.of == target.of &&
                     (target.kind == ReachKind::Vms || target.kind == ReachKind::FloatingIps);
    return own ? pairs - target.size() : pairs;
  }

  // --- groups -------------------------------------------------------------------------------------------------

  const std::vector<std::string>& security_groups(std::size_t unit) const {
    static const std::vector<std::string> none;
    const auto found = groups_of_.find(ports_.at(units_[unit].members.front()).id);
    return found == groups_of_.end() ? none : found->second;
  }

  std::string network_of(std::size_t unit) const {
    return ports_.network_name(ports_.at(units_[unit].members.front()).network_id);
  }

  // Classes that begin in one group are parted until all of a group fare alike towards each other group.
  void group() {
    std::map<std::string, std::size_t> first;
    group_.resize(classes_);
    for (std::size_t unit = 0; unit < classes_; ++unit) {
      const std::string key = fmt::format("{} {}", network_of(unit), fmt::join(security_groups(unit), ","));
      group_[unit] = first.try_emplace(key, first.size()).first->second;
    }
    for (std::size_t groups = first.size();;) {
      std::map<std::pair<std::size_t, std::set<std::tuple<std::size_t, std::size_t, bool, Outcome>>>,
               std::size_t>
          parted;
      std::vector<std::size_t> next(classes_);
      for (std::size_t unit = 0; unit < classes_; ++unit)
        next[unit] = parted.try_emplace({group_[unit], behaviour(unit)}, parted.size()).first->second;
      group_ = std::move(next);
      if (parted.size() == groups) break;
      groups = parted.size();
    }
  }

  // What a unit is towards others: the group of its class, or a number of its own.
  std::size_t side(std::size_t unit) const {
    const Unit& of = units_[unit];
    if (of.kind == ReachKind::Vms) return group_[unit];
    if (of.kind == ReachKind::FloatingIps) return classes_ + group_[of.of];
    return 2 * classes_ + static_cast<std::size_t>(of.kind);
  }

  std::set<std::tuple<std::size_t, std::size_t, bool, Outcome>> behaviour(std::size_t unit) const {
    std::set<std::tuple<std::size_t, std::size_t, bool, Outcome>> all;
    for (std::size_t packet = 0; packet < tables(); ++packet) {
      for (const std::size_t other : receivers_) {
        if (row_[unit] == kNone) break;
        if (const Outcome& out = outcome(packet, unit, other); out.asked)
          all.insert({packet, side(other), true, out});
      }
      for (const std::size_t other : senders_) {
        if (column_[unit] == kNone) break;
        if (const Outcome& in = outcome(packet, other, unit); in.asked)
          all.insert({packet, side(other), false, in});
      }
    }
    return all;
  }

  void fill_ends() {
    end_of_.assign(units_.size(), 0);
    std::map<std::size_t, std::size_t> ends;
    for (std::size_t unit = 0; unit < units_.size(); ++unit) {
      const auto [place, added] = ends.try_emplace(side(unit), reach_.ends.size());
      end_of_[unit] = place->second;
      if (added) reach_.ends.push_back(new_end(unit));
      ReachEnd& end = reach_.ends[place->second];
      for (const std::size_t port : units_[unit].members) {
        end.members.push_back(units_[unit].kind == ReachKind::FloatingIps ? address_of(port)
                                                                          : word_of(port, true));
        const std::string& host = network_.index(ports_.at(port).host).name;
        if (std::ranges::find(end.hosts, host) == end.hosts.end()) end.hosts.push_back(host);
      }
      std::ranges::sort(end.hosts);
    }
  }

  ReachEnd new_end(std::size_t unit) const {
    const Unit& of = units_[unit];
    ReachEnd end;
    end.kind = of.kind;
    end.label = name(of.kind);
    if (of.members.empty()) return end;
    end.label = letters(group_[of.of]);
    if (of.kind == ReachKind::FloatingIps) end.label += "'";
    end.network = network_of(of.of);
    end.security_groups = security_groups(of.of);
    return end;
  }

  void fill_tables() {
    for (std::size_t packet = 0; packet < tables(); ++packet) {
      std::map<std::pair<std::size_t, std::size_t>, ReachCell> cells;
      for (const std::size_t from : senders_) {
        for (const std::size_t to : receivers_) {
          const Outcome& out = outcome(packet, from, to);
          if (!out.asked) continue;
          ReachCell& cell = cells[{end_of_[from], end_of_[to]}];
          cell.from = end_of_[from];
          cell.to = end_of_[to];
          count(cell.answers, packet, from, to, pairs(units_[from], units_[to]));
          reach_.pairs += pairs(units_[from], units_[to]);
        }
      }
      ReachTable table;
      table.packet = packet < options_.packets.size() ? options_.packets[packet].word : "";
      for (auto& [place, cell] : cells) {
        std::ranges::stable_sort(cell.answers, std::ranges::greater{}, &ReachAnswer::pairs);
        table.cells.push_back(std::move(cell));
      }
      reach_.tables.push_back(std::move(table));
    }
  }

  void count(std::vector<ReachAnswer>& answers, std::size_t packet, std::size_t from, std::size_t to,
             std::uint64_t pairs) const {
    const Outcome& out = outcome(packet, from, to);
    for (ReachAnswer& known : answers) {
      if (known.verdict != out.verdict || known.reason != out.reason) continue;
      known.pairs += pairs;
      return;
    }
    const Ask example = question(packet, units_[from], units_[to], true);
    answers.push_back({out.verdict, out.reason, pairs, example.from, example.to});
  }

  // --- expectations -------------------------------------------------------------------------------------------

  bool called(std::size_t port, const std::string& pattern) const {
    const CloudPort& of = ports_.at(port);
    const auto is = [&](const std::string& name) { return !name.empty() && fits(pattern, name); };
    if (is(of.title()) || is(of.name) || is(of.id) || is(of.instance_uuid) || is(of.device)) return true;
    if (is(ports_.network_name(of.network_id)) || is(of.network_id)) return true;
    if (of.host != kNowhere && is(network_.index(of.host).name)) return true;
    if (std::ranges::any_of(of.ips, [&](const Ip& ip) { return is(to_string(ip)); })) return true;
    const auto groups = groups_of_.find(of.id);
    return groups != groups_of_.end() && std::ranges::any_of(groups->second, is);
  }

  // The members of a unit that a pattern means; of what is there once, whether it does.
  std::vector<std::size_t> meant(const Unit& unit, const std::string& pattern) const {
    if (unit.members.empty())
      return fits(pattern, name(unit.kind)) && pattern != "*" ? std::vector<std::size_t>{0}
                                                              : std::vector<std::size_t>{};
    std::vector<std::size_t> out;
    for (const std::size_t port : unit.members) {
      if (unit.kind == ReachKind::FloatingIps ? fits(pattern, address_of(port)) && pattern != "*"
                                              : called(port, pattern))
        out.push_back(port);
    }
    return out;
  }

  bool wanted(const Unit& unit, const std::string& pattern) const {
    return pattern.empty() || !meant(unit, pattern).empty();
  }

  void hold(const Expectation& expectation) {
    ReachBreach breach{expectation.line, expectation.text, expectation.must, 0, 0, {}};
    for (std::size_t packet = 0; packet < tables(); ++packet) {
      const bool services = packet == options_.packets.size();
      if (!services && !expectation.packet.empty() && options_.packets[packet].word != expectation.packet)
        continue;
      for (const std::size_t from : senders_) {
        const auto senders = meant(units_[from], expectation.from);
        if (senders.empty()) continue;
        for (const std::size_t to : receivers_) {
          const Outcome& out = outcome(packet, from, to);
          if (!out.asked) continue;
          const auto receivers = meant(units_[to], expectation.to);
          const auto same = units_[to].members.empty() || units_[from].members.empty()
                                ? 0
                                : std::ranges::count_if(senders, [&](std::size_t port) {
                                    return std::ranges::find(receivers, port) != receivers.end();
                                  });
          const std::uint64_t pairs = senders.size() * receivers.size() - static_cast<std::uint64_t>(same);
          breach.of += pairs;
          if (pairs == 0 || (arrives(out.verdict) == expectation.must && out.verdict != Verdict::Unknown))
            continue;
          breach.pairs += pairs;
          count(breach.answers, packet, from, to, pairs);
        }
      }
    }
    if (breach.of == 0)
      diagnostics_.error(expectation.at, "nothing that was asked fits this line",
                         "names: dvrtrace inventory");
    else if (breach.pairs != 0)
      reach_.breaches.push_back(std::move(breach));
  }

  const Network& network_;
  const Asker& asker_;
  const Ports& ports_;
  const ReachOptions& options_;
  Diagnostics& diagnostics_;
  std::vector<Unit> units_;
  std::vector<std::size_t> senders_, receivers_;  // units, as the options' patterns say
  std::vector<std::size_t> row_, column_;         // of each unit among those; kNone: it is none
  std::size_t classes_ = 0;                       // the first units
  std::unordered_map<std::string, std::vector<std::string>> groups_of_;  // security groups by port
  std::unordered_map<std::string, std::size_t> titles_;                  // how many have the name
  std::unordered_map<std::string, Ip> floating_;                         // by port
  std::vector<Outcome> outcomes_;
  std::vector<std::size_t> group_, end_of_;
  Reach reach_;
};

}  // namespace

Result<Reach> reach(const Network& network, const Asker& asker, const ReachOptions& options,
                    std::span<const Expectation> expectations, Diagnostics& diagnostics) {
  return Reaching(network, asker, options, diagnostics).run(expectations);
}

}  // namespace dvrtrace::reach
