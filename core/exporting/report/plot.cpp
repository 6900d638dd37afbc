// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/exporting/report/plot.h"

#include <algorithm>
#include <cmath>

#include "core/exporting/report/markup.h"

namespace quantoscope::exporting::report {

namespace {

constexpr double width = 760;
constexpr double height = 400;
constexpr double left = 62;
constexpr double right = 170; // for the legend
constexpr double top = 14;
constexpr double bottom = 48;
constexpr int mostLogarithmicTicks = 6;

/// One axis: values to places.
class Scale {
public:
    Scale(double low, double high, double from, double to, bool logarithmic)
        : m_low(logarithmic ? std::log(low) : low)
        , m_high(logarithmic ? std::log(high) : high)
        , m_from(from)
        , m_to(to)
        , m_logarithmic(logarithmic)
    {
    }
    double operator()(double value) const
    {
        const double v = m_logarithmic ? std::log(value) : value;
        return m_from + (v - m_low) / (m_high - m_low) * (m_to - m_from);
    }

private:
    double m_low;
    double m_high;
    double m_from;
    double m_to;
    bool m_logarithmic;
};

struct Extent {
    double low = std::numeric_limits<double>::infinity();
    double high = -std::numeric_limits<double>::infinity();

    void add(double value)
    {
        if (std::isfinite(value)) {
            low = std::min(low, value);
            high = std::max(high, value);
        }
    }
    bool empty() const { return low > high; }
};

std::string textAt(double x, double y, const std::string& text, const std::string& more)
{
    return "<text x=\"" + coordinate(x) + "\" y=\"" + coordinate(y) + "\" " + more + ">" + escaped(text) + "</text>\n";
}

std::string lineTo(double x1, double y1, double x2, double y2, const std::string& style)
{
    return "<line x1=\"" + coordinate(x1) + "\" y1=\"" + coordinate(y1) + "\" x2=\"" + coordinate(x2) + "\" y2=\""
        + coordinate(y2) + "\" " + style + "/>\n";
}

class Drawing {
public:
    explicit Drawing(const Plot& plot)
        : m_plot(plot)
        , m_x(scale(plot.x, xExtent(), left, width - right, 0.04))
        , m_y(scale(plot.y, yExtent(), height - bottom, top, 0.05))
    {
    }

    std::string draw()
    {
        drawAxes();
        for (const auto& [level, name] : m_plot.levels)
            m_svg += lineTo(left, m_y(level), width - right, m_y(level), "class=\"mark\"");
        if (m_plot.limit)
            m_svg += lineTo(m_x(*m_plot.limit), top, m_x(*m_plot.limit), height - bottom, "class=\"mark\"");
        for (const auto& series : m_plot.series)
            drawSeries(series);
        drawLegend();
        return "<svg class=\"chart\" viewBox=\"0 0 " + coordinate(width) + " " + coordinate(height)
            + "\" role=\"img\"><title>" + escaped(m_plot.title) + "</title>\n" + m_svg + "</svg>\n";
    }

private:
    Extent xExtent() const
    {
        Extent extent;
        for (const auto& [value, text] : m_plot.x.ticks)
            extent.add(value);
        for (const auto& series : m_plot.series)
            for (const auto& point : series.points)
                extent.add(point.x);
        if (m_plot.limit)
            extent.add(*m_plot.limit);
        return extent;
    }

    Extent yExtent() const
    {
        Extent extent;
        for (const auto& [level, name] : m_plot.levels)
            extent.add(level);
        for (const auto& series : m_plot.series)
            for (const auto& point : series.points)
                for (const double value : { point.y, point.low, point.high })
                    extent.add(value);
        return extent;
    }

    Scale scale(const PlotAxis& axis, Extent extent, double from, double to, double pad)
    {
        if (extent.empty())
            extent = { axis.logarithmic ? 1.0 : 0.0, axis.logarithmic ? 10.0 : 1.0 };
        if (axis.logarithmic) {
            const double factor = std::max(1.05, std::pow(extent.high / extent.low, pad));
            extent = { extent.low / factor, extent.high * factor };
        } else {
            const double room = extent.high > extent.low ? (extent.high - extent.low) * pad : 0.5;
            extent = { extent.low - room, extent.high + room };
        }
        (&axis == &m_plot.x ? m_xExtent : m_yExtent) = extent;
        return { extent.low, extent.high, from, to, axis.logarithmic };
    }

    static std::vector<std::pair<double, std::string>> ticksOf(const PlotAxis& axis, const Extent& extent, int count)
    {
        if (!axis.ticks.empty())
            return axis.ticks;
        std::vector<std::pair<double, std::string>> ticks;
        if (!axis.logarithmic) {
            for (const double value : niceTicks(extent.low, extent.high, count))
                ticks.emplace_back(value, coordinate(value));
            return ticks;
        }
        auto levels = sweep::levelsBetween(extent.low, extent.high, mostLogarithmicTicks);
        if (levels.size() < 2) // so near each other that they may as well be linear
            levels = niceTicks(extent.low, extent.high, mostLogarithmicTicks);
        for (const double level : levels)
            ticks.emplace_back(level, roundMetric(level, axis.unit));
        return ticks;
    }

    void drawAxes()
    {
        const double base = height - bottom;
        for (const auto& [value, text] : ticksOf(m_plot.y, m_yExtent, 6)) {
            m_svg += lineTo(left, m_y(value), width - right, m_y(value), "class=\"grid\"");
            m_svg += textAt(left - 7, m_y(value) + 4, text, "class=\"small\" text-anchor=\"end\"");
        }
        for (const auto& [value, text] : ticksOf(m_plot.x, m_xExtent, 8)) {
            m_svg += lineTo(m_x(value), base, m_x(value), base + 4, "class=\"axis\"");
            m_svg += textAt(m_x(value), base + 17, text, "class=\"small\" text-anchor=\"middle\"");
        }
        m_svg += lineTo(left, base, width - right, base, "class=\"axis\"");
        m_svg += lineTo(left, top, left, base, "class=\"axis\"");
        m_svg += textAt((left + width - right) / 2, height - 8, m_plot.x.title, "text-anchor=\"middle\"");
        m_svg += "<text text-anchor=\"middle\" transform=\"translate(15 " + coordinate((top + base) / 2)
            + ") rotate(-90)\">" + escaped(m_plot.y.title) + "</text>\n";
    }

    std::string pathOf(const PlotSeries& series) const
    {
        std::string path;
        double before = 0;
        for (const auto& point : series.points) {
            if (path.empty())
                path += "M";
            else if (series.stairs)
                path += "L" + coordinate(m_x(point.x)) + " " + coordinate(before) + "L";
            else
                path += "L";
            before = m_y(point.y);
            path += coordinate(m_x(point.x)) + " " + coordinate(before);
        }
        return path;
    }

    void drawSeries(const PlotSeries& series)
    {
        const std::string stroke = "stroke=\"" + escaped(series.colour) + "\"";
        if (series.band) {
            std::string forth;
            std::string back;
            for (const auto& point : series.points)
                if (std::isfinite(point.low) && std::isfinite(point.high)) {
                    forth += coordinate(m_x(point.x)) + "," + coordinate(m_y(point.high)) + " ";
                    back.insert(0, coordinate(m_x(point.x)) + "," + coordinate(m_y(point.low)) + " ");
                }
            m_svg += "<polygon points=\"" + forth + back + "\" fill=\"" + escaped(series.colour)
                + "\" fill-opacity=\"0.13\"/>\n";
        }
        if ((series.line || series.stairs) && !series.points.empty())
            m_svg += "<path d=\"" + pathOf(series) + "\" fill=\"none\" stroke-width=\"2\" " + stroke + "/>\n";
        for (const auto& point : series.points)
            drawPoint(series, point, stroke);
    }

    void drawPoint(const PlotSeries& series, const PlotPoint& point, const std::string& stroke)
    {
        const double x = m_x(point.x);
        if (!series.band && std::isfinite(point.low) && std::isfinite(point.high))
            m_svg += lineTo(x, m_y(point.low), x, m_y(point.high), stroke + " stroke-opacity=\"0.5\"");
        if (series.marks || series.ring) {
            m_svg += "<circle cx=\"" + coordinate(x) + "\" cy=\"" + coordinate(m_y(point.y)) + "\" r=\""
                + (series.ring ? "8\" fill=\"none\" " : "3.6\" fill=\"" + escaped(series.colour) + "\" ") + stroke
                + ">";
            m_svg += (point.tip.empty() ? "" : "<title>" + escaped(point.tip) + "</title>") + "</circle>\n";
        }
        if (!point.label.empty())
            m_svg += textAt(x + 6, m_y(point.y) + 13, point.label, "class=\"small\"");
    }

    void drawLegend()
    {
        double y = top + 10;
        for (const auto& series : m_plot.series) {
            if (series.name.empty())
                continue;
            const double x = width - right + 14;
            const std::string colour = escaped(series.colour);
            if (series.line || series.stairs)
                m_svg += lineTo(x, y, x + 20, y, "stroke-width=\"2\" stroke=\"" + colour + "\"");
            if (series.marks || series.ring)
                m_svg += "<circle cx=\"" + coordinate(x + 10) + "\" cy=\"" + coordinate(y) + "\" r=\""
                    + (series.ring ? "6\" fill=\"none\" stroke=\"" : "3.6\" fill=\"") + colour + "\"/>\n";
            m_svg += textAt(x + 26, y + 4, series.name, "class=\"small\"");
            y += 18;
        }
        for (const auto& [level, name] : m_plot.levels) {
            m_svg += lineTo(width - right + 14, y, width - right + 34, y, "class=\"mark\"");
            m_svg += textAt(width - right + 40, y + 4, name, "class=\"small\"");
            y += 18;
        }
    }

    const Plot& m_plot;
    Extent m_xExtent;
    Extent m_yExtent;
    Scale m_x;
    Scale m_y;
    std::string m_svg;
};

} // namespace

std::string toSvg(const Plot& plot) { return Drawing(plot).draw(); }

} // namespace quantoscope::exporting::report
