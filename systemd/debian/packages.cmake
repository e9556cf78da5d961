# Debian packages: `cmake --build FOLDER --target package` makes one of each component. The scripts
# and control files in them are beside this file, and stage.cmake changes what is installed to what
# Debian expects.
#
# The packages are for the prefix /usr. From a folder that is configured with another prefix they are
# made of a second build, in package-build below it, with the same compiler and options.

find_program(DPKG_DEB dpkg-deb)
mark_as_advanced(DPKG_DEB)
if(NOT CMAKE_SYSTEM_NAME STREQUAL "Linux" OR NOT DPKG_DEB)
  return()
endif()

set(debian ${PROJECT_SOURCE_DIR}/systemd/debian)
set(NB_PACKAGE_MAINTAINER "The netbroker authors <netbroker@example.org>" CACHE STRING
  "Who answers for the Debian packages, as NAME <ADDRESS>")

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME netbroker)
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_PACKAGE_CONTACT ${NB_PACKAGE_MAINTAINER})
set(CPACK_VERBATIM_VARIABLES ON)
set(CPACK_STRIP_FILES ON)

# Files outside the prefix, in /etc, are staged only with DESTDIR.
set(CPACK_SET_DESTDIR ON)
set(CPACK_INSTALL_PREFIX /usr)
set(CPACK_PRE_BUILD_SCRIPTS ${debian}/stage.cmake)
set(CPACK_NB_SOURCE ${PROJECT_SOURCE_DIR})

if(NOT CMAKE_INSTALL_PREFIX STREQUAL "/usr")
  set(package_build ${CMAKE_CURRENT_BINARY_DIR}/package-build)
  set(options "set(CMAKE_INSTALL_PREFIX /usr CACHE PATH \"\")\nset(BUILD_TESTING OFF CACHE BOOL \"\")\n")
  get_cmake_property(names CACHE_VARIABLES)
  foreach(name ${names})
    if(name MATCHES "^(NB_.*|CMAKE_(BUILD_TYPE|MAKE_PROGRAM|TOOLCHAIN_FILE|C_COMPILER|C_COMPILER_LAUNCHER|C_FLAGS.*|(EXE|SHARED)_LINKER_FLAGS.*|INTERPROCEDURAL_OPTIMIZATION|CROSSCOMPILING_EMULATOR|PREFIX_PATH|SYSROOT))$")
      string(APPEND options "set(${name} [==[${${name}}]==] CACHE STRING \"\")\n")
    endif()
  endforeach()
  file(GENERATE OUTPUT package-options.cmake CONTENT "${options}")
  configure_file(${debian}/build.cmake.in package-build.cmake @ONLY)
  set(CPACK_PROJECT_CONFIG_FILE ${CMAKE_CURRENT_BINARY_DIR}/package-build.cmake)
  set(CPACK_INSTALL_CMAKE_PROJECTS "${package_build};netbroker;ALL;/")
endif()

# The dependencies on other packages are those that dpkg-shlibdeps(1) finds.
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_COMPONENTS_ALL daemon client library development)
set(CPACK_COMPONENTS_GROUPING IGNORE)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_COMPRESSION_TYPE xz)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_ENABLE_COMPONENT_DEPENDS ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_PACKAGE_SOURCE netbroker)
find_program(DPKG_ARCHITECTURE dpkg-architecture)
mark_as_advanced(DPKG_ARCHITECTURE)
if(CMAKE_LIBRARY_ARCHITECTURE AND DPKG_ARCHITECTURE)
  execute_process(COMMAND ${DPKG_ARCHITECTURE} -t${CMAKE_LIBRARY_ARCHITECTURE} -qDEB_HOST_ARCH
    OUTPUT_VARIABLE CPACK_DEBIAN_PACKAGE_ARCHITECTURE OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
endif()

# debian_package(COMPONENT NAME SECTION MULTI_ARCH DESCRIPTION): CPack knows of the field Multi-Arch
# from version 3.31 on. Until then it stands in the value of the one before it.
macro(debian_package component name section multi_arch description)
  string(TOUPPER ${component} upper)
  set(CPACK_DEBIAN_${upper}_PACKAGE_NAME ${name})
  set(CPACK_DEBIAN_${upper}_PACKAGE_SECTION ${section})
  set(CPACK_DEBIAN_${upper}_DESCRIPTION "${description}")
  if(CMAKE_VERSION VERSION_LESS 3.31)
    string(APPEND CPACK_DEBIAN_${upper}_PACKAGE_SECTION "\nMulti-Arch: ${multi_arch}")
  else()
    set(CPACK_DEBIAN_${upper}_PACKAGE_MULTIARCH ${multi_arch})
  endif()
endmacro()

set(common "netbroker lets programs that are not root use parts of the network stack
that Linux reserves for root: static multicast routing, for IPv4 and IPv6,
joins of multicast groups, Ethernet links of emulators, and frames that are
captured and sent.")

debian_package(daemon netbrokerd net foreign "privileged networking for programs that are not root: service
${common}

This package contains the service. Members of the group netbroker may look
at what it does, and have Ethernet links for emulators and virtual machines;
the administrator's rules decide who may do what else.")
set(CPACK_DEBIAN_DAEMON_PACKAGE_DEPENDS "systemd | systemd-standalone-sysusers | systemd-sysusers")
set(CPACK_DEBIAN_DAEMON_PACKAGE_RECOMMENDS netbroker)
set(CPACK_DEBIAN_DAEMON_PACKAGE_CONTROL_EXTRA
  ${debian}/conffiles ${debian}/postinst ${debian}/prerm ${debian}/postrm)

debian_package(client netbroker net foreign "privileged networking for programs that are not root: command
${common}

This package contains the command netbroker, which asks the service
netbrokerd, a bridge helper for QEMU and libvirt, and a program by which
Wireshark captures.")
set(CPACK_DEBIAN_CLIENT_PACKAGE_RECOMMENDS netbrokerd)

# The trigger calls ldconfig(8). Scripts that do not exist keep CPack from adding some that call it,
# too; CPack says that they are missing.
debian_package(library libnetbroker0 libs same "privileged networking for programs that are not root: library
${common}

This package contains the library with which C programs ask the service
netbrokerd.")
set(CPACK_DEBIAN_LIBRARY_PACKAGE_SUGGESTS netbrokerd)
set(CPACK_DEBIAN_LIBRARY_PACKAGE_CONTROL_EXTRA ${debian}/shlibs ${debian}/symbols
  ${debian}/triggers ${debian}/none/postinst ${debian}/none/postrm)

debian_package(development libnetbroker-dev libdevel same "privileged networking for programs that are not root: development
${common}

This package contains what is needed to build programs with the library
libnetbroker.")
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SUGGESTS netbrokerd)

include(CPack)
cpack_add_component(daemon)
cpack_add_component(client)
cpack_add_component(library)
cpack_add_component(development DEPENDS library)
