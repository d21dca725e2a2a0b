#include "tracer/engine/skew.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <tuple>

#include "src/base/overloaded.h"

namespace dvrtrace {
namespace {

// An entry that decided, and its age.
struct Aged {
  double seconds = 0;
  std::string what;  // "flow of table 60 in br-int on cmp1"
  Provenance at;
  bool operator<(const Aged& other) const {
    return std::tie(seconds, what, at) < std::tie(other.seconds, other.what, other.at);
  }
};

std::optional<Aged> aged(const Step& step, const Place& place) {
  const auto where = place.host.empty() ? place.name : fmt::format("{} on {}", place.name, place.host);
  return std::visit(overloaded{
                        [&](const FlowHit& s) -> std::optional<Aged> {
                          if (!s.age_ms) return std::nullopt;
                          return Aged{static_cast<double>(*s.age_ms) / 1000,
                                      fmt::format("the flow of table {} in {}", s.table.value, where), s.at};
                        },
                        [&](const Switched& s) -> std::optional<Aged> {
                          if (!s.age) return std::nullopt;
                          return Aged{static_cast<double>(*s.age),
                                      fmt::format("the MAC seen at {} in {}", s.port, where), s.at};
                        },
                        [&](const NeighbourHit& s) -> std::optional<Aged> {
                          if (!s.age) return std::nullopt;
                          return Aged{static_cast<double>(*s.age),
                                      fmt::format("the neighbour {} in {}", to_string(s.ip), where), s.at};
                        },
                        [](const auto&) -> std::optional<Aged> { return std::nullopt; },
                    },
                    step);
}

class Skew {
 public:
  explicit Skew(const Network& network) : network_(network) {}

  // Whether it is known of the hop's host when dumps of it were taken.
  bool noted(const Hop& hop) {
    const Host* host = host_of(hop.place.host);
    return host != nullptr && !host->taken.empty();
  }

  void visit(const Hop& hop) {
    const Host* host = host_of(hop.place.host);
    if (host != nullptr) visit(*host, hop);
    for (const Step& step : hop.steps) {
      add(std::visit(
          [](const auto& s) {
            if constexpr (requires { s.at; })
              return s.at.source;
            else
              return kNoSource;
          },
          step));
      if (auto entry = aged(step, hop.place)) entries_.insert(std::move(*entry));
    }
  }

  void conclude(Trace& trace) const {
    std::optional<Taken> all;
    for (const SourceId source : used_) {
      for (const auto& [name, host] : hosts_) {
        const auto taken = host->taken.find(source);
        if (taken != host->taken.end()) widen(all, taken->second);
      }
    }
    if (!all) return;
    trace.spread = all->spread();
    const auto younger = static_cast<std::size_t>(
        std::ranges::count_if(entries_, [&](const Aged& entry) { return entry.seconds < all->spread(); }));
    if (younger == 0) return;
    const Aged& youngest = *entries_.begin();
    const std::string more =
        younger == 1 ? "" : fmt::format(", and {} more are younger than that", younger - 1);
    trace.assumptions.push_back(
        {"ASSUME_ONE_MOMENT",
         fmt::format(
             "nothing changed while the dumps on the way were taken, within {:.1f} s: {} is {:.1f} s old{}",
             all->spread(), youngest.what, youngest.seconds, more)});
    std::ranges::sort(trace.assumptions);
  }

 private:
  const Host* host_of(const std::string& name) {
    if (name.empty()) return nullptr;
    if (const auto known = hosts_.find(name); known != hosts_.end()) return known->second;
    const std::size_t host = network_.find_host(name);
    return host == kNowhere ? nullptr : hosts_[name] = &network_.host(host);
  }

  void add(SourceId source) {
    if (source != kNoSource) used_.insert(source);
  }

  // What a place asks, whether or not a line of it is cited: that something is not there decides too.
  void visit(const Host& host, const Hop& hop) {
    if (hop.place.kind == PlaceKind::Bridge) {
      const std::size_t at = host.find_bridge(hop.place.name);
      const BridgeDumps* dumps = at == kNowhere ? nullptr : host.bridges[at].dumps;
      if (dumps == nullptr) return;
      add(dumps->flows.source);
      add(dumps->fdb.source);
    } else if (hop.place.kind == PlaceKind::Namespace) {
      const std::size_t at = host.find_namespace(hop.place.name == "root" ? "" : hop.place.name);
      const NamespaceSnapshot* dumps = at == kNowhere ? nullptr : host.namespaces[at].dumps;
      if (dumps == nullptr) return;
      const bool v6 = hop.arrived.ip_dst && hop.arrived.ip_dst->v6();
      add(v6 ? dumps->rules6.source : dumps->rules4.source);
      add(v6 ? dumps->routes6.source : dumps->routes4.source);
      add(v6 ? dumps->iptables6.source : dumps->iptables4.source);
      add(dumps->neighbours.source);
    }
  }

  const Network& network_;
  std::map<std::string, const Host*> hosts_;
  std::set<SourceId> used_;
  std::set<Aged> entries_;
};

}  // namespace

void weigh_skew(const Network& network, Trace& trace) {
  Skew skew(network);
  const auto noted = [&](const Direction& direction) {
    return std::ranges::any_of(direction.hops, [&](const Hop& hop) { return skew.noted(hop); });
  };
  if (std::ranges::none_of(trace.directions, noted)) return;
  for (const Direction& direction : trace.directions) {
    const bool any = std::ranges::any_of(direction.hops, &Hop::on_path);
    for (const Hop& hop : direction.hops) {
      if (hop.on_path || !any) skew.visit(hop);
    }
  }
  skew.conclude(trace);
}

}  // namespace dvrtrace
