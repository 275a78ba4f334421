import LaunchEngine

Launcher.main()
