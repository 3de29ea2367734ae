#include "hourglass/data/image_folder.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "files.hpp"
#include "png.hpp"

namespace hg = hourglass;
using files::Bytes;
using files::contains;
using files::thrown;

namespace {

// A 2 x 1 grey picture whose first pixel tells it apart.
void picture(const std::filesystem::path& path, std::uint8_t value) { png::write_png(path, 2, 1, 1, {value, 0}); }

template <class Expected = hg::FormatError>
std::string refusal(const std::filesystem::path& folder, hg::Index channels = 0) {
  return thrown<Expected>([&] { static_cast<void>(hg::load_image_folder(folder, {.channels = channels})); });
}

Bytes first_pixels(const hg::ImageFolder& data) {
  Bytes firsts;
  for (hg::Index i = 0; i < data.images.rows(); ++i) firsts.push_back(data.images.middleRows(i, 1).pixels()[0]);
  return firsts;
}

}  // namespace

TEST_CASE("image folder: without subfolders, sorted, by extension in any case") {
  const files::Folder folder("image_folder_flat");
  picture(folder / "c.png", 3);
  picture(folder / "a.PNG", 1);
  picture(folder / "b.Png", 2);
  files::write(folder / "readme.txt", {'h', 'i'});
  files::write(folder / "._a.png", {0, 5, 22, 7});
  const auto data = hg::load_image_folder(folder.path());
  CHECK(first_pixels(data) == Bytes{1, 2, 3});
  CHECK(data.labels == std::vector<hg::Index>{0, 0, 0});
  CHECK(data.classes.empty());
  CHECK(data.images.height() == 1);
  CHECK(data.images.width() == 2);
  CHECK(data.images.channels() == 1);
}

TEST_CASE("image folder: subfolders are classes, in sorted order") {
  const files::Folder folder("image_folder_classes");
  picture(folder / "dog/2.png", 22);
  picture(folder / "dog/10.png", 21);
  picture(folder / "cat/x.png", 11);
  picture(folder / "cat/deeper/a.png", 12);
  picture(folder / "zebra/z.png", 31);
  picture(folder / ".hidden/z.png", 99);
  const auto data = hg::load_image_folder(folder.path());
  CHECK(data.classes == std::vector<std::string>{"cat", "dog", "zebra"});
  CHECK(first_pixels(data) == Bytes{11, 12, 21, 22, 31});
  CHECK(data.labels == std::vector<hg::Index>{0, 0, 1, 1, 2});
}

TEST_CASE("image folder: colour becomes planes; channels as asked or as in the first file") {
  const files::Folder folder("image_folder_colour");
  png::write_png(folder / "a.png", 2, 1, 3, {10, 20, 30, 40, 50, 60});
  png::write_png(folder / "b.png", 2, 1, 1, {7, 8});
  const auto colour = hg::load_image_folder(folder.path());
  CHECK(colour.images.channels() == 3);
  CHECK(colour.images.cols() == 6);
  CHECK(Bytes(colour.images.pixels().begin(), colour.images.pixels().end()) ==
        Bytes{10, 40, 20, 50, 30, 60, 7, 8, 7, 8, 7, 8});
  const auto grey = hg::load_image_folder(folder.path(), {.channels = 1});
  CHECK(grey.images.channels() == 1);
  CHECK(grey.images.pixels()[0] == 18);  // 0.299 r + 0.587 g + 0.114 b
  CHECK(grey.images.pixels()[2] == 7);
  std::filesystem::rename(folder / "b.png", folder / "0.png");
  CHECK(hg::load_image_folder(folder.path()).images.channels() == 1);
  CHECK(hg::load_image_folder(folder.path(), {.channels = 3}).images.channels() == 3);
}

TEST_CASE("image folder: what does not fit is named") {
  const files::Folder folder("image_folder_bad");
  CHECK(contains(refusal(folder / "absent"), {"absent", "no such folder"}));
  CHECK(contains(refusal<hg::DataError>(folder.path()), {"no PNG or JPEG"}));
  CHECK(contains(refusal<hg::ShapeError>(folder.path(), 2), {"channels is 2"}));
  picture(folder / "a.png", 1);
  CHECK(contains(refusal(folder / "a.png"), {"is no folder"}));

  SUBCASE("images of different sizes") {
    png::write_png(folder / "b.png", 3, 5, 1, Bytes(15, 1));
    CHECK(contains(refusal(folder.path()), {"b.png", "3 x 5", "a.png", "2 x 1"}));
  }
  SUBCASE("corrupt image") {
    Bytes bytes = files::read(folder / "a.png");
    bytes[bytes.size() / 2] ^= 1;
    files::write(folder / "b.png", bytes);
    CHECK(contains(refusal(folder.path()), {"b.png", "damaged"}));
  }
  SUBCASE("no image inside") {
    files::write(folder / "b.jpeg", {'t', 'e', 'x', 't'});
    CHECK(contains(refusal(folder.path()), {"b.jpeg", "neither"}));
  }
  SUBCASE("images beside classes") {
    picture(folder / "cat/a.png", 1);
    CHECK(contains(refusal(folder.path()), {"1 images", "a.png", "1 class folders"}));
  }
  SUBCASE("empty class") {
    std::filesystem::remove(folder / "a.png");
    picture(folder / "cat/a.png", 1);
    std::filesystem::create_directory(folder / "dog");
    CHECK(contains(refusal<hg::DataError>(folder.path()), {"dog", "no PNG"}));
  }
}
