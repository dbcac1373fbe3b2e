# SPDX-License-Identifier: MIT OR Apache-2.0
#
#   find_package(stylelipsync 0.1 REQUIRED)
#   target_link_libraries(program PRIVATE stylelipsync::stylelipsync)
#
# Targets, each if it is installed; all set the include folder:
#   stylelipsync::stylelipsync  the shared library. On Windows, $<TARGET_RUNTIME_DLLS:program> has its DLL.
#   stylelipsync::delayed       Windows: the same, but the DLL is loaded at the first call of a function
#                               (/DELAYLOAD), so that the program can look for it first.
#   stylelipsync::static        the static library. With MSVC it needs the C runtime that the release notes
#                               name: /MT for release archives.
# The C++ layer, stylelipsync.hpp, needs C++11.

# This file lies in <prefix>/share/stylelipsync/cmake/; the prefix is found relative to it, so that the
# installation can be moved.
get_filename_component(_stylelipsync_prefix "${CMAKE_CURRENT_LIST_DIR}/../../.." ABSOLUTE)
set(_stylelipsync_lib lib lib64 "lib/${CMAKE_LIBRARY_ARCHITECTURE}")
# Only in the prefix, also if the compiler is a cross-compiler with a root folder of its own.
set(_stylelipsync_only NO_DEFAULT_PATH NO_CMAKE_FIND_ROOT_PATH)

# On Windows, `stylelipsync.lib` and `libstylelipsync.a` are the static library, and the import library has
# `.dll` in its name.
if(WIN32)
  set(_stylelipsync_shared libstylelipsync.dll.a stylelipsync.dll.lib)
else()
  set(_stylelipsync_shared stylelipsync)
endif()
find_path(stylelipsync_INCLUDE_DIR stylelipsync.h
          PATHS "${_stylelipsync_prefix}/include" ${_stylelipsync_only})
find_library(stylelipsync_SHARED NAMES ${_stylelipsync_shared}
             PATHS "${_stylelipsync_prefix}" PATH_SUFFIXES ${_stylelipsync_lib} ${_stylelipsync_only})
find_library(stylelipsync_STATIC NAMES libstylelipsync.a stylelipsync.lib
             PATHS "${_stylelipsync_prefix}" PATH_SUFFIXES ${_stylelipsync_lib} ${_stylelipsync_only})
find_library(stylelipsync_DELAYED NAMES libstylelipsync_delay.a
             PATHS "${_stylelipsync_prefix}" PATH_SUFFIXES ${_stylelipsync_lib} ${_stylelipsync_only})
find_file(stylelipsync_DLL stylelipsync.dll PATHS "${_stylelipsync_prefix}/bin" ${_stylelipsync_only})
mark_as_advanced(stylelipsync_INCLUDE_DIR stylelipsync_SHARED stylelipsync_STATIC stylelipsync_DELAYED
                 stylelipsync_DLL)

if(stylelipsync_SHARED AND stylelipsync_INCLUDE_DIR AND NOT TARGET stylelipsync::stylelipsync)
  add_library(stylelipsync::stylelipsync SHARED IMPORTED)
  set_target_properties(stylelipsync::stylelipsync PROPERTIES
    IMPORTED_LOCATION "${stylelipsync_SHARED}"
    INTERFACE_INCLUDE_DIRECTORIES "${stylelipsync_INCLUDE_DIR}")
  if(WIN32)
    set_target_properties(stylelipsync::stylelipsync PROPERTIES
      IMPORTED_IMPLIB "${stylelipsync_SHARED}"
      INTERFACE_COMPILE_DEFINITIONS SLS_SHARED)
    if(stylelipsync_DLL)
      set_property(TARGET stylelipsync::stylelipsync PROPERTY IMPORTED_LOCATION "${stylelipsync_DLL}")
    endif()
  endif()
endif()

if(TARGET stylelipsync::stylelipsync AND NOT TARGET stylelipsync::delayed)
  if(MSVC)
    add_library(stylelipsync::delayed INTERFACE IMPORTED)
    set_target_properties(stylelipsync::delayed PROPERTIES
      INTERFACE_LINK_LIBRARIES "stylelipsync::stylelipsync;delayimp"
      INTERFACE_LINK_OPTIONS "/DELAYLOAD:stylelipsync.dll")
  elseif(MINGW AND stylelipsync_DELAYED)
    add_library(stylelipsync::delayed INTERFACE IMPORTED)
    set_target_properties(stylelipsync::delayed PROPERTIES
      INTERFACE_LINK_LIBRARIES "${stylelipsync_DELAYED}"
      INTERFACE_INCLUDE_DIRECTORIES "${stylelipsync_INCLUDE_DIR}"
      INTERFACE_COMPILE_DEFINITIONS SLS_SHARED)
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
unset(_stylelipsync_only)
unset(_stylelipsync_shared)
