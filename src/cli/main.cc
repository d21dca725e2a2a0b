#include <cstdlib>
#ifdef __GLIBC__
#include <malloc.h>
#endif

#include "src/cli/program.h"

int main(int argc, char** argv) {
#ifdef __GLIBC__
  // The C library's heaps of threads grow by a page and a system call at a time; so they are made at their full
  // size, of which only what is used becomes memory. What a host's dumps leave is kept for the next host's, and not
  // given back in between.
  ::mallopt(M_TOP_PAD, 64 << 20);
  ::mallopt(M_MMAP_THRESHOLD, 32 << 20);
  ::mallopt(M_TRIM_THRESHOLD, 1 << 30);
#endif
  const char* environment = std::getenv("DVRTRACE_OPTIONS");
  return dvrtrace::cli::run_program({argv + 1, argv + argc}, environment == nullptr ? "" : environment);
}
