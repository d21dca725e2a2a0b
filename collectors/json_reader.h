// JsonReader: walks over JSON text once, builds no tree, and always knows where it is.
//
// Rows of a dump need their byte spans, and dumps can be large or hostile: nothing here recurses, values nested deeper than
// kMaxDepth are malformed, and so the tree of one object (json_tree.h) has no greater depth. A missing comma is forgiven.
//
//   JsonReader json(text.bytes);
//   if (json.enter('[')) {
//     while (json.next(']')) use(json.skip());       // the text of each element
//   }
//   if (json.failed()) ...                           // at json.at()
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "src/base/source.h"

namespace dvrtrace {

class JsonReader {
 public:
  static constexpr unsigned kMaxDepth = 64;

  // Reads `bytes` from offset `at` on. Offsets it gives count from the start of `bytes`.
  explicit JsonReader(std::string_view bytes, std::size_t at = 0) : bytes_(bytes), at_(at) {}

  // The first byte of what comes next, blanks aside; '\0' at the end of the text or after a failure.
  char peek();
  std::size_t at();  // the offset of that byte; after a failure, of what was wrong
  bool failed() const { return failed_; }

  // Goes into an array or object. False, with nothing consumed, when something else comes.
  bool enter(char open);
  // Is there another element before `close`? Consumes the comma, or at the end `close`.
  bool next(char close);
  // The name of a member, consumed with its colon.
  std::string key();
  // A string, unescaped; of any other value its text.
  std::string text();
  // A whole value, of any kind, as it stands in the text; "" after a failure.
  std::string_view skip();
  Span skip_span();

 private:
  void fail(std::size_t at);
  std::size_t end_of_string(std::size_t at) const;
  std::size_t end_of_scalar(std::size_t at) const;
  std::size_t end_of_value(std::size_t at);

  std::string_view bytes_;
  std::size_t at_;
  bool failed_ = false;
};

// The contents of a JSON string between its quotes, with the escapes resolved.
std::string json_unescape(std::string_view escaped);

}  // namespace dvrtrace
