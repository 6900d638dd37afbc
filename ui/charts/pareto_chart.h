// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <filesystem>

#include "core/base/error.h"
#include "ui/charts/cost_chart.h"

namespace quantoscope::ui {

/// What a search measured, over what it was to be cheap in.
class ParetoChart : public CostChart {
    Q_OBJECT

public:
    using CostChart::CostChart;

    void setResult(sweep::SearchResultPtr result); ///< may be null
    std::string csv() const override;

protected:
    QString readout(const QPointF& position) const override;

private:
    sweep::SearchResultPtr m_result;
};

/// Draws it into a file, without a window; needs a QApplication.
Result<void> exportParetoChart(const sweep::SearchResultPtr& result, const std::filesystem::path& path);

} // namespace quantoscope::ui
