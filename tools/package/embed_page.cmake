# Makes a text of several files a string constant of a target: ff_embed_page(ff_autograd ff::autograd graph_page
# graph_page.html style=graph_page.css script=graph_page.js) defines ff::autograd::graph_page, graph_page.html with
# {{style}} and {{script}} replaced by what is in the other files. Paths are relative to the folder of the caller.
function(ff_embed_page target namespace symbol page_file)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${page_file})
  file(READ ${page_file} page)
  foreach(part ${ARGN})
    string(REGEX MATCH "(.+)=(.+)" part ${part})
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${CMAKE_MATCH_2})
    file(READ ${CMAKE_MATCH_2} text)
    string(REPLACE "{{${CMAKE_MATCH_1}}}" "${text}" page "${page}")
  endforeach()
  file(CONFIGURE OUTPUT ${symbol}.cpp @ONLY CONTENT "#include <string_view>
namespace @namespace@ {
extern const std::string_view @symbol@;
const std::string_view @symbol@ = R\"page(@page@)page\";
}  // namespace @namespace@
")
  target_sources(${target} PRIVATE ${CMAKE_CURRENT_BINARY_DIR}/${symbol}.cpp)
endfunction()
