import CNI
import Cgroups
import ImageStore
import Linux
import Model
import StateStore

/// Gives an `Errno` its sentence: the operation and its key argument, once, where both are known.
enum Adapters {
    static func step<Result: ~Copyable>(_ operation: String, _ argument: String, _ body: () throws(Errno) -> Result)
        throws(Fault)
        -> Result
    {
        do throws(Errno) {
            return try body()
        } catch {
            let code: Fault.Code = error == .noSpace || error == .quotaExceeded ? .resourceExhausted : .internal
            throw Fault(code, "\(operation) \"\(argument)\"", cause: "\(error)")
        }
    }
}

extension OwnedFD {
    /// Opens a directory; nil where there is none.
    static func directory(ifPresent path: String) throws(Errno) -> OwnedFD? {
        do throws(Errno) {
            return try open(Path(path), [.readOnly, .directory])
        } catch Errno.noEntry {
            return nil
        }
    }

    /// Makes a directory of the daemon's own (0700) with its parents, and opens it. Trusted paths only.
    static func makeDirectories(_ path: String, mode: UInt32 = 0o700) throws(Errno) -> OwnedFD {
        do throws(Errno) {
            return try open(Path(path), [.readOnly, .directory])
        } catch Errno.noEntry {}
        var made = ""
        let root = try open("/", [.readOnly, .directory])
        for part in path.split(separator: "/") {
            made += "/" + part
            do throws(Errno) { try root.makeDirectory(Path(made), mode: mode) } catch Errno.alreadyExists {}
        }
        return try open(Path(path), [.readOnly, .directory])
    }
}

extension Adapters {
    /// Turns a component's error into the fault that it says it is.
    static func fault<Value: ~Copyable, Failure: Error & Faulty>(_ body: () throws(Failure) -> Value) throws(Fault)
        -> Value
    {
        do throws(Failure) {
            return try body()
        } catch {
            throw error.fault
        }
    }
}

/// An error of a component that knows how a client should see it.
protocol Faulty {
    var fault: Fault { get }
}

extension CgroupError: Faulty {}
extension CNIError: Faulty {}
extension StateError: Faulty {}
extension ImageStoreError: Faulty {}
