// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QUndoCommand>

#include "ui/session/state.h"

namespace quantoscope::ui {

class Session;

/// One edit of what is asked for.
class RequestCommand : public QUndoCommand {
public:
    RequestCommand(Session& session, Wish after, const QString& text, QString key);

    void undo() override;
    void redo() override;
    int id() const override;
    bool mergeWith(const QUndoCommand* other) override;

private:
    Session& m_session;
    Wish m_before;
    Wish m_after;
    QString m_key;
};

/// Another preparation of the model: what was asked for and found out belongs to the one it was made with.
class ModelCommand : public QUndoCommand {
public:
    ModelCommand(Session& session, LoadedModelPtr after, Wish afterWish, const QString& text);

    void undo() override;
    void redo() override;

private:
    struct Side {
        LoadedModelPtr model;
        Wish wish;
        std::vector<Run> runs;
    };
    void exchange(Side& leave, const Side& enter);

    Session& m_session;
    Side m_before;
    Side m_after;
};

/// What energies are made of.
class EnergyCommand : public QUndoCommand {
public:
    EnergyCommand(Session& session, cost::EnergyModel after);

    void undo() override;
    void redo() override;
    int id() const override { return 2; }
    bool mergeWith(const QUndoCommand* other) override;

private:
    Session& m_session;
    cost::EnergyModel m_before;
    cost::EnergyModel m_after;
};

/// A name for a run.
class RenameRunCommand : public QUndoCommand {
public:
    RenameRunCommand(Session& session, int index, const QString& name);

    void undo() override;
    void redo() override;

private:
    Session& m_session;
    RunKey m_key;
    int m_index;
    QString m_before;
    QString m_after;
};

} // namespace quantoscope::ui
