// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/views/data_preview.h"

#include <QLabel>
#include <QListWidget>
#include <QVBoxLayout>

#include "ui/charts/number_format.h"
#include "ui/charts/theme.h"
#include "ui/models/flips_model.h"

namespace quantoscope::ui {

namespace {

constexpr int side = 72; // pixels
constexpr QSize cell(side + 24, side + 28);

/// Small pictures keep their pixels, large ones are smoothed.
QPixmap scaled(const QImage& image)
{
    const auto mode = image.width() < side ? Qt::FastTransformation : Qt::SmoothTransformation;
    return QPixmap::fromImage(image.scaled(side, side, Qt::KeepAspectRatio, mode));
}

} // namespace

DataPreviewView::DataPreviewView(Session& session, QWidget* parent)
    : QWidget(parent)
    , m_session(session)
{
    m_images = new QListWidget;
    m_images->setAccessibleName(tr("Some of the images as the network would see them"));
    m_images->setViewMode(QListView::IconMode);
    m_images->setIconSize({ side, side });
    m_images->setGridSize(cell);
    m_images->setMovement(QListView::Static);
    m_images->setResizeMode(QListView::Adjust);
    m_images->setSelectionMode(QAbstractItemView::NoSelection);
    m_images->setUniformItemSizes(true);
    m_images->setMinimumWidth(3 * cell.width() + 24);
    m_text = new QLabel;
    m_text->setWordWrap(true);
    m_text->setTextFormat(Qt::RichText);
    m_text->setMinimumHeight(3 * m_text->fontMetrics().lineSpacing());
    m_text->setAlignment(Qt::AlignTop | Qt::AlignLeft);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(8);
    layout->addWidget(m_images, 1);
    layout->addWidget(m_text);
    connect(&session, &Session::dataPreviewChanged, this, &DataPreviewView::refresh);
    refresh();
}

QString DataPreviewView::text() const { return m_text->text(); }

void DataPreviewView::refresh()
{
    m_images->clear();
    const DataPreviewPtr& preview = m_session.dataPreview();
    if (!preview) {
        m_text->setText(tr("Choose images to see some of them here as the network would."));
        return;
    }
    const auto& samples = preview->samples;
    for (std::int64_t i = 0; samples && i < samples->size(); ++i) {
        const QImage picture = pictureOf(*samples, i);
        if (picture.isNull())
            break; // arrays of numbers are no pictures
        const int label = samples->labels()[static_cast<std::size_t>(i)];
        auto* item = new QListWidgetItem(scaled(picture),
            m_images->fontMetrics().elidedText(classText(*samples, label), Qt::ElideRight, cell.width() - 8), m_images);
        item->setSizeHint(cell);
        item->setToolTip(
            tr("Image %1, labelled %2").arg(formatCount(samples->originalIndex(i)), classTip(*samples, label)));
    }
    QString text;
    if (!preview->misfit.isEmpty())
        text += QStringLiteral("<b style='color:%1'>%2</b>")
                    .arg(Theme::forPalette(palette()).quantized.name(), preview->misfit.toHtmlEscaped());
    if (samples) {
        QStringList shape;
        for (const std::int64_t extent : preview->shape)
            shape << QString::number(extent);
        text += (text.isEmpty() ? QString() : QStringLiteral("<br>"))
            + tr("%1. The network gets %2 values from %3 to %4, mean %5.")
                  .arg(preview->description.toHtmlEscaped(), shape.join(QChar(0x00d7)), formatSignificant(preview->low),
                      formatSignificant(preview->high), formatSignificant(preview->mean));
    }
    m_text->setText(text);
}

} // namespace quantoscope::ui
