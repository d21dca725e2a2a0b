// dvrtrace verify --all -r DIR: every flow in the captures, predicted and compared.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "src/base/text.h"
#include "src/cli/capture_inputs.h"
#include "src/cli/console.h"
#include "src/cli/verify.h"
#include "tracer/engine/ask.h"
#include "tracer/engine/ports.h"
#include "tracer/verify/cloud.h"
#include "tracer/verify/flows.h"

namespace dvrtrace::cli {
namespace {

using Json = nlohmann::ordered_json;

struct FlowAnswer {
  std::string from, to, packet;  // as from asks them
  std::uint64_t packets = 0;
  Agreement agreement = Agreement::CannotTell;
  std::string text;
};

struct Answers {
  std::vector<FlowAnswer> flows;      // in the order of their first packets
  std::uint64_t asked_elsewhere = 0;  // sessions that somebody else began
  std::uint64_t passed_over = 0;
  std::vector<Capture> captures;
  std::uint64_t count(Agreement agreement) const {
    return static_cast<std::uint64_t>(std::ranges::count(flows, agreement, &FlowAnswer::agreement));
  }
};

// The device where all packets of a VM's port pass, as it can be captured.
std::map<CapturePoint, verify::Station> stations_of(const Network& network, const Ports& ports) {
  std::map<CapturePoint, verify::Station> stations;
  for (const CloudPort& port : ports.all()) {
    if (!port.vm || port.host == kNowhere || port.device.size() < 4) continue;
    // Of the hybrid firewall the tap is in front of the bridge, and has the rest of its name from the same port.
    const std::string tap = port.device.starts_with("qvo") ? "tap" + port.device.substr(3) : port.device;
    stations[{network.index(port.host).name, "", tap}] = {port.id.empty() ? port.device : port.id, port.mac};
  }
  return stations;
}

std::string packet_word(const verify::Session& session) {
  switch (session.protocol) {
    case 6:
      return fmt::format("tcp/{}", session.other_port);
    case 17:
      return session.other_port == 67 ? "dhcp" : fmt::format("udp/{}", session.other_port);
    case 132:
      return fmt::format("sctp/{}", session.other_port);
    default:
      return "icmp";
  }
}

Ask ask_of(const verify::Session& session, const verify::Station& station) {
  Ask ask;
  ask.from = station.port;
  ask.to = to_string(session.other);
  ask.packet.src_ip = session.own;
  const std::string word = packet_word(session);
  ask.packet.protocol = word.substr(0, word.find('/'));
  ask.packet.established = session.protocol == 6 && !session.begun;
  // What a system starts with is far above; this one was meant to end on the way.
  constexpr std::uint8_t kLowTtl = 32;
  if (session.ttl < kLowTtl && ask.packet.protocol != "dhcp") ask.packet.ttl = session.ttl;
  if (session.protocol != 1 && session.protocol != 58 && ask.packet.protocol != "dhcp")
    ask.packet.dst_port = session.other_port;
  return ask;
}

// The packets of a session, and those that its other end saw of it.
std::vector<const verify::Packet*> packets_of(const verify::Flows& flows, std::size_t session) {
  std::set<std::size_t> sessions{session};
  for (const auto& packet : flows.sessions[session].packets) {
    if (const auto found = flows.sessions_of.find(packet.get()); found != flows.sessions_of.end())
      sessions.insert(found->second.begin(), found->second.end());
  }
  std::vector<const verify::Packet*> packets;
  for (const std::size_t one : sessions) {
    for (const auto& packet : flows.sessions[one].packets) {
      if (std::ranges::find(packets, packet.get()) == packets.end()) packets.push_back(packet.get());
    }
  }
  return packets;
}

bool is_error(const Direction& direction) {
  if (direction.crossings.empty()) return false;
  const Headers& packet = direction.crossings.front().packet;
  if (!packet.icmp_type) return false;
  return packet.protocol == 1 ? *packet.icmp_type == 3 || *packet.icmp_type == 11
                              : *packet.icmp_type >= 1 && *packet.icmp_type <= 4;
}

class VerifyingAll {
 public:
  VerifyingAll(const Network& network, const verify::Flows& flows,
               const std::map<CapturePoint, verify::Station>& stations)
      : asker_(network), flows_(flows), stations_(stations), cloud_(verify::cloud_of(network)) {}

  Answers run() {
    Answers answers;
    answers.passed_over = flows_.passed_over;
    answers.captures = flows_.captures;
    std::vector<std::size_t> order(flows_.sessions.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::ranges::stable_sort(order, {}, [&](std::size_t i) { return flows_.sessions[i].first; });
    for (const std::size_t i : order) {
      if (flows_.sessions[i].asks)
        answers.flows.push_back(one(i));
      else
        ++answers.asked_elsewhere;
    }
    // A session that somebody in the captures asked is counted with its asker.
    return answers;
  }

 private:
  struct Predicted {
    std::optional<Trace> trace;
    std::string failure;
  };

  const Predicted& predict(const Ask& ask, const std::string& key) {
    const auto known = traces_.find(key);
    if (known != traces_.end()) return known->second;
    auto trace = asker_.ask(ask);
    Predicted predicted;
    if (trace) {
      predicted.trace = std::move(*trace);
      // Errors that routers send are of no session: only the way there is compared.
      std::vector<Direction>& directions = predicted.trace->directions;
      if (directions.size() > 1 && is_error(directions[1])) directions.resize(1);
    }
    if (!trace) predicted.failure = trace.error().message;
    return traces_.emplace(key, std::move(predicted)).first->second;
  }

  FlowAnswer one(std::size_t index) {
    const verify::Session& session = flows_.sessions[index];
    const verify::Station& station = stations_.at(flows_.points.at(session.station));
    const Ask ask = ask_of(session, station);
    FlowAnswer answer;
    answer.to = ask.to;
    answer.from = station.port;
    answer.packet = packet_word(session);
    answer.packets = session.sent + session.received;
    const Predicted& predicted =
        predict(ask, fmt::format("{} {} {} {} {} {}", ask.from, to_string(session.own), ask.to, answer.packet,
                                 ask.packet.established, ask.packet.ttl.value_or(0)));
    if (!predicted.trace) {
      answer.text = "cannot be asked: " + predicted.failure;
      return answer;
    }
    answer.from = predicted.trace->question.from.name;
    const Trace& trace = *predicted.trace;
    verify::Verifier verifier(trace, {std::nullopt, ask.packet.ttl});
    for (const Capture& capture : flows_.captures) verifier.capture(capture);
    for (const verify::Packet* packet : packets_of(flows_, index)) verifier.adopt(*packet, flows_.points);
    const Verification verification = verifier.finish(cloud_);
    answer.agreement = verification.agreement;
    answer.text = verification.text;
    return answer;
  }

  Asker asker_;
  const verify::Flows& flows_;
  const std::map<CapturePoint, verify::Station>& stations_;
  verify::Cloud cloud_;
  std::map<std::string, Predicted> traces_;
};

std::string print_text(const Answers& answers, const Options& options) {
  const std::uint64_t agree = answers.count(Agreement::Agrees),
                      disagree = answers.count(Agreement::Disagrees);
  std::string text = fmt::format("{} flow{}: {} agree, {} disagree, {} cannot be told\n",
                                 answers.flows.size(), answers.flows.size() == 1 ? "" : "s", agree, disagree,
                                 answers.flows.size() - agree - disagree);
  if (options.quiet || options.detail == "brief") return text;
  const auto list = [&](Agreement agreement, std::string_view head) {
    bool first = true;
    for (const FlowAnswer& flow : answers.flows) {
      if (flow.agreement != agreement) continue;
      if (first) text += fmt::format("\n{}\n", head);
      first = false;
      text +=
          fmt::format("  from {} to {} {}, {} packet{}\n      {}\n", printable(flow.from), printable(flow.to),
                      flow.packet, flow.packets, flow.packets == 1 ? "" : "s", printable(flow.text));
    }
  };
  list(Agreement::Disagrees, "disagree");
  list(Agreement::CannotTell, "cannot be told");
  if (options.detail == "full") list(Agreement::Agrees, "agree");
  bool first = true;
  for (const Capture& capture : answers.captures) {
    if (capture.fault.empty() && capture.cut_short == 0) continue;
    text += first ? "\n" : "";
    first = false;
    text += fmt::format("{}: {}\n", printable(capture.file),
                        capture.fault.empty()
                            ? fmt::format("{} packets cut before their addresses", capture.cut_short)
                            : printable(capture.fault));
  }
  if (answers.passed_over != 0)
    text += fmt::format("\n{} packets were of more flows than are kept\n", answers.passed_over);
  return text;
}

std::string print_json(const Answers& answers) {
  Json json{{"schema", "dvrtrace.verify-all/1"},
            {"tool", tool_name()},
            {"agree", answers.count(Agreement::Agrees)},
            {"disagree", answers.count(Agreement::Disagrees)},
            {"cannot_tell", answers.count(Agreement::CannotTell)},
            {"passed_over", answers.passed_over},
            {"flows", Json::array()}};
  for (const FlowAnswer& flow : answers.flows) {
    json["flows"].push_back({{"from", flow.from},
                             {"to", flow.to},
                             {"packet", flow.packet},
                             {"packets", flow.packets},
                             {"agreement", std::string(name(flow.agreement))},
                             {"text", flow.text}});
  }
  return json.dump(1, ' ', true, Json::error_handler_t::replace) + "\n";
}

}  // namespace

Outcome verify_all(const Options& options, const Network& network) {
  if (!options.words.empty())
    return fail("usage", fmt::format("verify --all takes no words, found '{}'", options.words.front()));
  auto sources = open_captures(options, host_names(network), {});
  if (!sources) return tl::unexpected<Failure>(sources.error());
  const Ports ports(network);
  const auto stations = stations_of(network, ports);
  const verify::Flows flows = verify::collect_flows(*sources, stations);
  const bool any_named = std::ranges::any_of(
      flows.captures, [&](const Capture& capture) { return stations.contains(capture.point); });
  if (!any_named) {
    return fail("no-input", "no capture is of a VM's tap: where a flow begins cannot be told",
                "captures are called HOST__NETNS__DEVICE.pcap, or named: -r HOST:DEVICE=FILE");
  }
  const Answers answers = VerifyingAll(network, flows, stations).run();
  if (!answer(options.format == "json" ? print_json(answers) : print_text(answers, options), options))
    return fail("output", "the answer could not be written");
  if (answers.count(Agreement::Disagrees) != 0) return kNotDelivered;
  return answers.flows.empty() || answers.count(Agreement::CannotTell) != 0 ? kCannotTell : kDelivered;
}

}  // namespace dvrtrace::cli
