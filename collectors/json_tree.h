// JsonTree: one value of JSON and all that is in it, as a list of nodes.
//
// For large texts of small objects: simdjson reads an object, and what it has goes into nodes and a heap of texts that
// the next object uses again, so that a row costs no allocations. Members stay in the order of the text.
//
//   JsonTree tree;
//   if (tree.read(text)) use(tree.root());
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <memory_resource>
#include <string_view>
#include <utility>
#include <vector>

namespace simdjson::dom {
class element;
class parser;
}  // namespace simdjson::dom

namespace dvrtrace {

class JsonTree;

// A value in a tree. Good until the tree reads anew.
class JsonValue {
 public:
  enum class Kind : std::uint8_t { Null, False, True, Whole, Fraction, Text, Array, Object };

  Kind kind() const;
  bool is(Kind kind) const { return this->kind() == kind; }
  bool is_structured() const { return kind() >= Kind::Array; }
  // Of a text its contents, escapes resolved; of another scalar JSON's shortest form of it; "" of arrays and objects.
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

  JsonTree();
  ~JsonTree();
  JsonTree(const JsonTree&) = delete;
  JsonTree& operator=(const JsonTree&) = delete;

  // Reads a text in the place of what the tree held. False when it is not one well-formed value, or one nested deeper
  // than kMaxDepth.
  bool read(std::string_view text);
  JsonValue root() { return {this, 0}; }

  // Reads another text into the tree, beside what is there: JSON within a text. False as above.
  bool add(std::string_view text, JsonValue& value);
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

  bool put(const simdjson::dom::element& value, std::string_view key, unsigned depth);
  std::string_view keep(std::string_view text);

  std::unique_ptr<simdjson::dom::parser> parser_;
  std::vector<Node> nodes_;
  std::array<std::byte, 16384> room_;  // most rows need no more
  std::pmr::monotonic_buffer_resource texts_{room_.data(), room_.size()};
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
