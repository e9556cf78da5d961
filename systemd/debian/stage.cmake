# Run by cpack when each component's files are in a folder of their own, before they are packed. It
# adds the copyright and the changes, compresses the manual pages, and puts zsh's completion where
# Debian's zsh looks.

# Without these CPack would leave out the dependencies and say nothing.
foreach(program dpkg-shlibdeps file readelf gzip awk)
  find_program(found_${program} ${program})
  if(NOT found_${program})
    message(FATAL_ERROR "${program} is missing (packages dpkg-dev, file, binutils, gzip, mawk)")
  endif()
endforeach()

# compress(FILE): as gzip(1) does it the same way each time, without a time in it.
function(compress file)
  execute_process(COMMAND gzip -9 -n -f "${file}" COMMAND_ERROR_IS_FATAL ANY)
endfunction()

# add_copyright(FOLDER): the project's licence, in Debian's format.
function(add_copyright folder)
  file(READ "${CPACK_NB_SOURCE}/systemd/debian/copyright" text)
  file(READ "${CPACK_NB_SOURCE}/LICENSE" license)
  string(REGEX REPLACE "^.*\n(Permission )" "\\1" license "${license}")
  string(REGEX REPLACE "\n\n" "\n.\n" license "${license}")
  string(REGEX REPLACE "\n$" "" license "${license}")
  string(REGEX REPLACE "\n" "\n " license "${license}")
  file(WRITE "${folder}/copyright" "${text} ${license}\n")
endfunction()

# add_changes(FOLDER): docs/CHANGELOG.md, in Debian's format.
function(add_changes folder)
  execute_process(COMMAND awk -v "maintainer=${CPACK_PACKAGE_CONTACT}"
    -f "${CPACK_NB_SOURCE}/systemd/debian/changelog.awk" "${CPACK_NB_SOURCE}/docs/CHANGELOG.md"
    OUTPUT_FILE "${folder}/changelog" COMMAND_ERROR_IS_FATAL ANY)
  compress("${folder}/changelog")
endfunction()

foreach(component ${CPACK_COMPONENTS_ALL})
  string(TOUPPER ${component} upper)
  set(root "${CPACK_TEMPORARY_DIRECTORY}/${component}")
  set(folder "${root}/usr/share/doc/${CPACK_DEBIAN_${upper}_PACKAGE_NAME}")
  file(MAKE_DIRECTORY "${folder}")
  add_copyright("${folder}")
  add_changes("${folder}")
  file(GLOB manuals "${root}/usr/share/man/man*/*")
  foreach(manual ${manuals})
    compress("${manual}")
  endforeach()
endforeach()

set(share "${CPACK_TEMPORARY_DIRECTORY}/client/usr/share")
file(MAKE_DIRECTORY "${share}/zsh/vendor-completions")
file(RENAME "${share}/zsh/site-functions/_netbroker" "${share}/zsh/vendor-completions/_netbroker")
file(REMOVE_RECURSE "${share}/zsh/site-functions")

configure_file("${CPACK_NB_SOURCE}/docs/SECURITY.md"
  "${CPACK_TEMPORARY_DIRECTORY}/daemon/usr/share/doc/netbrokerd/SECURITY.md" COPYONLY)
foreach(example example.c reconnect.c)
  configure_file("${CPACK_NB_SOURCE}/docs/${example}"
    "${CPACK_TEMPORARY_DIRECTORY}/development/usr/share/doc/libnetbroker-dev/examples/${example}"
    COPYONLY)
endforeach()

# Whatever umask(2) the packages are made with. An installation sets the modes of files itself.
set(for_all OWNER_READ OWNER_WRITE GROUP_READ WORLD_READ)
foreach(component ${CPACK_COMPONENTS_ALL})
  file(GLOB_RECURSE paths LIST_DIRECTORIES true "${CPACK_TEMPORARY_DIRECTORY}/${component}/*")
  foreach(path ${paths})
    if(IS_DIRECTORY "${path}")
      file(CHMOD "${path}" PERMISSIONS ${for_all} OWNER_EXECUTE GROUP_EXECUTE WORLD_EXECUTE)
    elseif(path MATCHES "/usr/share/")
      file(CHMOD "${path}" PERMISSIONS ${for_all})
    endif()
  endforeach()
endforeach()
