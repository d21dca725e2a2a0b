# dvr_options: what every target of the project is compiled with. Linked PRIVATE, so nothing of it
# reaches a user of the libraries.
add_library(dvr_options INTERFACE)
target_include_directories(dvr_options INTERFACE ${PROJECT_SOURCE_DIR})
target_compile_options(dvr_options INTERFACE -Wall -Wextra -Wconversion)
if(DVRTRACE_WERROR)
  target_compile_options(dvr_options INTERFACE -Werror)
endif()
if(DVRTRACE_SANITIZE)
  target_compile_options(dvr_options INTERFACE -fsanitize=address,undefined -fno-sanitize-recover=all
                                               -fno-omit-frame-pointer)
  target_link_options(dvr_options INTERFACE -fsanitize=address,undefined)
endif()
if(DVRTRACE_FUZZ)
  target_compile_options(dvr_options INTERFACE -fsanitize=fuzzer-no-link)
endif()
if(DVRTRACE_COVERAGE)
  target_compile_options(dvr_options INTERFACE --coverage)
  target_link_options(dvr_options INTERFACE --coverage)
endif()

# dvr_heap: what a program links to have the heap of src/base/heap.h. Sanitizers bring their own.
add_library(dvr_heap INTERFACE)
if(TARGET mimalloc AND NOT DVRTRACE_SANITIZE)
  target_link_libraries(dvr_heap INTERFACE mimalloc)
  target_compile_definitions(dvr_heap INTERFACE DVRTRACE_MIMALLOC)
endif()

# dvr_library(NAME sources... LINKS targets...): one folder, one static library.
function(dvr_library name)
  cmake_parse_arguments(ARG "" "" "LINKS;PRIVATE_LINKS" ${ARGN})
  add_library(${name} STATIC ${ARG_UNPARSED_ARGUMENTS})
  target_link_libraries(${name} PUBLIC ${ARG_LINKS} PRIVATE dvr_options ${ARG_PRIVATE_LINKS})
  target_include_directories(${name} PUBLIC ${PROJECT_SOURCE_DIR})
endfunction()
