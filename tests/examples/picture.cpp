// picture FILE...: fails unless each is a picture that shows something. Prints "FILE WIDTHxHEIGHT" for each.
#include <algorithm>
#include <exception>
#include <hourglass/data/image_file.hpp>
#include <iostream>

int main(int argc, char** argv) {
  int status = argc > 1 ? 0 : 1;
  for (int i = 1; i < argc; ++i) {
    try {
      const auto picture = hourglass::detail::read_image_file(argv[i], 1);
      const auto* pixels = picture.pixels.get();
      const auto [least, most] = std::minmax_element(pixels, pixels + picture.width * picture.height);
      std::cout << argv[i] << ' ' << picture.width << 'x' << picture.height << "\n";
      if (picture.width < 16 || picture.height < 16 || *most - *least < 32) {
        std::cout << argv[i] << ": too small, or all pixels are between " << int{*least} << " and " << int{*most}
                  << "\n";
        status = 1;
      }
    } catch (const std::exception& error) {
      std::cout << error.what() << "\n";
      status = 1;
    }
  }
  return status;
}
