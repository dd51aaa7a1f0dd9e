// What forwarding costs in straightforward C: the limit that the worker is measured against. It knows its receivers and
// has the payload in clear; it receives nothing, looks nothing up, keeps nothing and answers nobody.
#pragma once

#include "Heap.h"
#include "Transform.h"

#include <stdint.h>

struct prototype;

// A prototype that sends on the DPDK port called `device`, from the mempool called `pool`, to `receivers` receivers with
// an AES-128-GCM key, an address and a stream of their own. `extension_length`: bytes of the RTP header's extension, a
// multiple of 4 and 8 at least; it holds the transport-wide sequence number. NULL without memory, port or AES-NI.
struct prototype *prototype_make(
    const char *device, const char *pool, uint32_t receivers, uint32_t extension_length, uint32_t payload_length);

void prototype_free(struct prototype *prototype);

// Sends `packets` packets to every receiver: how many left.
uint64_t prototype_forward(struct prototype *prototype, uint32_t packets);

// Whether a packet that it writes can be opened, and has the payload. Once before it is trusted.
int prototype_is_right(struct prototype *prototype);
