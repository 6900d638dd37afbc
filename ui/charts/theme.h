// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QColor>
#include <QPalette>

namespace quantoscope::ui {

/// Every colour a chart uses, so that a colour means one thing everywhere. Categories are those of Okabe and Ito
/// (2008), ordered quantities run along viridis; both can be told apart with any colour vision and in grey.
struct Theme {
    bool dark = false;
    QColor background;
    QColor text;
    QColor muted; ///< captions, tick labels
    QColor axis;
    QColor grid;
    QColor weights; ///< blue
    QColor activations; ///< orange
    QColor floating; ///< grey: the float network
    QColor quantized; ///< vermillion: what quantizing made of it

    static Theme light();
    static Theme night();
    /// The theme that suits `palette`, with its base colour as background.
    static Theme forPalette(const QPalette& palette);

    /// Category `i` of Okabe and Ito, repeating after seven.
    QColor category(int i) const;
    /// viridis at t in [0, 1]: low is dark, high is bright.
    static QColor viridis(double t);
    /// The hues of viridis, the same in both themes, as light or dark as can be told from the background; for lines and
    /// dots.
    QColor ordinal(double t) const;
    /// For areas that lie on the background: viridis, in dark without its lowest part, which could not be told from
    /// there being nothing.
    QColor density(double t) const;
    /// Black or white, whichever reads better on `fill`.
    static QColor textOn(const QColor& fill);
};

/// `color` with an opacity of `alpha` in [0, 1].
QColor translucent(QColor color, double alpha);

} // namespace quantoscope::ui
