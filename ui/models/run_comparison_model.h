// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QAbstractTableModel>

#include "ui/session/session.h"

namespace quantoscope::ui {

/// The layers of the model in two runs, one a row: word-lengths, errors, and by how much they differ.
class RunComparisonModel : public QAbstractTableModel {
    Q_OBJECT

public:
    enum Column {
        Number,
        Name,
        FirstWeightBits,
        SecondWeightBits,
        FirstActivationBits,
        SecondActivationBits,
        FirstWeightSqnr,
        SecondWeightSqnr,
        WeightDifference,
        FirstActivationSqnr,
        SecondActivationSqnr,
        ActivationDifference,
        ColumnCount
    };
    enum Role { SortRole = Qt::UserRole };

    explicit RunComparisonModel(Session& session, QObject* parent = nullptr);

    int rowCount(const QModelIndex& parent = {}) const override;
    int columnCount(const QModelIndex& parent = {}) const override;
    QVariant data(const QModelIndex& index, int role = Qt::DisplayRole) const override;
    QVariant headerData(int section, Qt::Orientation orientation, int role = Qt::DisplayRole) const override;

private:
    double sqnr(int row, int column) const; ///< NaN: float, or not measured yet
    QVariant display(int row, int column) const;
    QVariant sortKey(int row, int column) const;

    Session& m_session;
    RunComparisonPtr m_comparison;
};

} // namespace quantoscope::ui
