#include "surfaces/terminal/exit_code.h"

const struct exit_code_entry exit_codes[] = {
    {EXIT_CODE_OK, "ended as asked",
     "The queries finished, or a signal stopped the program cleanly.", "Nothing to do."},
    {EXIT_CODE_UNEXPECTED, "unexpected failure",
     "An error that the program cannot handle. Also: a command asked for confirmation and the "
     "answer was not yes; nothing was changed.",
     "Read the last CRITICAL or ERROR line; a restart is safe."},
    {EXIT_CODE_USAGE, "wrong option or setting",
     "An option, a setting or a Kafka property is missing or wrong, or a path cannot be used. "
     "Also: a record batch is too large for SPARK_DRIVER_MEMORY, or librdkafka lacks its codec.",
     "Correct what the lines on stderr or the CRITICAL line report."},
    {EXIT_CODE_LOCKED, "checkpoint in use",
     "Another process runs a query on one of the selected checkpoints, or writes its table with a "
     "copy of the checkpoint; nothing was started.",
     "Stop that process, or choose another CHECKPOINT_PATH and another table."},
    {EXIT_CODE_KAFKA, "Kafka not reachable at start",
     "No broker answered within KAFKA_STARTUP_TIMEOUT, or a topic did not exist.",
     "Check KAFKA_BOOTSTRAP_SERVERS, credentials and topic names; then start again."},
    {EXIT_CODE_STATE, "cannot continue from the state on disk",
     "The checkpoint, the table and its files do not match, the table has files with other column "
     "types, or another Kafka cluster answers; nothing was changed. Also: the checkpoint, the "
     "table "
     "or the rejects were removed, replaced or unmounted while the query ran; files of the table "
     "are "
     "missing, and MISSING_FILES=stop; `verify` found an offset that is missing or duplicate, or a "
     "file that does not match its log.",
     "Follow the message: it names the files, the cause and the fix."},
    {EXIT_CODE_DATA_LOSS, "records cannot be read from Kafka",
     "The next records are gone (by retention, or because the topic was deleted, created again or "
     "truncated) and FAIL_ON_DATA_LOSS is true. Or, regardless of that setting, a record batch is "
     "damaged in Kafka: it was fetched three times.",
     "See `When records are gone` in docs/kafka.md: FAIL_ON_DATA_LOSS=false continues without the "
     "lost records, and reads a new topic from its beginning. For a damaged batch, follow the "
     "message."},
    {EXIT_CODE_WRITE, "disk failed",
     "Writing kept failing for WRITE_RETRY_TIMEOUT: disk full, read-only or broken. Or, at once: a "
     "directory could not be synced at a moment when only a start can find out what is committed. "
     "Also: a command cannot write its output.",
     "Free some space or repair the disk, then start again; nothing is lost. A start looks at "
     "what is on disk, and continues from there."},
    {EXIT_CODE_RECORD, "malformed record",
     "PARSE_MODE is failfast and a record cannot become a row, or Spark cannot read a record; the "
     "message names its offset. Also: none of the records that `doctor` or `infer` read can be "
     "used.",
     "Fix the producer, or start again with PARSE_MODE=reject. If Spark stopped, follow the "
     "message."},
    {EXIT_CODE_CLUSTER, "Spark cluster not available",
     "SPARK_MASTER_URL names a cluster, and Spark could not be started on it, could not be "
     "reached, "
     "or has ended.",
     "Follow the message. Nothing is lost: a restart, even with SPARK_MASTER_URL=local[*], "
     "continues after the last committed batch."},
    {EXIT_CODE_NOT_RUNNING, "not running",
     "`status`: no process of this program runs one of the selected queries.",
     "Start it. `checkpoint show` says where it will continue, and the log of the last run says "
     "why it ended."},
    {EXIT_CODE_NOT_READY, "action needed",
     "`status`: the queries run, but one of them retries after an error, is stuck or does not "
     "respond. `doctor`: a query runs and makes no progress.",
     "Follow the reason that it prints; `doctor` checks everything that a run needs."},
    {EXIT_CODE_LIMIT, "machine limit reached",
     "The system refused another thread, process, open file, memory or CPU time: a limit of the "
     "process, the user, the control group or the machine was reached.",
     "Raise the limit that the message names; a restart is safe."},
    {EXIT_CODE_DEGRADED, "degraded",
     "`status`: the queries run and commit, but one of them falls behind, has an unknown "
     "lag, has lost records within the last hour, has a table with missing files, or "
     "rejects more records than ALERT_REJECTS_PERCENT.",
     "Follow the reason that it prints; no restart is needed."},
    {EXIT_CODE_SIGNAL, "stopped immediately",
     "A second SIGINT or SIGTERM: 128 + the signal's number (130, 143). Also: the first one ended "
     "`compact` or `expire` before it was done.",
     "Nothing to do: the next start continues after the last committed batch, and the next "
     "`compact` or `expire` does the rest."},
};

const size_t exit_code_count = sizeof exit_codes / sizeof exit_codes[0];

enum exit_code exit_code_of(enum error_kind kind) {
    switch (kind) {
    case ERROR_NONE:
    case ERROR_STOPPED:
        return EXIT_CODE_OK;
    case ERROR_RETRY:
    case ERROR_RESTART:
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
