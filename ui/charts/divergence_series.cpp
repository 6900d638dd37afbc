// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/charts/divergence_series.h"

#include <algorithm>
#include <cmath>

namespace quantoscope::ui {

DivergenceSeries divergenceSeries(const std::vector<evaluation::TensorError>& usual,
    const std::vector<evaluation::TensorError>& image, const std::optional<evaluation::Divergence>& divergence)
{
    DivergenceSeries series;
    for (std::size_t i = 0; i < std::min(usual.size(), image.size()); ++i) {
        if (usual[i].role != quant::Role::Activation || !std::isfinite(usual[i].sqnrDb)
            || !std::isfinite(image[i].sqnrDb))
            continue;
        if (divergence && divergence->tensor == i)
            series.mark = series.points.size();
        series.points.push_back({ QString::fromStdString(usual[i].name), usual[i].sqnrDb, image[i].sqnrDb });
    }
    return series;
}

} // namespace quantoscope::ui
