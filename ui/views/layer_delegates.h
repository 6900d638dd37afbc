// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <functional>
#include <optional>

#include <QFont>
#include <QStyledItemDelegate>

#include "ui/models/distinct_names.h"

namespace quantoscope::ui {

/// Cells of the layers table: a stripe in the colour of what they speak of, bold where set by hand, a word-length
/// editor.
class BitsDelegate : public QStyledItemDelegate {
    Q_OBJECT

public:
    /// Takes an edited word-length to where it belongs (all selected rows).
    using Commit = std::function<void(const QModelIndex& index, std::optional<int> bits)>;
    BitsDelegate(Commit commit, QObject* parent);

    void paint(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index) const override;
    QWidget* createEditor(QWidget* parent, const QStyleOptionViewItem& option, const QModelIndex& index) const override;
    void setEditorData(QWidget* editor, const QModelIndex& index) const override;
    void setModelData(QWidget* editor, QAbstractItemModel* model, const QModelIndex& index) const override;

protected:
    void initStyleOption(QStyleOptionViewItem* option, const QModelIndex& index) const override;

private:
    Commit m_commit;
};

/// The number of a layer on the colour of the session's measure.
class MeasureDelegate : public QStyledItemDelegate {
    Q_OBJECT

public:
    using QStyledItemDelegate::QStyledItemDelegate;
    void paint(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index) const override;
};

/// A name that is shortened, where it has to be, to what tells it from the others of its column.
class NameDelegate : public QStyledItemDelegate {
    Q_OBJECT

public:
    using QStyledItemDelegate::QStyledItemDelegate;
    void setNames(const QStringList& names);

protected:
    void initStyleOption(QStyleOptionViewItem* option, const QModelIndex& index) const override;

private:
    DistinctNames m_names;
    QString m_sample; ///< of their letters
    mutable QFont m_font;
    mutable double m_letter = 0; ///< pixels that one takes in it; 0: not known
};

/// A small histogram of the weights.
class ThumbnailDelegate : public QStyledItemDelegate {
    Q_OBJECT

public:
    using QStyledItemDelegate::QStyledItemDelegate;
    void paint(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index) const override;
};

} // namespace quantoscope::ui
