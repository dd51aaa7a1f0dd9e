"""What schemathesis is told beside its options: the bodies of WHIP and WHEP are text."""

import schemathesis

schemathesis.serializer.alias(["application/sdp", "application/trickle-ice-sdpfrag"], "text/plain")
