// SPDX-License-Identifier: GPL-3.0-or-later
#include <set>

#include <QtTest>

#include "core/quant/option_texts.h"

using namespace quantoscope;
using quant::OptionText;
using quant::OptionTexts;

class TestOptionTexts : public QObject {
    Q_OBJECT

private slots:
    void complete_data();
    void complete();
    void rangesParse();
    void schemesApply();
    void enumerations();
    void lists();
};

void TestOptionTexts::complete_data()
{
    QTest::addColumn<OptionTexts>("texts");
    QTest::newRow("ranges") << quant::rangeTexts();
    QTest::newRow("schemes") << quant::schemeTexts();
    QTest::newRow("grids") << quant::gridTexts();
    QTest::newRow("granularities") << quant::granularityTexts();
    QTest::newRow("roundings") << quant::roundingTexts();
    QTest::newRow("scopes") << quant::scopeTexts();
    QTest::newRow("corrections") << quant::correctionTexts();
}

void TestOptionTexts::complete()
{
    QFETCH(OptionTexts, texts);
    std::set<std::string_view> words;
    for (const OptionText& text : texts) {
        const QByteArray name(text.word.data(), std::ssize(text.word));
        QVERIFY2(!text.word.empty() && !text.name.empty(), name.constData());
        QVERIFY2(text.spelling.find(text.word.substr(0, 4)) != text.spelling.npos, name.constData());
        QVERIFY2(words.insert(text.word).second, name.constData());
        // One sentence: it begins like one and ends like one, and nothing is left to a second.
        const auto sentence = QString::fromUtf8(text.sentence.data(), std::ssize(text.sentence));
        QVERIFY2(sentence.size() > 30 && sentence.size() < 260, name.constData());
        QVERIFY2(sentence.front().isUpper() && sentence.endsWith(QLatin1Char('.')), name.constData());
        QVERIFY2(!sentence.contains(QLatin1Char('\n')), name.constData());
        QVERIFY2(!sentence.contains(QChar::ReplacementCharacter), name.constData());
        const auto tip = QString::fromStdString(text.tip());
        QVERIFY2(tip.startsWith(sentence) && tip.count(QLatin1Char('\n')) == (text.formula.empty() ? 0 : 1),
            name.constData());
        QCOMPARE(quant::findText(texts, text.word), &text);
    }
    QVERIFY(!quant::findText(texts, "no such word"));
}

void TestOptionTexts::rangesParse()
{
    for (const OptionText& text : quant::rangeTexts()) {
        std::string word(text.word);
        if (word == "percentile" || word == "sigma")
            word += ":90";
        if (word == "manual")
            word += ":-1,1";
        const auto parsed = quant::RangeSpec::parse(word);
        QVERIFY2(parsed, word.c_str());
        QCOMPARE(&quant::describe(parsed->method), &text);
    }
}

void TestOptionTexts::schemesApply()
{
    for (const OptionText& text : quant::schemeTexts()) {
        quant::QuantizerConfig config;
        QVERIFY(quant::applyScheme(config, std::string(text.word)));
        QCOMPARE(QString::fromStdString(quant::schemeName(config)),
            QString::fromUtf8(text.word.data(), std::ssize(text.word)));
    }
}

void TestOptionTexts::enumerations()
{
    for (const OptionText& text : quant::roundingTexts())
        QCOMPARE(&quant::describe(*quant::parseRounding(std::string(text.word))), &text);
    for (const OptionText& text : quant::scopeTexts())
        QCOMPARE(&quant::describe(*quant::parseScope(std::string(text.word))), &text);
    using Kind = quant::Granularity::Kind;
    QCOMPARE(quant::describe(Kind::PerTensor).word, std::string_view("tensor"));
    QCOMPARE(quant::describe(Kind::PerChannel).word, std::string_view("channel"));
    QCOMPARE(quant::describe(Kind::PerBlock).word, std::string_view("block"));
}

void TestOptionTexts::lists()
{
    QCOMPARE(QString::fromStdString(quant::spellings(quant::schemeTexts())),
        QStringLiteral("symmetric, asymmetric, power-of-two, asymmetric-power-of-two"));
    QCOMPARE(QString::fromStdString(quant::spellings({})), QString());
    QVERIFY(quant::spellings(quant::rangeTexts()).starts_with("min-max, mse, percentile:P or "));
}

QTEST_APPLESS_MAIN(TestOptionTexts)
#include "tst_option_texts.moc"
