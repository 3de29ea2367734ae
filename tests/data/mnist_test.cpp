#include "hourglass/data/mnist.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <numeric>
#include <string>
#include <vector>

#include "files.hpp"
#include "hourglass/data/image_file.hpp"

namespace hg = hourglass;
using files::Bytes;
using files::contains;
using files::thrown;

namespace {

// 3 training and 2 test images of 2 x 2, in names that end in `middle` + "ubyte".
void write_small(const files::Folder& folder, const std::string& dash = "-") {
  files::write(folder / ("train-images" + dash + "idx3-ubyte"),
               files::idx(8, {3, 2, 2}, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}));
  files::write(folder / ("train-labels" + dash + "idx1-ubyte"), files::idx(8, {3}, {0, 9, 4}));
  files::write(folder / ("t10k-images" + dash + "idx3-ubyte"), files::idx(8, {2, 2, 2}, {9, 8, 7, 6, 5, 4, 3, 2}));
  files::write(folder / ("t10k-labels" + dash + "idx1-ubyte"), files::idx(8, {2}, {1, 2}));
}

void check_small(const hg::Mnist& mnist) {
  CHECK(mnist.train.images.rows() == 3);
  CHECK(mnist.train.images.height() == 2);
  CHECK(mnist.train.images.pixels()[11] == 12);
  CHECK(mnist.train.labels == std::vector<std::uint8_t>{0, 9, 4});
  CHECK(mnist.test.images.rows() == 2);
  CHECK(mnist.test.images.pixels()[0] == 9);
  CHECK(mnist.test.labels == std::vector<std::uint8_t>{1, 2});
}

template <class Expected = hg::FormatError>
std::string refusal(const std::filesystem::path& folder) {
  return thrown<Expected>([&] { static_cast<void>(hg::load_mnist(folder)); });
}

}  // namespace

TEST_CASE("mnist: both spellings, mixed") {
  const files::Folder folder("mnist_names");
  SUBCASE("dash") { write_small(folder); }
  SUBCASE("dot") { write_small(folder, "."); }
  SUBCASE("mixed") {
    write_small(folder);
    std::filesystem::rename(folder / "train-labels-idx1-ubyte", folder / "train-labels.idx1-ubyte");
  }
#ifdef HOURGLASS_WITH_ZLIB
  SUBCASE("packed") {
    for (const std::string& dash : std::vector<std::string>{"-", "."}) {
      write_small(folder, dash);
      for (const std::string& name :
           std::vector<std::string>{"train-images" + dash + "idx3-ubyte", "train-labels" + dash + "idx1-ubyte",
                                    "t10k-images" + dash + "idx3-ubyte", "t10k-labels" + dash + "idx1-ubyte"}) {
        files::write(folder / (name + ".gz"), files::gzip(files::read(folder / name)));
        std::filesystem::remove(folder / name);
      }
      check_small(hg::load_mnist(folder.path()));
      for (const auto& entry : std::filesystem::directory_iterator(folder.path())) std::filesystem::remove(entry);
    }
    write_small(folder);
  }
#endif
  check_small(hg::load_mnist(folder.path()));
}

TEST_CASE("mnist: what is missing or does not fit is named") {
  const files::Folder folder("mnist_bad");
  write_small(folder);
  check_small(hg::load_mnist(folder.path()));
  CHECK(contains(refusal(folder / "absent"), {"absent", "no such folder", "scripts/download_mnist"}));
  CHECK(contains(refusal(folder / "train-labels-idx1-ubyte"), {"is no folder"}));

  const auto with = [&](const char* name, const Bytes& bytes) { files::write(folder / name, bytes); };
  SUBCASE("missing file") {
    std::filesystem::remove(folder / "t10k-images-idx3-ubyte");
    CHECK(contains(refusal(folder.path()),
                   {"t10k-images-idx3-ubyte", "t10k-images.idx3-ubyte", "t10k-images-idx3-ubyte.gz",
                    "t10k-images.idx3-ubyte.gz", "scripts/download_mnist"}));
  }
  SUBCASE("file that is a folder") {
    std::filesystem::remove(folder / "t10k-images-idx3-ubyte");
    std::filesystem::create_directory(folder / "t10k-images-idx3-ubyte");
    CHECK(contains(refusal(folder.path()), {"t10k-images-idx3-ubyte", "is a folder"}));
  }
  SUBCASE("swapped files") {
    std::filesystem::copy_file(folder / "train-labels-idx1-ubyte", folder / "train-images-idx3-ubyte",
                               std::filesystem::copy_options::overwrite_existing);
    CHECK(contains(refusal(folder.path()), {"train-images-idx3-ubyte", "1 dimensions", "3"}));
  }
  SUBCASE("labels of rank 3") {
    with("t10k-labels-idx1-ubyte", files::idx(8, {1, 1, 2}, {1, 2}));
    CHECK(contains(refusal(folder.path()), {"t10k-labels", "3 dimensions", "have 1"}));
  }
  SUBCASE("type") {
    with("train-labels-idx1-ubyte", files::idx(9, {3}, {0, 1, 2}));
    CHECK(contains(refusal(folder.path()), {"train-labels", "int8", "uint8"}));
  }
  SUBCASE("fewer labels than images") {
    with("train-labels-idx1-ubyte", files::idx(8, {2}, {0, 1}));
    CHECK(
        contains(refusal(folder.path()), {"train-labels-idx1-ubyte: 2 labels", "train-images-idx3-ubyte", "3 images"}));
  }
  SUBCASE("label above 9") {
    with("t10k-labels-idx1-ubyte", files::idx(8, {2}, {3, 10}));
    CHECK(contains(refusal(folder.path()), {"t10k-labels", "byte 9", "label 1 is 10"}));
  }
  SUBCASE("no images") {
    with("t10k-images-idx3-ubyte", files::idx(8, {0, 2, 2}, {}));
    CHECK(contains(refusal<hg::DataError>(folder.path()), {"t10k-images", "no image"}));
  }
  SUBCASE("images without pixels") {
    with("t10k-images-idx3-ubyte", files::idx(8, {2, 0, 2}, {}));
    CHECK(contains(refusal<hg::DataError>(folder.path()), {"2 of 0 x 2"}));
  }
  SUBCASE("no labels") {
    with("t10k-labels-idx1-ubyte", files::idx(8, {0}, {}));
    CHECK(contains(refusal<hg::DataError>(folder.path()), {"t10k-labels", "0 labels"}));
  }
  SUBCASE("sizes differ") {
    with("t10k-images-idx3-ubyte", files::idx(8, {2, 1, 4}, {9, 8, 7, 6, 5, 4, 3, 2}));
    CHECK(contains(refusal(folder.path()), {"2 x 2", "1 x 4"}));
  }
  SUBCASE("truncated") {
    with("train-images-idx3-ubyte", files::idx(8, {3, 2, 2}, {1, 2, 3}));
    CHECK(contains(refusal(folder.path()), {"train-images-idx3-ubyte", "truncated"}));
  }
}

TEST_CASE("mnist: single files, colours by plane") {
  const files::Folder folder("mnist_single");
  const auto images = hg::load_idx_images(
      files::write(folder / "rgb", files::idx(8, {2, 1, 2, 3}, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12})));
  CHECK(images.rows() == 2);
  CHECK(images.channels() == 3);
  CHECK(images.width() == 2);
  CHECK(Bytes(images.pixels().begin(), images.pixels().end()) == Bytes{1, 4, 2, 5, 3, 6, 7, 10, 8, 11, 9, 12});
  CHECK(hg::load_idx_labels(files::write(folder / "letters", files::idx(8, {2}, {26, 255}))) == Bytes{26, 255});
}

TEST_CASE("mnist: the real one") {
  const char* variable = std::getenv("HOURGLASS_MNIST_DIR");
  const std::filesystem::path folder = variable != nullptr
                                           ? std::filesystem::path(variable)
                                           : std::filesystem::path(HOURGLASS_SOURCE_DIR) / "../shared/data/mnist";
  bool packed_only = false;
#ifndef HOURGLASS_WITH_ZLIB
  packed_only = !std::filesystem::exists(folder / "train-images-idx3-ubyte");
#endif
  if (!std::filesystem::exists(folder) || packed_only) {
    std::printf("SKIPPED: no readable MNIST in %s; set HOURGLASS_MNIST_DIR\n", folder.string().c_str());
    return;
  }
  const hg::Mnist mnist = hg::load_mnist(folder);
  const auto check = [](const hg::LabelledImages& part, hg::Index count, std::uint32_t pixels, std::uint32_t labels) {
    CHECK(part.images.rows() == count);
    CHECK(part.images.height() == 28);
    CHECK(part.images.width() == 28);
    CHECK(part.images.channels() == 1);
    CHECK(hg::detail::crc32_of(part.images.pixels()) == pixels);
    CHECK(hg::detail::crc32_of(part.labels) == labels);
  };
  check(mnist.train, 60'000, 4083391318u, 3121080559u);
  check(mnist.test, 10'000, 3838467927u, 4001760473u);
  const auto& bytes = mnist.train.images.pixels();
  CHECK(std::accumulate(bytes.begin(), bytes.end(), std::int64_t{0}) == 1'567'298'545);
}
