import Api
import Dataplane
import Foundation

/// What the node says of itself, when it refuses newcomers, and how it speaks TLS.
extension NodeConfiguration {
    static func identity(_ file: ConfigurationFile, pop: UInt16) throws -> NodeIdentity {
        var identity = NodeIdentity(pop: Int(pop), region: file.text(.popRegion))
        if let region = identity.region, region.isEmpty || region.count > 64 {
            throw file.error(.popRegion, "must have 1 to 64 characters")
        }
        let latitude = try file.number(.popLatitude, in: -90...90)
        let longitude = try file.number(.popLongitude, in: -180...180)
        switch (latitude, longitude) {
        case (nil, nil): break
        case (let latitude?, let longitude?):
            identity.coordinates = .init(latitude: latitude, longitude: longitude)
        case (_, nil): throw file.error(.popLatitude, "needs pop.longitude")
        case (nil, _): throw file.error(.popLongitude, "needs pop.latitude")
        }
        return identity
    }

    /// What clients reach a listener by; paths are ours.
    static func url(_ file: ConfigurationFile, _ key: ConfigurationKey) throws -> String? {
        guard let text = file.text(key) else { return nil }
        guard text.wholeMatch(of: /https?:\/\/[^\s\/?#]+\/?/) != nil else {
            throw file.error(key, "must be a scheme and a host, as https://meet.example.org")
        }
        return text
    }

    static func webFolder(_ file: ConfigurationFile) throws -> String? {
        guard let folder = file.text(.apiWebFolder) else { return nil }
        guard FileManager.default.isReadableFile(atPath: folder + "/index.html") else {
            throw file.error(.apiWebFolder, "\(folder) holds no index.html that can be read")
        }
        return folder
    }

    static func admission(_ file: ConfigurationFile) throws -> AdmissionPolicy {
        var policy = AdmissionPolicy()
        policy.busyRatio = try file.number(.admissionBusyRatio, in: 0.05...1) ?? policy.busyRatio
        policy.window = .seconds(try file.integer(.admissionWindow, in: 2...600, default: 20))
        return policy
    }

    static func certificates(_ file: ConfigurationFile) throws -> CertificateStore? {
        switch (file.text(.apiCertificate), file.text(.apiKey)) {
        case (nil, nil): return nil
        case (let certificate?, let key?):
            do {
                return try CertificateStore(certificate: certificate, key: key)
            } catch {
                throw file.error(.apiCertificate, "\(error)")
            }
        case (_, nil): throw file.error(.apiCertificate, "needs api.key, the file of its private key")
        case (nil, _): throw file.error(.apiKey, "needs api.certificate, the file of its certificate")
        }
    }
}

/// What workers do when they find nothing, by the kind of port.
struct IdleChoice: Equatable {
    var ofKernelPorts: IdlePolicy
    var ofNICs: IdlePolicy
}
