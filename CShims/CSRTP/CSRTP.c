#include "CSRTP.h"

#include <pthread.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;
static srtp_err_status_t status = srtp_err_status_init_fail;

static void begin(void) { status = srtp_init(); }

srtp_err_status_t needletail_srtp_init(void) {
    pthread_once(&once, begin);
    return status;
}
