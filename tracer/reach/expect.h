// Expectations: which packets must arrive, and which must not.
//
//   # comments and empty lines
//   web* to db* tcp/3306
//   not web* to outside
//   10.0.1.11 to metadata
//
// A and B are names of VMs, addresses, networks, hosts or security groups, with * and ? for what is left open; or outside, metadata, dhcp.
// PACKET is one that `dvrtrace from` takes; without one, every packet that is asked for.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "src/base/diagnostics.h"
#include "src/base/source.h"

namespace dvrtrace::reach {

struct Expectation {
  std::size_t line = 0;
  std::string text;  // the line
  bool must = true;
  std::string from, to;  // patterns
  std::string packet;    // "" all
  Provenance at;
};

// A line that is none of these is an error among the diagnostics.
std::vector<Expectation> read_expectations(const SourceText& text, Diagnostics& diagnostics);

// Shell patterns: * any characters, ? one.
bool fits(std::string_view pattern, std::string_view name);

}  // namespace dvrtrace::reach
