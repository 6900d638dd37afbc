// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <vector>

#include <QAbstractTableModel>

#include "core/evaluation/flips.h"
#include "ui/session/state.h"

namespace quantoscope::ui {

/// Cells of the confusion matrix that quantization changed, the largest change first.
class ConfusionModel : public QAbstractTableModel {
    Q_OBJECT

public:
    enum Column { Label, Prediction, Float, Quantized, Change, ColumnCount };
    enum Role { SortRole = Qt::UserRole };

    explicit ConfusionModel(QObject* parent = nullptr);

    void setRun(const Run& run); ///< as FlipsModel::setRun()
    void clear();
    const std::vector<evaluation::ConfusionChange>& changes() const { return m_changes; }

    int rowCount(const QModelIndex& parent = {}) const override;
    int columnCount(const QModelIndex& parent = {}) const override;
    QVariant data(const QModelIndex& index, int role = Qt::DisplayRole) const override;
    QVariant headerData(int section, Qt::Orientation orientation, int role = Qt::DisplayRole) const override;

private:
    dataset::SampleSetPtr m_samples;
    std::vector<evaluation::ConfusionChange> m_changes;
};

} // namespace quantoscope::ui
