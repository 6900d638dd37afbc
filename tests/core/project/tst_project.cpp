// SPDX-License-Identifier: GPL-3.0-or-later
#include <csignal>
#include <filesystem>

#include <QTest>
#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Exception.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/project/schema.h"
#include "tests/core/project/project_testing.h"
#include "tests/support/ordinary_user.h"

using namespace quantoscope;
using namespace quantoscope::project;
using test::ProjectFolder;

Q_DECLARE_METATYPE(ErrorCode)

namespace {

namespace fs = std::filesystem;

using Damage = void (*)(const ProjectFolder& folder);

/// The file as SQLite leaves it, everything in one piece, with something kept in it.
void makeProject(const ProjectFolder& folder)
{
    const auto project = *Project::open(folder.file());
    QVERIFY(project->setView("window", std::string(20'000, 'w')));
}

void execute(const ProjectFolder& folder, const std::string& sql)
{
    SQLite::Database database(folder.file(), SQLite::OPEN_READWRITE);
    database.exec(sql);
}

/// The tables of the first schema as they were written, not as today's program would write them.
constexpr const char* firstSchema = R"(
CREATE TABLE sources (
    role TEXT NOT NULL, fingerprint TEXT NOT NULL, path TEXT NOT NULL, relative_path TEXT NOT NULL,
    details TEXT NOT NULL, PRIMARY KEY (role, fingerprint));
CREATE TABLE statistics (key TEXT PRIMARY KEY, content BLOB NOT NULL);
CREATE TABLE plans (fingerprint TEXT PRIMARY KEY, title TEXT NOT NULL, content BLOB NOT NULL);
CREATE TABLE networks (
    key TEXT PRIMARY KEY, request TEXT NOT NULL, plan TEXT NOT NULL REFERENCES plans (fingerprint),
    content BLOB NOT NULL, version TEXT NOT NULL, machine TEXT NOT NULL, created TEXT NOT NULL);
CREATE TABLE results (
    key TEXT PRIMARY KEY, graph TEXT NOT NULL, plan TEXT NOT NULL REFERENCES plans (fingerprint),
    samples TEXT NOT NULL, scope TEXT NOT NULL, data TEXT NOT NULL, seed TEXT NOT NULL, images INTEGER NOT NULL,
    top1 REAL NOT NULL, content BLOB NOT NULL, version TEXT NOT NULL, machine TEXT NOT NULL, created TEXT NOT NULL);
CREATE TABLE view_state (key TEXT PRIMARY KEY, content BLOB NOT NULL);
INSERT INTO view_state VALUES ('window', 'from version 1');
INSERT INTO sources VALUES ('model', 'abc', '/models/a.onnx', 'a.onnx', '{"note":"old"}');
PRAGMA application_id = 1364411216;
PRAGMA user_version = 1;
)";

/// What the second schema added, likewise.
constexpr const char* secondSchema = R"(
CREATE TABLE studies (
    command TEXT NOT NULL, settings TEXT NOT NULL, document BLOB NOT NULL, complete INTEGER NOT NULL,
    version TEXT NOT NULL, machine TEXT NOT NULL, created TEXT NOT NULL, PRIMARY KEY (command, settings));
INSERT INTO view_state VALUES ('second', 'from version 2');
PRAGMA user_version = 2;
)";

void makeFirstVersion(const ProjectFolder& folder)
{
    SQLite::Database database(folder.file(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
    database.exec("PRAGMA journal_mode = WAL");
    database.exec(firstSchema);
}

} // namespace

Q_DECLARE_METATYPE(Damage)

/// The file itself: what may be opened by whom, and what is never touched.
class TestProject : public QObject {
    Q_OBJECT

private slots:
    void keepsViewsStudiesAndSources()
    {
        const ProjectFolder folder;
        folder.write("a.onnx", "model");
        {
            const auto project = *Project::open(folder.file());
            QVERIFY(!project->readOnly());
            QVERIFY(project->setView("window", "first"));
            QVERIFY(project->setView("window", std::string("binary \0 state", 14)));
            QVERIFY(project->setView("empty", ""));
            QVERIFY(project->addSource({ "model", *fileFingerprint(folder.file("a.onnx")), folder.file("a.onnx") }));
            QVERIFY(project->keepStudy({ "sweep", { { "seed", 1 } }, { { "points", { 1, 2 } } }, false }));
            QVERIFY(project->keepStudy({ "sweep", { { "seed", 1 } }, { { "points", { 1, 2, 3 } } } }));
            QVERIFY(project->keepStudy({ "sweep", { { "seed", 2 } }, Json::object() }));
        }
        const auto project = *Project::open(folder.file(), Mode::Existing);
        QCOMPARE(project->view("window")->value(), std::string("binary \0 state", 14));
        QCOMPARE(project->view("empty")->value(), std::string());
        QVERIFY(!project->view("none")->has_value());
        const auto sources = *project->sources();
        QCOMPARE(sources.size(), std::size_t { 1 });
        QCOMPARE(sources[0].relativePath, fs::path("a.onnx"));
        const auto studies = *project->studies();
        QCOMPARE(studies.size(), std::size_t { 2 });
        const auto& first = studies[0].settings.at("seed") == 1 ? studies[0] : studies[1];
        QCOMPARE(first.document.at("points").size(), std::size_t { 3 });
        QVERIFY(first.complete);
        QVERIFY(first.provenance.machine.find("threads") != std::string::npos);
        QCOMPARE(first.provenance.version, std::string(QUANTOSCOPE_VERSION));
        QCOMPARE(first.provenance.created.size(), std::string("2026-11-24T05:55:00Z").size());
    }

    void isOneFileWhenClosed()
    {
        const ProjectFolder folder;
        makeProject(folder);
        std::vector<std::string> names;
        for (const auto& entry : fs::directory_iterator(folder.path()))
            names.push_back(entry.path().filename().string());
        QCOMPARE(names, std::vector<std::string> { "study.qscope" });
    }

    void opensAbsentFiles()
    {
        const ProjectFolder folder;
        QVERIFY(Project::open(folder.file(), Mode::Existing).error().code == ErrorCode::NotFound);
        QVERIFY(Project::open(folder.file(), Mode::ReadOnly).error().code == ErrorCode::NotFound);
        QVERIFY(fs::is_empty(folder.path()));
        QVERIFY(Project::open(folder.file("no/folder.qscope")).error().code == ErrorCode::Io);
    }

    void refuses_data()
    {
        QTest::addColumn<Damage>("damage");
        QTest::addColumn<QString>("says");
        const auto row
            = [](const char* name, Damage damage, const char* says) { QTest::newRow(name) << damage << QString(says); };
        row(
            "an empty file", [](const ProjectFolder& f) { f.write("study.qscope", ""); }, "no project");
        row(
            "a text", [](const ProjectFolder& f) { f.write("study.qscope", std::string(5000, 'x')); }, "no project");
        row(
            "the magic alone",
            [](const ProjectFolder& f) { f.write("study.qscope", std::string("SQLite format 3\0", 16)); },
            "no project");
        row(
            "another program's database",
            [](const ProjectFolder& f) {
                SQLite::Database database(f.file(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
                database.exec("CREATE TABLE bookmarks (url TEXT); INSERT INTO bookmarks VALUES ('a')");
            },
            "another program");
        row(
            "a folder", [](const ProjectFolder& f) { fs::create_directory(f.file()); }, "is a folder");
        row(
            "cut in the middle",
            [](const ProjectFolder& f) {
                makeProject(f);
                fs::resize_file(f.file(), fs::file_size(f.file()) / 2);
            },
            "damaged");
        row(
            "cut by a byte",
            [](const ProjectFolder& f) {
                makeProject(f);
                fs::resize_file(f.file(), fs::file_size(f.file()) - 1);
            },
            "damaged");
        row(
            "a header without pages",
            [](const ProjectFolder& f) {
                makeProject(f);
                fs::resize_file(f.file(), 100);
            },
            "damaged");
        row(
            "a page of noise",
            [](const ProjectFolder& f) {
                makeProject(f);
                auto content = f.read();
                for (std::size_t i = 4096; i < 8192; ++i)
                    content[i] = static_cast<char>(i * 31);
                f.write("study.qscope", content);
            },
            "damaged");
        row(
            "a schema of noise",
            [](const ProjectFolder& f) {
                makeProject(f);
                auto content = f.read();
                for (std::size_t i = 100; i < 4096; ++i)
                    content[i] = static_cast<char>(i * 31);
                f.write("study.qscope", content);
            },
            "damaged");
        row(
            "a newer schema",
            [](const ProjectFolder& f) {
                makeProject(f);
                execute(f, "PRAGMA user_version = 99");
            },
            "version 99");
        row(
            "no schema version",
            [](const ProjectFolder& f) {
                makeProject(f);
                execute(f, "PRAGMA user_version = 0");
            },
            "no version");
        row(
            "a trigger",
            [](const ProjectFolder& f) {
                makeProject(f);
                execute(f, "CREATE TRIGGER t AFTER INSERT ON view_state BEGIN DELETE FROM view_state; END");
            },
            "other tables");
        row(
            "a view in the place of a table",
            [](const ProjectFolder& f) {
                makeProject(f);
                execute(f, "DROP TABLE results; CREATE VIEW results AS SELECT 1 AS key");
            },
            "other tables");
        row(
            "a table missing",
            [](const ProjectFolder& f) {
                makeProject(f);
                execute(f, "DROP TABLE studies");
            },
            "other tables");
        row(
            "an old schema with a trigger",
            [](const ProjectFolder& f) {
                makeFirstVersion(f);
                execute(f, "CREATE TRIGGER t AFTER INSERT ON plans BEGIN DELETE FROM plans; END");
            },
            "other tables");
        row(
            "an old schema without its tables",
            [](const ProjectFolder& f) {
                makeFirstVersion(f);
                execute(f, "DROP TABLE results");
            },
            "other tables");
        row(
            "an old schema with a table to come",
            [](const ProjectFolder& f) {
                makeFirstVersion(f);
                execute(f, "CREATE TABLE studies (x)");
            },
            "does not hold what it should");
    }

    void refuses()
    {
        QFETCH(Damage, damage);
        QFETCH(QString, says);
        const ProjectFolder folder;
        damage(folder);
        const bool file = fs::is_regular_file(folder.file());
        const std::string before = file ? folder.read() : std::string();
        for (const Mode mode : { Mode::Create, Mode::Existing, Mode::ReadOnly }) {
            const auto opened = Project::open(folder.file(), mode);
            QVERIFY(!opened);
            const auto& error = opened.error();
            QVERIFY2(
                mode == Mode::ReadOnly || QString::fromStdString(error.what).contains(says), error.message().c_str());
            QVERIFY2(error.message().find('\n') == std::string::npos && !error.hint.empty(), error.message().c_str());
            QVERIFY(error.where.ends_with("study.qscope"));
        }
        QVERIFY(!file || folder.read() == before);
        QVERIFY(!fs::exists(folder.file("study.qscope-lock")));
    }

    void migrates_data()
    {
        QTest::addColumn<int>("version");
        QTest::newRow("the first version") << 1;
        QTest::newRow("the second version") << 2;
    }

    void migrates()
    {
        QFETCH(int, version);
        const ProjectFolder folder;
        makeFirstVersion(folder);
        if (version == 2)
            execute(folder, secondSchema);
        QVERIFY(Project::open(folder.file(), Mode::ReadOnly).error().code == ErrorCode::Unsupported);
        for (int time = 0; time < 2; ++time) {
            const auto project = *Project::open(folder.file(), Mode::Existing);
            QCOMPARE(project->view("window")->value(), std::string("from version 1"));
            QCOMPARE(project->view("second")->has_value(), version == 2);
            const auto sources = *project->sources();
            QCOMPARE(sources.size(), std::size_t { 1 });
            QCOMPARE(sources[0].details.at("note").get<std::string>(), std::string("old"));
            QVERIFY(project->keepStudy({ "sweep", Json::object(), Json::object() }));
            QCOMPARE(project->studies()->size(), std::size_t { 1 });
            QVERIFY(project->keepFidelity("key", { .images = 3, .divergence = 0.5 }));
            QCOMPARE((*project->findFidelity("key"))->divergence, 0.5);
            QVERIFY(!project->findFidelity("other")->has_value());
        }
        SQLite::Database database(folder.file());
        QCOMPARE(database.execAndGet("PRAGMA user_version").getInt(), schemaVersion);
        QVERIFY(detail::hasExpectedSchema(database));
    }

    void keepsTheEnergyModel()
    {
        const ProjectFolder folder;
        auto own = cost::defaultEnergyModel();
        own.name = "mine";
        own.offChipBit = 3.25;
        {
            const auto project = *Project::open(folder.file());
            QVERIFY(!project->energyModel()->has_value());
            for (const auto* damaged : { "{\"name\": 1}", "no JSON" })
                QVERIFY(project->setView("energy model", damaged) && !project->energyModel());
            QVERIFY(project->setEnergyModel(own));
        }
        const auto again = *Project::open(folder.file(), Mode::ReadOnly);
        QVERIFY(*again->energyModel() == own);
        QVERIFY(!again->setEnergyModel(own));
    }

    void secondOneReadsOnly()
    {
        const ProjectFolder folder;
        fs::create_symlink(folder.file(), folder.file("link.qscope"));
        auto first = *Project::open(folder.file());
        QVERIFY(first->setView("window", "one"));
        for (const auto* name : { "study.qscope", "link.qscope" }) {
            const auto second = *Project::open(folder.file(name));
            QVERIFY(second->readOnly());
            const std::string self = "process " + std::to_string(::getpid());
            QVERIFY2(second->readOnlyReason().starts_with(self), second->readOnlyReason().c_str());
            const auto refused = second->setView("window", "two");
            QVERIFY(!refused && refused.error().code == ErrorCode::Io);
            QVERIFY(refused.error().message().find(self) != std::string::npos);
            QVERIFY(first->setView("window", "written while the second reads"));
            QCOMPARE(second->view("window")->value(), std::string("written while the second reads"));
            QVERIFY(first->setView("window", "one"));
        }
        first.reset();
        QVERIFY(!(*Project::open(folder.file()))->readOnly());
    }

    /// A lock that outlived its process would make the project useless.
    void lockEndsWithItsProcess()
    {
        const ProjectFolder folder;
        int ready[2];
        QCOMPARE(::pipe(ready), 0);
        const pid_t child = ::fork();
        if (child == 0) {
            const auto project = Project::open(folder.file());
            const bool kept = project && (*project)->setView("window", "finished before the kill");
            [[maybe_unused]] const auto told = ::write(ready[1], kept ? "y" : "n", 1);
            ::pause();
            ::_exit(0);
        }
        char answer = 'n';
        QCOMPARE(::read(ready[0], &answer, 1), ssize_t { 1 });
        QCOMPARE(answer, 'y');
        const auto whileAlive = *Project::open(folder.file());
        QVERIFY(whileAlive->readOnlyReason().starts_with("process " + std::to_string(child)));
        ::kill(child, SIGKILL);
        ::waitpid(child, nullptr, 0);
        const auto afterwards = *Project::open(folder.file());
        QVERIFY2(!afterwards->readOnly(), afterwards->readOnlyReason().c_str());
        QCOMPARE(afterwards->view("window")->value(), std::string("finished before the kill"));
        ::close(ready[0]);
        ::close(ready[1]);
    }

    void saysWhatMayNotBeWritten()
    {
        const ProjectFolder folder;
        makeProject(folder);
        fs::permissions(folder.path(), fs::perms(0755));
        fs::permissions(folder.file(), fs::perms(0644));
        const bool root = test::isRoot();
        const test::AsOrdinaryUser user;
        if (!root)
            fs::permissions(folder.path(), fs::perms(0555));
        const auto project = Project::open(folder.file());
        const auto made = Project::open(folder.file("new.qscope"));
        if (!root)
            fs::permissions(folder.path(), fs::perms(0755));
        QVERIFY2(project, project ? "" : project.error().message().c_str());
        QVERIFY((*project)->readOnly());
        QVERIFY2((*project)->readOnlyReason().find("may not be written to") != std::string::npos,
            (*project)->readOnlyReason().c_str());
        QCOMPARE((*project)->view("window")->value().size(), std::size_t { 20'000 });
        QVERIFY(!made && made.error().code == ErrorCode::Io);
    }

    /// No more bytes may be written than a file has: what a full disk does, for one process.
    void fullDiskLosesNothing()
    {
        const ProjectFolder folder;
        const auto project = *Project::open(folder.file());
        QVERIFY(project->setView("before", "kept"));
        rlimit former {};
        ::getrlimit(RLIMIT_FSIZE, &former);
        const rlimit small { 256 << 10, former.rlim_max };
        std::signal(SIGXFSZ, SIG_IGN);
        ::setrlimit(RLIMIT_FSIZE, &small);
        const auto refused = project->setView("large", std::string(4 << 20, 'x'));
        const auto readBack = project->view("before");
        ::setrlimit(RLIMIT_FSIZE, &former);
        QVERIFY(!refused);
        QVERIFY(refused.error().code == ErrorCode::Io);
        QVERIFY2(refused.error().hint.find("what was finished before is safe") != std::string::npos,
            refused.error().message().c_str());
        QCOMPARE(readBack->value(), std::string("kept"));
        QVERIFY(project->setView("after", "works again"));
        QVERIFY(!project->view("large")->has_value());
    }

    void findsModels_data()
    {
        QTest::addColumn<QString>("from");
        QTest::addColumn<QString>("to");
        QTest::addColumn<QString>("folder");
        QTest::addColumn<bool>("found");
        const auto row = [](const char* name, const char* from, const char* to, const char* folder, bool found) {
            QTest::newRow(name) << QString(from) << QString(to) << QString(folder) << found;
        };
        row("where it was", "models/a.onnx", "models/a.onnx", "", true);
        row("beside the project", "models/a.onnx", "project/a.onnx", "", true);
        row("beside the project under another name", "models/a.onnx", "project/b.onnx", "", true);
        row("in the folder given", "models/a.onnx", "elsewhere/a.onnx", "elsewhere", true);
        row("in the folder given under another name", "models/a.onnx", "elsewhere/b.onnx", "elsewhere", true);
        row("elsewhere", "models/a.onnx", "elsewhere/a.onnx", "", false);
        row("gone", "models/a.onnx", "", "", false);
    }

    void findsModels()
    {
        QFETCH(QString, from);
        QFETCH(QString, to);
        QFETCH(QString, folder);
        QFETCH(bool, found);
        const ProjectFolder place;
        for (const auto* name : { "models", "project", "elsewhere" }) {
            fs::create_directory(place.file(name));
            place.write(std::string(name) + "/other.onnx", "another model");
        }
        const std::string was = place.file(from.toStdString());
        place.write(from.toStdString(), "the model");
        const auto project = *Project::open(place.file("project/study.qscope"));
        QVERIFY(project->addSource({ "model", *fileFingerprint(was), was }));
        const auto is = to.isEmpty() ? std::string() : place.file(to.toStdString());
        if (to.isEmpty())
            fs::remove(was);
        else
            fs::rename(was, is);
        if (was != is)
            place.write(from.toStdString(), "a model of the same name");
        std::vector<fs::path> folders;
        if (!folder.isEmpty())
            folders.emplace_back(place.file(folder.toStdString()));
        const auto located = project->locate(project->sources()->front(), folders);
        QCOMPARE(located.has_value(), found);
        if (found)
            QCOMPARE(located->string(), is);
        else
            QVERIFY(located.error().code == ErrorCode::NotFound
                && located.error().message().find("project") != std::string::npos);
    }

    /// Project and model moved together, to another disk or another person.
    void findsModelsThatMovedAlong()
    {
        const ProjectFolder place;
        fs::create_directories(place.file("old/models"));
        place.write("old/models/a.onnx", "the model");
        {
            const auto project = *Project::open(place.file("old/study.qscope"));
            QVERIFY(project->addSource(
                { "model", *fileFingerprint(place.file("old/models/a.onnx")), place.file("old/models/a.onnx") }));
        }
        fs::rename(place.file("old"), place.file("new"));
        const auto project = *Project::open(place.file("new/study.qscope"));
        QCOMPARE(project->locate(project->sources()->front())->string(), place.file("new/models/a.onnx"));
    }
};

QTEST_APPLESS_MAIN(TestProject)
#include "tst_project.moc"
