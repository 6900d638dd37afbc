// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/views/chart_menu.h"

#include <QClipboard>
#include <QGuiApplication>
#include <QMenu>

#include "ui/charts/base_chart.h"
#include "ui/charts/chart_exporter.h"
#include "ui/views/file_choice.h"
#include "ui/views/message_bar.h"

namespace quantoscope::ui {

namespace {

ChartExportOptions optionsFor(const BaseChart& chart)
{
    ChartExportOptions options;
    options.size = chart.exportSize();
    return options;
}

void save(BaseChart* chart)
{
    const QString path = chooseNewFile(chart, BaseChart::tr("Save chart"), QStringLiteral("chart.png"),
        BaseChart::tr("PNG picture (*.png);;SVG drawing (*.svg);;PDF document (*.pdf);;Data as CSV (*.csv)"));
    if (path.isEmpty())
        return;
    const auto written = exportChart(*chart, path.toStdString(), optionsFor(*chart));
    if (!written)
        MessageBar::tell(chart, written.error(), BaseChart::tr("The chart was not saved"));
}

} // namespace

void fillChartMenu(QMenu* menu, BaseChart* chart)
{
    menu->addAction(BaseChart::tr("Save chart…"), chart, [chart] { save(chart); });
    menu->addAction(BaseChart::tr("Copy as image"), chart,
        [chart] { QGuiApplication::clipboard()->setImage(renderChart(*chart, optionsFor(*chart))); });
    menu->addAction(BaseChart::tr("Copy data"), chart,
        [chart] { QGuiApplication::clipboard()->setText(QString::fromStdString(chart->csv())); });
    menu->addSeparator();
    menu->addAction(BaseChart::tr("Show everything"), chart, &BaseChart::resetView);
}

void attachChartMenu(BaseChart* chart)
{
    QObject::connect(chart, &BaseChart::contextMenuWanted, chart, [chart](const QPoint& position) {
        QMenu menu(chart);
        fillChartMenu(&menu, chart);
        menu.exec(position);
    });
}

} // namespace quantoscope::ui
