// Match: what a flow asks of a packet, as masked words of the FlowKey.
//
//   in_port=3,dl_vlan=5   is   words[0] & 0xffffffff00001fff == 0x0000000300001005
//
// Port and table names are numbers here too: a reader that meets a name puts kNamedPort + its index
// in the table's list of names in the number's place, and resolve_names() replaces it once the
// bridge's ports are known.
#pragma once

#include <cstdint>
#include <string>

#include "src/base/shared_list.h"
#include "src/openflow/field.h"

namespace dvrtrace::openflow {

// Ofports from here on stand for names.size() names that are not resolved yet.
inline constexpr std::uint32_t kNamedPort = 0x80000000;

struct MatchWord {
  std::uint32_t index = 0;  // of FlowKey::words
  std::uint64_t mask = 0, value = 0;
  bool operator==(const MatchWord&) const = default;
};

struct Match {
  SharedList<MatchWord> words;         // ascending by index, masks not 0, values within them
  SharedList<std::string> unmodelled;  // parts that are understood as matches but not executed
  bool operator==(const Match&) const = default;

  bool matches(const FlowKey& key) const {
    for (const MatchWord& word : words) {
      if ((key.words[word.index] & word.mask) != word.value) return false;
    }
    return true;
  }
  // The mask's and value's bits of one field.
  Bits128 mask_of(FieldId id) const;
  Bits128 value_of(FieldId id) const;
  void add(FieldId id, Bits128 value, Bits128 mask);
  void add(FieldId id, std::uint64_t value) { add(id, {0, value}, ones128(info(id).bits)); }
};

// The match in Open vSwitch's words, fields in the order of ovs-ofctl.
std::string to_string(const Match& match);

}  // namespace dvrtrace::openflow
