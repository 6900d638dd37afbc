// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/session/window_words.h"

#include <algorithm>
#include <array>
#include <utility>

#include <QCoreApplication>
#include <QRegularExpression>

#include "ui/charts/number_format.h"

namespace quantoscope::ui {

namespace {

QString tr(const char* text) { return QCoreApplication::translate("WindowWords", text); }

/// An option that core's hints name, and the field it is here.
QString fieldOf(const QString& option)
{
    static const std::array fields {
        std::pair { "channels", QT_TRANSLATE_NOOP("WindowWords", "Channels") },
        std::pair { "layout", QT_TRANSLATE_NOOP("WindowWords", "NCHW or NHWC") },
        std::pair { "resize", QT_TRANSLATE_NOOP("WindowWords", "Resize") },
        std::pair { "crop", QT_TRANSLATE_NOOP("WindowWords", "Crop") },
        std::pair { "limit", QT_TRANSLATE_NOOP("WindowWords", "At most") },
        std::pair { "preprocess", QT_TRANSLATE_NOOP("WindowWords", "Preset") },
        std::pair { "mean", QT_TRANSLATE_NOOP("WindowWords", "Mean") },
        std::pair { "std", QT_TRANSLATE_NOOP("WindowWords", "Std") },
        std::pair { "scale", QT_TRANSLATE_NOOP("WindowWords", "Scale") },
        std::pair { "activation-granularity", QT_TRANSLATE_NOOP("WindowWords", "Granularity of activations: per") },
        std::pair { "save-plan", QT_TRANSLATE_NOOP("WindowWords", "Save plan") },
    };
    const auto* const found
        = std::ranges::find_if(fields, [&](const auto& field) { return option == QLatin1String(field.first); });
    if (found != fields.end())
        return tr(found->second);
    QString words = option;
    return words.replace(QLatin1Char('-'), QLatin1Char(' '));
}

/// "nhwc" is written in capitals where it is chosen.
QString valueOf(const QString& value)
{
    static const QRegularExpression capitals(QStringLiteral("^(nchw|nhwc|rgb|bgr)$"));
    return capitals.match(value).hasMatch() ? value.toUpper() : value;
}

/// The file's name without folders, and what is said of the place in it: "val650, image 'cat.jpg'".
QString subjectOf(const QString& where)
{
    const QString head = where.section(QStringLiteral(", "), 0, 0);
    const QString rest = where.mid(head.size());
    return head.section(QLatin1Char('/'), -1, -1, QString::SectionSkipEmpty) + rest;
}

/// Whether a text goes on behind its subject, as "is empty" does and "no such file" does not.
bool isPredicate(const QString& what)
{
    static const QRegularExpression verbs(
        QStringLiteral("^(is|are|was|has|holds|cannot|can|ends|takes|expects|fixes|does|names|lacks|needs|gives|"
                       "contains|starts|lists|says)\\b"));
    return verbs.match(what).hasMatch();
}

QString capitalised(const QString& text) { return text.left(1).toUpper() + text.mid(1); }

} // namespace

QString sentence(const QString& text)
{
    static const QString ends = QStringLiteral(".!?…");
    return text.isEmpty() || ends.contains(text.back()) ? text : text + QLatin1Char('.');
}

QString inWindow(const std::string& text)
{
    static const QRegularExpression option(QStringLiteral(
        "--layout (?<layout>[a-z]+)|--(?<name>[a-z][a-z-]*)(?: (?<value>rgb|bgr|gray|\\d+(?:x\\d+)?)\\b)?"));
    const QString source = QString::fromStdString(text);
    QString words;
    qsizetype done = 0;
    for (auto matches = option.globalMatch(source); matches.hasNext();) {
        const auto match = matches.next();
        words += source.mid(done, match.capturedStart() - done);
        const QString layout = match.captured(u"layout");
        if (layout == QLatin1String("nchw") || layout == QLatin1String("nhwc")) {
            words += valueOf(layout);
        } else {
            const QString name = layout.isEmpty() ? match.captured(u"name") : QStringLiteral("layout");
            const QString value = layout.isEmpty() ? match.captured(u"value") : layout;
            words += fieldOf(name) + (value.isEmpty() ? QString() : QLatin1Char(' ') + valueOf(value));
        }
        done = match.capturedEnd();
    }
    return words + source.mid(done);
}

QString errorSentences(const base::Error& error)
{
    const QString what = inWindow(error.what);
    const QString subject = subjectOf(QString::fromStdString(error.where));
    const QString hint = capitalised(inWindow(error.hint));
    QString text
        = subject.isEmpty() ? capitalised(what) : subject + QLatin1String(isPredicate(what) ? " " : ": ") + what;
    text = sentence(text);
    return hint.isEmpty() ? text : text + QLatin1Char(' ') + sentence(hint);
}

QString calibrationText(const LoadedData& data)
{
    const auto& samples = data.calibration;
    if (!samples)
        return {};
    const QString count = formatCount(samples->size());
    const QString name = QString::fromStdString(samples->dataset()->path().filename().string());
    return data.request.calibrationPath.empty() ? tr("calibrated on %1 of the evaluated images (%2)").arg(count, name)
                                                : tr("calibrated on %1 of %2").arg(count, name);
}

} // namespace quantoscope::ui
