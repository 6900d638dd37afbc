// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/views/panel_form.h"

#include <QAbstractSpinBox>
#include <QComboBox>
#include <QEvent>
#include <QFormLayout>

namespace quantoscope::ui {

namespace {

class WheelFilter : public QObject {
public:
    using QObject::QObject;

    bool eventFilter(QObject* watched, QEvent* event) override
    {
        if (event->type() != QEvent::Wheel || static_cast<QWidget*>(watched)->hasFocus())
            return false;
        event->ignore();
        return true;
    }
};

} // namespace

QFormLayout* makePanelForm()
{
    auto* form = new QFormLayout;
    form->setContentsMargins(12, 4, 4, 8);
    form->setHorizontalSpacing(8);
    form->setVerticalSpacing(4);
    form->setFieldGrowthPolicy(QFormLayout::AllNonFixedFieldsGrow);
    form->setLabelAlignment(Qt::AlignLeft);
    return form;
}

void keepWheelForScrolling(QWidget* panel)
{
    auto* filter = new WheelFilter(panel);
    const auto keep = [filter](QWidget* control) {
        control->setFocusPolicy(Qt::StrongFocus);
        control->installEventFilter(filter);
    };
    for (QComboBox* box : panel->findChildren<QComboBox*>())
        keep(box);
    for (QAbstractSpinBox* box : panel->findChildren<QAbstractSpinBox*>())
        keep(box);
}

} // namespace quantoscope::ui
