// SwiftPM wants one source file in a C target; all accessors are inline in the header.
#include "COpenSSL.h"
