// SPDX-License-Identifier: GPL-3.0-or-later
// What follows from the fields: what suits new images, a look at some of them, warnings, and what came of opening them.
#include <algorithm>

#include <QComboBox>
#include <QFileInfo>
#include <QLabel>
#include <QLineEdit>
#include <QPushButton>

#include "core/evaluation/preprocessing_variants.h"
#include "ui/charts/number_format.h"
#include "ui/charts/theme.h"
#include "ui/session/window_words.h"
#include "ui/views/data_dialog.h"
#include "ui/views/data_preview.h"
#include "ui/views/size_field.h"

namespace quantoscope::ui {

namespace {

constexpr int quietMilliseconds = 250;

QString numbers(const std::array<float, 3>& values)
{
    QStringList parts;
    for (const float value : values)
        parts << QString::number(static_cast<double>(value), 'g', 6);
    return parts.join(QStringLiteral(", "));
}

QString folderOf(const QString& path) { return QFileInfo(path).absolutePath(); }

} // namespace

void DataDialog::watchFields()
{
    m_quiet.setSingleShot(true);
    m_quiet.setInterval(quietMilliseconds);
    connect(&m_quiet, &QTimer::timeout, this, &DataDialog::askPreview);
    connect(m_path, &QLineEdit::textChanged, this, &DataDialog::pathChanged);
    const std::initializer_list<QLineEdit*> edits { m_labels, m_classes, m_calibrationPath, m_scale, m_mean, m_std,
        m_resize, m_crop, m_calibrationResize, m_calibrationCrop };
    for (QLineEdit* edit : edits)
        connect(edit, &QLineEdit::textChanged, this, [this, edit] { fieldChanged(edit); });
    for (QComboBox* box : { m_kind, m_preset, m_channels, m_layout })
        connect(box, &QComboBox::currentIndexChanged, this, [this, box] { fieldChanged(box); });
}

void DataDialog::fieldChanged(QWidget* field)
{
    if (!m_filling)
        m_choices.fields.insert(field);
    m_quiet.start();
}

void DataDialog::pathChanged()
{
    m_quiet.start();
    if (m_filling)
        return;
    if (m_choices.known) {
        // Nothing that was said of other images holds for these.
        const QString calibration
            = m_calibrationPath->text().isEmpty() ? m_choices.calibrationBefore : m_calibrationPath->text();
        const Filling filling(*this);
        m_choices = {};
        m_choices.calibrationBefore = calibration;
        m_kind->setCurrentIndex(m_kind->findData(static_cast<int>(dataset::Kind::Auto)));
        for (QLineEdit* edit : std::initializer_list<QLineEdit*> {
                 m_labels, m_classes, m_calibrationPath, m_calibrationResize, m_calibrationCrop })
            edit->clear();
    }
    m_choices.guess = true;
    const DataPreviewPtr& shown = m_session.dataPreview();
    m_open->setEnabled(!m_path->text().trimmed().isEmpty() && !(shown && shown->failed));
}

void DataDialog::choosePath(const QString& path)
{
    if (path != m_path->text())
        m_path->setText(path);
}

void DataDialog::askPreview()
{
    const auto wanted = request();
    if (!isVisible())
        return;
    if (wanted)
        m_workbench.previewData(*wanted, m_choices.guess);
    else if (!m_path->text().trimmed().isEmpty())
        refuse(errorSentences(wanted.error()));
    if (!wanted)
        m_open->setEnabled(false);
}

void DataDialog::takePreview()
{
    const DataPreviewPtr preview = m_session.dataPreview();
    if (!preview || preview->request.path != m_path->text().trimmed().toStdString())
        return;
    m_open->setEnabled(!preview->failed);
    m_warning->setVisible(!preview->warning.isEmpty());
    m_warning->setText(QStringLiteral("<b style='color:%1'>⚠ %2</b>")
                           .arg(Theme::forPalette(palette()).quantized.name(), preview->warning.toHtmlEscaped()));
    m_warning->setAccessibleName(preview->warning);
    const bool open = std::exchange(m_choices.open, false);
    if (preview->failed) {
        if (open)
            refuse(preview->misfit);
        return;
    }
    m_choices.known = true;
    if (std::exchange(m_refused, false)) {
        m_outcome->clear(); // what was wrong is mended
        showOutcome();
    }
    if (std::exchange(m_choices.guess, false)) {
        const Filling filling(*this);
        showPreparation(preview->request.preprocessing, m_choices.fields);
        const QString& calibration = m_choices.calibrationBefore;
        if (!m_choices.fields.contains(m_calibrationPath) && calibration != m_path->text() && !calibration.isEmpty()
            && folderOf(calibration) == folderOf(m_path->text()))
            m_calibrationPath->setText(calibration);
        if (const auto now = request(); now && *now == preview->request)
            m_quiet.stop();
    }
    if (open)
        accept();
}

QString DataDialog::warning() const { return m_warning->isHidden() ? QString() : m_warning->accessibleName(); }

void DataDialog::refuse(const QString& why)
{
    m_choices.open = false;
    m_refused = true;
    m_outcome->setText(QStringLiteral("<b style='color:%1'>%2</b>")
                           .arg(Theme::forPalette(palette()).quantized.name(), why.toHtmlEscaped()));
}

void DataDialog::accept()
{
    const auto wanted = request();
    if (!wanted) {
        refuse(errorSentences(wanted.error()));
        return;
    }
    m_outcome->setText(tr("Reading images…"));
    m_choices.open = m_choices.guess;
    if (m_choices.guess) {
        m_quiet.stop();
        askPreview();
    } else {
        emit openWanted(*wanted);
    }
}

void DataDialog::presetChosen()
{
    const QString key = m_preset->currentData().toString();
    const auto preset = dataset::Preprocessing::named(key.toStdString());
    if (!preset)
        return;
    m_scale->setText(QString::number(static_cast<double>(preset->scale), 'g', 8));
    m_mean->setText(numbers(preset->mean));
    m_std->setText(numbers(preset->std));
}

void DataDialog::showPreparation(const dataset::Preprocessing& preparation, const std::set<QWidget*>& except)
{
    const auto choose = [&](QComboBox* box, const QVariant& value) {
        if (!except.contains(box))
            box->setCurrentIndex(box->findData(value));
    };
    choose(m_channels, static_cast<int>(preparation.channels));
    choose(m_layout, static_cast<int>(preparation.layout));
    if (!except.contains(m_resize))
        m_resize->setValue(preparation.resize);
    if (!except.contains(m_crop))
        m_crop->setValue(preparation.crop);
    const bool chosen = std::ranges::any_of(std::initializer_list<QWidget*> { m_preset, m_scale, m_mean, m_std },
        [&](QWidget* field) { return except.contains(field); });
    if (chosen)
        return;
    const int preset = m_preset->findData(QString::fromStdString(preparation.name));
    m_preset->setCurrentIndex(preset >= 0 ? preset : m_preset->findData(QStringLiteral("custom")));
    m_scale->setText(QString::number(static_cast<double>(preparation.scale), 'g', 8));
    m_mean->setText(numbers(preparation.mean));
    m_std->setText(numbers(preparation.std));
}

void DataDialog::showOutcome()
{
    const DataVariantPtr& variant = m_session.dataVariant();
    m_variant->setVisible(variant != nullptr);
    if (!m_session.data())
        return;
    const auto& result = m_session.floatResult();
    if (!result) {
        m_outcome->setText(m_session.data()->title);
        return;
    }
    const bool near = evaluation::isNearChance(*result);
    m_outcome->setText(
        tr("%1<br>Float top-1 <b>%2</b> on %3 images%4")
            .arg(m_session.data()->title.toHtmlEscaped(), formatPercent(result->top1()), formatCount(result->images()),
                near ? tr(": hardly better than guessing (%1). Check channels, mean, std, size and labels.")
                           .arg(formatPercent(evaluation::chance(result->classes)))
                     : QString())
        + (variant ? QStringLiteral("<br>")
                    + tr("<b>With %1</b> it is right on %2 rather than %3 (%4 images tried).")
                          .arg(variant->difference, formatPercent(variant->after), formatPercent(variant->before),
                              formatCount(variant->images))
                   : QString()));
}

} // namespace quantoscope::ui
