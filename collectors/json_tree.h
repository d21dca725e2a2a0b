// JsonTree: one value of JSON and all that is in it, as a list of nodes that point into the text.
//
// For large texts of small objects: an object is read in one pass, into nodes that the next one uses again. What is well-formed is
// what RFC 8259 says, UTF-8 included; a tree of anything else is none.
//
//   JsonTree tree;
//   if (const std::size_t end = tree.read(bytes, at)) use(tree.root());
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

namespace dvrtrace {

class JsonTree;

// A value in a tree. Good until the tree reads anew.
class JsonValue {
 public:
  enum class Kind : std::uint8_t { Null, False, True, Number, Text, Array, Object };

  Kind kind() const;
  bool is(Kind kind) const { return this->kind() == kind; }
  bool is_structured() const { return kind() >= Kind::Array; }
  // Of a text its contents, escapes resolved; of another scalar what is written; "" of arrays and objects.
  std::string_view text() const;
  std::string_view key() const;  // of a member of an object, escapes resolved

  // The elements of an array or the members of an object, in the order of the text.
  class Iterator {
   public:
    Iterator(JsonTree* tree, std::uint32_t at) : tree_(tree), at_(at) {}
    JsonValue operator*() const { return {tree_, at_}; }
    Iterator& operator++();
    bool operator==(const Iterator& other) const { return at_ == other.at_; }

   private:
    JsonTree* tree_;
    std::uint32_t at_;
  };
  Iterator begin() const;
  Iterator end() const;

  JsonTree& tree() const { return *tree_; }

 private:
  friend class JsonTree;
  JsonValue(JsonTree* tree, std::uint32_t at) : tree_(tree), at_(at) {}
  JsonTree* tree_;
  std::uint32_t at_;
};

class JsonTree {
 public:
  static constexpr unsigned kMaxDepth = 64;

  JsonTree() = default;
  JsonTree(const JsonTree&) = delete;
  JsonTree& operator=(const JsonTree&) = delete;

  // Reads the value that begins at `at`, in the place of what the tree held. Returns where it ends; 0 when it is not well-formed, or
  // nested deeper than kMaxDepth. The text must stay while values are used.
  std::size_t read(std::string_view bytes, std::size_t at);
  JsonValue root() { return {this, 0}; }

  // Reads a text of its own into the tree, beside what is there: JSON within a text. False as above, or when more follows the value.
  bool add(std::string text, JsonValue& value);
  // An object of texts.
  JsonValue add_object(const std::vector<std::pair<std::string_view, std::string_view>>& members);

 private:
  friend class JsonValue;
  using Kind = JsonValue::Kind;
  struct Node {
    Kind kind = Kind::Null;
    std::uint32_t end = 0;  // of the nodes of this value, itself included
    std::string_view key, text;
  };

  bool value(std::string_view key, unsigned depth);
  bool members(unsigned depth);
  bool elements(unsigned depth);
  bool string(std::string_view& out);
  bool number(std::string_view& out);
  bool word(std::string_view word, Kind kind);
  void skip_blanks();
  std::string_view unescaped(std::string_view raw);

  std::vector<Node> nodes_;
  std::deque<std::string> own_;  // texts that stand nowhere as they are meant
  const char* at_ = nullptr;
  const char* end_ = nullptr;
};

inline JsonValue::Kind JsonValue::kind() const { return tree_->nodes_[at_].kind; }
inline std::string_view JsonValue::text() const { return tree_->nodes_[at_].text; }
inline std::string_view JsonValue::key() const { return tree_->nodes_[at_].key; }
inline JsonValue::Iterator JsonValue::begin() const {
  return {tree_, is_structured() ? at_ + 1 : tree_->nodes_[at_].end};
}
inline JsonValue::Iterator JsonValue::end() const { return {tree_, tree_->nodes_[at_].end}; }
inline JsonValue::Iterator& JsonValue::Iterator::operator++() {
  at_ = tree_->nodes_[at_].end;
  return *this;
}

}  // namespace dvrtrace
