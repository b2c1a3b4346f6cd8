# Installation: headers under include/ff, the libraries, the program, and the CMake package FourierFormer.

include(GNUInstallDirs)
set(FF_PACKAGE_DIR ${CMAKE_INSTALL_LIBDIR}/cmake/FourierFormer)

# Makes a library part of the package, as FourierFormer::<name>.
function(ff_install_library target name)
  set_target_properties(${target} PROPERTIES EXPORT_NAME ${name})
  if(FF_INSTALL)
    install(TARGETS ${target} EXPORT FourierFormer INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
  endif()
endfunction()

# Installs what the installed program prints: ff_install_printed(share/man/man1/fourierformer.1 man).
function(ff_install_printed file)
  install(CODE "
    set(program \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_BINDIR}/fourierformer\")
    set(file \"\${CMAKE_INSTALL_PREFIX}/${file}\")
    message(STATUS \"Installing: \$ENV{DESTDIR}\${file}\")
    execute_process(COMMAND \${program} ${ARGN} OUTPUT_VARIABLE printed COMMAND_ERROR_IS_FATAL ANY)
    file(WRITE \"\$ENV{DESTDIR}\${file}\" \"\${printed}\")
    list(APPEND CMAKE_INSTALL_MANIFEST_FILES \"\${file}\")")
endfunction()

if(FF_INSTALL)
  include(CMakePackageConfigHelpers)
  write_basic_package_version_file(FourierFormerConfigVersion.cmake COMPATIBILITY SameMinorVersion)
  install(FILES ${CMAKE_CURRENT_LIST_DIR}/FourierFormerConfig.cmake
    ${PROJECT_BINARY_DIR}/FourierFormerConfigVersion.cmake DESTINATION ${FF_PACKAGE_DIR})
  install(EXPORT FourierFormer NAMESPACE FourierFormer:: FILE FourierFormerTargets.cmake DESTINATION ${FF_PACKAGE_DIR})
  # -inl.h files are for this project's own sources; ff.h stands above the rooms.
  install(DIRECTORY core autograd nn optim models DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/ff
    FILES_MATCHING PATTERN "*.h" PATTERN "*-inl.h" EXCLUDE PATTERN "models/ff.h" EXCLUDE PATTERN "configs" EXCLUDE)
  install(FILES models/ff.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/ff)
endif()
