// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QCoreApplication>
#include <QProcess>
#include <QtTest>

#include "core/engine/kernels/vectors/vector_types.h"
#include "core/quant/encoding.h"

/// What the tests of hand-written loops share.
namespace quantoscope::test {

/// A grid of one scale.
inline quant::Encoding grid(int bits, bool isSigned, float scale, std::int32_t zeroPoint = 0,
    quant::Rounding rounding = quant::Rounding::HalfEven)
{
    quant::Encoding encoding;
    encoding.qmin = isSigned ? -(1 << (bits - 1)) : 0;
    encoding.qmax = isSigned ? (1 << (bits - 1)) - 1 : (1 << bits) - 1;
    encoding.scale = { scale };
    encoding.zeroPoint = { zeroPoint };
    encoding.rounding = rounding;
    return encoding;
}

/// The whole test once more with the vectors of older processors, and with none.
inline void runWithNarrowerVectors()
{
    if (engine::floatLanes() < 16)
        QSKIP("this is the processor, or the run, with narrower vectors");
    for (const char* limit : { "AVX2", "SSE41" }) {
        QProcess again;
        auto environment = QProcessEnvironment::systemEnvironment();
        environment.insert("ONEDNN_MAX_CPU_ISA", limit);
        again.setProcessEnvironment(environment);
        again.setProcessChannelMode(QProcess::MergedChannels);
        again.start(QCoreApplication::applicationFilePath(), {});
        QVERIFY(again.waitForFinished(120000));
        QVERIFY2(again.exitCode() == 0, again.readAll());
    }
}

} // namespace quantoscope::test
