// pcapng: the blocks of draft-ietf-opsawg-pcapng, as far as packets and their interfaces go.
#pragma once

#include <memory>
#include <string_view>

#include "tracer/verify/capture_reader.h"

namespace dvrtrace::verify {

inline constexpr std::string_view kPcapngMagic = "\x0a\x0d\x0d\x0a";

Result<std::unique_ptr<CaptureReader>> open_pcapng(std::unique_ptr<ByteStream> bytes);

}  // namespace dvrtrace::verify
