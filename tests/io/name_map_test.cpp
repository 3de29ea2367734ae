#include "hourglass/io/name_map.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "io/files.hpp"
#include "io/tensors.hpp"

namespace hg = hourglass;
using hourglass_test::error_of;

using Names = std::vector<std::string>;

TEST_CASE("names that no entry mentions stay") {
  CHECK(hg::NameMap{}.file_names("encoder.0.weight") == Names{"encoder.0.weight"});
  const hg::NameMap map{{"encoder.0", {"fc1"}}};
  CHECK(map.file_names("decoder.0.weight") == Names{"decoder.0.weight"});
  CHECK(map.file_names("encoder.0.weight") == Names{"fc1.weight"});
  CHECK(map.entries().size() == 1);
}

TEST_CASE("prefixes are whole components") {
  const hg::NameMap map{{"encoder.1", {"a"}}, {"enc", {"b"}}};
  CHECK(map.file_names("encoder.1.weight") == Names{"a.weight"});
  CHECK(map.file_names("encoder.10.weight") == Names{"encoder.10.weight"});
  CHECK(map.file_names("encoder.1") == Names{"a"});
  CHECK(map.file_names("encoder") == Names{"encoder"});
}

TEST_CASE("the longest prefix wins, whatever the order of the entries") {
  for (const hg::NameMap& map : {hg::NameMap{{"encoder", {"e"}}, {"encoder.2.bias", {"b"}}, {"encoder.2", {"last"}}},
                                 hg::NameMap{{"encoder.2.bias", {"b"}}, {"encoder.2", {"last"}}, {"encoder", {"e"}}}}) {
    CHECK(map.file_names("encoder.0.weight") == Names{"e.0.weight"});
    CHECK(map.file_names("encoder.2.weight") == Names{"last.weight"});
    CHECK(map.file_names("encoder.2.bias") == Names{"b"});
  }
}

TEST_CASE("several prefixes stack, empty ones stand for nothing") {
  const hg::NameMap map{{"encoder.2", {"fc21", "fc22"}}, {"encoder", {""}}, {"", {"module"}}};
  CHECK(map.file_names("encoder.2.weight") == Names{"fc21.weight", "fc22.weight"});
  CHECK(map.file_names("encoder.0.weight") == Names{"0.weight"});
  CHECK(map.file_names("decoder.0.weight") == Names{"module.decoder.0.weight"});
}

TEST_CASE("impossible entries are refused") {
  CHECK(error_of<hg::ShapeError>([] {
          hg::NameMap map{{"a", {}}};
        }) == "NameMap: \"a\" maps to 0 prefixes; give at least 1");
  CHECK(error_of<hg::ShapeError>([] {
          hg::NameMap map{{"a", {"b"}}, {"a", {"c"}}};
        }) == "NameMap: \"a\" has 2 entries; give 1 with all of its prefixes");
}

TEST_CASE("two_heads finds the last layer of the encoder") {
  using hourglass_test::Coder;
  const Coder<> model{{{{4, 3}, {3, 2}}}, {{{1, 3}, {3, 4}}}};
  const hg::NameMap map = hg::two_heads(model);
  CHECK(map.file_names("encoder.2.weight") == Names{"fc_mu.weight", "fc_logvar.weight"});
  CHECK(map.file_names("encoder.2.bias") == Names{"fc_mu.bias", "fc_logvar.bias"});
  CHECK(map.file_names("encoder.0.weight") == Names{"encoder.0.weight"});
  CHECK(hg::two_heads(model, "fc21", "fc22").file_names("encoder.2.bias") == Names{"fc21.bias", "fc22.bias"});
  CHECK(error_of<hg::ShapeError>([] { (void)hg::two_heads(Coder<>{}); }) ==
        "two_heads: the model has 0 parameters under \"encoder.\"; write the NameMap entry by entry");
}
