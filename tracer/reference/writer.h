// Writer: builds a dump line by line.
//
//   Writer flows(host, "sos_commands/openvswitch/ovs-ofctl_dump-flows_br-int", "br-int");
//   flows.add("INT-20", " cookie=0x{:x}, table=1, priority=1 actions=drop", cookie);
//   flows.add("INT-53", ...).concerns(port).optional();
#pragma once

#include <fmt/format.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "src/net/ip.h"
#include "src/net/mac.h"
#include "tracer/reference/expected.h"

namespace dvrtrace::reference {

class Writer {
 public:
  // What can still be said about the line that was added last.
  class Added {
   public:
    explicit Added(Line& line) : line_(line) {}
    Added& concerns(std::size_t port) { return line_.concerns.push_back(static_cast<std::uint32_t>(port)), *this; }
    Added& concerns(std::span<const std::size_t> ports) {
      for (const std::size_t port : ports) concerns(port);
      return *this;
    }
    Added& optional(bool is = true) { return line_.need = is ? Need::Optional : line_.need, *this; }
    Added& either(std::uint32_t group) { return line_.either = group, *this; }

   private:
    Line& line_;
  };

  Writer(std::string path, std::string bridge, std::string netns = {})
      : dump_{std::move(path), std::move(bridge), std::move(netns), {}} {}

  // A line of the dump's form alone: "*nat", "NXST_FLOW reply (xid=0x4):".
  void header(std::string text) { dump_.lines.push_back({std::move(text), {}, Need::Required, {}, 0}); }

  template <class... Args>
  Added add(std::string_view rule, fmt::format_string<Args...> format, Args&&... args) {
    return add_text(rule, fmt::format(format, std::forward<Args>(args)...));
  }
  Added add_text(std::string_view rule, std::string text) {
    dump_.lines.push_back({std::move(text), rule, Need::Required, {}, 0});
    return Added(dump_.lines.back());
  }
  Added add_line(Line line) { return dump_.lines.push_back(std::move(line)), line_before_end(1); }
  // A line that was added shortly before: 1 is the last.
  Added line_before_end(std::size_t number) { return Added(dump_.lines[dump_.lines.size() - number]); }
  // A number for lines that are alternatives.
  std::uint32_t new_either() { return ++last_either_; }

  bool empty() const { return dump_.lines.empty(); }
  Dump take() { return std::move(dump_); }

 private:
  Dump dump_;
  std::uint32_t last_either_ = 0;
};

// The first 11 characters of a port's id, with which the names of its devices end.
inline std::string_view short_id(std::string_view port_id) { return port_id.substr(0, 11); }

}  // namespace dvrtrace::reference
