# Makes the lists of system calls from the comments "#syscalls HALF: NAME..." in the daemon's
# sources. Usage: cmake -D SOURCES=FOLDER -D OUTPUT=HEADER -P collect-syscalls.cmake
cmake_minimum_required(VERSION 3.22)

file(GLOB_RECURSE files ${SOURCES}/*.c)
list(FILTER files EXCLUDE REGEX "/platform/fake/")
foreach(file ${files})
  file(STRINGS ${file} lines REGEX "#syscalls [a-z]+: ")
  foreach(line ${lines})
    if(line MATCHES "#syscalls.*#syscalls")
      message(FATAL_ERROR "${file}: a formatter joined the lines of '${line}'")
    endif()
    string(REGEX MATCH "#syscalls ([a-z]+): ([a-z0-9_ ]+)" match "${line}")
    set(half ${CMAKE_MATCH_1})
    string(REGEX MATCHALL "[a-z0-9_]+" names "${CMAKE_MATCH_2}")
    if(NOT half MATCHES "^(keeper|broker|lending)$")
      message(FATAL_ERROR "${file}: '${half}' is neither keeper, broker nor lending")
    endif()
    list(APPEND ${half} ${names})
  endforeach()
endforeach()

list(APPEND lending ${broker}) # what it is allowed beside
list(APPEND keeper ${lending}) # from which both start
set(text "/* Made by collect-syscalls.cmake. */\n")
foreach(half keeper broker lending)
  list(SORT ${half})
  list(REMOVE_DUPLICATES ${half})
  list(JOIN ${half} "\",\n    \"" names)
  string(APPEND text "static const char *const ${half}_calls[] = {\n    \"${names}\",\n};\n")
endforeach()
file(WRITE ${OUTPUT} "${text}")
