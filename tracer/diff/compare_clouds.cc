#include "tracer/diff/compare_clouds.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <thread>

namespace dvrtrace::diff {
namespace {

// Whether Neutron's agents, told by both sides, say that the host is only there on one: then it was added or
// removed indeed.
bool has_agent(const Network& network, std::string_view host) {
  return std::ranges::any_of(network.logical().agents,
                             [&](const logical::Agent& agent) { return agent.host == host; });
}

std::uint32_t mtu_in(const std::string& state) {
  const auto at = state.find(" mtu ");
  return at == std::string::npos
             ? 0
             : static_cast<std::uint32_t>(std::strtoul(state.c_str() + at + 5, nullptr, 10));
}

class Clouds {
 public:
  Clouds(const Network& before, const Network& after, const Sources& sources)
      : before_(before), after_(after), sources_(sources) {}

  CloudChanges run() {
    std::vector<std::pair<std::size_t, std::size_t>> both;
    for (std::size_t host = 0; host < before_.size(); ++host) {
      const std::size_t now = after_.find_host(before_.index(host).name);
      if (now == kNowhere)
        alone(before_.index(host).name, ChangeKind::Removed);
      else if (before_.index(host).cleaned || after_.index(now).cleaned)
        all_.not_compared.push_back({before_.index(host).name, "the whole host",
                                     "its addresses and names were replaced (sos clean)"});
      else
        both.emplace_back(host, now);
    }
    for (std::size_t host = 0; host < after_.size(); ++host) {
      if (before_.find_host(after_.index(host).name) == kNowhere)
        alone(after_.index(host).name, ChangeKind::Added);
    }
    compare_all(both);
    return std::move(all_);
  }

 private:
  void alone(const std::string& host, ChangeKind kind) {
    const bool told = !before_.logical().agents.empty() && !after_.logical().agents.empty() &&
                      has_agent(before_, host) != has_agent(after_, host);
    const bool removed = kind == ChangeKind::Removed;
    if (!told) {
      all_.not_compared.push_back({host, "the whole host", removed ? "no dumps after" : "no dumps before"});
      return;
    }
    HostChanges& changes = all_.hosts.emplace_back();
    Change& change = changes.changes.emplace_back().change;
    change.kind = kind;
    change.host = host;
    change.place_kind = change.object_kind = "host";
    change.place = change.object = host;
    (removed ? change.before : change.after) = host;
  }

  void compare_all(const std::vector<std::pair<std::size_t, std::size_t>>& hosts) {
    std::vector<HostChanges> found(hosts.size());
    std::atomic<std::size_t> next = 0;
    const auto work = [&] {
      for (std::size_t i = next++; i < hosts.size(); i = next++) {
        found[i] = compare(before_.host(hosts[i].first), after_.host(hosts[i].second), sources_);
        found[i].before = hosts[i].first;
        found[i].after = hosts[i].second;
      }
    };
    {
      const std::size_t cores = std::max<std::size_t>(1, std::thread::hardware_concurrency());
      std::vector<std::jthread> others;
      for (std::size_t core = 1; core < std::min(cores, hosts.size()); ++core) others.emplace_back(work);
      work();
    }
    for (HostChanges& host : found) {
      std::ranges::move(host.not_compared, std::back_inserter(all_.not_compared));
      if (!host.changes.empty()) all_.hosts.push_back(std::move(host));
    }
  }

  const Network& before_;
  const Network& after_;
  const Sources& sources_;
  CloudChanges all_;
};

}  // namespace

bool CloudChanges::any() const { return !hosts.empty(); }

bool CloudChanges::of_mtu() const {
  for (const HostChanges& host : hosts) {
    for (const Found& found : host.changes) {
      const Change& change = found.change;
      if (change.object_kind == "link" && change.kind == ChangeKind::Altered &&
          mtu_in(change.before) != mtu_in(change.after))
        return true;
    }
  }
  return false;
}

CloudChanges compare_clouds(const Network& before, const Network& after, const Sources& sources) {
  return Clouds(before, after, sources).run();
}

}  // namespace dvrtrace::diff
