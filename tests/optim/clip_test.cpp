#include "hourglass/optim/clip.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "optim/checks.hpp"

namespace hg = hourglass;
using namespace optim_checks;

TEST_CASE_TEMPLATE("norms above max_norm are brought down to it, others left alone", Scalar, float, double) {
  Model<Scalar> model(2, 1);
  Workspace<Scalar> workspace{hg::ParameterBuffer<Scalar>(model)};
  workspace.buffer.data()[0] = 3;
  workspace.buffer.data()[hg::slot_size<Scalar>(2)] = 4;
  CHECK(hg::clip_grad_norm(workspace, 6.0) == 5);
  CHECK(workspace.buffer.data()[0] == 3);
  CHECK(hg::clip_grad_norm(workspace, 1.0) == 5);
  CHECK(double{workspace.buffer.data()[0]} == doctest::Approx(3 / (5 + 1e-6)).epsilon(1e-7));
  CHECK(hg::clip_grad_norm(workspace.buffer, 1.0) == doctest::Approx(1).epsilon(1e-6));
  CHECK(hg::clip_grad_norm(workspace, 0.0) > 0);
  CHECK(hg::clip_grad_norm(workspace, 1.0) == 0);
}

TEST_CASE("squares that a float cannot hold do not spoil the norm") {
  Model<float> model;
  hg::ParameterBuffer<float> gradients(model);
  gradients.data()[0] = 3e30f;
  gradients.data()[1] = 4e30f;
  CHECK(hg::clip_grad_norm(gradients, 1.0) == doctest::Approx(5e30));
  CHECK(gradients.data()[1] == doctest::Approx(0.8));
  gradients.data()[1] = std::numeric_limits<float>::quiet_NaN();
  CHECK(std::isnan(hg::clip_grad_norm(gradients, 1.0)));
}

TEST_CASE("the norm has the same bits at any number of threads") {
  Model<float> model(311, 207);
  hg::ParameterBuffer<float> gradients(model);
  randomize(gradients, model, 6);
  const int before = hg::num_threads();
  hg::set_num_threads(1);
  const double one = hg::clip_grad_norm(gradients, 1e9);
  hg::set_num_threads(3);
  CHECK(hg::clip_grad_norm(gradients, 1e9) == one);
  hg::set_num_threads(before);
  CHECK(one == doctest::Approx(std::sqrt(311 * 208)).epsilon(0.01));
}

TEST_CASE("a negative max_norm is refused") {
  Model<float> model;
  hg::ParameterBuffer<float> gradients(model);
  CHECK_THROWS_AS(hg::clip_grad_norm(gradients, -1.0), hg::DataError);
  CHECK_THROWS_AS(hg::clip_grad_norm(gradients, std::numeric_limits<double>::quiet_NaN()), hg::DataError);
}
