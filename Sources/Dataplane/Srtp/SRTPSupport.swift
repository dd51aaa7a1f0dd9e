/// The SRTP implementation that this CPU uses, for `needletail version` and the log.
public enum SRTPSupport {
    /// Library, version, instruction set and CPU features in one line.
    public static var description: String { SRTPEngine.description }

    /// Whether AES-GCM is our own code on this CPU; for benchmarks.
    public static var hasOwnGcm: Bool { SRTPEngine().multiBuffer?.ownGcm != nil }
}
