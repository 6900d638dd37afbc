// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/models/layers_filter.h"

#include "ui/models/layers_model.h"

namespace quantoscope::ui {

LayersFilter::LayersFilter(QObject* parent)
    : QSortFilterProxyModel(parent)
{
    setSortRole(LayersModel::SortRole);
}

void LayersFilter::setText(const QString& text)
{
    m_text = text.trimmed();
    invalidateFilter();
}

bool LayersFilter::filterAcceptsRow(int row, const QModelIndex& parent) const
{
    if (m_text.isEmpty())
        return true;
    const auto contains = [&](int column) {
        return sourceModel()->index(row, column, parent).data().toString().contains(m_text, Qt::CaseInsensitive);
    };
    return contains(LayersModel::Name) || contains(LayersModel::Operator);
}

} // namespace quantoscope::ui
