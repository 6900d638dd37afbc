// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/views/help_window.h"

#include <QFileInfo>
#include <QHBoxLayout>
#include <QLineEdit>
#include <QListWidget>
#include <QPushButton>
#include <QSplitter>
#include <QTextBlock>
#include <QTextBrowser>
#include <QTextTable>
#include <QVBoxLayout>

#include "ui/models/operators_text.h"

namespace quantoscope::ui {

namespace {

/// Pages come from the resources; one of them is made from the registry of operators.
class Pages : public QTextBrowser {
public:
    using QTextBrowser::QTextBrowser;

protected:
    QVariant loadResource(int type, const QUrl& name) override
    {
        if (name.fileName() == QLatin1String("operators.md"))
            return operatorsPage();
        return QTextBrowser::loadResource(type, name);
    }
};

/// Markdown comes with tables of double lines around letters without room, and headings that touch what is above them.
void setOut(QTextDocument& page)
{
    constexpr qreal above = 16; // pixels
    constexpr qreal room = 4;
    for (QTextFrame* frame : page.rootFrame()->childFrames())
        if (auto* table = qobject_cast<QTextTable*>(frame)) {
            QTextTableFormat format = table->format();
            format.setCellSpacing(0);
            format.setCellPadding(room);
            format.setBorder(1);
            format.setBorderCollapse(true);
            format.setBorderBrush(QColor(128, 128, 128, 110)); // on light as on dark
            table->setFormat(format);
        }
    QTextCursor cursor(&page);
    for (QTextBlock block = page.begin(); block.isValid(); block = block.next())
        if (block.blockFormat().headingLevel() > 1) {
            cursor.setPosition(block.position());
            QTextBlockFormat format = block.blockFormat();
            format.setTopMargin(above);
            format.setBottomMargin(room);
            cursor.setBlockFormat(format);
        }
}

QUrl urlOf(const QString& page) { return QUrl(QStringLiteral("qrc:/help/%1.md").arg(page)); }

} // namespace

HelpWindow::HelpWindow(QWidget* parent)
    : QDialog(parent)
{
    setWindowTitle(tr("Help"));
    setModal(false);
    m_contents = new QListWidget;
    m_contents->setAccessibleName(tr("Pages"));
    m_contents->setSpacing(2);
    const std::pair<QString, const char*> pages[] = { { tr("Quantoscope"), "index" }, { tr("Images"), "images" },
        { tr("Layers"), "layers" }, { tr("Distributions"), "distributions" }, { tr("Graph"), "graph" },
        { tr("Options and formulas"), "options" }, { tr("Studies"), "studies" }, { tr("What broke"), "what-broke" },
        { tr("Runs and projects"), "runs" }, { tr("Export"), "export" }, { tr("Keyboard and mouse"), "keyboard" },
        { tr("Supported operators"), "operators" } };
    for (const auto& [title, name] : pages) {
        auto* item = new QListWidgetItem(title, m_contents);
        item->setData(Qt::UserRole, QString::fromLatin1(name));
    }
    m_browser = new Pages;
    m_browser->setAccessibleName(tr("Page"));
    m_browser->setOpenExternalLinks(true);
    m_browser->document()->setDocumentMargin(16);
    m_search = new QLineEdit;
    m_search->setPlaceholderText(tr("Find in this page"));
    m_search->setAccessibleName(tr("Find in this page"));
    m_search->setClearButtonEnabled(true);
    auto* back = new QPushButton(tr("Back"));
    auto* forward = new QPushButton(tr("Forward"));
    auto* close = new QPushButton(tr("Close"));
    for (QPushButton* button : { back, forward, close })
        button->setAutoDefault(false);
    back->setEnabled(false);
    forward->setEnabled(false);
    auto* bar = new QHBoxLayout;
    bar->setSpacing(8);
    bar->addWidget(back);
    bar->addWidget(forward);
    bar->addWidget(m_search, 1);
    bar->addWidget(close);
    auto* splitter = new QSplitter;
    splitter->addWidget(m_contents);
    splitter->addWidget(m_browser);
    splitter->setStretchFactor(1, 1);
    splitter->setSizes({ 176, 624 });
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(8, 8, 8, 8);
    layout->setSpacing(8);
    layout->addLayout(bar);
    layout->addWidget(splitter, 1);
    resize(840, 640);

    connect(m_contents, &QListWidget::currentRowChanged, this, &HelpWindow::chosen);
    connect(m_browser, &QTextBrowser::sourceChanged, this, &HelpWindow::follow);
    connect(m_browser, &QTextBrowser::backwardAvailable, back, &QWidget::setEnabled);
    connect(m_browser, &QTextBrowser::forwardAvailable, forward, &QWidget::setEnabled);
    connect(back, &QPushButton::clicked, m_browser, &QTextBrowser::backward);
    connect(forward, &QPushButton::clicked, m_browser, &QTextBrowser::forward);
    connect(close, &QPushButton::clicked, this, &QDialog::hide);
    connect(m_search, &QLineEdit::textChanged, this, [this](const QString& text) { find(text, false); });
    connect(m_search, &QLineEdit::returnPressed, this, [this] { find(m_search->text(), true); });
    showPage(QStringLiteral("index"));
}

void HelpWindow::showPage(const QString& name) { m_browser->setSource(urlOf(name), QTextDocument::MarkdownResource); }

void HelpWindow::chosen(int row)
{
    if (const QListWidgetItem* item = m_contents->item(row))
        showPage(item->data(Qt::UserRole).toString());
}

void HelpWindow::follow(const QUrl& source)
{
    setOut(*m_browser->document());
    const QString page = QFileInfo(source.path()).completeBaseName();
    const QSignalBlocker quiet(m_contents);
    for (int row = 0; row < m_contents->count(); ++row)
        if (m_contents->item(row)->data(Qt::UserRole).toString() == page)
            m_contents->setCurrentRow(row);
}

void HelpWindow::find(const QString& text, bool further)
{
    if (!further)
        m_browser->moveCursor(QTextCursor::Start);
    if (!m_browser->find(text) && further) { // once more from the top
        m_browser->moveCursor(QTextCursor::Start);
        m_browser->find(text);
    }
}

} // namespace quantoscope::ui
