// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QAbstractTableModel>

#include "ui/session/state.h"

namespace quantoscope::ui {

/// What a plan does to every layer: word-length and representable range of its weight and of what enters it.
class PlanModel : public QAbstractTableModel {
    Q_OBJECT

public:
    enum Column { Number, Layer, WeightBits, WeightRange, ActivationBits, ActivationRange, ColumnCount };

    explicit PlanModel(QObject* parent = nullptr);

    /// Either may be null: no rows.
    void setPlan(LoadedModelPtr model, quant::PlanPtr plan);
    const quant::PlanPtr& plan() const { return m_plan; }

    int rowCount(const QModelIndex& parent = {}) const override;
    int columnCount(const QModelIndex& parent = {}) const override;
    QVariant data(const QModelIndex& index, int role = Qt::DisplayRole) const override;
    QVariant headerData(int section, Qt::Orientation orientation, int role = Qt::DisplayRole) const override;

private:
    QString display(int row, int column) const;

    LoadedModelPtr m_model;
    quant::PlanPtr m_plan;
};

} // namespace quantoscope::ui
