// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <vector>

#include "ui/charts/range_series.h"
#include "ui/session/session.h"

namespace quantoscope::ui {

/// What the tensors of all layers span, and what the session's plan can represent of them. The boxes, which take a pass
/// over every histogram, are kept until model or statistics change.
class LayerRanges {
public:
    explicit LayerRanges(const Session& session)
        : m_session(session)
    {
    }

    RangeSeries series(Operand operand);

private:
    struct Boxes {
        const void* source = nullptr; ///< model or statistics they are from
        std::vector<std::optional<MagnitudeBox>> layers;
    };
    const std::vector<std::optional<MagnitudeBox>>& boxes(Operand operand);

    const Session& m_session;
    Boxes m_weights;
    Boxes m_activations;
};

} // namespace quantoscope::ui
