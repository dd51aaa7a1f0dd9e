@testable import Fleet

/// A message of another PoP's director: what is read is written again, and read as the same.
func fuzzDirectorMessages(_ input: UnsafeRawBufferPointer) {
    do throws(LinkFailure) {
        guard let message = try DirectorMessage.read(Array(input)) else { return }
        let bytes = message.bytes
        precondition(bytes.count <= input.count && bytes == Array(input.prefix(bytes.count)))
        let again = try DirectorMessage.read(bytes)
        precondition(again == message)
    } catch { use(error.description.utf8.count) }
}
