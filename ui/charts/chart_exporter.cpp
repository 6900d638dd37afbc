// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/charts/chart_exporter.h"

#include <algorithm>
#include <cctype>
#include <string_view>

#include <QBuffer>
#include <QPageSize>
#include <QPdfWriter>
#include <QSvgGenerator>

#include "core/base/file.h"
#include "ui/charts/base_chart.h"
#include "ui/charts/options_chart.h"

namespace quantoscope::ui {

namespace {

constexpr int dotsPerInch = 96;

/// The chart in document dress for as long as this lives.
class DocumentDress {
public:
    explicit DocumentDress(BaseChart& chart)
        : m_chart(chart)
    {
        m_chart.setCaptionVisible(true);
        m_chart.setTheme(Theme::light());
    }
    ~DocumentDress()
    {
        m_chart.setCaptionVisible(false);
        m_chart.followPalette();
    }
    DocumentDress(const DocumentDress&) = delete;
    DocumentDress& operator=(const DocumentDress&) = delete;

private:
    BaseChart& m_chart;
};

QByteArray svgOf(BaseChart& chart, const ChartExportOptions& options)
{
    QBuffer buffer;
    QSvgGenerator generator;
    generator.setOutputDevice(&buffer);
    generator.setSize(options.size);
    generator.setViewBox(QRect(QPoint(0, 0), options.size));
    generator.setResolution(dotsPerInch);
    generator.setTitle(chart.title());
    QCPPainter painter;
    painter.begin(&generator);
    painter.setMode(QCPPainter::pmVectorized);
    painter.setMode(QCPPainter::pmNoCaching);
    chart.toPainter(&painter, options.size.width(), options.size.height());
    painter.end();
    return buffer.data();
}

QByteArray pdfOf(BaseChart& chart, const ChartExportOptions& options)
{
    QBuffer buffer;
    buffer.open(QIODevice::WriteOnly);
    QPdfWriter writer(&buffer);
    writer.setResolution(dotsPerInch);
    writer.setTitle(chart.title());
    writer.setCreator(QStringLiteral("Quantoscope"));
    const QSizeF inches = QSizeF(options.size) / dotsPerInch;
    writer.setPageSize(QPageSize(inches, QPageSize::Inch, QString(), QPageSize::ExactMatch));
    writer.setPageMargins(QMarginsF(0, 0, 0, 0));
    QCPPainter painter;
    painter.begin(&writer);
    painter.setMode(QCPPainter::pmVectorized);
    painter.setMode(QCPPainter::pmNoCaching);
    painter.setMode(QCPPainter::pmNonCosmetic);
    chart.toPainter(&painter, options.size.width(), options.size.height());
    painter.end();
    return buffer.data();
}

QByteArray pngOf(const QImage& image)
{
    QBuffer buffer;
    buffer.open(QIODevice::WriteOnly);
    image.save(&buffer, "PNG");
    return buffer.data();
}

QImage rasterOf(BaseChart& chart, const ChartExportOptions& options)
{
    QImage image = chart.toPixmap(options.size.width(), options.size.height(), options.scale).toImage();
    const int dotsPerMeter = static_cast<int>(dotsPerInch * options.scale / 0.0254);
    image.setDotsPerMeterX(dotsPerMeter);
    image.setDotsPerMeterY(dotsPerMeter);
    return image;
}

} // namespace

Result<ChartFormat> chartFormat(const std::filesystem::path& path)
{
    std::string extension = path.extension().string();
    std::transform(extension.begin(), extension.end(), extension.begin(),
        [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    if (extension == ".png")
        return ChartFormat::Png;
    if (extension == ".svg")
        return ChartFormat::Svg;
    if (extension == ".pdf")
        return ChartFormat::Pdf;
    if (extension == ".csv")
        return ChartFormat::Csv;
    return fail(ErrorCode::InvalidInput, "a chart cannot be written as '" + extension + "'", path.string(),
        "end the file name with .png, .svg, .pdf or .csv");
}

QImage renderChart(BaseChart& chart, const ChartExportOptions& options)
{
    const DocumentDress dress(chart);
    return rasterOf(chart, options);
}

Result<void> exportChart(BaseChart& chart, const std::filesystem::path& path, const ChartExportOptions& options)
{
    QS_TRY(const ChartFormat format, chartFormat(path));
    if (format == ChartFormat::Csv)
        return base::writeFileAtomically(path, chart.csv());
    QByteArray bytes;
    {
        const DocumentDress dress(chart);
        bytes = format == ChartFormat::Png ? pngOf(rasterOf(chart, options))
            : format == ChartFormat::Svg   ? svgOf(chart, options)
                                           : pdfOf(chart, options);
    }
    if (bytes.isEmpty())
        return fail(ErrorCode::Internal, "the chart could not be drawn", path.string());
    return base::writeFileAtomically(path, std::string_view(bytes.constData(), static_cast<std::size_t>(bytes.size())));
}

Result<void> exportOptionsChart(const sweep::OptionsStudyPtr& study, const std::filesystem::path& path)
{
    OptionsChart chart;
    chart.setStudy(study);
    ChartExportOptions options;
    options.size = chart.exportSize();
    return exportChart(chart, path, options);
}

} // namespace quantoscope::ui
