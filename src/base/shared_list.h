// SharedList: a list that is made once and read often. It is as large as a pointer, a copy of it shares its items, and
// comparing goes by the items.
//
// Many rows of a dump hold the same few lists, and millions of them hold short ones: an empty list costs no memory,
// another one allocation of the size it needs. Who has a list that is not shared may change its items in place.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <iterator>
#include <memory>
#include <new>
#include <span>
#include <utility>

namespace dvrtrace {

template <class T>
class SharedList {
 public:
  SharedList() = default;
  SharedList(std::initializer_list<T> items) : SharedList(items.begin(), items.end()) {}
  template <class Iterator>
  SharedList(Iterator begin, Iterator end) {
    if (begin == end) return;
    const auto size = static_cast<std::size_t>(std::distance(begin, end));
    auto held = std::unique_ptr<void, Freed>(::operator new(kItems + size * sizeof(T)));
    std::uninitialized_copy(begin, end, items_at(held.get()));
    head_ = ::new (held.release()) Head{{1}, static_cast<std::uint32_t>(size)};
  }
  SharedList(const SharedList& other) noexcept : head_(other.head_) {
    if (head_ != nullptr) head_->users.fetch_add(1, std::memory_order_relaxed);
  }
  SharedList(SharedList&& other) noexcept : head_(std::exchange(other.head_, nullptr)) {}
  SharedList& operator=(SharedList other) noexcept {
    std::swap(head_, other.head_);
    return *this;
  }
  ~SharedList() {
    if (head_ != nullptr) leave();
  }

  using value_type = T;
  using const_iterator = const T*;
  const T* begin() const { return head_ == nullptr ? nullptr : items_at(head_); }
  const T* end() const { return begin() + size(); }
  std::size_t size() const { return head_ == nullptr ? 0 : head_->size; }
  bool empty() const { return head_ == nullptr; }
  const T& operator[](std::size_t at) const { return begin()[at]; }
  const T& front() const { return *begin(); }
  const T& back() const { return end()[-1]; }

  // The items to be changed: copies of them where the list was shared.
  std::span<T> own() {
    if (head_ == nullptr) return {};
    if (head_->users.load(std::memory_order_acquire) != 1) *this = SharedList(begin(), end());
    return {items_at(head_), size()};
  }

  // Lists of one identity are copies of each other.
  const void* identity() const { return head_; }
  bool operator==(const SharedList& other) const {
    return head_ == other.head_ || std::equal(begin(), end(), other.begin(), other.end());
  }

 private:
  struct Head {
    std::atomic<std::uint32_t> users;
    std::uint32_t size;
  };
  struct Freed {
    void operator()(void* memory) const { ::operator delete(memory); }
  };
  static constexpr std::size_t kItems = std::max(sizeof(Head), std::size_t{8});
  static T* items_at(void* memory) {
    static_assert(alignof(T) <= 8);
    return std::launder(reinterpret_cast<T*>(static_cast<std::byte*>(memory) + kItems));
  }

  void leave() {
    // The last to leave need not count down: nobody else is there to see it.
    if (head_->users.load(std::memory_order_acquire) != 1 &&
        head_->users.fetch_sub(1, std::memory_order_acq_rel) != 1)
      return;
    std::destroy_n(items_at(head_), head_->size);
    ::operator delete(head_);
  }

  Head* head_ = nullptr;
};

}  // namespace dvrtrace
