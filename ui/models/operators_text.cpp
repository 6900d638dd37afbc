// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/models/operators_text.h"

#include <algorithm>

#include <QCoreApplication>

#include "core/engine/kernel.h"
#include "core/graph/op_schema.h"

namespace quantoscope::ui {

QString operatorsPage()
{
    const auto tr = [](const char* text) { return QCoreApplication::translate("OperatorsPage", text); };
    const auto kernels = engine::supportedOperators();
    QString rows;
    for (const auto& schema : graph::opSchemas()) {
        if (!std::ranges::binary_search(kernels, schema.opType))
            continue;
        const QString opsets = schema.untilOpset > 0 ? tr("%1 to %2").arg(schema.sinceOpset).arg(schema.untilOpset)
                                                     : tr("%1 and later").arg(schema.sinceOpset);
        rows += QStringLiteral("| %1 | %2 | %3 |\n")
                    .arg(QString::fromUtf8(schema.opType.data(), static_cast<qsizetype>(schema.opType.size())),
                        QString::fromUtf8(schema.category.data(), static_cast<qsizetype>(schema.category.size())),
                        opsets);
    }
    return QStringLiteral("# %1\n\n%2\n\n| %3 | %4 | %5 |\n| --- | --- | --- |\n")
               .arg(tr("Supported operators"),
                   tr("Operators of the standard domain that Quantoscope computes. A model with others is not opened; "
                      "*Model check* lists them."),
                   tr("operator"), tr("kind"), tr("opsets"))
        + rows;
}

} // namespace quantoscope::ui
