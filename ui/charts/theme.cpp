// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/charts/theme.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace quantoscope::ui {

namespace {

constexpr QRgb okabeIto[] = { 0xff0072b2, 0xffe69f00, 0xff009e73, 0xffcc79a7, 0xff56b4e9, 0xffd55e00, 0xfff0e442 };

// matplotlib's viridis at nine equal steps; linear in between is within two levels of the full table.
constexpr std::array<QRgb, 9> viridisStops { 0xff440154, 0xff472d7b, 0xff3b528b, 0xff2c728e, 0xff21918c, 0xff28ae80,
    0xff5ec962, 0xffaddc30, 0xfffde725 };

double luminance(const QColor& color)
{
    return 0.2126 * color.redF() + 0.7152 * color.greenF() + 0.0722 * color.blueF();
}

/// CIE L*, 0 to 100.
double lightnessOf(const QColor& color)
{
    const auto linear = [](double c) { return c <= 0.04045 ? c / 12.92 : std::pow((c + 0.055) / 1.055, 2.4); };
    const double y = 0.2126 * linear(color.redF()) + 0.7152 * linear(color.greenF()) + 0.0722 * linear(color.blueF());
    return y <= 0.008856 ? 903.3 * y : 116 * std::cbrt(y) - 16;
}

/// The same hue and saturation, lighter or darker.
QColor ofLightness(const QColor& color, double lightness)
{
    constexpr int steps = 16; // each halves what is uncertain
    float low = 0;
    float high = 1;
    const auto at = [&](float level) { return QColor::fromHslF(color.hslHueF(), color.hslSaturationF(), level); };
    for (int i = 0; i < steps; ++i) {
        const float middle = (low + high) / 2;
        (lightnessOf(at(middle)) < lightness ? low : high) = middle;
    }
    return at(low);
}

} // namespace

Theme Theme::light()
{
    Theme theme;
    theme.background = QColor(255, 255, 255);
    theme.text = QColor(0x20, 0x24, 0x28);
    theme.muted = QColor(0x5a, 0x62, 0x6a);
    theme.axis = QColor(0x80, 0x88, 0x90);
    theme.grid = QColor(0xe6, 0xe9, 0xec);
    theme.weights = QColor(0x00, 0x72, 0xb2);
    theme.activations = QColor(0xe6, 0x9f, 0x00);
    theme.floating = QColor(0x80, 0x80, 0x80);
    theme.quantized = QColor(0xd5, 0x5e, 0x00);
    return theme;
}

Theme Theme::night()
{
    Theme theme = light();
    theme.dark = true;
    theme.background = QColor(0x1b, 0x1e, 0x21);
    theme.text = QColor(0xe8, 0xea, 0xec);
    theme.muted = QColor(0xa8, 0xb0, 0xb8);
    theme.axis = QColor(0x78, 0x80, 0x88);
    theme.grid = QColor(0x33, 0x38, 0x3d);
    // The same hue, lighter: #0072B2 on near-black has too little contrast for a line.
    theme.weights = QColor(0x3d, 0x9c, 0xd6);
    theme.floating = QColor(0xa0, 0xa0, 0xa0);
    theme.quantized = QColor(0xf0, 0x7a, 0x1e);
    return theme;
}

Theme Theme::forPalette(const QPalette& palette)
{
    const QColor base = palette.color(QPalette::Active, QPalette::Base);
    Theme theme = luminance(base) < 0.5 ? night() : light();
    theme.background = base;
    return theme;
}

QColor Theme::category(int i) const
{
    const int index = i % static_cast<int>(std::size(okabeIto));
    return index == 0 ? weights : QColor::fromRgb(okabeIto[index]);
}

QColor Theme::viridis(double t)
{
    const double position = std::clamp(std::isfinite(t) ? t : 0.0, 0.0, 1.0) * (viridisStops.size() - 1);
    const auto low = std::min(static_cast<std::size_t>(position), viridisStops.size() - 2);
    const double share = position - static_cast<double>(low);
    const QColor a = QColor::fromRgb(viridisStops[low]);
    const QColor b = QColor::fromRgb(viridisStops[low + 1]);
    const auto mix = [share](int from, int to) { return static_cast<int>(std::lround(from + share * (to - from))); };
    return QColor(mix(a.red(), b.red()), mix(a.green(), b.green()), mix(a.blue(), b.blue()));
}

QColor Theme::ordinal(double t) const
{
    // One hue for a quantity in both themes; its lightness rises with the quantity and keeps off the background.
    const double part = std::clamp(t, 0.0, 1.0);
    const double lightness = dark ? 45 + 47 * part : 20 + 52 * part;
    return ofLightness(viridis(0.08 + 0.84 * part), lightness);
}

QColor Theme::density(double t) const { return viridis(dark ? 0.2 + 0.8 * t : t); }

QColor Theme::textOn(const QColor& fill)
{
    return luminance(fill) > 0.5 ? QColor(0x10, 0x12, 0x14) : QColor(255, 255, 255);
}

QColor translucent(QColor color, double alpha)
{
    color.setAlphaF(static_cast<float>(alpha));
    return color;
}

} // namespace quantoscope::ui
