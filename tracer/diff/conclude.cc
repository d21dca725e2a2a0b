#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <tuple>

#include "tracer/diff/compare_clouds.h"
#include "tracer/diff/follow.h"
#include "tracer/diff/undo.h"

namespace dvrtrace::diff {
namespace {

// A cloud full of changes has its likeliest tried, and a kind of path one of its paths; all of a kind where
// that one was explained.
constexpr std::size_t kMostTried = 64, kMostKinds = 16, kMostOfAKind = 200;

// What breaks more comes first, where nothing else tells.
int rank_of(const Change& change) {
  static const std::map<std::string_view, int> kRanks{
      {"host", 0},           {"namespace", 5}, {"bridge", 6},   {"tunnel", 8},     {"port", 10},
      {"link", 10},          {"ha-state", 12}, {"ip-rule", 20}, {"route", 20},     {"sysctl", 21},
      {"address", 21},       {"flow", 22},     {"group", 22},   {"neighbour", 23}, {"ipset", 24},
      {"iptables-rule", 24}, {"config", 60}};
  const auto at = kRanks.find(change.object_kind);
  return at == kRanks.end() ? 50 : at->second;
}

// How much hangs on a change; less is more.
enum class Weight { Verdict, Way, Moves, Cited, None };

class Conclusion {
 public:
  Conclusion(const Network& before, const Network& after, const CloudChanges& changes,
             std::span<const Ask> questions, std::span<const Asked> asked)
      : after_(after), questions_(questions), asked_(asked) {
    for (const HostChanges& host : changes.hosts) {
      for (const Found& found : host.changes) listed_.push_back({&host, &found});
    }
    weights_.assign(listed_.size(), Weight::None);
    lies_on_.resize(listed_.size());
    tried_.assign(listed_.size(), 0);
    restored_.assign(listed_.size(), 0);
    follows_ = followed(before, after, listed_);
    diff_.asked = asked.size();
    diff_.not_compared = changes.not_compared;
    for (std::size_t i = 0; i < listed_.size(); ++i) {
      for (const Provenance& at : listed_[i].found->cited) {
        if (at.known()) by_row_[at].push_back(i);
      }
    }
  }

  SnapshotDiff run() {
    for (std::size_t i = 0; i < asked_.size(); ++i) judge(i);
    undo_all();
    try_changes();
    explain_the_rest();
    order();
    return std::move(diff_);
  }

 private:
  struct Path {
    std::size_t asked;  // of asked_
    PathEffect effect;
    std::set<std::size_t> causes;
    bool learnt = false;
    bool moved = false;  // by undoing all changes
  };

  const Ask& question(const Path& path) const { return questions_[asked_[path.asked].question]; }

  // --- which paths changed, and which changes they name ---

  void judge(std::size_t index) {
    const Asked& asked = asked_[index];
    std::set<std::size_t> cited;
    for (const Answer* answer : {&asked.before, &asked.after}) {
      for (const Provenance& at : answer->cited) {
        if (const auto rows = by_row_.find(at); rows != by_row_.end())
          cited.insert(rows->second.begin(), rows->second.end());
      }
    }
    const bool verdict = !asked.before.same_verdict(asked.after), way = !asked.before.same_way(asked.after);
    if (!verdict && !way && cited.empty()) return;
    const PathEffect effect = verdict ? PathEffect::Verdict : way ? PathEffect::Way : PathEffect::Rows;
    for (const std::size_t change : cited) note(change, paths_.size(), Weight::Cited);
    paths_.push_back({index, effect, std::move(cited)});
  }

  void note(std::size_t change, std::size_t path, Weight weight) {
    lies_on_[change].insert(path);
    weights_[change] = std::min(weights_[change], weight);
  }

  // --- what is tried ---

  using Kind = std::tuple<PathEffect, Verdict, Reason, Verdict, Reason, std::string, std::string>;
  static Kind kind_of(const Path& path, const Asked& asked) {
    const PathAnswer &was = asked.before.shown, &is = asked.after.shown;
    return {path.effect, was.verdict, was.reason, is.verdict, is.reason, is.stopped, is.failure};
  }

  // Paths that changed alike, as many kinds as are looked at; those of rows alone name what decides them.
  std::vector<std::vector<std::size_t>> kinds() const {
    std::map<Kind, std::vector<std::size_t>> by_kind;
    for (std::size_t i = 0; i < paths_.size(); ++i) {
      if (paths_[i].effect != PathEffect::Rows && !paths_[i].learnt)
        by_kind[kind_of(paths_[i], asked_[paths_[i].asked])].push_back(i);
    }
    std::vector<std::vector<std::size_t>> all;
    for (auto& [kind, paths] : by_kind) {
      if (all.size() < kMostKinds) all.push_back(std::move(paths));
    }
    return all;
  }

  bool passes(const Path& path, const Change& change) const {
    for (const Answer* answer : {&asked_[path.asked].before, &asked_[path.asked].after}) {
      for (const auto& [host, place] : answer->places) {
        if (host == change.host &&
            (place == change.place || change.place.empty() || change.place_kind == "host"))
          return true;
      }
    }
    return false;
  }

  // The leaders, those first that paths name or pass.
  std::vector<std::size_t> candidates() const {
    std::vector<std::size_t> all;
    for (std::size_t i = 0; i < listed_.size(); ++i) {
      if (!follows_[i] && listed_[i].host->after != kNowhere) all.push_back(i);
    }
    std::set<std::pair<std::string, std::string>> passed;
    for (const Path& path : paths_) {
      for (const Answer* answer : {&asked_[path.asked].before, &asked_[path.asked].after}) {
        for (const auto& place : answer->places) {
          passed.insert(place);
          passed.emplace(place.first, "");
        }
      }
    }
    std::vector<int> distance(listed_.size(), 2);
    for (std::size_t i = 0; i < listed_.size(); ++i) {
      const std::size_t leader = follows_[i].value_or(i);
      const Change& change = listed_[i].found->change;
      const bool near = passed.contains({change.host, change.place_kind == "host" ? "" : change.place});
      distance[leader] = std::min(distance[leader], !lies_on_[i].empty() ? 0 : near ? 1 : 2);
    }
    std::ranges::stable_sort(
        all, {}, [&](std::size_t i) { return std::pair(distance[i], rank_of(listed_[i].found->change)); });
    if (all.size() > kMostTried) all.resize(kMostTried);
    return all;
  }

  // The host without a change and what follows from it there; none when it cannot be undone.
  std::unique_ptr<Network> without(std::size_t leader) const {
    const HostChanges& host = *listed_[leader].host;
    HostSnapshot copy = after_.host(host.after).snapshot;
    bool undone = undo(copy, host.was, *listed_[leader].found);
    for (std::size_t i = 0; i < listed_.size(); ++i) {
      if (follows_[i] == leader && listed_[i].host == &host)
        undone = undo(copy, host.was, *listed_[i].found) || undone;
    }
    if (!undone) return nullptr;
    return std::make_unique<Network>(after_, host.after, std::move(copy));
  }

  // True when the path is as it was before.
  bool attempt(std::size_t change, std::size_t index, const Asker& asker) {
    Path& path = paths_[index];
    const Asked& asked = asked_[path.asked];
    const Answer answer = answer_of(asker, question(path));
    ++tried_[change];
    const bool same_verdict = answer.same_verdict(asked.before), same_way = answer.same_way(asked.before);
    const bool restored = same_verdict && (same_way || path.effect == PathEffect::Verdict);
    if (restored) {
      ++restored_[change];
      note(change, index, path.effect == PathEffect::Verdict ? Weight::Verdict : Weight::Way);
    } else if (!answer.same_verdict(asked.after) || !answer.same_way(asked.after)) {
      note(change, index, Weight::Moves);
    } else {
      return false;
    }
    path.causes.insert(change);
    return restored;
  }

  void try_changes() {
    const std::vector<std::vector<std::size_t>> all = kinds();
    if (all.empty()) return;
    for (const std::size_t change : candidates()) {
      const std::unique_ptr<Network> network = without(change);
      if (network == nullptr) continue;
      const Asker asker(*network);
      for (const std::vector<std::size_t>& paths : all) {
        if (!attempt(change, paths.front(), asker)) continue;
        for (std::size_t i = 1; i < std::min(paths.size(), kMostOfAKind); ++i)
          attempt(change, paths[i], asker);
      }
    }
  }

  // Which paths are not as they are because of the changes: without all of them they would be the same.
  void undo_all() {
    const auto open = [](const Path& path) { return path.effect != PathEffect::Rows; };
    if (std::ranges::none_of(paths_, open)) return;
    std::vector<std::unique_ptr<Network>> chain;
    bool all_undone = true;
    std::map<const HostChanges*, HostSnapshot> copies;
    for (const Listed& each : listed_) {
      if (each.host->after == kNowhere) {
        all_undone = false;
        continue;
      }
      const auto copy = copies.try_emplace(each.host, after_.host(each.host->after).snapshot).first;
      all_undone = undo(copy->second, each.host->was, *each.found) && all_undone;
    }
    const Network* network = &after_;
    for (auto& [host, copy] : copies) {
      chain.push_back(std::make_unique<Network>(*network, host->after, std::move(copy)));
      network = chain.back().get();
    }
    const Asker asker(*network);
    for (Path& path : paths_) {
      if (!open(path)) continue;
      const Answer answer = answer_of(asker, question(path));
      const Asked& asked = asked_[path.asked];
      path.moved = !answer.same_verdict(asked.after) || !answer.same_way(asked.after);
      path.learnt = !path.moved && all_undone;
    }
    for (std::size_t index = 0; index < paths_.size(); ++index) {
      if (!paths_[index].learnt) continue;
      for (const std::size_t change : paths_[index].causes) lies_on_[change].erase(index);
      paths_[index].causes.clear();
    }
    for (std::size_t i = 0; i < listed_.size(); ++i) {
      if (lies_on_[i].empty()) weights_[i] = Weight::None;
    }
  }

  // Paths that no change alone explains, and several together do.
  void explain_the_rest() {
    for (std::size_t index = 0; index < paths_.size(); ++index) {
      Path& path = paths_[index];
      for (std::size_t i = 0; path.moved && path.causes.empty() && i < listed_.size(); ++i) {
        if (follows_[i] || !passes(path, listed_[i].found->change)) continue;
        together_.emplace_back(index, i);
      }
    }
    for (const auto& [index, change] : together_) {
      paths_[index].causes.insert(change);
      note(change, index, Weight::Moves);
    }
  }

  // A neighbour that is asked for anew, and found to be the same, decides nothing.
  void weigh_neighbours() {
    for (std::size_t i = 0; i < listed_.size(); ++i) {
      const auto same_way = [&](std::size_t path) { return paths_[path].effect == PathEffect::Rows; };
      if (listed_[i].found->change.object_kind == "neighbour" && std::ranges::all_of(lies_on_[i], same_way))
        weights_[i] = Weight::None;
    }
  }

  // --- the order ---

  void order() {
    weigh_neighbours();
    std::vector<std::size_t> leaders, paths;
    for (std::size_t i = 0; i < listed_.size(); ++i) {
      if (!follows_[i]) {
        leaders.push_back(i);
        continue;
      }
      const std::size_t leader = *follows_[i];
      weights_[leader] = std::min(weights_[leader], weights_[i]);
      lies_on_[leader].insert(lies_on_[i].begin(), lies_on_[i].end());
    }
    const auto words = [&](std::size_t i) {
      const Change& change = listed_[i].found->change;
      return std::tie(change.host, change.place, change.table, change.object);
    };
    const auto key = [&](std::size_t i) {
      return std::tuple(weights_[i], -static_cast<long>(restored_[i]), rank_of(listed_[i].found->change),
                        words(i));
    };
    std::ranges::stable_sort(leaders, [&](std::size_t a, std::size_t b) { return key(a) < key(b); });
    std::vector<std::size_t> sequence;
    for (const std::size_t leader : leaders) {
      sequence.push_back(leader);
      const std::size_t first = sequence.size();
      for (std::size_t i = 0; i < listed_.size(); ++i) {
        if (follows_[i] == leader) sequence.push_back(i);
      }
      std::stable_sort(sequence.begin() + static_cast<std::ptrdiff_t>(first), sequence.end(),
                       [&](std::size_t a, std::size_t b) {
                         return std::tuple(rank_of(listed_[a].found->change), words(a)) <
                                std::tuple(rank_of(listed_[b].found->change), words(b));
                       });
    }
    std::vector<std::size_t> place_of_change(listed_.size()), place_of_path(paths_.size());
    for (std::size_t i = 0; i < sequence.size(); ++i) place_of_change[sequence[i]] = i;

    for (std::size_t i = 0; i < paths_.size(); ++i) paths.push_back(i);
    std::ranges::stable_sort(paths, {}, [&](std::size_t i) {
      std::size_t first = listed_.size();
      for (const std::size_t cause : paths_[i].causes) first = std::min(first, place_of_change[cause]);
      return std::tuple(paths_[i].learnt, paths_[i].effect, turn_of(asked_[paths_[i].asked]), first);
    });
    for (std::size_t i = 0; i < paths.size(); ++i) place_of_path[paths[i]] = i;
    for (const std::size_t i : paths) diff_.paths.push_back(finished(paths_[i], place_of_change));
    for (const std::size_t i : sequence) {
      Change change = listed_[i].found->change;
      for (const std::size_t path : lies_on_[i]) change.paths.push_back(place_of_path[path]);
      std::ranges::sort(change.paths);
      if (follows_[i]) change.follows = place_of_change[*follows_[i]];
      change.tried = tried_[i];
      change.restored = restored_[i];
      diff_.changes.push_back(std::move(change));
    }
  }

  // What is broken comes first, then what works again, then what fails otherwise.
  static int turn_of(const Asked& asked) {
    const auto arrived = [](const PathAnswer& answer) {
      return answer.failure.empty() && arrives(answer.verdict);
    };
    const bool was = arrived(asked.before.shown), is = arrived(asked.after.shown);
    return was && !is ? 0 : !was && is ? 1 : 2;
  }

  // An end by the name that people know it by; an address stays what was asked.
  static std::string end_of(const std::string& word, const std::string& after, const std::string& before) {
    if (parse_ip(word)) return word;
    return !after.empty() ? after : !before.empty() ? before : word;
  }

  ChangedPath finished(const Path& path, const std::vector<std::size_t>& place_of_change) const {
    const Asked& asked = asked_[path.asked];
    ChangedPath changed;
    changed.from = end_of(question(path).from, asked.after.from, asked.before.from);
    changed.to = end_of(question(path).to, asked.after.to, asked.before.to);
    changed.packet = packet_words(question(path).packet);
    changed.effect = path.effect;
    changed.before = asked.before.shown;
    changed.after = asked.after.shown;
    changed.by_learnt_state = path.learnt;
    for (const std::size_t cause : path.causes) changed.causes.push_back(place_of_change[cause]);
    std::ranges::sort(changed.causes);
    return changed;
  }

  const Network& after_;
  std::span<const Ask> questions_;
  std::span<const Asked> asked_;
  std::vector<Listed> listed_;
  std::vector<std::optional<std::size_t>> follows_;
  std::map<Provenance, std::vector<std::size_t>> by_row_;
  std::vector<Path> paths_;
  std::vector<Weight> weights_;
  std::vector<std::set<std::size_t>> lies_on_;  // of each change
  std::vector<std::size_t> tried_, restored_;
  std::vector<std::pair<std::size_t, std::size_t>>
      together_;  // a path, and a change among those that it takes to explain it
  SnapshotDiff diff_;
};

}  // namespace

SnapshotDiff conclude(const Network& before, const Network& after, const CloudChanges& changes,
                      std::span<const Ask> questions, std::span<const Asked> asked) {
  return Conclusion(before, after, changes, questions, asked).run();
}

}  // namespace dvrtrace::diff
