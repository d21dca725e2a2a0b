#include "src/report/verification_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "src/base/text.h"
#include "src/report/page.h"
#include "src/report/table.h"
#include "src/report/words.h"

namespace dvrtrace {
namespace {

Paint paint_of(Agreement agreement) {
  switch (agreement) {
    case Agreement::Agrees:
      return Paint::Good;
    case Agreement::Disagrees:
      return Paint::Bad;
    case Agreement::CannotTell:
      return Paint::Doubtful;
  }
  return Paint::Plain;
}

std::string_view in_words(Agreement agreement) {
  switch (agreement) {
    case Agreement::Agrees:
      return "agrees";
    case Agreement::Disagrees:
      return "disagrees";
    case Agreement::CannotTell:
      return "cannot tell";
  }
  return "cannot tell";
}

// "85 us": three digits tell enough.
std::string duration(std::int64_t nanoseconds) {
  const auto size = static_cast<double>(nanoseconds);
  const double magnitude = std::fabs(size);
  if (magnitude < 1e3) return fmt::format("{} ns", nanoseconds);
  if (magnitude < 1e6) return fmt::format("{:.3g} us", size / 1e3);
  if (magnitude < 1e9) return fmt::format("{:.3g} ms", size / 1e6);
  return fmt::format("{:.4g} s", size / 1e9);
}

std::string packets_text(std::uint64_t count) {
  return fmt::format("{} packet{}", count, count == 1 ? "" : "s");
}

// A namespace by the name of what it belongs to; Neutron's prefix says the rest.
std::string netns_text(const std::string& netns, const Glossary& glossary) {
  if (netns.empty()) return "";
  const std::string_view called = name_in(glossary.namespaces, netns);
  const std::string shown = printable(netns);
  if (called.empty()) return shown;
  return fmt::format("{} ({})", shown.substr(0, shown.find('-') + 9), called);
}

std::string point_text(const CapturePoint& point) { return printable(to_string(point)); }

std::string state_text(const CrossingVerification& crossing) {
  if (crossing.state != CrossingState::Altered) return std::string(name(crossing.state));
  return fmt::format("altered: {}", crossing.altered.front().field);
}

std::string latency_text(const std::optional<Latency>& latency) {
  if (!latency) return "";
  std::string text = duration(latency->median);
  if (latency->samples > 1) text += " / " + duration(latency->p99);
  if (latency->across_clocks && !latency->corrected) text += " ?";
  return text;
}

class Writer {
 public:
  Writer(const Verification& verification, const Trace& trace, const VerificationContext& context)
      : v_(verification), trace_(trace), context_(context) {}

  std::string write() {
    text_ = print_verdict(v_, context_);
    for (std::size_t i = 0; i < v_.directions.size(); ++i) direction(trace_.directions[i], v_.directions[i]);
    remarks();
    return std::move(text_);
  }

 private:
  void page(const std::function<void(Page&)>& fill) {
    Page page(context_.style);
    fill(page);
    text_ += page.text();
  }

  void direction(const Direction& predicted, const DirectionVerification& found) {
    text_ += "\n";
    page([&](Page& page) {
      page.line(0, Pieces{{Paint::Strong, found.name + ": "},
                          {paint_of(found.agreement), std::string(in_words(found.agreement))},
                          {Paint::Plain, ": " + printable(found.text)}});
    });
    Table table{{"", "host", "namespace", "device", "state", "packets", "since the one before", ""}, {}};
    std::size_t number = 0, copies = 0;
    for (std::size_t i = 0; i < found.crossings.size(); ++i) {
      const Crossing& crossing = predicted.crossings[i];
      const CrossingVerification& state = found.crossings[i];
      if (crossing.on_path)
        ++number;
      else
        ++copies;
      if (!crossing.on_path && !context_.full && state.state != CrossingState::Altered) continue;
      std::string note = printable(state.note);
      const auto add = [&](const std::string& text) { note += (note.empty() ? "" : "; ") + text; };
      if (state.lost != 0) add(fmt::format("{} of {} lost", state.lost, state.expected));
      if (state.duplicates != 0) add(fmt::format("{} twice", state.duplicates));
      if (state.merged != 0) add(fmt::format("{} merged or split", state.merged));
      table.rows.push_back({crossing.on_path ? std::to_string(number) : "copy", printable(crossing.host),
                            netns_text(crossing.netns, context_.glossary),
                            with_name(printable(crossing.device), context_.glossary.device(crossing.device)),
                            state_text(state),
                            state.state == CrossingState::NotCaptured ? "" : std::to_string(state.packets),
                            latency_text(state.latency), note});
    }
    if (!table.rows.empty()) text_ += print_table(table, 2, context_.style);
    page([&](Page& page) { details(predicted, found, copies, page); });
  }

  void details(const Direction& predicted, const DirectionVerification& found, std::size_t copies,
               Page& page) {
    if (copies != 0 && !context_.full) {
      const auto seen = std::ranges::count_if(found.crossings, [&](const CrossingVerification& c) {
        return !predicted.crossings[static_cast<std::size_t>(&c - found.crossings.data())].on_path &&
               c.state == CrossingState::Seen;
      });
      page.line(2, fmt::format("copies of floods: {} of {} predicted ones seen", seen, copies));
    }
    for (std::size_t i = 0; i < found.crossings.size(); ++i) {
      for (const Alteration& a : found.crossings[i].altered) {
        page.line(2, Pieces{{Paint::Bad, "altered"},
                            {Paint::Plain, fmt::format("  {}: {} is {}, predicted {}, in {}",
                                                       point_text({predicted.crossings[i].host,
                                                                   predicted.crossings[i].netns,
                                                                   predicted.crossings[i].device}),
                                                       a.field, printable(a.found), printable(a.expected),
                                                       packets_text(a.packets))}});
      }
    }
    for (const UnpredictedSighting& sighting : found.unpredicted) unpredicted(sighting, page);
    for (const IcmpErrorSighting& error : found.errors) {
      page.line(2, Pieces{{Paint::Bad, "error"},
                          {Paint::Plain, fmt::format("  {}: ICMP type {} code {} from {}, {}",
                                                     point_text(error.point), error.type, error.code,
                                                     to_string(error.sender), packets_text(error.packets))}});
    }
    if (found.stop) stop(predicted, *found.stop, page);
    if (found.passed_over != 0)
      page.line(2, fmt::format("{} with another TTL than was asked about, not judged",
                               packets_text(found.passed_over)));
  }

  void unpredicted(const UnpredictedSighting& sighting, Page& page) {
    page.line(2, Pieces{{Paint::Bad, sighting.copy ? "unpredicted copy" : "unpredicted"},
                        {Paint::Plain, fmt::format("  {}: {}, {}", point_text(sighting.point),
                                                   packets_text(sighting.packets),
                                                   packet_text(sighting.packet, context_.style.arrow()))}});
    page.line(4, fmt::format("{} > {}", mac_text(sighting.packet.eth_src, context_.glossary),
                             mac_text(sighting.packet.eth_dst, context_.glossary)) +
                     (sighting.packet.encapsulation
                          ? ", in " + tunnel_text(*sighting.packet.encapsulation, context_.style.arrow(),
                                                  context_.glossary)
                          : ""));
    for (const Explanation& line : sighting.explained_by) {
      page.line(4, Pieces{{Paint::Plain, fmt::format("may be by {}: {}", line.kind, printable(line.text))}},
                8);
      if (!line.at.known()) continue;
      const Location where = context_.sources.locate(line.at);
      page.unwrapped(6, {Paint::Faint, fmt::format("{}:{}", printable(where.file), where.line)});
    }
  }

  void stop(const Direction& predicted, const PacketStop& stop, Page& page) {
    std::string text = fmt::format("  behind {}", point_text(stop.after));
    if (stop.way_end && stop.way_end != stop.after_crossing) {
      const Crossing& end = predicted.crossings[*stop.way_end];
      text += fmt::format(", on the way behind {}", point_text({end.host, end.netns, end.device}));
    }
    if (stop.before) text += fmt::format(", in front of {}", point_text(*stop.before));
    if (stop.predicted)
      text += ", as predicted";
    else if (!stop.proven)
      text += "; what is behind it was not captured";
    page.line(2, Pieces{{stop.predicted ? Paint::Plain : Paint::Bad, "stops"}, {Paint::Plain, text}});
    for (const std::size_t hop : stop.hops) {
      const Place& place = predicted.hops[hop].place;
      page.line(4, fmt::format("{}{}", place.host.empty() ? "" : printable(place.host) + "  ",
                               place_text(place, context_.glossary)));
    }
  }

  void remarks() {
    Page page(context_.style);
    page.blank();
    for (const ClockOffset& clock : v_.clocks) {
      page.line(0, fmt::format("clock of {}: {} {} that of {} (from {})", printable(clock.host),
                               duration(clock.nanoseconds < 0 ? -clock.nanoseconds : clock.nanoseconds),
                               clock.nanoseconds < 0 ? "behind" : "ahead of", printable(clock.reference),
                               packets_text(clock.samples)));
    }
    for (const OtherNetwork& other : v_.others) {
      page.line(0, fmt::format("{}: {} with these addresses{} are of another network, and not judged",
                               point_text(other.point), packets_text(other.packets),
                               other.packet.encapsulation
                                   ? " in " + vni_text(other.packet.encapsulation->vni, context_.glossary)
                                   : ""));
    }
    for (const auto& [point, packets] : v_.elsewhere)
      page.line(0, fmt::format("{}: seen there too, {}; no dump shows the way there", point_text(point),
                               packets_text(packets)));
    if (v_.undecided != 0)
      page.line(0, fmt::format("{} had to be judged before the captures were read to their end",
                               packets_text(v_.undecided)));
    for (const Capture& capture : v_.captures) captures(capture, page);
    if (!page.text().empty()) text_ += "\n" + page.text();
  }

  void captures(const Capture& capture, Page& page) {
    std::string text;
    if (capture.point.device.empty())
      text = "not placed: nothing in it tells where it was taken";
    else if (capture.placed_by == "content")
      text = "taken to be of " + point_text(capture.point) + ", by what it holds";
    else if (context_.full)
      text = point_text(capture.point);
    if (capture.point.device.empty() && capture.fault.empty() && capture.matching == 0 && !context_.full &&
        capture.packets == 0)
      text.clear();
    const auto add = [&](const std::string& what) { text += (text.empty() ? "" : "; ") + what; };
    if (!capture.fault.empty()) add(printable(capture.fault));
    if (capture.cut_short != 0)
      add(fmt::format("{} cut before their addresses", packets_text(capture.cut_short)));
    if (capture.malformed != 0) add(fmt::format("{} malformed", packets_text(capture.malformed)));
    if (context_.full)
      add(fmt::format("{}, {} of the flow", packets_text(capture.packets), capture.matching));
    if (!text.empty()) page.line(0, fmt::format("{}: {}", printable(capture.file), text));
  }

  const Verification& v_;
  const Trace& trace_;
  const VerificationContext& context_;
  std::string text_;
};

}  // namespace

std::string print_verdict(const Verification& verification, const VerificationContext& context) {
  Page page(context.style);
  std::string word(in_words(verification.agreement));
  word.front() = static_cast<char>(word.front() - 'a' + 'A');
  page.line(0, Pieces{{paint_of(verification.agreement), word},
                      {Paint::Plain, ": " + printable(verification.text)}});
  return page.text();
}

std::string print_text(const Verification& verification, const Trace& trace,
                       const VerificationContext& context) {
  return Writer(verification, trace, context).write();
}

}  // namespace dvrtrace
