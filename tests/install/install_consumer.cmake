# Installs the built tree into a folder of its own, and from there builds and runs a program as a user would write it;
# then configures the same program with the source tree as a subfolder.

set(work ${BUILD_DIR}/tests/install_consumer)
set(here ${CMAKE_CURRENT_LIST_DIR})
file(REMOVE_RECURSE ${work})
file(MAKE_DIRECTORY ${work})

function(run)
  execute_process(COMMAND ${ARGV} WORKING_DIRECTORY ${work} RESULT_VARIABLE status OUTPUT_VARIABLE out ERROR_VARIABLE out)
  if(NOT status EQUAL 0)
    list(JOIN ARGV " " command)
    message(FATAL_ERROR "${command}\n${out}\nfailed: ${status}")
  endif()
  set(out "${out}" PARENT_SCOPE)
endfunction()

function(expect pattern)
  if(NOT out MATCHES "${pattern}")
    message(FATAL_ERROR "expected ${pattern} in:\n${out}")
  endif()
endfunction()

set(options -G ${GENERATOR} -DCMAKE_BUILD_TYPE=${BUILD_TYPE} -DCMAKE_CXX_COMPILER=${COMPILER})
if(SANITIZE)
  # The installed libraries were built with it, so their user must be.
  list(APPEND options -DCMAKE_CXX_FLAGS=-fsanitize=${SANITIZE})
endif()

run(${CMAKE_COMMAND} --install ${BUILD_DIR} --prefix ${work}/prefix)
file(GLOB_RECURSE private ${work}/prefix/*-inl.h ${work}/prefix/*.cpp)
if(private OR NOT EXISTS ${work}/prefix/include/ff/ff.h OR EXISTS ${work}/prefix/include/ff/models/ff.h)
  message(FATAL_ERROR "wrong headers installed: ${private}")
endif()
run(${CMAKE_COMMAND} -E env sh -c "grep -rlF '${SOURCE_DIR}' prefix/lib*/cmake || true")
if(out)
  message(FATAL_ERROR "the package names the source tree:\n${out}")
endif()

run(${CMAKE_COMMAND} -S ${here} -B user ${options} -DCMAKE_PREFIX_PATH=${work}/prefix)
run(${CMAKE_COMMAND} --build user)
run(user/example)
message("${out}")
expect("step 200  loss 0\\.[0-2][0-9]*")
if(NOT EXISTS ${work}/classifier.safetensors)
  message(FATAL_ERROR "the program saved nothing")
endif()

run(${work}/prefix/bin/fourierformer --help)
expect("train")

# What it prints for shells and readers is installed, as it prints it from there.
function(expect_installed file)
  run(${work}/prefix/bin/fourierformer ${ARGN})
  file(READ ${work}/prefix/share/${file} text)
  if(NOT text STREQUAL out)
    message(FATAL_ERROR "share/${file} is not what fourierformer ${ARGN} prints:\n${text}")
  endif()
  set(out "${out}" PARENT_SCOPE)
endfunction()
expect_installed(man/man1/fourierformer.1 man)
expect_installed(zsh/site-functions/_fourierformer completion zsh)
expect_installed(bash-completion/completions/fourierformer completion bash)
expect("toy_vision")

# Generating is enough to see that every target links something known.
file(WRITE ${work}/subfolder/CMakeLists.txt "cmake_minimum_required(VERSION 3.25)
project(subfolder LANGUAGES CXX)
add_subdirectory(${SOURCE_DIR} ff)
add_executable(example ${here}/main.cpp)
target_link_libraries(example PRIVATE FourierFormer::ff)
")
run(${CMAKE_COMMAND} -S subfolder -B subfolder/build ${options})
