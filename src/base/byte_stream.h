// ByteStream: bytes that come one after the other and may not fit into memory: a file, a pipe, what comes
// out of a compressed file.
#pragma once

#include <cstddef>

#include "src/base/result.h"

namespace dvrtrace {

class ByteStream {
 public:
  ByteStream() = default;
  ByteStream(const ByteStream&) = delete;
  ByteStream& operator=(const ByteStream&) = delete;
  virtual ~ByteStream() = default;

  // Up to `room` bytes; 0 only at the end. After a failure nothing more can be read.
  virtual Result<std::size_t> read(char* into, std::size_t room) = 0;
};

}  // namespace dvrtrace
