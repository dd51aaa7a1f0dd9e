// hiredis for Swift: the library's formatter of commands and its reader of answers. Debian 12's hiredis (0.14) speaks no
// TLS, so its connections are not used. No logic.
#ifndef NEEDLETAIL_CHIREDIS_H
#define NEEDLETAIL_CHIREDIS_H

#include <hiredis/hiredis.h>

#endif
