// Counts what a worker's turn must not do: heap allocations, locks and system calls of the thread between hooks_enter
// and hooks_leave. Defining malloc and its kin here puts them before the C library's for the whole process.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <linux/prctl.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <ucontext.h>
#include <unistd.h>

enum { MALLOC, FREE, LOCK, SYSTEM_CALL, KINDS };

extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);
extern void __libc_free(void *);

static __thread int inside;
static uint64_t counts[KINDS];
static void *trace[32];
static int trace_depth;
static long first_call = -1;
// SYSCALL_DISPATCH_FILTER_ALLOW or _BLOCK; the kernel reads it at each system call of the thread.
static volatile char selector = 0;
static int (*lock_mutex)(pthread_mutex_t *);

static void note(int kind) {
    if (!inside) return;
    inside = 0;
    selector = 0;
    counts[kind]++;
    if (trace_depth == 0) trace_depth = backtrace(trace, 32);
    selector = 1;
    inside = 1;
}

void *malloc(size_t size) {
    note(MALLOC);
    return __libc_malloc(size);
}

void *calloc(size_t count, size_t size) {
    note(MALLOC);
    return __libc_calloc(count, size);
}

void *realloc(void *memory, size_t size) {
    note(MALLOC);
    return __libc_realloc(memory, size);
}

void *memalign(size_t alignment, size_t size) {
    note(MALLOC);
    return __libc_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size) {
    note(MALLOC);
    return __libc_memalign(alignment, size);
}

int posix_memalign(void **memory, size_t alignment, size_t size) {
    note(MALLOC);
    *memory = __libc_memalign(alignment, size);
    return *memory ? 0 : ENOMEM;
}

void free(void *memory) {
    if (memory) note(FREE);
    __libc_free(memory);
}

int pthread_mutex_lock(pthread_mutex_t *mutex) {
    note(LOCK);
    // Before main, when there is one thread and dlsym itself may lock.
    if (!lock_mutex) return 0;
    return lock_mutex(mutex);
}

// The system call that was caught is made now: its instruction has 2 bytes.
static void caught(int signal, siginfo_t *info, void *context) {
    (void)signal;
    selector = 0;
    if (first_call < 0) first_call = info->si_syscall;
    if (trace_depth == 0) trace_depth = backtrace(trace, 32);
    counts[SYSTEM_CALL]++;
    ((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP] -= 2;
}

// 0, or an errno when the kernel cannot watch system calls (CONFIG_GENERIC_ENTRY, Linux 5.11).
int hooks_start(void) {
    setvbuf(stdout, NULL, _IOLBF, 0);
    lock_mutex = (int (*)(pthread_mutex_t *))dlsym(RTLD_NEXT, "pthread_mutex_lock");
    // Its first use loads a library.
    backtrace(trace, 32);
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_sigaction = caught;
    action.sa_flags = SA_SIGINFO;
    sigaction(SIGSYS, &action, NULL);
    return prctl(PR_SET_SYSCALL_USER_DISPATCH, PR_SYS_DISPATCH_ON, 0, 0, &selector) ? errno : 0;
}

void hooks_enter(void) {
    inside = 1;
    selector = 1;
}

void hooks_leave(void) {
    selector = 0;
    inside = 0;
}

uint64_t hooks_count(int kind) { return counts[kind]; }
long hooks_first_call(void) { return first_call; }

// Prints where the first offence was.
void hooks_print_trace(void) { backtrace_symbols_fd(trace, trace_depth, STDOUT_FILENO); }

void hooks_reset(void) {
    memset(counts, 0, sizeof counts);
    trace_depth = 0;
    first_call = -1;
}

// Whether the hooks see what they are there to see.
void hooks_offend(int kind) {
    static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    hooks_enter();
    switch (kind) {
    case MALLOC: __asm__ volatile("" ::"r"(malloc(1)) : "memory"); break;
    case LOCK: pthread_mutex_lock(&mutex); break;
    case SYSTEM_CALL: getppid(); break;
    }
    hooks_leave();
    if (kind == LOCK) pthread_mutex_unlock(&mutex);
}
