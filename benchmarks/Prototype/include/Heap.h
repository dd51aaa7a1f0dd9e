// Counts what a thread asks the heap for, by standing before the C library's functions in the whole program.
#pragma once

#include <stdint.h>

// Calls of malloc, calloc, realloc, free and the aligned ones by this thread so far.
uint64_t heap_calls(void);
