// Comparison: what one host's kernel has, against what it should have.
//
// Both sides are snapshots that the same readers made, so they are compared by meaning and not by text: a route's origin,
// the order of an iptables rule's matches, counters, comments and everything that traffic makes come and go do not count. A dump
// that is absent is compared with nothing, and one that breaks off lacks nothing.
//
// What the kernel makes of its own accord is not Neutron's to program and no deviation: see kernel_made().
//
//   const Comparison all = compare_namespaces(found, expected, sources);
//   for (const Difference& difference : unexplained(all.differences, marks)) ...
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "src/base/source.h"
#include "src/kernel/link.h"
#include "src/kernel/routing.h"
#include "src/snapshot/host.h"

namespace dvrtrace::check {

enum class ObjectKind { Namespace, Link, Address, Rule, Route, Neighbour, IptablesRule, Ipset, Sysctl };
inline constexpr std::size_t kObjectKinds = 9;
std::string_view name_of(ObjectKind kind);  // "ip-rule", as a finding's object names it

enum class Deviation { Missing, Extra, Different };

struct Difference {
  ObjectKind kind = ObjectKind::Link;
  Deviation deviation = Deviation::Missing;
  std::string netns;            // "" is the root namespace
  std::string family;           // "4", "6" where there are two dumps of the kind; ""
  std::string table, chain;     // of an iptables rule
  std::string object;           // what it is about, in its tool's words: "from 10.0.1.11 lookup 16"
  std::string expected, found;  // the two as they are written; "" where there is none
  Provenance expected_at, found_at;
  bool order = false;  // iptables: both are there, in an order that changes what is decided
};

// How many of a kind were compared.
struct Tally {
  std::size_t expected = 0, found = 0;  // found: without what the kernel makes and what is not Neutron's
};

struct Comparison {
  std::vector<Difference> differences;  // by namespace, then in the order of ObjectKind
  std::array<Tally, kObjectKinds> tallies{};
  Tally& of(ObjectKind kind) { return tallies[static_cast<std::size_t>(kind)]; }
  const Tally& of(ObjectKind kind) const { return tallies[static_cast<std::size_t>(kind)]; }
};

// What is held against what. Programmed: a host against what Neutron should have made of it, so that what
// others made there and what the kernel makes by itself does not count. Whole: a host against itself at another
// time; whoever made it, all counts that traffic does not make come and go. What one side's dump cannot tell is
// not compared.
enum class Extent { Programmed, Whole };

// `sources` holds the texts of both.
Comparison compare_namespaces(const HostSnapshot& found, const HostSnapshot& expected,
                              const Sources& sources, Extent extent = Extent::Programmed);

// Whether a kernel setting (sysctl) bears on where packets go.
bool bears_on_forwarding(std::string_view setting);

// Routes that follow from addresses and devices: table local, what is connected, fe80::/64 and ff00::/8. The reference
// expects the connected ones, so that one that was deleted is missed, and none of the others.
bool kernel_made(const kernel::Route& route);
// The link-local address that a kernel gives a device with this MAC.
bool kernel_made(const kernel::Address& address, const kernel::Link& link);

}  // namespace dvrtrace::check
