/// A sign of life while something without progress of its own goes on.
enum Spinner {
    private static let frames = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"]

    static func frame(_ turn: Int) -> String { frames[turn % frames.count] }
}
