// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QAbstractTableModel>

#include "ui/session/session.h"

namespace quantoscope::ui {

/// Every evaluated configuration of the session, one a row, the oldest first.
class RunsModel : public QAbstractTableModel {
    Q_OBJECT

public:
    enum Column {
        Number,
        Name,
        Scope,
        Corrections,
        WeightBits,
        ActivationBits,
        Images,
        Top1,
        Top1Interval,
        FloatTop1,
        Delta,
        DeltaInterval,
        PValue,
        Agreement,
        Size,
        Energy,
        Speed,
        ColumnCount
    };
    enum Role {
        SortRole = Qt::UserRole,
        CurrentRole, ///< whether the run's options are the current ones
    };

    explicit RunsModel(Session& session, QObject* parent = nullptr);

    int rowCount(const QModelIndex& parent = {}) const override;
    int columnCount(const QModelIndex& parent = {}) const override;
    QVariant data(const QModelIndex& index, int role = Qt::DisplayRole) const override;
    QVariant headerData(int section, Qt::Orientation orientation, int role = Qt::DisplayRole) const override;
    Qt::ItemFlags flags(const QModelIndex& index) const override; ///< names can be edited
    bool setData(const QModelIndex& index, const QVariant& value, int role = Qt::EditRole) override;

    /// Its name, or what it is in short: "W4 A8", "float".
    static QString title(const Run& run);

private:
    static bool isText(int column) { return column == Name || column == Scope || column == Corrections; }
    bool isCurrent(const Run& run) const; ///< whether its options are the current ones
    /// Whether some layer has a word-length of its own for weights, or for activations.
    static bool hasOwnBits(const planning::PlanRequest& request, bool weights);
    static QString correctionsText(const Run& run);
    /// What was quantized, without the word-lengths and corrections that have columns of their own; of a run that was
    /// not made here, all that was said of it.
    static QString scopeText(const Run& run);
    QString display(int row, int column) const;
    QVariant sortKey(int row, int column) const;
    void update();

    Session& m_session;
    int m_rows = 0;
};

/// Header and rows of any model, columns in the order given and separated by tabs, numbers as spreadsheets and scripts
/// read them. `rows`: which; null: all.
QString toTsv(const QAbstractItemModel& model, const std::vector<int>& columns, const std::vector<int>* rows = nullptr);

} // namespace quantoscope::ui
