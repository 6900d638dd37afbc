// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/importing/open_model.h"

#include <utility>

#include "core/engine/engine.h"
#include "core/importing/quantized_model.h"
#include "core/onnx_io/reader.h"

namespace quantoscope::importing {

Result<OpenedModel> openModel(graph::Model model, const graph::PassOptions& passes)
{
    OpenedModel opened;
    auto preparing = passes;
    if (isQuantized(model.graph)) {
        QS_TRY(auto imported, readQuantizedModel(std::move(model)));
        model = std::move(imported.model);
        opened.notes = std::move(imported.notes);
        if (!imported.plan.empty())
            opened.plan = std::make_shared<const quant::QuantizationPlan>(std::move(imported.plan));
        preparing = preparation();
    }
    QS_TRY(opened.graph, engine::prepareGraph(model, preparing));
    opened.model = std::make_shared<const graph::Model>(std::move(model));
    return opened;
}

Result<OpenedModel> openModel(const std::filesystem::path& path, const graph::PassOptions& passes)
{
    QS_TRY(auto model, onnx_io::readModel(path));
    return openModel(std::move(model), passes);
}

} // namespace quantoscope::importing
