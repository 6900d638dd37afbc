// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <optional>
#include <vector>

#include <QSpinBox>

namespace quantoscope::ui {

/// A word-length: 2 to 16 bits, and above them "float".
class BitsSpinBox : public QSpinBox {
    Q_OBJECT

public:
    explicit BitsSpinBox(QWidget* parent = nullptr);

    std::optional<int> bits() const;
    void setBits(std::optional<int> bits);
    /// What can be typed and stepped to; anything if there is none.
    void setAllowed(std::vector<std::optional<int>> bits);

    void stepBy(int steps) override;

protected:
    void keyPressEvent(QKeyEvent* event) override;
    void fixup(QString& text) const override;
    QString textFromValue(int value) const override;
    int valueFromText(const QString& text) const override;
    QValidator::State validate(QString& text, int& position) const override;

private:
    bool allowed(int value) const;
    void sayWhatFits() const; ///< in a tip beside the field, where a key or what stands there was refused

    std::vector<std::optional<int>> m_allowed;
};

} // namespace quantoscope::ui
