"""The machine a project is opened on: what of it could reach a network, or keep in plain what was only in memory."""
