/// What seals and opens on this CPU, for `needletail version` and the log.
public enum SrtpSupport {
    /// Library, version, instruction set and CPU features in one line.
    public static var description: String { SrtpEngine.description }
}
