# Makes the lists of system calls from the comments "#syscalls HALF: NAME..." in the daemon's
# sources. Usage: cmake -D SOURCES=FOLDER -D OUTPUT=HEADER -P collect-syscalls.cmake
cmake_minimum_required(VERSION 3.22)

file(GLOB_RECURSE files ${SOURCES}/*.c)
list(FILTER files EXCLUDE REGEX "/platform/fake/")
foreach(file ${files})
  file(STRINGS ${file} lines REGEX "#syscalls [a-z]+: ")
  foreach(line ${lines})
    string(REGEX MATCH "#syscalls ([a-z]+): ([a-z0-9_ ]+)" match "${line}")
    set(half ${CMAKE_MATCH_1})
    string(REGEX MATCHALL "[a-z0-9_]+" names "${CMAKE_MATCH_2}")
    if(NOT half MATCHES "^(keeper|broker)$")
      message(FATAL_ERROR "${file}: '${half}' is neither keeper nor broker")
    endif()
    list(APPEND ${half} ${names})
  endforeach()
endforeach()

list(APPEND keeper ${broker}) # from which it starts
set(text "/* Made by collect-syscalls.cmake. */\n")
foreach(half keeper broker)
  list(SORT ${half})
  list(REMOVE_DUPLICATES ${half})
  list(JOIN ${half} "\",\n    \"" names)
  string(APPEND text "static const char *const ${half}_calls[] = {\n    \"${names}\",\n};\n")
endforeach()
file(WRITE ${OUTPUT} "${text}")
