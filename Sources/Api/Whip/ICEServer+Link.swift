extension ICEServer {
    /// As values of the header Link (RFC 9725 section 4.6), one for each address.
    var links: [String] {
        urls.map { url in
            "<\(url)>; rel=\"ice-server\"; username=\"\(username)\"; credential=\"\(credential)\"; "
                + "credential-type=\"password\""
        }
    }
}
