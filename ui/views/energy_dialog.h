// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <functional>
#include <vector>

#include <QDialog>

#include "core/base/error.h"
#include "ui/session/session.h"

class QComboBox;
class QLabel;
class QLineEdit;

namespace quantoscope::ui {

/// What energies are made of: a model to choose, and its numbers to change. Every change holds at once, undoably, for
/// all that is shown, and is kept with the project. Not modal.
class EnergyDialog : public QDialog {
    Q_OBJECT

public:
    explicit EnergyDialog(Session& session, QWidget* parent = nullptr);
    ~EnergyDialog() override;

    QComboBox* model() const { return m_model; }
    QLineEdit* field(const QString& name) const; ///< by accessible name; null: this kind of model does not have it
    QString examples() const; ///< what a multiply-accumulate takes, as shown
    QString message() const; ///< why a number or a file was not taken; empty: all were

    /// Takes a model from a file, or writes the current one for --energy of the command line. message() says why not.
    void open(const QString& path);
    void save(const QString& path);

private:
    static QString examplesOf(const cost::EnergyModel& model);
    /// One number of the model: how it is shown, and what it may be.
    struct Number {
        QString label;
        QString unit;
        QString tip; ///< one sentence
        double least = 0;
        double most = 0;
        std::function<double(const cost::EnergyModel&)> get;
        std::function<void(cost::EnergyModel&, double)> set;
    };
    static std::vector<Number> numbersOf(cost::EnergyModel::Kind kind);
    void refresh();
    void refreshModels();
    void rebuildFields();
    void add(const Number& number);
    void addPlace(const QString& label, const QString& tip, bool cost::EnergyModel::*offChip);
    void take(const Number& number, QLineEdit* edit);
    void ignoreFields();
    void choose();
    void chooseFile(bool save);
    void apply(cost::EnergyModel model);
    void say(const QString& message);

    Session& m_session;
    QComboBox* m_model = nullptr;
    QLabel* m_description = nullptr;
    QLabel* m_source = nullptr;
    QWidget* m_fields = nullptr;
    QLabel* m_examples = nullptr;
    QLabel* m_message = nullptr;
    std::vector<cost::EnergyModel> m_offered; ///< as in the list
    cost::EnergyModel::Kind m_kind; ///< of the fields
    std::vector<std::function<void(const cost::EnergyModel&)>> m_showers; ///< put a model's values into the fields
};

} // namespace quantoscope::ui
