#pragma once

#include <cstdlib>  // defines __GLIBC__
#ifdef __GLIBC__
#include <malloc.h>
#endif

namespace dvrtrace {

// Tells the C library how dumps use memory, before there are threads. Its heaps of threads grow by a page and a system
// call at a time; so they are made at their full size, of which only what is used becomes memory. What a host's dumps
// leave is kept for the next host's, and not given back in between.
inline void prepare_heap() {
#ifdef __GLIBC__
  ::mallopt(M_TOP_PAD, 64 << 20);
  ::mallopt(M_MMAP_THRESHOLD, 32 << 20);
  ::mallopt(M_TRIM_THRESHOLD, 1 << 30);
#endif
}

}  // namespace dvrtrace
