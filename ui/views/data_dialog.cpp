// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/views/data_dialog.h"

#include <QComboBox>
#include <QDialogButtonBox>
#include <QFormLayout>
#include <QGroupBox>
#include <QHBoxLayout>
#include <QLabel>
#include <QLineEdit>
#include <QMenu>
#include <QPushButton>
#include <QSpinBox>
#include <QToolButton>
#include <QVBoxLayout>

#include "ui/views/data_preview.h"
#include "ui/views/file_choice.h"
#include "ui/views/size_field.h"

namespace quantoscope::ui {

namespace {

/// Two fields beside each other in one row of a form.
QHBoxLayout* pairOf(QWidget* first, QWidget* second)
{
    auto* row = new QHBoxLayout;
    row->setSpacing(8);
    row->addWidget(first, 1);
    row->addWidget(second, 1);
    return row;
}

Result<std::array<float, 3>> parseNumbers(const QString& text, const QString& name)
{
    const QStringList parts = text.split(QLatin1Char(','), Qt::SkipEmptyParts);
    std::array<float, 3> values {};
    bool good = parts.size() == 3 || parts.size() == 1;
    for (std::size_t i = 0; good && i < 3; ++i)
        values[i] = parts[parts.size() == 1 ? 0 : static_cast<qsizetype>(i)].trimmed().toFloat(&good);
    if (!good)
        return fail(ErrorCode::InvalidInput,
            "expected one number or three with commas between, got '" + text.toStdString() + "'", name.toStdString());
    return values;
}

QFormLayout* formIn(QGroupBox* box)
{
    auto* form = new QFormLayout(box);
    form->setContentsMargins(12, 8, 12, 8);
    form->setHorizontalSpacing(12);
    form->setVerticalSpacing(8);
    form->setLabelAlignment(Qt::AlignLeft);
    form->setFieldGrowthPolicy(QFormLayout::AllNonFixedFieldsGrow);
    return form;
}

} // namespace

DataDialog::DataDialog(Session& session, Workbench& workbench, QWidget* parent)
    : QDialog(parent)
    , m_session(session)
    , m_workbench(workbench)
{
    setWindowTitle(tr("Open labelled images"));
    setModal(false);
    auto* fields = new QVBoxLayout;
    fields->setSpacing(12);
    fields->addWidget(buildSource());
    fields->addWidget(buildPreparation());
    fields->addWidget(buildCalibration());
    fields->addStretch(1);
    m_preview = new DataPreviewView(session);
    auto* columns = new QHBoxLayout;
    columns->setSpacing(16);
    columns->addLayout(fields, 3);
    columns->addWidget(m_preview, 2);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(16, 16, 16, 16);
    layout->setSpacing(12);
    layout->addLayout(columns, 1);
    m_warning = new QLabel;
    m_warning->setObjectName(QStringLiteral("DataWarning"));
    m_warning->setWordWrap(true);
    m_warning->setTextFormat(Qt::RichText);
    m_warning->hide();
    layout->addWidget(m_warning);
    m_outcome = new QLabel;
    m_outcome->setWordWrap(true);
    m_outcome->setMinimumHeight(2 * m_outcome->fontMetrics().lineSpacing());
    m_variant = new QPushButton(tr("Use it"));
    m_variant->hide();
    auto* outcomeRow = new QHBoxLayout;
    outcomeRow->setSpacing(8);
    outcomeRow->addWidget(m_outcome, 1);
    outcomeRow->addWidget(m_variant, 0, Qt::AlignTop);
    layout->addLayout(outcomeRow);
    auto* buttons = new QDialogButtonBox(QDialogButtonBox::Open | QDialogButtonBox::Close);
    layout->addWidget(buttons);
    m_open = buttons->button(QDialogButtonBox::Open);
    connect(buttons, &QDialogButtonBox::accepted, this, &DataDialog::accept);
    connect(buttons, &QDialogButtonBox::rejected, this, &QDialog::hide);
    connect(&session, &Session::dataChanged, this, &DataDialog::showOutcome);
    connect(&session, &Session::floatResultChanged, this, &DataDialog::showOutcome);
    connect(&session, &Session::dataVariantChanged, this, &DataDialog::showOutcome);
    connect(&session, &Session::dataPreviewChanged, this, &DataDialog::takePreview);
    connect(&workbench, &Workbench::dataRefused, this, &DataDialog::refuse);
    connect(m_variant, &QPushButton::clicked, this, &DataDialog::useVariant);
    alignForms();
    setRequest({});
    watchFields();
    resize(920, sizeHint().height());
}

void DataDialog::alignForms()
{
    // The fields of all three boxes begin at one line.
    std::vector<QWidget*> labels;
    int widest = 0;
    for (const auto* form : findChildren<QFormLayout*>())
        for (int row = 0; row < form->rowCount(); ++row)
            if (QLayoutItem* item = form->itemAt(row, QFormLayout::LabelRole); item && item->widget()) {
                labels.push_back(item->widget());
                widest = std::max(widest, item->widget()->sizeHint().width());
            }
    for (QWidget* label : labels)
        label->setMinimumWidth(widest);
    // And end at one: buttons with a menu are wider.
    const auto buttons = findChildren<QToolButton*>();
    int widestButton = 0;
    for (const auto* button : buttons)
        widestButton = std::max(widestButton, button->sizeHint().width());
    for (auto* button : buttons)
        button->setMinimumWidth(widestButton);
}

QString DataDialog::outcome() const { return m_outcome->text(); }

void DataDialog::showEvent(QShowEvent* event)
{
    QDialog::showEvent(event);
    m_quiet.start();
}

void DataDialog::useVariant()
{
    const DataVariantPtr variant = m_session.dataVariant();
    if (!variant)
        return;
    setRequest(variant->request);
    emit openWanted(variant->request);
}

void DataDialog::browse(QLineEdit* edit, const QString& name, bool folder)
{
    const QString from = edit->text().isEmpty() ? m_path->text() : edit->text();
    const QString path = folder ? chooseFolder(this, name, from) : chooseFile(this, name, from);
    if (!path.isEmpty())
        edit->setText(path);
}

QWidget* DataDialog::pathRow(QLineEdit* edit, const QString& name, Wanted wanted)
{
    edit->setAccessibleName(name);
    auto* button = new QToolButton;
    button->setText(tr("Browse"));
    button->setAccessibleName(tr("Browse: %1").arg(name));
    if (wanted == Wanted::File) {
        connect(button, &QToolButton::clicked, this, [=, this] { browse(edit, name, false); });
    } else {
        button->setPopupMode(QToolButton::InstantPopup);
        auto* menu = new QMenu(button);
        menu->addAction(tr("File…"), this, [=, this] { browse(edit, name, false); });
        menu->addAction(tr("Folder…"), this, [=, this] { browse(edit, name, true); });
        button->setMenu(menu);
    }
    auto* row = new QWidget;
    auto* layout = new QHBoxLayout(row);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(8);
    layout->addWidget(edit, 1);
    layout->addWidget(button);
    return row;
}

void DataDialog::addPath(QFormLayout* form, const QString& label, QLineEdit* edit, const QString& name, Wanted wanted)
{
    QWidget* row = pathRow(edit, name, wanted);
    form->addRow(label, row);
    qobject_cast<QLabel*>(form->labelForField(row))->setBuddy(edit); // the row itself takes no keys
}

QWidget* DataDialog::buildSource()
{
    auto* box = new QGroupBox(tr("Images"));
    QFormLayout* form = formIn(box);
    m_path = new QLineEdit;
    m_path->setPlaceholderText(tr("CIFAR binary, IDX, NumPy file, or a folder of images"));
    addPath(form, tr("&Path"), m_path, tr("Images"), Wanted::FileOrFolder);
    m_kind = new QComboBox;
    const std::pair<QString, dataset::Kind> kinds[]
        = { { tr("recognised"), dataset::Kind::Auto }, { tr("CIFAR-10 binary"), dataset::Kind::Cifar10 },
              { tr("CIFAR-100 binary"), dataset::Kind::Cifar100 }, { tr("IDX (MNIST)"), dataset::Kind::Idx },
              { tr("folder of images"), dataset::Kind::Folder }, { tr("NumPy"), dataset::Kind::Npz } };
    for (const auto& [text, kind] : kinds)
        m_kind->addItem(text, static_cast<int>(kind));
    form->addRow(tr("&Kind"), m_kind);
    m_labels = new QLineEdit;
    m_labels->setPlaceholderText(tr("found beside the images"));
    addPath(form, tr("&Labels"), m_labels, tr("Labels"), Wanted::File);
    m_classes = new QLineEdit;
    m_classes->setPlaceholderText(tr("found beside the images"));
    m_classes->setToolTip(
        tr("A text file of class names, one a line in the order of the labels. Without one, names that "
           "come with the images are used."));
    addPath(form, tr("Cla&sses"), m_classes, tr("Class names"), Wanted::File);
    m_limit = new QSpinBox;
    m_limit->setRange(0, 10'000'000);
    m_limit->setSpecialValueText(tr("all"));
    m_limit->setToolTip(tr("Evaluate at most this many images: a random sample, the same every time"));
    m_limit->setGroupSeparatorShown(true);
    form->addRow(tr("&At most"), m_limit);
    return box;
}

QWidget* DataDialog::buildPreparation()
{
    auto* box = new QGroupBox(tr("Preparation for the network"));
    QFormLayout* form = formIn(box);
    m_preset = new QComboBox;
    for (const auto& [text, key] : { std::pair { tr("unit: x / 255"), QStringLiteral("unit") },
             std::pair { tr("ImageNet: (x / 255 − mean) / std"), QStringLiteral("imagenet") },
             std::pair { tr("raw: 0 to 255"), QStringLiteral("raw") },
             std::pair { tr("custom"), QStringLiteral("custom") } })
        m_preset->addItem(text, key);
    form->addRow(tr("P&reset"), m_preset);
    m_channels = new QComboBox;
    for (const auto& [text, value] : { std::pair { tr("RGB"), dataset::Channels::Rgb },
             std::pair { tr("BGR"), dataset::Channels::Bgr }, std::pair { tr("gray"), dataset::Channels::Gray } })
        m_channels->addItem(text, static_cast<int>(value));
    m_layout = new QComboBox;
    m_layout->addItem(QStringLiteral("NCHW"), static_cast<int>(dataset::MemoryLayout::Nchw));
    m_layout->addItem(QStringLiteral("NHWC"), static_cast<int>(dataset::MemoryLayout::Nhwc));
    m_layout->setToolTip(tr("Order of the input's extents; NCHW for models from PyTorch"));
    form->addRow(tr("Channels"), pairOf(m_channels, m_layout));
    m_resize = new SizeField(tr("Resize"), tr("no resize"),
        tr("Pixels of the shorter side, 256; or width and height, 320x240, whatever becomes of the proportions. "
           "Bilinear with antialiasing"));
    m_crop = new SizeField(
        tr("Crop"), tr("no crop"), tr("Cut from the centre, in pixels: a square, 224, or width and height, 320x240"));
    form->addRow(tr("Resize, crop"), pairOf(m_resize, m_crop));
    m_scale = new QLineEdit;
    m_mean = new QLineEdit;
    m_std = new QLineEdit;
    const QString tip = tr("Input = (x × scale − mean) / std, for each channel; x from 0 to 255");
    for (QLineEdit* edit : { m_scale, m_mean, m_std }) {
        edit->setToolTip(tip);
        connect(edit, &QLineEdit::textEdited, this,
            [this] { m_preset->setCurrentIndex(m_preset->findData(QStringLiteral("custom"))); });
    }
    form->addRow(tr("Scale"), m_scale);
    form->addRow(tr("Mean"), m_mean);
    form->addRow(tr("Std"), m_std);
    connect(m_preset, &QComboBox::activated, this, &DataDialog::presetChosen);
    return box;
}

QWidget* DataDialog::buildCalibration()
{
    auto* box = new QGroupBox(tr("Calibration"));
    QFormLayout* form = formIn(box);
    m_calibrationPath = new QLineEdit;
    m_calibrationPath->setPlaceholderText(tr("the first of the images above"));
    m_calibrationPath->setToolTip(
        tr("Images that ranges of activations are found from; best others than those evaluated"));
    addPath(form, tr("&From"), m_calibrationPath, tr("Calibration images"), Wanted::FileOrFolder);
    m_calibrationCount = new QSpinBox;
    m_calibrationCount->setRange(1, 1'000'000);
    m_calibrationCount->setGroupSeparatorShown(true);
    form->addRow(tr("&Images"), m_calibrationCount);
    m_calibrationResize = new SizeField(tr("Resize of calibration images"), tr("as above"),
        tr("Where calibration images come in another size: the shorter side, 256, or width and height, 320x240"));
    m_calibrationCrop = new SizeField(tr("Crop of calibration images"), tr("as above"),
        tr("Where calibration images are cut otherwise: a square, 224, or width and height, 320x240"));
    auto* sizes = new QLabel(tr("Resi&ze, crop"));
    sizes->setBuddy(m_calibrationResize);
    form->addRow(sizes, pairOf(m_calibrationResize, m_calibrationCrop));
    return box;
}

void DataDialog::setRequest(const DataRequest& request)
{
    const Filling filling(*this);
    m_choices = {};
    m_choices.known = !request.path.empty();
    m_path->setText(QString::fromStdString(request.path.string()));
    m_kind->setCurrentIndex(m_kind->findData(static_cast<int>(request.kind)));
    m_labels->setText(QString::fromStdString(request.labels.string()));
    m_classes->setText(QString::fromStdString(request.classes.string()));
    m_limit->setValue(static_cast<int>(request.limit));
    showPreparation(request.preprocessing, {});
    m_calibrationPath->setText(QString::fromStdString(request.calibrationPath.string()));
    m_calibrationCount->setValue(static_cast<int>(request.calibrationCount));
    m_calibrationResize->setValue(request.calibrationResize.value_or(dataset::Resize()));
    m_calibrationCrop->setValue(request.calibrationCrop.value_or(dataset::Extent()));
}

Result<DataRequest> DataDialog::request() const
{
    DataRequest request;
    request.path = m_path->text().trimmed().toStdString();
    if (request.path.empty())
        return fail(ErrorCode::InvalidInput, "no images were chosen", {}, "give a file or a folder under Images");
    request.kind = static_cast<dataset::Kind>(m_kind->currentData().toInt());
    request.labels = m_labels->text().trimmed().toStdString();
    request.classes = m_classes->text().trimmed().toStdString();
    request.limit = m_limit->value();
    request.calibrationPath = m_calibrationPath->text().trimmed().toStdString();
    request.calibrationCount = m_calibrationCount->value();
    QS_TRY(const auto calibrationResize, m_calibrationResize->value<dataset::Resize>());
    if (!calibrationResize.none())
        request.calibrationResize = calibrationResize;
    QS_TRY(const auto calibrationCrop, m_calibrationCrop->value<dataset::Extent>());
    if (!calibrationCrop.none())
        request.calibrationCrop = calibrationCrop;
    dataset::Preprocessing& preparation = request.preprocessing;
    const QString preset = m_preset->currentData().toString();
    if (const auto named = dataset::Preprocessing::named(preset.toStdString())) {
        preparation = *named;
    } else {
        preparation.name = "custom";
        bool number = false;
        preparation.scale = m_scale->text().toFloat(&number);
        if (!number)
            return fail(
                ErrorCode::InvalidInput, "expected a number, got '" + m_scale->text().toStdString() + "'", "Scale");
        QS_TRY(preparation.mean, parseNumbers(m_mean->text(), tr("Mean")));
        QS_TRY(preparation.std, parseNumbers(m_std->text(), tr("Std")));
    }
    preparation.channels = static_cast<dataset::Channels>(m_channels->currentData().toInt());
    preparation.layout = static_cast<dataset::MemoryLayout>(m_layout->currentData().toInt());
    QS_TRY(preparation.resize, m_resize->value<dataset::Resize>());
    QS_TRY(preparation.crop, m_crop->value<dataset::Extent>());
    return request;
}

} // namespace quantoscope::ui
