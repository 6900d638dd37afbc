// SPDX-License-Identifier: GPL-3.0-or-later
// labels: integration numeric
// Studies that keep their work in a project: what was told is there, and what is there is not computed again.
#include <QTest>

#include "core/sweep/options_study.h"
#include "core/sweep/sensitivity.h"
#include "core/sweep/sweep.h"
#include "tests/core/project/project_testing.h"

using namespace quantoscope;
using project::Mode;
using project::Project;
using test::ProjectFolder;
using test::ProjectWork;

namespace {

/// A study in a few words: every figure, told points alone.
using Figures = std::vector<std::string>;
/// Runs a study, tells of each point, and gives its figures.
using Study = Result<Figures> (*)(const ProjectWork& work, const std::function<void()>& onPoint, const base::Job& job);

std::string line(double top1, double loss, const evaluation::PairedComparison& paired)
{
    return std::to_string(top1) + ' ' + std::to_string(loss) + ' ' + std::to_string(paired.pValue) + ' '
        + std::to_string(paired.agreement);
}

Result<Figures> sweepGrid(const ProjectWork& work, const std::function<void()>& onPoint, const base::Job& job)
{
    sweep::GridOptions options;
    options.weightBits = { 2, 3, 4 };
    options.activationBits = { 4, std::nullopt };
    options.request.corrections.bias = true;
    options.evaluation = work.evaluation;
    options.onPoint = [&](const auto&) { onPoint(); };
    QS_TRY(const auto result, sweep::runGrid(*work.quantizer, *work.samples, options, job));
    Figures figures;
    for (const auto& point : result.points)
        figures.push_back(sweep::toString(point.weightBits) + ' ' + sweep::toString(point.activationBits) + ' '
            + line(point.top1, point.loss, point.againstFloat) + ' ' + std::to_string(point.cost.sizeBytes) + ' '
            + std::to_string(point.corrections.size()) + ' ' + point.plan->title);
    if (!result.complete)
        return base::cancelled();
    return figures;
}

Result<Figures> compareOptions(const ProjectWork& work, const std::function<void()>& onPoint, const base::Job& job)
{
    sweep::OptionsStudySettings settings;
    settings.weightBits = { 3 };
    settings.activationBits = { 4 };
    settings.weightRanges = { *quant::RangeSpec::parse("min-max"), *quant::RangeSpec::parse("mse") };
    settings.weightPerChannel = { false, true };
    settings.evaluation = work.evaluation;
    settings.onRow = [&](const auto&) { onPoint(); };
    QS_TRY(const auto result, sweep::runOptionsStudy(*work.quantizer, *work.samples, settings, job));
    Figures figures;
    for (const auto& row : result.rows)
        figures.push_back(row.label() + ' ' + line(row.top1, row.loss, row.againstFloat) + ' '
            + std::to_string(row.rank) + ' ' + std::to_string(row.pAgainstBest));
    if (!result.complete)
        return base::cancelled();
    return figures;
}

Result<Figures> measureSensitivity(const ProjectWork& work, const std::function<void()>& onPoint, const base::Job& job)
{
    sweep::SensitivityOptions options;
    options.weightBits = { 3 };
    options.activationBits = { 4 };
    options.evaluation = work.evaluation;
    options.onPoint = [&](const auto&, const auto&) { onPoint(); };
    QS_TRY(const auto result, sweep::runSensitivity(*work.quantizer, work.samples.get(), options, job));
    if (!result.complete)
        return base::cancelled();
    return Figures { sweep::toCsv(result) };
}

} // namespace

Q_DECLARE_METATYPE(Study)

class TestProjectStudies : public QObject {
    Q_OBJECT

private slots:
    void goOnWhereTheyStopped_data()
    {
        QTest::addColumn<Study>("study");
        QTest::addColumn<int>("stopsAtLeast"); // a sensitivity this small is one wave
        QTest::newRow("sweep") << &sweepGrid << 3;
        QTest::newRow("options") << &compareOptions << 3;
        QTest::newRow("sensitivity") << &measureSensitivity << 1;
    }

    /// Stopped after each point, the next one goes on; in the end the figures are those of an undisturbed run.
    void goOnWhereTheyStopped()
    {
        QFETCH(Study, study);
        QFETCH(int, stopsAtLeast);
        const ProjectFolder folder;
        const auto expected = study(ProjectWork(folder.file("undisturbed.qscope")), [] {}, {});
        QVERIFY(expected && !expected->empty());
        std::int64_t computed = 0;
        for (int stops = 0; stops < 50; ++stops) {
            const ProjectWork work(folder.file());
            std::stop_source stop;
            const auto result = study(work,
                [&] {
                    // Another process sees it by the time it is told.
                    const auto reader = *Project::open(folder.file(), Mode::ReadOnly);
                    QCOMPARE(
                        static_cast<std::int64_t>(reader->results()->size()), computed + work.project->use().computed);
                    if (work.project->use().computed > 0)
                        stop.request_stop();
                },
                { nullptr, stop.get_token() });
            computed += work.project->use().computed;
            if (result && work.project->use().computed == 0) {
                QVERIFY(*result == *expected);
                QVERIFY(stops >= stopsAtLeast);
                return;
            }
        }
        QFAIL("never done");
    }
};

QTEST_APPLESS_MAIN(TestProjectStudies)
#include "tst_project_studies.moc"
