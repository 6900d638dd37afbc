// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/views/visible_export.h"

#include <algorithm>

#include <QBuffer>
#include <QRegularExpression>
#include <QTableView>

#include "core/base/file.h"
#include "ui/charts/base_chart.h"
#include "ui/charts/chart_exporter.h"
#include "ui/views/graph_view.h"
#include "ui/views/table_menu.h"

namespace quantoscope::ui {

namespace {

namespace fs = std::filesystem;

/// "Weights of layer2.0.conv1" -> "weights-of-layer2.0.conv1", with a number where a name comes twice.
fs::path nameFor(const QString& title, std::vector<std::string>& taken)
{
    static const QRegularExpression odd(QStringLiteral("[^\\w.]+"), QRegularExpression::UseUnicodePropertiesOption);
    QString stem = title.toLower().replace(odd, QStringLiteral("-"));
    while (stem.startsWith(QLatin1Char('-')))
        stem.remove(0, 1);
    while (stem.endsWith(QLatin1Char('-')))
        stem.chop(1);
    if (stem.isEmpty())
        stem = QStringLiteral("chart");
    std::string name = stem.toStdString();
    for (int number = 2; std::ranges::find(taken, name) != taken.end(); ++number)
        name = stem.toStdString() + "-" + std::to_string(number);
    taken.push_back(name);
    return name;
}

} // namespace

Result<std::vector<fs::path>> exportVisible(const QWidget& window, const fs::path& folder)
{
    std::vector<fs::path> files;
    std::vector<std::string> taken;
    for (auto* chart : window.findChildren<BaseChart*>()) {
        if (!chart->isVisible() || chart->csv().empty())
            continue;
        const QString title = !chart->title().isEmpty() ? chart->title() : chart->accessibleName();
        const fs::path stem = folder / nameFor(title, taken);
        ChartExportOptions options;
        options.size = chart->exportSize();
        for (const auto* ending : { ".png", ".svg", ".csv" }) {
            files.push_back(stem.string() + ending);
            QS_CHECK(exportChart(*chart, files.back(), options));
        }
    }
    for (auto* graph : window.findChildren<GraphView*>()) {
        if (!graph->isVisible() || graph->isEmpty())
            continue;
        QByteArray png;
        QBuffer buffer(&png);
        buffer.open(QIODevice::WriteOnly);
        graph->picture().save(&buffer, "PNG");
        files.push_back(folder / (nameFor(graph->accessibleName(), taken).string() + ".png"));
        QS_CHECK(base::writeFileAtomically(files.back(), { png.constData(), static_cast<std::size_t>(png.size()) }));
    }
    for (const auto* table : window.findChildren<QTableView*>()) {
        if (!table->isVisible() || !table->model() || table->model()->rowCount() == 0)
            continue;
        const QString title = table->accessibleName().isEmpty() ? QStringLiteral("table") : table->accessibleName();
        files.push_back(folder / (nameFor(title, taken).string() + ".tsv"));
        QS_CHECK(base::writeFileAtomically(files.back(), shownTable(*table).toStdString()));
    }
    return files;
}

} // namespace quantoscope::ui
