#include "tracer/verify/pcapng.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <optional>

#include "src/base/text.h"

namespace dvrtrace::verify {
namespace {

constexpr std::uint32_t kSection = 0x0a0d0d0a, kInterface = 1, kOldPacket = 2, kSimplePacket = 3,
                        kStatistics = 5, kPacket = 6;
constexpr std::uint32_t kByteOrder = 0x1a2b3c4d, kByteOrderSwapped = 0x4d3c2b1a;
// A packet has at most 256 KiB, a block with its options not much more; name resolution blocks may be larger.
constexpr std::uint32_t kLargestBlock = 16 << 20;
constexpr std::size_t kMostInterfaces = 65536;
constexpr std::size_t kChunk = 512 << 10;

// How an interface counts time.
struct Clock {
  bool binary = false;
  unsigned exponent = 6;    // ticks of 10^-exponent or 2^-exponent seconds
  std::int64_t offset = 0;  // seconds
  std::int64_t nanoseconds(std::uint64_t ticks) const {
    if (binary) {
      const unsigned bits = std::min(exponent, 63U);
      const std::uint64_t whole = ticks >> bits, part = ticks & ((std::uint64_t{1} << bits) - 1);
      return static_cast<std::int64_t>(
          (whole + static_cast<std::uint64_t>(offset)) * 1'000'000'000 +
          static_cast<std::uint64_t>(static_cast<long double>(part) * 1e9L /
                                     static_cast<long double>(std::uint64_t{1} << bits)));
    }
    std::uint64_t scale = 1;
    const unsigned digits = exponent > 9 ? exponent - 9 : 9 - exponent;
    for (unsigned i = 0; i < std::min(digits, 18U); ++i) scale *= 10;
    const std::uint64_t base = exponent > 9 ? ticks / scale : ticks * scale;
    return static_cast<std::int64_t>(base + static_cast<std::uint64_t>(offset) * 1'000'000'000);
  }
};

class PcapngReader : public CaptureReader {
 public:
  explicit PcapngReader(std::unique_ptr<ByteStream> bytes) : stream_(std::move(bytes)) {}

  bool next(Record& record) override {
    while (fault_.empty()) {
      const std::uint8_t* block = nullptr;
      std::uint32_t type = 0, length = 0;
      if (!next_block(block, type, length)) return false;
      body_ = {block + 8, length - 12};
      switch (type) {
        case kSection:
          first_interface_ = interfaces_.size();
          break;
        case kInterface:
          add_interface();
          break;
        case kPacket:
        case kOldPacket:
          if (read_packet(type == kOldPacket, record)) return true;
          break;
        case kSimplePacket:
          if (read_simple(record)) return true;
          break;
        case kStatistics:
          read_statistics();
          break;
        default:
          break;
      }
    }
    return false;
  }

 private:
  std::uint16_t u16(const std::uint8_t* at) const {
    const auto value = static_cast<std::uint16_t>(at[0] | at[1] << 8);
    return swapped_ ? static_cast<std::uint16_t>(value >> 8 | value << 8) : value;
  }
  std::uint32_t u32(const std::uint8_t* at) const {
    const std::uint32_t value =
        at[0] | std::uint32_t{at[1]} << 8 | std::uint32_t{at[2]} << 16 | std::uint32_t{at[3]} << 24;
    return swapped_ ? __builtin_bswap32(value) : value;
  }
  std::uint64_t u64(const std::uint8_t* at) const {
    return swapped_ ? std::uint64_t{u32(at)} << 32 | u32(at + 4) : std::uint64_t{u32(at + 4)} << 32 | u32(at);
  }

  // At least `count` bytes from at_ on; false when the file has no more.
  bool have(std::size_t count) {
    if (buffer_.size() - at_ >= count) return true;
    buffer_.erase(buffer_.begin(), buffer_.begin() + static_cast<std::ptrdiff_t>(at_));
    at_ = 0;
    while (buffer_.size() < count) {
      const std::size_t held = buffer_.size(), room = std::max(kChunk, count - held);
      buffer_.resize(held + room);
      const auto got = stream_->read(reinterpret_cast<char*>(buffer_.data()) + held, room);
      buffer_.resize(held + (got ? *got : 0));
      if (!got) fault_ = got.error().message;
      if (!got || *got == 0) return false;
    }
    return true;
  }

  bool next_block(const std::uint8_t*& block, std::uint32_t& type, std::uint32_t& length) {
    if (!have(12)) {
      if (buffer_.size() != at_ && fault_.empty()) fault_ = "it ends within a block";
      return false;
    }
    block = buffer_.data() + at_;
    // Of a section the type reads the same in both byte orders; its own word says which it is.
    if (std::memcmp(block, kPcapngMagic.data(), 4) == 0) {
      swapped_ = false;
      const std::uint32_t order = u32(block + 8);
      if (order != kByteOrder && order != kByteOrderSwapped)
        return damaged("a section without its byte order");
      swapped_ = order == kByteOrderSwapped;
    }
    type = u32(block);
    length = u32(block + 4);
    if (length < 12 || length % 4 != 0 || length > kLargestBlock)
      return damaged(fmt::format("a block of {} bytes", length));
    if (!have(length)) {
      if (fault_.empty()) fault_ = "it ends within a block";
      return false;
    }
    block = buffer_.data() + at_;
    if (u32(block + length - 4) != length) return damaged("a block whose two lengths differ");
    at_ += length;
    return true;
  }
  bool damaged(std::string_view what) {
    fault_ = fmt::format("expected a block, found {}; what follows is not read", what);
    return false;
  }

  template <class Each>
  void each_option(std::size_t from, Each each) const {
    while (from + 4 <= body_.size()) {
      const std::uint16_t code = u16(body_.data() + from), length = u16(body_.data() + from + 2);
      from += 4;
      if (code == 0 || from + length > body_.size()) return;
      each(code, body_.subspan(from, length));
      from += (std::size_t{length} + 3) & ~std::size_t{3};
    }
  }

  void add_interface() {
    if (body_.size() < 8) return;
    if (interfaces_.size() >= kMostInterfaces) {
      damaged("too many interfaces");
      return;
    }
    CaptureInterface interface { "", u16(body_.data()), u32(body_.data() + 4), 0 };
    Clock clock;
    each_option(8, [&](std::uint16_t code, std::span<const std::uint8_t> value) {
      constexpr std::uint16_t kName = 2, kResolution = 9, kOffset = 14;
      if (code == kName)
        interface.name = printable({reinterpret_cast<const char*>(value.data()), value.size()});
      if (code == kResolution && value.size() == 1) {
        clock.binary = (value[0] & 0x80) != 0;
        clock.exponent = value[0] & 0x7f;
      }
      if (code == kOffset && value.size() == 8) clock.offset = static_cast<std::int64_t>(u64(value.data()));
    });
    while (!interface.name.empty() && interface.name.back() == '\0') interface.name.pop_back();
    interfaces_.push_back(std::move(interface));
    clocks_.push_back(clock);
  }

  bool read_packet(bool old, Record& record) {
    if (body_.size() < 20) return false;
    const std::uint8_t* at = body_.data();
    const std::size_t interface = first_interface_ + (old ? u16(at) : u32(at));
    const std::uint32_t captured = u32(at + 12);
    if (interface >= interfaces_.size() || captured > body_.size() - 20) return false;
    const std::uint64_t ticks = std::uint64_t{u32(at + 4)} << 32 | u32(at + 8);
    record = {static_cast<std::uint32_t>(interface), clocks_[interface].nanoseconds(ticks), u32(at + 16),
              body_.subspan(20, captured)};
    last_time_ = record.time;
    return true;
  }

  // Without a time: it is that of the packet before.
  bool read_simple(Record& record) {
    if (body_.size() < 4 || first_interface_ >= interfaces_.size()) return false;
    const std::uint32_t length = u32(body_.data()), snap = interfaces_[first_interface_].snap_length;
    const std::size_t captured = std::min<std::size_t>({length, body_.size() - 4, snap == 0 ? length : snap});
    record = {static_cast<std::uint32_t>(first_interface_), last_time_, length, body_.subspan(4, captured)};
    return true;
  }

  void read_statistics() {
    if (body_.size() < 12) return;
    const std::size_t interface = first_interface_ + u32(body_.data());
    if (interface >= interfaces_.size()) return;
    std::uint64_t dropped = 0;
    each_option(12, [&](std::uint16_t code, std::span<const std::uint8_t> value) {
      constexpr std::uint16_t kDropped = 5, kDroppedBySystem = 7;
      if ((code == kDropped || code == kDroppedBySystem) && value.size() == 8) dropped += u64(value.data());
    });
    interfaces_[interface].dropped = dropped;
  }

  std::unique_ptr<ByteStream> stream_;
  std::vector<std::uint8_t> buffer_;
  std::size_t at_ = 0, first_interface_ = 0;
  std::span<const std::uint8_t> body_;  // of the block that is being read
  std::vector<Clock> clocks_;           // of interfaces_
  std::int64_t last_time_ = 0;
  bool swapped_ = false;
};

}  // namespace

Result<std::unique_ptr<CaptureReader>> open_pcapng(std::unique_ptr<ByteStream> bytes) {
  return std::unique_ptr<CaptureReader>(std::make_unique<PcapngReader>(std::move(bytes)));
}

}  // namespace dvrtrace::verify
