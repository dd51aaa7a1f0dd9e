/// The program's version (semantic versioning 2.0.0).
enum Version {
    static let number = "0.1.0"
}
