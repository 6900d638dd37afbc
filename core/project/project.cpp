// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/project/project.h"

#include <atomic>
#include <utility>

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>
#include <SQLiteCpp/VariadicBind.h>

#include "core/base/utc_time.h"
#include "core/graph/fingerprint.h"
#include "core/planning/request_json.h"
#include "core/project/codec.h"
#include "core/project/database.h"
#include "core/project/locate.h"
#include "core/project/merge.h"
#include "core/quant/plan_fingerprint.h"

namespace quantoscope::project {

namespace {

namespace fs = std::filesystem;
using detail::Bytes;
using evaluation::EvaluationResultPtr;
using SQLite::Statement;

Bytes bytesOf(const SQLite::Column& column)
{
    const auto* begin = static_cast<const std::uint8_t*>(column.getBlob());
    return begin ? Bytes(begin, begin + column.getBytes()) : Bytes();
}

void bindBytes(Statement& statement, int index, std::span<const std::uint8_t> bytes)
{
    // A null pointer would be NULL rather than nothing.
    statement.bind(index, bytes.empty() ? static_cast<const void*>("") : bytes.data(), static_cast<int>(bytes.size()));
}

/// Binds the provenance of what is made here and now to three parameters from `first` on.
void bindProvenance(Statement& statement, int first)
{
    static const std::string machine = machineDescription();
    statement.bind(first, QUANTOSCOPE_VERSION);
    statement.bind(first + 1, machine);
    statement.bind(first + 2, base::utcNow());
}

Provenance readProvenance(Statement& statement, int first)
{
    return { statement.getColumn(first).getString(), statement.getColumn(first + 1).getString(),
        statement.getColumn(first + 2).getString() };
}

/// Adds a plan if it is not there yet, and returns its fingerprint.
std::string addPlan(SQLite::Database& connection, const quant::QuantizationPlan& plan)
{
    const std::string fingerprint = quant::fingerprint(plan);
    Statement known(connection, "SELECT 1 FROM plans WHERE fingerprint = ?");
    known.bind(1, fingerprint);
    if (known.executeStep())
        return fingerprint;
    Statement insert(connection, "INSERT INTO plans VALUES (?, ?, ?)");
    SQLite::bind(insert, fingerprint, plan.title);
    bindBytes(insert, 3, detail::pack(plan.toJson()));
    insert.exec();
    return fingerprint;
}

Result<quant::PlanPtr> unpackPlan(std::span<const std::uint8_t> content)
{
    QS_TRY(const auto json, detail::unpack(content));
    QS_TRY(auto plan, quant::QuantizationPlan::fromJson(json));
    return std::make_shared<const quant::QuantizationPlan>(std::move(plan));
}

constexpr const char* energyKey = "energy model"; ///< of view_state

Json parsed(const std::string& text) { return Json::parse(text, nullptr, false); }

std::string written(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

} // namespace

struct Project::State {
    std::unique_ptr<detail::Database> database;
    std::atomic<std::int64_t> found { 0 };
    std::atomic<std::int64_t> computed { 0 };

    fs::path home() const { return database->path().parent_path(); }

    /// The bytes that `sql` gives for one key; empty if there are none.
    Result<Bytes> findBytes(const char* sql, const std::string& key) const
    {
        Bytes bytes;
        QS_CHECK(database->read([&](SQLite::Database& connection) {
            Statement query(connection, sql);
            query.bind(1, key);
            if (query.executeStep())
                bytes = bytesOf(query.getColumn(0));
        }));
        return bytes;
    }

    /// What was kept of a request, if it and its plan are whole.
    struct Kept {
        Json json;
        quant::PlanPtr plan;
    };
    Result<std::optional<Kept>> findKept(const std::string& key) const
    {
        Bytes content;
        Bytes planContent;
        QS_CHECK(database->read([&](SQLite::Database& connection) {
            Statement query(connection,
                "SELECT networks.content, plans.content FROM networks JOIN plans ON plans.fingerprint = networks.plan "
                "WHERE key = ?");
            query.bind(1, key);
            if (query.executeStep()) {
                content = bytesOf(query.getColumn(0));
                planContent = bytesOf(query.getColumn(1));
            }
        }));
        auto json = detail::unpack(content);
        auto plan = unpackPlan(planContent);
        if (!json || !plan)
            return std::nullopt;
        return Kept { *std::move(json), *std::move(plan) };
    }

    Result<void> keep(const std::string& key, const planning::PlanRequest& request, const quant::QuantizationPlan& plan,
        const Json& json) const
    {
        return database->write([&](SQLite::Database& connection) {
            const std::string fingerprint = addPlan(connection, plan);
            Statement insert(connection, "INSERT OR REPLACE INTO networks VALUES (?, ?, ?, ?, ?, ?, ?)");
            SQLite::bind(insert, key, written(planning::toJson(request)), fingerprint);
            bindBytes(insert, 4, detail::pack(json));
            bindProvenance(insert, 5);
            insert.exec();
        });
    }
};

Project::Project(std::unique_ptr<State> state)
    : m_state(std::move(state))
{
}

Project::~Project() = default;

Result<std::shared_ptr<Project>> Project::open(const fs::path& path, Mode mode)
{
    auto state = std::make_unique<State>();
    QS_TRY(state->database, detail::Database::open(path, mode));
    return std::shared_ptr<Project>(new Project(std::move(state)));
}

const fs::path& Project::path() const { return m_state->database->path(); }
bool Project::readOnly() const { return !readOnlyReason().empty(); }
const std::string& Project::readOnlyReason() const { return m_state->database->readOnlyReason(); }
Project::Use Project::use() const { return { m_state->found, m_state->computed }; }

Result<void> Project::addSource(Source source)
{
    source.path = fs::absolute(source.path).lexically_normal();
    source.relativePath = source.path.lexically_relative(m_state->home());
    return m_state->database->write([&](SQLite::Database& connection) {
        Statement insert(connection, "INSERT OR REPLACE INTO sources VALUES (?, ?, ?, ?, ?)");
        SQLite::bind(insert, source.role, source.fingerprint, source.path.string(), source.relativePath.string(),
            written(source.details));
        insert.exec();
    });
}

Result<std::vector<Source>> Project::sources() const
{
    std::vector<Source> sources;
    QS_CHECK(m_state->database->read([&](SQLite::Database& connection) {
        Statement query(
            connection, "SELECT role, fingerprint, path, relative_path, details FROM sources ORDER BY rowid");
        while (query.executeStep())
            sources.push_back(
                { query.getColumn(0).getString(), query.getColumn(1).getString(), query.getColumn(2).getString(),
                    query.getColumn(3).getString(), parsed(query.getColumn(4).getString()) });
    }));
    return sources;
}

Result<fs::path> Project::locate(const Source& source, std::span<const fs::path> folders) const
{
    return detail::locate(source, m_state->home(), folders);
}

Result<std::vector<ResultRecord>> Project::results() const
{
    std::vector<ResultRecord> records;
    QS_CHECK(m_state->database->read([&](SQLite::Database& connection) {
        Statement query(connection,
            "SELECT key, graph, plan, samples, scope, data, seed, images, top1, version, machine, created FROM results "
            "ORDER BY rowid");
        while (query.executeStep()) {
            ResultRecord record;
            std::string* const texts[] { &record.key, &record.graph, &record.plan, &record.samples, &record.scope,
                &record.data };
            for (int i = 0; i < 6; ++i)
                *texts[i] = query.getColumn(i).getString();
            record.seed = std::strtoull(query.getColumn(6).getText(), nullptr, 10);
            record.images = query.getColumn(7).getInt64();
            record.top1 = query.getColumn(8).getDouble();
            record.provenance = readProvenance(query, 9);
            records.push_back(std::move(record));
        }
    }));
    return records;
}

Result<quant::PlanPtr> Project::plan(const std::string& fingerprint) const
{
    QS_TRY(const auto content, m_state->findBytes("SELECT content FROM plans WHERE fingerprint = ?", fingerprint));
    if (content.empty())
        return nullptr;
    return unpackPlan(content);
}

Result<void> Project::keepStudy(const Study& study)
{
    return m_state->database->write([&](SQLite::Database& connection) {
        Statement insert(connection, "INSERT OR REPLACE INTO studies VALUES (?, ?, ?, ?, ?, ?, ?)");
        SQLite::bind(insert, study.command, written(study.settings));
        bindBytes(insert, 3, detail::pack(study.document));
        insert.bind(4, study.complete ? 1 : 0);
        bindProvenance(insert, 5);
        insert.exec();
    });
}

Result<std::vector<Study>> Project::studies() const
{
    std::vector<Study> studies;
    QS_CHECK(m_state->database->read([&](SQLite::Database& connection) {
        Statement query(connection,
            "SELECT command, settings, document, complete, version, machine, created FROM studies ORDER BY rowid");
        while (query.executeStep()) {
            auto document = detail::unpack(bytesOf(query.getColumn(2)));
            studies.push_back({ query.getColumn(0).getString(), parsed(query.getColumn(1).getString()),
                document ? *std::move(document) : Json(), query.getColumn(3).getInt() != 0, readProvenance(query, 4) });
        }
    }));
    return studies;
}

Result<void> Project::setView(const std::string& key, const std::string& content)
{
    return m_state->database->write([&](SQLite::Database& connection) {
        Statement insert(connection, "INSERT OR REPLACE INTO view_state VALUES (?, ?)");
        insert.bind(1, key);
        bindBytes(insert, 2, std::span(reinterpret_cast<const std::uint8_t*>(content.data()), content.size()));
        insert.exec();
    });
}

Result<std::optional<std::string>> Project::view(const std::string& key) const
{
    std::optional<std::string> content;
    QS_CHECK(m_state->database->read([&](SQLite::Database& connection) {
        Statement query(connection, "SELECT content FROM view_state WHERE key = ?");
        query.bind(1, key);
        if (query.executeStep())
            content = query.getColumn(0).getString();
    }));
    return content;
}

Result<void> Project::setEnergyModel(const cost::EnergyModel& model)
{
    return setView(energyKey, written(model.toJson()));
}

Result<std::optional<cost::EnergyModel>> Project::energyModel() const
{
    QS_TRY(const auto kept, view(energyKey));
    if (!kept)
        return std::nullopt;
    return cost::EnergyModel::fromJson(parsed(*kept)).map([](auto&& model) { return std::optional(std::move(model)); });
}

Result<void> Project::checkMergeable(const Project& other) const
{
    QS_TRY(const auto mine, studies());
    QS_TRY(const auto others, other.studies());
    return detail::checkSameStudies(mine, others, other.path().string());
}

Result<void> Project::merge(const Project& other)
{
    QS_CHECK(checkMergeable(other));
    return detail::copyRows(*other.m_state->database, *m_state->database);
}

std::vector<std::uint8_t> Project::findStats(const std::string& key)
{
    return m_state->findBytes("SELECT content FROM statistics WHERE key = ?", key).value_or(Bytes());
}

void Project::keepStats(const std::string& key, const std::vector<std::uint8_t>& bytes)
{
    if (readOnly())
        return;
    // What cannot be kept is computed again next time; a full disk shows with the first result.
    [[maybe_unused]] const auto kept = m_state->database->write([&](SQLite::Database& connection) {
        Statement insert(connection, "INSERT OR REPLACE INTO statistics VALUES (?, ?)");
        insert.bind(1, key);
        bindBytes(insert, 2, bytes);
        insert.exec();
    });
}

Result<EvaluationResultPtr> Project::findResult(const std::string& key)
{
    QS_TRY(const auto content, m_state->findBytes("SELECT content FROM results WHERE key = ?", key));
    const auto json = detail::unpack(content);
    if (!json)
        return nullptr;
    auto result = detail::resultFromJson(*json);
    if (!result)
        return nullptr;
    ++m_state->found;
    return result;
}

Result<void> Project::keepResult(
    const std::string& key, const evaluation::ResultOrigin& origin, const evaluation::EvaluationResult& result)
{
    const auto& plan = origin.plan;
    const auto& samples = origin.samples;
    QS_CHECK(m_state->database->write([&](SQLite::Database& connection) {
        const std::string fingerprint = addPlan(connection, plan);
        Statement insert(connection, "INSERT OR REPLACE INTO results VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
        SQLite::bind(insert, key, graph::fingerprint(origin.graph), fingerprint, samples.fingerprint(), result.scope,
            samples.description() + "; " + samples.preprocessing().describe(), std::to_string(plan.seed),
            result.images(), result.top1());
        bindBytes(insert, 10, detail::pack(detail::toJson(result)));
        bindProvenance(insert, 11);
        insert.exec();
    }));
    ++m_state->computed;
    return {};
}

Result<std::optional<flow::QuantizedNetwork>> Project::findNetwork(const std::string& key)
{
    QS_TRY(const auto kept, m_state->findKept(key));
    if (!kept)
        return std::nullopt;
    auto network = detail::networkFromJson(kept->json);
    if (!network)
        return std::nullopt;
    network->plan = kept->plan;
    return *std::move(network);
}

Result<std::optional<flow::BestFlow>> Project::findBestFlow(const std::string& key)
{
    QS_TRY(const auto kept, m_state->findKept(key));
    if (!kept)
        return std::nullopt;
    auto best = detail::bestFlowFromJson(kept->json);
    if (!best)
        return std::nullopt;
    best->network.plan = kept->plan;
    return *std::move(best);
}

Result<void> Project::keepNetwork(
    const std::string& key, const planning::PlanRequest& request, const flow::QuantizedNetwork& network)
{
    return m_state->keep(key, request, *network.plan, detail::toJson(network));
}

Result<void> Project::keepBestFlow(
    const std::string& key, const planning::PlanRequest& request, const flow::BestFlow& best)
{
    return m_state->keep(key, request, *best.network.plan, detail::toJson(best));
}

Result<std::optional<evaluation::Fidelity>> Project::findFidelity(const std::string& key)
{
    QS_TRY(const auto content, m_state->findBytes("SELECT content FROM fidelities WHERE key = ?", key));
    const auto json = detail::unpack(content);
    auto fidelity = json ? detail::fidelityFrom(*json) : tl::make_unexpected(json.error());
    if (!fidelity)
        return std::nullopt;
    return *std::move(fidelity);
}

Result<void> Project::keepFidelity(const std::string& key, const evaluation::Fidelity& fidelity)
{
    return m_state->database->write([&](SQLite::Database& connection) {
        Statement insert(connection, "INSERT OR REPLACE INTO fidelities VALUES (?, ?)");
        insert.bind(1, key);
        bindBytes(insert, 2, detail::pack(detail::toJson(fidelity)));
        insert.exec();
    });
}

} // namespace quantoscope::project
