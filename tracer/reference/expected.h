// Expected: what Neutron's agents should have programmed on one host, as the dumps that would show it.
//
// The reference writes text in the words of ovs-ofctl, ip and iptables-save, under the names of a sos report, and the
// project's own readers read it: so one grammar stands on both sides of a comparison, a cloud of any size can be written to a
// disk, and a step of a trace that the reference filled in cites a line like any other.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace dvrtrace::reference {

// How firmly a line is expected.
enum class Need {
  Required,  // its absence is a fault
  Optional,  // the agent may or may not have it, by its history: neither missing nor unexpected
};

struct Line {
  std::string text;                       // without the line end
  std::string_view rule;                  // of the manual of rules: "INT-53", "QR-SNAT-RULE"; "" for headers
  Need need = Need::Required;
  std::vector<std::uint32_t> concerns;    // the ports that suffer without it: indices of logical::Model::ports
  // Lines of the dump with one number are alternatives: any one of them fulfils all. 0: none.
  std::uint32_t either = 0;
};

struct Dump {
  std::string path;    // within the host's folder: "sos_commands/openvswitch/ovs-ofctl_dump-flows_br-int"
  std::string bridge;  // of flows; "" otherwise
  std::string netns;   // of a namespace; "" root
  std::vector<Line> lines;
};

// What the reference could not know, and what it therefore leaves out.
struct Caveat { std::string code, text; };

struct Host {
  std::string name;
  std::vector<Dump> dumps;
  std::vector<Caveat> caveats;
};

std::string text_of(const Dump& dump);

// A flow in the words of its line.
struct FlowWords {
  unsigned table = 0, priority = 0;
  std::string_view match, actions;
  bool operator==(const FlowWords&) const = default;
};

// Is shown each flow before its line is written: what need not be written takes no time and no memory. What is told of
// a line afterwards it does not know; so flows that are alternatives (Line::either) cannot go through one.
class FlowSieve {
 public:
  virtual ~FlowSieve() = default;
  // Whether the line is to be left out of the bridge's dump.
  virtual bool settles(std::string_view bridge, const FlowWords& flow) = 0;
};

}  // namespace dvrtrace::reference
