// Reading captures side by side into a verification.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tracer/verify/place.h"
#include "tracer/verify/verify.h"

namespace dvrtrace::verify {

struct CaptureSource {
  std::string file;
  PlaceName name;                         // as far as the command line and the file's name tell it
  std::unique_ptr<PeekingReader> reader;  // none: `fault` says why
  std::string fault;
};

// Finds out where each capture was taken, and gives the verifier all of them, packets in the order of their times. What is not
// the flow's passes by at the cost of a look.
void read_captures(std::vector<CaptureSource>& sources, const Trace& trace, const Asked& asked,
                   const TunnelPorts& ports, Verifier& verifier);

}  // namespace dvrtrace::verify
