// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <vector>

#include <QAbstractTableModel>
#include <QCache>
#include <QImage>

#include "core/evaluation/flips.h"
#include "ui/session/state.h"

namespace quantoscope::ui {

/// A class in words, the same wherever one is shown: "horse", "crane (134)" where other classes are called so too, "7"
/// where the data name no such class, "none" for a missing label.
QString classText(const dataset::SampleSet& samples, std::int32_t number);
QString classTip(const dataset::SampleSet& samples, std::int32_t number); ///< "horse, class 7"
QString classSortKey(const dataset::SampleSet& samples, std::int32_t number); ///< in the order of what is shown
/// A sample as the network sees it; null for samples that are no pictures.
QImage pictureOf(const dataset::SampleSet& samples, std::int64_t position);
QString flipKindText(evaluation::FlipKind kind); ///< "lost", "gained", "moved"

/// Images of a run whose predicted class quantization changed, the most surprising first.
class FlipsModel : public QAbstractTableModel {
    Q_OBJECT

public:
    enum Column { Name, Kind, Label, FloatClass, QuantizedClass, FloatMargin, QuantizedMargin, ColumnCount };
    enum Role { SortRole = Qt::UserRole };

    explicit FlipsModel(QObject* parent = nullptr);

    /// Shows nothing for a run without result of the float network, and for that network itself.
    void setRun(const Run& run);
    void clear();
    const std::vector<evaluation::Flip>& flips() const { return m_flips; }
    const dataset::SampleSetPtr& samples() const { return m_samples; }

    int rowCount(const QModelIndex& parent = {}) const override;
    int columnCount(const QModelIndex& parent = {}) const override;
    QVariant data(const QModelIndex& index, int role = Qt::DisplayRole) const override;
    QVariant headerData(int section, Qt::Orientation orientation, int role = Qt::DisplayRole) const override;

private:
    static bool isText(int column) { return column < FloatMargin; }
    /// Label, FloatClass or QuantizedClass.
    static std::int32_t classIn(const evaluation::Flip& flip, int column);
    QString display(const evaluation::Flip& flip, int column) const;
    QVariant sortKey(int row, int column) const;
    QImage thumbnail(std::int64_t position) const;

    dataset::SampleSetPtr m_samples;
    std::vector<evaluation::Flip> m_flips;
    mutable QCache<std::int64_t, QImage> m_thumbnails { 256 };
};

} // namespace quantoscope::ui
