# SPDX-License-Identifier: MIT OR Apache-2.0
#
#   find_package(stylelipsync 0.1 REQUIRED)
#   target_link_libraries(program PRIVATE stylelipsync::stylelipsync)
#
# Targets: stylelipsync::stylelipsync (shared) and stylelipsync::static, each if it is installed. Both set
# the include folder. The C++ layer, stylelipsync.hpp, needs C++11.

# This file lies in <prefix>/share/stylelipsync/cmake/; the prefix is found relative to it, so that the
# installation can be moved.
get_filename_component(_stylelipsync_prefix "${CMAKE_CURRENT_LIST_DIR}/../../.." ABSOLUTE)
set(_stylelipsync_lib lib lib64 "lib/${CMAKE_LIBRARY_ARCHITECTURE}")

find_path(stylelipsync_INCLUDE_DIR stylelipsync.h
          PATHS "${_stylelipsync_prefix}/include" NO_DEFAULT_PATH)
find_library(stylelipsync_SHARED NAMES stylelipsync stylelipsync.dll
             PATHS "${_stylelipsync_prefix}" PATH_SUFFIXES ${_stylelipsync_lib} NO_DEFAULT_PATH)
find_library(stylelipsync_STATIC NAMES libstylelipsync.a stylelipsync.lib
             PATHS "${_stylelipsync_prefix}" PATH_SUFFIXES ${_stylelipsync_lib} NO_DEFAULT_PATH)
mark_as_advanced(stylelipsync_INCLUDE_DIR stylelipsync_SHARED stylelipsync_STATIC)

if(stylelipsync_SHARED AND stylelipsync_INCLUDE_DIR AND NOT TARGET stylelipsync::stylelipsync)
  add_library(stylelipsync::stylelipsync UNKNOWN IMPORTED)
  set_target_properties(stylelipsync::stylelipsync PROPERTIES
    IMPORTED_LOCATION "${stylelipsync_SHARED}"
    INTERFACE_INCLUDE_DIRECTORIES "${stylelipsync_INCLUDE_DIR}")
  if(WIN32)
    target_compile_definitions(stylelipsync::stylelipsync INTERFACE SLS_SHARED)
  endif()
endif()

if(stylelipsync_STATIC AND stylelipsync_INCLUDE_DIR AND NOT TARGET stylelipsync::static)
  add_library(stylelipsync::static STATIC IMPORTED)
  set_target_properties(stylelipsync::static PROPERTIES
    IMPORTED_LOCATION "${stylelipsync_STATIC}"
    INTERFACE_INCLUDE_DIRECTORIES "${stylelipsync_INCLUDE_DIR}")
  # System libraries that Rust's standard library needs (rustc --print native-static-libs).
  if(WIN32)
    set(_stylelipsync_native advapi32 bcrypt kernel32 ntdll userenv ws2_32 dbghelp ole32)
  elseif(APPLE)
    set(_stylelipsync_native "-framework CoreFoundation" "-framework Security" iconv m)
  else()
    set(_stylelipsync_native pthread dl m rt util gcc_s)
  endif()
  set_property(TARGET stylelipsync::static PROPERTY
               INTERFACE_LINK_LIBRARIES "${_stylelipsync_native}")
endif()

if(NOT TARGET stylelipsync::stylelipsync AND NOT TARGET stylelipsync::static)
  set(stylelipsync_FOUND FALSE)
  set(stylelipsync_NOT_FOUND_MESSAGE "no header or no library under ${_stylelipsync_prefix}")
endif()
unset(_stylelipsync_prefix)
unset(_stylelipsync_lib)
