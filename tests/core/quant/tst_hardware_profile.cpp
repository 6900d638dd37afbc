// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>
#include <filesystem>
#include <fstream>

#include <QTemporaryDir>
#include <QtTest>
#include <nlohmann/json.hpp>

#include "core/base/json.h"
#include "core/quant/hardware_profile.h"

using namespace quantoscope;
using quant::HardwareProfile;

namespace {

Json valid() { return quant::findProfile("mcu-8bit-power-of-two")->toJson(); }

} // namespace

class TestHardwareProfile : public QObject {
    Q_OBJECT

private slots:
    void everyFileIsBuiltIn();
    void builtIn_data();
    void builtIn();
    void roundTrip();
    void optionalFields();
    void fromFile();
    void invalid_data();
    void invalid();
    void unknownName();
};

void TestHardwareProfile::everyFileIsBuiltIn()
{
    std::size_t files = 0;
    for (const auto& entry : std::filesystem::directory_iterator(std::string(QS_SOURCE_DIR) + "/resources/profiles")) {
        if (entry.path().extension() != ".json")
            continue;
        const auto json = base::readJson(entry.path());
        QVERIFY2(json, entry.path().c_str());
        const auto profile = HardwareProfile::fromJson(*json);
        QVERIFY2(profile, profile ? "" : profile.error().message().c_str());
        QCOMPARE(profile->name, entry.path().stem().string());
        const auto found = quant::findProfile(profile->name);
        QVERIFY(found && *found == *profile);
        ++files;
    }
    QCOMPARE(quant::builtInProfiles().size(), files);
    QVERIFY(files >= 6);
}

void TestHardwareProfile::builtIn_data()
{
    QTest::addColumn<QString>("name");
    for (const auto& profile : quant::builtInProfiles())
        QTest::newRow(profile.name.c_str()) << QString::fromStdString(profile.name);
}

void TestHardwareProfile::builtIn()
{
    QFETCH(QString, name);
    const auto profile = quant::findProfile(name.toStdString());
    QVERIFY(profile);
    QVERIFY(!profile->description.empty());
    for (const auto* operand : { &profile->weights, &profile->activations }) {
        // Whatever is refused has a reason, unless nothing of that kind is.
        const auto explains
            = [&](const char* list, bool refusesSome) { QVERIFY2(!refusesSome || operand->why.contains(list), list); };
        explains("bits", operand->bits.size() < quant::maxBits - quant::minBits + 1 && !operand->mayBeFloat);
        explains("schemes", operand->schemes.size() < 2);
        explains("granularities", operand->granularities.size() < 2);
        explains("roundings", operand->roundings.size() < 4);
    }
}

void TestHardwareProfile::roundTrip()
{
    for (const auto& profile : quant::builtInProfiles()) {
        const auto again = HardwareProfile::fromJson(Json::parse(profile.toJson().dump()));
        QVERIFY2(again, again ? "" : again.error().message().c_str());
        QVERIFY2(*again == profile, profile.name.c_str());
    }
}

void TestHardwareProfile::optionalFields()
{
    Json json = valid();
    for (const char* key : { "accumulator_bits", "float_operators" })
        json.erase(key);
    for (const char* key : { "weights", "activations", "bias" })
        json[key].erase("why");
    json["first_last_bits"] = 8;
    const auto profile = HardwareProfile::fromJson(json);
    QVERIFY2(profile, profile ? "" : profile.error().message().c_str());
    QVERIFY(!profile->accumulatorBits && profile->floatOperators.empty() && profile->weights.why.empty());
    QCOMPARE(profile->firstLastBits.value_or(0), 8);
    QVERIFY(*HardwareProfile::fromJson(profile->toJson()) == *profile);
}

void TestHardwareProfile::fromFile()
{
    QTemporaryDir folder;
    const auto path = folder.filePath("mine.json").toStdString();
    Json json = valid();
    json["name"] = "mine";
    std::ofstream(path) << json.dump();
    const auto profile = quant::findProfile(path);
    QVERIFY(profile);
    QCOMPARE(profile->name, std::string("mine"));
    json["weights"]["bits"] = Json::array({ 1 });
    std::ofstream(path) << json.dump();
    const auto broken = quant::findProfile(path);
    QVERIFY(!broken);
    QVERIFY2(
        broken.error().message().find("mine.json, weights") != std::string::npos, broken.error().message().c_str());
    const auto missing = quant::findProfile(folder.filePath("none.json").toStdString());
    QVERIFY(!missing && missing.error().message().find("none.json") != std::string::npos);
}

void TestHardwareProfile::invalid_data()
{
    QTest::addColumn<QString>("pointer"); // what is put at ...
    QTest::addColumn<QString>("value"); // ... this place; empty: it is taken out
    QTest::addColumn<QString>("names"); // what the message must name
    const auto row = [](const char* name, const char* pointer, const char* value, const char* names) {
        QTest::newRow(name) << pointer << value << names;
    };
    row("no name", "/name", "", "'name' is missing");
    row("no weights", "/weights", "", "'weights' is missing");
    row("weights of another type", "/weights", "8", "'weights' is 8");
    row("unknown field", "/multipliers", "4", "'multipliers' is not known");
    row("unknown operand field", "/activations/speed", "1", "'speed' is not known");
    row("unknown bias field", "/bias/speed", "1", "'speed' is not known");
    row("unknown reason", "/weights/why/speed", "\"x\"", "'speed' is not known");
    row("reason of another type", "/weights/why/bits", "3", "'bits' is 3");
    row("reasons of another type", "/weights/why", "\"x\"", "'why'");
    row("bias reason of another type", "/bias/why", "1", "'why'");
    row("name of another type", "/name", "1", "'name' is 1");
    row("no scopes", "/scopes", "[]", "'scopes' is []");
    row("unknown scope", "/scopes", "[\"half\"]", "scope 'half'");
    row("bits as a number", "/weights/bits", "8", "'bits' is 8");
    row("bits too small", "/weights/bits", "[1]", "'bits' is [1]");
    row("bits too large", "/activations/bits", "[8, 17]", "17");
    row("fractional bits", "/weights/bits", "[7.5]", "7.5");
    row("nothing to choose", "/weights/bits", "[]", "'bits' is []");
    row("unknown scheme", "/weights/schemes", "[\"affine\"]", "scheme 'affine'");
    row("schemes as text", "/weights/schemes", "\"symmetric\"", "'schemes'");
    row("mixed list", "/weights/schemes", "[\"symmetric\", 3]", "'schemes'");
    row("unknown granularity", "/weights/granularities", "[\"row\"]", "granularity 'row'");
    row("blocks", "/weights/granularities", "[\"block\"]", "granularity 'block'");
    row("unknown sign", "/weights/signs", "[\"plus\"]", "sign 'plus'");
    row("narrow as booleans", "/weights/narrow", "[true]", "'narrow'");
    row("unknown switch", "/weights/narrow", "[\"maybe\"]", "'maybe'");
    row("unknown rounding", "/weights/roundings", "[\"up\"]", "rounding 'up'");
    row("float as text", "/weights/float", "\"no\"", "'float'");
    row("bias too narrow", "/bias/bits", "[4]", "'bits' is [4]");
    row("unknown room", "/bias/room", "\"clip\"", "'clip'");
    row("accumulator too wide", "/accumulator_bits", "65", "65");
    row("first and last at 1", "/first_last_bits", "1", "'first_last_bits' is 1");
    row("float operators as text", "/float_operators", "\"Softmax\"", "'float_operators'");
}

void TestHardwareProfile::invalid()
{
    QFETCH(QString, pointer);
    QFETCH(QString, value);
    QFETCH(QString, names);
    Json json = valid();
    const Json::json_pointer place(pointer.toStdString());
    if (value.isEmpty())
        json.erase(place.back());
    else
        json[place] = Json::parse(value.toStdString());
    const auto profile = HardwareProfile::fromJson(json);
    QVERIFY(!profile);
    QCOMPARE(profile.error().code, ErrorCode::InvalidInput);
    QVERIFY2(QString::fromStdString(profile.error().message()).contains(names), profile.error().message().c_str());
}

void TestHardwareProfile::unknownName()
{
    const auto profile = quant::findProfile("tpu");
    QVERIFY(!profile);
    QCOMPARE(profile.error().code, ErrorCode::NotFound);
    QVERIFY(profile.error().hint.find("generic-int8") != std::string::npos);
    QVERIFY(!HardwareProfile::fromJson(Json::array()));
}

QTEST_APPLESS_MAIN(TestHardwareProfile)
#include "tst_hardware_profile.moc"
