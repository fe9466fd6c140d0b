/* spark_process.c: the child is tied to us in two ways. The kernel kills it when the thread that
 * started it ends (PR_SET_PDEATHSIG); the parent may have died before that was set, so the child
 * checks for it. And it leads a process group, which is killed as soon as the child has ended:
 * before it is reaped, because until then nobody else can get the group's number. */
#include "streaming/cluster/spark/spark_process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/check.h"
#include "base/limit.h"
#include "base/system/clock.h"

enum { LOOK_MS = 10, EXIT_NOT_STARTED = 127, PIPE_SIZE = 1 << 20 };

/* In the child, between fork and exec, where only what is safe in a signal handler may be called.
 */
static _Noreturn void become(char *const *arguments, char *const *environment, int output,
                             pid_t parent) {
    sigset_t none;
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) // it died before that was in force
        _exit(EXIT_NOT_STARTED);
    (void)setpgid(0, 0);
    int nothing = open("/dev/null", O_RDONLY);
    if (nothing < 0 || dup2(nothing, STDIN_FILENO) < 0 || dup2(output, STDOUT_FILENO) < 0 ||
        dup2(output, STDERR_FILENO) < 0)
        _exit(EXIT_NOT_STARTED);
    (void)close_range(STDERR_FILENO + 1, ~0U, 0);
    for (int number = 1; number < NSIG; number++)
        (void)signal(number, SIG_DFL); // those that can't be set are so anyway
    sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    (void)execve(arguments[0], arguments, environment);
    static const char told[] = "Error: bin/spark-submit cannot be executed\n";
    (void)!write(STDERR_FILENO, told, sizeof told - 1);
    _exit(EXIT_NOT_STARTED);
}

bool spark_process_start(struct spark_process *process, char *const *arguments,
                         char *const *environment, struct error *err) {
    int ends[2];
    *process = (struct spark_process){.output = -1};
    if (pipe2(ends, O_CLOEXEC) != 0)
        return limit_error(err, "cannot create a pipe for Spark's output", errno);
    // Spark must not wait because we are slow to read; a smaller pipe does, too.
    (void)fcntl(ends[0], F_SETPIPE_SZ, PIPE_SIZE);
    (void)fcntl(ends[0], F_SETFL, O_NONBLOCK);
    pid_t parent = getpid(), pid = fork();
    if (pid == 0)
        become(arguments, environment, ends[1], parent);
    int reason = errno;
    (void)close(ends[1]);
    if (pid < 0) {
        (void)close(ends[0]);
        return limit_error(err, "cannot start a process for Spark", reason);
    }
    (void)setpgid(pid, pid); // the first of the two processes does it
    process->pid = pid;
    process->output = ends[0];
    return true;
}

static void reap(struct spark_process *process) {
    // As long as it is not reaped, nobody else's group can have its number.
    (void)kill(-process->pid, SIGKILL);
    while (waitpid(process->pid, &process->status, 0) < 0)
        check(errno == EINTR);
    process->ended = true;
}

bool spark_process_look(struct spark_process *process) {
    siginfo_t info = {0};
    if (process->ended)
        return true;
    int code = waitid(P_PID, (id_t)process->pid, &info, WEXITED | WNOHANG | WNOWAIT);
    if (code == 0 && info.si_pid == process->pid)
        reap(process);
    return process->ended;
}

void spark_process_end(struct spark_process *process, int64_t grace_ms) {
    int64_t deadline_ms = clock_monotonic_ms() + grace_ms;
    if (spark_process_look(process))
        return;
    (void)kill(process->pid, SIGTERM);
    while (!spark_process_look(process) && clock_monotonic_ms() < deadline_ms) {
        struct timespec pause = {.tv_nsec = LOOK_MS * 1000000L};
        (void)nanosleep(&pause, NULL);
    }
    if (!process->ended)
        reap(process);
}

void spark_process_deinit(struct spark_process *process) {
    if (process->output >= 0)
        (void)close(process->output);
    process->output = -1;
}

void spark_process_describe(int status, char text[static SPARK_STATUS_MAX]) {
    int code = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
    int number = WIFSIGNALED(status) ? WTERMSIG(status) : code > 128 ? code - 128 : 0;
    const char *name = number > 0 ? sigabbrev_np(number) : NULL;
    if (name == NULL)
        (void)snprintf(text, SPARK_STATUS_MAX, "ended with exit code %d", code);
    else
        (void)snprintf(text, SPARK_STATUS_MAX, "was killed by signal %d (%s)%s", number, name,
                       number == SIGKILL ? ", possibly by the kernel because memory ran out" : "");
}
