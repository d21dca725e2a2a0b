#include "tracer/diff/paths.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <thread>

#include "src/base/overloaded.h"

namespace dvrtrace::diff {
namespace {

// A wire has the name of its physical network only where the agents' configuration was saved; the hosts
// beside it tell it apart.
std::string place_text(const Place& place) {
  if (place.kind == PlaceKind::Wire) return "a wire";
  if (place.kind == PlaceKind::Outside) return "the outside";
  if (place.kind == PlaceKind::Tunnel)
    return fmt::format("tunnel {}{}{}", place.name, place.host.empty() ? "" : " at ", place.host);
  if (place.host.empty()) return fmt::format("{} {}", name(place.kind), place.name);
  if (place.kind == PlaceKind::Vm) return fmt::format("VM {} on {}", place.name, place.host);
  if (place.kind == PlaceKind::Namespace && place.name == "root")
    return "the root namespace of " + place.host;
  return fmt::format("{} on {}", place.name, place.host);
}

Provenance row_of(const Step& step) {
  return std::visit(
      overloaded{[](const Changed&) { return Provenance{}; }, [](const Tracked&) { return Provenance{}; },
                 [](const auto& s) { return s.at; }},
      step);
}

// What of a step makes the way another, in words; "" nothing.
std::string passage_of(const Step& step) {
  return std::visit(
      overloaded{[](const Translated& s) { return fmt::format("{} {} to {}", s.what, s.before, s.after); },
                 [](const Encapsulated& s) {
                   return fmt::format("{} {} from {} to {}", s.tunnel.type, s.tunnel.vni,
                                      to_string(s.tunnel.source), to_string(s.tunnel.destination));
                 },
                 [](const auto&) { return std::string(); }},
      step);
}

void add_direction(const Direction& direction, Answer& answer) {
  answer.directions.emplace_back(direction.verdict, direction.reason);
  answer.shown.way.push_back(fmt::format("{}:", direction.name));
  for (std::size_t i = 0; i < direction.hops.size(); ++i) {
    const Hop& hop = direction.hops[i];
    const bool stop = direction.stopped_at == i;
    if (!hop.on_path && !stop) continue;
    const bool root = hop.place.kind == PlaceKind::Namespace && hop.place.name == "root";
    answer.places.emplace(hop.place.host, root ? "" : hop.place.name);
    answer.shown.way.push_back(place_text(hop.place));
    for (const Step& step : hop.steps) {
      if (const Provenance at = row_of(step); at.known()) answer.cited.insert(at);
      if (std::string passage = passage_of(step); !passage.empty())
        answer.shown.way.push_back(std::move(passage));
    }
  }
}

}  // namespace

Answer answer_of(const Asker& asker, const Ask& ask) {
  Answer answer;
  const auto trace = asker.ask(ask);
  if (!trace) {
    answer.shown.failure = trace.error().message;
    return answer;
  }
  answer.from = trace->question.from.name;
  answer.to = trace->question.to.name;
  answer.shown.verdict = trace->verdict;
  answer.shown.reason = trace->reason;
  for (const Direction& direction : trace->directions) add_direction(direction, answer);
  for (const Direction& direction : trace->directions) {
    if (arrives(direction.verdict) || !direction.stopped_at || *direction.stopped_at >= direction.hops.size())
      continue;
    answer.shown.stopped =
        fmt::format("{}, {}", direction.name, place_text(direction.hops[*direction.stopped_at].place));
    break;
  }
  return answer;
}

std::vector<Asked> ask_both(const Network& before, const Network& after, std::span<const Ask> questions) {
  std::vector<Asked> all(questions.size());
  const Asker was(before), is(after);
  std::atomic<std::size_t> next = 0;
  const auto work = [&] {
    for (std::size_t i = next++; i < questions.size(); i = next++)
      all[i] = {i, answer_of(was, questions[i]), answer_of(is, questions[i])};
  };
  const std::size_t cores = std::max<std::size_t>(1, std::thread::hardware_concurrency());
  std::vector<std::jthread> others;
  for (std::size_t core = 1; core < std::min(cores, questions.size()); ++core) others.emplace_back(work);
  work();
  return all;
}

std::string packet_words(const PacketSpec& packet) {
  std::string words = !packet.flow.empty() ? packet.flow
                      : packet.dst_port    ? fmt::format("{}/{}", packet.protocol, *packet.dst_port)
                                           : packet.protocol;
  if (packet.size) words += fmt::format(" of {} bytes", *packet.size);
  return words;
}

}  // namespace dvrtrace::diff
