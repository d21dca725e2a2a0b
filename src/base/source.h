// Sources: the texts that everything was read from, and the places in them.
//
// A reader keeps, for every row it reads, a Provenance: which text and two offsets. Line and
// column are computed only when a person asks. Sources owns the bytes for as long as any value
// read from them is in use; ids are never reused. Adding is safe from several threads.
//
//   const SourceId id = sources.add("cmp1/ip_rule", bytes);
//   for (const Span line : lines_of(sources.text(id).bytes)) ...
//   const Location where = sources.locate({id, line});       // file, line 3, column 1
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "src/base/strong.h"

namespace dvrtrace {

using SourceId = Strong<struct SourceTag, std::uint32_t>;
inline constexpr SourceId kNoSource{0xffffffff};

struct Span {
  std::uint32_t begin = 0, end = 0;  // byte offsets, end exclusive
  auto operator<=>(const Span&) const = default;
};

// Where a value was read. `source` is kNoSource for a value that no dump holds.
struct Provenance {
  SourceId source = kNoSource;
  Span span;
  bool known() const { return source != kNoSource; }
  auto operator<=>(const Provenance&) const = default;
};

// A value and where it was read. Two are equal when their values are, wherever they were read.
template <class T>
struct Sourced {
  T value;
  Provenance at;
  bool operator==(const Sourced& other) const { return value == other.value; }
};

// Bytes with several owners: what is kept of an archive is not copied for each who reads it.
using SharedText = std::shared_ptr<const std::string>;

// One text as a reader sees it. The bytes are owned by somebody else.
struct SourceText {
  SourceId id = kNoSource;
  std::string_view name;
  std::string_view bytes;

  std::string_view at(Span span) const { return bytes.substr(span.begin, span.end - span.begin); }
  Provenance provenance(Span span) const { return {id, span}; }
};

// A place as people write it. Lines and columns count from 1; columns count bytes.
struct Location {
  std::string_view file;
  std::uint32_t line = 0, column = 0;
};

// Iterates over the lines of a text, without their line ends ("\n" or "\r\n"). Text after the
// last line end is a line too; an empty text has no lines.
class Lines {
 public:
  explicit Lines(std::string_view bytes) : bytes_(bytes) {}

  class Iterator {
   public:
    Iterator(std::string_view bytes, std::size_t at) : bytes_(bytes), at_(at) { find_end(); }
    Span operator*() const;
    Iterator& operator++() {
      at_ = next_;
      find_end();
      return *this;
    }
    bool operator==(const Iterator& other) const { return at_ == other.at_; }

   private:
    void find_end();
    std::string_view bytes_;
    std::size_t at_, end_ = 0, next_ = 0;
  };

  Iterator begin() const { return {bytes_, 0}; }
  Iterator end() const { return {bytes_, bytes_.size()}; }
  std::size_t count() const;

 private:
  std::string_view bytes_;
};

inline Lines lines_of(std::string_view bytes) { return Lines{bytes}; }

class Sources {
 public:
  // Offsets are 32 bits wide, so longer texts are cut at this size by whoever reads files.
  static constexpr std::size_t kMaxBytes = 0xfffffff0;

  Sources() = default;
  Sources(const Sources&) = delete;
  Sources& operator=(const Sources&) = delete;

  SourceId add(std::string name, std::string bytes);
  SourceId add(std::string name, SharedText bytes);  // null: known by name alone, a Span is {line, column} then
  SourceText text(SourceId id) const;
  std::string_view name(SourceId id) const;
  std::string_view bytes(const Provenance& at) const;  // "" when not known
  // The whole line that holds the first byte of `at`.
  std::string_view line(const Provenance& at) const;
  Location locate(const Provenance& at) const;

  // Lets go of a text but for these places: the functions above answer for them as before, and for others as if they were not known.
  // Nobody may hold a view of the text. Views of what is kept stay good.
  void forget(SourceId id, std::vector<Provenance> but = {});

 private:
  struct Kept {
    std::uint32_t begin = 0;  // of a place
    std::uint32_t line = 0, column = 0;
    std::string text;  // its line
  };
  struct Entry {
    std::string name;
    SharedText bytes;        // none when forgotten, or known by name alone
    std::vector<Kept> kept;  // of a forgotten text, ascending
    bool forgotten = false;
  };
  const Kept* kept(const Provenance& at) const;
  bool known_by_name(SourceId id) const;
  mutable std::mutex mutex_;
  std::deque<Entry> entries_;  // a deque: addresses stay while others are added
};

}  // namespace dvrtrace
