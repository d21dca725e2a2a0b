#include "collectors/json_rows.h"

#include <algorithm>

#include "collectors/words.h"
#include "src/base/text.h"

namespace dvrtrace {
namespace {

// Walks over the array that the text is, without looking into the objects.
class ArrayScan {
 public:
  explicit ArrayScan(std::string_view bytes) : bytes_(bytes) {}

  JsonObjects run() {
    skip_space();
    if (at_ == bytes_.size()) return std::move(found_);  // a command that printed nothing
    if (!take('[')) return fault("'['");
    skip_space();
    if (!take(']') && !elements()) return std::move(found_);
    skip_space();
    if (at_ != bytes_.size()) return fault("the end of the text");
    return std::move(found_);
  }

 private:
  bool elements() {
    do {
      skip_space();
      if (!object()) return false;
      skip_space();
    } while (take(','));
    if (take(']')) return true;
    fault("',' or ']'");
    return false;
  }

  bool object() {
    const std::size_t begin = at_;
    if (at_ == bytes_.size() || bytes_[at_] != '{' || !find_closing()) {
      at_ = begin;
      fault("a whole object");
      return false;
    }
    found_.spans.push_back({static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(at_)});
    return true;
  }

  // Goes behind the '}' that closes the object here. Braces inside texts do not count.
  bool find_closing() {
    std::size_t depth = 0;
    bool in_text = false;
    for (; at_ < bytes_.size(); ++at_) {
      const char c = bytes_[at_];
      if (in_text) {
        if (c == '\\') ++at_;
        if (c == '"') in_text = false;
      } else if (c == '"') {
        in_text = true;
      } else if (c == '{') {
        ++depth;
      } else if (c == '}' && --depth == 0) {
        ++at_;
        return true;
      }
    }
    at_ = bytes_.size();
    return false;
  }

  void skip_space() {
    while (at_ < bytes_.size() && (is_blank(bytes_[at_]) || bytes_[at_] == '\n')) ++at_;
  }
  bool take(char c) {
    if (at_ == bytes_.size() || bytes_[at_] != c) return false;
    ++at_;
    return true;
  }
  JsonObjects fault(std::string_view expected) {
    const std::size_t end = std::min(bytes_.find('\n', at_), bytes_.size());
    found_.whole = false;
    found_.fault = {static_cast<std::uint32_t>(at_), static_cast<std::uint32_t>(end)};
    found_.expected = expected;
    return found_;
  }

  std::string_view bytes_;
  std::size_t at_ = 0;
  JsonObjects found_;
};

}  // namespace

JsonObjects find_json_objects(std::string_view bytes) { return ArrayScan(bytes).run(); }

std::optional<Json> read_json_object(const SourceText& text, Span span, std::string_view hint, ReadLog& log) {
  const std::string_view bytes = text.at(span);
  Json object = Json::parse(bytes.begin(), bytes.end(), nullptr, /*allow_exceptions=*/false);
  if (!object.is_discarded()) return object;
  report_fault(text, span, "well-formed JSON", hint, log);
  return std::nullopt;
}

void count_json_lines(const SourceText& text, const JsonObjects& objects, bool all_read,
                      std::string_view hint, ReadLog& log) {
  if (!objects.whole) report_fault(text, objects.fault, objects.expected, hint, log);
  const bool blank = trim(text.bytes).empty();
  const LineState state = blank                       ? LineState::Ignored
                          : objects.whole && all_read ? LineState::Modelled
                                                      : LineState::Unrecognised;
  log.lines.count(state, lines_of(text.bytes).count());
}

const Json* json_member(const Json& object, const char* key) {
  if (!object.is_object()) return nullptr;
  const auto found = object.find(key);
  return found == object.end() ? nullptr : &*found;
}

std::string_view json_text(const Json& object, const char* key) {
  const Json* member = json_member(object, key);
  const auto* text = member ? member->get_ptr<const std::string*>() : nullptr;
  return text ? std::string_view(*text) : std::string_view();
}

std::optional<std::uint64_t> json_number(const Json& object, const char* key) {
  const Json* member = json_member(object, key);
  if (!member) return std::nullopt;
  if (member->is_number_unsigned()) return member->get<std::uint64_t>();
  return number(json_text(object, key));
}

bool json_flag(const Json& object, const char* key) {
  const Json* member = json_member(object, key);
  return member && (member->is_null() || (member->is_boolean() && member->get<bool>()));
}

bool json_lists(const Json& object, const char* key, std::string_view word) {
  const Json* list = json_member(object, key);
  if (!list || !list->is_array()) return false;
  return std::any_of(list->begin(), list->end(), [&](const Json& entry) {
    const auto* text = entry.get_ptr<const std::string*>();
    return text && *text == word;
  });
}

}  // namespace dvrtrace
