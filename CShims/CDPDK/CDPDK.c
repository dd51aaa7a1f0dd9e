// GNU's affinity calls are hidden from Swift's importer, which does not define this.
#define _GNU_SOURCE
#include "CDPDK.h"

#include <pthread.h>
#include <sched.h>

int thread_may_run_on(int core) {
    cpu_set_t set;
    CPU_ZERO(&set);
    if (core < 0 || core >= CPU_SETSIZE || sched_getaffinity(0, sizeof(set), &set) != 0) return 0;
    return CPU_ISSET(core, &set) != 0;
}

int thread_pin(int core) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(core, &set);
    return pthread_setaffinity_np(pthread_self(), sizeof(set), &set);
}

void thread_set_name(const char *name) { pthread_setname_np(pthread_self(), name); }
