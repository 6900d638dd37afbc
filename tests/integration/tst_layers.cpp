// SPDX-License-Identifier: GPL-3.0-or-later
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <regex>
#include <set>
#include <string>

#include <QtTest>

namespace fs = std::filesystem;

namespace {

const fs::path root = QS_SOURCE_DIR;

/// A core module may include itself and modules of a lower number (architecture.md, "Folders").
const std::map<std::string, int> moduleNumbers { { "base", 0 }, { "tensor", 1 }, { "graph", 2 }, { "dataset", 2 },
    { "onnx_io", 3 }, { "quant", 3 }, { "engine", 4 }, { "cost", 4 }, { "calibration", 5 }, { "planning", 6 },
    { "evaluation", 6 }, { "sweep", 7 }, { "exporting", 8 }, { "project", 8 } };

/// Third-party headers and the one module whose .cpp files, or private headers, may include them.
const std::map<std::string, std::string> ownedHeaders { { "^(Eigen|unsupported)/", "engine" },
    { "dnnl|oneapi", "engine" }, { "^onnx/|google/protobuf|\\.pb\\.h", "onnx_io" },
    { "SQLiteCpp|sqlite3", "project" }, { "jpeglib|turbojpeg|^png\\.h", "dataset" } };

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

QString breaches(const std::vector<Include>& includes, const std::function<bool(const Include&)>& allowed)
{
    QString text;
    for (const Include& include : includes) {
        if (!allowed(include))
            text += QString::fromStdString("\n" + include.file + " includes " + include.header);
    }
    return text;
}

} // namespace

/// The layers of architecture.md, read off the #include lines.
class TestLayers : public QObject {
    Q_OBJECT

private slots:
    void coreModulesIncludeLowerNumbersOnly()
    {
        const auto includes = includesUnder("core");
        QVERIFY(includes.size() > 100);
        const QString wrong = breaches(includes, [](const Include& include) {
            const std::string to = moduleOf(include.header);
            const std::string from = moduleOf(include.file);
            if (to.empty() || to == from)
                return true;
            return moduleNumbers.contains(from) && moduleNumbers.contains(to)
                && moduleNumbers.at(to) < moduleNumbers.at(from);
        });
        QVERIFY2(wrong.isEmpty(), qPrintable(wrong));
    }

    void coreKnowsNeitherQtNorTheWindow()
    {
        const QString wrong = breaches(includesUnder("core"), [](const Include& include) {
            return !isQt(include.header) && !include.header.starts_with("ui/") && !include.header.starts_with("app/");
        });
        QVERIFY2(wrong.isEmpty(), qPrintable(wrong));
    }

    void librariesStayInTheModuleThatOwnsThem()
    {
        auto includes = includesUnder("core");
        for (const char* folder : { "ui", "app" }) {
            const auto more = includesUnder(folder);
            includes.insert(includes.end(), more.begin(), more.end());
        }
        const QString wrong = breaches(includes, [](const Include& include) {
            for (const auto& [pattern, owner] : ownedHeaders) {
                if (std::regex_search(include.header, std::regex(pattern)) && !include.header.starts_with("core/"))
                    return moduleOf(include.file) == owner;
            }
            return true;
        });
        QVERIFY2(wrong.isEmpty(), qPrintable(wrong));
    }

    void widgetsAreIncludedByViewsChartsAndTheMainWindowOnly()
    {
        const QString wrong = breaches(includesUnder("ui"), [](const Include& include) {
            static const std::regex allowed("^ui/(views/|charts/[^/]*_chart\\.|main_window\\.)");
            const bool widgets = include.header.starts_with("QtWidgets") || include.header == "qcustomplot.h";
            return !widgets || std::regex_search(include.file, allowed);
        });
        QVERIFY2(wrong.isEmpty(), qPrintable(wrong));
    }
};

QTEST_APPLESS_MAIN(TestLayers)
#include "tst_layers.moc"
