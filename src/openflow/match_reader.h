// MatchReader: builds a Match out of the parts of a flow's text, one keyword at a time.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "src/openflow/match.h"
#include "src/openflow/names.h"
#include "src/openflow/scanner.h"
#include "src/openflow/value.h"

namespace dvrtrace::openflow {

class MatchReader {
 public:
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-member-init): see mask_at()
  explicit MatchReader(Names& names) : names_(names) {}

  // Takes one part: `key` has just been scanned, and the scanner stands behind it, before "=value",
  // "(value)" or a separator. False when `key` is no match keyword; the scanner has not moved then.
  // A bad value makes the scanner fail.
  bool part(std::string_view key, Scanner& scanner);

  // The match that was read. Fields whose prerequisites the match does not establish constrain
  // nothing, as in ovs-ofctl; their names are appended to `ignored`.
  Match finish(std::vector<std::string>* ignored = nullptr);

 private:
  void add(FieldId id, const MaskedValue& value);
  void add_word(unsigned index, std::uint64_t value, std::uint64_t mask);
  bool guaranteed(Prerequisite needs) const;
  Bits128 mask_of(const FieldInfo& field) const;
  std::uint64_t exact(FieldId id, std::uint64_t otherwise) const;

  Names& names_;
  // A match has few of a key's words: the others are never written, which is much of the work for a short line.
  std::uint64_t mask_at(std::size_t index) const { return (used_ >> index & 1) != 0 ? masks_[index] : 0; }
  void check_prerequisite(FieldId id, std::vector<std::string>* ignored);

  std::array<std::uint64_t, kKeyWords> values_, masks_;
  std::uint64_t used_ = 0;  // bit n: word n is in use
  static_assert(kKeyWords <= 64);
  // Fields with a prerequisite, in the order of the text.
  static constexpr std::size_t kFew = 12;
  std::array<FieldId, kFew> few_;
  std::size_t fields_ = 0;
  std::vector<FieldId> more_;  // than few
  std::vector<std::string> unmodelled_;
};

// A whole match: "ip,in_port=3,nw_dst=10.0.0.0/24". Total; `error` says what could not be read.
Match read_match(std::string_view text, Names& names, std::optional<ReadError>& error);

}  // namespace dvrtrace::openflow
