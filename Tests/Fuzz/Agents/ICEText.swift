import Agents

/// Candidate lines and fingerprints: what is accepted prints a text that gives the same again.
func fuzzICEText(_ input: UnsafeRawBufferPointer) {
    let text = String(decoding: input, as: UTF8.self)
    if let candidate = ICECandidate(text), let line = candidate.text { precondition(ICECandidate(line) == candidate) }
    if let fingerprint = Fingerprint(text) { precondition(Fingerprint(fingerprint.text) == fingerprint) }
}
