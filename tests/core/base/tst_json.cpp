// SPDX-License-Identifier: GPL-3.0-or-later
#include <filesystem>
#include <fstream>

#include <QTemporaryDir>
#include <QtTest>
#include <nlohmann/json.hpp>

#include "core/base/json.h"

using namespace quantoscope;

class TestJson : public QObject {
    Q_OBJECT

private:
    QTemporaryDir m_folder;

    std::filesystem::path written(const std::string& text) const
    {
        const auto path = std::filesystem::path(m_folder.path().toStdString()) / "file.json";
        std::ofstream(path, std::ios::binary) << text;
        return path;
    }

private slots:
    void keysKeepTheirOrder()
    {
        const auto json = base::readJson(written(R"({"z": 1, "a": [true, null, "x"], "m": {"y": 0.1, "b": -2}})"));
        QVERIFY(json);
        QCOMPARE(json->dump(), std::string(R"({"z":1,"a":[true,null,"x"],"m":{"y":0.1,"b":-2}})"));
    }

    void errorsNameThePlace_data()
    {
        QTest::addColumn<QByteArray>("text");
        QTest::addColumn<QString>("place");
        QTest::newRow("a missing comma") << QByteArray("{\n  \"a\": 1\n  \"b\": 2\n}") << "line 3, column 5";
        QTest::newRow("ends too early") << QByteArray("[1, 2") << "line 1, column 6";
        QTest::newRow("empty") << QByteArray("") << "line 1, column 1";
        QTest::newRow("text behind the end") << QByteArray("{}\n{}") << "line 2, column 1";
        QTest::newRow("not UTF-8") << QByteArray("\"\xff\"") << "line 1, column 2";
        QTest::newRow("a number beyond double") << QByteArray("[1e999]") << "1e999";
    }

    void errorsNameThePlace()
    {
        QFETCH(QByteArray, text);
        QFETCH(QString, place);
        const auto path = written(text.toStdString());
        const auto json = base::readJson(path);
        QVERIFY(!json);
        QCOMPARE(json.error().code, ErrorCode::InvalidInput);
        QVERIFY2(json.error().what.find(place.toStdString()) != std::string::npos, json.error().what.c_str());
        QCOMPARE(json.error().where, path.string());
    }

    void anAbsentFileIsNotFound()
    {
        const auto json = base::readJson(std::filesystem::path(m_folder.path().toStdString()) / "absent");
        QVERIFY(!json && json.error().code == ErrorCode::NotFound);
    }

    void deepNestingIsNoProblem()
    {
        const std::size_t depth = 200000;
        const auto json = base::readJson(written(std::string(depth, '[') + std::string(depth, ']')));
        QVERIFY(json);
    }
};

QTEST_APPLESS_MAIN(TestJson)
#include "tst_json.moc"
