// The heap that dumps are read into: mimalloc where the build found it, as millions of small pieces come and go by host;
// the C library's otherwise. A program links dvr_heap and calls prepare_heap() before it has threads.
#pragma once

#include <cstdlib>  // defines __GLIBC__
#if defined(DVRTRACE_MIMALLOC)
#include <mimalloc.h>
#elif defined(__GLIBC__)
#include <malloc.h>
#endif

namespace dvrtrace {

inline void prepare_heap() {
#if defined(DVRTRACE_MIMALLOC)
  mi_option_disable(mi_option_show_errors);  // its remarks are not for who reads ours
#elif defined(__GLIBC__)
  // Heaps of threads grow by a page and a system call at a time; so they are made at their full size, of which only what
  // is used becomes memory. What a host's dumps leave is kept for the next host's, and not given back in between.
  ::mallopt(M_TOP_PAD, 64 << 20);
  ::mallopt(M_MMAP_THRESHOLD, 32 << 20);
  ::mallopt(M_TRIM_THRESHOLD, 1 << 30);
#endif
}

// Gives back to the system what nobody uses.
inline void trim_heap() {
#if defined(DVRTRACE_MIMALLOC)
  mi_collect(true);
#elif defined(__GLIBC__)
  ::malloc_trim(0);
#endif
}

}  // namespace dvrtrace
