// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/session/request_command.h"

#include <QCoreApplication>

#include "ui/session/session.h"

namespace quantoscope::ui {

RequestCommand::RequestCommand(Session& session, Wish after, const QString& text, QString key)
    : QUndoCommand(text)
    , m_session(session)
    , m_before(session.wish())
    , m_after(std::move(after))
    , m_key(std::move(key))
{
}

void RequestCommand::undo() { m_session.applyWish(m_before); }

void RequestCommand::redo() { m_session.applyWish(m_after); }

int RequestCommand::id() const
{
    // -1 is Qt's word for "never merge"; keys are compared in mergeWith().
    return m_key.isEmpty() ? -1 : 1;
}

bool RequestCommand::mergeWith(const QUndoCommand* other)
{
    const auto* later = static_cast<const RequestCommand*>(other);
    if (later->m_key != m_key)
        return false;
    m_after = later->m_after;
    setObsolete(m_after == m_before);
    return true;
}

ModelCommand::ModelCommand(Session& session, LoadedModelPtr after, Wish afterWish, const QString& text)
    : QUndoCommand(text)
    , m_session(session)
    , m_before { session.model(), session.wish(), {} }
    , m_after { std::move(after), std::move(afterWish), {} }
{
}

void ModelCommand::exchange(Side& leave, const Side& enter)
{
    leave.runs = m_session.runs();
    m_session.applyModel(enter.model, enter.wish, enter.runs);
}

void ModelCommand::undo() { exchange(m_after, m_before); }

void ModelCommand::redo() { exchange(m_before, m_after); }

EnergyCommand::EnergyCommand(Session& session, cost::EnergyModel after)
    : QUndoCommand(QCoreApplication::translate("EnergyCommand", "energy model"))
    , m_session(session)
    , m_before(session.energyModel())
    , m_after(std::move(after))
{
}

void EnergyCommand::undo() { m_session.restoreEnergyModel(m_before); }

void EnergyCommand::redo() { m_session.restoreEnergyModel(m_after); }

bool EnergyCommand::mergeWith(const QUndoCommand* other)
{
    m_after = static_cast<const EnergyCommand*>(other)->m_after;
    setObsolete(m_after == m_before);
    return true;
}

RenameRunCommand::RenameRunCommand(Session& session, int index, const QString& name)
    : QUndoCommand(name.isEmpty()
            ? QCoreApplication::translate("RenameRunCommand", "name of run %1 removed").arg(index + 1)
            : QCoreApplication::translate("RenameRunCommand", "run %1 named “%2”").arg(index + 1).arg(name))
    , m_session(session)
    , m_key(session.runs()[static_cast<std::size_t>(index)].key)
    , m_index(index)
    , m_before(session.runs()[static_cast<std::size_t>(index)].name)
    , m_after(name)
{
}

void RenameRunCommand::undo() { m_session.applyRunName(m_key, m_index, m_before); }

void RenameRunCommand::redo() { m_session.applyRunName(m_key, m_index, m_after); }

} // namespace quantoscope::ui
