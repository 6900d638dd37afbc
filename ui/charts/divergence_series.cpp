// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/charts/divergence_series.h"

#include <algorithm>

namespace quantoscope::ui {

namespace {

constexpr double exactDb = 100; ///< rounding of float32 alone

bool isExact(const evaluation::TensorError& error) { return !(error.sqnrDb < exactDb); }

} // namespace

DivergenceSeries divergenceSeries(const std::vector<evaluation::TensorError>& usual,
    const std::vector<evaluation::TensorError>& image, const std::optional<evaluation::Divergence>& divergence)
{
    DivergenceSeries series;
    for (std::size_t i = 0; i < std::min(usual.size(), image.size()); ++i) {
        if (usual[i].role != quant::Role::Activation || isExact(usual[i]) || isExact(image[i]))
            continue;
        if (divergence && divergence->tensor == i)
            series.mark = series.points.size();
        series.points.push_back({ QString::fromStdString(usual[i].name), usual[i].sqnrDb, image[i].sqnrDb });
    }
    return series;
}

} // namespace quantoscope::ui
