// Reads action lists: "load:0x5->NXM_NX_REG5[],resubmit(,71)".
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

#include "src/openflow/action.h"
#include "src/openflow/names.h"
#include "src/openflow/scanner.h"

namespace dvrtrace::openflow {

// Action lists and actions that were read before, by their text: most rows of a dump do what others do, or parts of it. Of one Names,
// since an action may have the stand-in of a name. The texts must outlive it.
class KnownActions {
 public:
  explicit KnownActions(std::size_t bytes);  // of the text that is read
  KnownActions(const KnownActions&) = delete;
  KnownActions& operator=(const KnownActions&) = delete;

 private:
  friend class ActionGrammar;
  friend Actions read_actions(std::string_view text, Names& names, std::optional<ReadError>& error, KnownActions* known);
  template <class T>
  struct Slot {
    std::string_view text;
    T value;
  };
  std::vector<Slot<Actions>> lists_;
  std::vector<Slot<Action>> actions_;
  std::vector<Action> list_;  // being read
};

// A whole list; "drop" and "" give an empty one. Total: what could be read before an error is
// returned, and `error` says where it is, relative to the text.
Actions read_actions(std::string_view text, Names& names, std::optional<ReadError>& error, KnownActions* known = nullptr);

// "NXM_NX_REG6[0..15]", "reg0[3]", "eth_src". None for an unknown field or a range beyond it.
std::optional<Subfield> read_subfield(std::string_view text);
std::string print_subfield(const Subfield& part);

}  // namespace dvrtrace::openflow
