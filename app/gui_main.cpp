// SPDX-License-Identifier: GPL-3.0-or-later
#include <QApplication>
#include <QCommandLineParser>

#include "app/desktop_colours.h"
#include "ui/main_window.h"
#include "ui/views/appearance.h"

namespace {

/// quantoscope [MODEL.onnx | PROJECT.qscope] [--data PATH] [--calib PATH] [--preprocess NAME] [--sample]
struct Arguments {
    QString file;
    std::optional<quantoscope::ui::DataRequest> data;
    bool sample = false;
};

quantoscope::Result<Arguments> parse(const QCoreApplication& application)
{
    QCommandLineParser parser;
    parser.setApplicationDescription(
        QCoreApplication::translate("main", "A workbench for post-training quantization of ONNX models."));
    parser.addHelpOption();
    parser.addVersionOption();
    parser.addPositionalArgument(QStringLiteral("file"),
        QCoreApplication::translate("main", "ONNX model or project to open."),
        QStringLiteral("[model.onnx | project.qscope]"));
    const QCommandLineOption data(QStringLiteral("data"),
        QCoreApplication::translate("main", "Labelled images to evaluate on."), QStringLiteral("PATH"));
    const QCommandLineOption calib(QStringLiteral("calib"),
        QCoreApplication::translate("main", "Images to calibrate with; without it the first of --data."),
        QStringLiteral("PATH"));
    const QCommandLineOption preprocess(QStringLiteral("preprocess"),
        QCoreApplication::translate("main", "How images are prepared: imagenet, unit or raw."), QStringLiteral("NAME"),
        QStringLiteral("unit"));
    const QCommandLineOption sample(
        QStringLiteral("sample"), QCoreApplication::translate("main", "Open the bundled network and images."));
    parser.addOptions({ data, calib, preprocess, sample });
    parser.process(application);

    Arguments arguments;
    arguments.sample = parser.isSet(sample);
    if (!parser.positionalArguments().isEmpty())
        arguments.file = parser.positionalArguments().first();
    if (parser.isSet(data)) {
        quantoscope::ui::DataRequest request;
        request.path = parser.value(data).toStdString();
        request.calibrationPath = parser.value(calib).toStdString();
        QS_TRY(
            request.preprocessing, quantoscope::dataset::Preprocessing::named(parser.value(preprocess).toStdString()));
        arguments.data = std::move(request);
    }
    return arguments;
}

} // namespace

int main(int argc, char** argv)
{
    QApplication application(argc, argv);
    QCoreApplication::setApplicationName(QStringLiteral("quantoscope"));
    QCoreApplication::setOrganizationName(QStringLiteral("Quantoscope"));
    QCoreApplication::setApplicationVersion(QStringLiteral(QUANTOSCOPE_VERSION));
    QGuiApplication::setDesktopFileName(QStringLiteral("org.quantoscope.Quantoscope")); // icon of the window
    QGuiApplication::setApplicationDisplayName(QStringLiteral("Quantoscope"));
    const auto arguments = parse(application);
    if (!arguments) {
        fprintf(stderr, "error: %s\n", arguments.error().message().c_str());
        return 2;
    }
    using namespace quantoscope::ui;
    quantoscope::DesktopColours desktop; // changes while it runs
    setDesktopPrefersDark(desktop.prefersDark());
    QObject::connect(&desktop, &quantoscope::DesktopColours::changed, &application, setDesktopPrefersDark);
    applyAppearance(savedAppearance());
    MainWindow window;
    window.show();
    if (arguments->sample)
        window.openSample();
    if (arguments->file.endsWith(QStringLiteral(".qscope"), Qt::CaseInsensitive))
        window.openProject(arguments->file);
    else if (!arguments->file.isEmpty())
        window.openModel(arguments->file);
    if (arguments->data)
        window.openData(*arguments->data);
    return QApplication::exec();
}
