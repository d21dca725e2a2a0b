#include "tracer/verify/conclude.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <ranges>

#include "tracer/verify/clocks.h"
#include "tracer/verify/verify.h"

namespace dvrtrace::verify {
namespace {

// Where captures lose packets, so many of a flow must be missing that chance alone is out of the question.
constexpr double kChance = 0.001;
// Captures that are farther apart than this were not taken together; clocks rarely are.
constexpr std::int64_t kApart = 60'000'000'000;

bool is_error(const Direction& direction) {
  if (direction.crossings.empty()) return false;
  const Headers& h = direction.crossings.front().packet;
  if (!h.icmp_type) return false;
  return h.protocol == 1 ? *h.icmp_type == 3 || *h.icmp_type == 11 : *h.icmp_type >= 1 && *h.icmp_type <= 4;
}

// Whether an answer is part of the protocol, not just usual.
bool must_be_answered(const Direction& request) {
  constexpr std::uint8_t kUdp = 17;
  if (request.crossings.empty()) return false;
  const Headers& h = request.crossings.front().packet;
  return h.arp_op || h.protocol != kUdp || h.dst_port == 67 || h.dst_port == 53;
}

std::string packets_text(std::uint64_t count) {
  return fmt::format("{} packet{}", count, count == 1 ? "" : "s");
}

class Concluding {
 public:
  explicit Concluding(const Findings& findings) : f_(findings), clocks_(findings.points, findings.tallies) {}

  Verification run() {
    measure_losses();
    for (std::size_t i = 0; i < f_.tallies.size(); ++i) {
      verification_.directions.push_back(direction(i));
    }
    verification_.clocks = clocks_.offsets();
    return std::move(verification_);
  }

 private:
  const Direction& direction_of(std::size_t i) const { return *f_.tallies[i].expected().direction; }
  bool captured(const Tally& tally, std::size_t crossing) const {
    return f_.captured[tally.expected().points[crossing]];
  }
  CapturePoint point(const Tally& tally, std::size_t crossing) const {
    return f_.points.at(tally.expected().points[crossing]);
  }

  // How likely it is that a packet which passed a point is not in its capture.
  void measure_losses() {
    std::uint64_t holes = 0, seen = 0;
    for (const Tally& tally : f_.tallies) {
      for (const CrossingTally& crossing : tally.crossings()) {
        holes += crossing.seen == 0 ? 0 : crossing.holes;
        seen += crossing.seen;
      }
    }
    losing_ = holes == 0 ? 0.0 : static_cast<double>(holes) / static_cast<double>(holes + seen);
  }

  // That a reply came proves that the request arrived.
  bool answered(std::size_t i) const {
    if (i != 0 || f_.tallies.size() < 2 || f_.tallies[1].packets == 0) return false;
    return arrives(direction_of(0).verdict) && !is_error(direction_of(1));
  }

  // Nothing of a direction is in the captures of a point, though its packets were seen on both sides.
  bool lacks_what_passed(std::uint32_t point) const {
    for (const Tally& tally : f_.tallies) {
      for (const std::size_t i : tally.expected().at(point)) {
        if (tally.crossings()[i].seen == 0 && tally.crossings()[i].holes != 0) return true;
      }
    }
    return false;
  }

  bool of_another_time(std::uint32_t point) const {
    std::optional<std::int64_t> first, last;
    for (const Tally& tally : f_.tallies) {
      for (std::size_t i = 0; i < tally.crossings().size(); ++i) {
        if (tally.crossings()[i].seen == 0) continue;
        for (const Capture* capture : captures_at(tally.expected().points[i])) {
          if (!capture->first) continue;
          first = std::min(first.value_or(*capture->first), *capture->first);
          last = std::max(last.value_or(*capture->last), *capture->last);
        }
      }
    }
    bool apart = first.has_value(), some = false;
    for (const Capture* capture : captures_at(point)) {
      if (!capture->first) continue;
      some = true;
      apart = apart && (*capture->first > *last + kApart || *capture->last < *first - kApart);
    }
    return some && apart;
  }

  std::vector<const Capture*> captures_at(std::uint32_t point) const {
    const auto found = f_.captures_of.find(point);
    return found == f_.captures_of.end() ? std::vector<const Capture*>{} : found->second;
  }

  // Why it proves nothing that a packet is not in the captures of a point; "" when it does.
  std::string doubt(std::uint32_t point, std::uint64_t passed) const {
    for (const Capture* capture : captures_at(point)) {
      if (!capture->fault.empty()) return "the capture is damaged: " + capture->fault;
      if (capture->cut_short != 0)
        return fmt::format("{} of this capture are cut before their addresses can be read",
                           packets_text(capture->cut_short));
      if (capture->incomplete) return "the capture says itself that it lost packets";
    }
    if (lacks_what_passed(point)) return "this capture lacks packets that went on behind it";
    if (of_another_time(point)) return "this capture was taken at another time";
    if (losing_ > 0 && std::pow(losing_, static_cast<double>(passed)) > kChance) {
      return fmt::format(
          "the captures lack {:.0f} % of what they should show, so {} missing here may be chance",
          losing_ * 100, packets_text(passed));
    }
    return "";
  }

  void fill_crossing(std::size_t index, std::size_t i, CrossingVerification& out) const {
    const Tally& tally = f_.tallies[index];
    const CrossingTally& counted = tally.crossings()[i];
    const bool on_path = direction_of(index).crossings[i].on_path;
    out.packets = counted.seen;
    out.expected = counted.passed_before;
    out.lost = counted.lost;
    out.duplicates = counted.duplicates;
    out.merged = counted.merged;
    for (const auto& [kind, alteration] : counted.altered) out.altered.push_back(alteration);
    if (!captured(tally, i)) {
      out.state = CrossingState::NotCaptured;
    } else if (counted.seen != 0) {
      out.state = out.altered.empty() ? CrossingState::Seen : CrossingState::Altered;
    } else if (on_path && (counted.holes != 0 || (answered(index) && tally.packets != 0))) {
      out.state = CrossingState::Missed;
      out.note =
          counted.holes != 0 ? "it was seen behind it" : "an answer came, so the request must have passed";
      const std::string why = doubt(tally.expected().points[i], 1);
      if (!why.empty() && !lacks_what_passed(tally.expected().points[i])) {
        out.state = CrossingState::CannotTell;
        out.note = why;
      }
    } else {
      out.note = doubt(tally.expected().points[i], std::max<std::uint64_t>(1, counted.passed_before));
      out.state = out.note.empty() ? CrossingState::NotSeen : CrossingState::CannotTell;
    }
  }

  void add_latencies(const Tally& tally, DirectionVerification& out) const {
    for (const auto& [pair, samples] : tally.times()) {
      std::optional<Latency>& latency = out.crossings[pair.second].latency;
      if (latency && latency->samples >= samples.count()) continue;
      const std::uint32_t from = tally.expected().points[pair.first],
                          to = tally.expected().points[pair.second];
      const std::optional<std::int64_t> ahead = clocks_.ahead(from, to);
      latency = Latency{pair.first,
                        samples.count(),
                        samples.quantile(0.5) - ahead.value_or(0),
                        samples.quantile(0.99) - ahead.value_or(0),
                        f_.points.host(from) != f_.points.host(to),
                        ahead.has_value()};
    }
  }

  // The hops between a crossing and a later one, or the end of the way.
  std::vector<std::size_t> hops_between(const Direction& direction, std::size_t after,
                                        std::optional<std::size_t> before) const {
    const std::size_t first = direction.crossings[after].hop;
    std::optional<std::size_t> hop;
    if (before && direction.crossings[*before].hop < direction.hops.size()) {
      hop = direction.hops[direction.crossings[*before].hop].parent;
    } else if (direction.stopped_at) {
      hop = direction.stopped_at;
    } else {
      for (std::size_t i = 0; i < direction.hops.size(); ++i) {
        if (direction.hops[i].on_path) hop = i;
      }
    }
    std::vector<std::size_t> hops;
    for (std::size_t steps = 0; hop && *hop < direction.hops.size() && steps <= direction.hops.size();
         ++steps) {
      hops.push_back(*hop);
      if (*hop == first) break;
      hop = direction.hops[*hop].parent;
    }
    std::ranges::reverse(hops);
    return hops;
  }

  // The latest sighting off the way, of packets that were last seen on it at `reached`.
  struct Branch {
    std::uint32_t point = 0;
    bool predicted = false;
    std::uint64_t packets = 0;
  };
  std::optional<Branch> last_branch(const Tally& tally, std::size_t reached, bool predicted_ones) const {
    std::optional<Branch> best;
    std::int64_t latest = 0;
    for (const auto& [where, samples] : tally.beyond()) {
      if (where.reached != reached || !in_dumps(where.point) || (where.predicted && !predicted_ones))
        continue;
      const bool from_somewhere = reached != Tally::kNone;
      const std::int64_t ahead =
          from_somewhere ? clocks_.ahead(tally.expected().points[reached], where.point).value_or(0) : 0;
      const std::int64_t after = samples.quantile(0.5) - ahead;
      // A bridge's device and the port that leads into it see a packet at the same time.
      const bool same_time =
          after == 0 && where.predicted && (!from_somewhere || listed_behind(tally, where.point, reached));
      if (best ? after <= latest : after <= 0 && !same_time) continue;
      latest = after;
      best = Branch{where.point, where.predicted, samples.count()};
    }
    return best;
  }
  static bool listed_behind(const Tally& tally, std::uint32_t point, std::size_t crossing) {
    const std::vector<std::size_t>& here = tally.expected().at(point);
    return !here.empty() && here.back() > crossing;
  }
  bool in_dumps(std::uint32_t point) const {
    return !f_.cloud.has_device || f_.cloud.has_device(f_.points.at(point));
  }

  // A predicted tunnel whose way over the network below no dump shows, as behind routers: it may pass anywhere there.
  static bool in_hidden_tunnel(const Direction& direction, const Headers& packet) {
    if (!packet.encapsulation) return false;
    const auto same = [&](const Headers& other) { return other.encapsulation == packet.encapsulation; };
    return std::ranges::any_of(
               direction.hops,
               [&](const Hop& hop) { return hop.place.kind == PlaceKind::Tunnel && same(hop.arrived); }) &&
           std::ranges::none_of(direction.crossings,
                                [&](const Crossing& crossing) { return same(crossing.packet); });
  }

  void find_stop(std::size_t index, DirectionVerification& out) const {
    const Tally& tally = f_.tallies[index];
    const Direction& direction = direction_of(index);
    if (tally.reached().empty() || answered(index)) return;
    // kNone is greater than all: it counts only where nothing else does.
    auto furthest = tally.reached().rbegin();
    if (furthest->first == Tally::kNone && tally.reached().size() > 1) ++furthest;
    const auto [reached, packets] = *furthest;
    std::optional<std::size_t> before, end;
    bool doubted = false;
    for (std::size_t i = 0; i < direction.crossings.size(); ++i) {
      if (!direction.crossings[i].on_path) continue;
      end = i;
      if ((reached != Tally::kNone && i <= reached) || before) continue;
      if (out.crossings[i].state == CrossingState::NotSeen) before = i;
      if (out.crossings[i].state == CrossingState::CannotTell) doubted = true;
    }
    const bool at_end = reached == end || (reached == Tally::kNone && !end);
    // Beyond the end of a way that arrives only what was not predicted is worth a word.
    const auto branch = last_branch(tally, reached, !(at_end && arrives(direction.verdict)));
    if (at_end && arrives(direction.verdict) && (!branch || index != 0)) return;
    if (reached == Tally::kNone && !branch) return;
    PacketStop stop;
    stop.packets = packets;
    stop.predicted = at_end && direction.verdict != Verdict::Unknown && !arrives(direction.verdict);
    stop.proven = before.has_value();
    if (before) stop.before = point(tally, *before);
    if (reached != Tally::kNone) {
      stop.after = point(tally, reached);
      stop.after_crossing = stop.way_end = reached;
      stop.hops = hops_between(direction, reached, before);
    }
    if (branch) {
      stop.after = f_.points.at(branch->point);
      stop.after_crossing.reset();
      if (branch->predicted) stop.after_crossing = tally.expected().at(branch->point).back();
      stop.packets = branch->packets;
      stop.predicted = stop.predicted && branch->predicted;
    }
    if (!stop.proven && doubted && !stop.predicted) return;
    out.stop = std::move(stop);
  }

  void add_extras(const Tally& tally, DirectionVerification& out) {
    for (const auto& [kind, extra] : tally.extras()) {
      const CapturePoint& where = f_.points.at(extra.point);
      if (!in_dumps(extra.point) || in_hidden_tunnel(*tally.expected().direction, extra.packet)) {
        const auto known =
            std::ranges::find(verification_.elsewhere, where, &std::pair<CapturePoint, std::uint64_t>::first);
        if (known != verification_.elsewhere.end())
          known->second += extra.packets;
        else
          verification_.elsewhere.emplace_back(where, extra.packets);
        continue;
      }
      UnpredictedSighting sighting{
          where, extra.packet, extra.packets, extra.copies == extra.packets, extra.after, {}};
      if (f_.cloud.explain)
        sighting.explained_by =
            f_.cloud.explain(*tally.expected().direction, extra.after, where, extra.packet);
      out.unpredicted.push_back(std::move(sighting));
    }
  }

  // --- words ---------------------------------------------------------------------------------------------

  void set(DirectionVerification& out, Agreement agreement, std::string text) const {
    out.agreement = agreement;
    out.text = std::move(text);
  }

  std::string places_text(const Direction& direction, const std::vector<std::size_t>& hops) const {
    std::vector<std::string> names;
    for (const std::size_t hop : hops) {
      const Place& place = direction.hops[hop].place;
      std::string text = place.kind == PlaceKind::Tunnel ? "the tunnel " + place.name
                         : place.kind == PlaceKind::Wire ? "the wire " + place.name
                         : place.host.empty()            ? place.name
                                                         : fmt::format("{} on {}", place.name, place.host);
      if (std::ranges::find(names, text) == names.end()) names.push_back(std::move(text));
    }
    return fmt::format("{}", fmt::join(names, ", "));
  }

  std::string stop_text(const Direction& direction, const PacketStop& stop) const {
    std::string text = fmt::format("{} last seen at {}", packets_text(stop.packets), to_string(stop.after));
    if (stop.before)
      text += fmt::format(", not at {}", to_string(*stop.before));
    else if (!stop.predicted)
      text += ", and nothing behind it was captured";
    if (stop.way_end && stop.after_crossing != stop.way_end)
      text += fmt::format("; on the way at {}",
                          to_string(CapturePoint{direction.crossings[*stop.way_end].host,
                                                 direction.crossings[*stop.way_end].netns,
                                                 direction.crossings[*stop.way_end].device}));
    if (stop.way_end && !stop.hops.empty())
      text += fmt::format("; between: {}", places_text(direction, stop.hops));
    if (!stop.after_crossing) text += ", where the prediction does not have it";
    return text;
  }

  void judge_no_packets(std::size_t index, DirectionVerification& out) {
    const Tally& tally = f_.tallies[index];
    const Direction& direction = direction_of(index);
    const bool reply = index != 0;
    if (!reply) {
      if (!f_.questions.empty()) return judge_question(out);
      return set(out, Agreement::CannotTell,
                 tally.other_ttl != 0
                     ? "the packets of the flow that are captured have another TTL than was asked about"
                     : "no packet of the flow is in the captures");
    }
    const DirectionVerification& request = verification_.directions[0];
    if (request.packets == 0)
      return set(out, Agreement::CannotTell, "no packet of the flow is in the captures");
    if (request.stop && (request.stop->proven || !request.stop->after_crossing))
      return set(out, Agreement::CannotTell, "not expected: the request did not arrive");
    for (std::size_t i = 0; i < direction.crossings.size(); ++i) {
      if (!direction.crossings[i].on_path || out.crossings[i].state != CrossingState::NotSeen) continue;
      if (!must_be_answered(direction_of(0)))
        return set(out, Agreement::CannotTell, "no answer was seen; none has to come");
      PacketStop stop;
      if (request.stop) {
        stop.after = request.stop->after;
        stop.packets = request.stop->packets;
      } else {
        for (const auto& [reached, packets] : f_.tallies[0].reached()) {
          if (reached == Tally::kNone) continue;
          stop.after = point(f_.tallies[0], reached);
          stop.packets = packets;
        }
      }
      stop.before = point(tally, i);
      stop.proven = true;
      if (direction.verdict == Verdict::Unknown)
        return set(out, Agreement::CannotTell, "no answer was seen; the prediction does not know its way");
      set(out, Agreement::Disagrees,
          fmt::format("no answer was seen at {}; the request was last seen at {}", to_string(*stop.before),
                      to_string(stop.after)));
      out.stop = std::move(stop);
      return;
    }
    set(out, Agreement::CannotTell, "no answer was seen where the captures could tell");
  }

  // The packet itself was never sent, because nobody answers for the next hop.
  void judge_question(DirectionVerification& out) const {
    const Findings::Question& last = *std::ranges::max_element(f_.questions);
    PacketStop stop;
    stop.after = f_.points.at(last.point);
    stop.packets = last.packets;
    stop.resolution = true;
    out.stop = stop;
    set(out, Agreement::Disagrees,
        fmt::format(
            "the packet was not sent: its sender asks for a MAC address, last seen at {}, and gets no answer",
            to_string(stop.after)));
  }

  void judge_direction(std::size_t index, DirectionVerification& out) {
    const Direction& direction = direction_of(index);
    if (out.packets == 0) return judge_no_packets(index, out);
    for (std::size_t i = 0; i < out.crossings.size(); ++i) {
      if (out.crossings[i].state != CrossingState::Altered) continue;
      const Alteration& alteration = out.crossings[i].altered.front();
      std::string text =
          fmt::format("altered at {}: {} {}, predicted {}", to_string(point(f_.tallies[index], i)),
                      alteration.field, alteration.found, alteration.expected);
      if (out.stop) text += "; " + stop_text(direction, *out.stop);
      return set(out, Agreement::Disagrees, std::move(text));
    }
    const bool open_end = direction.verdict == Verdict::Unknown;
    if (out.stop && !out.stop->predicted && out.stop->proven && !open_end)
      return set(out, Agreement::Disagrees, stop_text(direction, *out.stop));
    if (!out.unpredicted.empty() && !open_end) {
      const UnpredictedSighting& sighting = out.unpredicted.front();
      return set(out, Agreement::Disagrees,
                 fmt::format("{} seen at {}, where the prediction has none", packets_text(sighting.packets),
                             to_string(sighting.point)));
    }
    if (index == 0 && f_.answers != 0 && !arrives(direction.verdict) && !open_end) {
      return set(out, Agreement::Disagrees,
                 "an answer came back, though the request is predicted not to arrive");
    }
    for (std::size_t i = 0; i < out.crossings.size(); ++i) {
      if (!direction.crossings[i].on_path) continue;
      if (out.crossings[i].state == CrossingState::Missed) {
        return set(out, Agreement::CannotTell,
                   fmt::format("not seen at {}, though it went on: the capture lacks it, or it went around",
                               to_string(point(f_.tallies[index], i))));
      }
    }
    if (open_end) return set(out, Agreement::CannotTell, "as predicted up to where the dumps stop telling");
    judge_end(index, out);
  }

  void judge_end(std::size_t index, DirectionVerification& out) const {
    const Direction& direction = direction_of(index);
    std::size_t seen = 0, missing = 0;
    bool end_seen = false;
    std::string doubt;
    const bool any_on_path = std::ranges::any_of(direction.crossings, &Crossing::on_path);
    for (std::size_t i = 0; i < out.crossings.size(); ++i) {
      if (direction.crossings[i].on_path != any_on_path) continue;
      end_seen = out.crossings[i].state == CrossingState::Seen;
      seen += end_seen ? 1 : 0;
      missing += out.crossings[i].state == CrossingState::NotCaptured ? 1 : 0;
      if (out.crossings[i].state == CrossingState::CannotTell && doubt.empty()) doubt = out.crossings[i].note;
    }
    const std::string all = fmt::format("{}, as predicted at {} crossing{}", packets_text(out.packets), seen,
                                        seen == 1 ? "" : "s") +
                            (missing == 0 ? "" : fmt::format("; {} not captured", missing));
    if (arrives(direction.verdict) && !end_seen && !answered(index)) {
      return set(out, Agreement::CannotTell,
                 all + (doubt.empty() ? "; whether it arrives is not captured" : "; " + doubt));
    }
    set(out, Agreement::Agrees, out.stop && out.stop->predicted ? all + "; it ends where predicted" : all);
  }

  DirectionVerification direction(std::size_t index) {
    const Tally& tally = f_.tallies[index];
    DirectionVerification out;
    out.name = direction_of(index).name;
    out.packets = tally.packets;
    out.passed_over = tally.other_ttl;
    out.crossings.resize(tally.crossings().size());
    for (std::size_t i = 0; i < out.crossings.size(); ++i) fill_crossing(index, i, out.crossings[i]);
    add_latencies(tally, out);
    find_stop(index, out);
    add_extras(tally, out);
    judge_direction(index, out);
    return out;
  }

  const Findings& f_;
  Clocks clocks_;
  Verification verification_;
  double losing_ = 0;
};

}  // namespace

Verification conclude(const Findings& findings) { return Concluding(findings).run(); }

void conclude_errors(Verification& verification) {
  for (DirectionVerification& direction : verification.directions) {
    if (direction.errors.empty() || direction.agreement == Agreement::Disagrees) continue;
    const IcmpErrorSighting& error = direction.errors.front();
    direction.agreement = Agreement::Disagrees;
    direction.text = fmt::format("{} answers with an ICMP error, type {} code {}, seen at {}",
                                 to_string(error.sender), error.type, error.code, to_string(error.point));
  }
}

void conclude_whole(const Trace& trace, Verification& verification) {
  verification.agreement = Agreement::Agrees;
  for (std::size_t i = 0; i < verification.directions.size(); ++i) {
    const DirectionVerification& direction = verification.directions[i];
    // A reply that need not come says nothing when it does not.
    const bool optional = i != 0 && direction.packets == 0 && !must_be_answered(trace.directions[0]) &&
                          direction.agreement == Agreement::CannotTell;
    const bool worse = direction.agreement == Agreement::Disagrees ||
                       (direction.agreement == Agreement::CannotTell &&
                        verification.agreement == Agreement::Agrees && !optional);
    if (!worse || verification.agreement == Agreement::Disagrees) continue;
    verification.agreement = direction.agreement;
    verification.text = direction.name + ": " + direction.text;
  }
  if (verification.directions.empty()) verification.agreement = Agreement::CannotTell;
  if (verification.agreement != Agreement::Agrees) return;
  for (const DirectionVerification& direction : verification.directions) {
    verification.text += (verification.text.empty() ? "" : "; ") + direction.name + ": " + direction.text;
  }
}

}  // namespace dvrtrace::verify
