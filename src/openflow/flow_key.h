// FlowKey: the fields of one packet and what the pipeline has attached to it.
//
// It is what Open vSwitch calls `struct flow`: an array of 64-bit words in which every field has a
// fixed place (field.cc). A match is then a handful of masked words, a lookup a hash of them, and
// a copy a memcpy. Within a word, fields are packed from the most significant bit down.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace dvrtrace::openflow {

inline constexpr std::size_t kKeyWords = 56;

struct FlowKey {
  std::array<std::uint64_t, kKeyWords> words{};
  bool operator==(const FlowKey&) const = default;
};

// A number of up to 128 bits: most fields use the low word alone.
struct Bits128 {
  std::uint64_t high = 0, low = 0;
  auto operator<=>(const Bits128&) const = default;
  friend Bits128 operator&(Bits128 a, Bits128 b) { return {a.high & b.high, a.low & b.low}; }
  friend Bits128 operator|(Bits128 a, Bits128 b) { return {a.high | b.high, a.low | b.low}; }
  friend Bits128 operator~(Bits128 a) { return {~a.high, ~a.low}; }
  friend Bits128 operator<<(Bits128 a, unsigned n) {
    if (n == 0) return a;
    if (n >= 128) return {};
    if (n >= 64) return {a.low << (n - 64), 0};
    return {a.high << n | a.low >> (64 - n), a.low << n};
  }
  friend Bits128 operator>>(Bits128 a, unsigned n) {
    if (n == 0) return a;
    if (n >= 128) return {};
    if (n >= 64) return {0, a.high >> (n - 64)};
    return {a.high >> n, a.low >> n | a.high << (64 - n)};
  }
};

// The lowest `n` bits set.
constexpr std::uint64_t ones64(unsigned n) { return n >= 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << n) - 1; }
constexpr Bits128 ones128(unsigned n) {
  return n <= 64 ? Bits128{0, ones64(n)} : Bits128{ones64(n - 64), ~std::uint64_t{0}};
}

}  // namespace dvrtrace::openflow
