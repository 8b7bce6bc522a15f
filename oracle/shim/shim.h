// A narrow C interface over libmodsecurity's C++ one. The C interface of libmodsecurity itself hands out log lines in
// which values are cut and bytes are written as text; here messages come whole, as bytes.
#pragma once

#include <cstddef>
#include <cstdint>

extern "C" {

// Bytes that the callee does not keep.
struct OracleBytes {
    const uint8_t *data;
    size_t length;
};

struct OracleHeader {
    OracleBytes name;
    OracleBytes value;
};

// One request and, when `has_response` is not 0, its answer. Texts that libmodsecurity takes as C strings end in NUL.
struct OracleExchange {
    const char *client;
    const char *uri;
    const char *method;
    const char *version;
    const OracleHeader *headers;
    size_t header_count;
    OracleBytes body;
    int has_response;
    int status;
    const char *response_protocol;
    const OracleHeader *response_headers;
    size_t response_header_count;
    OracleBytes response_body;
    // Not 0: all phases run, also after one has refused the request.
    int all_phases;
};

// One message of one rule. Valid during the call that hands it over.
struct OracleMessage {
    int64_t rule;
    int phase;
    int severity;
    int disruptive;
    OracleBytes match;
    OracleBytes data;
    OracleBytes message;
    OracleBytes file;
    int line;
    // The line as a server writes it into its error log.
    OracleBytes log;
};

// What a phase decided: the HTTP status, and whether the request is to be stopped.
struct OracleDecision {
    int disruptive;
    int status;
    int phase;
    // The last phase that ran, 1 to 5.
    int reached;
};

typedef void (*OracleSink)(void *context, const OracleMessage *message);

struct OracleEngine;

OracleEngine *oracle_new(void);
void oracle_free(OracleEngine *engine);
const char *oracle_version(OracleEngine *engine);

// Adds rules. `file` names the text in messages, and its folder is where `.data` files are looked up. Returns the
// number of rules read, or -1; then `oracle_error` says why.
int oracle_add(OracleEngine *engine, const char *text, const char *file);
const char *oracle_error(OracleEngine *engine);

// Runs one exchange; 0, or -1 with `oracle_error` when the library threw. Without `sink` no message is handed over.
int oracle_run(OracleEngine *engine, const OracleExchange *exchange, OracleSink sink, void *context,
               OracleDecision *decision);
}
