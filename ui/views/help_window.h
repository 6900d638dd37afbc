// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QDialog>

class QLineEdit;
class QListWidget;
class QTextBrowser;

namespace quantoscope::ui {

/// The pages of resources/help with a list of them, back and forward, and a search in the page.
class HelpWindow : public QDialog {
    Q_OBJECT

public:
    explicit HelpWindow(QWidget* parent = nullptr);

    /// "options": the name of a file in resources/help without its ending.
    void showPage(const QString& name);
    QTextBrowser* browser() const { return m_browser; }
    QListWidget* contents() const { return m_contents; }
    QLineEdit* search() const { return m_search; }

private:
    void find(const QString& text, bool further);
    void chosen(int row);
    void follow(const QUrl& source); ///< the browser tells of a page before its source() is it

    QListWidget* m_contents = nullptr;
    QTextBrowser* m_browser = nullptr;
    QLineEdit* m_search = nullptr;
};

} // namespace quantoscope::ui
