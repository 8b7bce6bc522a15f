#include "shim.h"

#include <exception>
#include <memory>
#include <string>

#include <modsecurity/modsecurity.h>
#include <modsecurity/rule_message.h>
#include <modsecurity/rules_set.h>
#include <modsecurity/transaction.h>

namespace {

OracleBytes bytes(const std::string &text) {
    return OracleBytes{reinterpret_cast<const uint8_t *>(text.data()), text.size()};
}

// The library writes to the log by callback; messages are taken from the transaction instead, where those of
// disruptive rules stand in their place among the others.
void ignore(void *, const void *) {}

struct Intervention {
    modsecurity::ModSecurityIntervention it;
    Intervention() { modsecurity::intervention::clean(&it); }
    ~Intervention() { modsecurity::intervention::free(&it); }
};

// Whether the phase that has just run stops the request; the first that does is kept.
bool stopped(modsecurity::Transaction &transaction, int phase, OracleDecision *decision) {
    decision->reached = phase;
    Intervention found;
    if (!transaction.intervention(&found.it) || found.it.disruptive == 0) {
        return false;
    }
    if (decision->disruptive == 0) {
        decision->disruptive = 1;
        decision->status = found.it.status;
        decision->phase = phase;
    }
    return true;
}

void run_request(modsecurity::Transaction &transaction, const OracleExchange &exchange, OracleDecision *decision) {
    transaction.processConnection(exchange.client, 40000, "127.0.0.1", 80);
    transaction.processURI(exchange.uri, exchange.method, exchange.version);
    for (size_t i = 0; i < exchange.header_count; i++) {
        const OracleHeader &header = exchange.headers[i];
        transaction.addRequestHeader(header.name.data, header.name.length, header.value.data, header.value.length);
    }
    transaction.processRequestHeaders();
    if (stopped(transaction, 1, decision) && !exchange.all_phases) {
        return;
    }
    if (exchange.body.length > 0) {
        transaction.appendRequestBody(exchange.body.data, exchange.body.length);
    }
    transaction.processRequestBody();
    stopped(transaction, 2, decision);
}

void run_response(modsecurity::Transaction &transaction, const OracleExchange &exchange, OracleDecision *decision) {
    for (size_t i = 0; i < exchange.response_header_count; i++) {
        const OracleHeader &header = exchange.response_headers[i];
        transaction.addResponseHeader(header.name.data, header.name.length, header.value.data, header.value.length);
    }
    transaction.processResponseHeaders(exchange.status, exchange.response_protocol);
    if (stopped(transaction, 3, decision) && !exchange.all_phases) {
        return;
    }
    if (exchange.response_body.length > 0) {
        transaction.appendResponseBody(exchange.response_body.data, exchange.response_body.length);
    }
    transaction.processResponseBody();
    stopped(transaction, 4, decision);
}

void report(modsecurity::Transaction &transaction, OracleSink sink, void *context) {
    for (const modsecurity::RuleMessage &found : transaction.m_rulesMessages) {
        const std::string file = found.m_ruleFile ? *found.m_ruleFile : std::string();
        const std::string log = modsecurity::RuleMessage::log(
            &found, modsecurity::RuleMessage::ClientLogMessageInfo | modsecurity::RuleMessage::ErrorLogTailLogMessageInfo,
            -1);
        const OracleMessage message = {
            found.m_ruleId,    found.m_phase,          found.m_severity, found.m_isDisruptive ? 1 : 0,
            bytes(found.m_match), bytes(found.m_data), bytes(found.m_message), bytes(file),
            found.m_ruleLine,  bytes(log),
        };
        sink(context, &message);
    }
}

}  // namespace

struct OracleEngine {
    modsecurity::ModSecurity library;
    modsecurity::RulesSet rules;
    std::string error;
    std::string version;
};

extern "C" {

OracleEngine *oracle_new(void) {
    try {
        auto engine = std::make_unique<OracleEngine>();
        engine->library.setServerLogCb(ignore, modsecurity::RuleMessageLogProperty);
        engine->version = engine->library.whoAmI();
        return engine.release();
    } catch (const std::exception &) {
        return nullptr;
    }
}

void oracle_free(OracleEngine *engine) { delete engine; }

const char *oracle_version(OracleEngine *engine) { return engine->version.c_str(); }

const char *oracle_error(OracleEngine *engine) { return engine->error.c_str(); }

int oracle_add(OracleEngine *engine, const char *text, const char *file) {
    try {
        const int read = engine->rules.load(text, file);
        if (read < 0) {
            engine->error = engine->rules.m_parserError.str();
        }
        return read;
    } catch (const std::exception &thrown) {
        engine->error = thrown.what();
        return -1;
    }
}

int oracle_run(OracleEngine *engine, const OracleExchange *exchange, OracleSink sink, void *context,
               OracleDecision *decision) {
    try {
        modsecurity::Transaction transaction(&engine->library, &engine->rules, nullptr);
        run_request(transaction, *exchange, decision);
        const bool go_on = decision->disruptive == 0 || exchange->all_phases;
        if (exchange->has_response && go_on) {
            run_response(transaction, *exchange, decision);
        }
        transaction.processLogging();
        decision->reached = 5;
        if (sink != nullptr) {
            report(transaction, sink, context);
        }
        return 0;
    } catch (const std::exception &thrown) {
        engine->error = thrown.what();
        return -1;
    }
}
}
