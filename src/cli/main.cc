#include <cstdlib>

#include "src/cli/program.h"

int main(int argc, char** argv) {
  const char* environment = std::getenv("DVRTRACE_OPTIONS");
  return dvrtrace::cli::run_program({argv + 1, argv + argc}, environment == nullptr ? "" : environment);
}
