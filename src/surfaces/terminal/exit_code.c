#include "surfaces/terminal/exit_code.h"

const struct exit_code_entry exit_codes[] = {
    {EXIT_CODE_OK, "ended as asked",
     "The queries came to their end, or a signal stopped the program in order.", "Nothing."},
    {EXIT_CODE_UNEXPECTED, "unexpected failure",
     "Something the program does not know how to handle. Also: a command asked whether to change "
     "something, and the answer was not yes; nothing was changed.",
     "Read the last CRITICAL or ERROR line; a restart is safe."},
    {EXIT_CODE_USAGE, "wrong option or setting",
     "An option, a setting or a property for Kafka is missing or wrong, or a path can't be used. "
     "Also: "
     "a record batch is too large for SPARK_DRIVER_MEMORY, or librdkafka lacks its codec.",
     "Correct what the lines on stderr or the CRITICAL line name."},
    {EXIT_CODE_LOCKED, "checkpoint in use",
     "Another process runs a query on one of the chosen checkpoints; nothing was started.",
     "Stop that process, or choose another CHECKPOINT_PATH and another table."},
    {EXIT_CODE_KAFKA, "Kafka not there at start",
     "Within KAFKA_STARTUP_TIMEOUT no broker answered, or a topic did not exist.",
     "Check KAFKA_BOOTSTRAP_SERVERS, credentials and topic names; then start again."},
    {EXIT_CODE_STATE, "state on disk is not ours to continue",
     "Checkpoint and table contradict each other or what was written, the table has files of other "
     "column types, or another Kafka cluster answers; nothing was touched. Also: files of the "
     "table "
     "are missing, and MISSING_FILES=stop; "
     "`verify` found an offset that is missing or double, or a file that is not as its log says.",
     "Follow the message, which names the files, the cause and the cure."},
    {EXIT_CODE_DATA_LOSS, "records can't be read from Kafka",
     "Records that come next are gone: by retention, or because the topic was deleted, created "
     "again or cut, and FAIL_ON_DATA_LOSS is true. Or a record batch is damaged in Kafka, whatever "
     "that setting is: it was fetched three times.",
     "See `When records are gone` in docs/kafka.md: FAIL_ON_DATA_LOSS=false goes on without what "
     "is gone, and reads a new topic from its beginning. For a damaged batch, do as the message "
     "says."},
    {EXIT_CODE_WRITE, "disk failed for too long",
     "Writing kept failing for WRITE_RETRY_TIMEOUT: disk full, read-only or broken. Also: what a "
     "command prints can't be written.",
     "Make room or repair the disk, then start again; nothing is lost."},
    {EXIT_CODE_RECORD, "malformed record",
     "PARSE_MODE is failfast and a record can't become a row, or Spark can't read one; the message "
     "has its place.",
     "Repair the producer, or start again with PARSE_MODE=reject; if Spark stopped, do as the "
     "message says."},
    {EXIT_CODE_CLUSTER, "Spark cluster out of reach",
     "SPARK_MASTER_URL names a cluster, and Spark could not be started on it, could not be "
     "reached, "
     "or has ended.",
     "Follow the message; nothing is lost: a restart, also with SPARK_MASTER_URL=local[*], goes on "
     "after the last committed batch."},
    {EXIT_CODE_NOT_RUNNING, "not running",
     "`status`: one of the chosen queries is run by no process of ours.",
     "Start it; `checkpoint show` says where it will go on, and its log why it ended."},
    {EXIT_CODE_NOT_READY, "somebody must act",
     "`status`: the queries run, but one of them can't get on, or does not answer.",
     "Follow the reason that it prints; `doctor` tries everything that a run needs."},
    {EXIT_CODE_LIMIT, "limit of the machine",
     "The system gave no further thread, process, open file, memory or CPU time: a limit of the "
     "process, the user, the control group or the machine is reached.",
     "Raise the limit that the message names; a restart is safe and may find room."},
    {EXIT_CODE_DEGRADED, "degraded",
     "`status`: the queries run and commit, but one of them falls behind, does not know the "
     "topic's end, has lost records within the last hour, has a table with missing files, or "
     "rejects more records than ALERT_REJECTS_PERCENT.",
     "Follow the reason that it prints; nothing needs to be restarted."},
    {EXIT_CODE_SIGNAL, "stopped at once",
     "A second SIGINT or SIGTERM: 128 + the signal's number (130, 143).",
     "Nothing: the next start continues after the last committed batch."},
};

const size_t exit_code_count = sizeof exit_codes / sizeof exit_codes[0];

enum exit_code exit_code_of(enum error_kind kind) {
    switch (kind) {
    case ERROR_NONE:
    case ERROR_STOPPED:
        return EXIT_CODE_OK;
    case ERROR_RETRY:
        return EXIT_CODE_WRITE;
    case ERROR_BROKER:
    case ERROR_NO_TOPIC:
        return EXIT_CODE_KAFKA;
    case ERROR_CONFIG:
        return EXIT_CODE_USAGE;
    case ERROR_LOCKED:
        return EXIT_CODE_LOCKED;
    case ERROR_STATE:
        return EXIT_CODE_STATE;
    case ERROR_DATA_LOSS:
    case ERROR_DAMAGED:
        return EXIT_CODE_DATA_LOSS;
    case ERROR_RECORD:
        return EXIT_CODE_RECORD;
    case ERROR_LIMIT:
        return EXIT_CODE_LIMIT;
    case ERROR_CLUSTER:
        return EXIT_CODE_CLUSTER;
    }
    return EXIT_CODE_UNEXPECTED;
}
