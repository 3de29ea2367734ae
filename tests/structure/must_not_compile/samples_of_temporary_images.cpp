// expect: (use of deleted function|call to deleted constructor|invokes a deleted function)
// A view of images that are gone at the end of the line.
#include <hourglass/data/images.hpp>
#include <hourglass/data/samples.hpp>
#include <utility>

using namespace hourglass;

[[maybe_unused]] static Samples view(Images images) {
#ifdef FIXED
  const Images& lasting = images;
  return Samples{lasting};
#else
  return Samples{std::move(images)};
#endif
}
