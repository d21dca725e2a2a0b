#include "tracer/verify/verify.h"

#include <fmt/format.h>

#include <algorithm>

#include "tracer/verify/conclude.h"

namespace dvrtrace::verify {
namespace {

constexpr std::size_t kMostKinds = 64;  // of errors and of other networks

std::vector<std::uint32_t> points_of(const Direction& direction, Points& points) {
  std::vector<std::uint32_t> numbers;
  for (const Crossing& crossing : direction.crossings)
    numbers.push_back(points.number({crossing.host, crossing.netns, crossing.device}));
  return numbers;
}

}  // namespace

Verifier::Verifier(const Trace& trace, const Asked& asked, TunnelPorts ports, bool keep_bytes,
                   std::function<void(const Followed&)> each)
    : trace_(trace),
      wanted_(trace, asked, std::move(ports)),
      keep_bytes_(keep_bytes),
      each_(std::move(each)) {
  for (const Direction& direction : trace.directions) {
    tallies_.emplace_back(Expected::of(direction, points_of(direction, points_), asked), points_, captured_);
  }
  captured_.resize(points_.size());
  follower_ = std::make_unique<Follower>(points_, [this](Packet& packet) { close(packet); });
}

std::size_t Verifier::capture(Capture capture) {
  const std::uint32_t point = points_.number(capture.point);
  captured_.resize(points_.size());
  if (!capture.point.device.empty()) captured_[point] = true;
  captures_.push_back(std::move(capture));
  point_of_.push_back(point);
  strange_.push_back(0);
  return captures_.size() - 1;
}

Wanted::Match Verifier::look(std::size_t capture, const Record& record, int link_type, Look& look) {
  Capture& here = captures_[capture];
  ++here.packets;
  if (!here.first || record.time < *here.first) here.first = record.time;
  if (!here.last || record.time > *here.last) here.last = record.time;
  const Wanted::Match match = wanted_.match(record, link_type, look);
  if (match.kind != Wanted::Kind::Nothing) return match;
  switch (look.state) {
    case Look::State::Short:
      ++here.cut_short;
      break;
    case Look::State::Malformed:
      ++here.malformed;
      break;
    case Look::State::Strange:
      ++strange_[capture];
      break;
    default:
      break;
  }
  return match;
}

void Verifier::add(std::size_t capture, const Record& record, int link_type) {
  Look found;
  const Wanted::Match match = look(capture, record, link_type, found);
  if (match.kind != Wanted::Kind::Nothing) take(capture, record, found, match);
}

void Verifier::take(std::size_t capture, const Record& record, const Look& look, const Wanted::Match& match) {
  const std::uint32_t point = point_of_[capture];
  if (captures_[capture].point.device.empty()) return;
  if (match.kind == Wanted::Kind::Question) {
    Unanswered& question = questions_[point];
    ++question.packets;
    question.point = point;
    question.time = record.time;
    return;
  }
  if (match.kind == Wanted::Kind::Answer) {
    ++answers_;
    return;
  }
  // The parts behind the first one have neither ports nor a payload of their own; the first stands for all.
  if (look.state == Look::State::Ip && look.fragment != 0) return;
  Dissected dissected = dissect(look);
  if (dissected.malformed) ++captures_[capture].malformed;
  ++captures_[capture].matching;
  Sighting sighting{
      point,          record.time, std::move(dissected.headers), dissected.ethernet, 0, 0, record.length,
      look.link_type, nullptr};
  if (dissected.identity.segment) {
    sighting.sequence = dissected.identity.sequence;
    sighting.payload = dissected.identity.payload;
  }
  if (keep_bytes_)
    sighting.bytes =
        std::make_shared<const std::vector<std::uint8_t>>(record.bytes.begin(), record.bytes.end());
  for (std::size_t i = 0; i < tallies_.size(); ++i) {
    if ((match.directions >> i & 1) != 0) tallies_[i].saw(sighting);
  }
  follower_->add(dissected.identity, match.directions, match.kind == Wanted::Kind::Error,
                 std::move(sighting));
}

void Verifier::adopt(const Packet& packet, const Points& points) {
  Packet own = packet;
  for (Sighting& sighting : own.sightings) {
    sighting.point = points_.number(points.at(sighting.point));
    for (Tally& tally : tallies_) tally.saw(sighting);
  }
  captured_.resize(points_.size());
  close(own);
}

void Verifier::close(Packet& packet) {
  if (packet.icmp_error && packet.directions == 0) {
    note_error(packet);
    return;
  }
  std::optional<std::size_t> other_network;
  for (std::size_t i = 0; i < tallies_.size(); ++i) {
    if ((packet.directions >> i & 1) == 0) continue;
    judge(tallies_[i].expected(), packet, judged_);
    switch (judged_.kind) {
      case Judged::Kind::Ours:
        tallies_[i].add(packet, judged_);
        if (each_) each_({points_, packet, i, judged_});
        return;
      case Judged::Kind::OtherTtl:
        ++tallies_[i].other_ttl;
        return;
      case Judged::Kind::OtherNetwork:
        other_network = judged_.first_ours;
        break;
      case Judged::Kind::Other:
        break;
    }
  }
  if (!other_network) return;
  const Sighting& sighting = packet.sightings[*other_network];
  const Headers& h = sighting.headers;
  const std::string kind = fmt::format("{} {} {}", sighting.point, h.encapsulation ? h.encapsulation->vni : 0,
                                       h.encapsulation ? 0 : h.eth_src.value);
  if (others_.size() >= kMostKinds && !others_.contains(kind)) return;
  OtherNetwork& other = others_[kind];
  if (other.packets++ == 0) {
    other.point = points_.at(sighting.point);
    other.packet = h;
  }
}

void Verifier::note_error(const Packet& packet) {
  for (const Sighting& sighting : packet.sightings) {
    const Headers& h = sighting.headers;
    if (!h.ip_src || !h.ip_dst || !h.icmp_type) continue;
    // It goes to the sender of what it is about.
    const bool about_request =
        !tallies_.empty() && !tallies_[0].expected().direction->crossings.empty() &&
        std::ranges::any_of(tallies_[0].expected().direction->crossings,
                            [&](const Crossing& crossing) { return crossing.packet.ip_src == h.ip_dst; });
    const std::string kind = fmt::format("{} {} {} {}", sighting.point, to_string(*h.ip_src), *h.icmp_type,
                                         h.icmp_code.value_or(0));
    auto& errors = errors_[about_request ? 0 : 1];
    if (errors.size() >= kMostKinds && !errors.contains(kind)) continue;
    IcmpErrorSighting& error = errors[kind];
    if (error.packets++ == 0)
      error = {points_.at(sighting.point), *h.ip_src, *h.icmp_type, h.icmp_code.value_or(0), 1};
  }
}

Verification Verifier::finish(const Cloud& cloud) {
  follower_->finish();
  Findings findings{trace_, points_, captured_, tallies_, {}, answers_, cloud, {}};
  for (std::size_t i = 0; i < captures_.size(); ++i) {
    Capture& capture = captures_[i];
    // Not one frame of a known kind: the file says Ethernet, or what it says, and is something else.
    const bool unreadable = capture.packets != 0 && strange_[i] + capture.malformed == capture.packets;
    if (unreadable && capture.fault.empty())
      capture.fault = "none of its frames is of a known kind: it may be of another link type than it says";
    capture.incomplete = capture.incomplete || !capture.fault.empty();
    findings.captures_of[point_of_[i]].push_back(&capture);
    if (cloud.has_device && !capture.point.device.empty()) capture.in_dumps = cloud.has_device(capture.point);
  }
  for (const auto& [point, question] : questions_)
    findings.questions.push_back({question.time, point, question.packets});
  Verification verification = conclude(findings);
  for (std::size_t i = 0; i < verification.directions.size() && i < 2; ++i) {
    for (auto& [kind, error] : errors_[i]) verification.directions[i].errors.push_back(error);
  }
  conclude_errors(verification);
  for (const Capture& capture : captures_) verification.captures.push_back(capture);
  for (auto& [kind, other] : others_) verification.others.push_back(std::move(other));
  verification.undecided = follower_->closed_early();
  conclude_whole(trace_, verification);
  return verification;
}

}  // namespace dvrtrace::verify
