"""Example modules, each a package with its module.yaml."""
