"""The connectors that come with omi-bridge. They use only what anybody's connector can use: `README.md` tells how."""
