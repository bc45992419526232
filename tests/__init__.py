"""A package, not only a folder: some libraries install a package of this name, which would come first."""
