// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QUndoCommand>

#include "core/planning/plan_builder.h"

namespace quantoscope::ui {

class Session;

/// One edit of what is asked for.
class RequestCommand : public QUndoCommand {
public:
    RequestCommand(Session& session, planning::PlanRequest after, const QString& text, QString key);

    void undo() override;
    void redo() override;
    int id() const override;
    bool mergeWith(const QUndoCommand* other) override;

private:
    Session& m_session;
    planning::PlanRequest m_before;
    planning::PlanRequest m_after;
    QString m_key;
};

} // namespace quantoscope::ui
