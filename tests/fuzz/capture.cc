// Captures: any bytes are read to an end; what is looked at and taken apart stays within the frame.
#include <cstring>
#include <memory>

#include "tracer/verify/capture_reader.h"
#include "tracer/verify/dissect.h"
#include "tracer/verify/look.h"

namespace {

class Bytes : public dvrtrace::ByteStream {
 public:
  Bytes(const std::uint8_t* data, std::size_t size) : data_(data), size_(size) {}
  dvrtrace::Result<std::size_t> read(char* into, std::size_t room) override {
    const std::size_t count = room < size_ ? room : size_;
    if (count != 0) std::memcpy(into, data_, count);
    data_ += count;
    size_ -= count;
    return count;
  }

 private:
  const std::uint8_t* data_;
  std::size_t size_;
};

void look_and_dissect(const dvrtrace::verify::Record& record, int link_type) {
  using namespace dvrtrace::verify;
  // A copy of its own, so that a sanitizer sees each byte that is read beyond it.
  const auto copy = std::make_unique<std::uint8_t[]>(record.bytes.size());
  if (!record.bytes.empty()) std::memcpy(copy.get(), record.bytes.data(), record.bytes.size());
  const TunnelPorts ports;
  Look look;
  for (bool more = look_at({copy.get(), record.bytes.size()}, record.length, link_type, look); more;
       more = look_inside(ports, look)) {
    const Dissected dissected = dissect(look);
    if (dissected.identity.head_size > dissected.identity.head.size()) __builtin_trap();
    if (dissected.headers.ip_src != look.source || dissected.headers.ip_dst != look.destination)
      __builtin_trap();
    Look quoted;
    look_at_quoted(look, quoted);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace dvrtrace::verify;
  if (size > 1 << 20) return 0;
  // The bytes as a file, and as one frame of each kind.
  if (auto reader = open_capture(std::make_unique<Bytes>(data, size))) {
    Record record;
    while ((*reader)->next(record)) {
      if (record.interface >= (*reader)->interfaces().size() || record.bytes.size() > size) __builtin_trap();
      look_and_dissect(record, (*reader)->interfaces()[record.interface].link_type);
    }
  }
  for (const int link_type : {0, 1, 101, 113, 276})
    look_and_dissect({0, 0, static_cast<std::uint32_t>(size), {data, size}}, link_type);
  return 0;
}
