# find_package(FourierFormer): the targets FourierFormer::ff (everything), and one a folder, FourierFormer::core,
# ::autograd, ::nn, ::optim and ::models.

include(CMakeFindDependencyMacro)
find_dependency(PkgConfig)
find_dependency(TBB)
find_dependency(fmt)
find_dependency(hwy)
find_dependency(JPEG)
find_dependency(nlohmann_json)
find_dependency(PNG)
find_dependency(ZLIB)
pkg_check_modules(OPENBLAS REQUIRED QUIET IMPORTED_TARGET openblas)
pkg_check_modules(UTF8PROC REQUIRED QUIET IMPORTED_TARGET libutf8proc)

include(${CMAKE_CURRENT_LIST_DIR}/FourierFormerTargets.cmake)
