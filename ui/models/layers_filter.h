// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QSortFilterProxyModel>

namespace quantoscope::ui {

/// Layers whose name or operator contains the filter text; sorts by the numbers behind the cells.
class LayersFilter : public QSortFilterProxyModel {
    Q_OBJECT

public:
    explicit LayersFilter(QObject* parent = nullptr);
    void setText(const QString& text);

protected:
    bool filterAcceptsRow(int row, const QModelIndex& parent) const override;

private:
    QString m_text;
};

} // namespace quantoscope::ui
