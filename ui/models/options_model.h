// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QAbstractTableModel>

#include "ui/session/session.h"

namespace quantoscope::ui {

/// The combinations of the session's comparison of options, one a row, as they are ranked.
class OptionsModel : public QAbstractTableModel {
    Q_OBJECT

public:
    enum Column {
        Number,
        WeightBits,
        ActivationBits,
        Rank,
        Group,
        Top1,
        Top1Interval,
        Delta,
        Weights,
        Activations,
        Corrections,
        PValue,
        Agreement,
        ColumnCount
    };
    enum Role {
        SortRole = Qt::UserRole, ///< the number behind the text
        BestRole, ///< bool: cannot be told from the best of its word-lengths
    };

    explicit OptionsModel(Session& session, QObject* parent = nullptr);

    int rowCount(const QModelIndex& parent = {}) const override;
    int columnCount(const QModelIndex& parent = {}) const override;
    QVariant data(const QModelIndex& index, int role = Qt::DisplayRole) const override;
    QVariant headerData(int section, Qt::Orientation orientation, int role = Qt::DisplayRole) const override;

    /// All that is known of a row, in a few lines of rich text.
    static QString describe(const sweep::OptionsStudy& study, std::size_t row);

private:
    QString display(const sweep::StudyRow& row, int number, int column) const;
    QVariant sortKey(const sweep::StudyRow& row, int number, int column) const;
    static bool isText(int column);
    void update();

    Session& m_session;
    sweep::OptionsStudyPtr m_study; ///< what the rows show
};

} // namespace quantoscope::ui
