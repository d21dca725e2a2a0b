// LineNames: the names of VMs' ports in lines of dumps.
//
// A port is called many things: its UUID and what is cut from it (devices, chains), its MAC, its addresses, on its own host the number
// that Open vSwitch gave it. A line that names a port says the same of it as another line of another port when both are
// equal once these names are taken out of them.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "src/net/ids.h"
#include "tracer/engine/ports.h"

namespace dvrtrace::reach {

class LineNames {
 public:
  // Of the VMs' ports.
  explicit LineNames(const Ports& ports);
  // On one host a port has a number on its bridge.
  void plug(std::size_t host, std::string_view bridge, Ofport number, std::size_t port);

  struct Mention {
    std::size_t begin = 0, end = 0;  // of the line
    char kind =
        ' ';  // 'i' device or id, 'm' MAC, 'a' the n-th address, 'l' link-local address, 'f' floating IP, 'p' port number
    std::uint8_t nth = 0;
    std::size_t port = 0;  // of Ports
  };
  // What the line names, in order; a name that several ports have is a mention of each. Addresses with a mask that is not a
  // host's are prefixes, and go to `prefixes`. `bridge`: of a flow, else "".
  void find(std::string_view line, std::size_t host, std::string_view bridge, std::vector<Mention>& mentions,
            std::set<Prefix>& prefixes) const;

 private:
  struct Known {
    char kind;
    std::uint8_t nth;
    std::size_t port;
  };
  void add(std::string name, Known known) { texts_[std::move(name)].push_back(known); }
  void add(const Ip& ip, Known known) { addresses_[ip].push_back(known); }

  std::unordered_map<std::string, std::vector<Known>>
      texts_;  // UUIDs, devices, and what of them stands in chains' names
  std::unordered_map<std::string, std::vector<Known>> numbers_;  // "host bridge number"
  std::unordered_map<Ip, std::vector<Known>> addresses_;
  std::unordered_map<Mac, std::vector<Known>> macs_;
};

}  // namespace dvrtrace::reach
