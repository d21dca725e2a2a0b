#include "tracer/verify/read_captures.h"

#include <fmt/format.h>

#include <algorithm>
#include <queue>

namespace dvrtrace::verify {
namespace {

constexpr std::size_t kPeeked = 2000;  // packets that are looked at to tell where a capture is from

std::string candidates_text(const std::vector<CapturePoint>& candidates) {
  std::vector<std::string> names;
  for (const CapturePoint& point : candidates) names.push_back(to_string(point));
  return fmt::format("{}", fmt::join(names, " or "));
}

// One file on its way through: its next packet that may be of the flow.
class Cursor {
 public:
  Cursor(CaptureSource& source, Verifier& verifier) : source_(source), verifier_(verifier) {}

  void know(std::size_t capture) { captures_.push_back(capture); }
  std::size_t known() const { return captures_.size(); }
  CaptureSource& source() { return source_; }

  bool advance() {
    if (source_.reader == nullptr) return false;
    while (source_.reader->next(record_)) {
      while (captures_.size() <= record_.interface) know_late(captures_.size());
      capture_ = captures_[record_.interface];
      match_ =
          verifier_.look(capture_, record_, source_.reader->interfaces()[record_.interface].link_type, look_);
      if (match_.kind != Wanted::Kind::Nothing) return true;
    }
    for (std::size_t i = 0; i < captures_.size(); ++i) {
      Capture& capture = verifier_.at(captures_[i]);
      if (capture.fault.empty()) capture.fault = source_.reader->fault();
      if (i < source_.reader->interfaces().size() && source_.reader->interfaces()[i].dropped != 0)
        capture.incomplete = true;
    }
    return false;
  }
  void take() { verifier_.take(capture_, record_, look_, match_); }
  std::int64_t time() const { return record_.time; }

 private:
  // An interface that the file describes only after many packets of others.
  void know_late(std::size_t interface) {
    const PlaceName name =
        joined(source_.name, place_of_interface(source_.reader->interfaces()[interface].name));
    Capture capture{source_.file, {}, "", true, 0, 0, 0, 0, {}, {}, "", false};
    if (name.whole()) {
      capture.point = {name.host, name.netns == "root" ? "" : name.netns, name.device};
      capture.placed_by = "interface";
    }
    know(verifier_.capture(std::move(capture)));
  }

  CaptureSource& source_;
  Verifier& verifier_;
  std::vector<std::size_t> captures_;  // of each interface
  Record record_;
  Look look_;
  Wanted::Match match_;
  std::size_t capture_ = 0;
};

struct Interface {
  std::size_t source = 0;
  std::uint32_t index = 0;
  PlaceName name;
  Placing placing;
  bool by_interface = false;
};

std::vector<Interface> place_all(std::vector<CaptureSource>& sources, const Trace& trace, const Asked& asked,
                                 const TunnelPorts& ports) {
  std::vector<Interface> all;
  for (std::size_t i = 0; i < sources.size(); ++i) {
    if (sources[i].reader == nullptr) continue;
    sources[i].reader->peek(sources[i].name.whole() ? 1 : kPeeked);
    const auto& interfaces = sources[i].reader->interfaces();
    for (std::uint32_t k = 0; k < interfaces.size(); ++k) {
      Interface interface {
        i, k, joined(sources[i].name, place_of_interface(interfaces[k].name)), {}, !interfaces[k].name.empty()
      };
      // Several interfaces in a file that was named as one: the file's name is that of none of them.
      if (interfaces.size() > 1 && sources[i].name.whole() && !interfaces[k].name.empty())
        interface.name = joined(place_of_interface(interfaces[k].name), {sources[i].name.host, "", ""});
      all.push_back(std::move(interface));
    }
  }
  std::vector<CapturePoint> taken;
  const auto place = [&](Interface& interface, const std::vector<CapturePoint>& others) {
    PeekingReader& reader = *sources[interface.source].reader;
    interface.placing =
        place_capture(interface.name, trace, asked, ports, reader.peek(interface.name.whole() ? 0 : kPeeked),
                      interface.index, reader.interfaces()[interface.index].link_type, others);
    if (interface.placing.point) taken.push_back(*interface.placing.point);
  };
  // What has a name leaves fewer places for what has none; and so does each that its content tells.
  for (Interface& interface : all) {
    if (interface.name.whole() || !interface.name.device.empty()) place(interface, {});
  }
  for (bool more = true; more;) {
    more = false;
    for (Interface& interface : all) {
      if (interface.placing.point) continue;
      place(interface, taken);
      more = more || interface.placing.point.has_value();
    }
  }
  return all;
}

}  // namespace

void read_captures(std::vector<CaptureSource>& sources, const Trace& trace, const Asked& asked,
                   const TunnelPorts& ports, Verifier& verifier) {
  std::vector<Cursor> cursors;
  for (CaptureSource& source : sources) cursors.emplace_back(source, verifier);
  for (Interface& interface : place_all(sources, trace, asked, ports)) {
    CaptureSource& source = sources[interface.source];
    Capture capture{source.file, {}, "", true, 0, 0, 0, 0, {}, {}, "", false};
    if (interface.placing.point) {
      capture.point = *interface.placing.point;
      capture.placed_by = interface.placing.by == "name" && interface.by_interface && !source.name.whole()
                              ? "interface"
                              : interface.placing.by;
    } else if (!interface.placing.candidates.empty()) {
      capture.fault = "it may be of " + candidates_text(interface.placing.candidates) + ": name it";
    }
    if (!known_link_type(source.reader->interfaces()[interface.index].link_type))
      capture.fault = fmt::format("link type {} is not one that is read",
                                  source.reader->interfaces()[interface.index].link_type);
    cursors[interface.source].know(verifier.capture(std::move(capture)));
  }
  for (Cursor& cursor : cursors) {  // what cannot be read at all was captured all the same
    CaptureSource& source = cursor.source();
    if (source.reader != nullptr && cursor.known() != 0) continue;
    if (source.reader != nullptr && source.fault.empty())
      source.fault = source.reader->fault().empty() ? "it has no interface" : source.reader->fault();
    Capture capture{source.file, {}, "", true, 0, 0, 0, 0, {}, {}, source.fault, true};
    if (source.name.whole()) {
      capture.point = {source.name.host, source.name.netns == "root" ? "" : source.name.netns,
                       source.name.device};
      capture.placed_by = "name";
    }
    verifier.capture(std::move(capture));
  }

  const auto later = [&](std::size_t a, std::size_t b) {
    return cursors[a].time() != cursors[b].time() ? cursors[a].time() > cursors[b].time() : a > b;
  };
  std::priority_queue<std::size_t, std::vector<std::size_t>, decltype(later)> next(later);
  for (std::size_t i = 0; i < cursors.size(); ++i) {
    if (cursors[i].advance()) next.push(i);
  }
  while (!next.empty()) {
    const std::size_t first = next.top();
    next.pop();
    cursors[first].take();
    if (cursors[first].advance()) next.push(first);
  }
}

}  // namespace dvrtrace::verify
