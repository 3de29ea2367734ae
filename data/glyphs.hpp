// The pen strokes of ten digits, each in the few ways in which people write it.
//
// A glyph is a list of knots in percent of the digit's height, x to the right and y down. The pen follows a smooth
// curve through them; it turns sharply at a corner and is lifted before a start.
#pragma once

#include <array>
#include <span>

namespace hourglass::digits {

enum class Turn { smooth, corner, start };

/// A point that the pen passes.
struct Knot {
  double x;
  double y;
  Turn turn = Turn::smooth;
};

/// One way to write a digit, and how many of a hundred people write it so.
struct Glyph {
  int digit;
  int percent;
  std::span<const Knot> knots;
};

namespace detail {

inline constexpr Turn corner = Turn::corner;
inline constexpr Turn start = Turn::start;

inline constexpr Knot zero_closed[] = {{36, 2, start}, {8, 26}, {6, 75}, {30, 99}, {57, 74}, {57, 25}, {35, 1}};
inline constexpr Knot zero_overlapping[] = {{46, 8, start}, {20, 8},  {3, 48}, {24, 98},
                                            {54, 82},       {60, 32}, {40, 2}, {20, 12}};
inline constexpr Knot zero_from_the_left[] = {{15, 14, start}, {3, 58}, {24, 98}, {52, 78},
                                              {55, 24},        {34, 2}, {13, 17}};

inline constexpr Knot one_bar[] = {{10, 0, start}, {10, 50}, {10, 100}};
inline constexpr Knot one_flag[] = {{0, 20, start}, {12, 11}, {22, 0, corner}, {22, 50}, {21, 100}};
inline constexpr Knot one_serif[] = {{2, 22, start}, {16, 12},       {27, 0, corner}, {27, 50},
                                     {26, 98},       {2, 99, start}, {26, 98},        {52, 97}};

inline constexpr Knot two_open[] = {{6, 24, start}, {15, 7},         {36, 0},  {54, 13}, {52, 36},
                                    {34, 64},       {5, 97, corner}, {36, 96}, {68, 94}};
inline constexpr Knot two_loop[] = {{8, 20, start}, {27, 2}, {50, 9},  {53, 36}, {38, 66}, {16, 93},
                                    {2, 91},        {9, 77}, {28, 83}, {48, 97}, {72, 90}};
inline constexpr Knot two_angular[] = {{6, 12, start}, {30, 3},         {56, 5},  {54, 22},
                                       {30, 58},       {4, 95, corner}, {36, 95}, {70, 97}};

inline constexpr Knot three_round[] = {{6, 13, start}, {28, 0},  {52, 12}, {46, 35}, {22, 47, corner},
                                       {50, 56},       {60, 76}, {40, 98}, {4, 90}};
inline constexpr Knot three_flat[] = {{5, 4, start}, {30, 4},  {57, 2, corner}, {42, 22}, {26, 42, corner},
                                      {53, 52},      {60, 77}, {38, 98},        {3, 89}};
inline constexpr Knot three_looped[] = {{6, 12, start}, {30, 0},  {51, 13}, {42, 36}, {24, 49}, {17, 45},
                                        {27, 42},       {52, 57}, {58, 80}, {35, 99}, {3, 90}};

inline constexpr Knot four_open[] = {{12, 3, start}, {6, 26},        {3, 50, corner}, {30, 52},
                                     {64, 48},       {56, 4, start}, {51, 50},        {46, 100}};
inline constexpr Knot four_round[] = {{10, 5, start}, {2, 36},        {14, 55}, {38, 50},
                                      {58, 36},       {60, 0, start}, {54, 50}, {45, 100}};
inline constexpr Knot four_closed[] = {{46, 1, start}, {24, 32},       {1, 65, corner}, {32, 65},
                                       {68, 62},       {47, 1, start}, {47, 50},        {46, 100}};
inline constexpr Knot four_one_stroke[] = {{14, 3, start},  {6, 30},  {2, 58, corner}, {34, 54},
                                           {62, 8, corner}, {52, 50}, {44, 100}};

inline constexpr Knot five_two_strokes[] = {{15, 5, start}, {12, 24}, {8, 44, corner}, {32, 37}, {56, 54}, {55, 82},
                                            {32, 99},       {2, 91},  {15, 4, start},  {38, 5},  {64, 1}};
inline constexpr Knot five_one_stroke[] = {{60, 3, start}, {38, 3},  {16, 4, corner}, {8, 43, corner}, {36, 38},
                                           {57, 60},       {46, 90}, {22, 99},        {2, 88}};
inline constexpr Knot five_curved[] = {{62, 4, start}, {34, 3},  {14, 18}, {20, 39},
                                       {44, 54},       {52, 78}, {32, 98}, {2, 88}};

inline constexpr Knot six_leaning[] = {{42, 0, start}, {18, 26}, {3, 64},  {16, 96}, {42, 94},
                                       {53, 74},       {38, 56}, {17, 66}, {6, 82}};
inline constexpr Knot six_curled[] = {{54, 8, start}, {35, 0},  {13, 26}, {2, 66}, {20, 98},
                                      {48, 91},       {53, 66}, {31, 53}, {6, 72}};
inline constexpr Knot six_narrow[] = {{26, 0, start}, {10, 46}, {7, 82}, {24, 99}, {43, 84}, {36, 64}, {10, 78}};

inline constexpr Knot seven_plain[] = {{2, 7, start}, {30, 5}, {62, 2, corner}, {42, 48}, {27, 100}};
inline constexpr Knot seven_bar[] = {{3, 7, start}, {30, 5},         {62, 3, corner}, {42, 48},
                                     {29, 100},     {14, 52, start}, {36, 50},        {58, 46}};
inline constexpr Knot seven_serif[] = {{3, 24, start}, {6, 5, corner}, {32, 6}, {60, 3, corner}, {42, 44}, {34, 100}};
inline constexpr Knot seven_curved[] = {{2, 18, start}, {16, 6}, {38, 10}, {58, 4}, {56, 22}, {40, 56}, {32, 100}};

inline constexpr Knot eight_one_stroke[] = {{53, 14, start}, {32, 0}, {9, 17},  {26, 44}, {50, 70}, {40, 97},
                                            {15, 95},        {6, 74}, {26, 50}, {49, 28}, {54, 12}};
inline constexpr Knot eight_two_rings[] = {{30, 47, start}, {11, 25}, {29, 1},  {50, 20}, {32, 46},
                                           {7, 74},         {28, 99}, {54, 76}, {31, 47}};
inline constexpr Knot eight_open[] = {{58, 8, start}, {34, 3}, {12, 20}, {30, 45}, {48, 74},
                                      {28, 99},       {8, 80}, {26, 52}, {60, 16}};

inline constexpr Knot nine_straight[] = {{52, 11, start}, {28, 1},         {4, 24},  {17, 48},
                                         {43, 38},        {54, 6, corner}, {51, 55}, {46, 100}};
inline constexpr Knot nine_curved[] = {{54, 14, start}, {31, 0},  {5, 22},  {14, 46}, {41, 41},
                                       {54, 16},        {53, 58}, {38, 93}, {7, 94}};
inline constexpr Knot nine_leaning[] = {{44, 12, start}, {25, 3}, {5, 26},  {16, 47},
                                        {42, 32},        {52, 8}, {46, 48}, {32, 100}};

}  // namespace detail

/// Every glyph; the shares of one digit add up to 100.
inline constexpr std::array glyphs{
    Glyph{0, 50, detail::zero_closed},        Glyph{0, 30, detail::zero_overlapping},
    Glyph{0, 20, detail::zero_from_the_left}, Glyph{1, 75, detail::one_bar},
    Glyph{1, 15, detail::one_flag},           Glyph{1, 10, detail::one_serif},
    Glyph{2, 40, detail::two_open},           Glyph{2, 35, detail::two_loop},
    Glyph{2, 25, detail::two_angular},        Glyph{3, 50, detail::three_round},
    Glyph{3, 20, detail::three_flat},         Glyph{3, 30, detail::three_looped},
    Glyph{4, 40, detail::four_open},          Glyph{4, 25, detail::four_round},
    Glyph{4, 20, detail::four_closed},        Glyph{4, 15, detail::four_one_stroke},
    Glyph{5, 35, detail::five_two_strokes},   Glyph{5, 40, detail::five_one_stroke},
    Glyph{5, 25, detail::five_curved},        Glyph{6, 40, detail::six_leaning},
    Glyph{6, 35, detail::six_curled},         Glyph{6, 25, detail::six_narrow},
    Glyph{7, 45, detail::seven_plain},        Glyph{7, 20, detail::seven_bar},
    Glyph{7, 15, detail::seven_serif},        Glyph{7, 20, detail::seven_curved},
    Glyph{8, 45, detail::eight_one_stroke},   Glyph{8, 25, detail::eight_two_rings},
    Glyph{8, 30, detail::eight_open},         Glyph{9, 40, detail::nine_straight},
    Glyph{9, 30, detail::nine_curved},        Glyph{9, 30, detail::nine_leaning},
};

}  // namespace hourglass::digits
