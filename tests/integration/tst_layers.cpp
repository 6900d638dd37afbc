// SPDX-License-Identifier: GPL-3.0-or-later
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <string>

#include <QLibraryInfo>
#include <QtTest>

namespace fs = std::filesystem;

namespace {

const fs::path root = QS_SOURCE_DIR;

/// A core module may include itself and modules of a lower number (architecture.md, "Folders").
const std::map<std::string, int> moduleNumbers { { "base", 0 }, { "tensor", 1 }, { "graph", 2 }, { "dataset", 2 },
    { "onnx_io", 3 }, { "quant", 3 }, { "engine", 4 }, { "cost", 4 }, { "calibration", 5 }, { "planning", 6 },
    { "evaluation", 6 }, { "flow", 7 }, { "sweep", 8 }, { "importing", 8 }, { "exporting", 9 }, { "project", 9 },
    { "reporting", 10 } };

/// Third-party headers and the module whose .cpp files, or private headers, may include them.
const std::map<std::string, std::string> ownedHeaders { { "^(Eigen|unsupported)/", "engine|planning" },
    { "dnnl|oneapi", "engine" }, { "^onnx/|google/protobuf|\\.pb\\.h", "onnx_io" }, { "SQLiteCpp|sqlite3", "project" },
    { "jpeglib|turbojpeg|^png\\.h", "dataset" } };

struct Include {
    std::string file; ///< relative to the root
    std::string header;
};

std::vector<Include> includesUnder(const std::string& folder)
{
    static const std::regex pattern("^\\s*#\\s*include\\s*[<\"]([^>\"]+)[>\"]");
    std::vector<Include> found;
    if (!fs::is_directory(root / folder))
        return found;
    for (const auto& entry : fs::recursive_directory_iterator(root / folder)) {
        const auto extension = entry.path().extension();
        if (!entry.is_regular_file() || (extension != ".h" && extension != ".cpp"))
            continue;
        std::ifstream in(entry.path());
        std::smatch match;
        for (std::string line; std::getline(in, line);) {
            if (std::regex_search(line, match, pattern))
                found.push_back({ fs::relative(entry.path(), root).generic_string(), match[1] });
        }
    }
    return found;
}

/// "graph" for "core/graph/passes/passes.h", empty outside core.
std::string moduleOf(const std::string& path)
{
    static const std::regex pattern("^core/([^/]+)/");
    std::smatch match;
    return std::regex_search(path, match, pattern) ? match[1].str() : std::string();
}

bool isQt(const std::string& header)
{
    static const std::regex pattern("^(Q[A-Z]|Qt[A-Z]|qt|qcustomplot)");
    return std::regex_search(header, pattern);
}

/// A header of Qt's widgets, under its module's name or, as is usual, without.
bool isWidget(const std::string& header)
{
    static const fs::path folder = fs::path(QLibraryInfo::path(QLibraryInfo::HeadersPath).toStdString()) / "QtWidgets";
    return header.starts_with("QtWidgets") || header == "qcustomplot.h" || fs::exists(folder / header);
}

using Rule = bool (*)(const Include&);

bool lowerNumbersOnly(const Include& include)
{
    const std::string to = moduleOf(include.header);
    const std::string from = moduleOf(include.file);
    if (to.empty() || to == from)
        return true;
    return moduleNumbers.contains(from) && moduleNumbers.contains(to) && moduleNumbers.at(to) < moduleNumbers.at(from);
}

bool neitherQtNorTheWindow(const Include& include)
{
    return !isQt(include.header) && !include.header.starts_with("ui/") && !include.header.starts_with("app/");
}

bool libraryOfItsOwner(const Include& include)
{
    for (const auto& [pattern, owner] : ownedHeaders) {
        if (std::regex_search(include.header, std::regex(pattern)) && !include.header.starts_with("core/"))
            return std::regex_match(moduleOf(include.file), std::regex(owner));
    }
    return true;
}

bool widgetsInTheirPlace(const Include& include)
{
    static const std::regex allowed("^ui/(views/|charts/[^/]*_chart\\.|main_window(_[a-z]+)?\\.)");
    return !isWidget(include.header) || std::regex_search(include.file, allowed);
}

QString breaches(const std::vector<Include>& includes, Rule allowed)
{
    QString text;
    for (const Include& include : includes) {
        if (!allowed(include))
            text += QString::fromStdString("\n" + include.file + " includes " + include.header);
    }
    return text;
}

} // namespace

Q_DECLARE_METATYPE(Rule)

/// The layers of architecture.md, read off the #include lines.
class TestLayers : public QObject {
    Q_OBJECT

private slots:
    void theSourcesKeepTheRules_data()
    {
        QTest::addColumn<QStringList>("folders");
        QTest::addColumn<Rule>("rule");
        QTest::newRow("core modules include lower numbers only") << QStringList { "core" } << &lowerNumbersOnly;
        QTest::newRow("core knows neither Qt nor the window") << QStringList { "core" } << &neitherQtNorTheWindow;
        QTest::newRow("libraries stay in the module that owns them")
            << QStringList { "core", "ui", "app" } << &libraryOfItsOwner;
        QTest::newRow("widgets are in views, charts and the main window only")
            << QStringList { "ui" } << &widgetsInTheirPlace;
    }

    void theSourcesKeepTheRules()
    {
        QFETCH(QStringList, folders);
        QFETCH(Rule, rule);
        std::vector<Include> includes;
        for (const QString& folder : folders) {
            const auto more = includesUnder(folder.toStdString());
            includes.insert(includes.end(), more.begin(), more.end());
        }
        QVERIFY(folders[0] != "core" || includes.size() > 100);
        const QString wrong = breaches(includes, rule);
        QVERIFY2(wrong.isEmpty(), qPrintable(wrong));
    }

    /// The rules themselves: planted breaches are found, what is allowed is not.
    void plantedBreachesAreFound_data()
    {
        QTest::addColumn<Rule>("rule");
        QTest::addColumn<QString>("file");
        QTest::addColumn<QString>("header");
        QTest::addColumn<bool>("allowed");
        const auto row = [](const char* name, Rule rule, const char* file, const char* header, bool allowed) {
            QTest::newRow(name) << rule << file << header << allowed;
        };
        row("upwards", lowerNumbersOnly, "core/graph/graph.h", "core/engine/engine.h", false);
        row("upwards from a subfolder", lowerNumbersOnly, "core/graph/passes/a.cpp", "core/engine/kernels/b.h", false);
        row("a stranger of the same number", lowerNumbersOnly, "core/quant/plan.cpp", "core/onnx_io/reader.h", false);
        row("a module without a number", lowerNumbersOnly, "core/misc/a.cpp", "core/base/error.h", false);
        row("into a module without a number", lowerNumbersOnly, "core/engine/a.cpp", "core/misc/a.h", false);
        row("downwards", lowerNumbersOnly, "core/engine/a.cpp", "core/graph/graph.h", true);
        row("itself", lowerNumbersOnly, "core/engine/a.cpp", "core/engine/b.h", true);
        row("the standard library", lowerNumbersOnly, "core/engine/a.cpp", "vector", true);
        row("QString in core", neitherQtNorTheWindow, "core/base/a.h", "QString", false);
        row("QtCore in core", neitherQtNorTheWindow, "core/base/a.h", "QtCore/QString", false);
        row("QCustomPlot in core", neitherQtNorTheWindow, "core/base/a.h", "qcustomplot.h", false);
        row("the window in core", neitherQtNorTheWindow, "core/sweep/a.cpp", "ui/session/session.h", false);
        row("the program in core", neitherQtNorTheWindow, "core/sweep/a.cpp", "app/cli/main.h", false);
        row("queue in core", neitherQtNorTheWindow, "core/base/a.h", "queue", true);
        row("oneDNN beside the engine", libraryOfItsOwner, "core/quant/a.cpp", "dnnl.hpp", false);
        row("oneDNN under its other name", libraryOfItsOwner, "core/cost/a.cpp", "oneapi/dnnl/dnnl.hpp", false);
        row("Eigen in the window", libraryOfItsOwner, "ui/charts/a.cpp", "Eigen/Dense", false);
        row("protobuf beside onnx_io", libraryOfItsOwner, "core/exporting/a.cpp", "google/protobuf/message.h", false);
        row("ONNX beside onnx_io", libraryOfItsOwner, "core/graph/a.cpp", "onnx/onnx_pb.h", false);
        row("libpng beside dataset", libraryOfItsOwner, "app/cli/a.cpp", "png.h", false);
        row("SQLite beside project", libraryOfItsOwner, "ui/session/a.cpp", "SQLiteCpp/Database.h", false);
        row("oneDNN in the engine", libraryOfItsOwner, "core/engine/kernels/onednn/a.cpp", "dnnl.hpp", true);
        row("a header of ours named alike", libraryOfItsOwner, "core/sweep/a.cpp", "core/onnx_io/reader.h", true);
        row("widgets in the session", widgetsInTheirPlace, "ui/session/a.cpp", "QtWidgets/QWidget", false);
        row("widgets without the module's name", widgetsInTheirPlace, "ui/models/a.h", "QLabel", false);
        row("no widget", widgetsInTheirPlace, "ui/models/a.h", "QAbstractTableModel", true);
        row("a plot outside the charts", widgetsInTheirPlace, "ui/models/a.cpp", "qcustomplot.h", false);
        row("widgets in chart data", widgetsInTheirPlace, "ui/charts/series.cpp", "QtWidgets/QWidget", false);
        row("widgets in a view", widgetsInTheirPlace, "ui/views/a.cpp", "QtWidgets/QWidget", true);
        row("a plot in a chart", widgetsInTheirPlace, "ui/charts/sweep_chart.cpp", "qcustomplot.h", true);
        row("the main window", widgetsInTheirPlace, "ui/main_window.h", "QtWidgets/QMainWindow", true);
    }

    void plantedBreachesAreFound()
    {
        QFETCH(Rule, rule);
        QFETCH(QString, file);
        QFETCH(QString, header);
        QFETCH(bool, allowed);
        const QString found = breaches({ { file.toStdString(), header.toStdString() } }, rule);
        QCOMPARE(found.isEmpty(), allowed);
        QVERIFY(allowed || (found.contains(file) && found.contains(header)));
    }
};

QTEST_APPLESS_MAIN(TestLayers)
#include "tst_layers.moc"
