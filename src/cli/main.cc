#include <cstdlib>

#include "src/base/heap.h"
#include "src/cli/program.h"

int main(int argc, char** argv) {
  dvrtrace::prepare_heap();
  const char* environment = std::getenv("DVRTRACE_OPTIONS");
  return dvrtrace::cli::run_program({argv + 1, argv + argc}, environment == nullptr ? "" : environment);
}
