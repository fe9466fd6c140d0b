/* confine_calls.c: the system calls that the program, glibc and its libraries need, as a filter
 * that the kernel runs before each call (seccomp).
 *
 * What is not listed fails with EPERM and does not end the process: a call that only a rare path
 * in a library makes must not stop a query, and an attacker who has taken the process over gains
 * nothing by trying again. Calls that are newer than this list fail with ENOSYS, as on an older
 * kernel, which glibc is prepared for; so does clone3(), whose flags a filter cannot see. Not
 * listed are above all those that start a program, make a process, read another one's memory,
 * change identity, mount, load code into the kernel, or make a link or a device.
 *
 * Of a few calls an argument decides: clone() makes threads only, memory is never writable and
 * executable, sockets are of the families that the program uses, and no input is put into a
 * terminal. Those come first in the filter. For all others the kernel remembers the result per
 * call and does not run the filter again (Linux 5.11). */
#include "base/system/confine.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/check.h"

#if defined(__x86_64__)
#define ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#else
#define ARCHITECTURE 0 // unknown: there is no filter
#endif

enum { NEWEST_KNOWN = 450 }; // set_mempolicy_home_node(), Linux 5.17

/* One group per paragraph reads better than the formatter's layout. */
/* clang-format off */
static const uint16_t allowed[] = {
    // bytes and descriptors
    SYS_read, SYS_write, SYS_readv, SYS_writev, SYS_pread64, SYS_pwrite64, SYS_preadv, SYS_pwritev, SYS_preadv2,
    SYS_pwritev2, SYS_lseek, SYS_close, 436 /* close_range */, SYS_dup, SYS_dup3, SYS_fcntl, SYS_pipe2, SYS_sendfile,
    SYS_copy_file_range, SYS_splice,
    // files and directories
    SYS_openat, 437 /* openat2 */, SYS_newfstatat, SYS_fstat, SYS_statx, SYS_faccessat, 439 /* faccessat2 */,
    SYS_readlinkat, SYS_getdents64, SYS_getcwd, SYS_flock, SYS_fsync, SYS_fdatasync, SYS_sync_file_range,
    SYS_truncate, SYS_ftruncate, SYS_fallocate, SYS_fadvise64, SYS_readahead, SYS_renameat, SYS_renameat2, SYS_linkat,
    SYS_unlinkat, SYS_mkdirat, SYS_fchmod, SYS_fchmodat, SYS_fchown, SYS_fchownat, SYS_utimensat, SYS_umask,
    SYS_getxattr, SYS_lgetxattr, SYS_fgetxattr, SYS_setxattr, SYS_lsetxattr, SYS_fsetxattr, SYS_listxattr,
    SYS_statfs, SYS_fstatfs,
    // memory
    SYS_munmap, SYS_mremap, SYS_brk, SYS_madvise, SYS_msync, SYS_mincore, SYS_mlock, SYS_munlock, SYS_membarrier,
    // threads, their priorities, and time
    SYS_futex, SYS_set_robust_list, SYS_get_robust_list, SYS_set_tid_address, SYS_rseq, SYS_exit, SYS_exit_group,
    SYS_sched_yield, SYS_sched_getaffinity, SYS_sched_setaffinity, SYS_sched_getparam, SYS_sched_getscheduler,
    SYS_sched_get_priority_max, SYS_sched_get_priority_min, SYS_getpriority, SYS_setpriority, SYS_ioprio_get,
    SYS_ioprio_set, SYS_getcpu, SYS_clock_gettime, SYS_clock_getres, SYS_clock_nanosleep, SYS_nanosleep,
    SYS_gettimeofday, SYS_times, SYS_restart_syscall, SYS_getitimer, SYS_setitimer, SYS_timer_create,
    SYS_timer_settime, SYS_timer_delete, SYS_timerfd_create, SYS_timerfd_settime, SYS_timerfd_gettime,
    // signals
    SYS_rt_sigaction, SYS_rt_sigprocmask, SYS_rt_sigreturn, SYS_rt_sigpending, SYS_rt_sigtimedwait,
    SYS_rt_sigsuspend, SYS_sigaltstack, SYS_kill, SYS_tkill, SYS_tgkill,
    // network, and waiting for it
    SYS_connect, SYS_bind, SYS_listen, SYS_accept, SYS_accept4, SYS_getsockname, SYS_getpeername, SYS_getsockopt,
    SYS_setsockopt, SYS_sendto, SYS_recvfrom, SYS_sendmsg, SYS_recvmsg, SYS_sendmmsg, SYS_recvmmsg, SYS_shutdown,
    SYS_socketpair, SYS_ppoll, SYS_pselect6, SYS_epoll_create1, SYS_epoll_ctl, SYS_epoll_pwait, 441 /* epoll_pwait2 */,
    SYS_eventfd2,
    // what the process and the machine are
    SYS_getpid, SYS_getppid, SYS_gettid, SYS_getpgid, SYS_getsid, SYS_getuid, SYS_geteuid, SYS_getgid, SYS_getegid,
    SYS_getresuid, SYS_getresgid, SYS_getgroups, SYS_uname, SYS_sysinfo, SYS_getrusage, SYS_getrandom, SYS_prlimit64,
    SYS_capget, SYS_adjtimex, SYS_clock_adjtime,
#ifdef SYS_open // older calls, which newer architectures do not have
    SYS_open, SYS_stat, SYS_lstat, SYS_access, SYS_readlink, SYS_getdents, SYS_rename, SYS_link, SYS_unlink,
    SYS_mkdir, SYS_rmdir, SYS_chmod, SYS_chown, SYS_lchown, SYS_utimes, SYS_dup2, SYS_pipe, SYS_poll, SYS_select,
    SYS_epoll_create, SYS_epoll_wait, SYS_eventfd, SYS_time, SYS_alarm, SYS_pause, SYS_getpgrp, SYS_getrlimit,
    SYS_arch_prctl,
#endif
};
/* clang-format on */

enum { ALLOWED = sizeof allowed / sizeof allowed[0], FILTER_MAX = 2 * ALLOWED + 64 };

struct filter {
    struct sock_filter code[FILTER_MAX];
    size_t size;
};

static void add(struct filter *filter, unsigned code, uint32_t operand, unsigned if_true,
                unsigned if_false) {
    check(filter->size < FILTER_MAX);
    filter->code[filter->size++] =
        (struct sock_filter){(uint16_t)code, (uint8_t)if_true, (uint8_t)if_false, operand};
}

static void load(struct filter *filter, size_t offset) {
    add(filter, BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset, 0, 0);
}

/* Of a 64-bit argument the low half: both machines are little-endian. */
static void load_argument(struct filter *filter, unsigned index) {
    load(filter, offsetof(struct seccomp_data, args) + index * sizeof(uint64_t));
}

static void allow(struct filter *filter) {
    add(filter, BPF_RET | BPF_K, SECCOMP_RET_ALLOW, 0, 0);
}

static void refuse(struct filter *filter, int error_number) {
    add(filter, BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (uint32_t)error_number, 0, 0);
}

/* What an argument comes to: the first if it is not as asked, the second if it is. */
static void end_both_ways(struct filter *filter, bool wanted) {
    if (wanted)
        refuse(filter, EPERM);
    allow(filter);
    if (!wanted)
        refuse(filter, EPERM);
}

/* The call is allowed if its argument is one of the values (`wanted`), or if it is none of them. */
static void decide_by_value(struct filter *filter, uint32_t call, unsigned argument,
                            const uint32_t *values, unsigned count, bool wanted) {
    add(filter, BPF_JMP | BPF_JEQ | BPF_K, call, 0, count + 3);
    load_argument(filter, argument);
    for (unsigned i = 0; i < count; i++)
        add(filter, BPF_JMP | BPF_JEQ | BPF_K, values[i], count - i, 0);
    end_both_ways(filter, wanted);
}

/* The call is allowed if its argument has all of these bits (`wanted`), or if it lacks one. */
static void decide_by_bits(struct filter *filter, uint32_t call, unsigned argument, uint32_t bits,
                           bool wanted) {
    add(filter, BPF_JMP | BPF_JEQ | BPF_K, call, 0, 5);
    load_argument(filter, argument);
    add(filter, BPF_ALU | BPF_AND | BPF_K, bits, 0, 0);
    add(filter, BPF_JMP | BPF_JEQ | BPF_K, bits, 1, 0);
    end_both_ways(filter, wanted);
}

static void fill(struct filter *filter) {
    static const uint32_t families[] = {AF_UNIX, AF_INET, AF_INET6, AF_NETLINK};
    static const uint32_t names[] = {PR_SET_NAME, PR_GET_NAME};
    static const uint32_t inputs[] = {TIOCSTI, TIOCLINUX};
    load(filter, offsetof(struct seccomp_data, arch));
    add(filter, BPF_JMP | BPF_JEQ | BPF_K, ARCHITECTURE, 1, 0);
    refuse(filter, EPERM); // a call in another architecture's way
    load(filter, offsetof(struct seccomp_data, nr));
    decide_by_bits(filter, SYS_mmap, 2, PROT_WRITE | PROT_EXEC, false);
    decide_by_bits(filter, SYS_mprotect, 2, PROT_EXEC, false);
    decide_by_bits(filter, SYS_clone, 0, CLONE_THREAD | CLONE_VM, true);
    decide_by_value(filter, SYS_ioctl, 1, inputs, sizeof inputs / sizeof inputs[0], false);
    decide_by_value(filter, SYS_socket, 0, families, sizeof families / sizeof families[0], true);
    decide_by_value(filter, SYS_prctl, 0, names, sizeof names / sizeof names[0], true);
    for (size_t i = 0; i < ALLOWED; i++) {
        add(filter, BPF_JMP | BPF_JEQ | BPF_K, allowed[i], 0, 1);
        allow(filter);
    }
    add(filter, BPF_JMP | BPF_JGT | BPF_K, NEWEST_KNOWN, 2, 0);
    add(filter, BPF_JMP | BPF_JEQ | BPF_K, SYS_clone3, 1, 0);
    refuse(filter, EPERM);
    refuse(filter, ENOSYS);
}

bool confine_calls(struct error *err) {
    struct filter filter = {.size = 0};
    if (ARCHITECTURE == 0)
        return error_set(err, ERROR_CONFIG, "there is no filter for this architecture");
    fill(&filter);
    struct sock_fprog program = {(unsigned short)filter.size, filter.code};
    // SPEC_ALLOW: older kernels would make every later instruction slower for it otherwise.
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
        syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_SPEC_ALLOW, &program) ==
            0)
        return true;
    return error_set(err, ERROR_CONFIG, "the kernel takes no filter (seccomp): %s",
                     strerror(errno));
}
