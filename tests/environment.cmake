# Included by ctest when it starts. The shared data lies beside the checkout: ../shared. Tests that need it skip when
# DVRTRACE_SHARED is not set.
if(NOT DEFINED ENV{DVRTRACE_SHARED})
  get_filename_component(dvrtrace_shared "${CMAKE_CURRENT_LIST_DIR}/../../shared" ABSOLUTE)
  if(IS_DIRECTORY "${dvrtrace_shared}")
    set(ENV{DVRTRACE_SHARED} "${dvrtrace_shared}")
  endif()
endif()
