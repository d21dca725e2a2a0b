#include "tracer/engine/judge.h"

#include <algorithm>

namespace dvrtrace {
namespace {

constexpr std::size_t kNone = static_cast<std::size_t>(-1);
constexpr std::uint16_t kReply = 2;  // ARP's operation

const Stopped* stop_in(const Hop& hop) {
  const Stopped* last = nullptr;
  for (const Step& step : hop.steps) {
    if (const auto* stopped = std::get_if<Stopped>(&step)) last = stopped;
  }
  return last;
}

// Is the hop one of the copies that a flood sends everywhere?
bool by_flood(const Direction& direction, std::size_t hop) {
  for (auto at = direction.hops[hop].parent; at; at = direction.hops[*at].parent) {
    for (const Step& step : direction.hops[*at].steps) {
      const auto* switched = std::get_if<Switched>(&step);
      if (switched != nullptr && switched->ports.size() > 1) return true;
    }
  }
  return false;
}

// How much a stop says about why the packet did not arrive.
enum class Weight { None, WrongPlace, IdleCopy, IdleAtItsHost, Stop, Unknown, AtItsHost };

Weight weight(const Direction& direction, std::size_t hop, const std::string& host) {
  const Stopped* stopped = stop_in(direction.hops[hop]);
  if (stopped == nullptr) return Weight::None;
  if (stopped->reason == Reason::NotForThisHost || stopped->reason == Reason::FloodEmpty)
    return Weight::WrongPlace;
  const bool there = !host.empty() && direction.hops[hop].place.host == host;
  const bool idle = stopped->reason == Reason::DropFlow || stopped->reason == Reason::TableMiss ||
                    stopped->reason == Reason::NotForwarded;
  if (idle && by_flood(direction, hop)) return there ? Weight::IdleAtItsHost : Weight::IdleCopy;
  if (stopped->verdict == Verdict::Unknown)
    return Weight::Unknown;  // what is not known must not look like a drop
  return there && !idle ? Weight::AtItsHost : Weight::Stop;
}

}  // namespace

std::optional<std::size_t> stop_of(const Direction& direction, const std::string& host) {
  std::optional<std::size_t> best;
  Weight best_weight = Weight::None;
  for (std::size_t i = 0; i < direction.hops.size(); ++i) {
    const Weight own = weight(direction, i, host);
    // Of stops that say the same, the one that got furthest.
    if (own == Weight::None || own < best_weight || (own == best_weight && own != Weight::Stop)) continue;
    best = i;
    best_weight = own;
  }
  return best;
}

void settle(Direction& direction, std::optional<std::size_t> end, Verdict verdict, Reason reason) {
  direction.verdict = verdict;
  direction.reason = reason;
  for (auto at = end; at; at = direction.hops[*at].parent) direction.hops[*at].on_path = true;
  for (Crossing& crossing : direction.crossings) {
    crossing.on_path = crossing.hop < direction.hops.size() && direction.hops[crossing.hop].on_path;
  }
}

std::optional<Direction> take_answer(Direction& request) {
  const auto first =
      std::ranges::find_if(request.hops, [](const Hop& hop) { return hop.arrived.arp_op == kReply; });
  if (first == request.hops.end() || !first->parent) return std::nullopt;
  const std::size_t responder = *first->parent;
  Direction reply;
  reply.name = "reply";
  std::vector<Hop> kept;
  std::vector<std::size_t> moved(request.hops.size(), kNone), stayed(request.hops.size(), kNone);
  for (std::size_t i = 0; i < request.hops.size(); ++i) {
    Hop hop = std::move(request.hops[i]);
    const bool answer = hop.arrived.arp_op == kReply;
    auto& at = answer ? moved : stayed;
    if (hop.parent) hop.parent = at[*hop.parent] == kNone ? std::nullopt : std::optional(at[*hop.parent]);
    at[i] = answer ? reply.hops.size() : kept.size();
    (answer ? reply.hops : kept).push_back(std::move(hop));
  }
  std::vector<Crossing> crossings;
  for (Crossing& crossing : request.crossings) {
    const bool answer = crossing.packet.arp_op == kReply;
    const auto& at = answer ? moved : stayed;
    crossing.hop = crossing.hop < at.size() ? at[crossing.hop] : kNone;
    (answer ? reply.crossings : crossings).push_back(std::move(crossing));
  }
  request.hops = std::move(kept);
  request.crossings = std::move(crossings);
  request.hops[stayed[responder]].steps.push_back(
      Stopped{Verdict::Delivered, Reason::ToHost, "a flow answers for the address asked for", {}, {}});
  settle(request, stayed[responder], Verdict::Delivered, Reason::ToHost);
  for (std::size_t i = 0; i < reply.hops.size(); ++i) {
    if (reply.hops[i].place.kind == PlaceKind::Vm) settle(reply, i, Verdict::Delivered, Reason::ToVm);
  }
  return reply;
}

}  // namespace dvrtrace
