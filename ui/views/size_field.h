// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QLineEdit>

#include "core/dataset/image_size.h"

namespace quantoscope::ui {

/// A size in pixels: a side, "224", or width and height, "320x240". Nothing written means none, and the placeholder
/// says so.
class SizeField : public QLineEdit {
    Q_OBJECT

public:
    /// `name` says in errors which field it is.
    SizeField(const QString& name, const QString& none, const QString& tip, QWidget* parent = nullptr);

    /// dataset::Resize or dataset::Extent; none where nothing is written, InvalidInput for what is no size.
    template <typename Size> Result<Size> value() const
    {
        const std::string text = trimmed();
        if (text.empty())
            return Size();
        auto size = Size::parse(text);
        if (!size)
            size.error().where = accessibleName().toStdString();
        return size;
    }
    template <typename Size> void setValue(const Size& size)
    {
        setText(size.none() ? QString() : QString::fromStdString(size.toString()));
    }

private:
    std::string trimmed() const { return text().trimmed().toStdString(); }
};

} // namespace quantoscope::ui
