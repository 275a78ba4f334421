import ArgumentParser

/// The command that parses: it has no options of its own, see `GlobalOptions.split`.
struct Swiftlet: AsyncParsableCommand {
    static let groups: [CommandGroup] = [
        CommandGroup(name: "One call", subcommands: [Run.self, PlayManifest.self]),
        CommandGroup(
            name: "Pods",
            subcommands: [Pods.self, Runp.self, Stopp.self, Rmp.self, Inspectp.self, Statsp.self, Forward.self]),
        CommandGroup(
            name: "Containers",
            subcommands: [
                Ps.self, Create.self, Start.self, Stop.self, Rm.self, Update.self, Inspect.self, Logs.self, Exec.self,
                Attach.self, Copy.self, Stats.self, Checkpoint.self,
            ]),
        CommandGroup(
            name: "Images",
            subcommands: [Images.self, Pull.self, Pulls.self, Rmi.self, Inspecti.self, Imagefsinfo.self]),
        CommandGroup(
            name: "The runtime",
            subcommands: [
                Version.self, Info.self, RuntimeConfig.self, UpdateRuntimeConfig.self, Metricdescs.self, Metricsp.self,
                Top.self, Events.self, Doctor.self, Explain.self, Trace.self, LogLevel.self, Reload.self, Recover.self,
                Config.self, Schema.self, Completion.self,
            ]),
    ]
    static let configuration = CommandConfiguration(
        commandName: "swiftlet", abstract: abstract, version: ProgramVersion.text, groupedSubcommands: groups)
    static let abstract = "Works with pods, containers and images of a CRI runtime."
}

/// The command that documents: the same with the global options, for the help page and for completion.
struct Manual: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "swiftlet", abstract: Swiftlet.abstract,
        usage: "swiftlet [GLOBAL OPTIONS] COMMAND [ARGUMENTS]", version: ProgramVersion.text,
        groupedSubcommands: Swiftlet.groups)

    @OptionGroup var global: GlobalOptions
}

/// The version of this program.
enum ProgramVersion {
    static let text = "0.1.0"
}
