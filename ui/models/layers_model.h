// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QAbstractTableModel>

#include "ui/models/layer_measure.h"
#include "ui/session/session.h"

namespace quantoscope::ui {

/// The compute layers of the session's model, one a row, with their word-lengths and what these do to them.
class LayersModel : public QAbstractTableModel {
    Q_OBJECT

public:
    enum Column {
        Number,
        Name,
        Distribution,
        WeightBits,
        ActivationBits,
        WeightSqnr,
        ActivationSqnr,
        Sensitivity,
        WeightClipped,
        ActivationClipped,
        WeightClipping,
        ActivationClipping,
        ActivationTotal,
        ActivationOwn,
        ActivationInherited,
        AccumulatorWorst,
        AccumulatorSeen,
        Operator,
        InputShape,
        OutputShape,
        WeightShape,
        Parameters,
        Macs,
        ColumnCount
    };
    enum Role {
        SortRole = Qt::UserRole, ///< the number behind the text
        ThumbnailRole, ///< QVector<float>: heights of a small histogram
        OperandRole, ///< int of Operand: which side a column belongs to, for its colour
        OverriddenRole, ///< bool: set for this layer alone
        MeasureRole, ///< double: from 0, the worst layer, to 1 by the session's measure; none: not known, or no measure
    };

    /// Whether a column is hidden until somebody asks for it.
    static bool isExtra(int column) { return column >= Sensitivity && column <= AccumulatorSeen; }

    explicit LayersModel(Session& session, QObject* parent = nullptr);

    int rowCount(const QModelIndex& parent = {}) const override;
    int columnCount(const QModelIndex& parent = {}) const override;
    QVariant data(const QModelIndex& index, int role = Qt::DisplayRole) const override;
    QVariant headerData(int section, Qt::Orientation orientation, int role = Qt::DisplayRole) const override;
    Qt::ItemFlags flags(const QModelIndex& index) const override;
    bool setData(const QModelIndex& index, const QVariant& value, int role = Qt::EditRole) override;

    static bool isBits(int column) { return column == WeightBits || column == ActivationBits; }
    static Operand operandOf(int column);
    /// Word-length as an editor has it: 2..16, 0 for float.
    static std::optional<int> bitsFromEditor(int value) { return value > 0 ? std::optional(value) : std::nullopt; }

private:
    struct Bits {
        std::optional<int> value;
        bool overridden = false;
    };
    Bits bits(int row, Operand operand) const;
    QString sensitivityTitle() const; ///< with what it is measured in and at
    static bool isError(int column) { return column >= WeightSqnr && column <= AccumulatorSeen; }
    double error(int row, int column) const; ///< NaN: not known or float
    double planned(int row, int column) const; ///< of what the plan does to a tensor
    double measured(int row, int column) const; ///< of what happens in the running network
    QVariant display(int row, int column) const;
    QVariant sortKey(int row, int column) const;
    QString toolTip(int row, int column) const;
    void reload();
    void refresh();
    void refreshMeasure();

    Session& m_session;
    LoadedModelPtr m_model; ///< what the rows show
    std::vector<QVector<float>> m_thumbnails;
    LayerMeasure m_measure;
    LayerMeasure m_sensitivity;
};

} // namespace quantoscope::ui
